"""The token endpoint: which of its answers pass, and which are refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cognito_credentials.errors import CognitoCredentialsError, ServiceError
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.http import Network
from cognito_credentials.sign_in.oidc import OidcIssuer
from cognito_credentials.sign_in.tokens import TokenError

from ..conftest import locals_of
from .hostile_issuer import CLIENT, HostileIssuer, answer


@pytest.fixture
def busy() -> Iterator[HostileIssuer]:
    """An issuer whose token endpoint a test sets."""
    issuer = HostileIssuer()
    yield issuer
    issuer.close()


@pytest.mark.parametrize(
    ("status", "body", "is_throttled"),
    [
        (429, {"errorCode": "E0000047"}, True),
        (429, {"error": "too_many_requests"}, True),
        (429, ["no object"], True),
        (403, {"error": "too_many_requests"}, True),
        (400, {"error": "slow_down"}, True),
        (408, {}, False),
        (503, {}, False),
    ],
)
def test_throttling_and_outages_are_no_refusals(
    busy: HostileIssuer, status: int, body: Any, is_throttled: bool
) -> None:
    """They pass, so they end no sign-in; throttling is told apart, so that it is not met with more of it."""
    busy.answers["/token"] = lambda: answer(body, status)

    with pytest.raises(ServiceError) as caught:
        OidcIssuer(Network(), busy.url, CLIENT).refresh(Secret("CANARY-refresh"))

    assert caught.value.throttled == is_throttled


_ODD: list[Any] = [
    *(None, True, -1, 5, float("inf"), float("nan"), 10**400, "9" * 5000, "", "\ud800", "\x1b]52;c;eA==\x07"),
    *([], {}, ["x"], {"x": 1}),
]
"""What JSON can say and no token endpoint should."""


@pytest.mark.parametrize(
    "name",
    ["id_token", "access_token", "refresh_token", "token_type", "expires_in", "expires_at", "scope", "error",
     "error_description", "self", "session", "token_endpoint"],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400])
def test_any_answer_is_tokens_or_a_refusal(busy: HostileIssuer, name: str, status: int) -> None:
    """Whatever stands in an answer: one of our errors, without the refresh token in any frame of it."""
    client = OidcIssuer(Network(), busy.url, CLIENT).client()
    for odd in _ODD:
        busy.answers["/token"] = lambda odd=odd: answer({"id_token": "x", name: odd}, status)
        problem: Exception | None = None
        try:
            client.refresh(Secret("CANARY-sent"))
        except (TokenError, CognitoCredentialsError) as error:
            problem = error
        assert "CANARY" not in locals_of(problem), odd
