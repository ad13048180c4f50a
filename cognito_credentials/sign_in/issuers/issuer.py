"""
An issuer, as the sign-in sees it: it refreshes, it revokes, and its tokens are verified.

Imports `tokens`, `id_token`, `discovery`, `http`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ...errors import LoginRequiredError, clean
from .id_token import verify

if TYPE_CHECKING:
    from ...exchange.http import Http
    from ...secret import Secret
    from ..kept.kept import Device
    from .discovery import Metadata
    from .tokens import TokenClient, Tokens


class SignInEnded(Exception):  # noqa: N818  (the error that users see is LoginRequiredError)
    """
    The issuer takes the refresh token no more.

    Args:
        why: What it said, cleaned; may be empty.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Verified(NamedTuple):
    """An ID token that was verified, and what came with it."""

    id_token: Secret
    claims: dict[str, Any]
    refresh_token: Secret | None
    """None where the issuer gave no (new) one."""
    now: float
    """The issuer's time, seconds since the epoch."""
    device: Device | None = None
    """To which a user pool has bound the refresh token."""

    @property
    def name(self) -> str:
        """What to call the user."""
        for claim in ("email", "preferred_username", "cognito:username", "name"):
            value = self.claims.get(claim)
            if isinstance(value, str) and value.strip():
                return clean(value, 120)
        return ""


class Issuer(Protocol):
    """One client of one issuer."""

    @property
    def http(self) -> Http:
        """Sends its requests."""

    def metadata(self) -> Metadata:
        """Return its endpoints; asks for them once."""

    def client(self) -> TokenClient:
        """Return the client at its token endpoint."""

    def verified(self, tokens: Tokens, nonce: str | None = None) -> Verified:
        """Verify what it gave; `LoginRejectedError` when that is not to be believed."""

    def refresh(self, refresh_token: Secret, device: Device | None = None) -> Tokens:
        """
        Trade a refresh token, and the device that it is bound to, for new tokens, not yet verified.

        Raises:
            SignInEnded: It is not taken any more.
            ServiceError: The issuer does not answer.
        """

    def revoke(self, refresh_token: Secret, device: Device | None = None) -> bool:
        """Revoke a refresh token, and forget its device; False where the issuer cannot."""


def believed(
    http: Http,
    metadata: Metadata,
    tokens: Tokens,
    client_id: str,
    *,
    nonce: str | None,
    issuers: frozenset[str] | None = None,
) -> Verified:
    """
    Verify *tokens* with the keys that the issuer publishes now.

    Raises:
        LoginRejectedError: They are not to be believed.
        LoginRequiredError: A refresh gave no ID token.
        ServiceError: The keys cannot be had.
    """
    if tokens.id_token is None:
        # Said here and not when it came, so that the new refresh token is kept first.
        raise LoginRequiredError(
            "the issuer refreshed the sign-in but gave no ID token, which is what identity pools take",
            hint="Sign in again, or have the issuer give ID tokens when it refreshes",
        )
    claims = verify(
        tokens.id_token,
        keys=http.get(metadata.jwks_uri),
        issuers=issuers or frozenset({metadata.issuer}),
        client_id=client_id,
        algorithms=metadata.algorithms,
        now=tokens.now,
        nonce=nonce,
        access_token=tokens.access_token,
    )
    return Verified(tokens.id_token, claims, tokens.refresh_token, tokens.now, tokens.device)
