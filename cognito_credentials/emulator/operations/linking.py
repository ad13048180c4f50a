"""
Which identity a call is for, and what it does to it: linking, guest upgrade, merging.

Every check comes before the first change. Source: service.md 5.3 and 5.4.
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


def identity_for_logins(state: State, pool_id: str, logins: Sequence[LinkedLogin], now_ms: int) -> str:
    """
    GetId: the identity of *logins*, made when none of them is known.

    Returns:
        The identity id.

    Raises:
        ServiceError: ResourceConflictException.
    """
    owners = _owners(state, pool_id, logins)
    if not owners:
        _check_union([], logins)
        identity = create_identity(state, pool_id, now_ms)
        for login in logins:
            link_login(state, identity, login, now_ms)
        return identity.id
    return _merge(state, owners, logins, now_ms)


def resolve_identity(
    state: State, identity: Identity, logins: Sequence[LinkedLogin], now_ms: int, *, proven: bool = False
) -> str:
    """
    GetOpenIdToken and GetCredentialsForIdentity: the identity that a call of *identity* with
    *logins* is answered for, which may be another one.

    Args:
        logins: At least one, unless *proven*.
        proven: A token of this service says already that the caller has *identity*.

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
    MergeDeveloperIdentities: the first of *identities* gets what the others have.

    Raises:
        ServiceError: ResourceConflictException.
    """
    return _merge(state, identities, (), now_ms)


def _owners(state: State, pool_id: str, logins: Sequence[LinkedLogin]) -> list[Identity]:
    """The different identities that have one of *logins*, in the order of the logins."""
    owners: dict[str, Identity] = {}
    for login in logins:
        owner = owner_of(state, pool_id, login)
        if owner is not None:
            owners.setdefault(owner.id, owner)
    return list(owners.values())


def _merge(state: State, identities: Sequence[Identity], logins: Sequence[LinkedLogin], now_ms: int) -> str:
    """Move everything to the first of *identities*, and link to it what no one has yet."""
    survivor, *others = identities
    _check_union(identities, logins)
    known = {login for identity in identities for login in identity.logins}
    for other in others:
        move_logins(state, other, survivor, now_ms)
    for login in logins:
        if login not in known:
            link_login(state, survivor, login, now_ms)
    return survivor.id


def _check_union(identities: Sequence[Identity], logins: Sequence[LinkedLogin]) -> None:
    """Refuse two users of one public provider, and more logins than an identity can have."""
    union = {login for identity in identities for login in identity.logins} | set(logins)
    public = sorted(login.provider for login in union if not login.developer)
    for provider in public:
        if public.count(provider) > 1:
            raise assumed.second_login_of_provider(provider)
    if len(union) > assumed.MAX_LOGINS:
        raise assumed.too_many_logins()
