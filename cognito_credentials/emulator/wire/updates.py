"""
Two updates of one pool at once: the one that came later is refused.

Operations never overlap in the emulator, but requests do, while an answer is delayed; so a test
that delays one update can see what its program does about ConcurrentModificationException.

Source: service.md 6.2 and 6.6; which of the two fails is assumed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

_UPDATES = ("UpdateIdentityPool", "SetIdentityPoolRoles")


class Updates:
    """The pools with an update under way."""

    def __init__(self) -> None:
        self._under_way: set[str] = set()

    @contextmanager
    def started(self, operation: str, body: bytes) -> Iterator[str | None]:
        """
        Note an update for as long as the ``with`` block lasts.

        Yields:
            The id of the pool that another update had taken already; None when there is none.
        """
        pool_id = _updated_pool(body) if operation in _UPDATES else None
        if pool_id is None or pool_id in self._under_way:
            yield pool_id
            return
        self._under_way.add(pool_id)
        try:
            yield None
        finally:
            self._under_way.discard(pool_id)


def _updated_pool(body: bytes) -> str | None:
    try:
        pool_id = json.loads(body)["IdentityPoolId"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None  # such a request fails for its own reason
    return pool_id if isinstance(pool_id, str) else None
