"""
The protocol of a store, for code that uses one and for code that implements one.

A store keeps bytes under a kind and a key, and has a lock for each key. It does not know what the bytes
mean. The tests of a new store subclass the contract in ``tests/cache/contract.py``.

Losing a store, or its locks, costs extra calls to the service and never correctness. So nothing here raises
for a broken disk. The one exception is a place that the user set and that cannot be used
(`cache/__init__.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Lock(Protocol):
    """One handle of the lock of one key; at most one handle holds it, in all threads and processes."""

    degraded: bool
    """Whether the last attempt showed that locking does not work here; then we go on without."""

    def acquire(self) -> bool:
        """
        Try once, without waiting.

        Returns:
            True when this handle now holds the lock, and when locking does not work here (`degraded`). False
            when another handle holds it, and when this one does so already.
        """

    def release(self) -> None:
        """Release the lock if this handle holds it; any number of times."""


class Store(Protocol):
    """
    Bytes under a kind (`KINDS` or `FORMER_KINDS` of `cognito_credentials.cache`) and a key.

    A key has 40 lower-case hexadecimal characters. Each method may raise `ValueError` for anything else, and
    `CacheError` at the first use of a place that the user set.
    """

    @property
    def name(self) -> str:
        """Its name in the settings: ``file``, ``memory``, ``redis``."""

    @property
    def location(self) -> str:
        """The place, for people: a directory, ``this process``, or a URL without user name and password."""

    def load(self, kind: str, key: str) -> bytes | None:
        """
        Return what was stored; None for a miss. Credentials that cannot be read now are a miss, too.

        Raises:
            InDoubt: An identity cannot be read now. It is lost for ever if it is written over.
        """

    def load_aged(self, kind: str, key: str) -> tuple[bytes | None, float | None]:
        """
        Return what `load` returns, and how much is left of the seconds that `store` was given.

        The time passes by one clock, where hosts share the store, and their own clocks may differ. It is None
        where nothing is found, and where the store is this machine's: then its clock tells as much.

        Raises:
            InDoubt: As `load`.
        """

    def set_aside(self, kind: str, key: str, data: bytes) -> None:
        """
        Take *data*, which is damaged, out of use, and keep it for a person to look at; say so once.

        Nothing happens if something else is stored by now.

        Raises:
            InDoubt: That cannot be done now.
        """

    def store(self, kind: str, key: str, data: bytes, seconds: float | None = None) -> None:
        """
        Keep *data*, whole or not at all; when that fails, the earlier data stay.

        Args:
            seconds: How long they are of use; then the store may drop them by itself. Identities have none.
        """

    def delete(self, kind: str, key: str) -> bool | None:
        """Remove it; False when nothing was there, None when it may be there still."""

    def keys(self, kind: str) -> list[str]:
        """Return the keys under which something is stored, sorted."""

    def lock(self, key: str) -> Lock:
        """Return a new handle of the lock of *key*, not held."""

    def sweep(self, *keys: str) -> None:
        """Remove what interrupted writers of *keys* left behind; the caller holds the lock of these."""

    def problem(self) -> str | None:
        """Say why nothing can be kept here, without making or changing anything; None for no known reason."""

    def prune(self, is_expired: Callable[[bytes], bool]) -> int:
        """
        Drop credentials that are of no more use, by their age alone.

        It is called after each refresh, and a store may have many users: it does not have to find all of them
        at once. Identities are never dropped.

        Args:
            is_expired: Whether stored credentials expired long ago, or cannot be read.

        Returns:
            How many credentials records were dropped.
        """
