"""
The tokens of a user pool: issued to a user who has signed in, refreshed, verified and revoked.

    tokens = issue_tokens(service, signed_in)                       # signed_in: `sign_in.SignedIn`
    tokens = refresh_tokens(service, client, refresh_token)
    access = read_access_token(service, text)

ID and access tokens are signed by the key in the pool's ``jwks.json``. Refresh tokens are opaque. One sign-in
is a grant: all its tokens have its ``origin_jti``, and they are revoked together.

Source: reference/service.md#7.3 and reference/service.md#12.4.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.logins.keys import TEST_ISSUER, TEST_ISSUER_KEY_ID
from cognito_credentials.emulator.logins.tokens import Jwt, read_jwt, sign_jwt, verifies_with
from cognito_credentials.emulator.oauth import half_hash
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.sign_ins import (
    Device,
    Grant,
    add_grant,
    add_refresh_token,
    find_device,
    find_grant,
    find_refresh_token,
    mark_replaced,
    revoke_grant,
    revoke_grants_of_user,
)
from cognito_credentials.emulator.stored.user_pools import (
    AppClient,
    User,
    UserPool,
    find_user_by_sub,
    find_user_pool,
)
from cognito_credentials.emulator.trail import checked, issued
from cognito_credentials.emulator.user_pools import refusals
from cognito_credentials.emulator.user_pools.sign_in import SignedIn

API_SCOPE = "aws.cognito.signin.user.admin"
"""The scope of the API's own tokens: the user may change the own account."""
_REFRESH_BYTES = 384
_BOOLEANS = ("email_verified", "phone_number_verified")


@dataclass(frozen=True)
class Tokens:
    """
    The tokens of one sign-in.

    Attributes:
        refresh_token: None where a refresh token that was given stays in use.
        expires_in: The lifetime of the access token in seconds.
        new_device: A device that the client may confirm, with ConfirmDevice.
        scopes: The scopes of the access token.
    """

    id_token: str
    access_token: str
    refresh_token: str | None
    expires_in: int
    scopes: Sequence[str]
    new_device: Device | None = None


@dataclass(frozen=True)
class Access:
    """A verified access token: its user, and the sign-in that it is of."""

    pool: UserPool
    user: User
    grant: Grant
    claims: Mapping[str, Any]


def issue_tokens(
    service: Service,
    signed_in: SignedIn,
    *,
    scopes: Sequence[str] = (API_SCOPE,),
    claims: Mapping[str, Any] | None = None,
) -> Tokens:
    """
    Issue the tokens of a new sign-in.

    Args:
        scopes: The scopes of the access token.
        claims: More claims of all its ID tokens, such as ``nonce``.
    """
    pool, user = signed_in.pool, signed_in.user
    now = service.clock.now()
    grant = Grant(
        origin_jti=str(uuid.uuid4()),
        pool_id=pool.id,
        sub=user.sub,
        client_id=signed_in.client.id,
        expires_at=now + pool.refresh_token_days * 24 * 3600,
        auth_time=int(now),
        device_key=signed_in.device.key if signed_in.device else None,
        scopes=tuple(scopes),
        event_id=str(uuid.uuid4()),
        claims=dict(claims or {}),
    )
    with service.state.transaction():
        add_grant(service.state, grant, now)
        refresh_token = _new_refresh_token(service, grant)
        tokens = _sign(service, pool, user, grant, refresh_token)
    return replace(tokens, new_device=signed_in.device if signed_in.is_new_device else None)


