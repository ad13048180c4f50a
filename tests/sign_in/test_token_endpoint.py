"""The token endpoint: which of its answers pass, and which are refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cognito_credentials.errors import ServiceError
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.http import Network
from cognito_credentials.sign_in.oidc import OidcIssuer

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
