"""Revoking a refresh token where the issuer throttles, refuses or does not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.errors import RefusedError, ServiceError
from cognito_credentials.exchange.http import Network
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.issuers.oidc import OidcIssuer
from cognito_credentials.sign_in.sources import OidcLogin, UserPool

from ..conftest import ManualClock
from .conftest import Person
from .emulated_pool import CLIENT as APP_CLIENT
from .emulated_pool import POOL, EmulatedPool
from .hostile_issuer import CLIENT, Answer, HostileIssuer, answer
from .test_attacks import Visit

pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own


@pytest.fixture
def issuer() -> Iterator[HostileIssuer]:
    """An issuer whose revocation endpoint answers as a test says."""
    issuer = HostileIssuer()
    yield issuer
    issuer.close()


def _in_order(*statuses: int) -> Callable[[], Answer]:
    left = list(statuses)
    return lambda: answer({}, left.pop(0) if len(left) > 1 else left[0])


def _asked(issuer: HostileIssuer) -> int:
    return [path for _, path, _ in issuer.requests].count("/revoke")


def _left(home: Path) -> list[str]:
    return [path.name for path in home.rglob("*") if path.is_file() and path.suffix == ".json"]


def test_an_issuer_that_throttles_is_asked_again(issuer: HostileIssuer) -> None:
    """After the sign-out the token is gone, so a throttled revocation is tried three times."""
    clock = ManualClock()
    issuer.answers["/revoke"] = _in_order(429, 429, 200)

    assert OidcIssuer(Network(clock=clock), issuer.url, CLIENT).revoke(Secret("CANARY-refresh"))
    assert (_asked(issuer), clock.slept) == (3, 3.0)


@pytest.mark.parametrize(
    ("status", "kind", "is_throttled", "asked"),
    [(429, ServiceError, True, 3), (503, ServiceError, False, 1), (400, RefusedError, False, 1)],
)
def test_what_a_failure_to_revoke_is(
    issuer: HostileIssuer, status: int, kind: type[Exception], is_throttled: bool, asked: int
) -> None:
    """Throttling and outages are ServiceErrors (exit 6), a refusal is a RefusedError."""
    issuer.answers["/revoke"] = _in_order(status)

    with pytest.raises(kind) as caught:
        OidcIssuer(Network(clock=ManualClock()), issuer.url, CLIENT).revoke(Secret("CANARY-refresh"))

    error: Any = caught.value
    assert (error.throttled, error.retryable) == (is_throttled, kind is ServiceError)
    assert error.exit_code == (6 if kind is ServiceError else 5)
    assert _asked(issuer) == asked


@pytest.mark.parametrize(("status", "is_unreached"), [(503, True), (400, False)])
def test_signing_out_leaves_nothing_whatever_the_issuer_says(
    issuer: HostileIssuer, isolation: Path, status: int, is_unreached: bool
) -> None:
    """The files are removed in any case; the result tells whether a later try may revoke the token."""
    source = OidcLogin(issuer.url, CLIENT, store="file")
    Visit(source, issuer).finish()
    issuer.answers["/revoke"] = _in_order(status)

    done = source.sign_out()

    assert (done.revoked, done.is_unreached) == (False, is_unreached)
    assert str(status) in done.problems[0]
    assert _left(isolation) == []


def test_signing_out_with_a_token_that_no_form_can_hold(issuer: HostileIssuer, isolation: Path) -> None:
    """An issuer that has given half of a surrogate pair cannot keep the user signed in."""
    well = issuer.tokens
    issuer.tokens = lambda: {**well(), "refresh_token": "CANARY\udc80"}  # type: ignore[method-assign]
    source = OidcLogin(issuer.url, CLIENT, store="file")
    Visit(source, issuer).finish()

    done = source.sign_out()

    assert not done.revoked
    assert "cannot be sent (UnicodeEncodeError)" in done.problems[0]
    assert "CANARY" not in done.problems[0]
    assert _left(isolation) == []


def test_signing_out_has_an_end(
    issuer: HostileIssuer, isolation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All requests have one deadline; then the files are removed."""
    source = OidcLogin(issuer.url, CLIENT, store="file")
    Visit(source, issuer).finish()
    go_on = threading.Event()
    issuer.answers["/revoke"] = lambda: answer({}, 200 if go_on.wait(20) else 503)
    monkeypatch.setattr("cognito_credentials.sign_in.kept.sign_in.SIGN_OUT_BUDGET", 0.5)

    done = source.sign_out()
    go_on.set()

    assert (done.revoked, done.is_unreached) == (False, True)
    assert "no complete answer within" in done.problems[0]
    assert _left(isolation) == []


@pytest.mark.thorough
def test_a_user_pool_that_throttles(isolation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TooManyRequestsException counts as throttling, and the files are removed anyway."""
    server = EmulatedPool()
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    server.add("ann", "CANARY correct horse")
    source = UserPool(POOL, APP_CLIENT, store="file", sign_in="password")
    source.sign_in(Person("ann", "CANARY correct horse"))
    server.fail("RevokeToken", "TooManyRequestsException", "Too many requests")

    with pytest.raises(ServiceError) as caught:
        source._issuer().revoke(Secret("CANARY-refresh"))
    done = source.sign_out()
    server.close()

    assert caught.value.throttled
    assert done.is_unreached
    assert "Too many requests" in done.problems[0]
    assert _left(isolation) == []
