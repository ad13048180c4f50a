"""The requests that a whole outage costs the service, with a clock that the test moves."""

from __future__ import annotations

from pathlib import Path

from cognito_credentials.emulator import Emulator
from tests.world import World


def test_program_that_seldom_asks_makes_three_requests(emulator: Emulator, isolation: Path) -> None:
    """A third try in the last minute is one request, like the first two."""
    world = World(emulator, {"HOME": str(isolation)})
    pool = world.pool()
    expires_at = pool.credentials().expires_at
    world.outage()
    for left in (15 * 60, 295, 55, 50, 1):
        world.move(expires_at - left - world.clock.wall())
        assert pool.credentials().expires_at == expires_at
    assert world.counts()["GetCredentialsForIdentity"] - 1 == 3
