"""Tasks of an event loop: requests, how long the loop stands, and what a read of fresh credentials costs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator

from cognito_credentials.pool.flights import MOST_THREADS
from tests.processes.conftest import Machine

from .figures import Figure, Scale, at_most, counted
from .machine import new_machine

TASKS = 1000
STANDSTILL_MS = 5.0
FRESH_US = 2.0
READS = 20_000
_OWN_THREADS = 2
"""The thread of a call, and the one with its time limit."""


def tasks(scale: Scale) -> Iterator[Figure]:
    """Measure a thousand tasks that start together, as many users as tasks, and fresh reads."""
    repetitions = max(5, scale.repetitions // 10)
    for scheme in ("http", "https"):
        with new_machine(tls=scheme == "https") as machine:
            yield from _cold(machine, f"{TASKS} tasks cold, {scheme}", repetitions)
    with new_machine() as machine:
        count = 5 * scale.processes
        found = asked(machine, machine.pool_id, "users", count)
        title = f"{count} users cold at once"
        expected = {"GetId": count, "GetCredentialsForIdentity": count}
        yield counted(f"{title}: requests", machine.requests(), expected)
        most = int(found["threads"])
        yield at_most(f"{title}: threads", most, MOST_THREADS * _OWN_THREADS, "")
        detail = f"{found['ours_ms']:.1f} ms"
        yield Figure(f"  {title}: each user; the loop stands for", f"{found['each_ms']:.2f} ms; {detail}")
        read = asked(machine, machine.pool_id, "fresh", READS)
        others = [f"{name[:-3]} {read[name]:.2f}" for name in read if name != "ours_us"]
        yield at_most("await of fresh credentials", read["ours_us"], FRESH_US, " us", ", ".join(others))


def _cold(machine: Machine, title: str, repetitions: int) -> Iterator[Figure]:
    found = [
        asked(machine, machine.emulator.create_pool(), "cold", TASKS) for _ in range(repetitions)
    ]  # in a process each, since a program imports once
    expected = dict.fromkeys(("GetId", "GetCredentialsForIdentity"), repetitions)
    yield counted(f"{title}, {repetitions} times: requests", machine.requests(), expected)
    yield at_most(f"{title}: threads", int(max(one["threads"] for one in found)), _OWN_THREADS, "")
    ours, alone = (statistics.median(one[name] for one in found) for name in ("ours_ms", "trivial_ms"))
    yield at_most(
        f"{title}: the loop stands longer than with a trivial provider",
        statistics.median(one["ours_ms"] - one["trivial_ms"] for one in found),
        STANDSTILL_MS,
        " ms",
        f"{ours:.1f} : {alone:.1f} ms",
    )


def asked(machine: Machine, pool_id: str, what: str, count: int) -> dict[str, float]:
    """Run `tasks_client`, and return what it measured."""
    environ = machine.environ()
    if machine.emulator.certificate is not None:
        environ["AWS_CA_BUNDLE"] = machine.emulator.certificate
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.benchmarks.tasks_client",
            machine.emulator.url,
            pool_id,
            what,
            str(count),
        ],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
