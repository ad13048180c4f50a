"""
Kill ``exec --server``, its command, and ``serve``, in turn and at random moments, again and again.

    python -m tests.campaigns.kill_serve [--count 100] [--seed N]

After each kill: does any process go on? Does whoever waits see how it ended? And after the next start: is any
file of a dead server left, which would hold a token? Exits 1 if one of these fails once.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from cognito_credentials.emulator import Emulator
from tests.processes.crowd import environment

from .kill import run

COMMAND = (sys.executable, "-m", "cognito_credentials")
EXEC = (*COMMAND, "exec", "--server", "--")
CHILD = (sys.executable, "-c", "import os, signal; print(os.getpid(), flush=True); signal.pause()")
PATIENCE = 20
"""Seconds until a process that has not ended counts as left over."""


@dataclass
class Outcome:
    """What the kills did, counted."""

    kills: int = 0
    processes_left: int = 0
    wrong_exit_codes: int = 0
    files_after_kill: int = 0
    files_after_next_start: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing was left, and something was tried."""
        left = self.processes_left + self.wrong_exit_codes + self.files_after_next_start
        return left == 0 and self.files_after_kill > 0


def campaign(directory: str, count: int, seed: int) -> Outcome:
    """Kill *count* times, with *directory* as the home."""
    os.makedirs(directory, mode=0o700)
    chance = random.Random(seed)
    outcome = Outcome()
    with Emulator() as emulator:
        environ = environment(directory, emulator.url, emulator.create_pool())
        began = time.perf_counter()
        _start_and_end(environ)
        usual = time.perf_counter() - began
        for number in range(count):
            moment = chance.uniform(0, usual)
            ended = (_kill_parent, _kill_child, _kill_server)[number % 3](environ, moment)
            outcome.kills += 1
            outcome.processes_left += ended is None
            outcome.wrong_exit_codes += ended is not None and ended != -signal.SIGKILL
            outcome.files_after_kill += files(directory)
            _start_and_end(environ)
            outcome.files_after_next_start += files(directory)
    return outcome


def _kill_parent(environ: Mapping[str, str], moment: float) -> int | None:
    """Kill ``exec --server`` at some moment from its start on, the command running or not."""
    with subprocess.Popen([*EXEC, *CHILD], env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        select.select([], [], [], 2 * moment)
        process.kill()
        return process.wait() if _is_over(process.stdout) else None


def _kill_child(environ: Mapping[str, str], moment: float) -> int | None:
    """Kill the command."""
    with subprocess.Popen([*EXEC, *CHILD], env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        select.select([], [], [], moment / 4)
        os.kill(child, signal.SIGKILL)
        return process.wait() if _is_over(process.stdout) else None


def _kill_server(environ: Mapping[str, str], moment: float) -> int | None:
    """Kill ``serve``."""
    with subprocess.Popen([*COMMAND, "serve"], env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        select.select([], [], [], 2 * moment)
        process.kill()
        return process.wait() if _is_over(process.stdout) else None


def _is_over(pipe: IO[bytes], patience: float = PATIENCE) -> bool:
    """Tell whether nobody writes to *pipe* any more: everybody who had it has ended."""
    give_up_at = time.monotonic() + patience
    while select.select([pipe], [], [], max(give_up_at - time.monotonic(), 0))[0]:
        if not os.read(pipe.fileno(), 1000):
            return True
    return False


def _start_and_end(environ: Mapping[str, str]) -> None:
    subprocess.run([*EXEC, "true"], env=environ, check=True, timeout=PATIENCE)


def files(home: str) -> int:
    """Count token files and their locks."""
    folder = os.path.join(home, ".aws", "cognito", "serve")
    return sum(name.startswith("token-") for name in os.listdir(folder)) if os.path.isdir(folder) else 0


if __name__ == "__main__":
    sys.exit(run("kill_serve", campaign, __doc__, count=100))
