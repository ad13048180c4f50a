"""
Parts that are not Python's, and that tests use as they are: a browser, Node.js, a keyring.

Where one is missing its tests are skipped, and say which. `.ci/run` installs them all, and sets
``TESTS_REQUIRE_ALL``: then a missing one is a failure.
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
    """Skip the test where *part* is missing; fail it where everything must be there."""
    absent = [program for program in PROGRAMS[part] if shutil.which(program) is None]
    if absent:
        missing(f"there is no {' and no '.join(absent)} here: this needs {part}")


def missing(said: str) -> NoReturn:
    """Skip the test, since something is missing; fail it where everything must be there."""
    if os.environ.get("TESTS_REQUIRE_ALL"):
        pytest.fail(said)
    pytest.skip(said)
