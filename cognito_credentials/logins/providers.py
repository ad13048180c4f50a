"""
Login provider names: what may stand as a key under ``logins``, and whether a token fits its key.

The service says most of this too, but later and worse ("Please provide a valid public provider").

Imports `errors`, `regions` and `claims`.
"""

from __future__ import annotations

import difflib
import re
from types import MappingProxyType
from typing import Any, Final

from ..errors import ConfigurationError, clean
from ..regions import is_user_pool_id, own_token_provider, user_pool_issuer
from .claims import unverified_issuer

PROVIDER_NAME_LIMIT = 128
"""Source: Cognito Identity API, IdentityProviderName."""

ALIASES: Final = MappingProxyType(
    {
        "google": "accounts.google.com",
        "apple": "appleid.apple.com",
        "facebook": "graph.facebook.com",
        "amazon": "www.amazon.com",
    }
)
"""Short names, and those that Cognito knows. Source: Cognito developer guide, external providers."""
_WELL_KNOWN = (
    *ALIASES.items(),
    ("twitter", "api.twitter.com"),
    ("cognito", "cognito-idp.REGION.amazonaws.com/USER_POOL_ID"),
)
"""What people write, and what they may mean by it."""

_NAME = re.compile(r"[A-Za-z0-9@ ._:/-]{0,100}")
_IDENTITY_ID = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}:[0-9a-f-]+")


def check_provider(name: object, origin: str) -> str:
    """
    Check a login provider name by its shape.

    Returns:
        The name that Cognito knows, where *name* is a short one of `ALIASES`.

    Raises:
        ConfigurationError: Cognito has no provider of such a name; the message says which was meant.
    """
    if not isinstance(name, str):
        raise ConfigurationError(
            f"logins from {origin}: a login provider name is text, not {type(name).__name__}",
            hint="Write {'accounts.google.com': token}",
        )
    if name in ALIASES:
        return ALIASES[name]
    shown = _shown(name)
    if not name or len(name) > PROVIDER_NAME_LIMIT or any(c.isspace() or not c.isprintable() for c in name):
        raise ConfigurationError(
            f"logins from {origin}: {shown} is not a login provider name",
            hint=f"It has 1 to {PROVIDER_NAME_LIMIT} characters and no spaces, such as accounts.google.com",
        )
    if "://" in name:
        bare = name.split("://", 1)[1]
        if "/" not in bare.rstrip("/"):
            bare = bare.rstrip("/")
        raise ConfigurationError(
            f"logins from {origin}: the login provider {shown} has a scheme",
            hint=f"Drop it: '{clean(bare, 80)}'",
        )
    if not name.startswith("arn:") and not any(c in name for c in ".:/"):
        raise ConfigurationError(f"logins from {origin}: {shown} is not a login provider", hint=_meant(name))
    return name


def check_developer_provider(name: str | None, origin: str) -> None:
    """
    Refuse a login provider that no answer of a back end could be of: its tokens are Cognito's own.

    Raises:
        ConfigurationError: *name* is another provider's.
    """
    if name is not None and not name.startswith("cognito-identity"):
        raise ConfigurationError(
            f"logins from {origin}: the tokens of developer:URL are of the login provider "
            f"cognito-identity.amazonaws.com, not of {_shown(name)}",
            hint="Give developer:URL alone, or write cognito-identity.amazonaws.com=developer:URL (the "
            "pool's developer provider name is the back end's business)",
        )


def check_claims(provider: str | None, claims: dict[str, Any] | None, origin: str) -> str:
    """
    Check that a token fits the provider it was given for; derive the provider where none was named.

    Args:
        provider: The key under ``logins``; None to take the token's issuer.
        claims: The token's unverified claims; None when it is not a JWT.
        origin: Where the logins were set.

    Returns:
        The login provider name.

    Raises:
        ConfigurationError: There is no provider, another one, or it is an access token.
    """
    issuer = unverified_issuer(claims) if claims else None
    if provider is None and issuer is None:
        raise ConfigurationError(
            f"logins from {origin}: the token does not say which login provider it is from",
            hint="Name the provider: logins={'graph.facebook.com': token}",
        )
    name = provider or check_provider(issuer, "the token's issuer")
    if claims is None or name.startswith("arn:"):
        return name
    if claims.get("token_use") == "access":
        raise ConfigurationError(
            f"logins from {origin}: the token for {clean(name, 80)} is an access token",
            hint="Identity pools take the ID token of the same sign-in",
        )
    # A trailing slash is some issuers' habit; whether it belongs to the key is the service's to say.
    if issuer is not None and issuer.rstrip("/") != name.rstrip("/"):
        raise ConfigurationError(
            f"logins from {origin}: the provider given is '{clean(name, 80)}', "
            f"but the token is from '{clean(issuer, 80)}'",
            hint=f"Use '{clean(issuer, 80)}' as the login provider name, or a token of the other one",
        )
    return name


def own_identity_id(provider: str, claims: dict[str, Any] | None) -> str | None:
    """
    Read the identity id off a token that Cognito Identity itself issued; None for any other provider.

    A back end got such a token for its user (developer identity). GetId refuses it; its subject is the
    identity to ask credentials for, and the service verifies that it is.

    Source: Cognito developer guide, developer authenticated identities.
    """
    subject = claims.get("sub") if claims else None
    if not isinstance(subject, str) or len(subject) > 55 or not _IDENTITY_ID.fullmatch(subject):
        return None
    return subject if provider == own_token_provider(subject.partition(":")[0]) else None


def _shown(name: str) -> str:
    """Quote *name* if it can be one: whoever swaps key and value has a token here."""
    can_be_one = _NAME.fullmatch(name) and (len(name) <= 30 or any(c in name for c in ".:/"))
    return f"'{clean(name, 80)}'" if can_be_one else "a key (not shown, it may be a token)"


def _meant(name: str) -> str:
    if is_user_pool_id(name):
        return f"For a user pool write '{user_pool_issuer(name).partition('://')[2]}'"
    for word, provider in _WELL_KNOWN:
        if difflib.SequenceMatcher(None, word, name.lower()).ratio() > 0.75:
            return f"Did you mean '{provider}'?"
    return "It is the issuer of the token without https://, such as accounts.google.com or login.example.com"
