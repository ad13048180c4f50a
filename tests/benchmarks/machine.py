"""A machine to measure on: an empty home, the emulator, one identity pool."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator

from cognito_credentials.emulator import Emulator
from tests.processes.conftest import Machine


@contextlib.contextmanager
def new_machine() -> Iterator[Machine]:
    """Make a machine with an empty cache."""
    with tempfile.TemporaryDirectory(prefix="cc-") as home, Emulator() as emulator:
        yield Machine(emulator, home, emulator.create_pool())
