"""A pool with its cache in Redis: hosts share credentials, identities, locks, failures and rejections."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognito_credentials.emulator import Emulator
from tests.redis_server import RedisServer, running
from tests.world import World

KEY = base64.b64encode(os.urandom(32)).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def redis(server: RedisServer) -> RedisServer:
    server("FLUSHALL")
    return server


@pytest.fixture
def world(emulator: Emulator, redis: RedisServer, isolation: Path) -> World:
    return World(emulator, {"HOME": str(isolation), "AWS_COGNITO_CACHE": redis.url})


def test_hosts_share_one_refresh(world: World) -> None:
    """Two hosts with one Redis are one guest, and make one GetId and one GetCredentialsForIdentity."""
    first, second = world.pool(), world.pool()

    assert first.credentials() == second.credentials()
    assert first.identity_id() == second.identity_id()
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_the_key_seals(world: World, redis: RedisServer) -> None:
    """With a key, nothing of the records can be read in Redis."""
    pool = world.pool(cache_key=KEY)
    credentials = pool.credentials()
    kept = b"".join(redis("GET", name) for name in redis("KEYS", "{*"))

    assert credentials.access_key_id.encode() not in kept
    assert pool.identity_id().encode() not in kept
    assert world.pool(cache_key=base64.b64decode(KEY)).credentials() == credentials


def test_status_names_the_place(world: World, redis: RedisServer) -> None:
    """The status has the URL without its user name and password."""
    redis("CONFIG", "SET", "requirepass", "CANARY-of-redis")
    try:
        pool = world.pool(cache=redis.url.replace("//", "//default:CANARY-of-redis@"))
        status = pool.status()
        assert (status.store, status.location, status.store_problem) == ("redis", redis.url, None)
    finally:
        redis.client(password="CANARY-of-redis").config_set("requirepass", "")
