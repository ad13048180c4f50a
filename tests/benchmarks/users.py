"""CPU, memory and requests of a process with many users, beside a botocore client for each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from tests.processes.conftest import Machine

from .figures import Figure, Scale, at_most, counted
from .machine import new_machine

_NOT_CACHED = 3
"""How much longer a read may take where the objects of all users do not fit into the processor's cache."""


def users(scale: Scale) -> Iterator[Figure]:
    """Measure one more user of a process, and reads by thousands of users."""
    more, many = 5 * scale.processes, 50 * scale.processes
    with new_machine() as machine:
        old = asked(machine, "botocore", 20)
        cpu = asked(machine, "first", more)["cpu_ms"]
        kib = asked(machine, "held", more)["kib"]
        yield at_most(
            "one more user's first credentials, CPU", cpu, 2, " ms", f"botocore {old['cpu_ms']:.0f}"
        )
        yield at_most("one more user, memory held", kib, 10, " KiB", f"botocore {old['kib']:.0f}")
        found = asked(machine, "anew", more)
        detail = "beside objects in use"
        yield at_most("one more user whose object is gone, memory held", found["kib"], 4, " KiB", detail)
        detail = f"by an object in use {found['kept_us']:.2f} us"
        yield at_most(
            "credentials of a held user by an object made anew, CPU", found["anew_us"], 100, " us", detail
        )
        before = machine.requests()
        found = asked(machine, "reads", many)
        spent = {name: count - before[name] for name, count in machine.requests().items()}
        title = f"{many} users, each read 100 times over a refresh"
        yield counted(f"{title}: GetId", spent["GetId"] - 20, many)
        yield counted(f"{title}: refreshes", spent["GetCredentialsForIdentity"] - 20 - many, many)
        yield at_most(
            f"{title}: a read, beside one of 100 users",
            found["all_us"] / found["alone_us"],
            _NOT_CACHED,
            " x",
            f"{found['all_us']:.2f} : {found['alone_us']:.2f} us",
        )
        yield at_most(
            f"{title}: the last refreshes, beside the first",
            found["late_ms"] / found["early_ms"],
            1.5,
            " x",
            f"{found['late_ms']:.2f} : {found['early_ms']:.2f} ms",
        )


def asked(machine: Machine, what: str, count: int) -> dict[str, float]:
    """Run `users_client`, and return what it measured."""
    command = [sys.executable, "-m", "tests.benchmarks.users_client"]
    done = subprocess.run(
        [*command, machine.emulator.url, machine.pool_id, what, str(count)],
        capture_output=True,
        text=True,
        check=True,
        env=machine.environ(),
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
