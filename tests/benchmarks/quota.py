"""
A twentieth of a core, as slow as small devices are: 5 ms of every 100 ms.

The kernel's control groups limit a command, version 2 or else version 1. Where neither can be written, this
file is the command that runs another one, and stops it by signals: ``python -m tests.benchmarks.quota …``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PERIOD_US = 100_000
QUOTA_US = 5_000
_ENTER = ("sh", "-c", 'echo $$ > "$0" && exec "$@"')


@dataclass(frozen=True)
class Quota:
    """What limits a command: words to put before it, and its name."""

    prefix: tuple[str, ...]
    name: str


@contextlib.contextmanager
def twentieth_of_a_core() -> Iterator[Quota]:
    """Yield a limit; it is gone when the block ends."""
    for name, (group, limits) in _groups().items():
        path = os.path.join(group, f"cognito-credentials-{os.getpid()}")
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            for file, text in limits.items():
                _write(os.path.join(path, file), text)
        except OSError:
            os.rmdir(path)
            continue
        try:
            yield Quota((*_ENTER, os.path.join(path, "cgroup.procs")), name)
        finally:
            os.rmdir(path)
        return
    yield Quota((sys.executable, "-m", __name__), "SIGSTOP and SIGCONT")


def _groups() -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Return name -> where groups are made, and the files and texts that limit one."""
    found = {}
    with contextlib.suppress(OSError), open("/proc/mounts", encoding="utf-8") as file:
        for _, path, kind, options, *_ in map(str.split, file):
            if kind == "cgroup2":
                found["control group v2"] = (path, {"cpu.max": f"{QUOTA_US} {PERIOD_US}"})
            if kind == "cgroup" and "cpu" in options.split(","):
                limits = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(QUOTA_US)}
                found["control group v1"] = (path, limits)
    return dict(sorted(found.items(), reverse=True))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _throttled(command: list[str]) -> int:
    """Run *command*, and stop it in each period once it has used its share."""
    process = subprocess.Popen(command)
    clock = (~process.pid << 3) | 2  # Source: clockid of another process, clock_getcpuclockid(3)
    share, used, began = QUOTA_US / 1e6, 0.0, time.monotonic()
    while process.poll() is None:
        if time.clock_gettime(clock) - used >= share:
            process.send_signal(signal.SIGSTOP)
            time.sleep(max(0.0, began + PERIOD_US / 1e6 - time.monotonic()))
            used, began = time.clock_gettime(clock), time.monotonic()
            process.send_signal(signal.SIGCONT)
        elif time.monotonic() - began >= PERIOD_US / 1e6:
            used, began = time.clock_gettime(clock), time.monotonic()
        time.sleep(0.0005)
    return process.returncode


if __name__ == "__main__":
    sys.exit(_throttled(sys.argv[1:]))
