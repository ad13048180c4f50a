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
import time
from collections import OrderedDict
from collections.abc import Callable

from . import FORMER_KINDS, KINDS, check_kind, checked_key
from .records import RECORD_LIMIT

CREDENTIALS_LIMIT = 300
"""
How many users' credentials stay, those that were stored last. Objects of people who sign in on this machine
find each other's here. All other objects of a user share what they hold (`refresh/memories.py`), so that a
record here would be a second copy. Every identity stays: without its record a guest becomes another one.
"""
_UNUSED_SECONDS = 24 * 3600
"""How long a state stays: no back-off and no credentials last that long."""


class MemoryStore:
    """
    A store in memory, for all threads of the process.

    Args:
        elapsed: The time, in seconds since any moment; it does not change when somebody sets the clock.
    """

    name = "memory"
    location = "this process"
    # No __dict__: what prints the variables of objects must not print the data.
    __slots__ = ("_credentials", "_data", "_elapsed", "_states", "_threads")

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._data: dict[str, dict[str, bytes]] = {kind: {} for kind in (*KINDS, *FORMER_KINDS)}
        # It finds its oldest at once, also after many have been dropped.
        self._data["credentials"] = self._credentials = OrderedDict[str, bytes]()
        self._elapsed = elapsed
        self._states: dict[str, float] = {}
        """When each state was stored, the oldest first."""
        self._threads: dict[int, _Threads] = {}

    def load(self, kind: str, key: str) -> bytes | None:
        """Load a record; see `store.Store`."""
        return self._of(kind).get(checked_key(key))

    def load_aged(self, kind: str, key: str) -> tuple[bytes | None, float | None]:
        """Load a record, whose age this machine's clock tells; see `store.Store`."""
        return self.load(kind, key), None

    def set_aside(self, kind: str, key: str, data: bytes) -> None:
        """Drop *data*: nobody can look at it here; see `store.Store`."""
        records = self._of(kind)
        checked_key(key)
        with self._here().guard:
            if records.get(key) == data:
                del records[key]

    def store(self, kind: str, key: str, data: bytes, seconds: float | None = None) -> None:  # noqa: ARG002  (its clock tells)
        """Store a record; see `store.Store`."""
        records = self._of(kind)
        checked_key(key)
        if len(data) > RECORD_LIMIT:
            return
        with self._here().guard:
            records.pop(key, None)  # so that the order of insertion is the order of age
            records[key] = bytes(data)
            if kind == "state":
                self._drop_old_states(key)
            while len(self._credentials) > CREDENTIALS_LIMIT:
                self._credentials.popitem(last=False)

    def delete(self, kind: str, key: str) -> bool:
        """Remove a record; see `store.Store`."""
        records = self._of(kind)
        checked_key(key)
        with self._here().guard:
            if kind == "state":
                self._states.pop(key, None)
            return records.pop(key, None) is not None

    def keys(self, kind: str) -> list[str]:
        """List the records of a kind; see `store.Store`."""
        records = self._of(kind)
        with self._here().guard:
            return sorted(records)

    def lock(self, key: str) -> MemoryLock:
        """Make a handle of a lock; see `store.Store`."""
        return MemoryLock(checked_key(key), self._here)

    def sweep(self, *keys: str) -> None:
        """Do nothing: an interrupted writer leaves nothing in memory."""
        for key in keys:
            checked_key(key)

    def problem(self) -> None:
        """Return None: there is always room; see `store.Store`."""

    def prune(self, is_expired: Callable[[bytes], bool]) -> int:
        """
        Drop expired credentials, the oldest first, up to the first that have not expired; see `store.Store`.

        So each call looks at one record more than it drops, however many users the process has.
        """
        records = self._credentials
        dropped = 0
        while True:
            with self._here().guard:
                key, data = next(iter(records.items()), ("", b""))
            if not data or not is_expired(data):
                return dropped
            with self._here().guard:
                if records.get(key) is data:  # a record that was renewed meanwhile stays
                    del records[key]
                    dropped += 1

    def _drop_old_states(self, new: str) -> None:
        """
        Note the time of the state *new*, and drop those of users who failed and never came back.

        Not in `prune`, which follows a success: where every user fails there is none.
        """
        now = self._elapsed()
        self._states.pop(new, None)
        self._states[new] = now
        while (oldest := next(iter(self._states))) and self._states[oldest] < now - _UNUSED_SECONDS:
            del self._states[oldest]
            self._data["state"].pop(oldest, None)

    def _of(self, kind: str) -> dict[str, bytes]:
        check_kind(kind)
        return self._data[kind]

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
