"""
Warnings that may be due at every request, said once in a while.

Base layer: imports the clock only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..clock import SIGNATURE_TOLERANCE_SECONDS

if TYPE_CHECKING:
    import logging

    from ..clock import Clock

EVERY_SECONDS: Final = 300


class Notices:
    """
    Says each thing at most once in five minutes.

    Args:
        log: Where.
        clock: This machine's clocks.
    """

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._said: dict[str, float] = {}

    def warn(self, about: str, message: str, *args: object) -> None:
        """Log a warning, unless one about the same thing has been logged lately."""
        now = self._clock.elapsed()
        if now - self._said.get(about, float("-inf")) >= EVERY_SECONDS:
            self._said[about] = now
            self._log.warning(message, *args)

    def warn_of_clock(self, offset: int) -> None:
        """Warn when this machine's clock is so wrong that AWS refuses what is signed by it."""
        if abs(offset) > SIGNATURE_TOLERANCE_SECONDS:
            self.warn(
                "clock",
                "this machine's clock is %s %s the service's; AWS refuses what it signs until it is set",
                span(abs(offset)),
                "behind" if offset > 0 else "ahead of",
            )


def span(seconds: float) -> str:
    """Say how long *seconds* are, for people: ``45 s``, ``12 min``, ``3 h 5 min``."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{minutes} min" if not hours else f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d"
