"""A pool with its cache in Redis: hosts share credentials, identities, locks, failures and rejections."""

from __future__ import annotations

import asyncio
import base64
import itertools
import logging
import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognito_credentials import AsyncIdentityPool, IdentityPool
from cognito_credentials.emulator import Emulator
from cognito_credentials.errors import CacheError, ServiceError
from tests.conftest import ManualClock
from tests.redis_server import RedisServer, running
from tests.world import World

KEY, OTHER_KEY = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
HOUR = 3600


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


def pass_time(world: World, redis: RedisServer, seconds: float, *others: ManualClock) -> None:
    """Let time pass at the service, on the hosts, and in Redis."""
    world.move(seconds)
    for clock in others:
        clock.advance(seconds)
    for name in redis("KEYS", "*"):
        left = int(redis("PTTL", name))
        if left >= 0:
            redis("PEXPIRE", name, left - int(seconds * 1000))


@pytest.mark.parametrize("wrong", [-5 * HOUR, -1800, 1800, 5 * HOUR])
def test_clocks_may_differ_by_hours(world: World, redis: RedisServer, wrong: float) -> None:
    """A host whose clock is hours off adopts what another got, and renews it when that is due."""
    other = ManualClock(world.clock.time + wrong, boot_id="boot-2")
    right, skewed = world.pool(), world.pool(clock=other)
    credentials = right.credentials()
    assert skewed.credentials() == credentials
    left = skewed.status().seconds_left
    assert left is not None
    assert abs(left - HOUR) <= 3
    pass_time(world, redis, 39 * 60, other)
    assert skewed.credentials() == right.credentials() == world.pool(clock=other).credentials() == credentials
    pass_time(world, redis, 6 * 60, other)

    renewed = skewed.credentials()
    assert renewed != credentials
    assert right.credentials() == renewed
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 2}


def test_credentials_end_by_themselves(world: World, redis: RedisServer) -> None:
    """Credentials are gone from Redis when they expire; an identity has no end."""
    world.pool().credentials()
    ends = {name[-1:]: redis("PTTL", name) for name in redis("KEYS", "{*}:[ci]")}

    assert ends[b"i"] == -1
    assert (HOUR - 10) * 1000 < ends[b"c"] <= HOUR * 1000


@pytest.mark.parametrize("wrong", [-5 * HOUR, 0, 5 * HOUR])
def test_failures_are_shared(world: World, wrong: float) -> None:
    """What the service answered to one host, the others are told instead of asking, whatever their clocks."""
    world.outage()
    with pytest.raises(ServiceError):
        world.pool().credentials()
    asked = world.counts()
    other = world.pool(clock=ManualClock(world.clock.time + wrong, boot_id="boot-2"))
    with pytest.raises(ServiceError, match=r"tried \d+ s ago"):
        other.credentials()

    assert world.counts() == asked


def test_rejected_credentials_reach_the_others(world: World) -> None:
    """A host that starts after a service rejected the credentials replaces them; the first adopts those."""
    first = world.pool()
    rejected = first.credentials()
    first.invalidate(rejected.access_key_id)
    world.move(2)  # of credentials of the same second, neither is newer
    renewed = world.pool().credentials()

    assert renewed.access_key_id != rejected.access_key_id
    assert first.credentials() == renewed
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 2}


def test_changed_identities_reach_the_others(world: World, redis: RedisServer) -> None:
    """When one host has replaced a deleted identity, the others adopt the new one, and say so."""
    first, second = world.pool(), world.pool()
    changes: list[tuple[str | None, str, str]] = []
    second.on_identity_changed(lambda *change: changes.append(change))
    old = first.identity_id()
    assert second.credentials() == first.credentials()
    world.delete_identity(old)
    pass_time(world, redis, 46 * 60)
    new = first.refresh() and first.identity_id()

    assert new != old
    assert second.credentials() == first.credentials()
    assert second.identity_id() == new
    assert changes[-1] == (old, new, "adopted")


