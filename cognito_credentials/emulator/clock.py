"""The emulator's clock: the machine's, moved by an offset that tests set."""

from __future__ import annotations

import time


class Clock:
    """Wall-clock time of the emulated service, in seconds since the epoch."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch, with fraction."""
        return self.unmoved() + self.offset

    def unmoved(self) -> float:
        """The same by the machine's clock, which the clients on this machine have."""
        # Looked up at each call: freezegun replaces the name, and the service has to travel with its clients.
        return time.time()

    def now_ms(self) -> int:
        """Whole milliseconds since the epoch: the precision of identity dates."""
        return int(self.now() * 1000)
