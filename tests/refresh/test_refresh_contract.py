"""
The refresh contract that AWS's SDKs share, behaviour by behaviour, and where we differ on purpose.

The 24 behaviours are those of the SDKs' shared test vectors, in their order; they were read, not copied:
https://github.com/boto/botocore/blob/develop/tests/unit/credential_refresh/credential-refresh-tests.json
Two are not here: the three window sizes are in `test_policy`, and there is no window that the user sets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cognito_credentials import CognitoCredentialsError
from cognito_credentials.emulator import Emulator
from tests.world import World

LEFT = {"valid": 3000, "advisory": 14 * 60, "mandatory": 30, "expired": -1}
"""Seconds until the credentials end that are held when a case begins; with "none" nothing is held."""
SOURCE: dict[str, dict[str, Any]] = {
    "error": {"status": 503},
    "refusal": {"code": "InvalidIdentityPoolConfigurationException", "message": "No role."},
}


class Get(NamedTuple):
    """Ask for credentials."""

    source: str
    """What the service does: ``fresh``, ``ended`` (credentials that have ended), ``error`` or ``refusal``."""
    result: str
    """``held``, ``new``, or the class of the error."""
    is_asked: bool
    """Whether the service is asked."""


class Wait(NamedTuple):
    """Let time pass."""

    seconds: int


class Reject(NamedTuple):
    """Say that a service rejected credentials."""

    which: str


CASES: dict[str, tuple[str, list[Get | Wait | Reject]]] = {
    "valid credentials are used": ("valid", [Get("fresh", "held", False)]),
    "stale, renewed": ("advisory", [Get("fresh", "new", True)]),
    "stale, failed": ("advisory", [Get("error", "held", True)]),
    "ending, renewed": ("mandatory", [Get("fresh", "new", True)]),
    "ending, failed": ("mandatory", [Get("error", "held", True)]),
    "ended, renewed": ("expired", [Get("fresh", "new", True)]),
    # AWS's contract goes on with expired credentials. STS refuses their signatures, so we raise at once.
    "ended, failed": ("expired", [Get("error", "CredentialsExpiredError", True)]),
    # AWS's contract asks again at once. Many processes may be asking, so we share the error for seconds.
    "none, failed, then renewed": (
        "none",
        [
            Get("error", "ServiceError", True),
            Get("fresh", "ServiceError", False),
            Wait(6),
            Get("fresh", "new", True),
        ],
    ),
    "stale, given what has ended": ("advisory", [Get("ended", "held", True), Get("fresh", "held", False)]),
    "ending, given what has ended": ("mandatory", [Get("ended", "held", True)]),
    # AWS's contract raises although the credentials are valid. An expired login must not end a job early.
    "stale, refused": (
        "advisory",
        [Get("refusal", "held", True), Get("refusal", "held", False), Wait(602), Get("fresh", "new", True)],
    ),
    "ending, refused": (
        "mandatory",
        [Get("refusal", "held", True), Wait(30), Get("fresh", "new", True)],
    ),
    "ended, refused, asked again at once": (
        "expired",
        [Get("refusal", "PoolMisconfiguredError", True), Get("refusal", "PoolMisconfiguredError", False)],
    ),
    "none, refused, then renewed": (
        "none",
        [Get("refusal", "PoolMisconfiguredError", True), Wait(6), Get("fresh", "new", True)],
    ),
    "rejected, renewed": ("valid", [Reject("held"), Get("fresh", "new", True)]),
    "rejected, failed": ("valid", [Reject("held"), Get("error", "held", True)]),
    "rejected while backing off": (
        "advisory",
        [
            Get("error", "held", True),
            Wait(60),
            Reject("held"),
            Get("fresh", "held", False),
            Wait(542),
            Get("fresh", "new", True),
        ],
    ),
    "others were rejected": ("valid", [Reject("other"), Get("fresh", "held", False)]),
    "backing off": (
        "advisory",
        [
            Get("error", "held", True),
            Wait(300),
            Get("fresh", "held", False),
            Wait(302),
            Get("fresh", "new", True),
        ],
    ),
    # Ours: after a failure in the last minute, the next try is at the moment when the credentials end.
    "recovered in the last minutes": (
        "mandatory",
        [Get("error", "held", True), Wait(30), Get("fresh", "new", True)],
    ),
}


@pytest.fixture
def world(emulator: Emulator, isolation: Path) -> World:
    return World(emulator, {"HOME": str(isolation)})


@pytest.mark.parametrize("name", CASES)
def test_contract(world: World, name: str) -> None:
    """What is returned, and whether the service is asked for it, is as the contract or our deviation says."""
    state, steps = CASES[name]
    pool = world.pool()
    held = None
    if state != "none":
        held = pool.credentials()
        world.move(held.expires_at - LEFT[state] - world.clock.wall())
    for step in steps:
        if isinstance(step, Wait):
            world.move(step.seconds)
        elif isinstance(step, Reject):
            assert held is not None
            pool.invalidate(held.access_key_id if step.which == "held" else "ASIAOTHEROTHEROTHER1")
        else:
            arrange(world, step.source)
            before = sum(world.counts().values())
            try:
                result = "held" if pool.credentials() == held else "new"
            except CognitoCredentialsError as error:
                result = type(error).__name__
            is_asked = sum(world.counts().values()) > before
            assert (result, is_asked) == (step.result, step.is_asked), step


def test_window_follows_the_lifetime_of_each_answer(world: World) -> None:
    """After six-hour credentials come ten-minute ones: the window is an hour, then five minutes."""
    pool = world.pool()
    world.settings(credential_lifetime=6 * 3600)
    long = pool.credentials()
    world.settings(credential_lifetime=600)
    world.move(long.expires_at - 59 * 60 - world.clock.wall())
    short = pool.credentials()
    assert short != long
    world.move(short.expires_at - 401 - world.clock.wall())
    assert pool.credentials() == short
    world.move(102)
    assert pool.credentials() != short


def arrange(world: World, source: str) -> None:
    """Let the service behave as *source* says."""
    world.settings(credential_lifetime=-1 if source == "ended" else 3600)
    world.faults(*[{"operation": "*", "times": -1, **SOURCE[source]}] if source in SOURCE else [])
