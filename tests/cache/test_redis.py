"""The store in Redis: the contract, on a socket file and on a port, plain and sealed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from cognito_credentials.cache.redis_connection import RedisConnection
from cognito_credentials.cache.redis_store import RedisStore
from cognito_credentials.cache.sealing import Sealer
from cognito_credentials.secret import Secret
from cognito_credentials.settings.shared_cache import cache_key, redis_url
from tests.cache.contract import KEY, OTHER_KEY, StoreContract
from tests.redis_server import RedisServer, running


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def empty(server: RedisServer) -> None:
    """Each test begins with an empty store."""
    server("FLUSHALL")


def opened(
    url: str,
    key: Secret | None = None,
    warnings: list[str] | None = None,
    elapsed: Callable[[], float] = time.monotonic,
) -> RedisStore:
    connection = RedisConnection(
        redis_url(Secret(url), "cache from test"),
        password=None,
        is_sealed=key is not None,
        warn=print if warnings is None else warnings.append,
        elapsed=elapsed,
    )
    return RedisStore(connection, Sealer(key))


class TestRedisStore(StoreContract):
    """The contract, without a key."""

    @pytest.fixture
    def store(self, server: RedisServer) -> RedisStore:
        return opened(server.url)

    @pytest.fixture
    def peer(self, server: RedisServer) -> RedisStore:
        return opened(server.socket_url)


class TestSealedRedisStore(StoreContract):
    """The contract, with a key."""

    KEY = cache_key(os.urandom(32), "cache_key from test")

    @pytest.fixture
    def store(self, server: RedisServer) -> RedisStore:
        return opened(server.url, self.KEY)

    @pytest.fixture
    def peer(self, server: RedisServer) -> RedisStore:
        return opened(server.socket_url, self.KEY)


def test_an_identity_that_changed_meanwhile_stays(server: RedisServer) -> None:
    """A process that was stopped between reading and writing an identity does not write over another's."""
    warnings: list[str] = []
    slow, fast = opened(server.url, warnings=warnings), opened(server.url)
    assert slow.load("identity", KEY) is None
    fast.store("identity", KEY, b"of another process")
    slow.store("identity", KEY, b"too late")
    assert fast.load("identity", KEY) == b"of another process"
    assert "was changed meanwhile" in warnings[0]
    slow.load("identity", KEY)
    slow.store("identity", KEY, b"in its place")

    assert fast.load("identity", KEY) == b"in its place"


def test_what_was_moved_or_changed_is_set_aside(server: RedisServer) -> None:
    """A sealed identity under another name, or with a bit changed, is set aside for a person to look at."""
    store = opened(server.url, TestSealedRedisStore.KEY, [])
    store.store("identity", KEY, b"identity")
    name, other = f"{{{KEY}}}:i", f"{{{OTHER_KEY}}}:i"
    sealed = server("GET", name)
    server("SET", other, sealed)
    server("SET", name, sealed[:-1] + bytes([sealed[-1] ^ 1]))

    assert store.load("identity", KEY) is None
    assert store.load("identity", OTHER_KEY) is None
    assert len(server("KEYS", "{*}:i:aside:*")) == 2
    assert server("KEYS", "{*}:i") == []


def test_a_lock_ends_by_itself(server: RedisServer) -> None:
    """A lock whose holder died is free after its time, and a late release does not free another's."""
    first, second, third = (opened(server.url).lock(KEY) for _ in range(3))
    assert first.acquire()
    assert 16_000 < server("PTTL", f"{{{KEY}}}:l") <= 17_000
    server("DEL", f"{{{KEY}}}:l")  # as after 17 seconds
    assert second.acquire()
    first.release()

    assert not third.acquire()
    second.release()
    assert third.acquire()
    third.release()