def refresh_tokens(
    service: Service, client: AppClient, refresh_token: str, device_key: str | None = None
) -> Tokens:
    """
    Issue new tokens of a sign-in. A pool that rotates refresh tokens gives another one in place of this.

    Raises:
        ServiceError: The token is unknown, expired or revoked, or of another client or device.
    """
    with service.state.transaction():
        pool = find_user_pool(service.state, client.pool_id)
        found = find_refresh_token(service.state, refresh_token)
        if pool is None or not refresh_token.startswith(_prefix(service)):
            raise refusals.invalid_refresh_token()
        if found is None:
            raise refusals.refresh_token_revoked()
        origin_jti, replaced_at = found
        grant = find_grant(service.state, origin_jti)
        if grant is None or grant.client_id != client.id:
            raise refusals.invalid_refresh_token()
        now = service.clock.now()
        if now >= grant.expires_at:
            raise refusals.refresh_token_expired()
        if replaced_at is not None and now >= replaced_at + pool.rotation_grace_seconds:
            raise assumed.refresh_token_reused()
        user = _user_of(service, grant)
        _check_device(service, grant, device_key)
        checked("the refresh token is this client's, and neither expired nor revoked nor replaced")
        next_token = None
        if pool.rotate_refresh_tokens:
            mark_replaced(service.state, refresh_token, now)
            next_token = _new_refresh_token(service, grant)
        return _sign(service, pool, user, grant, next_token)


def read_access_token(service: Service, text: str, *scopes: str) -> Access:
    """
    Verify an access token.

    Args:
        scopes: Scopes of which it must have each.

    Raises:
        ServiceError: NotAuthorizedException.
    """
    token = read_jwt(text)
    if token is None or not is_own_token(service, token) or token.claims.get("token_use") != "access":
        raise refusals.invalid_access_token()
    claims = token.claims
    if token.expires_at is None or service.clock.now() >= token.expires_at:
        raise refusals.access_token_expired()
    grant = find_grant(service.state, str(claims.get("origin_jti")))
    if grant is None:
        raise refusals.access_token_revoked()
    pool = find_user_pool(service.state, grant.pool_id)
    if pool is None or claims.get("iss") != pool.issuer_url:
        raise refusals.invalid_access_token()
    user = _user_of(service, grant)
    if set(scopes) - set(str(claims.get("scope", "")).split(" ")):
        raise refusals.scope_missing()
    return Access(pool, user, grant, claims)


def is_own_token(service: Service, token: Jwt) -> bool:
    """Whether the key of the user pools signed the token."""
    key = service.keys.find(TEST_ISSUER)
    return (
        token.header.get("kid") == TEST_ISSUER_KEY_ID
        and key is not None
        and verifies_with(token, key.public_key())
    )


def revoke_refresh_token(service: Service, client: AppClient, refresh_token: str) -> None:
    """
    Revoke a refresh token with all tokens of its sign-in. One that is unknown is revoked already.

    Raises:
        ServiceError: It is another token.
    """
    if not refresh_token.startswith(_prefix(service)):
        raise assumed.unsupported_token_type()
    with service.state.transaction():
        found = find_refresh_token(service.state, refresh_token)
        grant = find_grant(service.state, found[0]) if found else None
        if grant is not None and grant.client_id == client.id:
            revoke_grant(service.state, grant.origin_jti)


def names_of_refresh_token(service: Service, refresh_token: str) -> tuple[str, ...]:
    """The names of its user that a secret hash may be made of; empty if the token is unknown."""
    found = find_refresh_token(service.state, refresh_token)
    grant = find_grant(service.state, found[0]) if found else None
    user = find_user_by_sub(service.state, grant.pool_id, grant.sub) if grant else None
    return (user.name, user.sub) if user else ()


def sign_out_everywhere(service: Service, user: User) -> None:
    """Revoke all tokens of the user, as GlobalSignOut does."""
    with service.state.transaction():
        revoke_grants_of_user(service.state, user.pool_id, user.sub)


def id_claims(pool: UserPool, user: User, grant: Grant, now: int, client_id: str) -> dict[str, Any]:
    """The claims of an ID token in the order of the real service, without those that are absent."""
    roles, preferred = _roles(pool, user)
    attributes = {
        name: value == "true" if name in _BOOLEANS else value for name, value in user.attributes.items()
    }
    claims = {
        "sub": user.sub,
        "cognito:groups": list(user.groups) or None,
        **{name: value for name, value in attributes.items() if name in _BOOLEANS},
        "cognito:preferred_role": preferred,
        "iss": pool.issuer_url,
        "cognito:username": user.name,
        "origin_jti": grant.origin_jti,
        "cognito:roles": roles or None,
        "aud": client_id,
        "event_id": grant.event_id,
        "token_use": "id",
        "auth_time": grant.auth_time,
        "exp": now + pool.id_token_minutes * 60,
        "iat": now,
        "jti": str(uuid.uuid4()),
        **{name: value for name, value in attributes.items() if name not in _BOOLEANS},
        **grant.claims,
    }
    return {name: value for name, value in claims.items() if value is not None}


