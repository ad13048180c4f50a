"""
What an issuer says of itself (OpenID Connect Discovery 1.0), believed as far as it must be.

The document must name the very issuer that was asked, or tokens of another one would be taken for its own
(mix-up); and each address in it must be https, or this machine where the issuer is this machine.

Imports `http` and `endpoints`.
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
"""Never ``none``, and never HMAC: there an issuer's public key would be a password that everybody knows."""

_ADDRESS: Final = re.compile(r"[A-Za-z0-9/?:@!*+,;=&%._~\[\]-]+")
"""What RFC 3986 lets an address be made of, but for ``#`` and the quotes, dollars and brackets of shells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is needed of a discovery document; None where the issuer does not offer it."""

    issuer: str
    jwks_uri: str
    token_endpoint: str
    authorization_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    algorithms: frozenset[str] = frozenset({"RS256"})
    """With which it signs ID tokens."""
    says_issuer: bool = False
    """Whether its authorization responses name it (RFC 9207); then one that does not is another's."""
    takes_basic: bool = True
    """Whether a client secret goes into a header rather than the form."""
    has_offline_access: bool = True
    """Whether that scope may be asked for; it may where the issuer does not list its scopes."""


def checked_issuer(value: object, where: str) -> str:
    """
    Take an issuer's address, exactly as it is written: with or without a slash at its end.

    Raises:
        ConfigurationError: It is not https (or http to this machine), or has a query.
    """
    address = checked_endpoint(value, where)
    return address + ("/" if str(value).endswith("/") else "")


def checked_address(value: object, where: str) -> str:
    """
    Take an address that an issuer names; it is shown on a terminal, and is an argument of a browser.

    Args:
        value: The address; it may have a query (RFC 6749, 3.1 and 3.2), and no fragment.
        where: What it is and whose, for messages.

    Raises:
        ConfigurationError: It is neither https nor this machine, or a terminal or a shell might obey it.
    """
    bare = value.partition("?")[0] if isinstance(value, str) else value
    checked_endpoint(bare, where)
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ConfigurationError(
            f"{where} has characters in it that no such address has",
            hint="The issuer must correct it: no fragment, and nothing but plain letters, digits and signs",
        )
    return value


def discover(http: Http, issuer: str) -> Metadata:
    """
    Ask *issuer* for its endpoints.

    Raises:
        ServiceError: It does not answer, or not with a discovery document.
        ConfigurationError: There is no document at this address, or it is another issuer's, or names an
            address that is not safe.

    Source: OpenID Connect Discovery 1.0, section 4.
    """
    try:
        document = http.get(issuer.rstrip("/") + WELL_KNOWN)
    except ServiceError as error:
        if error.code not in ("404", "410"):
            raise
    else:
        return read_metadata(document, issuer)
    # Trying again does not help: the address is mistyped, or a tenant's or realm's name is missing.
    raise ConfigurationError(
        f"there is no OpenID Connect issuer at {clean(issuer, 120)}: it has no {WELL_KNOWN}",
        hint="Correct the issuer (cognito_oidc_issuer): its whole address, path included",
    )


def read_metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    """
    Read a discovery *document* of *issuer*.

    Raises:
        ConfigurationError: It is another issuer's, or names an address that is not safe.
    """
    named = document.get("issuer")
    if named != issuer:
        raise ConfigurationError(
            f"the issuer {clean(issuer, 120)} calls itself {_shown(named)}",
            hint="The two must be equal to the letter: correct the issuer (cognito_oidc_issuer)",
        )
    algorithms = document.get("id_token_signing_alg_values_supported")
    methods = document.get("token_endpoint_auth_methods_supported")
    scopes = document.get("scopes_supported")
    return Metadata(
        issuer=issuer,
        jwks_uri=_required(document, "jwks_uri", issuer),
        token_endpoint=_required(document, "token_endpoint", issuer),
        authorization_endpoint=_address(document, "authorization_endpoint", issuer),
        device_authorization_endpoint=_address(document, "device_authorization_endpoint", issuer),
        revocation_endpoint=_address(document, "revocation_endpoint", issuer),
        algorithms=_texts(algorithms, "RS256") & ASYMMETRIC,
        says_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        takes_basic="client_secret_basic" in _texts(methods, "client_secret_basic"),
        has_offline_access=OFFLINE_ACCESS in _texts(scopes, OFFLINE_ACCESS),
    )


def _required(document: Mapping[str, Any], name: str, issuer: str) -> str:
    address = _address(document, name, issuer)
    if address is None:
        raise ConfigurationError(
            f"the issuer {clean(issuer, 120)} names no {name}", hint="Is it an OpenID Connect issuer?"
        )
    return address


def _address(document: Mapping[str, Any], name: str, issuer: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    where = f"{name} of the issuer {clean(issuer, 120)}"
    checked = checked_address(value, where)
    if issuer.startswith("https:") and not checked.startswith("https:"):
        # A public issuer has no business on this machine: what listens here may be anybody's.
        raise ConfigurationError(f"{where} is plain http", hint="The issuer must correct its metadata")
    return checked


def _texts(value: object, default: str) -> frozenset[str]:
    if not isinstance(value, list):
        return frozenset({default})
    return frozenset(item for item in value if isinstance(item, str))


def _shown(value: object) -> str:
    return clean(value, 120) if isinstance(value, str) else "nothing"
