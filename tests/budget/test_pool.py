"""Pools with a Redis keep the budget: with a real Redis and the emulator; waits are on the test's clock."""

from __future__ import annotations

import contextlib
import gc
import logging
import re
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognito_credentials import IdentityPool, ServiceError
from cognito_credentials.budget import OVER_BUDGET, script
from cognito_credentials.budget.bucket import PAUSE
from cognito_credentials.budget.budget import LOCAL_SHARE, PUBLISHED, USED
from cognito_credentials.budget.fleet import read_fleet
from cognito_credentials.cache.redis_store import RedisStore
from cognito_credentials.emulator import Emulator
from cognito_credentials.pool.pool import parts_of
from cognito_credentials.refresh import policy
from tests.conftest import ManualClock
from tests.redis_server import RedisServer, running
from tests.world import World

CREDENTIALS = "GetCredentialsForIdentity"
DEVELOPER = "GetOpenIdTokenForDeveloperIdentity"
COLD = {"GetId": 1, CREDENTIALS: 1}


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
    return World(emulator, {"HOME": str(isolation), "AWS_COGNITO_CACHE": redis.socket_url})


def state_of(pool: IdentityPool, operation: str) -> str:
    """Name the key of the bucket of *operation*."""
    budget = parts_of(pool).budget
    assert budget is not None
    return script.keys(budget.place_of(operation))[0]


def queue(redis: RedisServer, pool: IdentityPool, operation: str, seconds: float) -> None:
    """Have others take all slots of the next *seconds*; 0 has them take none."""
    now, micros = redis("TIME")
    redis("HSET", state_of(pool, operation), "next", (now + seconds) * 1_000_000 + micros)


def counted(redis: RedisServer, pool: IdentityPool, operation: str) -> dict[str, int]:
    """Return what was counted with *operation* since ever."""
    budget = parts_of(pool).budget
    assert budget is not None
    sums = redis("HGET", script.keys(budget.place_of(operation))[2], script.SUMS)
    return dict(zip(script.COUNTERS, map(int, sums.split()[1:]), strict=True))


def test_a_request_waits_for_its_turn(world: World, redis: RedisServer) -> None:
    """Behind a queue of three seconds, credentials come after three seconds."""
    pool = world.pool()
    queue(redis, pool, "GetId", 3)

    pool.credentials()

    assert 1 <= world.clock.slept <= 3
    assert world.counts() == COLD


def test_hosts_whose_clocks_are_hours_apart_have_one_queue(world: World, redis: RedisServer) -> None:
    """A host that is five hours ahead waits for the slots that another one took."""
    pool = world.pool(requests_per_second={"GetId": 0.1})
    ahead = ManualClock(wall=world.clock.time + 5 * 3600)
    other = world.pool(clock=ahead, requests_per_second={"GetId": 0.1})

    pool.for_user("ann").identity_id()
    other.for_user("bob").identity_id()

    assert world.clock.slept == 0
    assert 4 <= ahead.slept <= 10.1 / USED


def test_who_cannot_be_served_in_time_is_told_when(world: World, redis: RedisServer) -> None:
    """Behind a minute's queue, an error that can be retried says "in a minute", and no request is sent."""
    pool = world.pool()
    queue(redis, pool, "GetId", 60)

    with pytest.raises(ServiceError) as raised:
        pool.credentials()

    assert (raised.value.code, raised.value.throttled, raised.value.retryable) == (OVER_BUDGET, True, True)
    assert raised.value.retry_after == pytest.approx(60, abs=15)
    assert "25 a second" in str(raised.value)
    assert world.counts() == {}


def test_a_missing_turn_is_no_failure_that_others_share(world: World, redis: RedisServer) -> None:
    """A pool without a turn waits by itself; another process of the same user asks, and is served."""
    pool = world.pool()
    queue(redis, pool, "GetId", 60)
    with pytest.raises(ServiceError):
        pool.credentials()
    queue(redis, pool, "GetId", 0)

    with pytest.raises(ServiceError) as still:
        pool.credentials()
    assert not redis("KEYS", "{*}:s")
    assert world.pool().credentials() is not None

    assert still.value.retry_after == pytest.approx(60, abs=15)
    world.move(2)
    assert pool.credentials() is not None, "it looks for what others have got"


def test_who_has_no_turn_asks_again_halfway(world: World, redis: RedisServer) -> None:
    """Where others have given up meanwhile, credentials come long before the moment that was told."""
    pool = world.pool()
    queue(redis, pool, "GetId", 60)
    with pytest.raises(ServiceError):
        pool.credentials()
    queue(redis, pool, "GetId", 0)

    world.move(31)

    assert pool.credentials() is not None


def test_a_missing_turn_keeps_nothing_of_the_request(world: World, redis: RedisServer) -> None:
    """What is held of a user without a turn has none of the frames of who asked, in which a request is."""

    class Request:
        pass

    pool = world.pool()
    queue(redis, pool, "GetId", 60)
    requests = []
    for _ in range(2):
        request = Request()
        requests.append(weakref.ref(request))
        logins = {"login.example.com": lambda request=request: str(request)}
        with contextlib.suppress(ServiceError):
            pool.for_user("ann", logins=logins).credentials()
        del request, logins
    gc.collect()

    assert [each() for each in requests] == [None, None]


