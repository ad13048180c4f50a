"""Many processes that begin at one moment."""

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
"""Seconds after which a process that should have ended is a failure."""


def environment(home: str, url: str, pool_id: str, **more: str) -> dict[str, str]:
    """
    Make the environment of a process whose home is *home* and whose AWS is the emulator at *url*.

    Args:
        more: Further variables; they win.
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
    """What one process said; see `worker`."""

    status: int
    """Its exit status; negative for a signal."""
    generations: dict[str, list[str]]
    """Hash of all that was got together -> access key id and expiration."""
    errors: list[str]
    slowest: float
    """Seconds that its longest read took."""
    seconds: float
    """From the common start to its end."""
    identity_id: str | None
    stderr: str

    @property
    def access_key_ids(self) -> list[str]:
        """The access key ids it got, in order, once each."""
        return [key for key, _ in self.generations.values()]


class Crowd:
    """
    Processes of `worker`, all loaded and waiting; a context that leaves none behind.

    Args:
        environs: The environment of each.
        arguments: Of the worker.
        module: What to run.
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
        """Let all of them begin."""
        os.close(self._opener)
        self._opener = -1

    def answers(self, timeout: float = PATIENCE) -> list[Answer]:
        """Wait for all of them, and return what they said."""
        return [self.answer(number, timeout) for number in range(len(self.processes))]

    def answer(self, number: int, timeout: float = PATIENCE) -> Answer:
        """Wait for one of them, and return what it said."""
        if number not in self._answers:
            process = self.processes[number]
            out, err = process.communicate(timeout=timeout)
            said: dict[str, Any] = json.loads(out.splitlines()[-1]) if out.strip() else {}
            self._answers[number] = Answer(
                status=process.returncode,
                generations=said.get("generations", {}),
                errors=said.get("errors", [] if said else [f"died: {err[-400:]}"]),
                slowest=said.get("slowest", 0.0),
                seconds=said.get("seconds", 0.0),
                identity_id=said.get("identity_id"),
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
                process.send_signal(signal.SIGKILL)  # also ends one that is stopped
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def crowd(environ: Mapping[str, str], count: int, *arguments: str) -> Crowd:
    """Make a crowd of *count* processes with one environment."""
    return Crowd([environ] * count, *arguments)


def storm(environ: Mapping[str, str], count: int, *arguments: str) -> list[Answer]:
    """Let *count* processes with one environment begin at once, and return what they said."""
    with crowd(environ, count, *arguments) as many:
        many.go()
        return many.answers()


COMMAND = (os.path.join(sysconfig.get_path("scripts"), "cognito-credentials"), "credential-process")
"""What a profile's ``credential_process`` runs: the console script of this environment."""


def commands(environ: Mapping[str, str], count: int) -> list[subprocess.CompletedProcess[str]]:
    """Run *count* ``credential-process`` commands at once, as a machine's SDKs do."""
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
