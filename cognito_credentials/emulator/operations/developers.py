"""
Operations on developer authenticated identities.

Source: `reference/service.md#6.12`, `reference/service.md#6.16` to `reference/service.md#6.18`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import identity_not_found, invalid_parameter
from cognito_credentials.emulator.logins.tokens import open_id_token
from cognito_credentials.emulator.model.pagination import last_shown, page
from cognito_credentials.emulator.operations.linking import (
    identity_for_logins,
    merge_identities,
    resolve_identity,
)
from cognito_credentials.emulator.operations.pools import pool_of_caller
from cognito_credentials.emulator.service import Caller, Service
from cognito_credentials.emulator.stored.identities import (
    Identity,
    LinkedLogin,
    list_developer_users,
    load_identity,
    owner_of,
    unlink_logins,
)
from cognito_credentials.emulator.stored.pools import IdentityPool

_TOKEN_SECONDS = 900
_PAGE = 60


def get_open_id_token_for_developer_identity(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """Ignores AllowClassicFlow."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    identity = _identity_of_pool(service, pool, request["IdentityId"]) if "IdentityId" in request else None
    logins = dict(request["Logins"])
    name = pool.developer_provider
    if name is None or name not in logins:
        raise invalid_parameter("This identity pool does not support the specified developer provider")
    user = LinkedLogin(name, logins.pop(name), developer=True)
    if len(user.subject) > assumed.MAX_DEVELOPER_USER:
        raise assumed.developer_user_too_long()
    public = service.logins.verify(pool, logins)
    linked = [user, *dict.fromkeys(login.linked for login in public)]
    identity_id = _developer_identity(service, pool, identity, linked)
    amr = [name, f"{name}:{pool.id}:{user.subject}"]
    amr.extend(entry for login in public for entry in login.amr)
    token = open_id_token(
        service.keys,
        pool,
        identity_id,
        amr,
        request.get("TokenDuration", _TOKEN_SECONDS),
        int(service.clock.now()),
        request.get("PrincipalTags"),
        service.settings.token_issuer,
    )
    service.note_secret(token)
    return {"IdentityId": identity_id, "Token": token}


def _developer_identity(
    service: Service, pool: IdentityPool, identity: Identity | None, logins: list[LinkedLogin]
) -> str:
    state, now_ms = service.state, service.clock.now_ms()
    if identity is None:
        return identity_for_logins(state, pool.id, logins, now_ms)
    owner = owner_of(state, pool.id, logins[0])
    if owner is not None and owner.id != identity.id:
        raise assumed.developer_user_registered()
    return resolve_identity(state, identity, logins, now_ms)


def lookup_developer_identity(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """Finds the identity of a developer user, or the developer users of an identity."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    user, identity_id = request.get("DeveloperUserIdentifier"), request.get("IdentityId")
    if user is None and identity_id is None:
        raise assumed.nothing_to_look_up()
    if identity_id is not None:
        identity = _identity_of_pool(service, pool, identity_id)
        if user is not None:
            if LinkedLogin(pool.developer_provider or "", user, developer=True) not in identity.logins:
                raise assumed.developer_user_elsewhere()
            return {"IdentityId": identity.id, "DeveloperUserIdentifierList": [user]}
    else:
        identity = _owner_of_user(service, pool, str(user))
    return _page_of_users(service, identity, request)


def _page_of_users(service: Service, identity: Identity, request: Mapping[str, Any]) -> Mapping[str, Any]:
    list_name, limit = f"users {identity.id}", request.get("MaxResults", _PAGE)
    last = last_shown(list_name, request.get("NextToken"))
    entries = list_developer_users(service.state, identity.id, last, limit + 1)
    users, following = page(list_name, entries, limit)
    return {"IdentityId": identity.id, "DeveloperUserIdentifierList": users, **following}


def merge_developer_identities(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """Moves all logins of the source user's identity to the destination user's identity."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    _check_provider(pool, request["DeveloperProviderName"])
    source = _owner_of_user(service, pool, request["SourceUserIdentifier"])
    destination = _owner_of_user(service, pool, request["DestinationUserIdentifier"])
    if source.id != destination.id:
        merge_identities(service.state, [destination, source], service.clock.now_ms())
    return {"IdentityId": destination.id}


def unlink_developer_identity(service: Service, request: Mapping[str, Any], caller: Caller) -> None:
    """Unlinks a developer user. The next token for this user makes a new identity."""
    pool = pool_of_caller(service, request["IdentityPoolId"], caller)
    identity = _identity_of_pool(service, pool, request["IdentityId"])
    _check_provider(pool, request["DeveloperProviderName"])
    user = request["DeveloperUserIdentifier"]
    if _owner_of_user(service, pool, user).id != identity.id:
        raise assumed.developer_user_elsewhere()
    login = LinkedLogin(request["DeveloperProviderName"], user, developer=True)
    unlink_logins(service.state, identity, [login], service.clock.now_ms())


def _check_provider(pool: IdentityPool, name: str) -> None:
    if name != pool.developer_provider:
        raise assumed.wrong_developer_provider(name)


def _identity_of_pool(service: Service, pool: IdentityPool, identity_id: str) -> Identity:
    identity = load_identity(service.state, identity_id)
    if identity.pool_id != pool.id:
        raise identity_not_found(identity_id)
    return identity


def _owner_of_user(service: Service, pool: IdentityPool, user: str) -> Identity:
    name = pool.developer_provider
    if name is not None:
        owner = owner_of(service.state, pool.id, LinkedLogin(name, user, developer=True))
        if owner is not None:
            return owner
    raise assumed.developer_user_not_found(user)
