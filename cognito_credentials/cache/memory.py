"""
The store in this process: nothing is on disk, and all is gone with the object.

Each `IdentityPool` has a store of its own, and so an identity of its own. A registry of pools that share one
would be state of the whole program, which a library does not keep: an app that wants one guest makes one
pool.

A forked child has its parent's data and new locks: a lock that another thread of the parent held at the fork
would stay locked in the child for ever.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from . import MOST_CREDENTIALS, check_kind, checked_key, key_in, record_name
from .records import RECORD_LIMIT


class MemoryStore:
    """A store in memory, for all threads of the process."""

    name = "memory"
    location = "this process"
    # No __dict__: what prints the variables of objects must not print the data.
    __slots__ = ("_data", "_threads")

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}
        self._threads: dict[int, _Threads] = {}

    def load(self, kind: str, key: str) -> bytes | None:
        """Load a record; see `store.Store`."""
        return self._data.get(record_name(kind, key))

    def set_aside(self, kind: str, key: str, data: bytes) -> None:
        """Drop *data*: nobody can look at it here; see `store.Store`."""
        name = record_name(kind, key)
        with self._here().guard:
            if self._data.get(name) == data:
                del self._data[name]

    def store(self, kind: str, key: str, data: bytes) -> None:
        """Store a record; see `store.Store`."""
        name = record_name(kind, key)
        if len(data) > RECORD_LIMIT:
            return
        with self._here().guard:
            self._data.pop(name, None)  # so that the order of insertion is the order of age
            self._data[name] = bytes(data)

    def delete(self, kind: str, key: str) -> bool:
        """Remove a record; see `store.Store`."""
        name = record_name(kind, key)
        with self._here().guard:
            return self._data.pop(name, None) is not None

    def keys(self, kind: str) -> list[str]:
        """List the records of a kind; see `store.Store`."""
        check_kind(kind)
        with self._here().guard:
            return sorted(key for name in self._data if (key := key_in(name, kind)))

    def lock(self, key: str) -> MemoryLock:
        """Make a handle of a lock; see `store.Store`."""
        return MemoryLock(checked_key(key), self._here)

    def sweep(self, key: str) -> None:
        """Do nothing: an interrupted writer leaves nothing in memory."""
        checked_key(key)

    def prune(self, is_expired: Callable[[bytes], bool]) -> int:
        """Drop expired and surplus credentials; see `store.Store`."""
        with self._here().guard:
            newest_first = [name for name in reversed(self._data) if key_in(name, "credentials")]
        dropped = 0
        for rank, name in enumerate(newest_first):
            data = self._data.get(name)
            if data is not None and (rank >= MOST_CREDENTIALS or is_expired(data)):
                with self._here().guard:
                    # A record that was renewed meanwhile stays.
                    if self._data.get(name) is data:
                        del self._data[name]
                        dropped += 1
        return dropped

    def _here(self) -> _Threads:
        # setdefault is atomic, so that the first two threads of a forked child get the same guard.
        pid = os.getpid()
        return self._threads.get(pid) or self._threads.setdefault(pid, _Threads())


class _Threads:
    """What the threads of one process share."""

    __slots__ = ("guard", "held")

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.held: set[str] = set()


class MemoryLock:
    """One handle of the lock of one key in this process."""

    degraded = False
    __slots__ = ("_here", "_holding", "_key")

    def __init__(self, key: str, here: Callable[[], _Threads]) -> None:
        self._key = key
        self._here = here
        self._holding: _Threads | None = None

    def acquire(self) -> bool:
        """Try once, without waiting; see `store.Lock`."""
        threads = self._here()
        with threads.guard:
            if self._key in threads.held:
                return False
            threads.held.add(self._key)
        self._holding = threads
        return True

    def release(self) -> None:
        """Let go, if held."""
        threads, self._holding = self._holding, None
        # In a forked child the held lock is the parent's, and its guard may be locked for ever.
        if threads is not None and threads is self._here():
            with threads.guard:
                threads.held.discard(self._key)
