"""
Verification of an ID token: signed by the issuer, for this client, valid now, and from this sign-in.

PyJWT checks the signature. Which algorithms are accepted is decided here, from the issuer's metadata and
never from the token alone. The time is the issuer's where its answer had one (`ServerTime`), so that a device
with a wrong clock can still sign in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ...errors import LoginRejectedError, LoginRequiredError, clean, replaced
from ...importing import IMPORTING
from ...logins.claims import TOKEN_LIMIT
from .discovery import ASYMMETRIC
from .tokens import Verified

if TYPE_CHECKING:
    from ...exchange.http import Http
    from ...secret import Secret
    from .discovery import Metadata
    from .tokens import Tokens

LEEWAY_SECONDS: Final = 60
"""Two clocks that are both well kept may differ by this much."""
_END_OF_TIME: Final = 253_402_300_800
"""Seconds since the epoch: the year 10000, which `datetime` does not have."""
SUBJECT_LIMIT: Final = 255
"""Source: OpenID Connect Core 1.0, section 2, ``sub``."""
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat")
_KEY_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_HASHES: Final = {"256": "sha256", "384": "sha384", "512": "sha512", "DSA": "sha512"}


def verify_tokens(
    http: Http,
    metadata: Metadata,
    tokens: Tokens,
    client_id: str,
    *,
    nonce: str | None,
    issuers: frozenset[str] | None = None,
) -> Verified:
    """
    Verify *tokens* with the keys that the issuer publishes now.

    Args:
        issuers: The accepted values of ``iss``; by default the issuer of *metadata*.

    Raises:
        LoginRejectedError: The ID token is not valid.
        LoginRequiredError: The answer has no ID token.
        ServiceError: The keys cannot be fetched.
    """
    if tokens.id_token is None:
        # Not raised where the answer is read: the new refresh token has to be stored first.
        raise LoginRequiredError(
            "the issuer refreshed the sign-in but gave no ID token, which is what identity pools take",
            hint="Sign in again, or have the issuer give ID tokens when it refreshes",
            topic="E-ID-TOKEN",
        )
    claims = verify(
        tokens.id_token,
        keys=http.get(metadata.jwks_uri),
        issuers=issuers or frozenset({metadata.issuer}),
        client_id=client_id,
        algorithms=metadata.algorithms,
        now=tokens.now,
        nonce=nonce,
        access_token=tokens.access_token,
    )
    ends_at = None if tokens.expires_in is None else tokens.now + tokens.expires_in
    return Verified(
        tokens.id_token, claims, tokens.refresh_token, tokens.now, tokens.device, tokens.access_token, ends_at
    )


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
        keys: The issuer's JWKS document.
        issuers: The accepted values of ``iss``; usually one.
        algorithms: The algorithms that the issuer signs with.
        now: Seconds since the epoch.
        nonce: The nonce of the authorization request; None where there was none (refresh, device).
        access_token: The access token of the same answer, for ``at_hash``.

    Raises:
        LoginRejectedError: The token is not valid.

    Source: OpenID Connect Core 1.0, 3.1.3.7 and 12.2.
    """
    # A forged header or key can make any layer of PyJWT fail; its frames hold the token.
    with replaced(Exception, by=_rejection):
        header, claims = _check_signature(token.reveal(), keys, algorithms & ASYMMETRIC)
    _check_issuer_and_subject(claims, issuers)
    _check_audience(claims, client_id)
    _check_time(claims, now)
    if nonce is not None and not _equal(claims.get("nonce"), nonce):
        raise _rejected("it answers another sign-in than this one (nonce)")
    if access_token is not None and "at_hash" in claims:
        expected = _half_hash(access_token, str(header["alg"]))
        if not _equal(claims["at_hash"], expected):
            raise _rejected("it belongs to another access token (at_hash)")
    return claims


def _check_signature(
    text: str, keys: Mapping[str, Any], algorithms: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token with a good signature; other errors than ours mean a bad one."""
    with IMPORTING:
        import jwt

    if len(text) > TOKEN_LIMIT:
        raise _rejected("it is longer than Cognito takes")
    header = jwt.get_unverified_header(text)
    algorithm = header.get("alg")
    if algorithm not in algorithms:
        raise _rejected(f"it is signed with {clean(str(algorithm), 20)}, which this issuer does not use")
    key = _key(keys, header, algorithm)
    if key is None:
        raise _rejected("it is signed with a key that the issuer does not publish")
    # PyJWT checks that the claims are there. Their values are checked below, with the issuer's time.
    checks = ("verify_aud", "verify_iss", "verify_exp", "verify_nbf", "verify_iat", "verify_sub")
    options: Any = {"require": list(_REQUIRED), **dict.fromkeys(checks, False)}
    try:
        claims = jwt.decode(text, jwt.PyJWK(key, algorithm).key, algorithms=[algorithm], options=options)
    except jwt.MissingRequiredClaimError as error:
        raise _rejected(f"it has no claim '{clean(error.claim, 20)}'") from None
    return header, claims


def _rejection(error: Exception) -> LoginRejectedError:
    if isinstance(error, LoginRejectedError):
        return error.with_traceback(None)
    return _rejected("its signature is wrong")


def _key(keys: Mapping[str, Any], header: Mapping[str, Any], algorithm: str) -> dict[str, Any] | None:
    """Find the one published key that can have signed the token; None if no key fits, or several do."""
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


def _check_issuer_and_subject(claims: Mapping[str, Any], issuers: frozenset[str]) -> None:
    if not isinstance(claims["iss"], str) or claims["iss"] not in issuers:
        raise _rejected(f"it is from another issuer, {clean(str(claims['iss']), 120)}")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LIMIT:
        raise _rejected("it does not say whom it is about")
    # User pools name the kind of each token in this claim.
    # Source: Amazon Cognito developer guide, "Understanding the identity (ID) token".
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
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _END_OF_TIME:
            raise _rejected(f"its '{name}' is no time")
    if claims["exp"] + LEEWAY_SECONDS <= now:
        raise _rejected("it has expired already; is this machine's clock right?")
    if max(claims["iat"], claims.get("nbf", 0)) - LEEWAY_SECONDS > now:
        raise _rejected("it is from the future; is this machine's clock right?")


def _half_hash(access_token: Secret, algorithm: str) -> str:
    """Return ``at_hash``: the left half of the hash, with the hash function of the signature algorithm."""
    text = access_token.reveal().encode("ascii", "replace")
    digest = hashlib.new(_HASHES[algorithm[-3:]], text).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


def _equal(given: object, expected: str) -> bool:
    # JSON can hold half of a surrogate pair, which UTF-8 cannot encode.
    return isinstance(given, str) and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def _rejected(why: str) -> LoginRejectedError:
    return LoginRejectedError(
        f"the ID token is not valid: {why}",
        hint="Sign in again; if it happens again, check issuer and client id",
        topic="E-ID-TOKEN",
    )
