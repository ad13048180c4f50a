"""An example as its reader runs it: a process of its own, with an emulator where AWS would be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


class Running:
    """An example that is running, and that is talked to line by line."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def press_enter(self) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def line(self) -> str:
        """Return its next line; a hang is the test's timeout."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.kill()
            pytest.fail(f"the example ended: {self.process.communicate()[1]}")
        return line.rstrip("\n")

    def end(self) -> tuple[str, str]:
        """End its input and return the rest of its output, and its errors."""
        out, errors = self.process.communicate()
        assert self.process.returncode == 0, errors
        return out, errors


@pytest.fixture
def environment(emulator, isolation: Path) -> dict[str, str]:
    """What the reader's shell would hold: where the emulator is, and our programs on the PATH."""
    kept = {name: os.environ[name] for name in ("HOME", "NO_COLOR", "AWS_EC2_METADATA_DISABLED")}
    return {
        **kept,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url,
        "AWS_ENDPOINT_URL_STS": emulator.url,
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Iterator[Callable[..., Running]]:
    """Start an example: its path below examples/, arguments, and more variables."""
    started: list[Running] = []

    def start(name: str, *arguments: str, **variables: str) -> Running:
        running = Running([str(EXAMPLES / name), *arguments], {**environment, **variables})
        started.append(running)
        return running

    yield start
    for running in started:
        running.process.kill()
        running.process.communicate()
