"""
One thread at a time, across forks and against callbacks that call back.

Base layer: imports `errors` only.
"""

from __future__ import annotations

import os
import threading

from ..errors import ConfigurationError


class SingleFlight:
    """
    A lock that a forked child may use, and that refuses the thread that already holds it.

    A child process inherits locks that threads of its parent held, and nobody is left to release them:
    the first use in a new process makes a new lock. A token source that asks its own pool for
    credentials would wait for itself for ever: it gets an error instead.
    """

    def __init__(self) -> None:
        # One lock a process; `setdefault` is atomic, so that two threads of a new child make one lock.
        self._locks: dict[int, threading.Lock] = {}
        self._taken: tuple[int, threading.Lock] | None = None

    def enter(self, timeout: float) -> bool:
        """
        Take the lock.

        Args:
            timeout: Seconds to wait; 0 to try once.

        Returns:
            Whether it was taken; then `leave` must follow.

        Raises:
            ConfigurationError: This thread holds it already.
        """
        lock = self._locks.setdefault(os.getpid(), threading.Lock())
        if self._taken == (threading.get_ident(), lock):
            raise ConfigurationError(
                "a login's token source asked the same identity pool for credentials",
                hint="get the login token without AWS credentials of this pool",
            )
        if not lock.acquire(timeout=min(timeout, threading.TIMEOUT_MAX) if timeout > 0 else 0):
            return False
        self._taken = (threading.get_ident(), lock)
        return True

    def leave(self) -> None:
        """Give the lock back."""
        taken, self._taken = self._taken, None
        if taken is not None:
            taken[1].release()
