"""
The service in, pools out: one with all that belongs to it, the list of all, and which id a name has.

One pool costs two requests, and one for each provider whose principal tags are asked for. Its tags come with
its other members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...errors import IdentityNotFoundError, RefusedError, replaced
from ..client import Clients, checked_region, region_of_pool
from ..failures import code_of, worded
from .members import SETTINGS, Members, has_tag_map, live_mappings, normalised, own_tags, pool_arn, providers
from .written import toml

_PAGE: Final = 60
_LONGEST_TAGGED: Final = 128
"""
Characters of a provider that may have principal tags; the ARN of an OIDC provider may be longer.

Source: Cognito Identity API, GetPrincipalTagAttributeMap, IdentityProviderName.
"""


@dataclass(frozen=True)
class PoolSummary:
    """
    A pool in the list of pools.

    Attributes:
        pool_id: ``REGION:GUID``.
        name: Several pools may have one name.
    """

    pool_id: str
    name: str


def list_pools(session: Any = None, *, region: str | None = None) -> Iterator[PoolSummary]:
    """
    List the identity pools of a region, page by page, in the service's order.

    Args:
        session: Whose credentials sign: a `boto3.Session`, a botocore session, or None for boto3's settings.
        region: The session's without it.

    Raises:
        CognitoCredentialsError: The service refuses or cannot be reached.
    """
    clients = Clients(session)
    return listed(clients, clients.region() if region is None else checked_region(region, "the region"))


def export(pool_id: str, session: Any = None) -> str:
    """
    Return the TOML file that describes a pool, with its roles, role mappings, principal tags and tags.

    `plan` of that file shows no change, and the emulator takes it as a seed.

    Args:
        pool_id: ``REGION:GUID``.
        session: As for `list_pools`.

    Raises:
        ConfigurationError: The id is none.
        IdentityNotFoundError: There is no such pool.
        CognitoCredentialsError: The service refuses or cannot be reached.
    """
    region_of_pool(pool_id, "the pool id")
    clients = Clients(session)
    found = read_pool(clients, pool_id, providers)
    return toml({"IdentityPoolId": pool_id, **found, "RoleMappings": live_mappings(found)})


def listed(clients: Clients, region: str) -> Iterator[PoolSummary]:
    """Yield the pools of *region*."""
    with replaced(Exception, by=worded):
        paginator = clients.of(region).get_paginator("list_identity_pools")
        pages = iter(paginator.paginate(MaxResults=_PAGE))
    while True:
        with replaced(Exception, by=worded):
            page = next(pages, None)
        if page is None:
            return
        for each in page["IdentityPools"]:
            yield PoolSummary(each["IdentityPoolId"], each["IdentityPoolName"])


def read_pool(
    clients: Clients, pool_id: str, wanted: Callable[[Members], set[str]], place: str = ""
) -> Members:
    """
    Read a pool.

    Args:
        wanted: Takes the pool's members, and names the providers whose principal tags are to be read.
        place: What names the pool, for the error where it does not exist.

    Raises:
        IdentityNotFoundError: It does not exist.
    """

    def not_there(error: Exception) -> BaseException | None:
        if code_of(error) != "ResourceNotFoundException":
            return worded(error)
        found = IdentityNotFoundError(
            f"{place + ': ' if place else ''}there is no identity pool '{pool_id}' in the account of these "
            "credentials",
            hint="Check the id and whose credentials sign. Without an id a pool is found by its name",
            topic="E-POOL-GONE",
        )
        found.is_answer = True
        return found

    client = clients.of(pool_id.partition(":")[0])
    with replaced(Exception, by=not_there):
        members = client.describe_identity_pool(IdentityPoolId=pool_id)
        roles = client.get_identity_pool_roles(IdentityPoolId=pool_id)
    found = {name: members[name] for name in SETTINGS if name in members}
    found.update({name: roles[name] for name in ("Roles", "RoleMappings") if name in roles})
    found["IdentityPoolTags"] = tags_of(members, clients, pool_id)
    found["PrincipalTags"] = read_tag_maps(
        client, pool_id, sorted(name for name in wanted(found) if len(name) <= _LONGEST_TAGGED)
    )
    return normalised(found)


def read_tag_maps(client: Any, pool_id: str, names: list[str]) -> dict[str, Members]:
    """Read the principal tags of providers; those without a map are left out."""
    found = {}
    for name in names:
        with replaced(Exception, by=worded):
            answer = client.get_principal_tag_attribute_map(IdentityPoolId=pool_id, IdentityProviderName=name)
        if has_tag_map(answer):
            found[name] = {
                "UseDefaults": bool(answer.get("UseDefaults")),
                "PrincipalTags": dict(answer.get("PrincipalTags") or {}),
            }
    return found


def tags_of(answer: Mapping[str, Any], clients: Clients, pool_id: str) -> dict[str, str]:
    """
    Return the tags of a pool from its description, or from ListTagsForResource.

    Older descriptions leave them out: they may exist.
    """
    tags = answer.get("IdentityPoolTags")
    if tags is None:
        with replaced(Exception, by=worded):
            client, arn = clients.of(pool_id.partition(":")[0]), arn_of(clients, pool_id)
            tags = client.list_tags_for_resource(ResourceArn=arn)["Tags"]
    return own_tags(tags)


def arn_of(clients: Clients, pool_id: str) -> str:
    """
    Return the ARN of a pool, which its tags are addressed by.

    Raises:
        RefusedError: Nothing tells the account of the credentials.
    """
    account = clients.account(pool_id.partition(":")[0])
    if account is None:
        raise RefusedError(
            "the tags of a pool need its account, and STS does not tell whose these credentials are",
            hint="Set AWS_ACCOUNT_ID to the account's 12 digits",
            topic="E-DENIED",
        )
    return pool_arn(pool_id, account)
