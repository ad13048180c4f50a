"""
Login provider names: what may stand as a key under ``logins``, and whether a token fits its key.

The service refuses most of this too, but later and with less help ("Please provide a valid public provider").
Nothing here verifies a token or a SAML response; Cognito does.
"""

from __future__ import annotations

import base64
import binascii
import re
from types import MappingProxyType
from typing import Any, Final

from ..errors import ConfigurationError, clean
from ..importing import IMPORTING
from ..regions import is_user_pool_id, original_issuer, own_token_provider, user_pool_issuer
from ..secret import Secret
from .claims import provider_of, unverified_provider

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
"""
Short name -> the name that Cognito knows.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/external-identity-providers.html
"""
_WELL_KNOWN = (
    *ALIASES.items(),
    ("twitter", "api.twitter.com"),
    ("cognito", "cognito-idp.REGION.amazonaws.com/USER_POOL_ID"),
)
"""What people write, and the provider that they may mean."""

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
            topic="E-LOGIN-PROVIDER",
        )
    if name in ALIASES:
        return ALIASES[name]
    shown = _shown(name)
    if not name or len(name) > PROVIDER_NAME_LIMIT or any(c.isspace() or not c.isprintable() for c in name):
        raise ConfigurationError(
            f"logins from {origin}: {shown} is not a login provider name",
            hint=f"It has 1 to {PROVIDER_NAME_LIMIT} characters and no spaces, such as accounts.google.com",
            topic="E-LOGIN-PROVIDER",
        )
    if "://" in name:
        raise ConfigurationError(
            f"logins from {origin}: the login provider {shown} has a scheme",
            hint=f"Drop it: '{clean(provider_of(name), 80)}'",
            topic="E-LOGIN-PROVIDER",
        )
    if not name.startswith("arn:") and not any(c in name for c in ".:/"):
        raise ConfigurationError(
            f"logins from {origin}: {shown} is not a login provider",
            hint=_meant(name),
            topic="E-LOGIN-PROVIDER",
        )
    return name


def check_developer_provider(name: str | None, origin: str) -> None:
    """
    Refuse a login provider name that does not fit ``developer:URL``, whose tokens are Cognito's own.

    Raises:
        ConfigurationError: *name* is that of another provider.
    """
    if name is not None and not name.startswith("cognito-identity"):
        raise ConfigurationError(
            f"logins from {origin}: the tokens of developer:URL are of the login provider "
            f"cognito-identity.amazonaws.com, not of {_shown(name)}",
            hint="Give developer:URL alone, or write cognito-identity.amazonaws.com=developer:URL (the "
            "pool's developer provider name is the back end's business)",
            topic="E-LOGIN-TOKEN",
        )


def check_claims(
    provider: str | None, claims: dict[str, Any] | None, origin: str, *, is_derived: bool = False
) -> str:
    """
    Check that a token fits the provider it was given for; without one, return the issuer of the token.

    Args:
        provider: The key under ``logins``; None to take the token's issuer.
        claims: The token's unverified claims; None when it is not a JWT.
        origin: Where the logins were set.
        is_derived: Whether *provider* follows from an issuer: a user pool may have the other of its two.

    Returns:
        The login provider name.

    Raises:
        ConfigurationError: There is no provider, another one, or it is an access token.
    """
    issuer = unverified_provider(claims) if claims else None
    if provider is None and issuer is None:
        raise ConfigurationError(
            f"logins from {origin}: the token does not say which login provider it is from",
            hint="Name the provider: logins={'graph.facebook.com': token}",
            topic="E-LOGIN-TOKEN",
        )
    name = provider or check_provider(issuer, "the token's issuer")
    if claims is None or name.startswith("arn:"):
        return name
    if claims.get("token_use") == "access":
        raise ConfigurationError(
            f"logins from {origin}: the token for {clean(name, 80)} is an access token",
            hint="Identity pools take the ID token of the same sign-in",
            topic="E-LOGIN-AUDIENCE",
        )
    # The service knows whether the slash at the end of an issuer belongs to the key, and which of its two
    # issuers a user pool has there: what was written is sent.
    if issuer is not None and original_issuer(issuer) != original_issuer(name.rstrip("/")):
        raise ConfigurationError(
            f"logins from {origin}: the provider given is '{clean(name, 80)}', "
            f"but the token is from '{clean(issuer, 80)}'",
            hint=f"Use '{clean(issuer, 80)}' as the login provider name, or a token of the other one",
            topic="E-LOGIN-PROVIDER",
        )
    return issuer if is_derived and issuer is not None else name


def is_saml(provider: str) -> bool:
    """Tell whether *provider* is the ARN of a SAML provider in IAM."""
    return provider.startswith("arn:") and ":saml-provider/" in provider


def checked_saml_response(token: Secret, provider: str, origin: str) -> Secret:
    """
    Take a SAML response, without the line ends that base64 is often written with.

    Raises:
        ConfigurationError: It is something else, such as the XML itself, or the whole form field.
    """
    outcome = _saml_response(token)
    if isinstance(outcome, Secret):
        return outcome
    raise ConfigurationError(
        f"logins from {origin}: the token for {clean(provider, 120)} is {outcome}",
        hint="Give the SAMLResponse as the identity provider posts it: base64 of the XML, in one piece or in "
        "lines",
        topic="E-LOGIN-TOKEN",
    )


def own_identity_id(provider: str, claims: dict[str, Any] | None) -> str | None:
    """
    Read the identity id in a token that Cognito Identity itself issued; None for any other provider.

    A back end gets such a token for its user (developer identity). GetId refuses it. Its subject is the
    identity to ask credentials for, which the service verifies.

    Source: https://docs.aws.amazon.com/cognito/latest/developerguide/developer-authenticated-identities.html
    """
    subject = claims.get("sub") if claims else None
    if not isinstance(subject, str) or len(subject) > 55 or not _IDENTITY_ID.fullmatch(subject):
        return None
    return subject if provider == own_token_provider(subject.partition(":")[0]) else None


def _saml_response(token: Secret) -> Secret | str:
    """Return the response, or what is wrong with it: no frame of an error holds it in clear."""
    text = "".join(token.reveal().split())
    if text.startswith("<"):
        return "the XML itself"
    try:
        is_xml = base64.b64decode(text, validate=True).lstrip().startswith(b"<")
    except (binascii.Error, ValueError):
        is_xml = False
    return Secret(text) if is_xml else "no SAML response"


def _shown(name: str) -> str:
    """Quote *name* if it can be a name: a program that swaps key and value has a token here."""
    can_be_one = _NAME.fullmatch(name) and (len(name) <= 30 or any(c in name for c in ".:/"))
    return f"'{clean(name, 80)}'" if can_be_one else "a key (not shown, it may be a token)"


def _meant(name: str) -> str:
    if is_user_pool_id(name):
        return f"For a user pool write '{user_pool_issuer(name).partition('://')[2]}'"
    with IMPORTING:
        import difflib  # only after a mistake

    for word, provider in _WELL_KNOWN:
        if difflib.SequenceMatcher(None, word, name.lower()).ratio() > 0.75:
            return f"Did you mean '{provider}'?"
    return "It is the issuer of the token without https://, such as accounts.google.com or login.example.com"
