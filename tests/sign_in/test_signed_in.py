"""What a program is told of the account that a person has signed in to."""

from __future__ import annotations

from typing import Any

import pytest

from cognito_credentials.secret import Secret
from cognito_credentials.sign_in import SignedIn
from cognito_credentials.sign_in.issuers.tokens import Verified
from cognito_credentials.sign_in.signed_in import signed_in

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3"


def _account(**claims: Any) -> SignedIn:
    return signed_in(Verified(Secret("CANARY"), {"iss": ISSUER, "sub": "s", **claims}, None, 0.0))


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, ("", "", "s")),
        ({"cognito:username": "ann"}, ("ann", "", "ann")),
        ({"preferred_username": "ann"}, ("ann", "", "ann")),
        ({"cognito:username": "ann", "email": "a@example.com"}, ("ann", "a@example.com", "a@example.com")),
        ({"cognito:username": 7, "email": ["a"], "name": "Ann"}, ("", "", "Ann")),
        ({"email": "a\x1b[31m@example.com"}, ("", "a?[31m@example.com", "a?[31m@example.com")),
    ],
)
def test_the_account_is_what_the_token_says(claims: dict[str, Any], expected: tuple[str, ...]) -> None:
    """Claims that are missing or no text are empty; what goes into a window has no control characters."""
    account = _account(**claims)

    assert (account.username, account.email, str(account)) == expected
    assert (account.subject, account.issuer) == ("s", ISSUER)


def test_the_provider_is_the_configured_one_or_the_issuers() -> None:
    """The provider is the key that the identity pool has the login under."""
    assert _account().provider == ISSUER.removeprefix("https://")
    verified = Verified(Secret("CANARY"), {"iss": ISSUER, "sub": "s"}, None, 0.0)
    assert signed_in(verified, "login.example.com").provider == "login.example.com"
