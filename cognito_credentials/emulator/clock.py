"""The emulator's clock: the machine's, moved by an offset that tests set."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """
    Wall-clock time of the emulated service, in seconds since the epoch.

    Args:
        read: Where the time comes from.
    """

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch, with fraction."""
        return self._read() + self.offset

    def now_ms(self) -> int:
        """Whole milliseconds since the epoch: the precision of identity dates."""
        return int(self.now() * 1000)
