"""
Programs that tests need and pip cannot install: a browser, Node.js, a keyring.

Tests that need a missing program are skipped, and name it. `.ci/run` installs them all, and sets
``TESTS_REQUIRE_ALL``, with which a missing program is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import NoReturn

import pytest

CHROMIUM = "chromium and chromium-driver (Debian's packages)"
NODE = "Node.js with npm"
SECRET_SERVICE = "dbus-run-session and gnome-keyring-daemon (Debian's packages dbus and gnome-keyring)"

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    CHROMIUM: ("chromium", "chromedriver"),
    NODE: ("node", "npm"),
    SECRET_SERVICE: ("dbus-run-session", "gnome-keyring-daemon"),
}


def need(part: str) -> None:
    """Skip the test if *part* is missing; fail it if ``TESTS_REQUIRE_ALL`` is set."""
    absent = [program for program in PROGRAMS[part] if shutil.which(program) is None]
    if absent:
        missing(f"there is no {' and no '.join(absent)} here: this needs {part}")


def missing(said: str) -> NoReturn:
    """Skip the test for the reason *said*; fail it if ``TESTS_REQUIRE_ALL`` is set."""
    if os.environ.get("TESTS_REQUIRE_ALL"):
        pytest.fail(said)
    pytest.skip(said)
