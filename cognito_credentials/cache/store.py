"""
What a store is, for those who use one and those who write one.

A store keeps bytes under a kind and a key, and has a lock for each key. It does not know what the bytes
mean. `tests/cache/contract.py` holds what every store must do; a new store subclasses it.

Losing a store, or its locks, costs extra calls to the service and never correctness: nothing here raises
for a broken disk. The one exception is a place that the user asked for by name and that cannot work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Lock(Protocol):
    """One handle of the lock of one key: at most one handle holds it, in all threads and processes."""

    degraded: bool
    """Locking does not work here, as far as is known yet; we go on without."""

    def acquire(self) -> bool:
        """
        Try once, without waiting.

        Returns:
            True when held, and when locking does not work here (`degraded`). False when another handle
            holds it, and when this one already does.
        """

    def release(self) -> None:
        """Let go, if held; any number of times."""


class Store(Protocol):
    """
    Bytes under a kind (`cognito_credentials.cache.KINDS`) and a key (40 hexadecimal characters).

    Any of these may raise `ValueError` for an address that is none, and, for a place that was asked for
    explicitly, `CacheError` at first use.
    """

    @property
    def name(self) -> str:
        """What settings call it: ``file``, ``memory``."""

    @property
    def location(self) -> str:
        """Where it is, for people."""

    def load(self, kind: str, key: str) -> bytes | None:
        """Return what was stored; None for a miss, and any doubt is a miss."""

    def store(self, kind: str, key: str, data: bytes) -> None:
        """Keep *data*, whole or not at all; where that fails, what was there stays."""

    def delete(self, kind: str, key: str) -> bool:
        """Forget; True when something was there."""

    def keys(self, kind: str) -> list[str]:
        """Return the keys under which something is stored, sorted."""

    def lock(self, key: str) -> Lock:
        """Return a new handle of the lock of *key*, not held."""

    def sweep(self, key: str) -> None:
        """Remove what interrupted writers of *key* left behind. Call it with the lock of *key* held."""

    def prune(self, is_expired: Callable[[bytes], bool]) -> int:
        """
        Drop credentials that nobody will miss: the expired, and the oldest beyond `MOST_CREDENTIALS`.

        Identities are never dropped.

        Args:
            is_expired: Says of stored credentials whether they ended long ago, or cannot be read.

        Returns:
            How many credentials records were dropped.
        """
