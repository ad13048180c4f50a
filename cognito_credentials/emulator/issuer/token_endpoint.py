"""
The issuer's endpoints for programs: tokens, revocation, and what a token says about its user.

Every client is public: it has no secret. So a code is good only with the PKCE verifier of its client, and a
refresh token only once. A code or a refresh token that comes a second time was stolen: its grant ends.

Source: https://www.rfc-editor.org/rfc/rfc6749, https://www.rfc-editor.org/rfc/rfc7009,
https://www.rfc-editor.org/rfc/rfc8628 and https://www.rfc-editor.org/rfc/rfc9700#section-4.14.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cognito_credentials.emulator.issuer.grants import APPROVED, DENIED, REDEEMED, Grant, Grants
from cognito_credentials.emulator.issuer.tokens import (
    ACCESS_TOKEN_SECONDS,
    CODE,
    DEVICE_CODE,
    REFRESH_TOKEN,
    claims_about,
    grant_of_access_token,
    seal,
    tokens_of,
    unseal,
)
from cognito_credentials.emulator.oauth import OAuthError, Parameters, verifies
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.trail import checked, issued

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_SECONDS = 30 * 24 * 3600
_SLOWER_SECONDS = 5.0
"""RFC 8628, 3.5."""
_MOST_INTERVAL = 60.0


class TokenEndpoint:
    """
    The endpoints for programs.

    Args:
        address: The issuer's address, as the client wrote it.
    """

    def __init__(self, service: Service, address: str) -> None:
        self._service = service
        self._address = address
        self._grants = Grants(service.state)

    def answer(self, client_id: str, parameters: Parameters) -> Mapping[str, Any]:
        """
        Answer a token request. What it changes must be committed also when it raises.

        Raises:
            OAuthError: The request is refused.
        """
        for name in parameters.repeated:
            raise OAuthError("invalid_request", f"{name} occurs more than once")
        kinds = {
            "authorization_code": self._redeem_code,
            "refresh_token": self._refresh,
            DEVICE_GRANT: self._poll,
        }
        grant_type = parameters.get("grant_type", "")
        if not grant_type:
            raise OAuthError("invalid_request", "grant_type is missing")
        if grant_type not in kinds:
            raise OAuthError("unsupported_grant_type", f"grant_type must be of {', '.join(kinds)}")
        return kinds[grant_type](client_id, parameters)

    def revoke(self, client_id: str, parameters: Parameters) -> None:
        """
        End the grant of a refresh token or an access token. A token that is unknown has ended already.

        Raises:
            OAuthError: There is no token, or it is another client's.
        """
        token = parameters.get("token", "")
        if not token:
            raise OAuthError("invalid_request", "token is missing")
        opened = unseal(self._service, REFRESH_TOKEN, token)
        if opened is not None:
            grant = self._grants.find(opened[0])
        else:
            found = grant_of_access_token(self._service, token)
            grant = found[0] if found else None
        if grant is None:
            return
        if grant.client_id != client_id:
            raise OAuthError("invalid_grant", "the token is another client's")
        self._grants.delete(grant.id)

    def user_info(self, access_token: str | None) -> Mapping[str, Any]:
        """
        What an access token says about its user.

        Raises:
            OAuthError: The token is missing, expired or revoked.
        """
        found = grant_of_access_token(self._service, access_token or "")
        if found is None:
            raise OAuthError("invalid_token", "the access token is missing, expired or revoked", 401)
        grant, scope = found
        return claims_about(grant.subject, scope)

    def _redeem_code(self, client_id: str, parameters: Parameters) -> Mapping[str, Any]:
        grant = self._find(CODE, client_id, parameters, "code")
        if grant.state != APPROVED:
            self._grants.delete(grant.id)
            raise OAuthError("invalid_grant", "the code was used before: its tokens are revoked")
        self._check_expiry(grant)
        if parameters.get("redirect_uri") != grant.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not that of the authorization request")
        if not verifies(grant.challenge, parameters.get("code_verifier", "")):
            raise OAuthError("invalid_grant", "code_verifier does not fit the code_challenge")
        checked("the code is new, and its client, redirect address and PKCE verifier fit")
        return self._redeemed(grant)

    def _poll(self, client_id: str, parameters: Parameters) -> Mapping[str, Any]:
        grant = self._find(DEVICE_CODE, client_id, parameters, "device_code")
        now = self._service.clock.now()
        if grant.state == DENIED:
            raise OAuthError("access_denied", "the person refused")
        if grant.state == REDEEMED:
            raise OAuthError("invalid_grant", "the device code was used before")
        if now >= grant.expires_at:
            raise OAuthError("expired_token", "nobody typed in the code in time")
        if grant.state == APPROVED:
            return self._redeemed(grant)
        waited = now - grant.polled_at
        if 0 <= waited < grant.interval:
            slower = min(grant.interval + _SLOWER_SECONDS, _MOST_INTERVAL)
            self._grants.update(replace(grant, polled_at=now, interval=slower))
            raise OAuthError("slow_down", f"wait {slower:.0f} seconds between two polls")
        self._grants.update(replace(grant, polled_at=now))
        raise OAuthError("authorization_pending", "nobody has typed in the code yet")

    def _refresh(self, client_id: str, parameters: Parameters) -> Mapping[str, Any]:
        opened = unseal(self._service, REFRESH_TOKEN, parameters.get("refresh_token", ""))
        grant = self._find(REFRESH_TOKEN, client_id, parameters, "refresh_token")
        if opened is None or opened[1] != grant.generation:
            self._grants.delete(grant.id)
            raise OAuthError("invalid_grant", "the refresh token was used before: its grant is revoked")
        self._check_expiry(grant)
        asked = parameters.get("scope", grant.scope).split()
        if not set(asked) <= set(grant.scope.split()):
            raise OAuthError("invalid_scope", "more scopes than were allowed")
        fewer = " ".join(scope for scope in grant.scope.split() if scope in asked)
        return self._given(replace(grant, generation=grant.generation + 1, nonce=None), fewer)

    def _find(self, kind: str, client_id: str, parameters: Parameters, name: str) -> Grant:
        """The grant of the secret in the parameter *name*, which may have expired."""
        if name not in parameters:
            raise OAuthError("invalid_request", f"{name} is missing")
        opened = unseal(self._service, kind, parameters[name])
        grant = self._grants.find(opened[0]) if opened else None
        if grant is None or grant.client_id != client_id:
            raise OAuthError("invalid_grant", f"the {name} is wrong, expired or another client's")
        return grant

    def _check_expiry(self, grant: Grant) -> None:
        if self._service.clock.now() >= grant.expires_at:
            raise OAuthError("invalid_grant", "it has expired")

    def _redeemed(self, grant: Grant) -> Mapping[str, Any]:
        return self._given(replace(grant, state=REDEEMED), grant.scope)

    def _given(self, grant: Grant, scope: str) -> Mapping[str, Any]:
        """Store the grant, and give its tokens out."""
        has_refresh = "offline_access" in grant.scope.split()
        seconds = REFRESH_SECONDS if has_refresh else ACCESS_TOKEN_SECONDS
        kept = replace(grant, expires_at=self._service.clock.now() + seconds)
        self._grants.update(kept)
        issued(f"tokens for {kept.subject} and the client {kept.client_id}, with the scopes {scope}")
        answer = tokens_of(self._service, kept, self._address, scope)
        if has_refresh:
            answer["refresh_token"] = seal(self._service, REFRESH_TOKEN, kept.id, kept.generation)
        return answer
