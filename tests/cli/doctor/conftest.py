"""Healthy homes, each made by `configure` and the emulator, in which `doctor` finds nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done

Call = Callable[..., Done]


@dataclass
class Home:
    """
    A home directory with a profile, in which everything is right; recipes break it.

    The profile is called ``guest``, its pool is on the emulator, and the environment is this process's.
    """

    path: Path
    pool_id: str
    emulator: Any
    call: Call
    monkeypatch: pytest.MonkeyPatch
    options: list[str] = field(default_factory=lambda: ["--profile", "guest"])
    """Of `doctor`."""

    @property
    def config(self) -> Path:
        return self.path / ".aws" / "config"

    @property
    def cache(self) -> Path:
        return self.path / ".aws" / "cognito" / "cache"

    def edit(self, old: str, new: str) -> None:
        """Replace the one place of the config file that is *old*."""
        text = self.config.read_text()
        assert text.count(old) == 1, text
        self.config.write_text(text.replace(old, new))

    def add(self, text: str) -> None:
        """Add lines to the end of the config file, which is the end of the profile."""
        self.config.write_text(self.config.read_text() + text)

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Write a file below the home directory."""
        path = self.path / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def set(self, **variables: str) -> None:
        """Set environment variables."""
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def run(self, *argv: str) -> Done:
        """Run a command for the profile, which must succeed."""
        done = self.call(*argv, "--profile", "guest")
        assert done.code == 0, done
        return done

    def checks(self, *argv: str) -> list[dict[str, str]]:
        """Run ``doctor --json``, with the rules that hold for every report."""
        done = self.call("doctor", "--json", *self.options, *argv)
        report = json.loads(done.out)
        assert list(report) == ["checks"]
        for check in report["checks"]:
            assert list(check) == ["name", "status", "what", "fix"]
            assert check["what"]
            assert check["status"] in ("ok", "warning", "error", "skipped")
            assert bool(check["fix"]) == (check["status"] in ("warning", "error"))
        assert done.code == any(check["status"] == "error" for check in report["checks"])
        assert done.err == ""
        return list(report["checks"])

    def findings(self, *argv: str) -> list[dict[str, str]]:
        """Return the warnings and errors of a run."""
        return [check for check in self.checks(*argv) if check["status"] in ("warning", "error")]


def make_home(path: Path, emulator: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a home directory as a user does: ``configure``, then the first credentials."""
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    home = Home(path, emulator.create_pool(), emulator, call, monkeypatch)
    home.run("configure", "--identity-pool-id", home.pool_id, "--region", "us-east-1", "--yes")
    home.run("refresh")
    return home


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the AWS variables of an environment."""
    return {name: value for name, value in environ.items() if name.startswith("AWS_")}


@pytest.fixture
def home(isolation: Path, emulator: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> Home:
    return make_home(isolation, emulator, call, monkeypatch)
