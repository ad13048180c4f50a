"""JSON Web Key Sets that a seed brings: what is wrong with one, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from cognito_credentials.emulator.tokens import RSA_ALGORITHMS

_MOST_BITS = 16_384
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def key_set_mistake(document: Any) -> str | None:
    """
    What is wrong with a key set; None for a good one.

    Keys that sign nothing with RSA may stand in it, but one that does must: the service takes no other.
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
    return key["kty"] == "RSA" and use == "sig" and alg in RSA_ALGORITHMS


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
        return None  # ignored, as in a set that is fetched
    for name in ("n", "e"):
        if name not in key:
            return f": {name} is missing"
    try:
        public_key = jwt.PyJWK.from_dict({"alg": "RS256", **key}).key
    except (PyJWTError, ValueError, TypeError) as error:
        return f": no RSA key: {error}"
    if public_key.key_size > _MOST_BITS:
        return f".n: it has {public_key.key_size} bits; expected {_MOST_BITS} at most"
    return None
