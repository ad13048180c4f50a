"""The emulator's clock: the machine's clock, plus what tests add to it."""

from __future__ import annotations

import time


class Clock:
    """Wall-clock time of the emulated service, in seconds since the epoch."""

    def __init__(self) -> None:
        self.offset = 0.0
        """Seconds that the service's clock is ahead of its clients' clocks."""
        self.passed = 0.0
        """Seconds that a test let pass: for the clients, too, although their clocks do not show it."""

    def now(self) -> float:
        """Seconds since the epoch, at the service."""
        return self.of_clients() + self.passed

    def of_clients(self) -> float:
        """The same without the seconds that a test let pass: the time in the signatures of clients."""
        # Looked up at each call: freezegun replaces time.time, and moves the service with its clients.
        return time.time() + self.offset

    def now_ms(self) -> int:
        """Milliseconds since the epoch: identity dates have this precision."""
        return int(self.now() * 1000)

    def reset(self) -> None:
        """Show the machine's time again."""
        self.offset = self.passed = 0.0
