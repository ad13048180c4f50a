"""
The role of a session in the enhanced flow: the pool's role, one of a role mapping, or one of a SAML response.

Source: `reference/service.md#8.1` to `reference/service.md#8.3`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import (
    ServiceError,
    invalid_pool_configuration,
    not_authorized,
    role_forbidden,
)
from cognito_credentials.emulator.logins.verifier import VerifiedLogin
from cognito_credentials.emulator.operations.principal_tags import claim_text
from cognito_credentials.emulator.stored.pools import IdentityPool
from cognito_credentials.emulator.trail import checked, decided

_ID_CLAIMS_ONLY = {"graph.facebook.com", "www.amazon.com"}


def resolve_role(
    pool: IdentityPool,
    logins: Sequence[VerifiedLogin],
    custom_role_arn: str | None,
    authenticated: bool,
) -> str:
    """
    The ARN of the role for a call.

    Args:
        logins: The verified logins; empty for a guest or a token of this service.
        authenticated: False for a guest.

    Raises:
        ServiceError: There is no role, more than one, or CustomRoleArn is not permitted.
    """
    mappings = pool.used_role_mappings
    for login in logins:
        for key in login.mapping_keys:
            mapping = mappings.get(key)
            if mapping is not None:
                checked(f"the pool has role mappings of type {mapping['Type']} for {key}")
                return _mapped_role(pool, mapping, login, custom_role_arn)
    for login in logins:
        if login.roles:
            return _saml_role(login, custom_role_arn)
    if custom_role_arn is not None:
        raise assumed.custom_role_without_mapping()
    return _pool_role(pool, "authenticated" if authenticated else "unauthenticated")


def _saml_role(login: VerifiedLogin, custom: str | None) -> str:
    """A role of a SAML response. The caller must choose one if the response names several."""
    if custom is not None:
        if custom not in login.roles:
            raise role_forbidden(custom)
        return _chosen(custom, "CustomRoleArn, which the SAML response names")
    if len(login.roles) > 1:
        raise _ambiguous(login)
    return _chosen(login.roles[0], "the only role in the SAML response")


def _chosen(role: str, why: str) -> str:
    decided(f"the role is {role}: {why}")
    return role


def _ambiguous(login: VerifiedLogin) -> ServiceError:
    return not_authorized(
        f"The ambiguous role mapping rules for: {login.linked.provider} denied this request."
    )


def _pool_role(pool: IdentityPool, state: str) -> str:
    role = pool.roles.get(state)
    if role is None:
        raise invalid_pool_configuration()
    return _chosen(role, f"the pool's role for {state} identities")


def _mapped_role(
    pool: IdentityPool, mapping: Mapping[str, Any], login: VerifiedLogin, custom: str | None
) -> str:
    if mapping["Type"] == "Token":
        permitted, role = _roles_of_token(login.claims)
    else:
        permitted = _roles_of_rules(mapping["RulesConfiguration"]["Rules"], login)
        role = permitted[0] if permitted else None
    if custom is not None:
        if custom not in permitted:
            raise role_forbidden(custom)
        return _chosen(custom, "CustomRoleArn, which the role mapping permits")
    if role is not None:
        is_token = mapping["Type"] == "Token"
        return _chosen(role, "the role claims of the token" if is_token else "the first rule that matches")
    if mapping.get("AmbiguousRoleResolution") == "AuthenticatedRole":
        return _pool_role(pool, "authenticated")
    raise _ambiguous(login)


def _roles_of_token(claims: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """The roles that a user pool's token permits, and the preferred one."""
    value = claims.get("cognito:roles")
    if isinstance(value, str):
        roles = [role.strip() for role in value.split(",") if role.strip()]
    elif isinstance(value, list):
        roles = [role for role in value if isinstance(role, str) and role]
    else:
        roles = []
    preferred = claims.get("cognito:preferred_role")
    if isinstance(preferred, str) and preferred:
        return roles, preferred
    return roles, roles[0] if len(roles) == 1 else None


def _roles_of_rules(rules: Sequence[Mapping[str, str]], login: VerifiedLogin) -> list[str]:
    """The roles of all rules that match, in the order of the rules."""
    roles = []
    for number, rule in enumerate(rules, start=1):
        matches = _matches(rule, login)
        wanted = f"{rule['Claim']} {rule['MatchType']} {rule['Value']}"
        checked(f"rule {number} of {len(rules)}, for {rule['RoleARN']}: {wanted}", holds=matches)
        if matches:
            roles.append(rule["RoleARN"])
    return roles


def _matches(rule: Mapping[str, str], login: VerifiedLogin) -> bool:
    claim = rule["Claim"]
    if login.linked.provider in _ID_CLAIMS_ONLY and claim not in ("iss", "aud", "sub"):
        return False
    value = login.claims.get(claim)
    if value is None:
        return False
    wanted = rule["Value"]
    if isinstance(value, list):
        return _list_matches(rule["MatchType"], [claim_text(item) for item in value], wanted)
    text = claim_text(value)
    if rule["MatchType"] == "Equals":
        return text == wanted
    if rule["MatchType"] == "NotEqual":
        return text != wanted
    if rule["MatchType"] == "StartsWith":
        return text.startswith(wanted)
    return wanted in text


def _list_matches(match_type: str, values: Sequence[str], wanted: str) -> bool:
    if match_type == "Equals":
        return list(values) == [wanted]
    if match_type == "NotEqual":
        return list(values) != [wanted]
    if match_type == "StartsWith":
        return any(value.startswith(wanted) for value in values)
    return wanted in values
