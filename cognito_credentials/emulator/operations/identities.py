"""Operations on identities. Source: service.md 6.13 to 6.15 and 6.19."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import identity_not_found, logins_do_not_match
from cognito_credentials.emulator.logins.verifier import service_token_key
from cognito_credentials.emulator.model.names import region_of
from cognito_credentials.emulator.operations.pagination import next_token, read_token
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
    """DescribeIdentity, also of a disabled identity."""
    identity = load_identity(service.state, request["IdentityId"])
    if region_of(identity.pool_id) != caller.region:
        raise identity_not_found(identity.id)
    return identity.described()


def list_identities(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """ListIdentities, in the order of their creation; pages are always full."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    list_name, limit = f"identities {pool.id}", request["MaxResults"]
    last = read_token(list_name, request.get("NextToken"))
    hide_disabled = request.get("HideDisabled", False)
    found = identities_after(service.state, pool.id, last, limit + 1, hide_disabled)
    answer: dict[str, Any] = {
        "IdentityPoolId": pool.id,
        "Identities": [identity.described() for _, identity in found[:limit]],
    }
    if len(found) > limit:
        answer["NextToken"] = next_token(list_name, found[limit - 1][0])
    return answer


def delete_identities(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """DeleteIdentities; an id that is not there counts as done."""
    for identity_id in request["IdentityIdsToDelete"]:
        if region_of(identity_id) == caller.region:
            delete_identity(service.state, identity_id)
    return {"UnprocessedIdentityIds": []}


def unlink_identity(service: Service, request: Mapping[str, Any], caller: Caller) -> None:
    """UnlinkIdentity: the caller proves to own the identity by one valid login of it."""
    del caller  # public
    identity = load_identity(service.state, request["IdentityId"])
    pool = load_pool(service.state, identity.pool_id)
    if not _proves_ownership(service, pool, identity, request["Logins"]):
        raise logins_do_not_match()
    removed: list[LinkedLogin] = []
    for provider in request["LoginsToRemove"]:
        linked = [login for login in identity.logins if login.provider == provider and not login.developer]
        if not linked:
            raise assumed.login_not_linked(provider)
        removed.extend(linked)
    unlink_logins(service.state, identity, removed, service.clock.now_ms())


def _proves_ownership(
    service: Service, pool: IdentityPool, identity: Identity, logins: Mapping[str, str]
) -> bool:
    """Whether a login of the call, or a token of this service, is the identity's own."""
    public = dict(logins)
    own_key = service_token_key(pool, public)
    proven = False
    if own_key is not None:
        proven = service.logins.verify_service_token(public.pop(own_key)).identity_id == identity.id
    verified = {login.linked for login in service.logins.verify(pool, public)}
    return proven or not verified.isdisjoint(identity.logins)