@pytest.mark.parametrize("stop", ["kill", "stop"])
def test_down_takes_nothing_away(world: World, caplog: pytest.LogCaptureFixture, stop: str) -> None:
    """While Redis is down, valid credentials go on and are renewed; when it is back, all is as it was."""
    with running() as redis:
        pool = world.pool(cache=redis.url)
        first = pool.credentials()
        identity_id = pool.identity_id()
        getattr(redis, stop)()
        assert pool.credentials() == first
        pass_time_without_redis(world, 46 * 60)
        with caplog.at_level(logging.WARNING):
            second = pool.credentials()
            assert second != first
            assert pool.identity_id() == identity_id
        (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= 30]
        assert "going on without it" in warning
        if stop == "kill":
            redis.start()
        redis.go_on()
        pass_time_without_redis(world, 46 * 60)
        third = pool.credentials()
        assert world.pool(cache=redis.url).credentials() == third
        assert world.pool(cache=redis.url).identity_id() == identity_id
        assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 3}


def pass_time_without_redis(world: World, seconds: float) -> None:
    """Let time pass at the service and on the hosts; what Redis has goes by its own clock."""
    world.move(seconds)


def test_a_guest_in_doubt_is_in_memory_only(world: World, redis: RedisServer) -> None:
    """A guest who starts while Redis is down is another one in memory; that in Redis is not written over."""
    kept = world.pool().identity_id()
    world.pool().credentials()
    redis.stop()
    try:
        other = world.pool()
        other.credentials()
        assert other.identity_id() != kept
    finally:
        redis.go_on()
    pass_time(world, redis, 46 * 60)
    other.credentials()

    assert world.pool().identity_id() == kept
    assert world.pool().credentials() != other.credentials()


def test_a_flushed_redis_gets_the_identities_back(world: World, redis: RedisServer) -> None:
    """After FLUSHALL, a process that holds an identity writes it again with its next refresh."""
    pool = world.pool()
    pool.credentials()
    redis("FLUSHALL")
    pool.refresh()

    assert world.pool().identity_id() == pool.identity_id()
    assert world.counts()["GetId"] == 1


def test_fresh_credentials_cost_no_round_trip(world: World, redis: RedisServer) -> None:
    """While credentials are fresh, neither a pool nor an asynchronous one asks Redis."""
    pool = world.pool()
    pool.credentials()

    async def read() -> None:
        other = AsyncIdentityPool.of(pool)
        assert await other.credentials() == pool.credentials()

    def asked() -> dict[str, int]:
        stats = redis("INFO", "commandstats")
        return {name: stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("get", "set", "evalsha")}

    before = asked()
    for _ in range(100):
        pool.credentials()
    asyncio.run(read())

    assert asked() == before


def test_async_pools_share_it_too(world: World) -> None:
    """An asynchronous pool adopts what a synchronous one has got, without blocking its loop."""
    credentials = world.pool().credentials()

    async def read() -> object:
        return await AsyncIdentityPool.of(world.pool()).credentials()

    assert asyncio.run(read()) == credentials
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_a_loop_goes_on_while_redis_hangs(world: World, redis: RedisServer) -> None:
    """The loop is not blocked by the 250 ms in which a Redis that hangs may answer."""
    longest = 0.0

    async def read() -> None:
        nonlocal longest
        pool = AsyncIdentityPool.of(world.pool())
        await pool.settings()  # so that imports are over
        task = asyncio.create_task(pool.credentials())
        at = time.perf_counter()
        while not task.done():
            await asyncio.sleep(0.001)
            longest, at = max(longest, time.perf_counter() - at), time.perf_counter()
        await task

    redis.stop()
    try:
        asyncio.run(read())
    finally:
        redis.go_on()
    assert longest < 0.2


