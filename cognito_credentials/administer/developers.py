"""
Developer users: people whom an app's own back end authenticates, under the developer provider name of a pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ..developer.back_end import LONGEST_DURATION, OPERATION, DeveloperToken
from ..developer.silence import silence
from ..errors import ConfigurationError, PoolMisconfiguredError, ServiceError, replaced
from ..secret import Secret
from .client import Clients, region_of_pool
from .failures import worded
from .identities import BATCH, Identity, describe_identity, region_of_identity

DURATION: Final = 900
"""Seconds that a token works where none are given. Source: Cognito Identity API, TokenDuration."""


@dataclass(frozen=True, slots=True)
class DeveloperIdentity:
    """
    An identity and its developer users.

    Attributes:
        identity_id: ``REGION:GUID``.
        users: Developer user identifiers; an identity may have several.
    """

    identity_id: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """
    What `merge_developers` would do.

    Attributes:
        ends: The identity of the user who is merged. It is disabled for ever.
        ending_users: Its developer users.
        survives: The identity of the other user. It gets all logins and users.
        surviving_users: Its developer users so far.
    """

    ends: Identity
    ending_users: tuple[str, ...]
    survives: Identity
    surviving_users: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        """Whether both users have the same identity already."""
        return self.ends.identity_id == self.survives.identity_id


def developer_provider(pool_id: str, session: Any = None) -> str:
    """
    Return the developer provider name of a pool.

    Args:
        pool_id: ``REGION:GUID``.
        session: Whose credentials sign: a `boto3.Session`, a botocore session, or None for boto3's settings.

    Raises:
        PoolMisconfiguredError: The pool has none.
        CognitoCredentialsError: There is no such pool, or the service refuses or cannot be reached.
    """
    with replaced(Exception, by=worded):
        pool = _client(pool_id, session).describe_identity_pool(IdentityPoolId=pool_id)
    name = pool.get("DeveloperProviderName")
    if not name:
        raise PoolMisconfiguredError(
            f"the identity pool {pool_id} has no developer provider name, and so no developer users",
            hint="Give the pool a DeveloperProviderName, or choose another pool",
            topic="E-DEVELOPER",
        )
    return str(name)


def developer_token(
    pool_id: str,
    user: str,
    session: Any = None,
    *,
    provider: str | None = None,
    duration_seconds: int | None = None,
) -> DeveloperToken:
    """
    Get a token of a developer user, for tests. A user who is new gets an identity.

    A back end has more to consider: `cognito_credentials.back_end.developer_token`.

    Args:
        pool_id: ``REGION:GUID``.
        user: The app's own name of the user.
        session: As of `developer_provider`.
        provider: The developer provider name; None to ask the pool.
        duration_seconds: How long the token works, 1 to 86400; None for 15 minutes. It cannot be revoked.

    Raises:
        ConfigurationError: An argument is malformed, or there are no credentials.
        CognitoCredentialsError: The service refuses or cannot be reached.

    Source: Cognito Identity API, GetOpenIdTokenForDeveloperIdentity.
    """
    if duration_seconds is not None and not 1 <= duration_seconds <= LONGEST_DURATION:
        raise ConfigurationError(
            f"the duration is {duration_seconds} seconds",
            hint=f"Give 1 to {LONGEST_DURATION} seconds",
            topic="E-DEVELOPER",
        )
    _check_user(user)
    client, name = _client(pool_id, session), _provider(pool_id, session, provider)
    duration = {} if duration_seconds is None else {"TokenDuration": duration_seconds}
    with replaced(Exception, by=_without_answer), silence():
        answer = client.get_open_id_token_for_developer_identity(
            IdentityPoolId=pool_id, Logins={name: user}, **duration
        )
        return DeveloperToken(str(answer["IdentityId"]), Secret(answer["Token"]))


def lookup_developer(
    pool_id: str, session: Any = None, *, user: str | None = None, identity_id: str | None = None
) -> DeveloperIdentity:
    """
    Find the identity of a developer user, or the developer users of an identity.

    Args:
        pool_id: ``REGION:GUID``.
        session: As of `developer_provider`.
        user: The app's own name of the user.
        identity_id: In place of *user*.

    Raises:
        ConfigurationError: Not exactly one of the two is given, an id is none, or there are no credentials.
        IdentityNotFoundError: There is no such user or identity.
        CognitoCredentialsError: The service refuses or cannot be reached.

    Source: Cognito Identity API, LookupDeveloperIdentity.
    """
    if (user is None) == (identity_id is None):
        raise ConfigurationError(
            "a lookup needs a user or an identity", hint="Give one of the two", topic="E-DEVELOPER"
        )
    request: dict[str, Any] = {"IdentityPoolId": pool_id, "MaxResults": BATCH}
    if identity_id is None:
        _check_user(user)
        request["DeveloperUserIdentifier"] = user
    else:
        _check_region(pool_id, identity_id)
        request["IdentityId"] = identity_id
    client = _client(pool_id, session)
    users: list[str] = []
    while True:
        with replaced(Exception, by=worded):
            answer = client.lookup_developer_identity(**request)
        users += answer.get("DeveloperUserIdentifierList", ())
        if not answer.get("NextToken"):
            return DeveloperIdentity(str(answer["IdentityId"]), tuple(users))
        request["NextToken"] = answer["NextToken"]


def plan_merge(pool_id: str, source: str, destination: str, session: Any = None) -> Merge:
    """
    Find out what `merge_developers` would do, which is for ever.

    Raises the errors of `lookup_developer`.
    """
    ends = lookup_developer(pool_id, session, user=source)
    survives = lookup_developer(pool_id, session, user=destination)
    return Merge(
        describe_identity(ends.identity_id, session),
        ends.users,
        describe_identity(survives.identity_id, session),
        survives.users,
    )


def merge_developers(
    pool_id: str, source: str, destination: str, session: Any = None, *, provider: str | None = None
) -> str:
    """
    Give the identity of one developer user to another one, for ever.

    All logins and developer users of the source's identity move to the destination's, and the source's is
    disabled.

    Args:
        pool_id: ``REGION:GUID``.
        source: The user whose identity ends.
        destination: The user whose identity survives.
        session: As of `developer_provider`.
        provider: As of `developer_token`.

    Returns:
        The id of the identity that survives.

    Raises:
        ConfigurationError: The pool id is none, or there are no credentials.
        IdentityNotFoundError: There is no such user.
        CognitoCredentialsError: The service refuses, as where both have a login of the same provider, or
            cannot be reached.

    Source: Cognito Identity API, MergeDeveloperIdentities.
    """
    _check_user(source)
    _check_user(destination)
    client, name = _client(pool_id, session), _provider(pool_id, session, provider)
    with replaced(Exception, by=worded):
        answer = client.merge_developer_identities(
            IdentityPoolId=pool_id,
            DeveloperProviderName=name,
            SourceUserIdentifier=source,
            DestinationUserIdentifier=destination,
        )
        return str(answer["IdentityId"])


def unlink_developer(
    pool_id: str, identity_id: str, user: str, session: Any = None, *, provider: str | None = None
) -> None:
    """
    Take a developer user off an identity. The user counts as new next time.

    An identity that has no login left is disabled, for ever.

    Args:
        pool_id: ``REGION:GUID``.
        identity_id: The identity that the user has.
        user: The app's own name of the user.
        session: As of `developer_provider`.
        provider: As of `developer_token`.

    Raises:
        ConfigurationError: An id is none, or there are no credentials.
        IdentityNotFoundError: There is no such identity or user.
        CognitoCredentialsError: The service refuses or cannot be reached.

    Source: Cognito Identity API, UnlinkDeveloperIdentity.
    """
    _check_region(pool_id, identity_id)
    _check_user(user)
    client, name = _client(pool_id, session), _provider(pool_id, session, provider)
    with replaced(Exception, by=worded):
        client.unlink_developer_identity(
            IdentityPoolId=pool_id,
            IdentityId=identity_id,
            DeveloperProviderName=name,
            DeveloperUserIdentifier=user,
        )


def _client(pool_id: str, session: Any) -> Any:
    return Clients(session).of(region_of_pool(pool_id, "the pool id"))


def _provider(pool_id: str, session: Any, provider: str | None) -> str:
    return developer_provider(pool_id, session) if provider is None else provider


def _check_region(pool_id: str, identity_id: str) -> None:
    here, there = region_of_pool(pool_id, "the pool id"), region_of_identity(identity_id)
    if here != there:
        raise ConfigurationError(
            f"the identity is of {there}, and the pool of {here}",
            hint="Give the pool that the identity is of",
            topic="E-DEVELOPER",
        )


def _check_user(user: str | None) -> None:
    if not user:
        raise ConfigurationError(
            "the name of the user is empty", hint="Give the app's own name of the user", topic="E-DEVELOPER"
        )


def _without_answer(error: Exception) -> BaseException:
    """Word any error: the answer has a token in it, which the frames of a parser would keep."""
    return worded(error) or ServiceError(
        f"{OPERATION}: the answer cannot be read ({type(error).__name__})", hint="Run it again"
    )
