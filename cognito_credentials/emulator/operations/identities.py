"""
Operations on identities.

Source: `reference/service.md#6.13` to `reference/service.md#6.15`, `reference/service.md#6.19`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import identity_not_found, logins_do_not_match
from cognito_credentials.emulator.logins.verifier import service_token_key
from cognito_credentials.emulator.model.names import are_same_provider, region_of
from cognito_credentials.emulator.model.pagination import last_shown, page
from cognito_credentials.emulator.operations.pools import pool_of_caller
from cognito_credentials.emulator.service import Caller, Service
from cognito_credentials.emulator.stored.identities import (
    Identity,
    LinkedLogin,
    delete_identity,
    load_identity,
    unlink_logins,
)
from cognito_credentials.emulator.stored.identities import list_identities as identities_after
from cognito_credentials.emulator.stored.pools import IdentityPool, load_pool


def describe_identity(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Describes disabled identities, too."""
    identity = load_identity(service.state, request["IdentityId"])
    if region_of(identity.pool_id) != caller.region:
        raise identity_not_found(identity.id)
    return identity.described()


def list_identities(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Lists identities in the order of their creation. Every page but the last one is full."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    list_name, limit = f"identities {pool.id}", request["MaxResults"]
    last = last_shown(list_name, request.get("NextToken"))
    hide_disabled = request.get("HideDisabled", False)
    entries = identities_after(service.state, pool.id, last, limit + 1, hide_disabled)
    shown, following = page(list_name, entries, limit)
    descriptions = [identity.described() for identity in shown]
    return {"IdentityPoolId": pool.id, "Identities": descriptions, **following}


def delete_identities(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Ignores ids that do not exist."""
    for identity_id in request["IdentityIdsToDelete"]:
        if region_of(identity_id) == caller.region:
            delete_identity(service.state, identity_id)
    return {"UnprocessedIdentityIds": []}


def unlink_identity(service: Service, request: Mapping[str, Any], caller: Caller) -> None:
    """Needs one valid login of the identity, as proof that the caller owns it."""
    del caller  # public
    identity = load_identity(service.state, request["IdentityId"])
    pool = load_pool(service.state, identity.pool_id)
    if not _proves_ownership(service, pool, identity, request["Logins"]):
        raise logins_do_not_match()
    removed: list[LinkedLogin] = []
    for provider in request["LoginsToRemove"]:
        linked = [
            login
            for login in identity.logins
            if not login.developer and are_same_provider(login.provider, provider)
        ]
        if not linked:
            raise assumed.login_not_linked(provider)
        removed.extend(linked)
    unlink_logins(service.state, identity, removed, service.clock.now_ms())


def _proves_ownership(
    service: Service, pool: IdentityPool, identity: Identity, logins: Mapping[str, str]
) -> bool:
    """True when a login of the call belongs to the identity, or a token of this service names it."""
    public = dict(logins)
    token_key = service_token_key(pool, public)
    proven = False
    if token_key is not None:
        proven = service.logins.verify_service_token(public.pop(token_key)).identity_id == identity.id
    verified = {login.linked for login in service.logins.verify(pool, public)}
    return proven or not verified.isdisjoint(identity.logins)
