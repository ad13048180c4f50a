"""
Notices when what people sign in to on this machine passes from one person to another, or to nobody.

Who is signed in stands in files that any process may change: a program that runs for months must not go on
handing out the credentials of who was there before. A login whose owner only a token tells is not watched:
that one program holds it, and knows.

Imports `policy` and the logins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import policy

if TYPE_CHECKING:
    from ..clock import Clock
    from ..logins import Logins


class Handover:
    """
    Watches whose the logins are.

    Args:
        logins: Of one pool.
        user: Who the configuration says it is, if it does.
        clock: This machine's clocks.
    """

    def __init__(self, logins: Logins, user: str | None, clock: Clock) -> None:
        self._logins = logins
        self._user = user
        self._clock = clock
        self._is_watched = logins.can_change_hands(user)
        self._owners: tuple[str | None, ...] = ()
        self._look_at = 0.0

    def is_due(self) -> bool:
        """Tell whether the logins are somebody else's now; looks once a second, since each signature asks."""
        if not self._is_watched or self._clock.elapsed() < self._look_at:
            return False
        has_happened = self.has_happened()
        if not has_happened:  # or it would be forgotten for a second, by whoever else is told
            self._look_at = self._clock.elapsed() + policy.RECHECK_SECONDS
        return has_happened

    def has_happened(self) -> bool:
        """Tell whether the logins are somebody else's, or nobody's, since `settle`."""
        return self._differ(self._logins.owners(self._user))

    def settle(self) -> bool:
        """Take the owners of this moment as those whom everything is for; tells whether they are others."""
        now = self._logins.owners(self._user)
        has_happened, self._owners = self._differ(now), now
        return has_happened

    def _differ(self, now: tuple[str | None, ...]) -> bool:
        # A file that cannot be read for a moment says nothing: what is held stays.
        return any(new not in (None, old) for old, new in zip(self._owners, now, strict=False))
