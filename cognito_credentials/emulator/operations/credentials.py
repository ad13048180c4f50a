"""
The operations that apps call: from logins to an identity, a token or credentials.

Source: `reference/service.md#6.9` to `reference/service.md#6.11`, `reference/service.md#9.5`.
"""

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
from cognito_credentials.emulator.trail import checked, decided, issued

TOKEN_SECONDS = 600
_SESSION_NAME = "CognitoIdentityCredentials"


@dataclass(frozen=True)
class _Principal:
    """
    The identity that a call is answered for, and its proof.

    Attributes:
        amr: The entries of the amr claim after ``authenticated``; empty for a guest.
        logins: The verified logins, which role mappings apply to; empty with a token of this service.
        tags: The session tags.
        further_logins: The verified logins beside a token of this service. GetCredentialsForIdentity gives
            STS the token without change, so these appear only in a new token.
    """

    identity_id: str
    amr: Sequence[str] = ()
    logins: Sequence[VerifiedLogin] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    further_logins: Sequence[VerifiedLogin] = ()

    @property
    def full_amr(self) -> Sequence[str]:
        """The amr claim."""
        return ["authenticated", *self.amr] if self.amr else ["unauthenticated"]


def get_id(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Makes a new identity for every call without logins."""
    del caller  # public
    pool = load_pool(service.state, request["IdentityPoolId"])
    if request.get("AccountId", pool.account) != pool.account:
        raise pool_not_found(pool.id)
    now_ms = service.clock.now_ms()
    logins = request.get("Logins")
    if not logins:
        if not pool.allows_guests:
            raise _guests_not_allowed()
        guest = create_identity(service.state, pool.id, now_ms)
        decided(f"a guest, which the pool allows: {guest.id} is made")
        return {"IdentityId": guest.id}
    linked = _linked(service.logins.verify(pool, logins))
    return {"IdentityId": identity_for_logins(service.state, pool.id, linked, now_ms)}


def get_open_id_token(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    """Issues the token of the basic flow."""
    del caller  # public
    identity = load_identity(service.state, request["IdentityId"])
    pool = load_pool(service.state, identity.pool_id)
    _check_basic_flow(pool, request.get("Logins", {}))
    principal = _authenticate(service, pool, identity, request.get("Logins"))
    token = open_id_token(
        service.keys,
        pool,
        principal.identity_id,
        [*principal.amr, *_amr_of(principal.further_logins)],
        TOKEN_SECONDS,
        int(service.clock.now()),
        {**tags_of_logins(pool, principal.further_logins), **principal.tags},
        service.settings.token_issuer,
    )
    service.note_secret(token)
    issued(f"a token of this service for {principal.identity_id}, which lasts {TOKEN_SECONDS} seconds")
    return {"IdentityId": principal.identity_id, "Token": token}


def get_credentials_for_identity(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """Issues credentials: the enhanced flow, which does not depend on AllowClassicFlow."""
    del caller  # public
    identity = load_identity(service.state, request["IdentityId"])
    pool = load_pool(service.state, identity.pool_id)
    principal = _authenticate(service, pool, identity, request.get("Logins"))
    role_arn = resolve_role(
        pool, principal.logins, request.get("CustomRoleArn"), authenticated=bool(principal.amr)
    )
    _check_role(service, pool, principal, role_arn)
    if not principal.amr:
        decided("the session policies of guests limit the session")
    lifetime = service.settings.credential_seconds(DEFAULT_CREDENTIAL_SECONDS)
    minted = service.issue_credentials(
        AssumedRole(
            role_arn=role_arn,
            session_name=_SESSION_NAME,
            expires_at=int(service.clock.now()) + lifetime,
            identity_id=principal.identity_id,
            pool_id=pool.id,
            limited=not principal.amr,
            tags=principal.tags,
            amr=principal.full_amr,
        )
    )
    return {
        "IdentityId": principal.identity_id,
        "Credentials": {
            "AccessKeyId": minted.access_key_id,
            "SecretKey": minted.secret_access_key,
            "SessionToken": minted.session_token,
            "Expiration": float(minted.expires_at),
        },
    }


def _check_basic_flow(pool: IdentityPool, logins: Mapping[str, str]) -> None:
    # A pool that was made without AllowClassicFlow allows the flow.
    if pool.settings.get("AllowClassicFlow") is False or any(map(is_saml, logins)):
        raise invalid_parameter("Basic (classic) flow is not enabled, please use enhanced flow.")
    if pool.used_role_mappings:
        raise invalid_parameter(
            "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow."
        )


def _authenticate(
    service: Service, pool: IdentityPool, identity: Identity, logins: Mapping[str, str] | None
) -> _Principal:
    if not logins:
        if identity.authenticated or not identity.enabled:
            raise identity_forbidden(identity.id)
        if not pool.allows_guests:
            raise _guests_not_allowed()
        checked(f"a guest: the pool allows guests, and {identity.id} never had a login")
        return _Principal(identity.id)
    token_key = service_token_key(pool, logins)
    if token_key is not None:
        return _authenticate_by_token(service, pool, identity, logins, token_key)
    verified = service.logins.verify(pool, logins)
    survivor = resolve_identity(service.state, identity, _linked(verified), service.clock.now_ms())
    return _Principal(survivor, _amr_of(verified), verified, tags_of_logins(pool, verified))


def _authenticate_by_token(
    service: Service, pool: IdentityPool, identity: Identity, logins: Mapping[str, str], token_key: str
) -> _Principal:
    """A token of this service proves the identity that it names. Further logins are linked to that."""
    token = service.logins.verify_service_token(logins[token_key])
    others = {name: text for name, text in logins.items() if name != token_key}
    further = service.logins.verify(pool, others)
    if token.identity_id != identity.id:
        raise logins_do_not_match()
    survivor = resolve_identity(
        service.state, identity, _linked(further), service.clock.now_ms(), proven=True
    )
    return _Principal(survivor, token.amr[1:], tags=token.tags, further_logins=further)


def _linked(logins: Sequence[VerifiedLogin]) -> list[LinkedLogin]:
    """The linked logins, each once: a user pool has two names."""
    return list(dict.fromkeys(login.linked for login in logins))


def _amr_of(logins: Sequence[VerifiedLogin]) -> list[str]:
    return [entry for login in logins for entry in login.amr]


def _check_role(service: Service, pool: IdentityPool, principal: _Principal, role_arn: str) -> None:
    """Refuse a role that STS would refuse. The answer blames the configuration of the pool."""
    host = service_host(pool.region)
    attempt = Assumption(
        principal=host,
        provider=host,
        claims={
            "aud": [pool.id],
            "sub": [principal.identity_id],
            "amr": principal.full_amr,
        },
        session_name=_SESSION_NAME,
        now=service.clock.now(),
        tags=principal.tags,
    )
    well_formed = are_valid if principal.logins else are_well_formed  # tags of developers are not mapped
    possible = (
        is_role_of_account(role_arn, pool.region, pool.account)
        and is_short_enough(role_arn, pool.region)
        and well_formed(principal.tags)
        and packed_percent("", (), principal.tags) <= 100
    )
    if not possible or not may_assume(service.state, role_arn, attempt, service.strict_roles):
        raise invalid_pool_configuration()


def _guests_not_allowed() -> Exception:
    return not_authorized("Unauthenticated access is not supported for this identity pool.")
