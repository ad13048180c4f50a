"""
What the store of a sign-in has: a token, whose it is, and the device that it is bound to.

Account and secret are two files, so a crash can come between writing them; the principal beside the token
keeps one user's name from standing on another's secret.

Imports `secret` only.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from ...secret import Secret

_VERSION: Final = 1


class Device(NamedTuple):
    """
    What a user pool that remembers devices calls this one; a refresh token works only together with it.

    Source: user pools API, NewDeviceMetadataType, ConfirmDevice.
    """

    key: str
    group_key: str
    password: Secret
    """By which it proves itself when the same user signs in again; made here, and never sent."""
    username: str
    """Whose it is: what the pool says is the name in the password's proof."""

    def encode(self) -> dict[str, str]:
        """Write it as JSON has it."""
        return {**self._asdict(), "password": self.password.reveal()}


class Kept(NamedTuple):
    """What the store has; one of the two tokens."""

    refresh_token: Secret | None
    id_token: Secret | None
    """Where the issuer gave no refresh token."""
    expires_at: int
    """When the ID token does, seconds since the epoch."""
    principal: str | None
    """Whose it is: `Account.principal`. None in what versions before this was noted have kept."""
    device: Device | None = None
    """None where the issuer does not remember devices."""

    def encode(self) -> Secret:
        """Write it as one line of JSON."""
        values: dict[str, object] = {"v": _VERSION, "principal": self.principal}
        if self.refresh_token is not None:
            values["refresh_token"] = self.refresh_token.reveal()
        elif self.id_token is not None:
            values |= {"id_token": self.id_token.reveal(), "expires_at": self.expires_at}
        if self.device is not None:
            values["device"] = self.device.encode()
        return Secret(json.dumps(values, separators=(",", ":")))


def opened(secret: Secret) -> Kept | None:
    """Read what `Kept.encode` wrote, now or in an earlier version; None at any doubt."""
    try:
        values = json.loads(secret.reveal())
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or values.get("v") != _VERSION:
        return None
    principal, refresh_token = values.get("principal"), values.get("refresh_token")
    id_token, expires_at = values.get("id_token"), values.get("expires_at")
    if not isinstance(principal, (str, type(None))):
        return None
    if isinstance(refresh_token, str):
        return Kept(Secret(refresh_token), None, 0, principal, _device(values.get("device")))
    # An ID token is handed out as it is, so it must say whose it is; what a refresh gives is verified again.
    if isinstance(id_token, str) and isinstance(expires_at, int) and principal is not None:
        return Kept(None, Secret(id_token), expires_at, principal)
    return None


def _device(value: object) -> Device | None:
    """Take a device whole or not at all; without it the pool refuses the refresh, and says so."""
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in Device._fields):
        return None
    return Device(value["key"], value["group_key"], Secret(value["password"]), value["username"])
