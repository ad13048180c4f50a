"""
The three sources of time: the wall clock, the elapsed clock, and the service's `Date` header.

The wall clock of a device may be hours wrong and may jump. The elapsed clock never jumps, but restarts
with each boot. Neither is enough alone, so every decision about expiry asks `ServerTime.now`, which takes the
*later* of the two: a credential is expired when either clock says so.

A cache hit of the command line loads this file: it imports no typing.
"""

from __future__ import annotations

import os
import time

TRUSTED_OFFSET_SECONDS = 5
"""A smaller difference is noise: the `Date` header has steps of one second, and the answer takes time."""
SIGNATURE_TOLERANCE_SECONDS = 300
"""
AWS refuses signatures of a clock that is further off.

Source: reference/service.md#W27a
"""
CORRECTED_SECONDS = 60
"""A wall clock that agrees with the elapsed clock to within this is right."""
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Clock:
    """The clocks of this machine. Tests pass another one."""

    def __init__(self) -> None:
        # Without a boot id of the system, readings compare only within this process.
        self._process_id = "process-" + os.urandom(12).hex()

    def wall(self) -> float:
        """Return seconds since the epoch by this machine's clock."""
        return time.time()

    def elapsed(self) -> float:
        """Return seconds since a fixed moment, not by the wall clock; suspend counts where it can."""
        # Linux stops the monotonic clock during suspend, and credentials go on ageing.
        boottime = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boottime is None else time.clock_gettime(boottime)

    def boot_id(self) -> str:
        """Name the boot that `elapsed` counts from, in at most 36 characters."""
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
    One observation of the service's time, from the `Date` header of an answer; immutable by convention.

    It is stored with the credentials, so that every process that reads them decides alike.

    Args:
        wall: Seconds since the epoch on this machine's clock when the answer came.
        elapsed_ms: `Clock.elapsed` then, in milliseconds.
        boot_id: `Clock.boot_id` then.
        offset: The service's time minus *wall*, in seconds; 0 when it is noise or unknown.
    """

    __slots__ = ("boot_id", "elapsed_ms", "offset", "wall")

    def __init__(self, wall: int, elapsed_ms: int, boot_id: str, offset: int) -> None:
        self.wall = wall
        self.elapsed_ms = elapsed_ms
        self.boot_id = boot_id
        self.offset = offset

    def now(self, clock: Clock, boot_id: str | None = None) -> float:
        """
        Estimate the service's time: the later of the two clocks' answers.

        Args:
            boot_id: `Clock.boot_id`, when the caller has read it already.

        Returns:
            Seconds since the epoch.
        """
        wall = clock.wall()
        by_wall = wall + self.offset
        if self.boot_id != (clock.boot_id() if boot_id is None else boot_id):
            return by_wall
        by_elapsed = self.wall + self.offset + clock.elapsed() - self.elapsed_ms / 1000
        if self.offset and abs(wall - by_elapsed) < CORRECTED_SECONDS:
            # The wall clock was wrong at the observation and has been set right since: the offset of then
            # no longer applies.
            return max(wall, by_elapsed)
        return max(by_wall, by_elapsed)

    def is_from_the_future(self, clock: Clock) -> bool:
        """
        Tell whether it was made in another boot, and more than a minute after the present time.

        Then the wall clock has been set back, by an unknown amount. Within one boot the elapsed clock tells
        the amount, so a device whose clock is corrected keeps its credentials.
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
    Record the present time by this machine's clocks and by the service.

    Args:
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
