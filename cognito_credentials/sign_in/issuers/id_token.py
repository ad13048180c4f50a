"""
An ID token, verified: signed by the issuer, for this client, about this moment and this very sign-in.

PyJWT checks the signature; which algorithms count is decided here, from the issuer's metadata and never from
the token alone. Time is the service's where it told (`ServerTime`), so that a device's wrong clock does not
keep its user out.

Imports `discovery`, and PyJWT when a token is verified.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ...errors import LoginRejectedError, clean
from ...logins.claims import TOKEN_LIMIT
from .discovery import ASYMMETRIC

if TYPE_CHECKING:
    from ...secret import Secret

LEEWAY_SECONDS: Final = 60
"""By how much two clocks that are both right may differ."""
SUBJECT_LIMIT: Final = 255
"""Source: OpenID Connect Core 1.0, section 2, ``sub``."""
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat")
_KEY_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_HASHES: Final = {"256": "sha256", "384": "sha384", "512": "sha512", "DSA": "sha512"}


def verify(
    token: Secret,
    *,
    keys: Mapping[str, Any],
    issuers: frozenset[str],
    client_id: str,
    algorithms: frozenset[str],
    now: float,
    nonce: str | None = None,
    access_token: Secret | None = None,
) -> dict[str, Any]:
    """
    Verify an ID token, and return its claims.

    Args:
        token: As the token endpoint gave it.
        keys: The issuer's JWKS document.
        issuers: What ``iss`` may be; usually one.
        client_id: Whom it must be for.
        algorithms: With which the issuer signs.
        now: The time, seconds since the epoch.
        nonce: What this sign-in sent; None where it sent none (refresh, device).
        access_token: Given together with it, for ``at_hash``.

    Raises:
        LoginRejectedError: It is not to be believed.

    Source: OpenID Connect Core 1.0, 3.1.3.7 and 12.2.
    """
    signed = _signed(token.reveal(), keys, algorithms & ASYMMETRIC)
    if isinstance(signed, str):
        raise _rejected(signed)
    header, claims = signed
    _check_who(claims, issuers)
    _check_audience(claims, client_id)
    _check_time(claims, now)
    if nonce is not None and not _equal(claims.get("nonce"), nonce):
        raise _rejected("it answers another sign-in than this one (nonce)")
    if access_token is not None and "at_hash" in claims:
        expected = _half_hash(access_token, str(header["alg"]))
        if not _equal(claims["at_hash"], expected):
            raise _rejected("it belongs to another access token (at_hash)")
    return claims


def _signed(
    text: str, keys: Mapping[str, Any], algorithms: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]] | str:
    """Check the signature alone; what is wrong is returned, so that no error carries the token along."""
    import jwt

    if len(text) > TOKEN_LIMIT:
        return "it is longer than Cognito takes"
    problem = "its signature is wrong"
    try:
        header = jwt.get_unverified_header(text)
        algorithm = header.get("alg")
        if algorithm not in algorithms:
            problem = f"it is signed with {clean(str(algorithm), 20)}, which this issuer does not use"
            raise jwt.InvalidAlgorithmError
        key = _key(keys, header, algorithm)
        if key is None:
            problem = "it is signed with a key that the issuer does not publish"
            raise jwt.InvalidKeyError
        # Who it is from, for and until when is checked by our own rules, with our own clock.
        options: Any = {
            "require": list(_REQUIRED),
            **dict.fromkeys(
                ("verify_aud", "verify_iss", "verify_exp", "verify_nbf", "verify_iat", "verify_sub"), False
            ),
        }
        claims = jwt.decode(text, jwt.PyJWK(key, algorithm).key, algorithms=[algorithm], options=options)
    except jwt.MissingRequiredClaimError as error:
        problem = f"it has no claim '{clean(error.claim, 20)}'"
    except Exception:  # noqa: BLE001, S110  (a forged header or key may break any layer: what is wrong is said below)
        pass
    else:
        return header, claims
    return problem


def _key(keys: Mapping[str, Any], header: Mapping[str, Any], algorithm: str) -> dict[str, Any] | None:
    """Find the one key that may have signed it."""
    published = keys.get("keys")
    fitting = [
        key
        for key in (published if isinstance(published, list) else [])
        if isinstance(key, dict)
        and key.get("kty") == _KEY_TYPES[algorithm[:2]]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    ]
    kid = header.get("kid")
    if kid is not None:
        fitting = [key for key in fitting if key.get("kid") == kid]
    return fitting[0] if len(fitting) == 1 else None


def _check_who(claims: Mapping[str, Any], issuers: frozenset[str]) -> None:
    """Check from whom it is, about whom, and that it is said to be one of these tokens at all."""
    if not isinstance(claims["iss"], str) or claims["iss"] not in issuers:
        raise _rejected(f"it is from another issuer, {clean(str(claims['iss']), 120)}")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LIMIT:
        raise _rejected("it does not say whom it is about")
    # Source: user pools name the kind of each of their tokens in this claim.
    if claims.get("token_use", "id") != "id":
        raise _rejected("it is no ID token")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims["aud"]
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise _rejected("it is for another client (aud)")
    authorized = claims.get("azp")
    if authorized != client_id and (authorized is not None or len(audiences) > 1):
        raise _rejected("it was given to another client (azp)")


def _check_time(claims: Mapping[str, Any], now: float) -> None:
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name, now)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e12:
            raise _rejected(f"its '{name}' is no time")
    if claims["exp"] + LEEWAY_SECONDS <= now:
        raise _rejected("it has expired already; is this machine's clock right?")
    if max(claims["iat"], claims.get("nbf", 0)) - LEEWAY_SECONDS > now:
        raise _rejected("it is from the future; is this machine's clock right?")


def _half_hash(access_token: Secret, algorithm: str) -> str:
    text = access_token.reveal().encode("ascii", "replace")
    digest = hashlib.new(_HASHES[algorithm[-3:]], text).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


def _equal(given: object, expected: str) -> bool:
    # JSON can hold what UTF-8 cannot: half a surrogate pair.
    return isinstance(given, str) and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def _rejected(why: str) -> LoginRejectedError:
    return LoginRejectedError(
        f"the ID token that came is not to be believed: {why}",
        hint="Sign in again; if it happens again, check issuer and client id",
    )
