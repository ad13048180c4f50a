"""A machine whose clock is wrong signs in: the time is the service's, wherever its answer names it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cognito_credentials.errors import LoginRejectedError
from cognito_credentials.sign_in.sources import OidcLogin, UserPool

from ..conftest import ManualClock
from .conftest import Person
from .emulated_pool import CLIENT, POOL, EmulatedPool
from .hostile_issuer import CLIENT as OIDC_CLIENT
from .hostile_issuer import HostileIssuer, answer
from .test_attacks import Visit

PASSWORD = "CANARY correct horse"
OFF = [-86_400 * 400, -3600, -240, 240, 3600, 86_400 * 400]
"""Seconds that the clock is off. The pool refuses proofs that are five minutes off or more."""
pytestmark = pytest.mark.writes_secrets  # the plain store


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    server = EmulatedPool(remembers=True)
    server.add("ann", PASSWORD)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


@pytest.fixture
def issuer(hostile_issuer: HostileIssuer) -> HostileIssuer:
    return hostile_issuer


def _user_pool(clock: ManualClock) -> UserPool:
    return UserPool(POOL, CLIENT, store="file", sign_in="password", clock=clock)


@pytest.mark.parametrize("off", [*OFF, pytest.param(3601, marks=pytest.mark.quick)])
def test_a_password_is_proven_at_the_pools_time(pool: EmulatedPool, clock: ManualClock, off: float) -> None:
    """The first try is right, whatever this machine's clock says: with a device, a code, and a refresh."""
    pool.users["ann"].ask_for("SOFTWARE_TOKEN_MFA")
    clock.set_wall(time.time() + off)

    assert _user_pool(clock).sign_in(Person("ann", PASSWORD, pool.code)).subject == "sub-ann"
    assert _user_pool(clock).sign_in(Person("ann", PASSWORD)).subject == "sub-ann"  # the device proves itself
    assert _user_pool(clock).token()


def test_the_pools_date_decides(pool: EmulatedPool, clock: ManualClock) -> None:
    """Where the pool names no time, only this machine's clock is left: an hour off, the proof is refused."""
    pool.emulator.plan_faults({"operation": "*", "times": -1, "headers": {"Date": ""}})
    clock.set_wall(time.time() + 3600)

    with pytest.raises(LoginRejectedError, match="the password is wrong"):
        _user_pool(clock).sign_in(Person(*("ann", PASSWORD) * 3))


@pytest.mark.parametrize("off", OFF)
def test_a_sign_in_that_cannot_be_refreshed_lasts_as_long_as_its_token(
    issuer: HostileIssuer, clock: ManualClock, off: float
) -> None:
    """Another process finds the stored token valid until it ends by the issuer's time, and no longer."""

    def source() -> OidcLogin:
        return OidcLogin(issuer.url, OIDC_CLIENT, store="file", clock=clock)

    given = issuer.tokens
    issuer.answers["/token"] = lambda: answer(
        {name: value for name, value in given().items() if name != "refresh_token"}
    )
    clock.set_wall(time.time() + off)
    visit: Any = Visit(source(), issuer)
    assert visit.finish().subject == "ann"

    clock.advance(3600 - 90)
    assert source().token()
    clock.advance(60)
    with pytest.raises(Exception, match="has ended"):
        source().token()
