"""A fleet on one Redis: what a user costs in time and memory, and a crowd that comes at once."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

from cognito_credentials.emulator.wire.throttle import REQUESTS_PER_SECOND, Throttle
from tests.processes.conftest import Machine
from tests.redis_server import RedisServer, running

from . import users
from .figures import Figure, Scale, at_most, counted, percentile
from .fleet_client import ARRIVALS, HOSTS
from .machine import new_machine

TOKEN_CHARACTERS = 1044
"""Of the emulator's session tokens."""
SECONDS_OF_A_CALL = 2.0
"""How much later than its turn a request may be answered: thousands of threads share a few processors."""


def store(scale: Scale) -> Iterator[Figure]:
    """Measure what a user costs whose credentials another host has put into the store."""
    count = 5 * scale.processes
    with new_machine() as machine, running() as redis:
        filled = asked(machine, redis.url, "adopt", count)
        yield Figure("  first credentials of a user: p50", f"{percentile(filled['ms'], 0.5):.2f} ms")
        before = machine.requests()
        adopted = asked(machine, redis.url, "adopt", count)["ms"]
        detail = f"(p99 {percentile(adopted, 0.99):.2f} ms)"
        yield at_most("adopt another host's record: p50", percentile(adopted, 0.5), 1, " ms", detail)
        kib = asked(machine, redis.url, "held", count)["kib"]
        yield at_most("a user in the process, whose object is gone", kib, 4, " KiB")
        yield counted("requests to AWS for all that", _spent(before, machine), {})
        yield _in_redis(redis, count)
        read = asked(machine, redis.url, "reads", 1)
        detail = f"{read['shared']:.2f} : {read['memory']:.2f} us"
        yield at_most(
            "fresh read, beyond one without Redis", read["shared"] - read["memory"], 2, " us", detail
        )
        detail = f"{read['shared_anew']:.1f} : {read['memory_anew']:.1f} us"
        more = read["shared_anew"] - read["memory_anew"]
        yield at_most("the same by an object made anew", more, 2, " us", detail)


def many(scale: Scale) -> Iterator[Figure]:
    """Serve ten times as many users in one process as it holds."""
    count = 500 * scale.processes
    title = f"{count} users in one process that holds {count // 10}"
    with new_machine() as machine, running() as redis:
        found = asked(machine, redis.url, "many", count)
    detail = f"of {found['mib']:.0f}"
    yield at_most(f"{title}: memory, more at the end", found["more_mib"], 8, " MiB", detail)
    detail = f"{found['late_ms']:.2f} : {found['early_ms']:.2f} ms"
    ratio = found["late_ms"] / found["early_ms"]
    yield at_most(f"{title}: CPU of the last requests, beside the first", ratio, 1.5, " x", detail)


def beside(scale: Scale) -> Iterator[Figure]:
    """Count what users do today: a client of boto3 for each user, and no store that processes share."""
    count = scale.processes
    with new_machine() as machine, running() as redis:
        for title, cache in (("one Redis", redis.url), ("no shared store", "memory")):
            before = machine.requests()
            for _ in range(HOSTS):
                asked(machine, cache, "adopt", count)
            spent = sum(_spent(before, machine).values()) - (2 if cache != "memory" else 2 * HOSTS)
            bar = 2 * count if cache != "memory" else 2 * count * HOSTS
            yield counted(f"{count} users at {HOSTS} processes, {title}: requests", spent, bar)
        old = users.asked(machine, "botocore", 20)
        new = users.asked(machine, "anew", count)
        first = users.asked(machine, "first", count)["cpu_ms"]
        yield Figure("  a client of botocore a user: CPU", f"{old['cpu_ms']:.1f} ms, here {first:.2f} ms")
        yield Figure(
            "  a client of botocore a user: memory", f"{old['kib']:.0f} KiB, here {new['kib']:.1f} KiB"
        )


