"""
What tests need and the `test` extra does not install: a browser, Node.js, a keyring, shells, and packages of
other people.

Tests that need a missing program are skipped, and name it. `.ci/run` installs them all, and sets
``TESTS_REQUIRE_ALL``, with which a missing program is a failure. The packages of the extras `consumers` and
`homeassistant` are in one of its environments each, where it sets ``TESTS_REQUIRE_CONSUMERS`` or
``TESTS_REQUIRE_HOMEASSISTANT``.
"""

from __future__ import annotations

import importlib
import os
import shutil
import warnings
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

CHROMIUM = "chromium and chromium-driver (Debian's packages)"
NODE = "Node.js with npm"
SECRET_SERVICE = "dbus-run-session and gnome-keyring-daemon (Debian's packages dbus and gnome-keyring)"
GO = "Go and its AWS SDK (Debian's packages golang-go and golang-github-aws-aws-sdk-go-v2-dev)"
AWS_CLI_2 = "AWS CLI v2 (Debian's package awscli)"
REDIS = "redis-server (Debian's package redis-server)"
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    CHROMIUM: ("chromium", "chromedriver"),
    NODE: ("node", "npm"),
    SECRET_SERVICE: ("dbus-run-session", "gnome-keyring-daemon"),
    GO: ("go",),
    AWS_CLI_2: ("/usr/bin/aws",),
    REDIS: ("redis-server", "redis-cli"),
    "bash": ("bash",),
    "zsh": ("zsh",),
    "fish": ("fish",),
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


def package(name: str, extra: str = "consumers") -> Any:
    """
    Import the module *name*, which *extra* installs. Also for the top of a test file.

    Without it the test, or the file, is skipped; with ``TESTS_REQUIRE_`` and the extra's name, it fails.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are not ours
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        said = f"there is no module {error.name} here: this needs the extra `{extra}`"
    if os.environ.get(f"TESTS_REQUIRE_{extra.upper()}"):
        pytest.fail(said)
    pytest.skip(said, allow_module_level=True)
