"""
JSON Web Tokens: read, verified and signed, and the tokens that the service issues.

The header and the claims of these have the order of the real service. Source: reference/service.md#7.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.logins.keys import SERVICE, SigningKeys, base64url
from cognito_credentials.emulator.model.members import read_json
from cognito_credentials.emulator.model.names import service_host
from cognito_credentials.emulator.stored.pools import IdentityPool

PRINCIPAL_TAGS_CLAIM = "https://aws.amazon.com/tags"
POOL_ARN_CLAIM = "https://cognito-identity.amazonaws.com/identity-pool-arn"
RSA_ALGORITHMS = ("RS256", "RS384", "RS512")


@dataclass(frozen=True)
class Jwt:
    """A token that was taken apart. Its signature is not verified."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def expires_at(self) -> int | None:
        """The exp claim, if it is a number."""
        return _whole_number(self.claims.get("exp"))

    @property
    def issued_at(self) -> int | None:
        """The iat claim, if it is a number."""
        return _whole_number(self.claims.get("iat"))

    @property
    def audiences(self) -> list[str]:
        """The azp claim, or the aud claim if there is none; reference/service.md#5.2.10b."""
        azp = self.claims.get("azp")
        audience = self.claims["aud"] if azp is None else azp
        return [str(item) for item in audience] if isinstance(audience, list) else [str(audience)]


def _whole_number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < 2**53 else None


def read_jwt(text: str) -> Jwt | None:
    """Take *text* apart; None if it is not a JSON Web Token, or has text that is not valid Unicode."""
    import jwt  # Importing it takes a sixth of the emulator's start. A guest has no token.

    try:
        parts = jwt.api_jws.decode_complete(text, options={"verify_signature": False})
        claims = read_json(parts["payload"]) if parts["payload"] else None
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    if not isinstance(claims, dict):
        return None
    return Jwt(text, parts["header"], claims)


def verifies_with(token: Jwt, key: Any) -> bool:
    """Whether *key* signed the token, by one of the RSA algorithms."""
    import jwt

    try:
        jwt.api_jws.decode(token.text, key=key, algorithms=list(RSA_ALGORITHMS))
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return True


def sign_jwt(keys: SigningKeys, key_name: str, header: Mapping[str, str], claims: Mapping[str, Any]) -> str:
    """A token in compact form, its *header* and *claims* in the order given."""
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{base64url(keys.sign(key_name, signed.encode(), header['alg']))}"


def _part(content: Mapping[str, Any]) -> str:
    return base64url(json.dumps(content, separators=(",", ":")).encode())


def key_id(region: str) -> str:
    """The kid of the service's tokens in *region*; reference/service.md#7.1.1."""
    return f"{region}-{assumed.KEY_NUMBER}"


def open_id_token(
    keys: SigningKeys,
    pool: IdentityPool,
    identity_id: str,
    amr: Sequence[str],
    lifetime: int,
    now: int,
    principal_tags: Mapping[str, str] | None = None,
    issuer: str | None = None,
) -> str:
    """
    The token of GetOpenIdToken.

    Args:
        amr: Two entries for each login of the call; empty for a guest.
        lifetime: Seconds.
        now: Seconds since the epoch.
        issuer: None for that of the real service.
    """
    header = {"kid": key_id(pool.region), "typ": "JWS", "alg": "RS512"}
    claims: dict[str, Any] = {
        "sub": identity_id,
        "aud": pool.id,
        "amr": ["authenticated", *amr] if amr else ["unauthenticated"],
    }
    if principal_tags:
        tags = {key: [value] for key, value in principal_tags.items()}
        claims[PRINCIPAL_TAGS_CLAIM] = {"principal_tags": tags}
    claims["iss"] = issuer or f"https://{service_host(pool.region)}"
    if amr:
        claims[POOL_ARN_CLAIM] = pool.arn
    claims["exp"] = now + lifetime
    claims["iat"] = now
    return sign_jwt(keys, SERVICE, header, claims)


def is_service_token(keys: SigningKeys, token: Jwt) -> bool:
    """Whether this service signed the token, whatever issuer it names: the issuer is a setting."""
    key = keys.find(SERVICE)
    return key is not None and verifies_with(token, key.public_key())