def crowd(scale: Scale) -> Iterator[Figure]:
    """Have thousands of guests come within seconds, under the quotas that AWS publishes."""
    count = 25 * scale.processes // HOSTS * HOSTS
    rate = REQUESTS_PER_SECOND["GetId"]
    title = f"{count} users, {ARRIVALS} a second, {HOSTS} processes"
    with new_machine() as machine, running() as redis, throttled_answers() as refused:
        machine.emulator.settings(throttle=True)
        began, answers, warnings = _come(machine, redis.url, count)
        asked_for = machine.requests()
    errors = [error for *_, error in answers if error]
    yield counted(f"{title}: credentials, other errors", (count - len(errors), errors[:1]), (count, []))
    late = [at for at in refused if at > began + 1]
    yield counted(f"{title}: throttled answers after the first second", len(late), 0)
    yield counted(f"{title}: GetId", asked_for["GetId"] - HOSTS, count)
    yield Figure("  warnings, such as of a Redis that is slow on this machine", str(warnings))
    took = max(end for _, end, *_ in answers) - began
    yield at_most(f"{title}: time, of that of {rate} GetId a second", took * rate / count, 1.15, " x")
    waits = [
        (end - came, max(number / rate - (came - began), 0))
        for number, (came, end, *_) in enumerate(sorted(answers))
    ]
    worst = max((wait - SECONDS_OF_A_CALL) / max(ideal, 1) for wait, ideal in waits)
    yield at_most(f"{title}: a wait, of that of first come first served", worst, 2, " x")
    at_first = sum(not told for _, _, told, *_ in answers)
    told = max(told for _, _, told, *_ in answers)
    shown = f"{at_first}; {max(longest for *_, longest, _ in answers):.1f} s; {told}"
    yield Figure("  served by the first call; longest call; most often told when to come again", shown)
    few = min(count, 500)
    with new_machine() as machine, throttled_answers() as refused:
        machine.emulator.settings(throttle=True)
        _come(machine, "memory", few)
    yield Figure(f"  {few} users without a shared store: throttled answers", str(len(refused)))


def asked(machine: Machine, cache: str, what: str, count: int) -> dict[str, Any]:
    """Run `fleet_client` for the first *count* users, and return what it measured."""
    done = subprocess.run(
        _command(machine, cache, what, 0, count), capture_output=True, text=True, env=machine.environ()
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _command(machine: Machine, cache: str, what: str, first: int, count: int) -> list[str]:
    arguments = [machine.emulator.url, machine.pool_id, cache, what, str(first), str(count)]
    return [sys.executable, "-m", "tests.benchmarks.fleet_client", *arguments]


def _come(machine: Machine, cache: str, count: int) -> tuple[float, list[list[Any]], list[str]]:
    """Have users come to all processes; return when the first came, what `cold` returned, and warnings."""
    hosts = [
        subprocess.Popen(
            _command(machine, cache, "cold", number, count // HOSTS),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=machine.environ(),
        )
        for number in range(HOSTS)
    ]
    for host in hosts:
        assert host.stdout is not None
        assert host.stdout.readline() == "ready\n", host.communicate()[1]
    began = time.time() + 1
    for host in hosts:
        assert host.stdin is not None
        host.stdin.write(f"{began}\n")
        host.stdin.flush()
    answers: list[list[Any]] = []
    warnings: set[str] = set()
    for host in hosts:
        output, problem = host.communicate()
        assert host.returncode == 0, problem
        answers += json.loads(output)["answers"]
        warnings.update(problem.splitlines())
    return began, answers, sorted(warnings)


@contextlib.contextmanager
def throttled_answers() -> Iterator[list[float]]:
    """Note the moments at which the emulator, in this process, refuses what is asked too often."""
    refused: list[float] = []
    admits = Throttle.admits

    def noting(self: Throttle, *arguments: Any) -> bool:
        admitted = admits(self, *arguments)
        if not admitted:
            refused.append(time.time())
        return admitted

    with mock.patch.object(Throttle, "admits", noting):
        yield refused


def _in_redis(redis: RedisServer, count: int) -> Figure:
    """Measure by MEMORY USAGE what Redis holds of a user, beside the session token."""
    with redis.client() as client:
        sizes = [client.memory_usage(name, samples=0) for name in client.keys("{*")]
    whole = sum(sizes) / 1024 / (count + 1)  # the user who warms up is one, too
    token = TOKEN_CHARACTERS / 1024
    detail = f"(whole {whole:.2f})"
    return at_most("a user in Redis, beside the session token", whole - token, 0.9, " KiB", detail)


def _spent(before: dict[str, int], machine: Machine) -> dict[str, int]:
    after = machine.requests()
    return {
        name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)
    }
