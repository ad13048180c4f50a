"""
The issuer's tokens, and the secrets of its grants: codes, device codes, refresh tokens and cookies.

Such a secret is an id, a number and their MAC. So nothing secret is stored, and an old refresh token of a
grant is known for what it is, however long ago it was exchanged.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator.issuer.grants import REDEEMED, Grant, Grants
from cognito_credentials.emulator.logins.keys import TEST_ISSUER, TEST_ISSUER_KEY_ID, base64url
from cognito_credentials.emulator.logins.tokens import read_jwt, sign_jwt, verifies_with
from cognito_credentials.emulator.oauth import half_hash
from cognito_credentials.emulator.service import Service

CODE = "code"
DEVICE_CODE = "device-code"
REFRESH_TOKEN = "refresh-token"  # noqa: S105  (a kind of secret)
SESSION = "session"

ACCESS_TOKEN_SECONDS = 3600
_ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105  (RFC 9068, 2.1)
_SECRET = re.compile(r"([A-Za-z0-9_-]{32})\.([0-9]{1,9})\.([A-Za-z0-9_-]{43})", re.ASCII)


def seal(service: Service, kind: str, grant_id: str, number: int = 0) -> str:
    """The secret of that *kind* for a grant or a session."""
    secret = f"{grant_id}.{number}.{_mac(service, kind, grant_id, number)}"
    service.note_secret(secret)
    return secret


def unseal(service: Service, kind: str, secret: str) -> tuple[str, int] | None:
    """The id and the number in *secret*; None if this emulator did not make it."""
    found = _SECRET.fullmatch(secret)
    if found is None:
        return None
    grant_id, number = found[1], int(found[2])
    if not hmac.compare_digest(found[3], _mac(service, kind, grant_id, number)):
        return None
    return grant_id, number


def tokens_of(service: Service, grant: Grant, issuer: str, scope: str) -> dict[str, Any]:
    """
    The answer of the token endpoint for *grant*, without the refresh token.

    Args:
        issuer: The address that the client knows the issuer by.
        scope: The scopes of this answer: those of the grant, or fewer.
    """
    now = int(service.clock.now())
    access_token = _signed(
        service,
        {
            "iss": issuer,
            "sub": grant.subject,
            "client_id": grant.client_id,
            "scope": scope,
            "iat": now,
            "exp": now + ACCESS_TOKEN_SECONDS,
            "jti": str(uuid.uuid4()),
            "grant": grant.id,
        },
        _ACCESS_TOKEN_TYPE,
    )
    answer = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_SECONDS,
        "scope": scope,
    }
    if "openid" in scope.split():
        claims = {
            "iss": issuer,
            **claims_about(grant.subject, scope),
            "aud": grant.client_id,
            "iat": now,
            "exp": now + ACCESS_TOKEN_SECONDS,
            "auth_time": grant.auth_time,
            "nonce": grant.nonce,
            "at_hash": half_hash(access_token),
            "marker": None if service.minted is None else "CANARYlogin",
        }
        used = {name: value for name, value in claims.items() if value is not None}
        answer["id_token"] = _signed(service, used, "JWT")
    return answer


def claims_about(subject: str, scope: str) -> dict[str, Any]:
    """What the scopes tell about a made-up user. All of it is made of the name that was typed."""
    scopes = scope.split()
    claims: dict[str, Any] = {"sub": subject}
    if "profile" in scopes:
        claims.update(name=subject, preferred_username=subject)
    if "email" in scopes:
        local = re.sub(r"[^\w.+-]+", ".", subject.partition("@")[0]).strip(".") or "user"
        claims.update(email=subject if "@" in subject else f"{local}@example.com", email_verified=True)
    return claims


def grant_of_access_token(service: Service, text: str) -> tuple[Grant, str] | None:
    """
    The grant of an access token, and the token's scopes.

    Returns:
        None if the token is not an access token of this emulator, has expired or was revoked.
    """
    claims = _own_claims(service, text, _ACCESS_TOKEN_TYPE)
    if claims is None or service.clock.now() >= int(claims["exp"]):
        return None
    grant = Grants(service.state).find(str(claims["grant"]))
    return (grant, str(claims["scope"])) if grant is not None and grant.state == REDEEMED else None


def _signed(service: Service, claims: Mapping[str, Any], kind: str) -> str:
    header = {"kid": TEST_ISSUER_KEY_ID, "typ": kind, "alg": "RS256"}
    token = sign_jwt(service.keys, TEST_ISSUER, header, claims)
    service.note_secret(token)
    return token


def _own_claims(service: Service, text: str, kind: str) -> Mapping[str, Any] | None:
    token = read_jwt(text)
    key = service.keys.find(TEST_ISSUER)
    if token is None or key is None or token.header.get("typ") != kind:
        return None
    return token.claims if verifies_with(token, key.public_key()) else None


def _mac(service: Service, kind: str, grant_id: str, number: int) -> str:
    text = f"issuer {kind} {grant_id} {number}"
    return base64url(hmac.new(service.state.session_key(), text.encode(), hashlib.sha256).digest())
