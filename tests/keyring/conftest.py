"""A Secret Service as on a desktop: gnome-keyring on a private message bus."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.login.conftest import (
    App,
    Cli,
    cli,
    config,
    emulator,
    emulator_keys,
    issuer,
    issuer_packages,
    make_app,
    start_issuer,
)
from tests.real_parts import SECRET_SERVICE, need

__all__ = [
    "cli",
    "config",
    "emulator",
    "emulator_keys",
    "issuer",
    "issuer_packages",
    "start_issuer",
]

START = "printf pass-of-the-desktop | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; "
SERVE = 'echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat'


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    """The address of a message bus with an unlocked keyring on it."""
    need(SECRET_SERVICE)
    home = tmp_path / "desktop-cache"
    home.mkdir(mode=0o700)
    environ = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", START + SERVE],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    with process:
        process.communicate()  # closes its stdin, which ends the session


@pytest.fixture
def app(cli: Cli, emulator, issuer: str, config, isolation: Path, bus: str) -> App:
    """The app's profile, with the keyring as its store."""
    cli.environ["DBUS_SESSION_BUS_ADDRESS"] = bus
    cli.environ.pop("PYTHON_KEYRING_BACKEND", None)
    return make_app(cli, emulator, issuer, config, isolation, "keyring")
