"""
Who asks, as which identity, and what is done when the service says that this is no longer so.

The half of the refresh policy that asks: it finds the principal, trades logins for credentials, and gives
up an identity only on the service's own word. `refresh.py`, the other half, decides when.

One recovery a refresh (peers.md 3 A): the second failure is the answer.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..cache.record import CredentialsRecord
from ..errors import ServiceError
from ..exchange.deadline import with_deadline
from ..exchange.failures import Action, Failure
from ..exchange.flows import Flows
from ..logins.command import LOGIN_BUDGET
from . import policy
from .identities import Who

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from ..clock import Clock
    from ..exchange.client import CognitoClient
    from ..logins import Logins, ResolvedLogins
    from ..secret import Secret
    from ..settings.settings import Settings
    from .identities import Identities

T = TypeVar("T")
_log = logging.getLogger(__name__)


class _Attempt(NamedTuple):
    """What one attempt is made with."""

    identity_id: str | None
    logins: ResolvedLogins
    refused: str | None
    """The identity that this attempt replaces."""


class Exchanger:
    """
    Trades who one is for credentials.

    Args:
        settings: Of one pool.
        logins: Of its user.
        client: The wire.
        identities: Where they are remembered.
        clock: This machine's clocks.
    """

    def __init__(
        self,
        settings: Settings,
        logins: Logins,
        client: CognitoClient,
        identities: Identities,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._logins = logins
        self._client = client
        self._flows = Flows(client, settings)
        self.identities = identities
        self._clock = clock
        self._tries = 0
        self.last_known: Who | None = None
        """Whom this process asked for last: all there is to go by where only a token can tell."""

    @property
    def patience(self) -> float:
        """How long, in seconds, to wait for another thread or process that may be doing this same thing."""
        slow = LOGIN_BUDGET if self._logins.can_be_slow else 0.0
        return policy.WAITER_BUDGET + slow

    def identify(self) -> Who:
        """
        Find out who asks; asks for login tokens only when nothing else can tell.

        Raises:
            LoginRequiredError: Only a token could tell, and there is none.
        """
        principal = self._logins.principal()
        logins = None
        if principal is None:
            logins = self._resolve()
            principal = logins.principal
        return self._who(principal, logins)

    def identify_offline(self) -> Who | None:
        """Find out who asks without asking for a token; None when only a token can tell."""
        principal = self._logins.principal()
        return None if principal is None else self._who(principal, None)

    def exchange(self, who: Who, budget: float, rng: random.Random) -> CredentialsRecord:
        """
        Get new credentials.

        Args:
            who: For whom.
            budget: Seconds the service may take, recovery included.
            rng: Where the jitter of the refresh moment comes from.

        Raises:
            CognitoCredentialsError: What stopped it.
        """
        # Where nobody waits, each request is sent once: a failure then costs the service little, and there is
        # time to try later.
        nobody_waits = budget <= policy.ADVISORY_BUDGET
        with self._client.sparing() if nobody_waits else contextlib.nullcontext():
            return self._exchanged(who, budget, rng)

    def _exchanged(self, who: Who, budget: float, rng: random.Random) -> CredentialsRecord:
        result = self._recovering(who, budget, self._flows.credentials)
        self.identities.adopt(who, result.identity_id)
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
            who, policy.HOLDER_BUDGET, lambda _, tokens, note: self._flows.identity(None, tokens, note)
        )

    def open_id_token(self, who: Who) -> Secret:
        """
        Get an OpenID token of the identity (GetOpenIdToken).

        Raises:
            CognitoCredentialsError: What stopped it.
        """
        identity_id, token = self._recovering(who, policy.HOLDER_BUDGET, self._flows.open_id_token)
        self.identities.adopt(who, identity_id)
        return token

    def unlink(self, who: Who, provider: str) -> None:
        """
        Take the login of *provider* off the identity (UnlinkIdentity).

        Raises:
            CognitoCredentialsError: What stopped it.
        """
        self._recovering(
            who,
            policy.HOLDER_BUDGET,
            lambda identity_id, tokens, note: self._flows.unlink(identity_id, tokens, note, provider),
        )

    def _recovering(
        self,
        who: Who,
        budget: float,
        call: Callable[[str | None, Mapping[str, Secret], Callable[[str], None]], T],
    ) -> T:
        self._client.prepare()  # loading botocore is this machine's slowness, not the service's
        attempt = self._first_attempt(who)
        has_failed = False
        while True:
            # The budget is the service's: what a login takes has limits of its own.
            began = self._clock.elapsed()
            outcome = self._try(who, attempt, max(budget, 0.1), call)
            if not isinstance(outcome, Failure):
                return outcome
            budget -= self._clock.elapsed() - began
            if has_failed:
                raise outcome.error
            has_failed = True
            attempt = self._second_attempt(who, attempt, outcome)

    def _first_attempt(self, who: Who) -> _Attempt:
        logins = who.logins or self._resolve()
        if logins.principal != who.principal:
            # Between the look at who it is and the look at the token somebody else signed in: what these
            # tokens get must not be kept under the other one's key.
            raise ServiceError("the login changed to another user's meanwhile", hint="Try again")
        return _Attempt(logins.identity_id or self.identities.known(who), logins, None)

    def _second_attempt(self, who: Who, first: _Attempt, failure: Failure) -> _Attempt:
        """Change what may help, or give up."""
        identity_id, refused = first.identity_id, None
        if failure.action is Action.DROP_IDENTITY and self._may_drop(identity_id, first.logins):
            _log.debug("identity refused (%s), asking for another", failure.error.code)
            refused, identity_id = identity_id, self.identities.replace(who, identity_id)
        elif failure.action is not Action.ASK_LOGIN_AGAIN:
            raise failure.error
        if failure.action is Action.ASK_LOGIN_AGAIN:
            self._logins.reject(first.logins.tokens)
        logins = self._resolve() if self._logins.can_change else first.logins
        if failure.action is Action.ASK_LOGIN_AGAIN and logins.tokens == first.logins.tokens:
            raise failure.error
        return _Attempt(identity_id, logins, refused)

    def _try(
        self,
        who: Who,
        attempt: _Attempt,
        seconds: float,
        call: Callable[[str | None, Mapping[str, Secret], Callable[[str], None]], T],
    ) -> T | Failure:
        """Make the call; a failure is returned, so that nothing of it is chained to what users see."""
        self._tries += 1
        tried = self._tries

        def note(new: str) -> None:
            # At once, while the answer is here: an identity that is not kept is an orphan. But one that
            # comes after the deadline must not displace what was found since.
            if tried == self._tries or self.identities.known(who) is None:
                self.identities.adopt(who, new, attempt.refused)

        try:
            return with_deadline(lambda: call(attempt.identity_id, attempt.logins.tokens, note), seconds)
        except Failure as failure:
            return failure
        finally:
            self._tries += 1

    def _resolve(self) -> ResolvedLogins:
        # A login has expired when both say so, the service's time as last seen and this machine's: either
        # may be wrong, and where they differ the service is the judge.
        now = self._clock.wall()
        seen = self._client.seen
        if seen is not None:
            now = min(now, seen.now(self._clock))
        return self._logins.resolve(now)

    def _who(self, principal: str, logins: ResolvedLogins | None) -> Who:
        settings = self._settings
        credentials_key = settings.credentials_key(principal, self._logins.providers)
        self.last_known = Who(principal, settings.identity_key(principal), credentials_key, logins)
        return self.last_known

    def _may_drop(self, identity_id: str | None, logins: ResolvedLogins) -> bool:
        """An identity that the user or a back end named is theirs to correct."""
        return identity_id is not None and self._settings.identity_id is None and logins.identity_id is None
