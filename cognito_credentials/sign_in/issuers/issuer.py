"""What a sign-in asks of an issuer; `OidcIssuer` and `UserPoolIssuer` are the two kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...secret import Secret
    from .discovery import Metadata
    from .token_client import TokenClient
    from .tokens import Device, Tokens, Verified


class Issuer(Protocol):
    """One client of one issuer."""

    def metadata(self) -> Metadata:
        """Return the issuer's endpoints; they are fetched once."""

    def client(self) -> TokenClient:
        """Return the client of the token endpoint."""

    def verified(self, tokens: Tokens, nonce: str | None = None) -> Verified:
        """
        Verify *tokens*.

        Raises:
            LoginRejectedError: The ID token is not valid.
            LoginRequiredError: The answer has no ID token.
            ServiceError: The issuer's keys cannot be fetched.
        """

    def refresh(self, refresh_token: Secret, device: Device | None = None) -> Tokens:
        """
        Exchange a refresh token for new tokens.

        Args:
            refresh_token: The issuer may accept it only once.
            device: The device that the refresh token is bound to.

        Raises:
            SignInEnded: The issuer no longer accepts the refresh token.
            ServiceError: The issuer does not answer.
        """

    def revoke(self, refresh_token: Secret, device: Device | None = None) -> bool:
        """
        Revoke a refresh token, and have a user pool forget the device.

        Returns:
            False where the issuer offers no revocation.

        Raises:
            ServiceError: The issuer does not answer.
            RefusedError: The issuer refuses.
        """
