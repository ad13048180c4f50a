"""
An Amazon Cognito user pool: its API for refreshing and revoking, its hosted UI for the browser.

The API needs no domain, and takes refresh tokens of either way of signing in.

A pool that remembers devices binds a refresh token to the device that it was given to: it is taken with the
device's key alone ("Invalid Refresh Token" otherwise), and only from a device that was confirmed.

Imports `discovery`, `http`, `issuer`, `tokens`, `user_pool_api`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from ...errors import CognitoCredentialsError, ConfigurationError
from ...exchange.http import Http, Network
from ...regions import user_pool_issuer
from ...secret import Secret
from .discovery import WELL_KNOWN, Metadata, read_metadata
from .issuer import SignInEnded, Verified, believed
from .tokens import TokenClient, Tokens
from .user_pool_api import ApiError, UserPoolApi

if TYPE_CHECKING:
    from ..kept.kept import Device

_log = logging.getLogger(__name__)
_ENDED: Final = frozenset(("NotAuthorizedException", "UserNotFoundException", "RefreshTokenReuseException"))
_UNKNOWN: Final = frozenset(("UnknownOperationException", "InvalidAction", "404", "500", "501"))
"""What stand-ins say to an operation that they do not have; a number is an answer without a code."""


class UserPoolIssuer:
    """
    One app client of a user pool.

    Args:
        network: The way out, with the pool's region and perhaps another endpoint.
        user_pool_id: ``REGION_name``.
        client_id: The app client.
        domain: Host of the hosted UI; None to ask the pool for it.
    """

    def __init__(
        self, network: Network, user_pool_id: str, client_id: str, domain: str | None = None
    ) -> None:
        self._network = network
        self._http = Http(network)
        self.pool_name = user_pool_id.partition("_")[2]
        """The part of its id that is in the proof of a password."""
        self._client_id = client_id
        self._domain = domain
        self._issuer = user_pool_issuer(user_pool_id)
        # A stand-in of the service on this machine signs as itself or as AWS.
        here = f"{network.endpoint_url}/{user_pool_id}" if network.endpoint_url else self._issuer
        self._here = here
        self._issuers = frozenset({self._issuer, here})
        self.api = UserPoolApi(network)
        """Its operations."""
        self._metadata: Metadata | None = None

    @property
    def http(self) -> Http:
        """Sends its requests."""
        return self._http

    def metadata(self) -> Metadata:
        """
        Return the endpoints of its hosted UI.

        Raises:
            ConfigurationError: It has none.
            ServiceError: It does not answer.
        """
        if self._metadata is None:
            self._metadata = self._of_domain(self._domain) if self._domain else self._discovered()
        return self._metadata

    def has_pages(self) -> bool:
        """Tell whether it has sign-in pages for a browser; asks it where no domain was given."""
        try:
            return self.metadata().authorization_endpoint is not None
        except CognitoCredentialsError:
            return False

    def client(self) -> TokenClient:
        """Return the client at the token endpoint of the hosted UI."""
        return TokenClient(self._http, self.metadata(), self._client_id)

    def verified(self, tokens: Tokens, nonce: str | None = None) -> Verified:
        """
        Verify what it gave.

        Raises:
            LoginRejectedError: It is not to be believed.
        """
        of_pool = self._of_domain(self._domain or "")  # its keys do not depend on any domain
        return believed(self._http, of_pool, tokens, self._client_id, nonce=nonce, issuers=self._issuers)

    def refresh(self, refresh_token: Secret, device: Device | None = None) -> Tokens:
        """
        Trade a refresh token for new tokens.

        Args:
            refresh_token: Of this app client.
            device: To which the pool has bound it.

        Raises:
            SignInEnded: It is not taken any more.
            ServiceError: The user pool does not answer.

        Source: user pools API, GetTokensFromRefreshToken (with or without rotation), InitiateAuth.
        """
        try:
            return self.tokens_of(self._refresh(refresh_token, device))
        except ApiError as error:
            refused = error
        if refused.code in _ENDED:
            raise SignInEnded(refused.message)
        raise refused.explained()

    def revoke(self, refresh_token: Secret, device: Device | None = None) -> bool:
        """
        Revoke a refresh token and all that came of it, and have the pool forget the device.

        Raises:
            ServiceError: The user pool does not answer.
            RefusedError: It refuses.
        """
        last = refresh_token if device is None else self._forget(refresh_token, device)
        try:
            self.api.call("revoke_token", lambda: {"Token": last.reveal(), "ClientId": self._client_id})
        except ApiError as error:
            refused = error
        else:
            return True
        if refused.code in _ENDED:
            return True  # it is of no use any more
        raise refused.explained()

    def confirm_device(
        self, device: Device, verifier: dict[str, str], access_token: Secret, name: str
    ) -> None:
        """
        Tell the pool by what it will know the device that it has named.

        Args:
            device: As the pool named it.
            verifier: ``DeviceSecretVerifierConfig``.
            access_token: Of the user who has just signed in.
            name: For people who look at the list of devices.

        Raises:
            ApiError: The user pool refused.
            ServiceError: It does not answer.
        """
        self.api.call(
            "confirm_device",
            lambda: {
                "AccessToken": access_token.reveal(),
                "DeviceKey": device.key,
                "DeviceSecretVerifierConfig": verifier,
                "DeviceName": name,
            },
        )

    def tokens_of(self, answer: dict[str, Any]) -> Tokens:
        """
        Take the tokens out of an answer with an AuthenticationResult.

        Raises:
            ApiError: There are none.
        """
        result = answer.get("AuthenticationResult") or {}
        if not result.get("IdToken"):
            raise ApiError("NoTokens", "it asks for more where it should give tokens")
        refresh, access = result.get("RefreshToken"), result.get("AccessToken")
        return Tokens(
            Secret(result["IdToken"]),
            Secret(refresh) if refresh else None,
            Secret(access) if access else None,
            self.api.now(answer),
        )

    def _refresh(self, refresh_token: Secret, device: Device | None) -> dict[str, Any]:
        key = {} if device is None else {"DeviceKey": device.key}

        def with_token() -> dict[str, Any]:
            return {"RefreshToken": refresh_token.reveal(), "ClientId": self._client_id, **key}

        # The only one that works with rotation on; but botocore has it only since 1.38.
        if self.api.has("get_tokens_from_refresh_token"):
            try:
                return self.api.call("get_tokens_from_refresh_token", with_token, is_taken_once=True)
            except ApiError as error:
                if error.code not in _UNKNOWN:
                    raise
        named = {} if device is None else {"DEVICE_KEY": device.key}
        return self.api.call(
            "initiate_auth",
            lambda: {
                "AuthFlow": "REFRESH_TOKEN_AUTH",
                "AuthParameters": {"REFRESH_TOKEN": refresh_token.reveal(), **named},
                "ClientId": self._client_id,
            },
            is_taken_once=True,
        )

    def _forget(self, refresh_token: Secret, device: Device) -> Secret:
        """Have the pool forget *device*; return the refresh token that counts from then on."""
        last, problem = refresh_token, ""
        try:
            tokens = self.tokens_of(self._refresh(refresh_token, device))
            last = tokens.refresh_token or last
            self._forget_with(tokens.access_token, device)
        except ApiError as error:
            problem = error.message or error.code
        except CognitoCredentialsError as error:
            problem = error.message
        if problem:
            # Nobody can use it: its password goes with the sign-in. To revoke the token is what counts.
            _log.debug("the user pool was not told to forget this device: %s", problem)
        return last

    def _forget_with(self, access_token: Secret | None, device: Device) -> None:
        if access_token is not None:
            self.api.call(
                "forget_device", lambda: {"AccessToken": access_token.reveal(), "DeviceKey": device.key}
            )

    def _of_domain(self, domain: str) -> Metadata:
        return Metadata(
            issuer=self._issuer,
            jwks_uri=f"{self._here}/.well-known/jwks.json",
            authorization_endpoint=f"https://{domain}/oauth2/authorize",
            token_endpoint=f"https://{domain}/oauth2/token",
            revocation_endpoint=f"https://{domain}/oauth2/revoke",
        )

    def _discovered(self) -> Metadata:
        document = self._http.get(self._here + WELL_KNOWN)
        named = document.get("issuer")
        metadata = read_metadata(document, named if named in self._issuers else self._issuer)
        if metadata.authorization_endpoint is None:
            raise ConfigurationError(
                "the user pool has no domain, which signing in with a browser needs",
                hint="Give it one, and name it: domain (profile: cognito_domain); or sign in with a password",
            )
        return metadata
