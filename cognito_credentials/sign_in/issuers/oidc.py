"""An OpenID Connect issuer, by its discovery document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import CognitoCredentialsError, ConfigurationError, ServiceError, replaced
from ...exchange.http import Http, Network
from ...logins.source import Source, ask
from ...secret import Secret
from .discovery import Metadata, discover
from .id_token import verify_tokens
from .token_client import TokenClient, TokenError
from .tokens import SignInEnded

if TYPE_CHECKING:
    from .tokens import Device, Tokens, Verified

REVOKE_PAUSES: Final = (1.0, 2.0)
"""Seconds between the tries to revoke: short, since a person waits; after the sign-out the token is gone."""


class OidcIssuer:
    """
    One client of an OpenID Connect issuer.

    Args:
        issuer: The issuer's address, exactly as the issuer writes it.
        client_secret: The client's secret, or a source of it that is asked at each use.
    """

    def __init__(
        self,
        network: Network,
        issuer: str,
        client_id: str,
        client_secret: Secret | Source | None = None,
    ) -> None:
        self._http = Http(network)
        self._clock = network.clock
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._metadata: Metadata | None = None

    def metadata(self) -> Metadata:
        """
        Return the issuer's endpoints; they are fetched once.

        Raises:
            ServiceError: The issuer does not answer.
            ConfigurationError: The discovery document is missing or wrong.
        """
        if self._metadata is None:
            self._metadata = discover(self._http, self._issuer)
        return self._metadata

    def client(self) -> TokenClient:
        """
        Return the client of the token endpoint; raises the errors of `metadata`, too.

        Raises:
            ConfigurationError: The source of the client's secret failed.
        """
        return TokenClient(self._http, self.metadata(), self._client_id, self._read_secret())

    def _read_secret(self) -> Secret | None:
        secret = self._client_secret
        if secret is None or isinstance(secret, Secret):
            return secret
        with replaced(CognitoCredentialsError, by=_secret_failed):
            return ask(secret, None)

    def verified(self, tokens: Tokens, nonce: str | None = None) -> Verified:
        """
        Verify *tokens*.

        Raises:
            LoginRejectedError: The ID token is not valid.
            LoginRequiredError: The answer has no ID token.
            ServiceError: The issuer's keys cannot be fetched.
        """
        return verify_tokens(self._http, self.metadata(), tokens, self._client_id, nonce=nonce)

    def refresh(self, refresh_token: Secret, device: Device | None = None) -> Tokens:  # noqa: ARG002  (for user pools)
        """
        Exchange a refresh token for new tokens.

        Raises:
            SignInEnded: The issuer no longer accepts the refresh token.
            ServiceError: The issuer does not answer.
        """
        with replaced(TokenError, by=self._refresh_failed):
            return self.client().refresh(refresh_token)

    def _refresh_failed(self, error: TokenError) -> Exception:
        if error.code in ("invalid_grant", "no_id_token"):
            return SignInEnded(error.description)
        return error.explained(self._issuer.partition("://")[2])

    def revoke(self, refresh_token: Secret, device: Device | None = None) -> bool:  # noqa: ARG002  (for user pools)
        """
        Revoke a refresh token; an issuer that throttles is asked up to three times.

        Returns:
            False where the issuer has no revocation endpoint.

        Raises:
            ServiceError: The issuer does not answer.
            RefusedError: The issuer refuses.
        """
        for pause in REVOKE_PAUSES:
            try:
                return self.client().revoke(refresh_token)
            except ServiceError as error:
                if not error.throttled:
                    raise
            self._clock.sleep(pause)
        return self.client().revoke(refresh_token)


def _secret_failed(error: CognitoCredentialsError) -> CognitoCredentialsError:
    if isinstance(error, ServiceError):
        return error
    # `ask` says that the user has to sign in again, which would not help here.
    return ConfigurationError(
        f"the secret of the client cannot be had: {error.message}",
        hint="Correct cognito_oidc_client_secret",
        topic="E-ISSUER",
    )