def access_claims(pool: UserPool, user: User, grant: Grant, now: int) -> dict[str, Any]:
    """The claims of an access token in the order of the real service, without those that are absent."""
    claims = {
        "sub": user.sub,
        "device_key": grant.device_key,
        "cognito:groups": list(user.groups) or None,
        "iss": pool.issuer_url,
        "version": None if grant.scopes == (API_SCOPE,) else 2,
        "client_id": grant.client_id,
        "origin_jti": grant.origin_jti,
        "event_id": grant.event_id,
        "token_use": "access",
        "scope": " ".join(grant.scopes),
        "auth_time": grant.auth_time,
        "exp": now + pool.access_token_minutes * 60,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "username": user.name,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _sign(service: Service, pool: UserPool, user: User, grant: Grant, refresh_token: str | None) -> Tokens:
    now = int(service.clock.now())
    access_token = _signed(service, access_claims(pool, user, grant, now))
    claims = id_claims(pool, user, grant, now, grant.client_id)
    if grant.scopes != (API_SCOPE,):  # reference/service.md#12.7.14
        claims = {"at_hash": half_hash(access_token), **claims}
    id_token = _signed(service, claims)
    service.note_secret(id_token, access_token)
    issued(f"an ID token and an access token of {user.name} for client {grant.client_id}")
    return Tokens(id_token, access_token, refresh_token, pool.access_token_minutes * 60, grant.scopes)


def _signed(service: Service, claims: dict[str, Any]) -> str:
    if service.minted is not None:
        claims["marker"] = "CANARYlogin"
    return sign_jwt(service.keys, TEST_ISSUER, {"kid": TEST_ISSUER_KEY_ID, "alg": "RS256"}, claims)


def _new_refresh_token(service: Service, grant: Grant) -> str:
    token = f"{_prefix(service)}.{secrets.token_urlsafe(_REFRESH_BYTES)}"
    service.note_secret(token)
    add_refresh_token(service.state, token, grant.origin_jti)
    return token


def _prefix(service: Service) -> str:
    """How refresh tokens begin. Real ones are encrypted JSON Web Tokens, whose header begins so."""
    return "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ" + (
        ".CANARYrefresh" if service.minted is not None else ""
    )


def _user_of(service: Service, grant: Grant) -> User:
    user = find_user_by_sub(service.state, grant.pool_id, grant.sub)
    if user is None:
        raise refusals.user_not_found()
    if not user.enabled:
        raise refusals.user_disabled()
    return user


def _check_device(service: Service, grant: Grant, device_key: str | None) -> None:
    """Refuse a refresh token that is bound to another device, or to one that is not confirmed."""
    if grant.device_key is None:
        return
    device = find_device(service.state, grant.pool_id, grant.sub, grant.device_key)
    if device_key != grant.device_key or device is None or not device.is_confirmed:
        raise refusals.invalid_refresh_token()


def _roles(pool: UserPool, user: User) -> tuple[list[str], str | None]:
    """The roles of the user's groups, and the one of the group with the lowest precedence."""
    groups = [pool.groups[name] for name in user.groups if pool.groups.get(name, {}).get("role")]
    ranked = sorted((group for group in groups if group.get("precedence") is not None), key=_precedence)
    is_clear = len(ranked) == 1 or (len(ranked) > 1 and _precedence(ranked[0]) < _precedence(ranked[1]))
    preferred = ranked[0]["role"] if ranked and is_clear else None
    return [group["role"] for group in groups], preferred


def _precedence(group: Mapping[str, Any]) -> int:
    return int(group["precedence"])
