"""
Signing in on a machine without a browser: a code here, typed in on a telephone (RFC 8628).

Imports `discovery`, `interaction`, `issuer`, `tokens`; segno for the QR code.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    LoginRequiredError,
    ServiceError,
    clean,
)
from ...secret import Secret
from ..issuers.discovery import checked_address
from ..issuers.tokens import TokenError

if TYPE_CHECKING:
    from ...clock import Clock
    from ..issuers.issuer import Issuer, Verified
    from ..issuers.tokens import Tokens
    from .interaction import Prompt

_INTERVAL: Final = 5
"""Seconds between two questions where the issuer names none. Source: RFC 8628, 3.2."""
_SLOWER: Final = 5
"""Seconds more after ``slow_down``. Source: RFC 8628, 3.5."""
_KEY_TRIES: Final = 3
"""For the issuer's keys; the device code is spent by then."""
_LONGEST: Final = 1800
"""Seconds; no issuer's code is waited for longer."""
_QR_LIMIT: Final = 300
"""Characters; a longer address makes a code that no terminal can show."""


class DeviceCode(NamedTuple):
    """What the issuer gave to sign in elsewhere."""

    device_code: Secret
    user_code: str
    address: str
    complete_address: str | None
    """With the code in it; for whoever can copy it, and for the QR code."""
    expires_in: int
    interval: int


def sign_in_with_device(issuer: Issuer, prompt: Prompt, clock: Clock, *, scope: str) -> Verified:
    """
    Show a code, and wait until somebody has typed it in elsewhere.

    Args:
        issuer: Where.
        prompt: Whom to show it.
        clock: This machine's clocks.
        scope: What to ask for, separated by spaces.

    Raises:
        LoginRequiredError: Nobody did in time.
        LoginRejectedError: The issuer refused.
        ServiceError: It does not answer.
        ConfigurationError: It has no such thing.
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
    """Ask until somebody has typed the code in elsewhere."""
    give_up_at = clock.elapsed() + code.expires_in
    interval = float(code.interval)
    while clock.elapsed() + interval < give_up_at:
        clock.sleep(interval)
        try:
            return issuer.client().poll(code.device_code)
        except TokenError as error:
            refused = error
        except ServiceError:
            # RFC 8628, 3.5: after a timeout ask less often; the person may be typing still.
            interval *= 2
            continue
        if refused.code == "slow_down":
            interval += _SLOWER
        elif refused.code == "expired_token":
            break
        elif refused.code == "access_denied":
            raise LoginRejectedError("signing in was refused on the other device", hint="Sign in again")
        elif refused.code != "authorization_pending":
            raise refused.explained("the issuer")
    raise LoginRequiredError("the code was not used in time", hint="Sign in again for a new one")


def shown(code: DeviceCode, *, with_picture: bool = True) -> str:
    """Say what to do with the code: words, the code itself, and a QR code where one fits."""
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
    """Draw *text* as a QR code of half blocks, for a terminal of either colour."""
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
        )
    client = issuer.client()
    answer = client.ask_for_device_code(endpoint, scope)
    found = read_device_code(answer.json()) if answer.status == 200 else client.refusal(answer)
    if isinstance(found, TokenError):
        raise found.explained(answer.host)
    if isinstance(found, CognitoCredentialsError):
        raise found
    return found


def read_device_code(document: Mapping[str, Any]) -> DeviceCode | ServiceError:
    """
    Read what the issuer answered; what is shown of it is made safe to show.

    Returns:
        The code; or what is wrong, so that no error carries the answer along.
    """
    device_code, user_code = document.get("device_code"), document.get("user_code")
    # Google called it verification_url before there was a standard, and still does.
    address = document.get("verification_uri") or document.get("verification_url")
    if not (isinstance(device_code, str) and device_code and isinstance(user_code, str) and user_code):
        return ServiceError("the issuer gave no code to sign in with", hint="Try again later")
    safe = _safe_address(address)
    if safe is None:
        return ServiceError("the issuer gave no safe address to sign in at", hint="Ask whoever runs it")
    return DeviceCode(
        Secret(device_code),
        clean(user_code, 40),
        safe,
        _safe_address(document.get("verification_uri_complete")),
        min(_seconds(document.get("expires_in"), _LONGEST), _LONGEST),
        max(_seconds(document.get("interval"), _INTERVAL), 1),
    )


def _safe_address(value: object) -> str | None:
    """Take an address that a person is asked to open, where it is a safe one."""
    try:
        return checked_address(value, "verification_uri")
    except ConfigurationError:
        return None


def _seconds(value: object, default: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    return int(value) if 1 <= value < 1e6 else default
