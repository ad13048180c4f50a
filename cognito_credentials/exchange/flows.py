"""
Which calls, in which order.

    enhanced    GetId -> GetCredentialsForIdentity                     the default
    basic       GetId -> GetOpenIdToken -> AssumeRoleWithWebIdentity   one's own role, duration and policy

GetId is left out where the identity is known. The id in an answer is the one that counts: after a merge it
is not the one that was asked with. The OpenID token is never kept.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from ..credentials import LONGEST_LIFETIME_SECONDS, SHORTEST_LIFETIME_SECONDS, TemporaryCredentials, iso
from ..errors import ClockSkewError, ServiceError
from .actions import Action, Failure

if TYPE_CHECKING:
    from ..clock import ServerTime
    from ..secret import Secret
    from ..settings.settings import Settings
    from .client import CognitoClient

LEAST_GIVEN_SECONDS: Final = 15 * 60
"""The least DurationSeconds of STS. Source: .github/SERVICE.md#9.2.2."""
COGNITO_BEGAN: Final = 1_404_950_400
"""10 July 2014, when Cognito began: credentials of before that are never right, whatever the clock says.

Source: https://aws.amazon.com/blogs/aws/category/amazon-cognito/.
"""


@dataclasses.dataclass(frozen=True)
class Exchanged:
    """What came of it."""

    identity_id: str
    """Whose credentials they are; adopt it."""
    credentials: TemporaryCredentials
    seen: ServerTime
    """The service's time at receipt, as far as known."""


def exchange(
    client: CognitoClient,
    settings: Settings,
    identity_id: str | None,
    tokens: Mapping[str, Secret],
    on_identity: Callable[[str], None],
) -> Exchanged:
    """
    Get credentials.

    Args:
        client: The wire.
        settings: Which flow and role.
        identity_id: The identity, where it is known.
        tokens: Login provider name to token; empty for a guest.
        on_identity: Called with a new identity id as soon as there is one.

    Raises:
        Failure: There are none.
    """
    try:
        identity_id = _known(client, settings, identity_id, tokens, on_identity)
        if settings.flow == "basic":
            identity_id, token = client.get_open_id_token(identity_id, tokens)
            credentials = client.assume_role_with_web_identity(token, is_guest=not tokens)
        else:
            identity_id, credentials = client.get_credentials_for_identity(
                identity_id, tokens, settings.custom_role_arn
            )
        return Exchanged(identity_id, credentials, _checked_lifetime(client, credentials))
    finally:
        client.close()


def open_id_token(
    client: CognitoClient,
    settings: Settings,
    identity_id: str | None,
    tokens: Mapping[str, Secret],
    on_identity: Callable[[str], None],
) -> tuple[str, Secret]:
    """
    Get an OpenID token of the identity, for use without any IAM role.

    Returns:
        The identity id and the token, which lasts ten minutes.

    Raises:
        Failure: There is none.
    """
    try:
        identity_id = _known(client, settings, identity_id, tokens, on_identity)
        return client.get_open_id_token(identity_id, tokens)
    finally:
        client.close()


def get_identity(
    client: CognitoClient,
    settings: Settings,
    tokens: Mapping[str, Secret],
    on_identity: Callable[[str], None],
) -> str:
    """
    Get the identity id that *tokens* have; for a guest, a new one.

    Raises:
        Failure: There is none.
    """
    try:
        return _known(client, settings, None, tokens, on_identity)
    finally:
        client.close()


def unlink(
    client: CognitoClient,
    settings: Settings,
    identity_id: str | None,
    tokens: Mapping[str, Secret],
    on_identity: Callable[[str], None],
    provider: str,
) -> None:
    """
    Take the login of *provider* off the identity that *tokens* have.

    Raises:
        Failure: It is still there.
    """
    try:
        known = _known(client, settings, identity_id, tokens, on_identity)
        client.unlink_identity(known, tokens, [provider])
    finally:
        client.close()


def _known(
    client: CognitoClient,
    settings: Settings,
    identity_id: str | None,
    tokens: Mapping[str, Secret],
    on_identity: Callable[[str], None],
) -> str:
    known = settings.identity_id or identity_id
    if known is None:
        known = client.get_id(tokens)
        on_identity(known)
    return known


def _checked_lifetime(client: CognitoClient, credentials: TemporaryCredentials) -> ServerTime:
    """
    Refuse credentials that have ended, or that end so late that the answer cannot be true.

    Judged by the service's own time, so that a wrong clock here neither refuses nor accepts anything.
    """
    seen = client.received()
    if seen is None:
        return _assumed_time(client, credentials.expires_at)
    now = seen.wall + seen.offset
    if not SHORTEST_LIFETIME_SECONDS <= credentials.expires_at - now <= LONGEST_LIFETIME_SECONDS:
        raise _impossible(credentials.expires_at, f"by its own time it was {_moment(now)}")
    return seen


def _assumed_time(client: CognitoClient, expires_at: int) -> ServerTime:
    """
    Tell the service's time where no answer did (a proxy took the `Date` out).

    This machine's clock is believed where it fits to the credentials. Where it does not, it is it that is
    wrong: the service gives none for less than 15 minutes, so they are taken for that long, and never used
    after their end. Only what has ended already by this clock is refused, since SDKs go by this clock, too.
    """
    here = client.assume()
    lifetime = expires_at - here.wall
    if SHORTEST_LIFETIME_SECONDS <= lifetime <= LONGEST_LIFETIME_SECONDS:
        return here
    if lifetime > 0:
        return client.assume(expires_at - LEAST_GIVEN_SECONDS)
    if expires_at < COGNITO_BEGAN:
        raise _impossible(expires_at, "there was no Cognito")
    raise Failure(
        Action.STOP,
        ClockSkewError(
            f"the service gave credentials that end at {_moment(expires_at)}, and by this machine's clock it "
            f"is {_moment(here.wall)}",
            hint="Set this machine's clock; the service's answers do not tell its time",
            code="InvalidExpiration",
        ),
    )


def _impossible(expires_at: int, when: str) -> Failure:
    return Failure(
        Action.WAIT,
        ServiceError(
            f"the service gave credentials that end at {_moment(expires_at)}, when {when}",
            hint=f"Credentials must last {SHORTEST_LIFETIME_SECONDS} seconds to "
            f"{LONGEST_LIFETIME_SECONDS // 3600} hours; a later try may succeed",
            code="InvalidExpiration",
        ),
    )


def _moment(seconds: int) -> str:
    try:
        return iso(seconds)
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s after 1970"
