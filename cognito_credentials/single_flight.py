"""
One thread at a time, across forks and against callbacks that call back.

Base layer: imports `errors` only.
"""

from __future__ import annotations

import os
import threading

from .errors import ConfigurationError


class SingleFlight:
    """
    A lock that a forked child may use, and that refuses the thread that already holds it.

    A child process inherits locks that threads of its parent held, and nobody is left to release them:
    the first use in a new process makes a new lock. A token source that asks its own pool for
    credentials would wait for itself for ever: it gets an error instead.
    """

    def __init__(self) -> None:
        self._holder: int | None = None
        self._renew()

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
        if self._process != os.getpid():
            self._renew()
        if self._holder == threading.get_ident():
            raise ConfigurationError(
                "a login's token source asked the same identity pool for credentials",
                hint="get the login token without AWS credentials of this pool",
            )
        taken = (
            self._lock.acquire(timeout=min(timeout, threading.TIMEOUT_MAX))
            if timeout > 0
            else self._lock.acquire(False)
        )
        if taken:
            self._holder = threading.get_ident()
        return taken

    def leave(self) -> None:
        """Give the lock back."""
        self._holder = None
        self._lock.release()

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._holder = None
        self._process = os.getpid()
