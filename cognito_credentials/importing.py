"""
Imports in functions, which a fork must not cut through; and the name of a program and its forks.

A forked child has only the thread that forked. If another thread was importing a module at that moment, the
lock of that module stays locked in the child, whose own import of it never ends. So whoever imports in a
function does it inside ``with IMPORTING:``, and a fork waits until that is over.

A cache hit of the command line loads this file: it imports no typing and no threading.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock

_LONGEST_WAIT = 10.0
"""Seconds. Should an import itself wait for the thread that forks, the fork goes on."""

PROGRAM = os.urandom(16).hex()
"""
Names this program and every process that it forks: the workers of a pre-fork server are one program.

It is made here and not at the first need: workers that fork before that would have different ones.
"""


class _Importing:
    """A lock that a fork waits for, and that is free in the child."""

    __slots__ = ("_is_held", "_is_registered", "_lock")

    def __init__(self) -> None:
        self._lock = RLock()
        self._is_held = False
        self._is_registered = False

    def __enter__(self) -> None:
        self._lock.acquire()
        if not self._is_registered and "threading" in sys.modules:  # without it, no other thread can fork
            # Before a fork, what was registered last is called first. The lock of logging must not be taken
            # before this one, since modules that are being imported ask for their loggers.
            import logging  # noqa: F401  (registers its own)

            self._is_registered = True
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(
                    before=self._wait, after_in_parent=self._go_on, after_in_child=self._begin
                )

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @property
    def is_mine(self) -> bool:
        """Whether this thread is in the block; for tests."""
        return self._lock._is_owned()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001

    def _wait(self) -> None:
        self._is_held = self._lock.acquire(timeout=_LONGEST_WAIT)

    def _go_on(self) -> None:
        if self._is_held:
            self._is_held = False
            self._lock.release()

    def _begin(self) -> None:
        self._is_held = False
        self._lock = RLock()


IMPORTING = _Importing()
