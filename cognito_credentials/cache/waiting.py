"""
How everybody here waits for a turn: `SingleFlight` for the threads of a process, `holding` for processes.

The order is always the thread's turn first, then the machine's lock. Both save calls to the service;
correctness never depends on them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from ..awaiting import CALLERS, LOOK_SECONDS, check_not_asked, runs_a_loop
from ..errors import ConfigurationError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence

    from ..awaiting import Caller
    from ..clock import Clock
    from .store import Lock

_log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.1
"""Seconds between two tries for a lock: short at first, since most holders only read a file."""
_LONGEST_TRY = 1.0
"""A try that took longer than this many seconds: the machine was suspended meanwhile."""


class SingleFlight:
    """
    A lock between threads that a forked child may use, and that refuses the thread that already holds it.

    A child process inherits locks that threads of its parent held, and no thread is left to release them:
    the first use in a new process makes a new lock. A token source that asks its own pool for credentials
    would wait for itself for ever: it gets an error instead.
    """

    def __init__(self) -> None:
        # One lock per process. `setdefault` is atomic, so two threads of a new child make one lock.
        self._locks: dict[int, threading.Lock] = {}
        self._taken: tuple[int, threading.Lock] | None = None
        self._callers: Sequence[Caller] = ()

    def enter(self, timeout: float) -> bool:
        """
        Take the lock.

        Args:
            timeout: Seconds to wait; 0 to try once.

        Returns:
            Whether it was taken; then `leave` must follow.

        Raises:
            ConfigurationError: This thread holds it already, or runs the loop that its holder waits for.
        """
        lock = self._locks.setdefault(os.getpid(), threading.Lock())
        if self._taken == (threading.get_ident(), lock):
            raise ConfigurationError(
                "a login's token source asked the same identity pool for credentials",
                hint="Get the login token without AWS credentials of this pool",
            )
        if not self._acquire(lock, min(timeout, threading.TIMEOUT_MAX)):
            return False
        self._taken, self._callers = (threading.get_ident(), lock), CALLERS.get()
        return True

    def _acquire(self, lock: threading.Lock, timeout: float) -> bool:
        if lock.acquire(blocking=False):
            return True
        if not runs_a_loop():
            return timeout > 0 and lock.acquire(timeout=timeout)
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            check_not_asked(self._callers)
            if lock.acquire(timeout=min(left, LOOK_SECONDS)):
                return True
        return False

    def leave(self) -> None:
        """Release the lock, if it is held."""
        taken, self._taken = self._taken, None
        if taken is not None:
            taken[1].release()


@contextlib.contextmanager
def holding(
    lock: Lock,
    seconds: float,
    clock: Clock,
    rng: random.Random,
    *,
    is_settled: Callable[[], bool] | None = None,
    too_late: Callable[[], Exception] | None = None,
) -> Iterator[None]:
    """
    Wait for the machine's lock of one key, and hold it.

    Args:
        lock: A handle that is not held.
        seconds: How long to wait at most; 0 to try once. A stopped process must not stop all others.
        clock: Its `elapsed` measures the wait, its `sleep` is what waits.
        rng: Spreads the tries of many waiters.
        is_settled: Looks at what the holder writes. Once it returns True, the block runs without the lock:
            the holder has done what the waiter came for.
        too_late: Makes the error to raise when time is up. By default the block then runs without the
            lock, which costs at most one call too many.
    """
    waited, began = 0.0, clock.elapsed()
    longest = _FIRST_PAUSE
    try:
        while not lock.acquire() and not (is_settled and is_settled()):
            waited += min(clock.elapsed() - began, _LONGEST_TRY)
            if waited >= seconds:
                if too_late is not None:
                    raise too_late()
                _log.warning("another process has held the lock for too long; going on without it")
                break
            pause = longest * rng.uniform(0.5, 1.5)
            clock.sleep(pause)
            # A pause counts as long as it was meant to be. On a machine that is suspended or overloaded it
            # takes longer, but so does what the holder does: that is no sign that the holder hangs.
            waited, began = waited + pause, clock.elapsed()
            longest = min(longest * 1.5, _LONGEST_PAUSE)
        _log.debug("waited %.2f s for the lock, or for what its holder wrote", waited)
        yield
    finally:
        lock.release()
