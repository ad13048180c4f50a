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
from tests.cache.contract import StoreContract
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
