"""
Credentials as this process holds them.

Imports the record and the policy only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..credentials import iso
from ..errors import CredentialsExpiredError
from . import policy
from .policy import Freshness

if TYPE_CHECKING:
    from ..cache.record import CredentialsRecord
    from ..clock import Clock
    from ..errors import CognitoCredentialsError


class Held:
    """
    A record as this process holds it, with the moments on this machine's two clocks worked out once.

    Args:
        record: The record.
        clock: This machine's clocks.
        is_rejected: A service refused these credentials: better than nothing, and no more.
    """

    __slots__ = ("_fresh_until_elapsed", "_fresh_until_wall", "_is_rejected", "record")

    def __init__(self, record: CredentialsRecord, clock: Clock, *, is_rejected: bool = False) -> None:
        self.record = record
        self._is_rejected = is_rejected
        seen = record.seen
        self._fresh_until_wall = 0 if is_rejected else record.refresh_at - seen.offset
        self._fresh_until_elapsed = float("inf")
        if seen.boot_id == clock.boot_id():
            ahead = record.refresh_at - (seen.wall + seen.offset)
            self._fresh_until_elapsed = seen.elapsed_ms / 1000 + ahead

    def is_fresh(self, clock: Clock) -> bool:
        """Tell whether both clocks say that nothing needs to be done. On the path of every signature."""
        return clock.wall() < self._fresh_until_wall and clock.elapsed() < self._fresh_until_elapsed

    def freshness(self, clock: Clock) -> Freshness:
        """Tell what it is good for."""
        record = self.record
        state = policy.freshness(record.seen.now(clock), record.refresh_at, record.credentials.expires_at)
        return Freshness.ENDING if self._is_rejected and state is not Freshness.EXPIRED else state

    def is_valid(self, clock: Clock) -> bool:
        """Tell whether it may still be handed out."""
        return self.left(clock) > 0

    def left(self, clock: Clock) -> float:
        """Seconds until the credentials end."""
        return self.record.credentials.expires_at - self.record.seen.now(clock)

    def told(self, clock: Clock) -> str:
        """Say in a few words what it is, for the debug log."""
        return f"credentials that expire in {self.left(clock):.0f} s ({self.freshness(clock).value})"

    def expired(self, error: CognitoCredentialsError) -> CognitoCredentialsError:
        """Say that these have ended and *error* kept us from getting others."""
        if not error.retryable:
            return error
        end = iso(self.record.credentials.expires_at)
        return CredentialsExpiredError(
            f"credentials expired at {end} and could not be refreshed: {error.message}",
            hint=error.hint,
            code=error.code,
        )
