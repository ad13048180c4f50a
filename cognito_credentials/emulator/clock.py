"""The emulator's clock: the machine's, moved by what tests set."""

from __future__ import annotations

import time


class Clock:
    """Wall-clock time of the emulated service, in seconds since the epoch."""

    def __init__(self) -> None:
        self.offset = 0.0
        """Seconds that the clocks of the service and of its clients differ by."""
        self.passed = 0.0
        """Seconds that a test let pass; they have passed for the clients, too, whose clocks show them not."""

    def now(self) -> float:
        """Seconds since the epoch, with fraction."""
        return self.of_clients() + self.passed

    def of_clients(self) -> float:
        """The same without the seconds that a test let pass: what clients that are right sign by."""
        # Looked up at each call: freezegun replaces the name, and the service has to travel with its clients.
        return time.time() + self.offset

    def now_ms(self) -> int:
        """Whole milliseconds since the epoch: the precision of identity dates."""
        return int(self.now() * 1000)

    def reset(self) -> None:
        """Go back to the machine's own time."""
        self.offset = self.passed = 0.0
