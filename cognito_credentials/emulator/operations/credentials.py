"""The public way from logins to credentials. Source: service.md 6.9 to 6.11 and 9.5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.emulator.errors import (
    identity_forbidden,
    invalid_parameter,
    invalid_pool_configuration,
    logins_do_not_match,
    not_authorized,
    pool_not_found,
)
from cognito_credentials.emulator.logins.tokens import open_id_token
from cognito_credentials.emulator.logins.verifier import VerifiedLogin, is_saml, service_token_key
from cognito_credentials.emulator.model.names import (
    ACCOUNT_ID,
    is_role_of_account,
    is_short_enough,
    service_host,
)
from cognito_credentials.emulator.operations.linking import identity_for_logins, resolve_identity
from cognito_credentials.emulator.operations.principal_tags import are_valid, are_well_formed, tags_of_logins
from cognito_credentials.emulator.operations.role_mapping import resolve_role
from cognito_credentials.emulator.service import DEFAULT_CREDENTIAL_SECONDS, Caller, Service
from cognito_credentials.emulator.stored.identities import (
    Identity,
    LinkedLogin,
    create_identity,
    load_identity,
)
from cognito_credentials.emulator.stored.pools import IdentityPool, load_pool
from cognito_credentials.emulator.sts.session_policies import packed_percent
from cognito_credentials.emulator.sts.sessions import AssumedRole
from cognito_credentials.emulator.sts.trust import Assumption, may_assume

TOKEN_SECONDS = 600
_SESSION_NAME = "CognitoIdentityCredentials"


@dataclass(frozen=True)
class _Resolved:
    """
    For whom a call is answered.

    Attributes:
        amr: What the amr claim has after ``authenticated``; empty for a guest.
        logins: Those that role mappings may be about.
        beside: Those beside a token of this service. STS is given that token as it is, so that only
            a new token names them.
    """

    identity_id: str
    amr: Sequence[str] = ()
    logins: Sequence[VerifiedLogin] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    beside: Sequence[VerifiedLogin] = ()


def get_id(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """GetId."""
    del caller  # public
    pool = load_pool(service.state, request["IdentityPoolId"])
    if request.get("AccountId", ACCOUNT_ID) != ACCOUNT_ID:
        raise pool_not_found(pool.id)
    now_ms = service.clock.now_ms()
    logins = request.get("Logins")
    if not logins:
        if not pool.allows_guests:
            raise _guests_not_allowed()
        return {"IdentityId": create_identity(service.state, pool.id, now_ms).id}
    linked = _linked(service.logins.verify(pool, logins))
    return {"IdentityId": identity_for_logins(service.state, pool.id, linked, now_ms)}


def get_open_id_token(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """GetOpenIdToken: the basic flow's token."""
    del caller  # public
    identity = load_identity(service.state, request["IdentityId"])
    pool = load_pool(service.state, identity.pool_id)
    _check_basic_flow(pool, request.get("Logins", {}))
    resolved = _resolve(service, pool, identity, request.get("Logins"))
    token = open_id_token(
        service.keys,
        pool,
        resolved.identity_id,
        [*resolved.amr, *_amr_of(resolved.beside)],
        TOKEN_SECONDS,
        int(service.clock.now()),
        {**tags_of_logins(pool, resolved.beside), **resolved.tags},
        service.settings.token_issuer,
    )
    service.note_secret(token)
    return {"IdentityId": resolved.identity_id, "Token": token}


