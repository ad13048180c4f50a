"""What a token says of itself, and login sources that are not asked offline."""

from __future__ import annotations

import pytest

from cognito_credentials.cli.doctor.check import Result
from cognito_credentials.cli.doctor.logins import logins
from cognito_credentials.cli.doctor.setup import Setup
from tests.cli.doctor.conftest import ISSUER, jwt
from tests.conftest import ManualClock

POOL = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"


def looked_at(login: str, token: str = "") -> Result:
    """Look at the only login of a profile; ``env:TOKEN`` has *token*."""
    environ = {"TOKEN": token, "HOME": "/nowhere"}
    setup = Setup(environ, clock=ManualClock())
    provider, _, source = login.partition(" = ")
    setup.config = {
        "profiles": {
            "default": {
                "cognito_identity_pool_id": POOL,
                "cognito_logins": {provider: source} if source else login,
            }
        },
        "services": {},
    }
    (found,) = logins(setup)
    return found


def test_what_a_token_says() -> None:
    """Issuer, audience and end are shown, which are what a pool compares; neither the user nor the token."""
    token = jwt(aud=["app", "api"], exp=1_800_003_600, email="ann@example.com")
    found = looked_at("login.example.com = env:TOKEN", token)

    assert found.status == "ok"
    assert found.what == (
        "env:TOKEN has a token for login.example.com: "
        f"issuer {ISSUER}, audience app and api, until 2027-01-15T09:00:00Z"
    )


def test_a_token_that_says_nothing() -> None:
    """Facebook's tokens have no claims, and are no fault."""
    found = looked_at("graph.facebook.com = env:TOKEN", "CANARY-opaque")

    assert (found.status, "says nothing of itself" in found.what) == ("ok", True)


@pytest.mark.parametrize(
    "login", ["login.example.com = command:/bin/cat /token", "developer:https://app.example.com/token"]
)
def test_what_asks_others_is_not_asked(login: str) -> None:
    """A program or a back end is asked only by checks that ask."""
    found = looked_at(login)

    assert found.status == "ok"
    assert found.what.endswith("does not answer at once, so 'tokens' asks it")


def test_a_saml_response() -> None:
    """Of a SAML response at least the form is known offline."""
    found = looked_at("arn:aws:iam::123456789012:saml-provider/idp = env:TOKEN", "<xml/>")

    assert (found.status, "is the XML itself" in found.what) == ("error", True)
