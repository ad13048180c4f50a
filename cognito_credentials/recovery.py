"""
Who asks, as which identity, and what is done when the service says that this is no longer so.

The half of the refresh policy that knows identities: it finds the principal, trades logins for
credentials, forgets an identity only on the service's own word, adopts the one it answers with and keeps
the news of it. `refresh.py`, the other half, decides when.

One recovery a refresh (peers.md 3 A): the second failure is the answer.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from . import policy
from .cache.record import CredentialsRecord, IdentityRecord
from .errors import ServiceError
from .exchange.deadline import with_deadline
from .exchange.failures import Action, Failure
from .exchange.flows import exchange, get_identity, open_id_token
from .logins.mapping import TOKEN_BOUND

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from .cache.records import Records
    from .clock import Clock
    from .exchange.client import CognitoClient
    from .logins import ResolvedLogins
    from .secret import Secret
    from .settings import Settings

T = TypeVar("T")
_log = logging.getLogger(__name__)


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


class IdentityNews(NamedTuple):
    """An identity that changed: to be announced when no lock is held."""

    old: str | None
    new: str
    reason: str
    """``created``, ``recovered`` (the old one was refused) or ``adopted`` (the service answered with it)."""


class Exchanger:
    """
    Trades who one is for credentials.

    Args:
        settings: Of one pool.
        client: The wire.
        brief: The same, trying each request only once, for when nobody waits: a failure then costs the
            service one request, and there is time to try later.
        records: Where identities are remembered.
        clock: This machine's clocks.
    """

    def __init__(
        self,
        settings: Settings,
        client: CognitoClient,
        brief: CognitoClient,
        records: Records,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._client = client
        self._brief = brief
        self._records = records
        self._clock = clock
        self._identities: dict[str, str] = {}
        self._tries = 0
        self.news: list[IdentityNews] = []
        self.last_known: Who | None = None
        """Whom this process asked for last: all there is to go by where only a token can tell."""

    def identify(self) -> Who:
        """
        Find out who asks; asks for login tokens only when nothing else can tell.

        Raises:
            LoginRequiredError: Only a token could tell, and there is none.
        """
        principal = self._settings.logins.principal(self._settings.user)
        logins = None
        if principal is None:
            logins = self._resolve()
            principal = logins.principal
        return self._who(principal, logins)

    def identify_offline(self) -> Who | None:
        """Find out who asks without asking for a token; None when only a token can tell."""
        principal = self._settings.logins.principal(self._settings.user)
        return None if principal is None else self._who(principal, None)

    def known_identity(self, who: Who) -> str | None:
        """Return the identity id of *who*, from the settings, this process or the store."""
        if self._settings.identity_id is not None:
            return self._settings.identity_id
        if who.logins is not None and who.logins.identity_id is not None:
            return who.logins.identity_id
        known = self._identities.get(who.place)
        if known is None:
            record = self._records.identity(who.identity_key)
            known = None if record is None else record.identity_id
        return known

    def exchange(self, who: Who, budget: float, rng: random.Random) -> CredentialsRecord:
        """
        Get new credentials.

        Args:
            who: For whom.
            budget: Seconds it may take, recovery included.
            rng: Where the jitter of the refresh moment comes from.

        Raises:
            CognitoCredentialsError: What stopped it.
        """
        result = self._recovering(
            who,
            budget,
            lambda client, identity_id, tokens, note: exchange(
                client, self._settings, identity_id, tokens, note
            ),
        )
        self._adopt(who, result.identity_id)
        issued_at = result.seen.wall + result.seen.offset
        return CredentialsRecord(
            key=who.credentials_key,
            identity_id=result.identity_id,
            credentials=result.credentials,
            issued_at=issued_at,
            refresh_at=policy.refresh_at(issued_at, result.credentials.expires_at, rng),
            seen=result.seen,
        )

    def new_identity(self, who: Who) -> str:
        """
        Ask the service for an identity id (GetId).

        Raises:
            CognitoCredentialsError: What stopped it.
        """
        return self._recovering(
            who,
            policy.HOLDER_BUDGET,
            lambda client, _, tokens, note: get_identity(client, self._settings, tokens, note),
        )

    def open_id_token(self, who: Who) -> Secret:
        """
        Get an OpenID token of the identity (GetOpenIdToken).

        Raises:
            CognitoCredentialsError: What stopped it.
        """
        identity_id, token = self._recovering(
            who,
            policy.HOLDER_BUDGET,
            lambda client, identity_id, tokens, note: open_id_token(
                client, self._settings, identity_id, tokens, note
            ),
        )
        self._adopt(who, identity_id)
        return token

    def forget(self, who: Who) -> bool:
        """Forget the identity of *who*; returns whether one was remembered."""
        in_memory = self._identities.pop(who.place, None) is not None
        return self._records.store.delete("identity", who.identity_key) or in_memory

    def _recovering(
        self,
        who: Who,
        budget: float,
        call: Callable[[CognitoClient, str | None, Mapping[str, Secret], Callable[[str], None]], T],
    ) -> T:
        client = self._brief if budget <= policy.ADVISORY_BUDGET else self._client
        client.prepare()  # loading botocore is this machine's slowness, not the service's
        give_up_at = self._clock.elapsed() + budget
        logins = who.logins or self._resolve()
        if logins.principal != who.principal:
            # Between the look at who it is and the look at the token somebody else signed in: what these
            # tokens get must not be kept under the other one's key.
            raise ServiceError("the login changed to another user's meanwhile", hint="try again")
        identity_id = logins.identity_id or self.known_identity(who)
        refused: str | None = None
        first: Failure | None = None
        while True:
            self._tries += 1

            def note(new: str, refused: str | None = refused, tried: int = self._tries) -> None:
                # At once, while the answer is here: an identity that is not kept is an orphan. But one
                # that comes after the deadline must not displace what was found since.
                if tried == self._tries or self.known_identity(who) is None:
                    self._adopt(who, new, refused)

            left = max(give_up_at - self._clock.elapsed(), 0.1)
            try:
                return with_deadline(lambda: call(client, identity_id, logins.tokens, note), left)  # noqa: B023 (called here)
            except Failure as failure:
                repeated, first = first, failure
            finally:
                self._tries += 1
            # Outside the except block: what the failure came from must not be chained to what users see.
            if repeated is not None:
                raise first.error
            if first.action is Action.DROP_IDENTITY and self._may_drop(identity_id, logins):
                _log.debug("identity refused (%s), asking for another", first.error.code)
                refused = identity_id
                identity_id = self._replacement(who, identity_id)
            elif first.action is not Action.ASK_LOGIN_AGAIN:
                raise first.error
            renewed = self._resolve() if self._settings.logins.can_change else logins
            if first.action is Action.ASK_LOGIN_AGAIN and renewed.tokens == logins.tokens:
                raise first.error
            logins = renewed

    def _resolve(self) -> ResolvedLogins:
        seen = self._client.seen or self._brief.seen
        now = self._clock.wall() if seen is None else seen.now(self._clock)
        return self._settings.logins.resolve(now, self._settings.user)

    def _who(self, principal: str, logins: ResolvedLogins | None) -> Who:
        settings = self._settings
        self.last_known = Who(
            principal, settings.identity_key(principal), settings.credentials_key(principal), logins
        )
        return self.last_known

    def _may_drop(self, identity_id: str | None, logins: ResolvedLogins) -> bool:
        """An identity that the user or a back end named is theirs to correct."""
        return identity_id is not None and self._settings.identity_id is None and logins.identity_id is None

    def _replacement(self, who: Who, refused: str | None) -> str | None:
        """Forget the refused identity, unless another process has replaced it already."""
        record = self._records.identity(who.identity_key)
        if record is not None and record.identity_id != refused:
            self._identities[who.place] = record.identity_id
            return record.identity_id
        self.forget(who)
        return None

    def _adopt(self, who: Who, identity_id: str, refused: str | None = None) -> None:
        old = self.known_identity(who)
        if old == identity_id:
            self._identities[who.place] = identity_id
            return
        if self._settings.identity_id is not None:
            return  # the user's choice stands
        self._identities[who.place] = identity_id
        if who.is_lasting:
            record = IdentityRecord(
                key=who.identity_key,
                identity_id=identity_id,
                identity_pool_id=self._settings.identity_pool_id,
                principal=who.principal,
                obtained_at=int(self._clock.wall()),
            )
            self._records.keep(record)
        reason = "recovered" if refused else "adopted" if old else "created"
        self.news.append(IdentityNews(old or refused, identity_id, reason))
