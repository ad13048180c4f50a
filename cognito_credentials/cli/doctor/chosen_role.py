"""
Which role the enhanced flow gives a login, by a pool's roles and role mappings.

Source: reference/service.md#8.1 to #8.3, of which some is assumed there. The service decides; this says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_ID_CLAIMS_ONLY = ("graph.facebook.com", "www.amazon.com")


class Chosen(NamedTuple):
    """A role and the reason for it."""

    role: str | None
    """Its ARN; None where the login gets none."""
    why: str
    """A part of a sentence: "since …" without "since"."""


def chosen_role(
    provider: str,
    claims: Mapping[str, Any],
    mapping: Mapping[str, Any] | None,
    authenticated: str | None,
    custom: str | None = None,
) -> Chosen:
    """
    Choose as the service does.

    Args:
        provider: The login provider name.
        claims: Of the token.
        mapping: The provider's member of RoleMappings; None where it has none.
        authenticated: The pool's role for signed-in users; None where it has none.
        custom: CustomRoleArn.
    """
    if mapping is None:
        if custom is not None:
            return Chosen(
                None, f"custom_role_arn needs a role mapping for {provider}, which there is none of"
            )
        return _of_pool(authenticated, f"{provider} has no role mapping")
    if mapping.get("Type") == "Token":
        allowed, role, why = _by_token(claims)
        source = "cognito:roles of the token"
    else:
        allowed, role, why = _by_rules(provider, claims, mapping)
        source = "the roles of the rules that match"
    if custom is not None:
        is_allowed = custom in allowed
        return Chosen(
            custom if is_allowed else None,
            f"custom_role_arn {custom} is {'among' if is_allowed else 'not among'} {source}",
        )
    if role is not None:
        return Chosen(role, why)
    if mapping.get("AmbiguousRoleResolution") == "AuthenticatedRole":
        return _of_pool(authenticated, f"{why}, and the pool then gives the role of signed-in users")
    return Chosen(None, f"{why}, and the pool then denies (AmbiguousRoleResolution)")


def _of_pool(authenticated: str | None, why: str) -> Chosen:
    return Chosen(authenticated, why if authenticated else f"{why}, and there is none for signed-in users")


def _by_token(claims: Mapping[str, Any]) -> tuple[Sequence[str], str | None, str]:
    """Return the roles that the token allows, the one that it gets without a choice, and why."""
    value = claims.get("cognito:roles")
    # The guide calls it a list in a string; real tokens have a JSON list. Source: reference/service.md#8.2.
    roles = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    allowed = [role for role in roles if isinstance(role, str) and role] if isinstance(roles, list) else []
    preferred = claims.get("cognito:preferred_role")
    if isinstance(preferred, str) and preferred:
        return allowed, preferred, "it is the token's cognito:preferred_role"
    if len(allowed) == 1:
        return allowed, allowed[0], "it is the only one of the token's cognito:roles"
    count = f"{len(allowed)} cognito:roles and" if allowed else "no cognito:roles and"
    return allowed, None, f"the token has {count} no cognito:preferred_role"


def _by_rules(
    provider: str, claims: Mapping[str, Any], mapping: Mapping[str, Any]
) -> tuple[Sequence[str], str | None, str]:
    rules = mapping.get("RulesConfiguration", {}).get("Rules", [])
    fitting = [(number, rule) for number, rule in enumerate(rules, 1) if rule_matches(provider, claims, rule)]
    if not fitting:
        return [], None, f"none of the {len(rules)} rules for {provider} matches"
    number, first = fitting[0]
    condition = f"{first['Claim']} {first['MatchType']} {first['Value']}"
    return (
        [rule["RoleARN"] for _, rule in fitting],
        first["RoleARN"],
        f"rule {number} of {len(rules)} is the first that matches: {condition}",
    )


def rule_matches(provider: str, claims: Mapping[str, Any], rule: Mapping[str, str]) -> bool:
    """Tell whether a rule of a role mapping matches; a claim that is missing matches none."""
    claim, kind, wanted = rule["Claim"], rule["MatchType"], rule["Value"]
    value = claims.get(claim)
    if value is None or (provider in _ID_CLAIMS_ONLY and claim not in ("iss", "aud", "sub")):
        return False
    if isinstance(value, list):
        values = [_text(each) for each in value]
        if kind in ("Equals", "NotEqual"):
            return (values == [wanted]) == (kind == "Equals")
        return any(each == wanted if kind == "Contains" else each.startswith(wanted) for each in values)
    text = _text(value)
    if kind in ("Equals", "NotEqual"):
        return (text == wanted) == (kind == "Equals")
    return text.startswith(wanted) if kind == "StartsWith" else wanted in text


def _text(value: Any) -> str:
    """Return a claim as it is compared: booleans and numbers as JSON has them."""
    import json

    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
