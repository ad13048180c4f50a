"""
Codes of authenticator apps: six digits, a new one every 30 seconds.

Source: https://www.rfc-editor.org/rfc/rfc6238.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 32
_MOST_SECRET_BYTES = 128
_STEPS_BESIDE = (0, -1, 1)
"""The code before and the one after are good as well: clocks differ, and typing takes time."""


def new_secret() -> str:
    """A new secret in base32, 52 letters as those of real pools."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode().rstrip("=")


def is_secret(text: str) -> bool:
    """Whether *text* is a secret in base32, of 80 to 1024 bits."""
    try:
        return 10 <= len(_key(text)) <= _MOST_SECRET_BYTES
    except (binascii.Error, ValueError):
        return False


def code_at(secret: str, now: float) -> str:
    """The code that an authenticator app shows at *now*."""
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    totp = TOTP(_key(secret), _DIGITS, SHA1(), STEP_SECONDS, enforce_key_length=False)  # noqa: S303 - the RFC's
    return totp.generate(max(0, int(now))).decode()


def step_of(secret: str, code: str, now: float) -> int | None:
    """The number of the time step that *code* is of; None if it is of none that is good now."""
    for beside in _STEPS_BESIDE:
        moment = now + beside * STEP_SECONDS
        if hmac.compare_digest(code_at(secret, moment).encode(), code.encode()):
            return int(moment) // STEP_SECONDS
    return None


def _key(secret: str) -> bytes:
    padded = secret.upper() + "=" * (-len(secret) % 8)
    return base64.b32decode(padded)
