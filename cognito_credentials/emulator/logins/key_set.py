"""JSON Web Key Sets: the RSA keys that sign, and what is wrong with a key set of a seed, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.logins.tokens import RSA_ALGORITHMS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_MOST_BITS = 16_384
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def signing_keys(keys: Any, key_id: Any) -> Iterator[RSAPublicKey]:
    """
    The RSA keys among *keys* that may have signed a token.

    Args:
        keys: The member ``keys`` of a key set, which comes from another machine. Bad keys are skipped.
        key_id: The token's kid. None fits every key, and a key without a kid fits every token.
    """
    for key in keys:
        if not _signs(key) or (key_id is not None and key.get("kid", key_id) != key_id):
            continue
        try:
            public_key = _public_key(key)
        except (ValueError, TypeError, KeyError):
            continue
        if public_key.key_size <= _MOST_BITS:
            yield public_key


def key_set_mistake(document: Any) -> str | None:
    """
    What is wrong with a key set; None if nothing is.

    It may have other keys, but needs an RSA key that signs: reference/service.md#5.2.9a.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        return 'expected {"keys": [{...}]}'
    for number, key in enumerate(keys, start=1):
        wrong = _key_mistake(key)
        if wrong is not None:
            return f"keys[{number}]{wrong}"
    if not any(map(_signs, keys)):
        return "it has no RSA key that signs, and the service takes no other"
    return None


def _signs(key: Mapping[str, Any]) -> bool:
    alg, use = key.get("alg", "RS256"), key.get("use", "sig")
    return key.get("kty") == "RSA" and use == "sig" and alg in RSA_ALGORITHMS


def _key_mistake(key: Mapping[str, Any]) -> str | None:
    for name in ("kty", "kid", "alg", "use", "n", "e"):
        if name in key and (not isinstance(key[name], str) or not key[name]):
            return f".{name}: expected a text"
    if "kty" not in key:
        return ": kty is missing"
    private = _PRIVATE & key.keys()
    if private:
        return f".{min(private)}: it is part of a private key; give the public one"
    if not _signs(key):
        return None  # `signing_keys` skips it.
    for name in ("n", "e"):
        if name not in key:
            return f": {name} is missing"
    try:
        public_key = _public_key(key)
    except (ValueError, TypeError) as error:
        return f": no RSA key: {error}"
    if public_key.key_size > _MOST_BITS:
        return f".n: it has {public_key.key_size} bits; expected {_MOST_BITS} at most"
    return None


def _public_key(key: Mapping[str, Any]) -> RSAPublicKey:
    """The public half, even of a private key: some owners publish those."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt.algorithms import RSAAlgorithm
    from jwt.exceptions import PyJWTError

    try:
        public_key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": key["n"], "e": key["e"]})
    except PyJWTError as error:
        raise ValueError(str(error)) from None
    if not isinstance(public_key, RSAPublicKey):
        raise TypeError
    return public_key
