"""
What the emulator's issuer and its user pools share of OAuth 2.0: parameters, errors, redirects and PKCE.

Source: https://www.rfc-editor.org/rfc/rfc6749, https://www.rfc-editor.org/rfc/rfc7636.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

_MOST_PARAMETERS = 50
_MOST_CHARACTERS = 16_384
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", re.ASCII)


class OAuthError(Exception):
    """
    An error answer of OAuth 2.0.

    Args:
        code: The member ``error``.
        description: The member ``error_description``; empty for none.
        status: The HTTP status where the answer is not a redirect.
    """

    def __init__(self, code: str, description: str = "", status: int = 400) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description
        self.status = status


class PageError(Exception):
    """
    A request that is answered with a page: nothing proves that the address to return to is the client's.

    Args:
        title: One line.
        text: What is wrong, for the developer of the client.
        code: A word for it.
    """

    def __init__(self, title: str, text: str, code: str = "invalid_request") -> None:
        super().__init__(code, text)
        self.title = title
        self.text = text
        self.code = code


class SentBackError(Exception):
    """
    A request that is refused by sending the browser back to the client.

    Args:
        url: The client's address, with the error in it.
        reason: The error, for people.
    """

    def __init__(self, url: str, reason: OAuthError) -> None:
        super().__init__("refused")
        self.url = url
        self.reason = reason


class Parameters(dict[str, str]):
    """
    The parameters of a query or a form. A parameter without a value counts as absent.

    Attributes:
        repeated: The names that occur more than once, which makes a request invalid.
            Source: https://www.rfc-editor.org/rfc/rfc6749#section-3.1.
    """

    repeated: frozenset[str] = frozenset()


def read_parameters(text: str) -> Parameters:
    """
    The parameters of a query or a form.

    Raises:
        OAuthError: There are too many, or they are not UTF-8.
    """
    if len(text) > _MOST_CHARACTERS:
        raise OAuthError("invalid_request", "the parameters are too long")
    try:
        pairs = parse_qsl(text, max_num_fields=_MOST_PARAMETERS, errors="strict")
    except ValueError:
        raise OAuthError("invalid_request", "the parameters are malformed") from None
    parameters = Parameters(pairs)
    names = [name for name, _ in pairs]
    parameters.repeated = frozenset(name for name in parameters if names.count(name) > 1)
    return parameters


def basic_credentials(header: str) -> tuple[str, str] | None:
    """
    Client id and secret of an Authorization header; None if it is not Basic.

    Raises:
        OAuthError: ``invalid_client``: it is malformed.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise OAuthError("invalid_client", status=401) from None
    client_id, _, secret = text.partition(":")
    # RFC 6749, 2.3.1; but most clients send a plus sign as it is.
    return unquote(client_id), unquote(secret)


def bearer_token(header: str) -> str | None:
    """The token of an Authorization header; None if there is none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def is_challenge(text: str) -> bool:
    """True for what S256 makes of a verifier."""
    return _CHALLENGE.fullmatch(text) is not None


def verifies(challenge: str, verifier: str) -> bool:
    """True if *challenge* is the S256 challenge of *verifier*; RFC 7636, 4.6."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(challenge.encode(), expected.encode())


def is_redirect_uri(address: str) -> bool:
    """True for an absolute address without a fragment, of characters that a header can have."""
    if _ABSOLUTE.fullmatch(address) is None or "#" in address:
        return False
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.username is None and parts.password is None and "\\" not in address


def with_parameters(address: str, parameters: Mapping[str, str | None], *, in_fragment: bool = False) -> str:
    """*address* with *parameters* after those that it has; None leaves a parameter out."""
    text = urlencode({name: value for name, value in parameters.items() if value is not None})
    if in_fragment:
        return f"{address}#{text}"
    return f"{address}{'&' if '?' in address else '?'}{text}"


def half_hash(text: str) -> str:
    """``at_hash``, the hash of an access token in an ID token; OpenID Connect Core 1.0, 3.1.3.6."""
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
