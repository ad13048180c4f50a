"""
Attributes for access control: claims of a login become tags of the session.

Source: `reference/service.md#8.4`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cognito_credentials.emulator.logins.verifier import VerifiedLogin
    from cognito_credentials.emulator.stored.pools import IdentityPool

_MAX_TAGS = 50
_MAX_KEY, _MAX_VALUE = 128, 256
_MAX_TOTAL_BYTES = 460
_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "www.amazon.com": {"client": "aud", "username": "user_id"},
}
_SAML_DEFAULT: Mapping[str, str] = {
    "client": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    "username": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
}
_DEFAULT: Mapping[str, str] = {"client": "aud", "username": "sub"}


def tags_of_logins(pool: IdentityPool, logins: Sequence[VerifiedLogin]) -> dict[str, str]:
    """The tags that the pool's maps make of the claims of *logins*. A missing claim makes no tag."""
    tags: dict[str, str] = {}
    for login in logins:
        for tag, claim in _map_of(pool, login).items():
            value = login.claims.get(claim)
            if value is not None:
                tags.setdefault(tag, claim_text(value))
    return tags


def _map_of(pool: IdentityPool, login: VerifiedLogin) -> Mapping[str, str]:
    provider = login.linked.provider
    for key in (*login.mapping_keys, provider):
        stored = pool.principal_tags.get(key)
        if stored is not None:
            if stored["UseDefaults"]:
                usual = _SAML_DEFAULT if ":saml-provider/" in provider else _DEFAULT
                return _DEFAULTS.get(provider, usual)
            tag_map: Mapping[str, str] = stored["PrincipalTags"]
            return tag_map
    return {}


def claim_text(value: Any) -> str:
    """The text of a claim for tags and rules: a string itself, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def are_valid(tags: Mapping[str, str]) -> bool:
    """True when logins may map to *tags*: STS accepts them, and they are short enough in total."""
    if not are_well_formed(tags):  # first: a lone surrogate cannot be encoded
        return False
    return sum(len(key.encode()) + len(value.encode()) for key, value in tags.items()) <= _MAX_TOTAL_BYTES


def are_well_formed(tags: Mapping[str, str]) -> bool:
    """True when STS accepts the number, the lengths and the characters of *tags*."""
    return len(tags) <= _MAX_TAGS and all(
        len(key) <= _MAX_KEY and len(value) <= _MAX_VALUE and _is_taggable(key + value)
        for key, value in tags.items()
    )


def _is_taggable(text: str) -> bool:
    # STS: [\p{L}\p{Z}\p{N}_.:/=+\-@]*
    return all(letter in "_.:/=+-@" or unicodedata.category(letter)[0] in "LZN" for letter in text)
