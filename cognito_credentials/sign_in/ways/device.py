"""
Signing in on a machine without a browser: it shows a code, which is typed in on another device (RFC 8628).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from ...errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    ServiceError,
    clean,
    replaced,
)
from ...importing import IMPORTING
from ...secret import Secret
from ..issuers.discovery import checked_address
from ..issuers.token_client import TokenError

if TYPE_CHECKING:
    from ...clock import Clock
    from ..issuers.issuer import Issuer
    from ..issuers.tokens import Tokens, Verified
    from .prompt import Prompt

_INTERVAL: Final = 5
"""Seconds between two polls where the issuer names none. Source: RFC 8628, 3.2."""
_SLOWER: Final = 5
"""Seconds more after ``slow_down``. Source: RFC 8628, 3.5."""
_KEY_TRIES: Final = 3
"""To fetch the issuer's keys. The device code is used up by then, so the sign-in is not given up at once."""
_LONGEST: Final = 1800
"""The most seconds to wait for the person, whatever the issuer says."""
_QR_LIMIT: Final = 300
"""Characters of an address; the code of a longer one does not fit a terminal."""


class DeviceCode(NamedTuple):
    """The issuer's answer: what is shown to the person, and what is polled with."""

    device_code: Secret
    user_code: str
    address: str
    complete_address: str | None
    """The address with the code in it, for the QR code and to copy."""
    expires_in: int
    interval: int


def sign_in_with_device(issuer: Issuer, prompt: Prompt, clock: Clock, *, scope: str) -> Verified:
    """
    Show a code, and wait until the person has typed it in on another device.

    Args:
        scope: Scopes, separated by spaces.

    Raises:
        LoginRequiredError: The code was not typed in in time.
        LoginRejectedError: The issuer refused.
        ServiceError: The issuer does not answer.
        ConfigurationError: The issuer does not offer this way.
    """
    code = _ask_for_code(issuer, scope)
    prompt.say(shown(code, with_picture=getattr(prompt, "can_draw", True)))
    tokens = _tokens(issuer, code, clock)
    for _ in range(_KEY_TRIES - 1):
        with contextlib.suppress(ServiceError):
            return issuer.verified(tokens)
        clock.sleep(_INTERVAL)
    return issuer.verified(tokens)


def _tokens(issuer: Issuer, code: DeviceCode, clock: Clock) -> Tokens:
    """Poll until the person has typed in the code."""
    give_up_at = clock.elapsed() + code.expires_in
    interval = float(code.interval)
    while clock.elapsed() + interval < give_up_at:
        clock.sleep(interval)
        try:
            return issuer.client().poll(code.device_code)
        except TokenError as error:
            refused = error
        except ServiceError:
            # RFC 8628, 3.5: poll less often after a timeout. The person may still be typing.
            interval *= 2
            continue
        if refused.code == "slow_down":
            interval += _SLOWER
        elif refused.code == "access_denied":
            raise LoginRejectedError(
                "signing in was refused on the other device", hint="Sign in again", topic="E-DEVICE-CODE"
            )
        elif refused.code != "authorization_pending":
            problem = refused.explained("the issuer")
            if not problem.retryable:
                raise problem
            interval *= 2
    raise TokenError("expired_token", "").explained("the issuer")


def shown(code: DeviceCode, *, with_picture: bool = True) -> str:
    """Return the text for the person: the address, the code, and a QR code where one fits."""
    lines = ["To sign in, open this address on any device:", "", f"    {code.address}", ""]
    lines += ["and enter this code:", "", f"    {code.user_code}", ""]
    if code.complete_address and code.complete_address != code.address:
        lines += ["or open this one, with the code in it:", "", f"    {code.complete_address}", ""]
    address = code.complete_address or code.address
    picture = qr_code(address) if with_picture and len(address) <= _QR_LIMIT else ""
    if picture:
        lines += ["or scan this:", "", picture]
    minutes = max(code.expires_in // 60, 1)
    return "\n".join([*lines, f"Waiting for you to sign in there, for {minutes} min (Ctrl-C to give up)."])


def qr_code(text: str) -> str:
    """Draw *text* as a QR code of half blocks; it can be scanned on dark and on light terminals."""
    with IMPORTING:
        import segno

    out = io.StringIO()
    segno.make(text, micro=False).terminal(out=out, compact=True, border=2)
    return out.getvalue()


def _ask_for_code(issuer: Issuer, scope: str) -> DeviceCode:
    endpoint = issuer.metadata().device_authorization_endpoint
    if endpoint is None:
        raise ConfigurationError(
            f"the issuer {clean(issuer.metadata().issuer, 120)} does not offer signing in with a code",
            hint="Open an address elsewhere instead: way='no-browser' in Python, --no-browser",
            topic="E-DEVICE-CODE",
        )
    host = clean(urlsplit(endpoint).hostname or "", 100)
    client = issuer.client()

    def explain(error: Exception) -> Exception:
        # Without its frames, which hold the device code.
        return error.explained(host) if isinstance(error, TokenError) else error.with_traceback(None)

    with replaced(TokenError, CognitoCredentialsError, by=explain):
        return _read_device_code(client.device_code(endpoint, scope))


def _read_device_code(document: Mapping[str, Any]) -> DeviceCode:
    """
    Read the issuer's answer; the texts in it become safe to show.

    Raises:
        ServiceError: A part is missing, or an address is not safe to open.
    """
    device_code, user_code = document.get("device_code"), document.get("user_code")
    # Google has had the name verification_url since before the standard.
    address = document.get("verification_uri") or document.get("verification_url")
    if not (isinstance(device_code, str) and device_code and isinstance(user_code, str) and user_code):
        raise ServiceError(
            "the issuer gave no code to sign in with", hint="Try again later", topic="E-DEVICE-CODE"
        )
    safe = _safe_address(address)
    if safe is None:
        raise ServiceError(
            "the issuer gave no safe address to sign in at", hint="Ask whoever runs it", topic="E-DEVICE-CODE"
        )
    return DeviceCode(
        Secret(device_code),
        clean(user_code, 40),
        safe,
        _safe_address(document.get("verification_uri_complete")),
        min(_seconds(document.get("expires_in"), _LONGEST), _LONGEST),
        max(_seconds(document.get("interval"), _INTERVAL), 1),
    )


def _safe_address(value: object) -> str | None:
    """Return *value* if a person can safely open it."""
    try:
        return checked_address(value, "verification_uri")
    except ConfigurationError:
        return None


def _seconds(value: object, default: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    return int(value) if 1 <= value < 1e6 else default
