"""The token endpoint: which errors are temporary, and which are refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from cognito_credentials.errors import CognitoCredentialsError, LoginRejectedError, ServiceError
from cognito_credentials.exchange.http import Network
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.issuers.oidc import OidcIssuer
from cognito_credentials.sign_in.issuers.token_client import TokenError
from cognito_credentials.sign_in.sources import OidcLogin

from ..conftest import locals_of
from .conftest import Person
from .hostile_issuer import CLIENT, HostileIssuer, answer


@pytest.fixture
def busy() -> Iterator[HostileIssuer]:
    """An issuer whose token endpoint answers as a test says."""
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
    """They end no sign-in; throttling is marked, so that it is not answered with more requests."""
    busy.answers["/token"] = lambda: answer(body, status)

    with pytest.raises(ServiceError) as caught:
        OidcIssuer(Network(), busy.url, CLIENT).refresh(Secret("CANARY-refresh"))

    assert caught.value.throttled == is_throttled


_ODD: list[Any] = [
    *(None, True, -1, 5, float("inf"), float("nan"), 10**400, "9" * 5000, "", "\ud800", "\x1b]52;c;eA==\x07"),
    *([], {}, ["x"], {"x": 1}),
]
"""What JSON can say and no token endpoint should."""


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name",
    ["id_token", "access_token", "refresh_token", "token_type", "expires_in", "expires_at", "scope", "error",
     "error_description", "self", "session", "token_endpoint"],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400])
def test_any_answer_is_tokens_or_a_refusal(busy: HostileIssuer, name: str, status: int) -> None:
    """Any answer is tokens or one of our errors, without the refresh token in its frames."""
    client = OidcIssuer(Network(), busy.url, CLIENT).client()
    for odd in _ODD:
        busy.answers["/token"] = lambda odd=odd: answer({"id_token": "x", name: odd}, status)
        problem: Exception | None = None
        try:
            client.refresh(Secret("CANARY-sent"))
        except (TokenError, CognitoCredentialsError) as error:
            problem = error
        assert "CANARY" not in locals_of(problem), odd


@pytest.mark.thorough
@pytest.mark.parametrize(
    "token", ["rt.7f3c9a1e-42d0-4b7e-9c1a", "R" * 36, "3f9a8c7b6d5e4f3a2b1c0d9e8f7a", "a+b/c=d&e%f;g"]
)
@pytest.mark.parametrize(
    "says",
    [
        "unknown refresh token {token}",
        "unknown refresh_token={quoted}&client_id=desktop",
        "unknown: '{token}', and \"{token}\".",
        "unknown refresh token {start}...",
        "unknown" + " " * 4000 + "{token}{token}{token}{token}{token}{token}",
    ],
)
@pytest.mark.parametrize("where", ["error_description", "error"])
def test_a_refusal_does_not_repeat_what_was_sent(
    busy: HostileIssuer, token: str, says: str, where: str
) -> None:
    """Secrets are removed from the issuer's words in every spelling; the rest of the words stay."""
    said = says.format(token=token, quoted=quote(token, safe=""), start=token[:12])
    busy.answers["/token"] = lambda: answer({"error": "invalid_request", where: said}, 400)

    with pytest.raises(LoginRejectedError) as caught:
        OidcIssuer(Network(), busy.url, CLIENT, Secret("CANARY-client")).refresh(Secret(token))

    shown = unquote(f"{caught.value.message} {caught.value.code}")
    assert not any(token[at : at + 8] in shown for at in range(len(token) - 7))
    assert "unknown" in shown


def test_a_refusal_does_not_repeat_a_code_or_a_client_secret(busy: HostileIssuer) -> None:
    """Every secret of the request is removed from the answer."""
    issuer = OidcIssuer(Network(), busy.url, CLIENT, Secret("CANARY-client"))
    sent = Secret("the-code-1234"), Secret("the-verifier-5678")
    busy.answers["/token"] = lambda: answer(
        {
            "error": "invalid_grant",
            "error_description": f"{sent[0].reveal()} {sent[1].reveal()} CANARY-client",
        },
        400,
    )

    with pytest.raises(TokenError) as caught:
        issuer.client().exchange(sent[0], redirect_uri="http://127.0.0.1:8400/callback", verifier=sent[1])

    assert caught.value.description == " ".join(["<redacted>"] * 3)


def test_a_refused_device_code_does_not_repeat_the_client_secret(
    busy: HostileIssuer, isolation: Path
) -> None:
    """The client's secret is removed from errors of the device endpoint, too."""
    busy.answers["/device"] = lambda: answer(
        {"error": "invalid_client", "error_description": "no client has CANARY-client"}, 401
    )
    source = OidcLogin(busy.url, CLIENT, client_secret="CANARY-client", store="file")

    with pytest.raises(LoginRejectedError, match="no client has <redacted>"):
        source.sign_in(Person(), way="device")
