"""
The discovery document of an issuer (OpenID Connect Discovery 1.0).

The document must name the issuer that was asked; otherwise tokens of another issuer could be taken for its
own (mix-up attack). Each address in it must be https, or http to this machine where the issuer is on this
machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigurationError, ServiceError, clean
from ...settings.endpoints import checked_endpoint

if TYPE_CHECKING:
    from ...exchange.http import Http

WELL_KNOWN: Final = "/.well-known/openid-configuration"
OFFLINE_ACCESS: Final = "offline_access"
"""The scope for refresh tokens. Source: OpenID Connect Core 1.0, section 11."""
ASYMMETRIC: Final = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
)
"""Never ``none``, and never HMAC: an attacker could sign with the issuer's public key as the HMAC key."""

_ADDRESS: Final = re.compile(r"[A-Za-z0-9/?:@!*+,;=&%._~\[\]-]+")
"""The characters of RFC 3986 without ``#`` and those that a shell reads (quotes, ``$``, brackets)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The used parts of a discovery document; None where the issuer does not offer one."""

    issuer: str
    jwks_uri: str
    token_endpoint: str
    authorization_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    algorithms: frozenset[str] = frozenset({"RS256"})
    """The algorithms that the issuer signs ID tokens with."""
    says_issuer: bool = False
    """Whether authorization responses name the issuer (RFC 9207); a response without it is then refused."""
    takes_basic: bool = True
    """Whether a client secret goes into the Authorization header and not into the form."""
    has_offline_access: bool = True
    """Whether ``offline_access`` can be asked for; also where the issuer does not list its scopes."""


def checked_issuer(value: object, where: str) -> str:
    """
    Check an issuer's address, and return it exactly as it is written, with or without a slash at its end.

    Raises:
        ConfigurationError: The address is not https (or http to this machine), or has a query.
    """
    address = checked_endpoint(value, where)
    return address + ("/" if str(value).endswith("/") else "")


def checked_address(value: object, where: str) -> str:
    """
    Check an address that an issuer names: it is shown on a terminal, and passed to a browser.

    Args:
        value: The address. It may have a query (RFC 6749, 3.1 and 3.2), but no fragment.
        where: What the address is and who names it, for messages.

    Raises:
        ConfigurationError: The address is neither https nor on this machine, or has a character that a
            terminal or a shell might obey.
    """
    bare = value.partition("?")[0] if isinstance(value, str) else value
    checked_endpoint(bare, where)
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ConfigurationError(
            f"{where} has characters in it that no such address has",
            hint="The issuer must correct it: no fragment, and nothing but plain letters, digits and signs",
            topic="E-ISSUER",
        )
    return value


def discover(http: Http, issuer: str) -> Metadata:
    """
    Fetch the discovery document of *issuer*.

    Raises:
        ServiceError: The issuer does not answer, or not with a JSON object.
        ConfigurationError: There is no document at this address; or the document is another issuer's, or
            names an unsafe address.

    Source: OpenID Connect Discovery 1.0, section 4.
    """
    try:
        document = http.get(issuer.rstrip("/") + WELL_KNOWN)
    except ServiceError as error:
        if error.code not in ("404", "410"):
            raise
    else:
        return read_metadata(document, issuer)
    # No ServiceError: the address is mistyped, or the name of a tenant or realm is missing.
    raise ConfigurationError(
        f"there is no OpenID Connect issuer at {clean(issuer, 120)}: it has no {WELL_KNOWN}",
        hint="Correct the issuer (cognito_oidc_issuer): its whole address, path included",
        topic="E-ISSUER",
    )


def read_metadata(document: Mapping[str, Any], issuer: str, asked_at: str | None = None) -> Metadata:
    """
    Read a discovery *document* of *issuer*.

    Args:
        asked_at: The address that the document came from, where it is not the issuer's: an emulator on this
            machine has user pools of AWS's names, and plain http.

    Raises:
        ConfigurationError: The document is another issuer's, or names an unsafe address.
    """
    named = document.get("issuer")
    if named != issuer:
        raise ConfigurationError(
            f"the issuer {clean(issuer, 120)} calls itself {_shown(named)}",
            hint="The two must be equal to the letter: correct the issuer (cognito_oidc_issuer)",
            topic="E-ISSUER",
        )
    algorithms = document.get("id_token_signing_alg_values_supported")
    methods = document.get("token_endpoint_auth_methods_supported")
    scopes = document.get("scopes_supported")
    return Metadata(
        issuer=issuer,
        jwks_uri=_required(document, "jwks_uri", issuer, asked_at),
        token_endpoint=_required(document, "token_endpoint", issuer, asked_at),
        authorization_endpoint=_address(document, "authorization_endpoint", issuer, asked_at),
        device_authorization_endpoint=_address(document, "device_authorization_endpoint", issuer, asked_at),
        revocation_endpoint=_address(document, "revocation_endpoint", issuer, asked_at),
        algorithms=_texts(algorithms, "RS256") & ASYMMETRIC,
        says_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        takes_basic="client_secret_basic" in _texts(methods, "client_secret_basic"),
        has_offline_access=OFFLINE_ACCESS in _texts(scopes, OFFLINE_ACCESS),
    )


def _required(document: Mapping[str, Any], name: str, issuer: str, asked_at: str | None) -> str:
    address = _address(document, name, issuer, asked_at)
    if address is None:
        raise ConfigurationError(
            f"the issuer {clean(issuer, 120)} names no {name}",
            hint="Is it an OpenID Connect issuer?",
            topic="E-ISSUER",
        )
    return address


def _address(document: Mapping[str, Any], name: str, issuer: str, asked_at: str | None) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    where = f"{name} of the issuer {clean(issuer, 120)}"
    checked = checked_address(value, where)
    if (asked_at or issuer).startswith("https:") and not checked.startswith("https:"):
        # On this machine, any program may listen at that address.
        raise ConfigurationError(
            f"{where} is plain http", hint="The issuer must correct its metadata", topic="E-ISSUER"
        )
    return checked


def _texts(value: object, default: str) -> frozenset[str]:
    if not isinstance(value, list):
        return frozenset({default})
    return frozenset(item for item in value if isinstance(item, str))


def _shown(value: object) -> str:
    return clean(value, 120) if isinstance(value, str) else "nothing"
