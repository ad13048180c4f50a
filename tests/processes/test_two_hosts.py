"""Processes on two hosts with one Redis make one refresh: two homes, which share nothing else."""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis_server import RedisServer, running

from .conftest import Machine
from .crowd import Crowd
from .test_holder import until_asked

SOME = 24
"""Number of processes; the benchmark runs 200."""
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def hosts(machine: Machine, redis: RedisServer, tmp_path: Path) -> list[dict[str, str]]:
    """The environments of two hosts; the clock of the second one has another boot behind it."""
    key = base64.b64encode(os.urandom(32)).decode()
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        home.mkdir(mode=0o700)
    return [
        machine.environ(HOME=str(home), AWS_COGNITO_CACHE=redis.url, AWS_COGNITO_CACHE_KEY=key)
        for home in homes
    ]


def test_cold_start_is_one_exchange(machine: Machine, hosts: list[dict[str, str]]) -> None:
    """Cold, all make one GetId and one GetCredentialsForIdentity, and have the same keys and identity."""
    with Crowd([hosts[number % 2] for number in range(SOME)], "--identity") as many:
        many.go()
        answers = many.answers()

    assert [answer.errors for answer in answers] == [[]] * SOME
    assert {answer.stderr for answer in answers} == {""}
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1}
    assert len({generation for answer in answers for generation in answer.generations}) == 1
    assert len({answer.identity_id for answer in answers}) == 1
    assert not any((Path(host["HOME"]) / ".aws").exists() for host in hosts), "nothing is on disk"


def test_refresh_edge_is_one_refresh(
    machine: Machine, redis: RedisServer, hosts: list[dict[str, str]]
) -> None:
    """When processes that run on both hosts pass the refresh moment, one refreshes and nobody else waits."""
    with Crowd([hosts[0]]) as first:
        first.go()
        first.answers()
    service_takes = 2.0
    machine.emulator.plan_faults({"operation": "*", "times": -1, "delay": service_takes})
    machine.emulator.move_clock(46 * 60)
    environs = [hosts[number % 2] for number in range(SOME)]
    with Crowd(environs, "--reads", "50", "--jump", str(46 * 60)) as many:
        many.go()
        answers = many.answers()

    assert [answer.errors for answer in answers] == [[]] * SOME
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 2}
    assert len([answer for answer in answers if answer.slowest >= service_takes]) == 1


@pytest.mark.parametrize("signalled", [signal.SIGKILL, signal.SIGSTOP])
def test_a_holder_that_dies_or_hangs_costs_a_call(
    machine: Machine, hosts: list[dict[str, str]], signalled: int
) -> None:
    """When the process that refreshes is killed or stopped, its lock ends, and one of the others goes on."""
    machine.emulator.plan_faults({"operation": "*", "times": 1, "delay": 600})
    with Crowd([hosts[1]] * 4) as waiters, Crowd([hosts[0]]) as holder:
        holder.go()
        until_asked(machine, "GetId")
        holder.processes[0].send_signal(signalled)
        waiters.go()
        answers = waiters.answers()

    assert [answer.errors for answer in answers] == [[]] * 4
    assert machine.requests() == {"GetId": 2, "GetCredentialsForIdentity": 1}
    assert len({generation for answer in answers for generation in answer.generations}) == 1


def test_redis_killed_under_load_takes_nothing_away(
    machine: Machine, redis: RedisServer, hosts: list[dict[str, str]]
) -> None:
    """While Redis is killed, stopped and started anew, processes with valid credentials have no error."""
    with Crowd(hosts * 4, "--jump", "1", "--reads", "20000") as many:
        many.go()
        for _ in range(3):
            redis.kill()
            time.sleep(0.1)
            redis.start()
            redis.stop()
            time.sleep(0.1)
            redis.go_on()
        answers = many.answers()

    assert [answer.errors for answer in answers] == [[]] * 8
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1}
