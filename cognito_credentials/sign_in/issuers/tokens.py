"""What an issuer gives: tokens, verified claims, and from a user pool a device; or the end of the sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import clean
from ...secret import Secret

if TYPE_CHECKING:
    from datetime import datetime


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
    expires_in: float | None = None
    """Seconds that the access token is valid for; None where the issuer does not say."""


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
    access_token: Secret | None = None
    """None where the issuer gave none."""
    access_ends_at: float | None = None
    """When the access token expires by the issuer's time, seconds since the epoch; None with the ID token."""

    @property
    def name(self) -> str:
        """The user's e-mail address or name, for people; empty when the token has none."""
        for claim in ("email", "preferred_username", "cognito:username", "name"):
            value = self.claims.get(claim)
            if isinstance(value, str) and value.strip():
                return clean(value, 120)
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginTokens:
    """
    The tokens of a person who is signed in, of one generation: the issuer gave them together.

    `Secret.reveal` returns the text of a token. The access token is never stored, neither by this package nor
    in an app's store: whoever has the refresh token can have a new one.
    """

    id_token: Secret
    """Says who the person is: what an identity pool takes, and an API that checks ID tokens."""
    access_token: Secret
    """Says what the person may do at the issuer and at APIs: goes into ``Authorization: Bearer``."""
    expiration: datetime
    """When the first of the two expires, by the issuer's time, in UTC."""


class SignInEnded(Exception):  # noqa: N818  (the error that users see is LoginRequiredError)
    """
    The issuer no longer accepts the refresh token.

    Args:
        why: The issuer's words, cleaned; may be empty.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def seconds_of(value: object) -> float | None:
    """Read a lifetime as issuers write it; None for what is none. Some write it as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < 1e10 else None  # type: ignore[arg-type,operator]  # just checked
