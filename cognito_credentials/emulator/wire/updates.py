"""
Of two updates of one pool at the same time, the later one is refused.

Operations of the emulator never overlap, but requests do while an answer is delayed. So a test that delays
one update can see how its program handles ConcurrentModificationException.

Source: `reference/service.md#6.2`, `reference/service.md#6.6`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

_UPDATES = ("UpdateIdentityPool", "SetIdentityPoolRoles")


class Updates:
    """The pools that an update is under way for."""

    def __init__(self) -> None:
        self._under_way: set[str] = set()

    @contextmanager
    def started(self, operation: str, body: bytes) -> Iterator[bool]:
        """
        Register an update for the duration of the ``with`` block.

        Yields:
            True if another update of the pool is under way.
        """
        pool_id = _updated_pool(body) if operation in _UPDATES else None
        if pool_id is None or pool_id in self._under_way:
            yield pool_id is not None
            return
        self._under_way.add(pool_id)
        try:
            yield False
        finally:
            self._under_way.discard(pool_id)


def _updated_pool(body: bytes) -> str | None:
    try:
        pool_id = json.loads(body)["IdentityPoolId"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None  # the check of the request refuses it later
    return pool_id if isinstance(pool_id, str) else None
