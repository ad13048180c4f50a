"""
The command line as users have it: real processes, an empty home, the emulator over HTTP.

``cli`` starts a process; ``call`` runs `main` in this one, for what a process adds nothing to.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli import main
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys

__all__ = ["emulator", "emulator_keys"]  # fixtures, also where the package is not installed

ROOT = Path(__file__).parent.parent.parent
PROFILE = """\
[profile guest]
region = eu-west-1
cognito_identity_pool_id = {pool}
"""


@dataclass(frozen=True)
class Done:
    """Exit code and output of a run."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line on stderr."""
        assert self.err.count("\n") == 1, self.err
        assert self.err.endswith("\n")
        return self.err[:-1]


def python(*argv: str) -> list[str]:
    """Return the argument list that runs the command line."""
    return [sys.executable, "-m", "cognito_credentials", *argv]


@dataclass
class Cli:
    """Starts the command line as a process."""

    environ: dict[str, str]

    def __call__(self, *argv: str, **options: Any) -> Done:
        environ = {**self.environ, **options.pop("env", {})}
        options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(
            python(*argv), env=environ, capture_output=True, encoding="utf-8", **{"timeout": 60, **options}
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        environ = {**self.environ, **options.pop("env", {})}
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(
            python(*argv), env=environ, stdin=subprocess.DEVNULL, encoding="utf-8", **options
        )


@pytest.fixture
def cli(isolation: Path) -> Cli:
    """The command line without a service: nothing listens on port 9."""
    nowhere = "http://127.0.0.1:9"
    return Cli(
        {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY": nowhere,
            "AWS_ENDPOINT_URL_STS": nowhere,
        }
    )


@pytest.fixture
def pool_id(emulator: Any, cli: Cli, monkeypatch: pytest.MonkeyPatch, config: Callable[[str], Path]) -> str:
    """An identity pool on the emulator, and a profile 'guest' of it, for child processes and for this one."""
    made: str = emulator.create_pool()
    config(PROFILE.format(pool=made))
    for service in ("COGNITO_IDENTITY", "STS"):
        cli.environ[f"AWS_ENDPOINT_URL_{service}"] = emulator.url
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    return made


@pytest.fixture
def config(isolation: Path) -> Callable[[str], Path]:
    """Return a function that writes the AWS config file and returns its path."""

    def write(text: str, name: str = "config") -> Path:
        path = isolation / ".aws" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    return write


@pytest.fixture
def call(cli: Cli, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Return a function that runs the command line in this process, without reaching AWS."""
    for name, value in cli.environ.items():
        if name.startswith("AWS_ENDPOINT_URL"):
            monkeypatch.setenv(name, value)

    def run(*argv: str) -> Done:
        capfd.readouterr()
        code = main(list(argv))
        caught = capfd.readouterr()
        return Done(code, caught.out, caught.err)

    return run
