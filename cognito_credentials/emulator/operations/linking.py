"""
The identity that a call with logins is answered for; logins are linked to it, and identities are merged.

Every check comes before the first change. Source: `reference/service.md#5.3`, `reference/service.md#5.4`.
"""

from __future__ import annotations

from collections.abc import Sequence

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import identity_forbidden, logins_do_not_match
from cognito_credentials.emulator.stored.identities import (
    Identity,
    LinkedLogin,
    create_identity,
    link_login,
    move_logins,
    owner_of,
)
from cognito_credentials.emulator.stored.state import State
from cognito_credentials.emulator.trail import checked, decided


def identity_for_logins(state: State, pool_id: str, logins: Sequence[LinkedLogin], now_ms: int) -> str:
    """
    GetId: the id of the identity that has *logins*. It is made if no identity has one of them.

    Raises:
        ServiceError: ResourceConflictException.
    """
    owners = _owners(state, pool_id, logins)
    if not owners:
        _check_union([], logins)
        identity = create_identity(state, pool_id, now_ms)
        decided(f"no identity has these logins: {identity.id} is made")
        for login in logins:
            _link(state, identity, login, now_ms)
        return identity.id
    return _merge(state, owners, logins, now_ms)


def resolve_identity(
    state: State, identity: Identity, logins: Sequence[LinkedLogin], now_ms: int, *, proven: bool = False
) -> str:
    """
    GetOpenIdToken and GetCredentialsForIdentity: the id of the identity that a call is answered for.

    It is another one than *identity* after a merge.

    Args:
        identity: The identity that the call names.
        logins: At least one, unless *proven*.
        proven: True when a token of this service has proved that *identity* is the caller's.

    Raises:
        ServiceError: NotAuthorizedException or ResourceConflictException.
    """
    owners = _owners(state, identity.pool_id, logins)
    if not identity.enabled:
        if not owners:
            raise identity_forbidden(identity.id)
        return _merge(state, owners, logins, now_ms)
    if identity.authenticated:
        if not proven and all(owner.id != identity.id for owner in owners):
            raise logins_do_not_match()
        survivors = [identity, *(owner for owner in owners if owner.id != identity.id)]
        return _merge(state, survivors, logins, now_ms)
    if not owners:
        return _merge(state, [identity], logins, now_ms)
    return _merge(state, [*owners, identity], logins, now_ms)


def merge_identities(state: State, identities: Sequence[Identity], now_ms: int) -> str:
    """
    MergeDeveloperIdentities: the first of *identities* gets the logins of the others, which are disabled.

    Raises:
        ServiceError: ResourceConflictException.
    """
    return _merge(state, identities, (), now_ms)


def _owners(state: State, pool_id: str, logins: Sequence[LinkedLogin]) -> list[Identity]:
    """The identities that have one of *logins*, in the order of the logins."""
    owners: dict[str, Identity] = {}
    for login in logins:
        owner = owner_of(state, pool_id, login)
        if owner is not None:
            checked(f"{login.provider} user {login.subject} is linked to {owner.id}")
            owners.setdefault(owner.id, owner)
    return list(owners.values())


def _merge(state: State, identities: Sequence[Identity], logins: Sequence[LinkedLogin], now_ms: int) -> str:
    """Move all logins to the first of *identities*, and link those of *logins* to it that no identity has."""
    survivor, *others = identities
    _check_union(identities, logins)
    known = {login for identity in identities for login in identity.logins}
    for other in others:
        move_logins(state, other, survivor, now_ms)
        decided(f"{other.id} is merged into {survivor.id}, and disabled")
    for login in logins:
        if login not in known:
            _link(state, survivor, login, now_ms)
    return survivor.id


def _link(state: State, identity: Identity, login: LinkedLogin, now_ms: int) -> None:
    link_login(state, identity, login, now_ms)
    decided(f"{login.provider} user {login.subject} is linked to {identity.id}")


def _check_union(identities: Sequence[Identity], logins: Sequence[LinkedLogin]) -> None:
    """Refuse two users of one public provider, and more logins than an identity can have."""
    union = {login for identity in identities for login in identity.logins} | set(logins)
    public = sorted(login.provider for login in union if not login.developer)
    for provider in public:
        if public.count(provider) > 1:
            raise assumed.second_login_of_provider(provider)
    if len(union) > assumed.MAX_LOGINS:
        raise assumed.too_many_logins()
