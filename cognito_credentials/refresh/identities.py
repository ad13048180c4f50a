"""
Which identity each principal has: remembered in this process and in the store, replaced, announced.

Identity ids outlive everything else. One is forgotten only when the service said that it is gone, or when
the user asked for that.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from ..cache import InDoubt
from ..cache.records import IdentityRecord
from ..logins import TOKEN_BOUND

if TYPE_CHECKING:
    from ..cache.records import CredentialsRecord, Records
    from ..clock import Clock
    from ..logins import ResolvedLogins
    from ..settings.settings import Settings


class Principal(NamedTuple):
    """Who asks for credentials, and the keys under which they and the identity are remembered."""

    name: str
    """Of `Logins.principal`: ``guest``, ``user:``, ``subject:`` or ``token:`` and a hash."""
    identity_key: str
    credentials_key: str
    logins: ResolvedLogins | None
    """The login tokens, where only they could tell who asks."""
    is_guest: bool = False
    """Whether there are no logins; then each GetId makes another identity."""
    inputs: tuple[str | None, ...] = ()
    """`Logins.inputs` before the logins were asked: what was refused for them is not refused for others."""

    @property
    def is_lasting(self) -> bool:
        """Whether the keys can be met again; those made of a token change with every token."""
        return not self.name.startswith(TOKEN_BOUND)

    @property
    def memory_key(self) -> str:
        """
        The key of the identity in this process's memory.

        Where keys change with every token it is the subject that the tokens claim. Nobody has verified that,
        so it is not used between processes. Within this one it saves a GetId: the service checks the identity
        with which credentials are asked for.
        """
        subject = None if self.logins is None else self.logins.subject
        return self.identity_key if self.is_lasting or subject is None else f"subject:{subject}"

    @property
    def person(self) -> str:
        """The same for two principals of one pool that are the same person, though their keys may differ."""
        subject = None if self.is_lasting or self.logins is None else self.logins.subject
        return subject or self.credentials_key


class IdentityChange(NamedTuple):
    """A change of identity, to be announced when no lock is held."""

    old: str | None
    new: str
    reason: str
    """
    ``created``, ``recovered`` (the service refused the old one), ``adopted`` (the service answered with
    another one), or ``switched`` (another person has signed in).
    """


class Identities:
    """
    The identity ids of one pool's principals.

    An identity that the settings fix is used whatever the service answers.

    Args:
        by_memory_key: What this process knows, for all objects of the user; by default this object's own.
    """

    __slots__ = (
        "_by_memory_key",
        "_clock",
        "_last_used",
        "_proposed",
        "_records",
        "_refused",
        "_settings",
        "changes",
    )

    def __init__(
        self,
        settings: Settings,
        records: Records,
        clock: Clock,
        by_memory_key: dict[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._records = records
        self._clock = clock
        self._by_memory_key = {} if by_memory_key is None else by_memory_key
        # Mostly empty. An empty set would take 216 bytes, and a process may have many users.
        self._proposed: tuple[str, str] | None = None  # memory key and identity id, for this object alone
        self._refused: tuple[str, ...] = ()  # identity ids
        self._last_used: tuple[str, str] | None = None  # memory key and identity id
        self.changes: list[IdentityChange] = []
        """Changes that are not announced yet, the oldest first."""

    def known(self, principal: Principal) -> str | None:
        """Return the identity id: from the settings, the login, this process or the store."""
        if self._settings.identity_id is not None:
            return self._settings.identity_id
        if principal.logins is not None and principal.logins.identity_id is not None:
            return principal.logins.identity_id
        if self._proposed is not None and self._proposed[0] == principal.memory_key:
            return self._proposed[1]
        known = self._by_memory_key.get(principal.memory_key)
        return known or self._remembered(principal)

    def _remembered(self, principal: Principal) -> str | None:
        record: IdentityRecord | CredentialsRecord | None = None
        # In doubt, the credentials may tell. Otherwise a guest gets another identity, in this process alone
        # (`may_share`).
        with contextlib.suppress(InDoubt):
            record = self._records.identity(principal.identity_key)
        record = record or self._records.credentials(principal.credentials_key)
        return None if record is None else record.identity_id

    def may_share(self, principal: Principal, identity_id: str) -> bool:
        """
        Tell whether other processes may use credentials of *identity_id* for *principal*.

        They may not be a guest's whose record could not be read when the identity was asked for: then the
        guest of all others is still the one in the record.
        """
        if not principal.is_guest or self._settings.identity_id is not None:
            return True
        try:
            kept = self._records.identity_of_this_version(principal.identity_key)
        except InDoubt:
            return False
        return kept is None or kept.identity_id == identity_id

    def adopt(
        self,
        principal: Principal,
        identity_id: str,
        *,
        asked: str | None = None,
        refused: str | None = None,
    ) -> None:
        """
        Take the identity that the service gave, and write it down.

        Args:
            identity_id: The id in the answer.
            asked: The id that the request named, which may be another one; None where it named none (GetId).
            refused: The identity that it replaces because the service refused that one.
        """
        old = self.known(principal)
        self._proposed = None
        if self._settings.identity_id is not None:
            return
        self._by_memory_key[principal.memory_key] = identity_id
        self._keep(principal, identity_id, asked)
        if self._is_switch(principal, identity_id) or old == identity_id:
            return
        reason = "recovered" if refused else "adopted" if old else "created"
        self.changes.append(IdentityChange(refused or old, identity_id, reason))

    def adopt_from_others(self, principal: Principal, identity_id: str, last: str | None) -> None:
        """
        Take the identity of credentials that another process got, or another object of the same user.

        Args:
            identity_id: The id that they wrote down together with the credentials.
            last: That of the credentials that this object used last; None where it has not used any.
        """
        if self._settings.identity_id is not None:
            return
        # What another object of the user has found out is in the map already.
        old = last or self._by_memory_key.get(principal.memory_key)
        self._proposed = None
        self._by_memory_key[principal.memory_key] = identity_id
        if not self._is_switch(principal, identity_id) and old not in (None, identity_id):
            self.changes.append(IdentityChange(old, identity_id, "adopted"))

    def propose(self, principal: Principal, identity_id: str) -> None:
        """Ask with *identity_id* from now on, before the service has confirmed that it is *principal*'s."""
        self._proposed = principal.memory_key, identity_id

    def withdraw(self, principal: Principal) -> None:
        """Undo `propose`, unless the service has confirmed the identity since."""
        if self._proposed is not None and self._proposed[0] == principal.memory_key:
            self._proposed = None

    def replace(self, principal: Principal, refused: str | None) -> str | None:
        """Forget the *refused* identity; return the one by which another process has replaced it already."""
        if refused is not None:
            self._refused = (*self._refused, refused)
        self._proposed = None
        record = None
        with contextlib.suppress(InDoubt):
            record = self._records.identity_of_this_version(principal.identity_key)
        if record is not None and record.identity_id != refused:
            self._by_memory_key[principal.memory_key] = record.identity_id
            return record.identity_id
        self.forget(principal, refused)
        return None

    def forget(self, principal: Principal, refused: str | None = None) -> bool:
        """Forget the identity, or only the *refused* one, here and in the store; False for none."""
        self._proposed = None
        was_in_memory = self._by_memory_key.pop(principal.memory_key, None) is not None
        with contextlib.suppress(InDoubt):  # what cannot be read stays
            return self._records.drop_identity(principal.identity_key, refused) or was_in_memory
        return was_in_memory

    def _keep(self, principal: Principal, identity_id: str, asked: str | None) -> None:
        """Store the identity unless it is stored: the disk may have been full, or cleared since."""
        if not principal.is_lasting or not self._may_write(principal, identity_id, asked):
            return
        record = IdentityRecord(
            key=principal.identity_key,
            identity_id=identity_id,
            identity_pool_id=self._settings.identity_pool_id,
            principal=principal.name,
            obtained_at=int(self._clock.wall()),
        )
        self._records.keep(record)

    def _may_write(self, principal: Principal, identity_id: str, asked: str | None) -> bool:
        """
        Tell whether the identity is not written yet, and writing it loses none.

        Nothing is written over a record that cannot be read now. With the same logins the service gives a
        user the same identity again, but a guest's is lost with its record. So a guest's record is replaced
        only when the service refused the identity in it, or answered with another one when *asked* with it.
        Otherwise this process has got its identity while the record could not be read.
        """
        try:
            kept = self._records.identity(principal.identity_key)
            if kept is not None and kept.identity_id == identity_id:
                return False
            kept = self._records.identity_of_this_version(principal.identity_key)
        except InDoubt:
            return False
        return kept is None or not principal.is_guest or kept.identity_id in (asked, *self._refused)

    def _is_switch(self, principal: Principal, identity_id: str) -> bool:
        """Note which identity is used now; note a change where the one before was another person's."""
        last, self._last_used = self._last_used, (principal.memory_key, identity_id)
        if last is None or last[0] == principal.memory_key or last[1] == identity_id:
            return False
        self.changes.append(IdentityChange(last[1], identity_id, "switched"))
        return True
