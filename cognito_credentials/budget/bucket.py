"""
The bucket of one operation: who may send a request when, so that all together keep a quota.

It is pure arithmetic on whole microseconds, without a clock and without I/O. A process uses it for itself
where it has no Redis; `script.py` says the same in Lua, for all hosts at once, and a test compares the two.

*Slots.* A quota of 25 a second has a slot each 40 ms. A request takes the next free one, even if that is in
the future, and waits for it. So requests are sent in the order in which they asked, and a process that dies
after it asked costs one slot.

*Places in the line.* A user who would have to wait longer than is possible takes no slot, but a place in the
line, and is told the moment of its turn. From then on, as long a wait as is possible leads to a slot.
Newcomers, and users who come back too early, get only slots within `NEWCOMERS_WAIT`: these would otherwise go
to waste, since not everybody comes back. Asking too early neither loses nor improves a place.

*Renewals.* A renewal is of credentials that are still valid for minutes. It takes a slot only when almost
nobody waits, and has no place in the line. First credentials could keep all renewals out until they expire;
so while renewals come in vain, one slot in `SHARE` is kept free for them.

*The clock.* The bucket's own clock never goes back: when the given one does, as after a failover to a Redis
with another clock, it goes on from where it was.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

SECOND: Final = 1_000_000
"""In microseconds, as all times and constants here."""
RENEWALS_WAIT: Final = SECOND // 2
"""The longest wait of a renewal: so renewals, which may be many, delay first credentials by no more."""
NEWCOMERS_WAIT: Final = SECOND
"""The longest wait of a newcomer while others have a place in the line: they lose no more than this by it."""
SOONEST: Final = SECOND
"""The least that anybody is told to wait before asking again."""
CROWDED: Final = SECOND
"""The wait that tells a crowd from some users who come at the same moment."""
SHARE: Final = 4
"""One slot in so many is kept free for renewals while they come in vain."""
SHARE_KEPT: Final = 120 * SECOND
"""How long it is kept after the last of them; longer than `policy.TURN_AGAIN`, when they come again."""
PLACE_KEPT: Final = 120 * SECOND
"""How long a place in the line is kept for who comes late."""
LONGEST_LINE: Final = 7200 * SECOND
"""
No places are given for later than this: 180,000 new users in the line take 20 MB of Redis, and nobody waits
for two hours. Others are told how long the line is, and are newcomers when they come back.
"""
PAUSE: Final = SECOND
"""
For how long no slots are given out after the service said that it is asked too often: another program in the
account uses the quota, too. Answers within one pause prolong nothing, so no less than half the quota is used.
"""


class Turn(NamedTuple):
    """The answer to one request."""

    is_granted: bool
    """Whether the request has a slot."""
    wait: int
    """Until that slot; without one, until it makes sense to ask again."""
    is_crowded: bool = False
    """Whether many came at once: this one waits for a second or more, or others have a place in the line."""


class Bucket:
    """The slots and the line of one operation."""

    __slots__ = ("ends", "kept", "line", "next", "now", "paused", "shift", "slip", "spare")

    def __init__(self) -> None:
        self.now = 0
        """The bucket's own time, which never goes back."""
        self.shift = 0
        """What is added to the given time for that."""
        self.next = 0
        """The next free slot."""
        self.line: OrderedDict[str, int] = OrderedDict()
        """Who has a place in the line, and for which moment; earlier moments first."""
        self.ends = 0
        """The last of these."""
        self.slip = 0
        """How much later than that it is now everybody's turn, since slots went to renewals or in pauses."""
        self.kept = 0
        """Until when slots are kept free for renewals."""
        self.spare = 0
        """The next slot of these."""
        self.paused = 0
        """Until when an answer of the service causes no other pause."""

    def ask(self, given: int, interval: int, who: str, patience: int) -> Turn:
        """
        Ask for a slot for first credentials, or for renewed ones that nobody can do without.

        Args:
            given: The time now, by a clock that may jump.
            interval: Between two slots.
            who: Names the user in the line.
            patience: The longest wait that is possible.
        """
        now = self._tell(given)
        self._clear_line()
        wait = max(0, self.next - now)
        place = self.line.get(who)
        due = None if place is None else place + self.slip
        has_line = self.ends + self.slip > now
        is_crowded = has_line or wait >= CROWDED
        is_early = has_line and (due is None or due > now + wait)
        if wait <= (min(patience, NEWCOMERS_WAIT) if is_early else patience):
            self.line.pop(who, None)
            return self._take(interval, wait)._replace(is_crowded=is_crowded)
        if due is None:
            due = max(self.ends + self.slip, self.next, now) + self._step(interval)
            if due - now <= LONGEST_LINE:
                self.ends = self.line[who] = due - self.slip
        return Turn(is_granted=False, wait=max(due - now, wait - patience, SOONEST))

    def ask_to_renew(self, given: int, interval: int) -> Turn:
        """Ask for a slot for the renewal of credentials that are still valid; arguments as in `ask`."""
        now = self._tell(given)
        wait = max(0, self.next - now)
        if wait <= RENEWALS_WAIT:
            return self._take(interval, wait)
        if wait > 2 * RENEWALS_WAIT or self.ends + self.slip > now:  # not behind other renewals alone
            if self.kept <= now:
                self.spare = self.next  # earlier slots were given out without a gap
            self.kept = now + SHARE_KEPT
        if self.kept > now and self.spare <= now:
            self.spare = now + interval * SHARE
            return Turn(is_granted=True, wait=0)
        return Turn(is_granted=False, wait=SOONEST)

    def pause(self, given: int) -> None:
        """Give out no slots for a moment: the service said that it is asked too often."""
        now = self._tell(given)
        if self.paused <= now:
            self.paused = now + PAUSE
            self.next = max(self.next, now) + PAUSE
            self._let_slip(PAUSE)

    def _take(self, interval: int, wait: int) -> Turn:
        step = self._step(interval)
        self.next = self.now + wait + step
        self._let_slip(step - interval)
        return Turn(is_granted=True, wait=wait)

    def _let_slip(self, time: int) -> None:
        if self.ends + self.slip > self.now:
            self.slip += time

    def _step(self, interval: int) -> int:
        """Return the time from one slot to the next; it is longer while some are kept free between them."""
        return interval * SHARE // (SHARE - 1) if self.kept > self.now else interval

    def _tell(self, given: int) -> int:
        """Return the time by the bucket's own clock."""
        self.shift = max(self.shift, self.now - given)
        self.now = given + self.shift
        return self.now

    def _clear_line(self) -> None:
        while self.line:
            who, place = next(iter(self.line.items()))
            if place + self.slip >= self.now - PLACE_KEPT:
                return
            del self.line[who]
