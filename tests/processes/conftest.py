"""A machine for the processes: a home that every user can reach, the emulator, and one identity pool."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cognito_credentials.emulator import Emulator

from .crowd import environment


@dataclass(frozen=True)
class Machine:
    """Where the processes run."""

    emulator: Emulator
    home: str
    pool_id: str

    @property
    def cache(self) -> str:
        """Their cache directory."""
        return os.path.join(self.home, ".aws", "cognito", "cache")

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of a process."""
        return environment(self.home, self.emulator.url, self.pool_id, **more)

    def requests(self) -> dict[str, int]:
        """Requests of the client's operations so far."""
        return dict(self.emulator.requests())

    @property
    def names(self) -> list[str]:
        """File names in the cache."""
        return sorted(os.listdir(self.cache))


@pytest.fixture
def machine(emulator: Emulator) -> Iterator[Machine]:
    # Not under tmp_path: that is closed to the other users that some tests become.
    home = tempfile.mkdtemp(prefix="cc-", dir="/tmp")
    try:
        yield Machine(emulator, home, emulator.create_pool())
    finally:
        shutil.rmtree(home, ignore_errors=True)
