"""Operations on the roles of an identity pool. Source: `reference/service.md#6.6`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import invalid_parameter, role_forbidden
from cognito_credentials.emulator.model.names import is_role_of_account
from cognito_credentials.emulator.operations.pools import pool_of_caller
from cognito_credentials.emulator.service import Caller, Service
from cognito_credentials.emulator.stored.pools import IdentityPool, save_roles


def set_identity_pool_roles(service: Service, request: Mapping[str, Any], caller: Caller) -> None:
    """Replaces roles and role mappings."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    roles, mappings = request["Roles"], request.get("RoleMappings", {})
    if not pool.roles:  # its first roles say of which account the pool is
        pool = replace(pool, roles=roles)
    for role in roles.values():
        _check_role(pool, role)
    for provider, mapping in mappings.items():
        check_mapping(pool, provider, mapping)
    save_roles(service.state, pool.id, roles, mappings)


def get_identity_pool_roles(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """Leaves out roles and role mappings that were never set."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    answer: dict[str, Any] = {"IdentityPoolId": pool.id}
    if pool.roles:
        answer["Roles"] = dict(pool.roles)
    if pool.role_mappings:
        answer["RoleMappings"] = dict(pool.role_mappings)
    return answer


def _check_role(pool: IdentityPool, role: str) -> None:
    """Refuse a role of another account: IAM lets nobody pass it to the service."""
    if not is_role_of_account(role, pool.region, pool.account):
        raise role_forbidden(role)


def check_mapping(pool: IdentityPool, provider: str, mapping: Mapping[str, Any]) -> None:
    """
    Refuse a role mapping that is incomplete, or of a provider that *pool* does not have.

    Raises:
        ServiceError: InvalidParameterException, or NotAuthorizedException for a role.
    """
    if provider not in pool.mapping_keys:
        raise invalid_parameter(
            f"({provider}) is not a valid RoleMapping ProviderName or is not a configured provider."
        )
    if "AmbiguousRoleResolution" not in mapping:
        raise assumed.ambiguous_resolution_required(mapping["Type"])
    if mapping["Type"] == "Token":
        if provider not in pool.user_pool_keys:
            raise assumed.token_mapping_not_user_pool(provider)
        return
    if "RulesConfiguration" not in mapping:
        raise assumed.rules_required()
    rules = mapping["RulesConfiguration"]["Rules"]
    if len(rules) > assumed.MAX_RULES:
        raise assumed.too_many_rules()
    for rule in rules:
        _check_role(pool, rule["RoleARN"])
