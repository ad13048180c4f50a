"""
Which calls, in which order.

    enhanced    GetId -> GetCredentialsForIdentity                     the default
    basic       GetId -> GetOpenIdToken -> AssumeRoleWithWebIdentity   a chosen role, duration and policy

GetId is left out where the identity is known. The id in an answer is the one that counts. The OpenID token is
never kept.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from ..credentials import LONGEST_LIFETIME_SECONDS, SHORTEST_LIFETIME_SECONDS, TemporaryCredentials, iso
from ..errors import ClockSkewError, ServiceError
from .actions import Action, Failure

if TYPE_CHECKING:
    from ..clock import ServerTime
    from ..secret import Secret
    from ..settings.settings import Settings
    from .client import CognitoClient

    OnIdentity = Callable[[str], None]

LEAST_GIVEN_SECONDS: Final = 15 * 60
"""The least DurationSeconds of STS. Source: reference/service.md#9.2.2."""
COGNITO_BEGAN: Final = 1_404_950_400
"""10 July 2014, when Cognito began: credentials of before that are never right, whatever the clock says.

Source: https://aws.amazon.com/blogs/aws/category/amazon-cognito/.
"""
NOT_REACHED: Final = 4_102_444_800
"""1 January 2100. An end in the year 9999 or the like means "never", which no credentials of AWS have."""
MOST_BEHIND_SECONDS: Final = 10 * 365 * 86_400
"""How far a clock may be behind that has been set: an old image of a system starts at its own date."""


class Exchanged(NamedTuple):
    """Credentials, as the service gave them."""

    identity_id: str
    """The identity that they are for; after a merge it is not the one that was asked with."""
    credentials: TemporaryCredentials
    seen: ServerTime
    """The service's time at receipt, as far as known."""


class Flows:
    """
    The calls of one identity pool, each flow as one method.

    Each takes the identity id where it is known, the login tokens (none for a guest), and a function that is
    called with the identity id of each answer; `unlink` takes the login provider name, too. With a new
    identity id the function is called at once: should a later call fail, the identity is not lost.
    """

    __slots__ = ("_client", "_settings")

    def __init__(self, client: CognitoClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def credentials(
        self, identity_id: str | None, tokens: Mapping[str, Secret], on_identity: OnIdentity
    ) -> Exchanged:
        """
        Get credentials, by the flow and role of the settings.

        Raises:
            Failure: A call failed, or the credentials have an impossible lifetime.
        """
        client = self._client
        identity_id = self._known(identity_id, tokens, on_identity)
        if self._settings.flow == "basic":
            identity_id, token = client.get_open_id_token(identity_id, tokens)
            credentials = client.assume_role_with_web_identity(token, is_guest=not tokens)
        else:
            identity_id, credentials = client.get_credentials_for_identity(
                identity_id, tokens, self._settings.custom_role_arn
            )
        exchanged = Exchanged(identity_id, credentials, self._checked_lifetime(credentials))
        on_identity(identity_id)
        return exchanged

    def open_id_token(
        self, identity_id: str | None, tokens: Mapping[str, Secret], on_identity: OnIdentity
    ) -> Secret:
        """
        Get an OpenID token of the identity, for use without any IAM role.

        Returns:
            The token, which lasts ten minutes.

        Raises:
            Failure: A call failed.
        """
        identity_id = self._known(identity_id, tokens, on_identity)
        identity_id, token = self._client.get_open_id_token(identity_id, tokens)
        on_identity(identity_id)
        return token

    def identity(self, identity_id: str | None, tokens: Mapping[str, Secret], on_identity: OnIdentity) -> str:
        """
        Get the identity id that *tokens* have, or a new guest's; no request is made where it is known.

        The identity that a back end's token names is known, and may be new here.

        Raises:
            Failure: A call failed.
        """
        identity_id = self._known(identity_id, tokens, on_identity)
        on_identity(identity_id)
        return identity_id

    def unlink(
        self, identity_id: str | None, tokens: Mapping[str, Secret], on_identity: OnIdentity, provider: str
    ) -> None:
        """
        Take the login of *provider* off the identity that *tokens* have.

        Raises:
            Failure: It is still there.
        """
        known = self._known(identity_id, tokens, on_identity)
        self._client.unlink_identity(known, tokens, [provider])

    def _known(self, identity_id: str | None, tokens: Mapping[str, Secret], on_identity: OnIdentity) -> str:
        known = self._settings.identity_id or identity_id
        if known is None:
            known = self._client.get_id(tokens)
            on_identity(known)
        return known

    def _checked_lifetime(self, credentials: TemporaryCredentials) -> ServerTime:
        """
        Refuse credentials that have ended, or that end so late that the answer cannot be true.

        The service's own time decides, so that a wrong clock here neither refuses nor accepts anything.
        """
        if credentials.expires_at >= NOT_REACHED:  # also where the answer's `Date` is as late
            raise _impossible(credentials.expires_at, "no clock is as late")
        seen = self._client.received()
        if seen is None:
            return self._assumed_time(credentials.expires_at)
        now = seen.wall + seen.offset
        if not SHORTEST_LIFETIME_SECONDS <= credentials.expires_at - now <= LONGEST_LIFETIME_SECONDS:
            raise _impossible(credentials.expires_at, f"by its own time it was {_moment(now)}")
        return seen

    def _assumed_time(self, expires_at: int) -> ServerTime:
        """
        Work out the service's time where no answer has it (a proxy removed the `Date` header).

        This machine's clock is taken where it fits the credentials. Where it does not fit, the clock is
        wrong: the service gives no credentials for less than 15 minutes, so these are used for that long,
        and never after their end. Credentials that have ended already by this clock are refused, since SDKs
        go by this clock, too. So are those that end many years after a clock that has been set: what reads
        them would keep them until then.
        """
        here = self._client.assume()
        lifetime = expires_at - here.wall
        if SHORTEST_LIFETIME_SECONDS <= lifetime <= LONGEST_LIFETIME_SECONDS:
            return here
        if lifetime > MOST_BEHIND_SECONDS and here.wall >= COGNITO_BEGAN:
            raise _impossible(expires_at, f"by this machine's clock it was {_moment(here.wall)}")
        if lifetime > 0:
            return self._client.assume(expires_at - LEAST_GIVEN_SECONDS)
        if expires_at < COGNITO_BEGAN:
            raise _impossible(expires_at, "there was no Cognito")
        raise Failure(
            Action.STOP,
            ClockSkewError(
                f"the service gave credentials that end at {_moment(expires_at)}, and by this machine's "
                f"clock it is {_moment(here.wall)}",
                hint="Set this machine's clock; the service's answers do not tell its time",
                code="InvalidExpiration",
            ),
        )


def _impossible(expires_at: int, when: str) -> Failure:
    return Failure(
        Action.WAIT,
        ServiceError(
            f"the service gave credentials that end at {_moment(expires_at)}, and {when}",
            hint=f"Credentials must last {SHORTEST_LIFETIME_SECONDS} seconds to "
            f"{LONGEST_LIFETIME_SECONDS // 3600} hours; a later try may succeed",
            code="InvalidExpiration",
            topic="E-ANSWER",
        ),
    )


def _moment(seconds: int) -> str:
    try:
        return iso(seconds)
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s after 1970"
