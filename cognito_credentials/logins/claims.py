"""
What a JSON Web Token claims, unverified: good for hints (expired, another issuer), never for trust.

Whoever makes up a token makes up its claims. So nothing read here decides which user's credentials are
handed out, unless the token comes from a place that only this user can write to (a file, a command).
There is no signature check to get wrong: ``alg`` is not looked at and no key is fetched.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from typing import Any, NoReturn

from ..regions import original_issuer

TOKEN_LIMIT = 50_000
"""Most characters of a login token. Source: Cognito Identity API, IdentityProviderToken."""
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


def unverified_claims(token: str) -> dict[str, Any] | None:
    """
    Read the claims of *token* without believing them; never raises.

    Returns:
        The claims; None when it is not strictly a JWT: three parts, unpadded base64url, JSON objects.
    """
    parts = token.split(".") if len(token) <= TOKEN_LIMIT else []
    if len(parts) != 3 or _json_object(parts[0]) is None:
        return None
    return _json_object(parts[1])


def unverified_issuer(claims: dict[str, Any]) -> str | None:
    """Return ``iss`` without its scheme; None when there is none."""
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer:
        return None
    for scheme in ("https://", "http://"):
        if issuer.lower().startswith(scheme):
            return issuer[len(scheme) :]
    return issuer


def unverified_provider(claims: dict[str, Any]) -> str | None:
    """Return the login provider name that follows from ``iss``; None when there is none."""
    issuer = unverified_issuer(claims)
    return issuer and provider_of(issuer)


def provider_of(issuer: str) -> str:
    """
    Derive the login provider name of an issuer: its address without scheme and without a slash at its end.

    Source: reference/service.md#5.1.5 and, for the slash, reference/service.md#5.1.12.
    """
    return (unverified_issuer({"iss": issuer}) or "").rstrip("/")


def unverified_expiry(claims: dict[str, Any]) -> float | None:
    """Read ``exp``, seconds since the epoch; None when it is missing, no number, or out of range."""
    expiry = claims.get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, (int, float)):
        return None
    # An int of hundreds of digits has no float.
    return float(expiry) if abs(expiry) < 1e12 and math.isfinite(expiry) else None


def unverified_subject(claims: dict[str, Any]) -> tuple[str, str] | None:
    """
    Read issuer and subject, both texts; None unless there are both.

    A user pool's two issuers are one: a pool that changes to the other one still has the same users.
    """
    issuer, subject = unverified_issuer(claims), claims.get("sub")
    return (original_issuer(issuer), subject) if issuer and isinstance(subject, str) and subject else None


def _json_object(part: str) -> dict[str, Any] | None:
    if not _BASE64URL.fullmatch(part):
        return None
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        # Bits left over in the last character must be zero, or many texts would be one token.
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != part:
            return None
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except (binascii.Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
