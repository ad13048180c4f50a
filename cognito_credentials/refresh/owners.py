"""
Notices when another person signs in on this machine, or the person who was signed in signs out.

Who is signed in is written in files, which any process may change. A program that runs for months must not
go on handing out the credentials of the person who was signed in before. Logins whose owner only a token
names are not watched: only this program can replace them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import policy

if TYPE_CHECKING:
    from ..clock import Clock
    from ..logins import Logins


class OwnerWatch:
    """Compares the owners of a pool's logins with those of the moment when they were last accepted."""

    __slots__ = ("_accepted", "_clock", "_is_needed", "_logins", "_look_at")

    def __init__(self, logins: Logins, clock: Clock) -> None:
        self._logins = logins
        self._clock = clock
        self._is_needed = logins.can_change_owner()
        self._accepted: tuple[str | None, ...] = ()
        self._look_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether `poll` would look at the files."""
        return self._is_needed and self._clock.elapsed() >= self._look_at

    def poll(self) -> bool:
        """Tell whether the owners have changed. Every signature asks, so files are read once a second."""
        if not self.is_due:
            return False
        has_changed = self.has_changed()
        if not has_changed:  # a change is reported to every caller, until it is accepted
            self._look_at = self._clock.elapsed() + policy.RECHECK_SECONDS
        return has_changed

    def has_changed(self) -> bool:
        """Tell whether the owners are others, or nobody, since they were last accepted."""
        return self._differ(self._logins.owners())

    def accept(self) -> bool:
        """Accept the owners of this moment; returns whether they are others than before."""
        now = self._logins.owners()
        has_changed, self._accepted = self._differ(now), now
        return has_changed

    def _differ(self, now: tuple[str | None, ...]) -> bool:
        # None is a file that cannot be read at this moment: no reason to drop credentials.
        return any(new not in (None, old) for old, new in zip(self._accepted, now, strict=False))
