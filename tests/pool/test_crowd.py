"""Hundreds of users in one process, by `for_user` and by pools of their own, on few threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cognito_credentials.exchange import transport
from tests.benchmarks.users import asked
from tests.processes.conftest import Machine, machine
from tests.world import World

__all__ = ["machine"]


@pytest.fixture
def world(emulator: Any) -> World:
    return World(emulator, dict(os.environ))


@pytest.mark.parametrize("cache", ["file", "memory"])
@pytest.mark.parametrize("is_own_pool", [True, False])
def test_five_hundred_guests_on_eight_threads(world: World, cache: str, is_own_pool: bool) -> None:
    """Each guest gets credentials of its own by two requests, and the process keeps four connections."""
    pool = world.pool(cache=cache)

    def first(number: int) -> tuple[str, str]:
        name = f"guest {number}"
        user = world.pool(cache=cache, user=name) if is_own_pool else pool.for_user(name)
        return user.credentials().access_key_id, user.identity_id()

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(first, range(500)))

    assert len({key for key, _ in found}) == len({identity for _, identity in found}) == 500
    assert world.counts() == {"GetId": 500, "GetCredentialsForIdentity": 500}
    assert len(transport._shared._idle) <= transport.IDLE_LIMIT


@pytest.mark.parametrize("cache", ["file", "memory"])
def test_nobody_in_use_is_dropped(world: World, cache: str) -> None:
    """Of 400 users each keeps its identity, and asks once a generation, however many others there are."""
    pool = world.pool(cache=cache)
    users = [pool.for_user(f"user {number}") for number in range(400)]
    identities = [user.identity_id() for user in users]
    for generation in (1, 2):
        for _ in range(2):
            assert len({user.credentials().access_key_id for user in users}) == 400
        assert world.counts()["GetCredentialsForIdentity"] == 400 * generation
        world.move(3000)

    assert [pool.for_user(f"user {number}").identity_id() for number in range(400)] == identities
    assert world.counts()["GetId"] == 400


def test_one_more_user_takes_at_most_ten_kibibytes(machine: Machine) -> None:
    """Credentials, identity, record and all objects of one more user are held in 10 KiB."""
    assert 1 < asked(machine, "held", 200)["kib"] <= 10


def test_a_user_whose_object_is_gone_takes_at_most_four_kibibytes(machine: Machine) -> None:
    """What stays of a user until the next request is held in 4 KiB, identity and all."""
    assert 1 < asked(machine, "anew", 300)["kib"] <= 4