def test_a_renewal_goes_behind_and_the_credentials_that_are_held_go_on(
    world: World, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Behind others a renewal is put off for about a minute, without a request, a wait or a warning."""
    pool = world.pool()
    held = pool.credentials()
    world.move(3600 - 15 * 60)
    queue(redis, pool, CREDENTIALS, 5)

    with caplog.at_level(logging.WARNING):
        assert pool.credentials() == held
    queue(redis, pool, CREDENTIALS, 0)
    assert pool.credentials() == held
    assert world.counts() == COLD
    assert world.clock.slept == 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    world.move(policy.TURN_AGAIN[1])
    assert pool.credentials() != held
    assert counted(redis, pool, CREDENTIALS)["postponed"] == 1


def test_a_renewal_in_the_last_minute_waits_as_first_credentials_do(world: World, redis: RedisServer) -> None:
    """Within a minute of their end, new credentials are worth a wait, also after renewals were put off."""
    pool = world.pool()
    held = pool.credentials()
    world.move(3600 - 100)
    queue(redis, pool, CREDENTIALS, 60)
    assert pool.credentials() == held
    world.move(60)
    queue(redis, pool, CREDENTIALS, 3)

    assert pool.credentials() != held
    assert 1 <= world.clock.slept <= 3


def test_first_credentials_that_have_no_turn_in_the_last_minute_take_nothing_away(
    world: World, redis: RedisServer
) -> None:
    """Who holds credentials that are still valid gets these."""
    pool = world.pool()
    held = pool.credentials()
    world.move(3600 - 40)
    queue(redis, pool, CREDENTIALS, 60)

    assert pool.credentials() == held


def test_an_identity_that_was_got_is_kept_though_its_credentials_have_no_turn(
    world: World, redis: RedisServer
) -> None:
    """The second of two requests has no turn: the identity of the first one is used a little later."""
    pool = world.pool()
    queue(redis, pool, CREDENTIALS, 60)
    with pytest.raises(ServiceError):
        pool.credentials()
    queue(redis, pool, CREDENTIALS, 0)

    assert world.pool().credentials() is not None
    assert world.counts() == COLD


def test_all_hosts_pause_when_the_service_is_asked_too_often(world: World, redis: RedisServer) -> None:
    """After "too many requests" to one host, the next slot for any of them is a second later."""
    pool = world.pool(clock=ManualClock(wall=world.clock.time))
    parts_of(pool).refresher._exchanger._client._calls._attempts = 1  # no time passes for its repetition
    world.faults({"operation": "GetId", "times": 1, "code": "TooManyRequestsException"})
    with pytest.raises(ServiceError):
        pool.credentials()

    asked, following = map(int, redis("HMGET", state_of(pool, "GetId"), "now", "next"))
    assert following - asked >= PAUSE
    assert counted(redis, pool, "GetId")["throttled"] == 1


def test_repetitions_count(world: World, redis: RedisServer) -> None:
    """Each request that is sent takes a slot, also the second and third of one call."""
    world.faults({"operation": "GetId", "times": 2, "status": 503})
    pool = world.pool()
    pool.credentials()

    assert counted(redis, pool, "GetId")["requests"] == 3


def test_without_redis_a_process_has_a_small_part_of_the_quota(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """While Redis is down, new users get credentials, a few a second, with one warning; later it is asked."""
    with running() as own:
        world.environ["AWS_COGNITO_CACHE"] = own.socket_url
        pool = world.pool()
        own.kill()
        with caplog.at_level(logging.WARNING):
            for n in range(3):
                pool.for_user(f"u{n}").credentials()

        assert world.clock.slept == pytest.approx(2 / (PUBLISHED["GetId"] * LOCAL_SHARE), abs=0.2)
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 1, caplog.text
        assert world.counts() == {"GetId": 3, CREDENTIALS: 3}

        own.start()
        world.move(2)
        pool.for_user("u9").credentials()
        assert counted(own, pool, "GetId")["requests"] == 1


def test_a_local_budget_says_that_it_is_one(world: World) -> None:
    """Without Redis, the error for too many new users names what one process may send."""
    with running() as own:
        world.environ["AWS_COGNITO_CACHE"] = own.socket_url
        pool = world.pool(requests_per_second={"GetId": 1})
        own.kill()
        pool.for_user("u0").credentials()

        with pytest.raises(ServiceError, match=r"without its Redis each process may send 0\.05 a second"):
            pool.for_user("u1").credentials()


def test_a_fresh_read_asks_nobody(world: World, redis: RedisServer) -> None:
    """Reads from memory send Redis nothing; the next request that is sent tells it how many there were."""
    pool = world.pool()
    pool.credentials()
    with redis.client() as client:
        before = client.info("stats")["total_commands_processed"]
        for _ in range(100):
            pool.credentials()
        assert client.info("stats")["total_commands_processed"] == before + 1

    pool.refresh()
    assert counted(redis, pool, CREDENTIALS)["hits"] == 100


def test_the_budget_ends_where_the_redis_does(world: World) -> None:
    """A cache in files or in memory has no budget."""
    for cache in ("file", "memory"):
        assert parts_of(world.pool(cache=cache)).budget is None


def test_a_crowd_does_not_come_again_at_once(world: World, redis: RedisServer) -> None:
    """Users who wait for one another are renewed at very different moments, others at the usual one."""
    pool = world.pool()
    users = [pool.for_user(f"u{n}") for n in range(12)]
    queue(redis, pool, "GetId", 5)
    left = []
    for user in users:
        user.credentials()
        left.append(seconds_to_refresh(user, world))
        queue(redis, pool, "GetId", 5)
    assert max(left) - min(left) > 8 * 60
    assert all(12 * 60 - 60 <= seconds <= 44 * 60 for seconds in left)

    queue(redis, pool, "GetId", 0)
    alone = pool.for_user("alone")
    alone.credentials()
    world.move(44 * 60)
    users[0].credentials()
    assert 40 * 60 - 60 <= seconds_to_refresh(alone, world) + 44 * 60 <= 44 * 60
    assert 40 * 60 - 60 <= seconds_to_refresh(users[0], world) <= 44 * 60


def seconds_to_refresh(pool: IdentityPool, world: World) -> float:
    """Return when the credentials that are held are due."""
    held = parts_of(pool).refresher.held
    assert held is not None
    return held.record.refresh_at - world.clock.time


def test_a_program_waits_for_the_turns_of_its_own_requests(world: World, redis: RedisServer) -> None:
    """`wait_for_turn` keeps what the program sends itself under the quota, or says when to come again."""
    pool = world.pool(requests_per_second={DEVELOPER: 0.5})

    pool.wait_for_turn(DEVELOPER, "ann")
    assert world.clock.slept == 0
    world.pool(requests_per_second={DEVELOPER: 0.5}).wait_for_turn(DEVELOPER, "bob")
    assert 0.5 <= world.clock.slept <= 2.1 / USED
    queue(redis, pool, DEVELOPER, 60)
    with pytest.raises(ServiceError) as raised:
        pool.wait_for_turn(DEVELOPER, "cat")
    assert raised.value.retry_after == pytest.approx(60, abs=15)


def test_without_a_redis_or_a_quota_nobody_waits(world: World) -> None:
    """There is nothing to wait for where no hosts share a budget, or AWS publishes no quota."""
    for _ in range(100):
        world.pool(cache="memory").wait_for_turn(DEVELOPER, "ann")
        world.pool().wait_for_turn("DescribeIdentity", "ann")
    assert world.clock.slept == 0


def test_users_of_a_login_that_waits_are_told_when(world: World, redis: RedisServer) -> None:
    """A login function that has no turn passes on when to come again, and its users are not backed off."""
    pool = world.pool()

    def token() -> str:
        pool.wait_for_turn(DEVELOPER, "ann")
        return world.token("ann")

    queue(redis, pool, DEVELOPER, 60)
    ann = pool.for_user("ann", logins={"login.example.com": token})
    with pytest.raises(ServiceError) as raised:
        ann.credentials()
    assert (raised.value.code, raised.value.retryable) == (OVER_BUDGET, True)
    assert raised.value.retry_after == pytest.approx(60, abs=15)


def test_the_rights_of_the_guide_are_enough(world: World, redis: RedisServer) -> None:
    """A user of Redis with the rights that the guide names has the budget, its counters and its figures."""
    guide = (Path(__file__).parents[2] / ".github" / "docs" / "guides" / "fleet.md").read_text("utf-8")
    (rule,) = re.findall(r"^ACL SETUSER app (.*)$", guide, flags=re.MULTILINE)
    redis("ACL", "SETUSER", "app", *rule.replace("PASSWORD", "CANARY-of-app").split())
    pool = world.pool(cache=redis.url.replace("//", "//app:CANARY-of-app@"))

    pool.credentials()
    pool.refresh()

    budget, store = parts_of(pool).budget, parts_of(pool).store
    assert budget is not None
    assert isinstance(store, RedisStore)
    assert counted(redis, pool, CREDENTIALS)["requests"] == 2
    assert read_fleet(budget, store.connection.script).users == 1


def test_a_cluster_takes_the_keys_of_an_operation_together(world: World) -> None:
    """In a cluster, a script may touch only keys of one slot: those of each operation are."""
    with running(cluster_enabled="yes") as node:
        node("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while b"cluster_state:ok" not in node("CLUSTER", "INFO"):
            time.sleep(0.05)
        pool = world.pool(cache=node.url.replace("redis:", "redis-cluster:"))

        pool.credentials()
        queue(node, pool, "GetId", 60)
        with pytest.raises(ServiceError, match="all hosts together"):
            pool.for_user("bob").credentials()

        assert counted(node, pool, "GetId")["refused"] == 1
        budget, store = parts_of(pool).budget, parts_of(pool).store
        assert budget is not None
        assert isinstance(store, RedisStore)
        assert [load.line for load in read_fleet(budget, store.connection.script).operations] == [1, 0]
