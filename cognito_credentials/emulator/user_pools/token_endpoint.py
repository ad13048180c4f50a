"""
The endpoints of user pools for programs, without HTTP: tokens, revocation, and user info.

Source: reference/service.md#12.7.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.logins.tokens import read_jwt
from cognito_credentials.emulator.oauth import OAuthError, Parameters, verifies
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.sign_ins import change_session, find_session, revoke_grant
from cognito_credentials.emulator.stored.user_pools import (
    AppClient,
    find_client,
    find_user_by_sub,
    find_user_pool,
)
from cognito_credentials.emulator.trail import checked
from cognito_credentials.emulator.user_pools.attempt import SignedIn
from cognito_credentials.emulator.user_pools.authorizing import CODE
from cognito_credentials.emulator.user_pools.tokens import (
    Tokens,
    issue_tokens,
    read_access_token,
    refresh_tokens,
    revoke_refresh_token,
)

_PHONE = ("phone_number", "phone_number_verified")
_EMAIL = ("email", "email_verified")


def authenticated(service: Service, client_id: str, secret: str | None) -> AppClient:
    """
    The client of a request.

    Raises:
        OAuthError: ``invalid_client``: there is none, or its secret is wrong.
    """
    client = find_client(service.state, client_id)
    is_right = client is not None and hmac.compare_digest(
        (client.secret or "").encode(), (secret or "").encode()
    )
    if client is None or not is_right:
        raise OAuthError("invalid_client")
    return client


def give_tokens(service: Service, client: AppClient, parameters: Parameters) -> Mapping[str, Any]:
    """
    Answer a token request. What it changes must be committed also when it raises.

    Raises:
        OAuthError: The request is refused.
    """
    if parameters.repeated or "grant_type" not in parameters:
        raise OAuthError("invalid_request")
    if parameters["grant_type"] == "authorization_code":
        return _redeemed(service, client, parameters)
    if parameters["grant_type"] == "refresh_token":
        return _refreshed(service, client, parameters)
    raise OAuthError("unsupported_grant_type")


def revoke(service: Service, client: AppClient, parameters: Parameters) -> None:
    """
    Revoke a refresh token, with all tokens of its sign-in.

    Raises:
        OAuthError: There is no token, or one that cannot be revoked.
    """
    token = parameters.get("token", "")
    if not token or "token" in parameters.repeated:
        raise OAuthError("invalid_request")
    try:
        revoke_refresh_token(service, client, token)
    except ServiceError:
        raise OAuthError("unsupported_token_type") from None


def user_info(service: Service, access_token: str | None) -> Mapping[str, Any]:
    """
    What an access token says about its user.

    Raises:
        OAuthError: The token is missing, expired, revoked, or has no scope openid.
    """
    try:
        access = read_access_token(service, access_token or "")
    except ServiceError:
        text = "Access token is expired, disabled, or deleted, or the user has globally signed out."
        raise OAuthError("invalid_token", text, 401) from None
    scopes = access.grant.scopes
    if "openid" not in scopes:
        raise OAuthError("invalid_token", "Access token does not contain openid scope", 401)
    attributes = access.user.attributes
    shown = {
        name: value
        for name, value in attributes.items()
        if _scope_of(name) in scopes or scopes == ("openid",)
    }
    return {"sub": access.user.sub, **shown, "username": access.user.name}


def _scope_of(attribute: str) -> str:
    if attribute in _EMAIL:
        return "email"
    return "phone" if attribute in _PHONE else "profile"


def _redeemed(service: Service, client: AppClient, parameters: Parameters) -> Mapping[str, Any]:
    if "code" not in parameters or "redirect_uri" not in parameters:
        raise OAuthError("invalid_request")
    session = find_session(service.state, CODE, parameters["code"])
    if session is None or session.content["client_id"] != client.id:
        raise OAuthError("invalid_grant")
    content = session.content
    if content["origin_jti"] is not None:
        revoke_grant(service.state, content["origin_jti"])  # RFC 6749, 4.1.2: somebody has stolen the code
        raise OAuthError("invalid_grant")
    if parameters["redirect_uri"] not in client.callback_urls:
        raise OAuthError("unauthorized_client")
    is_right = (
        service.clock.now() < session.expires_at
        and parameters["redirect_uri"] == content["redirect_uri"]
        and _is_proven(content["challenge"], parameters.get("code_verifier", ""))
    )
    pool = find_user_pool(service.state, client.pool_id)
    user = find_user_by_sub(service.state, client.pool_id, content["sub"])
    if not is_right or pool is None or user is None or not user.enabled:
        raise OAuthError("invalid_grant")
    checked("the code is new, and its client, redirect address and PKCE verifier fit")
    scopes = tuple(content["scopes"])
    tokens = issue_tokens(service, SignedIn(pool, client, user), scopes=scopes, claims=content["claims"])
    issued = read_jwt(tokens.access_token)
    origin_jti = issued.claims["origin_jti"] if issued is not None else ""
    change_session(service.state, session, {**content, "origin_jti": origin_jti})
    return _answer(tokens)


def _is_proven(challenge: str, verifier: str) -> bool:
    """Whether the verifier fits. One without a challenge is refused: somebody has taken the challenge out."""
    return verifies(challenge, verifier) if challenge else not verifier


def _refreshed(service: Service, client: AppClient, parameters: Parameters) -> Mapping[str, Any]:
    if "refresh_token" not in parameters:
        raise OAuthError("invalid_request")
    try:
        return _answer(refresh_tokens(service, client, parameters["refresh_token"]))
    except ServiceError:
        raise OAuthError("invalid_grant") from None


def _answer(tokens: Tokens) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if "openid" in tokens.scopes:
        answer["id_token"] = tokens.id_token
    answer["access_token"] = tokens.access_token
    if tokens.refresh_token is not None:
        answer["refresh_token"] = tokens.refresh_token
    return {**answer, "expires_in": tokens.expires_in, "token_type": "Bearer"}
