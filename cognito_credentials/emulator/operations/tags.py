"""
Tags of identity pools, and maps of principal tags.

Source: `reference/service.md#6.7`, `reference/service.md#6.8`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.model.names import pool_arn, region_of
from cognito_credentials.emulator.operations.pools import check_tags, pool_of_caller
from cognito_credentials.emulator.service import Caller, Service
from cognito_credentials.emulator.stored.pools import IdentityPool, load_pool, save_principal_tags, save_tags

_POOL_ID = re.compile(r"[\w-]+:[0-9a-f-]+", re.ASCII)


def tag_resource(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Adds tags, or overwrites them."""
    pool = _tagged_pool(service, request["ResourceArn"], caller)
    tags = {**pool.tags, **request["Tags"]}
    check_tags(tags)
    save_tags(service.state, pool.id, tags)
    return {}


def untag_resource(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Ignores keys that the pool does not have."""
    pool = _tagged_pool(service, request["ResourceArn"], caller)
    removed = set(request["TagKeys"])
    save_tags(service.state, pool.id, {key: value for key, value in pool.tags.items() if key not in removed})
    return {}


def list_tags_for_resource(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    return {"Tags": dict(_tagged_pool(service, request["ResourceArn"], caller).tags)}


def set_principal_tag_attribute_map(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """Replaces the map of the provider."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    provider = request["IdentityProviderName"]
    if provider not in tag_providers(pool):
        raise assumed.unknown_tag_provider(provider)
    stored = stored_tag_map(request)
    save_principal_tags(service.state, pool.id, {**pool.principal_tags, provider: stored})
    return {"IdentityPoolId": pool.id, "IdentityProviderName": provider, **stored}


def get_principal_tag_attribute_map(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """Answers with an empty map for a provider whose map was never set."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    provider = request["IdentityProviderName"]
    stored = pool.principal_tags.get(provider, assumed.UNSET_PRINCIPAL_TAGS)
    return {"IdentityPoolId": pool.id, "IdentityProviderName": provider, **stored}


def stored_tag_map(request: Mapping[str, Any]) -> dict[str, Any]:
    """The map of a provider as it is stored: the defaults take the place of tags."""
    use_defaults = request.get("UseDefaults", False)
    return {
        "UseDefaults": use_defaults,
        "PrincipalTags": {} if use_defaults else request.get("PrincipalTags", {}),
    }


def _tagged_pool(service: Service, arn: str, caller: Caller) -> IdentityPool:
    """The pool that *arn* names. It must be in the caller's region and account."""
    pool_id = arn.partition(":identitypool/")[2]
    if not _POOL_ID.fullmatch(pool_id) or arn != pool_arn(pool_id) or region_of(pool_id) != caller.region:
        raise assumed.not_a_pool_arn(arn)
    return load_pool(service.state, pool_id)


def tag_providers(pool: IdentityPool) -> set[str]:
    """The providers that may have a map. A user pool is named without a client id here."""
    settings = pool.settings
    return {
        *(entry["ProviderName"] for entry in settings.get("CognitoIdentityProviders", ())),
        *settings.get("SupportedLoginProviders", ()),
        *settings.get("OpenIdConnectProviderARNs", ()),
        *settings.get("SamlProviderARNs", ()),
    }
