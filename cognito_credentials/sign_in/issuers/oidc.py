"""
Any OpenID Connect issuer, by its discovery document.

Imports `discovery`, `http`, `issuer`, `tokens`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import CognitoCredentialsError, ConfigurationError, ServiceError
from ...exchange.http import Http, Network
from ...logins.source import Source, ask
from ...secret import Secret
from .discovery import Metadata, discover
from .issuer import SignInEnded, Verified, believed
from .tokens import TokenClient, TokenError, Tokens

if TYPE_CHECKING:
    from ..kept.kept import Device


REVOKE_PAUSES: Final = (1.0, 2.0)
"""Seconds: a person waits for the sign-out, and when it is over there is nothing left to revoke with."""


class OidcIssuer:
    """
    One client of an issuer.

    Args:
        network: The way out.
        issuer: Its address, to the letter.
        client_id: The client.
        client_secret: Of a client that has one, or a source of it.
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

    @property
    def http(self) -> Http:
        """Sends its requests."""
        return self._http

    def metadata(self) -> Metadata:
        """
        Return its endpoints; asks for them once.

        Raises:
            ServiceError: It does not answer.
            ConfigurationError: What it says of itself is wrong.
        """
        if self._metadata is None:
            self._metadata = discover(self._http, self._issuer)
        return self._metadata

    def client(self) -> TokenClient:
        """
        Return the client at its token endpoint; errors as `metadata` has them.

        Raises:
            ConfigurationError: The source of its secret has none.
        """
        return TokenClient(self._http, self.metadata(), self._client_id, self._read_secret())

    def _read_secret(self) -> Secret | None:
        secret = self._client_secret
        if secret is None or isinstance(secret, Secret):
            return secret
        try:
            return ask(secret, None)
        except ServiceError:
            raise
        except CognitoCredentialsError as error:
            why = error.message
        # No error of the person: signing in again does not help.
        raise ConfigurationError(
            f"the secret of the client cannot be had: {why}", hint="Correct cognito_oidc_client_secret"
        )

    def verified(self, tokens: Tokens, nonce: str | None = None) -> Verified:
        """
        Verify what it gave.

        Raises:
            LoginRejectedError: It is not to be believed.
            LoginRequiredError: A refresh gave no ID token.
        """
        return believed(self._http, self.metadata(), tokens, self._client_id, nonce=nonce)

    def refresh(self, refresh_token: Secret, device: Device | None = None) -> Tokens:  # noqa: ARG002  (user pools have them)
        """
        Trade a refresh token for new tokens.

        Raises:
            SignInEnded: It is not taken any more.
            ServiceError: The issuer does not answer.
        """
        try:
            return self.client().refresh(refresh_token)
        except TokenError as error:
            refused = error
        if refused.code in ("invalid_grant", "no_id_token"):
            raise SignInEnded(refused.description)
        raise refused.explained(self._issuer.partition("://")[2])

    def revoke(self, refresh_token: Secret, device: Device | None = None) -> bool:  # noqa: ARG002  (as above)
        """
        Revoke a refresh token; False where the issuer cannot. Asked too often, it is asked again.

        Raises:
            ServiceError: It does not answer, or refuses.
        """
        for pause in REVOKE_PAUSES:
            try:
                return self.client().revoke(refresh_token)
            except ServiceError as error:
                if not error.throttled:
                    raise
            self._clock.sleep(pause)
        return self.client().revoke(refresh_token)
