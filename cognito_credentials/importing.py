"""
What a fork must not cut through: imports in functions, calls of OpenSSL, and lookups of host names.

And the name that a program and its forks have in common.

A forked child has only the thread that forked. If another thread was importing a module at that moment, the
lock of that module stays locked in the child, whose own import of it never ends. OpenSSL and the lookups of
the C library have such locks, too. So whoever does one of these does it inside ``with IMPORTING:``, and a
fork waits until that is over.

On Python 3.14 and newer, a signal handler of the program that raises in the main thread, just after that
thread has taken the lock, leaves it taken: requests by https then run out of time. Earlier versions run no
handler there.

A cache hit of the command line loads this file: it imports no typing and no threading.
"""

from __future__ import annotations

import os
import sys
import time
from _thread import RLock, allocate_lock, get_ident, get_native_id
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_WAIT = 10.0
"""Seconds. Should an import itself wait for the thread that forks, the fork goes on."""
_MOMENT = 0.5
"""Seconds that a fork waits for what waits for the network itself, or for a thread that is ending."""
_THREADS_LIMIT = 64
"""How many of the threads that were in a block are remembered: only the last ones can be ending still."""

PROGRAM = os.urandom(16).hex()
"""
Names this program and every process that it forks: the workers of a pre-fork server are one program.

It is made here and not at the first need: workers that fork before that would have different ones.
"""


class _Importing:
    """
    A lock that a fork waits for, and that is free in the child.

    Nothing in its block waits for the network or another thread, or every fork would.

    A signal handler of the program may raise at the beginning of any function in Python. So `with` calls the
    lock's own methods, which are in C: what raises between the lock and its block would leave it locked.
    """

    __slots__ = ("_begun", "_is_registered", "_lock", "_threads")

    def __init__(self) -> None:
        self._lock = RLock()
        self._begun: set[ref[_AtFirst]] = set()
        self._threads: dict[int, int] = {}
        self._is_registered = False

    @property
    def __enter__(self) -> Callable[[], object]:
        if not self._is_registered:
            with self._lock:
                self._register()
        self._threads[get_native_id()] = get_ident()
        if len(self._threads) > _THREADS_LIMIT:
            oldest, *_ = self._threads
            self._threads.pop(oldest, None)
        return self._lock.__enter__

    @property
    def __exit__(self) -> Callable[..., None]:  # noqa: PLE0302, PYI036  (what it returns takes the arguments)
        return self._lock.__exit__

    @property
    def is_mine(self) -> bool:
        """Whether this thread is in the block; for tests."""
        return self._lock._is_owned()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001

    def at_first(self) -> _AtFirst:
        """
        Make a block that a fork waits for only a moment, and that threads enter side by side.

        It is for a lookup of a host name, which locks what is the process's when it begins. One that takes
        longer waits for its server, and has nothing locked.
        """
        begun = _AtFirst()
        with self:  # so that none begins while a fork is under way
            # Should a signal handler end the block without its end, this forgets it.
            self._begun.add(ref(begun, self._begun.discard))
        return begun

    def never_forks(self) -> None:
        """Say that this process is a command, which does not fork: what forks need is not loaded."""
        self._is_registered = True

    def _register(self) -> None:
        if self._is_registered or not hasattr(os, "register_at_fork"):
            return
        # These two register what is called before and after a fork, and are loaded first. The lock of logging
        # must not be taken before this one, since modules that are being imported ask for their loggers. Of
        # what is registered while a fork waits here, only the part after that fork would be called.
        import logging  # noqa: F401

        import filelock  # noqa: F401

        self._is_registered = True
        os.register_at_fork(before=self._wait, after_in_parent=self._go_on, after_in_child=self._begin)

    def _wait(self) -> None:
        self._lock.acquire(timeout=_LONGEST_WAIT)
        moment_ends = time.monotonic() + _MOMENT
        for one in list(self._begun):
            begun = one()
            if begun is not None and begun.turn.acquire(timeout=max(moment_ends - time.monotonic(), 0)):
                begun.turn.release()
        self._wait_for_ending_threads(moment_ends)

    def _wait_for_ending_threads(self, moment_ends: float) -> None:
        """
        Wait until threads that Python has left are gone.

        As a thread ends, OpenSSL and the C library free what they keep for it, with the same locks. Only
        Linux tells when it is over.
        """
        while time.monotonic() < moment_ends:
            # Greenlets have idents of their own in the thread that forks.
            running, own = {*sys._current_frames()}, get_native_id()  # noqa: SLF001
            known = list(self._threads.items())
            ending = [one for one, ident in known if ident not in running and one != own]
            if not ending:
                return
            for one in ending:
                while os.path.exists(f"/proc/self/task/{one}") and time.monotonic() < moment_ends:
                    time.sleep(0.0002)
                self._threads.pop(one, None)

    def _go_on(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:  # this thread waited in vain
            pass

    def _begin(self) -> None:
        self._lock = RLock()
        self._begun = set()
        self._threads = {}


class _AtFirst:
    """See `_Importing.at_first`."""

    __slots__ = ("__weakref__", "turn")

    def __init__(self) -> None:
        self.turn = allocate_lock()
        self.turn.acquire()

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.turn.release()


IMPORTING = _Importing()
