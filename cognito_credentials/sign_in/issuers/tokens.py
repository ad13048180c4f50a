"""What an issuer gives: tokens, verified claims, and from a user pool a device; or the end of the sign-in."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import clean
from ...secret import Secret


class Device(NamedTuple):
    """
    This machine, as a user pool that remembers devices knows it.

    The pool takes a refresh token only together with the key of the device that it was given to.

    Source: Amazon Cognito user pools API Reference, NewDeviceMetadataType and ConfirmDevice.
    """

    key: str
    group_key: str
    password: Secret
    """Made on this machine and never sent; the device proves with it that it is the same one (SRP)."""
    username: str
    """The user that the pool remembers the device for, by the name that SRP uses (``USER_ID_FOR_SRP``)."""


class Tokens(NamedTuple):
    """The tokens of a sign-in or a refresh, not yet verified."""

    id_token: Secret | None
    """None where a refresh gave a new refresh token and no ID token (OpenID Connect Core 1.0, 12.2)."""
    refresh_token: Secret | None
    """None where the issuer gave no refresh token, or no new one."""
    access_token: Secret | None
    now: float
    """The issuer's time, seconds since the epoch."""
    device: Device | None = None
    """The device that a user pool has bound the refresh token to."""


class Verified(NamedTuple):
    """A verified ID token, and the refresh token and device that came with it."""

    id_token: Secret
    claims: dict[str, Any]
    refresh_token: Secret | None
    """None where the issuer gave no refresh token, or no new one."""
    now: float
    """The issuer's time, seconds since the epoch."""
    device: Device | None = None
    """The device that a user pool has bound the refresh token to."""

    @property
    def name(self) -> str:
        """The user's e-mail address or name, for people; empty when the token has none."""
        for claim in ("email", "preferred_username", "cognito:username", "name"):
            value = self.claims.get(claim)
            if isinstance(value, str) and value.strip():
                return clean(value, 120)
        return ""


class SignInEnded(Exception):  # noqa: N818  (the error that users see is LoginRequiredError)
    """
    The issuer no longer accepts the refresh token.

    Args:
        why: The issuer's words, cleaned; may be empty.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
