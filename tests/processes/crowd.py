"""Many processes that begin at the same moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE = 120
"""Seconds until a process that has not ended is a failure."""


def environment(home: str, url: str, pool_id: str, **more: str) -> dict[str, str]:
    """
    Return the environment of a process whose home is *home* and whose AWS endpoint is the emulator at *url*.

    Args:
        more: Further variables, which replace those made here.
    """
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": ROOT,
        "HOME": home,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_COGNITO_IDENTITY_POOL_ID": pool_id,
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY": url,
        "AWS_ENDPOINT_URL_STS": url,
        "NO_COLOR": "1",
        **more,
    }


@dataclass(frozen=True)
class Answer:
    """The result of one process; see `worker`."""

    status: int
    """Exit status; the negative number of the signal that ended it."""
    generations: dict[str, list[str]]
    """Hash of a set of credentials -> its access key id and expiration."""
    errors: list[str]
    slowest: float
    """Seconds of its slowest read."""
    busiest: float
    """Seconds of a processor that its busiest read took."""
    seconds: float
    """Seconds from the common start to its end."""
    identity_id: str | None
    stderr: str

    @property
    def access_key_ids(self) -> list[str]:
        """The access key ids that it got, in order, each once."""
        return [key for key, _ in self.generations.values()]


class Crowd:
    """
    Processes of `worker` that have loaded everything and wait for `go`. As a context it ends them all.

    Args:
        environs: One process for each environment.
        arguments: Command line arguments of each process.
        module: The module that each runs, by its dotted name.
    """

    def __init__(
        self,
        environs: Sequence[Mapping[str, str]],
        *arguments: str,
        module: str = "tests.processes.worker",
    ) -> None:
        self._gate, self._opener = os.pipe()
        self.processes: list[subprocess.Popen[str]] = []
        self._answers: dict[int, Answer] = {}
        try:
            for environ in environs:
                self.processes.append(self._start(environ, [module, *arguments]))
            for process in self.processes:
                self._wait_until_ready(process)
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def go(self) -> None:
        """Start all of them at once."""
        os.close(self._opener)
        self._opener = -1

    def answers(self, timeout: float = PATIENCE) -> list[Answer]:
        """Wait for all processes, and return their results."""
        return [self.answer(number, timeout) for number in range(len(self.processes))]

    def answer(self, number: int, timeout: float = PATIENCE) -> Answer:
        """Wait for process *number*, and return its result."""
        if number not in self._answers:
            process = self.processes[number]
            out, err = process.communicate(timeout=timeout)
            result: dict[str, Any] = json.loads(out.splitlines()[-1]) if out.strip() else {}
            self._answers[number] = Answer(
                status=process.returncode,
                generations=result.get("generations", {}),
                errors=result.get("errors", [] if result else [f"died: {err[-400:]}"]),
                slowest=result.get("slowest", 0.0),
                busiest=result.get("busiest", 0.0),
                seconds=result.get("seconds", 0.0),
                identity_id=result.get("identity_id"),
                stderr=err,
            )
        return self._answers[number]

    def _start(self, environ: Mapping[str, str], command: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=self._gate,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=dict(environ),
        )

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            _, err = process.communicate(timeout=PATIENCE)
            raise RuntimeError(f"a process did not start: {err[-800:]}")

    def _end(self) -> None:
        if self._opener >= 0:
            self.go()
        os.close(self._gate)
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)  # it also ends a stopped process
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def crowd(environ: Mapping[str, str], count: int, *arguments: str) -> Crowd:
    """Return a crowd of *count* processes with the same environment."""
    return Crowd([environ] * count, *arguments)


def storm(environ: Mapping[str, str], count: int, *arguments: str) -> list[Answer]:
    """Run *count* processes with the same environment at once, and return their results."""
    with crowd(environ, count, *arguments) as many:
        many.go()
        return many.answers()


COMMAND = (os.path.join(sysconfig.get_path("scripts"), "cognito-credentials"), "credential-process")
"""The ``credential_process`` command of a profile: the console script of this environment."""


def commands(environ: Mapping[str, str], count: int) -> list[subprocess.CompletedProcess[str]]:
    """Run *count* ``credential-process`` commands at once, as SDKs do."""
    started = [
        subprocess.Popen(
            COMMAND,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(environ),
        )
        for _ in range(count)
    ]
    finished = []
    try:
        for process in started:
            out, err = process.communicate(timeout=PATIENCE)
            finished.append(subprocess.CompletedProcess(COMMAND, process.returncode, out, err))
    finally:
        for process in started:
            process.kill()
            process.wait()
    return finished
