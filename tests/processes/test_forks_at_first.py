"""Forks during the first call of a process, when most of this package is imported."""

from __future__ import annotations

import os
import random

import pytest

from tests.campaigns.fork import campaign


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_no_child_hangs() -> None:
    """A short version of ``python -m tests.campaigns.fork``: the call of each of 60 children ends."""
    assert campaign(60, random.randrange(1 << 32)).is_good
