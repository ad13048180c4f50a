"""``serve`` and many clients, over renewals; and how soon ``exec --server`` runs its command."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.processes.conftest import Machine

from .figures import Figure, Scale, at_most, counted
from .machine import new_machine
from .process import Process, Race

CLIENTS = 64
PAUSE = 0.1
"""Seconds between two requests of a client: no SDK asks as often."""
LIFETIME = 60
"""Seconds. The policy uses new credentials for half a minute at least, so it renews twice a minute."""
MORE = 3
"""Seconds: a minute from the first request on, both renewals are over."""
COMMAND = (sys.executable, "-m", "cognito_credentials")


def serving(scale: Scale) -> Iterator[Figure]:
    """Let 64 clients ask; for a minute, two renewals are due in that time."""
    with new_machine() as machine:
        machine.emulator.settings(credential_lifetime=LIFETIME)
        seen = _seen(machine, scale.serve_seconds + MORE)
        machine.emulator.settings(credential_lifetime=None)
        title = f"serve, {CLIENTS} clients for {scale.serve_seconds} s"
        renewals = scale.serve_seconds // 30
        yield counted(f"{title}: errors", len(seen["errors"]), 0)
        yield counted(f"{title}: renewals", seen["generations"] - 1, renewals)
        asked = seen["requests"]
        middle, longest = seen["p50"] * 1000, seen["longest"] * 1000
        detail = f"(p50 {middle:.2f} ms, longest {longest:.1f} ms, {asked} requests)"
        yield at_most(f"{title}: p99", seen["p99"] * 1000, 5, " ms", detail)
        environ = machine.environ()
        race = Race(
            {
                "exec --server": Process([*COMMAND, "exec", "--server", "--", "true"], environ),
                "python": Process([sys.executable, "-c", "pass"], environ),
            },
            scale.repetitions // 5,
        )
        yield race.ratio("  exec --server -- true : python -c pass", "exec --server", "python")


def _seen(machine: Machine, seconds: int) -> dict[str, Any]:
    environ = machine.environ()
    with subprocess.Popen([*COMMAND, "serve"], env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        words = [shlex.split(server.stdout.readline())[1] for _ in range(3)]
        variables = dict(word.split("=", 1) for word in words)
        clients = [sys.executable, "-m", "tests.benchmarks.serving_client"]
        numbers = [str(CLIENTS), str(seconds), str(PAUSE)]
        with_variables = {**environ, **variables}
        done = subprocess.run([*clients, *numbers], env=with_variables, stdout=subprocess.PIPE, check=True)
        server.terminate()
    found: dict[str, Any] = json.loads(done.stdout)
    return found
