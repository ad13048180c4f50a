"""``status --fleet``: what Redis has counted, for people, for programs, and as OpenMetrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from cognito_credentials import IdentityPool, ServiceError
from cognito_credentials.budget import script
from cognito_credentials.budget.budget import PUBLISHED
from cognito_credentials.pool.pool import parts_of
from tests.cli.conftest import Done
from tests.redis_server import RedisServer, running

Call = Callable[..., Done]
CREDENTIALS = "GetCredentialsForIdentity"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def redis(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    server("FLUSHALL")
    monkeypatch.setenv("AWS_COGNITO_CACHE", server.url)
    return server


@pytest.fixture
def fleet(pool_id: str, redis: RedisServer) -> IdentityPool:
    """A pool of five users: each read ten times, found by another process, renewed; a sixth was refused."""
    pool, other = IdentityPool(profile_name="guest"), IdentityPool(profile_name="guest")
    for n in range(5):
        user = pool.for_user(f"u{n}")
        for _ in range(10):
            user.credentials()
        other.for_user(f"u{n}").credentials()
        user.refresh()
    budget = parts_of(pool).budget
    assert budget is not None
    now, micros = redis("TIME")
    redis("HSET", script.keys(budget.place_of("GetId"))[0], "next", (now + 30) * 1_000_000 + micros)
    with pytest.raises(ServiceError):
        pool.for_user("u5").credentials()
    pool.for_user("u0").refresh()  # takes what was counted along
    other.for_user("u0").refresh()
    return pool


def test_json_has_the_figures_of_all_hosts(call: Call, fleet: IdentityPool, redis: RedisServer) -> None:
    """Users, requests, queue, line, hit ratio and failures, together and by operation."""
    done = call("status", "--fleet", "--json", "--profile", "guest")
    shown = json.loads(done.out)

    assert (done.code, done.err) == (0, "")
    assert shown["location"] == redis.url
    assert (shown["region"], shown["users"], shown["failures"], shown["throttled"]) == ("us-east-1", 5, 0, 0)
    assert shown["hit_ratio"] == pytest.approx((45 + 5) / (45 + 5 + 11), abs=0.02)
    ids, credentials = shown["operations"]
    assert ids["operation"] == "GetId"
    assert (ids["limit"], ids["line"], ids["refused"]) == (25, 1, 1)
    assert ids["wait_seconds"] == pytest.approx(30, abs=10)
    assert ids["queue"] == pytest.approx(25 * 30, abs=250)
    assert (credentials["operation"], credentials["limit"], credentials["line"]) == (CREDENTIALS, 200, 0)


def test_requests_a_second_are_those_of_the_last_minute(
    call: Call, fleet: IdentityPool, redis: RedisServer
) -> None:
    """Older requests count no more in it, and nothing that is older than ten minutes in any figure."""
    budget = parts_of(fleet).budget
    assert budget is not None
    ring, now = script.keys(budget.place_of(CREDENTIALS))[2], int(redis("TIME")[0]) // 10
    for ago, requests in ((2, 600), (5, 600), (9, 9), (58, 5), (61, 7)):
        entry = f"{now - ago} {requests} 0 0 0 0 {requests} 0 0 0 0"
        redis("HSET", ring, (now - ago) % script.ENTRIES, entry)

    done = call("status", "--fleet", "--json", "--profile", "guest")

    credentials = json.loads(done.out)["operations"][1]
    assert credentials["requests_per_second"] == pytest.approx(20, abs=0.5)
    assert credentials["throttled"] == 600 + 600 + 9 + 5


@pytest.mark.parametrize(("hours", "users"), [(0, 5), (1, 5), (2, 0)])
def test_users_are_those_of_this_hour_and_the_one_before(
    call: Call, fleet: IdentityPool, redis: RedisServer, hours: int, users: int
) -> None:
    """A fleet in which nobody has asked for longer has no users, though Redis still has their count."""
    budget = parts_of(fleet).budget
    assert budget is not None
    for operation in ("GetId", CREDENTIALS):
        state, _, _, *counted = script.keys(budget.place_of(operation))
        hour = int(redis("HGET", state, "hour"))
        redis("HSET", state, "hour", hour - hours)
        if hours == 1:
            redis("RENAME", counted[hour % 2], counted[(hour - 1) % 2])
            redis("PFADD", counted[hour % 2], "two hours ago")

    shown = json.loads(call("status", "--fleet", "--json", "--profile", "guest").out)

    assert shown["users"] == users


@pytest.mark.parametrize(("key", "name"), [(0, "next"), (2, "3")])
def test_counts_that_make_no_sense_are_said(
    call: Call, fleet: IdentityPool, redis: RedisServer, key: int, name: str
) -> None:
    """What another program wrote over the counts is one line that says what to do; pools go on."""
    budget = parts_of(fleet).budget
    assert budget is not None
    keys = script.keys(budget.place_of(CREDENTIALS))
    redis("HSET", keys[key], name, "nonsense")

    done = call("status", "--fleet", "--profile", "guest")
    redis("DEL", script.keys(budget.place_of("GetId"))[0])

    assert (done.code, done.out) == (7, "")
    assert f"what Redis has counted in {keys[0].removesuffix('state')}* cannot be read" in done.line
    assert fleet.for_user("new").credentials() is not None


def test_people_get_a_page(call: Call, fleet: IdentityPool) -> None:
    """The same for people."""
    done = call("status", "--fleet", "--profile", "guest")

    assert done.code == 0
    assert "Users      about 5\n" in done.out
    assert "1 told to come later" in done.out
    assert f"{CREDENTIALS}  " in done.out


def test_openmetrics_is_what_the_official_parser_takes(call: Call, fleet: IdentityPool) -> None:
    """Every family has a type and a help text; counters and gauges have the figures of the fleet."""
    done = call("status", "--fleet", "--openmetrics", "--profile", "guest")

    families = {family.name: family for family in text_string_to_metric_families(done.out)}
    assert done.code == 0
    assert all(family.documentation for family in families.values())
    assert value(families, "users") == 5
    assert value(families, "requests", operation="GetId") == 5
    assert value(families, "refused", operation="GetId") == 1
    assert value(families, "request_limit", operation=CREDENTIALS) == PUBLISHED[CREDENTIALS]
    assert value(families, "answers", source="memory") == 45
    assert value(families, "answers", source="store") == 5
    assert families["cognito_credentials_waited_seconds"].unit == "seconds"


def value(families: dict[str, Any], name: str, **labels: str) -> float:
    """Return the one sample of a family that has *labels*."""
    samples = families[f"cognito_credentials_{name}"].samples
    (found,) = [sample.value for sample in samples if labels.items() <= sample.labels.items()]
    return float(found)


def test_a_fleet_that_has_done_nothing(call: Call, pool_id: str, redis: RedisServer) -> None:
    """With an empty Redis all figures are zero, and there is nothing to divide."""
    shown = json.loads(call("status", "--fleet", "--json", "--profile", "guest").out)
    text = call("status", "--fleet", "--profile", "guest").out
    metrics = call("status", "--fleet", "--openmetrics", "--profile", "guest").out

    assert (shown["users"], shown["hit_ratio"], shown["operations"]) == (0, None, [])
    assert "Hit ratio  nothing counted yet\n" in text
    assert list(text_string_to_metric_families(metrics))


def test_without_a_redis_there_is_no_fleet(call: Call, pool_id: str) -> None:
    """One line says what a fleet is."""
    done = call("status", "--fleet", "--profile", "guest")

    assert done.code == 4
    assert "the cache is 'file', and only hosts that share a Redis are a fleet" in done.line


def test_a_redis_that_is_down_is_said(call: Call, pool_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures that cannot be read are no zeros: one line, and the exit code of all that needs the Redis."""
    monkeypatch.setenv("AWS_COGNITO_CACHE", "redis://127.0.0.1:9")

    done = call("status", "--fleet", "--json", "--profile", "guest")

    assert (done.code, done.out) == (7, "")
    assert "redis://127.0.0.1:9" in done.line


def test_openmetrics_is_of_a_fleet(call: Call, pool_id: str) -> None:
    """Without --fleet, or with --json, it is a usage error."""
    assert call("status", "--openmetrics", "--profile", "guest").code == 2
    assert call("status", "--fleet", "--openmetrics", "--json", "--profile", "guest").code == 2