def test_the_key_changes_without_a_loss(world: World, redis: RedisServer) -> None:
    """By the steps OLD,NEW then NEW,OLD then NEW, every host reads at each step, and no identity is lost."""
    old, new = KEY, OTHER_KEY
    identity_id = world.pool(cache_key=old).identity_id()
    steps = [old, f"{old},{new}", f"{new},{old}", new]
    for before, after in itertools.pairwise(steps):
        for keys in (before, after, before, after):
            assert world.pool(cache_key=keys).identity_id() == identity_id
            world.pool(cache_key=keys).credentials()
    with pytest.raises(CacheError, match="another cache_key"):
        world.pool(cache_key=old).identity_id()

    assert world.counts()["GetId"] == 1


def test_an_identity_sealed_with_another_key_stays(world: World, redis: RedisServer) -> None:
    """An identity that no key here opens is neither used nor written over, and a warning says why."""
    identity_id = world.pool(cache_key=KEY).identity_id()
    redis("DEL", "cognito-credentials")  # which says with which key the store is sealed
    other = world.pool(cache_key=OTHER_KEY)
    other.credentials()
    assert other.identity_id() != identity_id
    redis("DEL", "cognito-credentials")

    assert world.pool(cache_key=KEY).identity_id() == identity_id


def test_without_a_key_nothing_leaves_the_machine(world: World) -> None:
    """A Redis on another machine needs a key; no request is made before that is said."""
    with pytest.raises(CacheError, match="on another machine, and no cache_key is set"):
        world.pool(cache="redis://192.0.2.1:6379").credentials()
    assert world.counts() == {}


def test_a_password_is_shown_nowhere(world: World, redis: RedisServer) -> None:
    """Neither settings, origins nor pool show the URL's password; with it, a pool refuses to be pickled."""
    redis("CONFIG", "SET", "requirepass", "CANARY-of-redis")
    try:
        pool = world.pool(cache=redis.url.replace("//", "//default:CANARY-of-redis@"), cache_key=KEY)
        pool.credentials()
        for shown in (repr(pool.settings), str(pool.settings.origins), repr(pool), repr(vars(pool))):
            assert "CANARY" not in shown
            assert KEY not in shown
        with pytest.raises(TypeError, match="secret"):
            pickle.dumps(pool)
        environ = {**world.environ, "AWS_COGNITO_CACHE_PASSWORD": "CANARY-of-redis"}
        assert IdentityPool(world.pool_id, environ=environ, cache_key=KEY).credentials()
    finally:
        redis.client(password="CANARY-of-redis").config_set("requirepass", "")


@pytest.mark.writes_secrets
def test_a_profile_names_sources(world: World, redis: RedisServer, isolation: Path, tmp_path: Path) -> None:
    """In a profile, the URL may be and the key has to be a source, asked when the store is opened."""
    folder = isolation / ".aws"
    folder.mkdir(mode=0o700)
    (tmp_path / "key").write_text(f"{KEY}\n")
    (folder / "config").write_text(
        f"[profile app]\ncognito_identity_pool_id = {world.pool_id}\n"
        f"cognito_cache = env:WHERE_REDIS_IS\ncognito_cache_key = file:{tmp_path / 'key'}\n"
    )
    environ = {name: value for name, value in world.environ.items() if name != "AWS_COGNITO_CACHE"}
    environ["WHERE_REDIS_IS"] = redis.url
    credentials = IdentityPool(profile_name="app", environ=environ).credentials()
    assert world.pool(cache_key=KEY).credentials() == credentials
    del environ["WHERE_REDIS_IS"]
    with pytest.raises(CacheError, match=r"cache from profile 'app': .*WHERE_REDIS_IS"):
        IdentityPool(profile_name="app", environ=environ).credentials()
    (tmp_path / "key").write_text("CANARY")
    with pytest.raises(CacheError, match="cache_key from profile 'app' is not base64"):
        IdentityPool(profile_name="app", environ={**environ, "WHERE_REDIS_IS": redis.url}).credentials()
