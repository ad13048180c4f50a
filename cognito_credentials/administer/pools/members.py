"""
One form of a pool's members, so that a file and an answer of the service can be compared.

What the service does not tell apart is written alike: lists of providers are sorted and have no entry twice,
and an empty list or map is left out. The order of rules stays: the first one that matches decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...regions import partition_of

Members = dict[str, Any]
"""A pool without its id; see the folder's docstring."""

SETTINGS: Final = (
    "IdentityPoolName",
    "AllowUnauthenticatedIdentities",
    "AllowClassicFlow",
    "SupportedLoginProviders",
    "DeveloperProviderName",
    "OpenIdConnectProviderARNs",
    "CognitoIdentityProviders",
    "SamlProviderARNs",
)
"""What UpdateIdentityPool replaces; ``IdentityPoolTags`` it leaves alone where they are not given."""
_ARNS: Final = ("OpenIdConnectProviderARNs", "SamlProviderARNs")
_MAPS: Final = ("SupportedLoginProviders", "IdentityPoolTags", "Roles", "RoleMappings", "PrincipalTags")


def normalised(members: Mapping[str, Any], *, is_whole: bool = True) -> Members:
    """
    Return *members* in the one form.

    Args:
        is_whole: Whether what is left out of them is so; False for a file, which may leave it open.
    """
    found: Members = dict(members)
    for name in _ARNS:
        if name in found:
            found[name] = sorted(set(found[name]))
    clients: dict[tuple[str, str], bool | None] = {}
    for entry in found.get("CognitoIdentityProviders", ()):
        client = (entry.get("ProviderName", ""), entry.get("ClientId", ""))
        clients[client] = entry.get("ServerSideTokenCheck", clients.get(client))
    found["CognitoIdentityProviders"] = [
        {
            **({"ProviderName": provider} if provider else {}),
            **({"ClientId": client} if client else {}),
            **({} if checked is None and not is_whole else {"ServerSideTokenCheck": bool(checked)}),
        }
        for (provider, client), checked in sorted(clients.items(), key=lambda each: each[0])
    ]
    for name in _MAPS:
        if name in found:
            found[name] = {key: _plain(value) for key, value in sorted(found[name].items())}
    if "PrincipalTags" in found:
        found["PrincipalTags"] = {
            provider: tags for provider, tags in found["PrincipalTags"].items() if has_tag_map(tags)
        }
    return {name: value for name, value in found.items() if value not in ([], {}, None)}


def principal_tags(value: Mapping[str, Any]) -> Members:
    """
    Read a table of ``PrincipalTags``: the tags themselves, or the members of SetPrincipalTagAttributeMap.

    Texts are tags, ``UseDefaults`` is true or false, and ``PrincipalTags`` is a table.
    """
    defaults, inner = value.get("UseDefaults"), value.get("PrincipalTags")
    tags = {name: claim for name, claim in value.items() if isinstance(claim, str)}
    if isinstance(inner, Mapping):
        tags.update(inner)
    # The service ignores tags beside its defaults.
    return {"UseDefaults": defaults is True, "PrincipalTags": {} if defaults is True else tags}


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Leave out the tags that AWS sets itself, as CloudFormation's: nobody else may write or remove them."""
    return {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}


def has_tag_map(value: Mapping[str, Any]) -> bool:
    """Tell whether an answer of GetPrincipalTagAttributeMap says that there is a map."""
    return bool(value.get("UseDefaults") or value.get("PrincipalTags"))


def providers(members: Mapping[str, Any]) -> set[str]:
    """Name the providers that may have principal tags. A user pool is named without a client here."""
    return {
        *(entry.get("ProviderName", "") for entry in members.get("CognitoIdentityProviders", ())),
        *members.get("SupportedLoginProviders", ()),
        *(arn for name in _ARNS for arn in members.get(name, ())),
    } - {""}


def user_pool_keys(members: Mapping[str, Any]) -> set[str]:
    """Name the keys of role mappings for user pools: one for each client."""
    return {
        f"{entry.get('ProviderName', '')}:{entry.get('ClientId', '')}"
        for entry in members.get("CognitoIdentityProviders", ())
    }


def mapping_keys(members: Mapping[str, Any]) -> set[str]:
    """Name the keys that role mappings may have."""
    without_user_pools = {**members, "CognitoIdentityProviders": []}
    return providers(without_user_pools) | user_pool_keys(members)


def live_mappings(members: Mapping[str, Any]) -> Members:
    """
    Return the role mappings of providers that the pool has.

    The service keeps the mapping of a provider that was removed, and refuses to be given it again.
    """
    keys = mapping_keys(members)
    return {key: value for key, value in members.get("RoleMappings", {}).items() if key in keys}


def rules_of(mapping: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the rules of a role mapping, in their order."""
    rules: list[dict[str, str]] = mapping.get("RulesConfiguration", {}).get("Rules", [])
    return rules


def roles_of(members: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the roles of a pool: ARN to the states, ``authenticated`` and ``unauthenticated``, it is for."""
    found: dict[str, set[str]] = {}
    for state, arn in members.get("Roles", {}).items():
        found.setdefault(arn, set()).add(state)
    for mapping in members.get("RoleMappings", {}).values():
        for rule in rules_of(mapping):
            found.setdefault(rule["RoleARN"], set()).add("authenticated")
    return found


def pool_arn(pool_id: str, account: str) -> str:
    """Return the ARN of the pool with *pool_id*."""
    region = pool_id.partition(":")[0]
    return f"arn:{partition_of(region)}:cognito-identity:{region}:{account}:identitypool/{pool_id}"


def _plain(value: Any) -> Any:
    """Leave out what is empty within a role mapping."""
    if not isinstance(value, Mapping) or "Type" not in value:
        return value
    return {name: inner for name, inner in value.items() if inner not in ([], {}, None)}
