"""Operations on identities. Source: service.md 6.13 to 6.15 and 6.19."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import logins_do_not_match
from cognito_credentials.emulator.identities import (
    LinkedLogin,
    delete_identity,
    load_identity,
    unlink_logins,
)
from cognito_credentials.emulator.logins import verify_logins
from cognito_credentials.emulator.pools import load_pool, region_of
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.signatures import Caller


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
    logins = [login.linked for login in verify_logins(service, pool, request["Logins"])]
    if not set(logins) & set(identity.logins):
        raise logins_do_not_match()
    removed: list[LinkedLogin] = []
    for provider in request["LoginsToRemove"]:
        linked = [login for login in identity.logins if login.provider == provider and not login.developer]
        if not linked:
            raise assumed.login_not_linked(provider)
        removed.extend(linked)
    unlink_logins(service.state, identity, removed, service.clock.now_ms())
