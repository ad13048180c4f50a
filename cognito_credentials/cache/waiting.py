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
from typing import TYPE_CHECKING, cast

from ..awaiting import CALLERS, LOOK_SECONDS, check_not_asked, runs_a_loop
from ..errors import ConfigurationError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence
    from typing import Protocol

    from ..awaiting import Caller
    from ..clock import Clock
    from .store import Lock

    class _OwnedLock(Protocol):
        """What `threading.RLock` makes."""

        def acquire(self, *, timeout: float) -> bool: ...

        def release(self) -> None: ...

        def _is_owned(self) -> bool: ...


_log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.1
"""Seconds between two tries for a lock: short at first, since most holders only read a file."""
_LONGEST_TRY = 1.0
"""A try that took longer than this many seconds: the machine was suspended meanwhile."""


def asks_itself() -> ConfigurationError:
    """Make the error for a login that waits for what waits for it."""
    return ConfigurationError(
        "a login's token source asked the same identity pool for credentials",
        hint="Get the login token without AWS credentials of this pool",
        topic="E-LOGIN-SOURCE",
    )


class SingleFlight:
    """
    A lock between threads that a forked child may use, and that refuses the thread that already holds it.

    A child process inherits locks that threads of its parent held, and no thread is left to release them:
    the first use in a new process makes a new lock. A token source that asks its own pool for credentials
    would wait for itself for ever: it gets an error instead.

    A signal handler of the program may raise at the beginning of any function in Python: just after the lock
    was taken, or in place of what releases it. So functions in C take and release it, in one generator.
    Should a handler raise between the generator and the ``with`` block, the generator ends with the last
    reference to the error, and releases the lock then.
    """

    __slots__ = ("_callers", "_locks")

    def __init__(self) -> None:
        # One lock per process. `setdefault` is atomic, so two threads of a new child make one lock. It knows
        # which thread holds it, and no other thread can release it.
        self._locks: dict[int, _OwnedLock] = {}
        self._callers: Sequence[Caller] = ()

    @contextlib.contextmanager
    def turn(self, timeout: float) -> Iterator[bool]:
        """
        Hold the lock, or wait for it in vain; the block runs in either case.

        Args:
            timeout: Seconds to wait; 0 to try once.

        Returns:
            Whether the block holds the lock.

        Raises:
            ConfigurationError: This thread holds it already, or its holder waits for the loop that runs here,
                or for a login that waits for this thread.
        """
        lock = self._lock()
        try:
            yield self._acquire(lock, timeout)
        finally:
            try:
                lock.release()
            except RuntimeError:  # this thread does not hold it
                pass

    def is_waited_for(self, callers: Sequence[Caller]) -> bool:
        """Tell whether the lock's holder works for *callers*, and waits for a coroutine of theirs."""
        return self._callers is callers and any(caller.is_asked for caller in callers)

    def _lock(self) -> _OwnedLock:
        """Return the lock of this process, which this thread does not hold."""
        lock = self._locks.setdefault(os.getpid(), cast("_OwnedLock", threading.RLock()))
        if lock._is_owned():  # noqa: SLF001
            raise asks_itself()
        return lock

    def _acquire(self, lock: _OwnedLock, timeout: float) -> bool:
        is_taken = lock.acquire(timeout=0) or self._wait(lock, min(timeout, threading.TIMEOUT_MAX))
        if is_taken:
            self._callers = CALLERS.get()
        return is_taken

    def _wait(self, lock: _OwnedLock, timeout: float) -> bool:
        if not runs_a_loop():
            if self.is_waited_for(CALLERS.get()):  # in a thread that the coroutine has begun
                raise asks_itself()
            return timeout > 0 and lock.acquire(timeout=timeout)
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            check_not_asked(self._callers)
            if lock.acquire(timeout=min(left, LOOK_SECONDS)):
                return True
        return False


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
    is_told = False
    try:
        while not lock.acquire() and not (is_settled and is_settled()):
            waited += min(clock.elapsed() - began, _LONGEST_TRY)
            if waited >= seconds:
                if too_late is not None:
                    raise too_late()
                _log.warning("another process has held the lock for too long; going on without it")
                break
            if not is_told:
                _log.debug("another process holds the lock: waiting for it", extra={"is_waiting": True})
                is_told = True
            pause = longest * rng.uniform(0.5, 1.5)
            clock.sleep(pause)
            # A pause counts as long as it was meant to be. On a machine that is suspended or overloaded it
            # takes longer, but so does what the holder does: that is no sign that the holder hangs.
            waited, began = waited + pause, clock.elapsed()
            longest = min(longest * 1.5, _LONGEST_PAUSE)
        _log.debug(
            "waited %.2f s for the lock, or for what its holder wrote", waited, extra={"is_waiting": False}
        )
        yield
    finally:
        lock.release()
