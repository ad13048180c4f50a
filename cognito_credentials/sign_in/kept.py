"""
What the store of a sign-in has: a token, and whose it is.

Account and secret are two files, so a crash can come between writing them; the principal beside the token
keeps one user's name from standing on another's secret.

Imports `secret` only.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from ..secret import Secret

_VERSION: Final = 1


class Kept(NamedTuple):
    """What the store has; one of the two tokens."""

    refresh_token: Secret | None
    id_token: Secret | None
    """Where the issuer gave no refresh token."""
    expires_at: int
    """When the ID token does, seconds since the epoch."""
    principal: str
    """Whose it is: `Account.principal`."""

    def encode(self) -> Secret:
        """Write it as one line of JSON."""
        values: dict[str, str | int] = {"v": _VERSION, "principal": self.principal}
        if self.refresh_token is not None:
            values["refresh_token"] = self.refresh_token.reveal()
        elif self.id_token is not None:
            values |= {"id_token": self.id_token.reveal(), "expires_at": self.expires_at}
        return Secret(json.dumps(values, separators=(",", ":")))


def opened(secret: Secret) -> Kept | None:
    """Read what `Kept.encode` wrote; None at any doubt."""
    try:
        values = json.loads(secret.reveal())
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or values.get("v") != _VERSION:
        return None
    principal, refresh_token = values.get("principal"), values.get("refresh_token")
    id_token, expires_at = values.get("id_token"), values.get("expires_at")
    if not isinstance(principal, str):
        return None
    if isinstance(refresh_token, str):
        return Kept(Secret(refresh_token), None, 0, principal)
    if isinstance(id_token, str) and isinstance(expires_at, int):
        return Kept(None, Secret(id_token), expires_at, principal)
    return None
