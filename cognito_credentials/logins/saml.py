"""
SAML responses as login tokens: what identity pools take, and what is often given in its place.

Nothing in one is believed or even parsed here; Cognito verifies it.

Imports `errors` and `secret`.
"""

from __future__ import annotations

import base64
import binascii

from ..errors import ConfigurationError, clean
from ..secret import Secret

_HINT = "Give the SAMLResponse as the identity provider posts it: base64 of the XML, in one piece or in lines"


def is_saml(provider: str | None) -> bool:
    """Tell whether *provider* is the ARN of a SAML provider in IAM."""
    return provider is not None and provider.startswith("arn:") and ":saml-provider/" in provider


def checked_response(token: Secret, provider: str, origin: str) -> Secret:
    """
    Take a SAML response, without the line ends that base64 is often written with.

    Raises:
        ConfigurationError: It is none, such as the XML itself, or a field of a form with its name.
    """
    outcome = _response(token)
    if isinstance(outcome, Secret):
        return outcome
    raise ConfigurationError(
        f"logins from {origin}: the token for {clean(provider, 120)} is {outcome}", hint=_HINT
    )


def _response(token: Secret) -> Secret | str:
    """Return it, or what it is; no frame that an error passes through holds it in clear."""
    text = "".join(token.reveal().split())
    if text.startswith("<"):
        return "the XML itself"
    try:
        is_xml = base64.b64decode(text, validate=True).lstrip().startswith(b"<")
    except (binascii.Error, ValueError):
        is_xml = False
    return Secret(text) if is_xml else "no SAML response"
