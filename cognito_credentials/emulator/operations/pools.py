"""Operations on identity pools. Source: `reference/service.md#6.1` to `reference/service.md#6.5`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import invalid_parameter, pool_not_found
from cognito_credentials.emulator.model.names import new_id
from cognito_credentials.emulator.model.pagination import last_shown, page
from cognito_credentials.emulator.service import Caller, Service
from cognito_credentials.emulator.stored.pools import (
    IdentityPool,
    count_pools,
    delete_pool,
    insert_pool,
    list_pools,
    load_pool,
    update_pool,
)

_USER_POOL_PROVIDER = re.compile(
    r"(issuer-)?cognito-idp\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+/(?P=region)_[0-9A-Za-z]+"
)
_TAG = re.compile(r"[\w .:/=+@-]*")
_SETTINGS = (
    "IdentityPoolName",
    "AllowUnauthenticatedIdentities",
    "AllowClassicFlow",
    "SupportedLoginProviders",
    "DeveloperProviderName",
    "OpenIdConnectProviderARNs",
    "CognitoIdentityProviders",
    "SamlProviderARNs",
)


def create_identity_pool(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    tags = request.get("IdentityPoolTags", {})
    pool = IdentityPool(new_id(caller.region), pool_settings(request), tags)
    check_tags(tags)
    if count_pools(service.state, caller.region) >= assumed.POOL_LIMIT:
        raise assumed.pool_limit_exceeded()
    insert_pool(service.state, pool)
    return pool.described()


def describe_identity_pool(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    return pool_of_caller(service, request["IdentityPoolId"], caller).described()


def update_identity_pool(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Replaces all settings, but keeps the tags if none are given, and the developer provider's name."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    name = pool.developer_provider
    if name is not None and request.get("DeveloperProviderName", name) != name:
        raise assumed.developer_provider_fixed()
    unchanged = {} if name is None else {"DeveloperProviderName": name}
    settings = pool_settings({**request, **unchanged})
    tags = request.get("IdentityPoolTags", pool.tags)
    check_tags(tags)
    updated = replace(pool, settings=settings, tags=tags)
    update_pool(service.state, updated)
    return updated.described()


def delete_identity_pool(service: Service, request: Mapping[str, Any], caller: Caller) -> None:
    """Deletes the identities of the pool, too. Credentials that were issued stay valid."""
    delete_pool(service.state, pool_of_caller(service, request["IdentityPoolId"], caller).id)


def list_identity_pools(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Lists the pools of the caller's region in the order of their creation."""
    list_name, limit = f"pools {caller.region}", request["MaxResults"]
    last = last_shown(list_name, request.get("NextToken"))
    pools, following = page(list_name, list_pools(service.state, caller.region, last, limit + 1), limit)
    descriptions = [
        {"IdentityPoolId": pool.id, "IdentityPoolName": pool.settings["IdentityPoolName"]} for pool in pools
    ]
    return {"IdentityPools": descriptions, **following}


def pool_of_caller(service: Service, pool_id: str, caller: Caller) -> IdentityPool:
    """
    The pool of a signed call. The call must be signed for the pool's region.

    Raises:
        ServiceError: ResourceNotFoundException.
    """
    pool = load_pool(service.state, pool_id)
    if pool.region != caller.region:
        raise pool_not_found(pool_id)
    return pool


def check_tags(tags: Mapping[str, str]) -> None:
    """
    Refuse too many tags, reserved keys, and characters that tags cannot have.

    Raises:
        ServiceError: InvalidParameterException.
    """
    if len(tags) > assumed.MAX_TAGS:
        raise assumed.too_many_tags()
    for key, value in tags.items():
        if key.lower().startswith("aws:") or _TAG.fullmatch(key + value) is None:
            raise assumed.bad_tag(key)


def pool_settings(request: Mapping[str, Any]) -> dict[str, Any]:
    """
    The settings of a pool as they are stored and described: the members of *request*, in the service's order.

    Raises:
        ServiceError: InvalidParameterException, or LimitExceededException for too many user pools.
    """
    settings = {name: request[name] for name in _SETTINGS if name in request}
    for name in ("SupportedLoginProviders", "OpenIdConnectProviderARNs", "SamlProviderARNs"):
        if not settings.get(name, True):
            del settings[name]
    entries = settings.pop("CognitoIdentityProviders", [])
    for entry in entries:
        if _USER_POOL_PROVIDER.fullmatch(entry.get("ProviderName", "")) is None:
            raise invalid_parameter("Invalid Cognito Identity Provider")
    if len({entry["ProviderName"] for entry in entries}) > assumed.USER_POOL_LIMIT:
        raise assumed.user_pool_limit_exceeded()
    if entries:
        settings["CognitoIdentityProviders"] = [
            {**entry, "ServerSideTokenCheck": entry.get("ServerSideTokenCheck", False)} for entry in entries
        ]
    return settings
