"""
The wire: one method for each operation of Cognito Identity and STS that this package calls.

Requests are unsigned. Endpoints, FIPS, dual stack, proxies, CA bundles, request format and retries are as
botocore has them; no config file is read here and no credentials are looked for: a credential provider that
asked the chain for credentials would ask itself.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..clock import observe
from ..credentials import TemporaryCredentials, is_plain
from ..errors import ConfigurationError
from ..secret import Secret
from .actions import Action, Failure
from .calls import SPARING, WHO, Calls
from .faults import InvalidAnswerError

if TYPE_CHECKING:
    from ..budget.budget import Budget
    from ..clock import Clock, ServerTime
    from ..settings.settings import Settings

ATTEMPTS: Final = 3
TOKEN_LIMIT: Final = 20_000
"""Characters of a WebIdentityToken at most. Source: reference/service.md#9.2.1."""
_IDENTITY_ID = re.compile(r"[\w-]+:[0-9a-f-]+", re.ASCII)
_ACCOUNT = re.compile(r"arn:[\w-]+:(?:sts|iam)::([0-9]{12}):", re.ASCII)


class CognitoClient:
    """
    Talks to Cognito Identity and STS for one identity pool.

    Args:
        environ: Says where CA bundles are, and whether FIPS and dual stack are wanted. Proxies are looked
            up in the process's own environment.
        rng: Spreads retries.
        attempts: How often a request is sent at most when the network or service fails.
        budget: Lets each request wait for its turn; None where there is none.
    """

    __slots__ = ("_calls", "_clock", "_settings")

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        environ: Mapping[str, str] = os.environ,
        *,
        rng: random.Random | None = None,
        attempts: int = ATTEMPTS,
        budget: Budget | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        # Not for secrets: it only spreads retries.
        rng = rng or random.Random()  # noqa: S311
        self._calls = Calls(settings, clock, environ, rng, attempts, budget)

    @property
    def seen(self) -> ServerTime | None:
        """The service's time as last observed; None before the first trusted `Date`."""
        return self._calls.seen

    @property
    def crowds(self) -> int:
        """How many calls were made while many users came at once, as the fleet's budget saw it."""
        return self._calls.crowds

    @contextlib.contextmanager
    def sparing(self) -> Iterator[None]:
        """
        Send each request only once inside this block. It is for refreshes for which no caller waits.

        The block may run work by `with_deadline`; that is included.
        """
        reset = SPARING.set(True)
        try:
            yield
        finally:
            SPARING.reset(reset)

    @contextlib.contextmanager
    def on_behalf_of(self, who: str) -> Iterator[None]:
        """Send what is sent inside this block for the user *who*, a hash; else as `sparing`."""
        reset = WHO.set(who)
        try:
            yield
        finally:
            WHO.reset(reset)

    def received(self) -> ServerTime | None:
        """
        Return the service's time at its last answer, worked out from an earlier one if it had no `Date`.

        Returns:
            None if no answer had a trusted `Date`: only this machine's clock is left, which may be wrong.
        """
        answered, seen = self._calls.answered, self._calls.seen
        return answered if answered or seen is None else self.assume(seen.now(self._clock))

    def assume(self, server_seconds: float | None = None) -> ServerTime:
        """Return *server_seconds* as the service's time now; by default what this machine's clock says."""
        return observe(self._clock, server_seconds)

    def get_id(self, tokens: Mapping[str, Secret]) -> str:
        """
        Ask for the identity that owns *tokens*; without tokens, for a new guest identity.

        The account id is not sent although the API takes one: it is optional, `account_id` is often there
        for other reasons (CI sets AWS_ACCOUNT_ID), and one that is not the pool's makes the pool "not found".

        Raises:
            Failure: The call failed, or its answer is not valid.
        """
        pool_id = self._settings.identity_pool_id
        return self._calls.call(
            "GetId",
            lambda: {"IdentityPoolId": pool_id, **_logins(tokens)},
            self._identity_id,
            tokens,
        )

    def get_credentials_for_identity(
        self, identity_id: str, tokens: Mapping[str, Secret], custom_role_arn: str | None = None
    ) -> tuple[str, TemporaryCredentials]:
        """
        Trade an identity and its logins for credentials.

        Returns:
            The identity they are for, which after a merge is another one, and the credentials.

        Raises:
            Failure: The call failed, or its answer is not valid.
        """
        operation = "GetCredentialsForIdentity"
        role = {"CustomRoleArn": custom_role_arn} if custom_role_arn else {}
        account_id = self._account_id(custom_role_arn)
        return self._calls.call(
            operation,
            lambda: {"IdentityId": identity_id, **_logins(tokens), **role},
            lambda answer: (
                self._identity_id(answer),
                TemporaryCredentials.from_cognito(answer.get("Credentials", {}), account_id),
            ),
            tokens,
        )

    def get_open_id_token(self, identity_id: str, tokens: Mapping[str, Secret]) -> tuple[str, Secret]:
        """
        Get a token by which Cognito vouches for the identity, valid for ten minutes.

        Returns:
            The identity it is for, which after a merge is another one, and the token.

        Raises:
            Failure: The call failed, or its answer is not valid.
        """
        return self._calls.call(
            "GetOpenIdToken",
            lambda: {"IdentityId": identity_id, **_logins(tokens)},
            lambda answer: (self._identity_id(answer), _open_id_token(answer)),
            tokens,
        )

    def assume_role_with_web_identity(self, token: Secret, *, is_guest: bool) -> TemporaryCredentials:
        """
        Trade an OpenID token of Cognito for the credentials of the role in the settings.

        Args:
            token: From `get_open_id_token`.
            is_guest: Whether the token was issued without logins.

        Raises:
            Failure: The call failed, or its answer is not valid.
        """
        settings = self._settings
        if settings.role_arn is None:
            raise Failure(
                Action.STOP,
                ConfigurationError(
                    "the basic flow needs a role",
                    hint="Set role_arn (cognito_role_arn), or flow = enhanced",
                    topic="E-FLOW",
                ),
            )
        wanted = {
            "RoleArn": settings.role_arn,
            "RoleSessionName": settings.role_session_name or "cognito-credentials",
            "DurationSeconds": settings.duration_seconds,
            "Policy": settings.policy,
        }
        given = {name: value for name, value in wanted.items() if value is not None}

        def read(answer: dict[str, Any]) -> TemporaryCredentials:
            user = answer.get("AssumedRoleUser")
            arn = user.get("Arn") if isinstance(user, dict) else None
            return TemporaryCredentials.from_sts(answer.get("Credentials", {}), self._account_id(arn))

        return self._calls.call(
            "AssumeRoleWithWebIdentity",
            lambda: {**given, "WebIdentityToken": token.reveal()},
            read,
            {"": token},
            is_guest=is_guest,
        )

    def unlink_identity(self, identity_id: str, tokens: Mapping[str, Secret], providers: list[str]) -> None:
        """
        Take logins off an identity; without its last one it can never be used again.

        Args:
            tokens: At least one login that the identity has.
            providers: Names of the logins to take off.

        Raises:
            Failure: The call failed; the logins are still linked.
        """
        self._calls.call(
            "UnlinkIdentity",
            lambda: {"IdentityId": identity_id, **_logins(tokens), "LoginsToRemove": providers},
            lambda _: None,
            tokens,
        )

    def _identity_id(self, answer: dict[str, Any]) -> str:
        """Read the identity id, which is kept for good: one of another region cannot be this pool's."""
        found = answer.get("IdentityId")
        if not (isinstance(found, str) and len(found) <= 55 and _IDENTITY_ID.fullmatch(found)):
            raise InvalidAnswerError("no valid identity id")
        if found.partition(":")[0] != self._settings.region:
            raise InvalidAnswerError("an identity id of another region")
        return found

    def _account_id(self, arn: object) -> str | None:
        """The account: as set, or of *arn*, whose role is where the credentials live."""
        if self._settings.account_id:
            return self._settings.account_id
        found = _ACCOUNT.match(arn) if isinstance(arn, str) else None
        return found[1] if found else None


def close_idle_connections() -> None:
    """Close the idle connections of this process; the next call opens what it needs."""
    transport = sys.modules.get(f"{__package__}.transport")  # not loaded: there are none
    if transport is not None:
        transport.close_idle()


def _logins(tokens: Mapping[str, Secret]) -> dict[str, Any]:
    return {"Logins": {name: token.reveal() for name, token in tokens.items()}} if tokens else {}


def _open_id_token(answer: dict[str, Any]) -> Secret:
    found = answer.get("Token")
    if not (isinstance(found, str) and 0 < len(found) <= TOKEN_LIMIT and is_plain(found)):
        raise InvalidAnswerError("no valid token")
    return Secret(found)
