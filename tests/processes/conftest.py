"""The machine that the processes share: a home that every user can reach, the emulator, one identity pool."""

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
    """A home directory, an emulator and an identity pool, for processes to share."""

    emulator: Emulator
    home: str
    pool_id: str

    @property
    def cache(self) -> str:
        """The cache directory of the processes."""
        return os.path.join(self.home, ".aws", "cognito", "cache")

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of a process of this machine."""
        return environment(self.home, self.emulator.url, self.pool_id, **more)

    def requests(self) -> dict[str, int]:
        """Return the number of requests so far, by operation."""
        return dict(self.emulator.requests())

    @property
    def names(self) -> list[str]:
        """The file names in the cache."""
        return sorted(os.listdir(self.cache))


@pytest.fixture
def machine(emulator: Emulator) -> Iterator[Machine]:
    # Not below tmp_path, which only its owner can enter: some tests become another user.
    home = tempfile.mkdtemp(prefix="cc-", dir="/tmp")
    try:
        yield Machine(emulator, home, emulator.create_pool())
    finally:
        shutil.rmtree(home, ignore_errors=True)
