"""
Identities of a pool: list them, look at one, delete some.

The service answers in pages of 60 and deletes 60 at once; here are any number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..errors import ConfigurationError, clean, replaced
from ..regions import is_pool_id
from .client import Clients, checked_region, region_of_pool
from .failures import worded

BATCH: Final = 60
"""The most identities of one answer of ListIdentities, and of one request of DeleteIdentities."""


@dataclass(frozen=True, slots=True)
class Identity:
    """
    An identity, as the service describes it.

    Attributes:
        identity_id: ``REGION:GUID``.
        logins: Login providers that are linked, the developer provider among them. A guest has none, and nor
            has an identity that is disabled.
        created: When it was made.
        modified: When its logins changed last.
    """

    identity_id: str
    logins: tuple[str, ...]
    created: datetime
    modified: datetime


@dataclass(frozen=True, slots=True)
class Unprocessed:
    """
    An identity that the service did not delete.

    Attributes:
        identity_id: ``REGION:GUID``.
        code: ``AccessDenied`` or ``InternalServerError``.
    """

    identity_id: str
    code: str


Deleting = Callable[[Sequence[str], Sequence[Unprocessed]], None]
"""Called for each request of `delete_identities`: what it deleted, and what it did not."""


def list_identities(pool_id: str, session: Any = None, *, hide_disabled: bool = False) -> Iterator[Identity]:
    """
    List the identities of a pool.

    Args:
        pool_id: ``REGION:GUID``.
        session: Whose credentials sign: a `boto3.Session`, a botocore session, or None for boto3's settings.
        hide_disabled: Whether to leave out identities that are disabled, as a merge does.

    Returns:
        An iterator that asks for the next page when it is needed, and holds one page.

    Raises:
        ConfigurationError: The id is none, or there are no credentials.
        CognitoCredentialsError: While iterating, too: the service refuses or cannot be reached.

    Source: Cognito Identity API, ListIdentities.
    """
    client = Clients(session).of(region_of_pool(pool_id, "the pool id"))
    request: dict[str, Any] = {"IdentityPoolId": pool_id, "MaxResults": BATCH}
    return _pages(client, {**request, "HideDisabled": True} if hide_disabled else request)


def describe_identity(identity_id: str, session: Any = None) -> Identity:
    """
    Describe one identity.

    Args:
        identity_id: ``REGION:GUID``.
        session: As of `list_identities`.

    Raises:
        ConfigurationError: The id is none, or there are no credentials.
        IdentityNotFoundError: There is no such identity.
        CognitoCredentialsError: The service refuses or cannot be reached.

    Source: Cognito Identity API, DescribeIdentity.
    """
    client = Clients(session).of(region_of_identity(identity_id))
    with replaced(Exception, by=worded):
        return _identity(client.describe_identity(IdentityId=identity_id))


def delete_identities(
    identity_ids: Iterable[str], session: Any = None, *, deleting: Deleting | None = None
) -> list[Unprocessed]:
    """
    Delete identities, for ever. It is safe to run twice: one that is gone counts as deleted.

    Args:
        identity_ids: ``REGION:GUID``, of any pools and regions. All are checked before the first request.
        session: As of `list_identities`.
        deleting: Called after each request. Where this function is interrupted, what was reported is done.

    Returns:
        Those that the service did not delete.

    Raises:
        ConfigurationError: An id is none, or there are no credentials.
        CognitoCredentialsError: The service refuses or cannot be reached.

    Source: Cognito Identity API, DeleteIdentities.
    """
    regions: dict[str, list[str]] = {}
    for identity_id in dict.fromkeys(identity_ids):
        regions.setdefault(region_of_identity(identity_id), []).append(identity_id)
    clients = Clients(session)
    unprocessed: list[Unprocessed] = []
    for region, ids in regions.items():
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            left = _delete(clients.of(region), batch)
            unprocessed += left
            if deleting is not None:
                kept = {each.identity_id for each in left}
                deleting([each for each in batch if each not in kept], left)
    return unprocessed


def region_of_identity(identity_id: str) -> str:
    """
    Return the region of the identity with *identity_id*.

    Raises:
        ConfigurationError: It is no id of an identity.
    """
    if not is_pool_id(identity_id):  # ids of identities look the same
        raise ConfigurationError(
            f"the identity id: '{clean(identity_id, 80)}' is not REGION:GUID",
            hint="'cognito-credentials identities list POOL' shows the ids",
            topic="E-IDENTITY-ID",
        )
    return checked_region(identity_id.partition(":")[0], "the identity id")


def _pages(client: Any, request: Mapping[str, Any]) -> Iterator[Identity]:
    token: str | None = None
    while True:
        with replaced(Exception, by=worded):
            answer = client.list_identities(**request, **({"NextToken": token} if token else {}))
        yield from map(_identity, answer.get("Identities", ()))
        token = answer.get("NextToken")
        if not token:
            return


def _delete(client: Any, batch: list[str]) -> list[Unprocessed]:
    with replaced(Exception, by=worded):
        answer = client.delete_identities(IdentityIdsToDelete=batch)
    return [
        Unprocessed(str(each.get("IdentityId")), str(each.get("ErrorCode")))
        for each in answer.get("UnprocessedIdentityIds", ())
    ]


def _identity(description: Mapping[str, Any]) -> Identity:
    return Identity(
        str(description["IdentityId"]),
        tuple(description.get("Logins", ())),
        description["CreationDate"],
        description["LastModifiedDate"],
    )
