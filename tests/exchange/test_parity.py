"""Beside botocore's client: the same calls, answers and faults give the same requests, tries and results."""

from __future__ import annotations

import pytest

from .parity import compare

pytest.importorskip("botocore", minversion="1.44", reason="an older one retries in other ways")


def test_our_wire_is_as_botocores() -> None:
    """A short version of ``python -m tests.exchange.parity``, which makes 5,000 calls."""
    assert compare(200, seed=9) > 200
