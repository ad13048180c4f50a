"""A pool as it is to be in, warnings of what lets people in who should stay out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .members import rules_of
from .merge import rule_text

_OF_EVERY_USER: Final = frozenset(
    ("iss", "aud", "azp", "token_use", "email_verified", "phone_number_verified", "exp", "iat", "auth_time")
)
"""Claims that all users of a provider have with one value, or can have."""
_WRITTEN_BY_USERS: Final = frozenset(
    (
        *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile"),
        *("picture", "website", "gender", "birthdate", "zoneinfo", "locale", "address"),
    )
)
"""
Standard claims that users set themselves.

Source: https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
"""
_LOOSE: Final = ("Contains", "StartsWith")
_ADDRESSES: Final = ("email", "upn", "username", "cognito:username")


def warnings(members: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is dangerous in a pool itself; each is one sentence with the thing to do."""
    if members["AllowUnauthenticatedIdentities"] and members.get("AllowClassicFlow") is not False:
        yield (
            "guests may use the basic flow, in which AWS limits their credentials by no session policy: set "
            "AllowClassicFlow = false"
        )
    for provider, mapping in members.get("RoleMappings", {}).items():
        for number, rule in enumerate(rules_of(mapping), 1):
            reason = _loose(rule, provider)
            if reason is not None:
                place = f"RoleMappings.{provider}.Rules[{number}] ({rule_text(rule)})"
                yield f"{place} can be satisfied by anybody: {reason}"


def _loose(rule: Mapping[str, str], provider: str) -> str | None:
    """Say why anybody who can sign in can satisfy a rule; None where it takes somebody in particular."""
    claim, match = rule["Claim"], rule["MatchType"]
    if match == "NotEqual":
        return "every other value of the claim does. Use Equals"
    if claim in _OF_EVERY_USER:
        return f"every user of {provider} has that claim. Use one that tells users apart"
    if claim in _WRITTEN_BY_USERS or claim.startswith("custom:"):
        return "users can set that claim themselves, unless the provider forbids it. Use groups"
    if match in _LOOSE and claim in _ADDRESSES:
        return f"a user can choose a name that {match} accepts. Use Equals"
    return None
