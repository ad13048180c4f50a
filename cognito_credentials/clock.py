"""
Time, from outside: the wall clock, a clock that nobody can set, and what the service says the time is.

The wall clock of a device may be hours wrong and may jump; the elapsed clock never jumps but starts anew
with each boot. Neither is enough alone (reliability.md 3.3), so every decision about expiry asks for
`ServerTime.now`, which takes whichever of the two is *later*: a credential is expired when either says so.

Base layer: imports nothing of ours, and no typing: the fast path of the command line comes through here.
"""

from __future__ import annotations

import os
import time

TRUSTED_OFFSET_SECONDS = 5
"""Below this the `Date` header's one-second steps and the round trip are noise."""
SIGNATURE_TOLERANCE_SECONDS = 300
"""AWS refuses signatures whose clock is further off than this (Source: Signature Version 4)."""
CORRECTED_SECONDS = 60
"""A wall clock this close to the time by the other clock is right."""
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Clock:
    """The clocks of this machine. It is handed to whatever needs time; tests hand over their own."""

    def __init__(self) -> None:
        # Where the system has no boot id, readings are comparable within this process only.
        self._process_id = "process-" + os.urandom(12).hex()

    def wall(self) -> float:
        """Seconds since the epoch, as this machine believes."""
        return time.time()

    def elapsed(self) -> float:
        """Seconds since some fixed moment, unaffected by setting the clock, counting sleep if it can."""
        # Linux stops the monotonic clock during suspend and credentials do not live longer for it.
        boottime = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boottime is None else time.clock_gettime(boottime)

    def boot_id(self) -> str:
        """Which boot `elapsed` counts from, at most 36 characters; readings of equal ids compare."""
        if not hasattr(time, "CLOCK_BOOTTIME"):
            return self._process_id
        try:
            with open(_BOOT_ID, "rb") as file:
                return file.read(36).decode("ascii")
        except (OSError, UnicodeDecodeError):
            return self._process_id

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class ServerTime:
    """
    One observation of the service's time, from the `Date` header of an answer; a value.

    It is stored with the credentials, so that every process that reads them judges alike.

    Args:
        wall: Seconds since the epoch on this machine's clock when the answer came.
        elapsed_ms: `Clock.elapsed` then, in milliseconds.
        boot_id: `Clock.boot_id` then.
        offset: Service minus wall, in seconds; 0 when within the noise or unknown.
    """

    __slots__ = ("boot_id", "elapsed_ms", "offset", "wall")

    def __init__(self, wall: int, elapsed_ms: int, boot_id: str, offset: int) -> None:
        self.wall = wall
        self.elapsed_ms = elapsed_ms
        self.boot_id = boot_id
        self.offset = offset

    def now(self, clock: Clock, boot_id: str | None = None) -> float:
        """
        Estimate the service's time: the later of what the two clocks say.

        Args:
            clock: This machine's clocks.
            boot_id: `Clock.boot_id`, where the caller already knows it.

        Returns:
            Seconds since the epoch.
        """
        wall = clock.wall()
        by_wall = wall + self.offset
        if self.boot_id != (clock.boot_id() if boot_id is None else boot_id):
            return by_wall
        by_elapsed = self.wall + self.offset + clock.elapsed() - self.elapsed_ms / 1000
        if self.offset and abs(wall - by_elapsed) < CORRECTED_SECONDS:
            # The clock that was wrong when this was observed has been set right since: what it then was
            # wrong by says nothing any more.
            return max(wall, by_elapsed)
        return max(by_wall, by_elapsed)

    def is_from_the_future(self, clock: Clock) -> bool:
        """
        Tell whether it was made, in another boot, more than a minute after now.

        Then the wall clock has been set back and nothing says by how much. Within one boot the elapsed
        clock does say, so a device whose clock is corrected keeps its credentials.
        """
        return self.wall > clock.wall() + 60 and self.boot_id != clock.boot_id()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ServerTime):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((self.wall, self.elapsed_ms, self.boot_id, self.offset))

    def __repr__(self) -> str:
        return f"ServerTime(wall={self.wall}, offset={self.offset})"


def observe(clock: Clock, server_seconds: float | None = None) -> ServerTime:
    """
    Note the time now, with what the service said it was.

    Args:
        clock: This machine's clocks.
        server_seconds: The service's time now, seconds since the epoch; None when unknown.
    """
    wall = clock.wall()
    offset = 0 if server_seconds is None else round(server_seconds - wall)
    if abs(offset) < TRUSTED_OFFSET_SECONDS:
        offset = 0
    return ServerTime(int(wall), int(clock.elapsed() * 1000), clock.boot_id(), offset)


def span(seconds: float) -> str:
    """Write a number of *seconds* for people: ``45 s``, ``12 min``, ``3 h 5 min``, ``4 d``."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{minutes} min" if not hours else f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d"
