"""
Which identity each principal is: remembered in this process and in the store, replaced, announced.

Identity ids outlive everything: one is forgotten only when the service said that it is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..cache.record import IdentityRecord
from ..logins import TOKEN_BOUND

if TYPE_CHECKING:
    from ..cache.records import Records
    from ..clock import Clock
    from ..logins import ResolvedLogins
    from ..settings.settings import Settings


class Who(NamedTuple):
    """A principal of a pool, and under which keys it is remembered."""

    principal: str
    identity_key: str
    credentials_key: str
    logins: ResolvedLogins | None
    """Set when only the tokens could tell who it is."""

    @property
    def is_lasting(self) -> bool:
        """Whether the keys will be met again: those bound to one token will not."""
        return not self.principal.startswith(TOKEN_BOUND)

    @property
    def place(self) -> str:
        """
        Under what this process remembers its identity.

        A token that is replaced every hour still is about the same subject. Nobody has verified that, so it
        serves no other process; here it saves a call, and the service checks the identity we ask with.
        """
        subject = None if self.logins is None else self.logins.subject
        return self.identity_key if self.is_lasting or subject is None else f"subject:{subject}"

    @property
    def bearer(self) -> str:
        """For whom credentials are; where keys change with every token, by what the tokens say."""
        told = None if self.is_lasting or self.logins is None else self.logins.subject
        return told or self.credentials_key


class IdentityNews(NamedTuple):
    """An identity that changed: to be announced when no lock is held."""

    old: str | None
    new: str
    reason: str
    """
    ``created``, ``recovered`` (the old one was refused), ``adopted`` (the service answered with it), or
    ``switched`` (the logins are somebody else's now).
    """


class Identities:
    """
    The identity ids of one pool.

    Args:
        settings: Of that pool.
        records: Where identities are remembered between processes.
        clock: This machine's clocks.
    """

    def __init__(self, settings: Settings, records: Records, clock: Clock) -> None:
        self._settings = settings
        self._records = records
        self._clock = clock
        self._known: dict[str, str] = {}
        self._carried: dict[str, str] = {}
        self._last: tuple[str, str] | None = None
        self.news: list[IdentityNews] = []
        """What has changed and is not announced yet."""

    def next_news(self) -> IdentityNews | None:
        """Take the oldest of the news; None when there is none. Of several threads one gets it."""
        try:
            return self.news.pop(0)
        except IndexError:
            return None

    def known(self, who: Who) -> str | None:
        """Return the identity id of *who*, from the settings, this process or the store."""
        if self._settings.identity_id is not None:
            return self._settings.identity_id
        if who.logins is not None and who.logins.identity_id is not None:
            return who.logins.identity_id
        known = self._known.get(who.place)
        if known is None:
            record = self._records.identity(who.identity_key) or self._records.credentials(
                who.credentials_key
            )
            known = None if record is None else record.identity_id
        return known

    def notice(self, who: Who, identity_id: str) -> None:
        """Take the identity of credentials that another process got; it has written down what there is."""
        old = self._known.get(who.place)
        if self._settings.identity_id is not None:
            return
        self._known[who.place] = identity_id
        if not self._is_switch(who, identity_id) and old not in (None, identity_id):
            self.news.append(IdentityNews(old, identity_id, "adopted"))

    def adopt(self, who: Who, identity_id: str, refused: str | None = None) -> None:
        """
        Take *identity_id*, which the service gave, as that of *who*.

        Args:
            who: Whose.
            identity_id: The new one, or the same.
            refused: The one it replaces because the service refused that.
        """
        old = self.known(who)
        self._carried.pop(who.place, None)
        if self._settings.identity_id is not None:
            return  # the user's choice stands
        self._known[who.place] = identity_id
        self._keep(who, identity_id)
        if self._is_switch(who, identity_id) or old == identity_id:
            return  # the same, or carried over: another person, the same identity
        reason = "recovered" if refused else "adopted" if old else "created"
        self.news.append(IdentityNews(old or refused, identity_id, reason))

    def _is_switch(self, who: Who, identity_id: str) -> bool:
        """Note whose identity is in use now, and tell of it where it was another person's."""
        last, self._last = self._last, (who.place, identity_id)
        if last is None or last[0] == who.place or last[1] == identity_id:
            return False
        self.news.append(IdentityNews(last[1], identity_id, "switched"))
        return True

    def _keep(self, who: Who, identity_id: str) -> None:
        """Write it down, unless it stands there: the disk may have been full, or cleared, when it was new."""
        kept = self._records.identity(who.identity_key)
        if not who.is_lasting or (kept is not None and kept.identity_id == identity_id):
            return
        record = IdentityRecord(
            key=who.identity_key,
            identity_id=identity_id,
            identity_pool_id=self._settings.identity_pool_id,
            principal=who.principal,
            obtained_at=int(self._clock.wall()),
        )
        self._records.keep(record)

    def carry(self, who: Who, identity_id: str) -> None:
        """Take *identity_id*, which *who* had as somebody else, for that of *who* until the service says."""
        self._known[who.place] = self._carried[who.place] = identity_id

    def drop_carried(self, who: Who) -> None:
        """Take back what `carry` did, where the service did not confirm it."""
        if self._carried.pop(who.place, None) is not None:
            self._known.pop(who.place, None)

    def replace(self, who: Who, refused: str | None) -> str | None:
        """Forget the refused identity, unless another process has replaced it already."""
        record = self._records.identity(who.identity_key)
        if record is not None and record.identity_id != refused:
            self._known[who.place] = record.identity_id
            return record.identity_id
        self.forget(who)
        return None

    def forget(self, who: Who) -> bool:
        """Forget the identity of *who*; returns whether one was remembered."""
        in_memory = self._known.pop(who.place, None) is not None
        return self._records.store.delete("identity", who.identity_key) or in_memory