def get_credentials_for_identity(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """GetCredentialsForIdentity: the enhanced flow, independent of AllowClassicFlow."""
    del caller  # public
    identity = load_identity(service.state, request["IdentityId"])
    pool = load_pool(service.state, identity.pool_id)
    resolved = _resolve(service, pool, identity, request.get("Logins"))
    role_arn = resolve_role(
        pool, resolved.logins, request.get("CustomRoleArn"), authenticated=bool(resolved.amr)
    )
    _assume(service, pool, resolved, role_arn)
    lifetime = service.settings.credential_seconds(DEFAULT_CREDENTIAL_SECONDS)
    minted = service.issue_credentials(
        AssumedRole(
            role_arn=role_arn,
            session_name=_SESSION_NAME,
            expires_at=int(service.clock.now()) + lifetime,
            identity_id=resolved.identity_id,
            pool_id=pool.id,
            limited=not resolved.amr,
            tags=resolved.tags,
        )
    )
    return {
        "IdentityId": resolved.identity_id,
        "Credentials": {
            "AccessKeyId": minted.access_key_id,
            "SecretKey": minted.secret_access_key,
            "SessionToken": minted.session_token,
            "Expiration": float(minted.expires_at),
        },
    }


def _check_basic_flow(pool: IdentityPool, logins: Mapping[str, str]) -> None:
    # AllowClassicFlow that was never given is a third state: the flow is then allowed.
    if pool.settings.get("AllowClassicFlow") is False or any(map(is_saml, logins)):
        raise invalid_parameter("Basic (classic) flow is not enabled, please use enhanced flow.")
    if pool.used_role_mappings:
        raise invalid_parameter(
            "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow."
        )


def _resolve(
    service: Service, pool: IdentityPool, identity: Identity, logins: Mapping[str, str] | None
) -> _Resolved:
    if not logins:
        if identity.authenticated or not identity.enabled:
            raise identity_forbidden(identity.id)
        if not pool.allows_guests:
            raise _guests_not_allowed()
        return _Resolved(identity.id)
    own_key = service_token_key(pool, logins)
    if own_key is not None:
        return _resolve_own_token(service, pool, identity, logins, own_key)
    verified = service.logins.verify(pool, logins)
    survivor = resolve_identity(service.state, identity, _linked(verified), service.clock.now_ms())
    return _Resolved(survivor, _amr_of(verified), verified, tags_of_logins(pool, verified))


def _resolve_own_token(
    service: Service, pool: IdentityPool, identity: Identity, logins: Mapping[str, str], own_key: str
) -> _Resolved:
    """A token of this service proves the identity that it names; the logins beside it are linked to that."""
    token = service.logins.verify_service_token(logins[own_key])
    others = {name: text for name, text in logins.items() if name != own_key}
    beside = service.logins.verify(pool, others)
    if token.identity_id != identity.id:
        raise logins_do_not_match()
    survivor = resolve_identity(service.state, identity, _linked(beside), service.clock.now_ms(), proven=True)
    return _Resolved(survivor, token.amr[1:], tags=token.tags, beside=beside)


def _linked(logins: Sequence[VerifiedLogin]) -> list[LinkedLogin]:
    return [login.linked for login in logins]


def _amr_of(logins: Sequence[VerifiedLogin]) -> list[str]:
    return [entry for login in logins for entry in login.amr]


def _assume(service: Service, pool: IdentityPool, resolved: _Resolved, role_arn: str) -> None:
    """What the service asks STS for; any refusal is the pool's configuration."""
    host = service_host(pool.region)
    attempt = Assumption(
        principal=host,
        provider=host,
        claims={
            "aud": [pool.id],
            "sub": [resolved.identity_id],
            "amr": ["authenticated", *resolved.amr] if resolved.amr else ["unauthenticated"],
        },
        session_name=_SESSION_NAME,
        now=service.clock.now(),
        tags=resolved.tags,
    )
    well_formed = are_valid if resolved.logins else are_well_formed  # the tags of a back end are not mapped
    possible = (
        is_role_of_account(role_arn, pool.region)
        and is_short_enough(role_arn, pool.region)
        and well_formed(resolved.tags)
        and packed_percent("", (), resolved.tags) <= 100
    )
    if not possible or not may_assume(service.state, role_arn, attempt, service.strict_roles):
        raise invalid_pool_configuration()


def _guests_not_allowed() -> Exception:
    return not_authorized("Unauthenticated access is not supported for this identity pool.")
