"""
Attributes for access control: claims of a login that become tags of the session.

Source: service.md 8.4.
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
    """The tags that the pool's maps make of *logins*; a claim that is missing makes none."""
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
    """A claim as tags and rules see it: what is no text, as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value)


def are_valid(tags: Mapping[str, str]) -> bool:
    """Whether the service can map logins to *tags*: those that STS takes, and no more in total."""
    if not are_well_formed(tags):  # first: what is no text that could be sent has no size either
        return False
    return sum(len(key.encode()) + len(value.encode()) for key, value in tags.items()) <= _MAX_TOTAL_BYTES


def are_well_formed(tags: Mapping[str, str]) -> bool:
    """Whether STS takes *tags*: number, lengths, characters."""
    return len(tags) <= _MAX_TAGS and all(
        len(key) <= _MAX_KEY and len(value) <= _MAX_VALUE and _is_taggable(key + value)
        for key, value in tags.items()
    )


def _is_taggable(text: str) -> bool:
    # STS: [\p{L}\p{Z}\p{N}_.:/=+\-@]*
    return all(letter in "_.:/=+-@" or unicodedata.category(letter)[0] in "LZN" for letter in text)
