"""
Which user asks, as which identity, and what is done when the service refuses an identity or a login.

This is the half of the policy that asks; `refresher.py` decides when. It finds the principal, exchanges the
logins for credentials, and recovers at most once per refresh: a refused identity is replaced, an expired
login token is asked for again. The second failure is the answer.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..cache.records import CredentialsRecord
from ..errors import ConfigurationError, ServiceError, clean
from ..exchange.deadline import with_deadline
from ..exchange.failures import Action, Failure
from ..exchange.flows import Flows
from ..logins.command import LOGIN_BUDGET
from . import policy
from .identities import Principal

T = TypeVar("T")
if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from ..clock import Clock
    from ..exchange.client import CognitoClient
    from ..logins import Logins, ResolvedLogins
    from ..secret import Secret
    from ..settings.settings import Settings
    from .identities import Identities

    Call = Callable[[str | None, Mapping[str, Secret], Callable[[str], None]], T]
    """One of the `Flows`: identity id, login tokens, and what to call with the identity id of an answer."""

_log = logging.getLogger(__name__)
_WHO_CHARACTERS = 20
"""Of a cache key, which tell the users of a fleet apart: 80 bits."""


class _Attempt(NamedTuple):
    """What one call is made with."""

    identity_id: str | None
    logins: ResolvedLogins
    refused: str | None
    """The identity that this attempt replaces."""


class Exchanger:
    """
    Exchanges one pool's logins for credentials, an identity id or an OpenID token.

    Login sources are asked for tokens only when a call needs them.
    """

    __slots__ = (
        "_client",
        "_clock",
        "_current_call",
        "_flows",
        "_identities",
        "_logins",
        "_settings",
        "last_principal",
    )

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
        self._identities = identities
        self._clock = clock
        self._current_call: object | None = None
        self.last_principal: Principal | None = None
        """The principal that was identified last: the best guess where only a token can tell."""

    @property
    def longest_wait(self) -> float:
        """Seconds to wait for another thread or process that may be doing the same exchange."""
        return policy.WAITER_BUDGET + (LOGIN_BUDGET if self._logins.can_be_slow else 0.0)

    def identify(self) -> Principal:
        """
        Find out which principal asks. Login tokens are asked for only if nothing else names it.

        Raises:
            LoginRequiredError: Only a login token names the principal, and no source gives one.
        """
        inputs = self.inputs()
        name = self._logins.principal()
        logins = None
        if name is None:
            logins = self._resolve()
            name = logins.principal
        return self._principal(name, logins, inputs)

    def inputs(self) -> tuple[str | None, ...]:
        """Name what each login would send now, as far as that is known without asking anybody."""
        return self._logins.inputs()

    def identify_offline(self) -> Principal | None:
        """Find out which principal asks, without a login token; None if only a token names it."""
        name = self._logins.principal()
        return None if name is None else self._principal(name, None, self.inputs())

    def new_credentials(self, principal: Principal, budget: float, rng: random.Random) -> CredentialsRecord:
        """
        Get new credentials.

        Args:
            budget: Seconds that the service may take, recovery included.
            rng: Spreads the moments at which many machines refresh.

        Raises:
            CognitoCredentialsError: The exchange failed, and recovery did not help.
        """
        # Within the small budget nobody waits. Then each request is sent once: a failure costs the service
        # little, and there is time for a later attempt.
        crowds = self._client.crowds
        nobody_waits = budget <= policy.ADVISORY_BUDGET
        with self._client.sparing() if nobody_waits else contextlib.nullcontext():
            result = self._recovering(principal, budget, self._flows.credentials)
        issued_at = result.seen.wall + result.seen.offset
        return CredentialsRecord(
            key=principal.credentials_key,
            identity_id=result.identity_id,
            credentials=result.credentials,
            issued_at=issued_at,
            refresh_at=policy.refresh_at(
                issued_at, result.credentials.expires_at, rng, spread=self._client.crowds > crowds
            ),
            seen=result.seen,
        )

    def new_identity(self, principal: Principal) -> str:
        """
        Return the identity id that the login itself names, or else ask the service for one (GetId).

        Raises:
            CognitoCredentialsError: The service did not give one.
        """
        return self._recovering(principal, policy.HOLDER_BUDGET, self._flows.identity)

    def open_id_token(self, principal: Principal) -> Secret:
        """
        Get an OpenID token of the identity (GetOpenIdToken).

        Raises:
            CognitoCredentialsError: The service did not give one.
        """
        return self._recovering(principal, policy.HOLDER_BUDGET, self._flows.open_id_token)

    def unlink(self, principal: Principal, provider: str) -> None:
        """
        Take the login of *provider* off the identity (UnlinkIdentity).

        Raises:
            CognitoCredentialsError: The service did not do it.
        """
        self._recovering(
            principal,
            policy.HOLDER_BUDGET,
            lambda identity_id, tokens, note: self._flows.unlink(identity_id, tokens, note, provider),
        )

    def _recovering(self, principal: Principal, budget: float, call: Call[T]) -> T:
        """Make *call*, and once more with another identity or other tokens if that may help."""
        attempt = self._first_attempt(principal)
        has_failed = False
        while True:
            # Only the service's time counts against the budget: login sources have their own limits.
            began = self._clock.elapsed()
            with self._client.on_behalf_of(principal.identity_key[:_WHO_CHARACTERS]):
                outcome = self._try(principal, attempt, max(budget, 0.1), call)
            if not isinstance(outcome, Failure):
                return outcome
            budget -= self._clock.elapsed() - began
            if has_failed:
                raise outcome.error
            has_failed = True
            attempt = self._second_attempt(principal, attempt, outcome)

    def _first_attempt(self, principal: Principal) -> _Attempt:
        logins = principal.logins or self._resolve()
        if logins.principal != principal.name:
            # Somebody else has signed in since `identify`. What these tokens get must not be kept under the
            # keys of the person before.
            raise ServiceError(
                "the login changed to another user's meanwhile", hint="Try again", topic="E-LOGIN-SOURCE"
            )
        return _Attempt(logins.identity_id or self._identities.known(principal), logins, None)

    def _second_attempt(self, principal: Principal, first: _Attempt, failure: Failure) -> _Attempt:
        """Change what the service refused; raise the failure's error where nothing can be changed."""
        identity_id, refused, logins = first.identity_id, None, first.logins
        if failure.action is Action.DROP_IDENTITY and self._may_drop(first):
            _log.debug("identity refused (%s), asking for another", failure.error.code)
            refused, identity_id = identity_id, self._identities.replace(principal, identity_id)
            if self._logins.can_change:
                logins = self._resolve()
        elif failure.action is Action.ASK_LOGIN_AGAIN:
            self._logins.reject(first.logins.tokens)
            if self._logins.can_change:
                logins = self._resolve()
            if logins.tokens == first.logins.tokens:
                raise failure.error
        else:
            raise failure.error
        return _Attempt(identity_id, logins, refused)

    def _may_drop(self, attempt: _Attempt) -> bool:
        """Tell whether the identity is ours to replace: one that settings or a back end name is not."""
        is_named = self._settings.identity_id is not None or attempt.logins.identity_id is not None
        return attempt.identity_id is not None and not is_named

    def _try(self, principal: Principal, attempt: _Attempt, seconds: float, call: Call[T]) -> T | Failure:
        """Make the call. A failure is returned, not raised, so that nothing of it is chained to the error."""
        this_call = self._current_call = object()

        def note(identity_id: str) -> None:
            # Noted as soon as the answer is here: an identity that is not written down is an orphan. But the
            # answer of a call whose deadline has passed must not replace an identity that was found since.
            if self._current_call is this_call or self._identities.known(principal) is None:
                self._identities.adopt(
                    principal, identity_id, asked=attempt.identity_id, refused=attempt.refused
                )

        try:
            return with_deadline(lambda: call(attempt.identity_id, attempt.logins.tokens, note), seconds)
        except Failure as failure:
            return failure
        finally:
            self._current_call = None

    def _resolve(self) -> ResolvedLogins:
        # A login token counts as expired when it is so by this machine's time and by the service's as last
        # seen. Either may be wrong, and where they differ the service decides.
        now = self._clock.wall()
        seen = self._client.seen
        if seen is not None:
            now = min(now, seen.now(self._clock))
        logins = self._logins.resolve(now)
        region = (logins.identity_id or self._settings.region).partition(":")[0]
        if region != self._settings.region:
            # Nothing of the service has confirmed that identity yet, and it would be kept.
            raise ConfigurationError(
                f"the developer token is for an identity in {clean(region, 40)}, and the identity pool is in "
                f"{self._settings.region}",
                hint="The back end must ask for it with the id of this identity pool, in its region",
                topic="E-DEVELOPER",
            )
        return logins

    def _principal(
        self, name: str, logins: ResolvedLogins | None, inputs: tuple[str | None, ...]
    ) -> Principal:
        settings = self._settings
        credentials_key = settings.credentials_key(name, self._logins.providers)
        identity_key, is_guest = settings.identity_key(name), self._logins.is_guest
        self.last_principal = Principal(name, identity_key, credentials_key, logins, is_guest, inputs)
        return self.last_principal
