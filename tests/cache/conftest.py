"""Places for stores."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture
def warnings_given() -> list[str]:
    """What a store warned of."""
    return []


@pytest.fixture
def place() -> Iterator[str]:
    """A directory that every user can reach, unlike pytest's own."""
    path = tempfile.mkdtemp(prefix="cc-", dir="/tmp")
    yield path
    shutil.rmtree(path, ignore_errors=True)
