"""Forks during the calls of a thread, of which the first imports most of this package."""

from __future__ import annotations

import os
import random

import pytest

from tests.campaigns.fork import campaign


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_each_child_gets_credentials(tls: bool) -> None:
    """A short version of ``python -m tests.campaigns.fork``: none of 50 children hangs or fails."""
    found = campaign(50, random.randrange(1 << 32), tls=tls)
    assert found.is_good, found
