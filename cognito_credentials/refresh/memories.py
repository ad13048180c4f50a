"""
What this process holds of the users of one pool: at most so many users, those who were asked for last.

A back end makes an object of a user with every request, and drops it again. What is held of the user stays
here, so that the next object finds it without a look at the store. An object has its user's `Memory` as long
as it lives, however many other users are asked for meanwhile. So all objects of one user share one `Memory`
at all times, and what one of them clears or rejects is gone for all.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from .held import Memory

if TYPE_CHECKING:
    from collections.abc import Callable


class Memories:
    """
    Finds the `Memory` of a user.

    Args:
        limit: How many users are held of whom there is no object.
        make: Makes an empty memory.
    """

    __slots__ = ("_alive", "_guards", "_limit", "_make", "_recent")

    def __init__(self, limit: int, make: Callable[[], Memory]) -> None:
        self._limit = limit
        self._make = make
        self._alive: WeakValueDictionary[str, Memory] = WeakValueDictionary()
        """Of all users of whom there is an object, or who are among the recent."""
        self._recent: OrderedDict[str, Memory] = OrderedDict()
        """The user who was asked for last comes last."""
        # A forked child may inherit a lock that a thread of its parent held. `setdefault` is atomic.
        self._guards: dict[int, threading.RLock] = {}

    def of(self, credentials_key: str) -> Memory:
        """Return the memory of the user whose credentials have that key, an empty one if none is held."""
        with self._guards.setdefault(os.getpid(), threading.RLock()):
            memory = self._alive.get(credentials_key)
            if memory is None:
                memory = self._alive[credentials_key] = self._make()
            self._recent[credentials_key] = memory
            self._recent.move_to_end(credentials_key)
            while len(self._recent) > self._limit:
                self._recent.popitem(last=False)
        return memory
