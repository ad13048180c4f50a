"""
An Amazon Cognito user pool: its API to refresh and revoke, its hosted UI to sign in with a browser.

The API needs no domain, and accepts the refresh tokens of every way to sign in.

A pool that remembers devices binds a refresh token to the device that it was given to. It accepts the token
only together with the key of that device ("Invalid Refresh Token" otherwise), and only once the device is
confirmed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from ...errors import CognitoCredentialsError, ConfigurationError, ServiceError, replaced
from ...exchange.http import Http, Network
from ...logins.claims import unverified_claims
from ...regions import user_pool_issuers
from ...secret import Secret
from .discovery import WELL_KNOWN, Metadata, read_metadata
from .id_token import verify_tokens
from .token_client import TokenClient
from .tokens import SignInEnded, Tokens, seconds_of
from .user_pool_api import ApiError, UserPoolApi

if TYPE_CHECKING:
    from .tokens import Device, Verified

_log = logging.getLogger(__name__)
_ENDED: Final = frozenset(("NotAuthorizedException", "UserNotFoundException", "RefreshTokenReuseException"))
_UNKNOWN: Final = frozenset(("UnknownOperationException", "InvalidAction", "404", "500", "501"))
"""How emulators of the service answer an operation that they lack; a number is an HTTP status."""


_NOT_HERE: Final = frozenset(("400", "403", "404", "410"))
"""How the address of an issuer answers that the pool does not have; assumed."""


class UserPoolIssuer:
    """
    One app client of a user pool.

    Args:
        network: Its region is the pool's; its endpoint, where it is not AWS's.
        user_pool_id: ``REGION_name``.
        domain: Host of the hosted UI; None to look it up in the pool's discovery document.
    """

    def __init__(
        self, network: Network, user_pool_id: str, client_id: str, domain: str | None = None
    ) -> None:
        self._network = network
        self._http = Http(network)
        self.pool_name = user_pool_id.partition("_")[2]
        """The pool's id without the region, which SRP hashes with the password."""
        self._client_id = client_id
        self._domain = domain
        self._issuer, updated = user_pool_issuers(user_pool_id)
        # Only the pool knows which issuer it has. An emulator of the service on this machine has everything
        # at its own address, and signs with that as the issuer, or with one of AWS's.
        own = f"{network.endpoint_url}/{user_pool_id}"
        self._addresses = (own,) if network.endpoint_url else (self._issuer, updated)
        self._issuers = frozenset({self._issuer, updated, *self._addresses})
        self.api = UserPoolApi(network)
        self._metadata: Metadata | None = None

    def metadata(self) -> Metadata:
        """
        Return the endpoints of the hosted UI.

        Raises:
            ConfigurationError: The pool has no hosted UI.
            ServiceError: The user pool does not answer.
        """
        if self._metadata is None:
            domain = self._domain
            self._metadata = (
                self._metadata_of_domain(domain, self._addresses[0]) if domain else self._discover()
            )
        return self._metadata

    def has_pages(self) -> bool:
        """Tell whether the pool has sign-in pages for a browser; fetches the discovery document if needed."""
        try:
            return self.metadata().authorization_endpoint is not None
        except CognitoCredentialsError:
            return False

    def client(self) -> TokenClient:
        """Return the client of the hosted UI's token endpoint; raises the errors of `metadata`."""
        return TokenClient(self._http, self.metadata(), self._client_id)

    def verified(self, tokens: Tokens, nonce: str | None = None) -> Verified:
        """
        Verify *tokens*.

        Raises:
            LoginRejectedError: The ID token is not valid.
            ServiceError: The pool's keys cannot be fetched.
        """
        claims = unverified_claims(tokens.id_token.reveal()) if tokens.id_token else None
        named = (claims or {}).get("iss")
        # The pool's keys are not at the domain, but at the issuer that the token names: one of these two.
        address = next((one for one in self._addresses if one == named), self._addresses[0])
        metadata = self._metadata_of_domain(self._domain or "", address)
        return verify_tokens(
            self._http, metadata, tokens, self._client_id, nonce=nonce, issuers=self._issuers
        )

    def refresh(self, refresh_token: Secret, device: Device | None = None) -> Tokens:
        """
        Exchange a refresh token for new tokens.

        Args:
            device: The device that the pool has bound the token to.

        Raises:
            SignInEnded: The pool no longer accepts the refresh token.
            ServiceError: The user pool does not answer.

        Source: Amazon Cognito user pools API Reference, GetTokensFromRefreshToken and InitiateAuth.
        """
        with replaced(ApiError, by=_refresh_failed):
            return self.tokens_of(self._refresh(refresh_token, device))

    def revoke(self, refresh_token: Secret, device: Device | None = None) -> bool:
        """
        Revoke a refresh token and the tokens that came of it, and have the pool forget the device.

        Raises:
            ServiceError: The user pool does not answer.
            RefusedError: The user pool refuses.
        """
        last = refresh_token if device is None else self._forget(refresh_token, device)
        with replaced(ApiError, by=lambda error: error.explained()):
            try:
                self.api.call("RevokeToken", {"Token": last, "ClientId": self._client_id})
            except ApiError as error:
                if not _has_ended(error):  # it is revoked already
                    raise
        return True

    def confirm_device(
        self, device: Device, verifier: dict[str, str], access_token: Secret, name: str
    ) -> None:
        """
        Give the pool the verifier of a device's password: from then on the pool remembers the device.

        Args:
            verifier: ``DeviceSecretVerifierConfig``.
            access_token: The access token of the user who has just signed in.
            name: The device's name in the list of devices, for people.

        Raises:
            ApiError: The user pool refused.
            ServiceError: The user pool does not answer.
        """
        self.api.call(
            "ConfirmDevice",
            {
                "AccessToken": access_token,
                "DeviceKey": device.key,
                "DeviceSecretVerifierConfig": verifier,
                "DeviceName": name,
            },
        )

    def tokens_of(self, answer: dict[str, Any]) -> Tokens:
        """
        Read the tokens of an answer with an ``AuthenticationResult``.

        Raises:
            ApiError: The answer has no tokens.
        """
        result = answer.get("AuthenticationResult")
        if not (isinstance(result, dict) and result.get("IdToken")):
            raise ApiError("NoTokens", "it asks for more where it should give tokens")
        return Tokens(
            result["IdToken"],
            result.get("RefreshToken") or None,
            result.get("AccessToken") or None,
            self.api.now(answer),
            expires_in=seconds_of(result.get("ExpiresIn")),
        )

    def _refresh(self, refresh_token: Secret, device: Device | None) -> dict[str, Any]:
        key = {} if device is None else {"DeviceKey": device.key}
        given = {"RefreshToken": refresh_token, "ClientId": self._client_id, **key}
        # Only this operation works when the pool rotates refresh tokens.
        try:
            return self.api.call("GetTokensFromRefreshToken", given, is_taken_once=True)
        except ApiError as error:
            if error.code not in _UNKNOWN:
                raise
        named = {} if device is None else {"DEVICE_KEY": device.key}
        return self.api.call(
            "InitiateAuth",
            {
                "AuthFlow": "REFRESH_TOKEN_AUTH",
                "AuthParameters": {"REFRESH_TOKEN": refresh_token, **named},
                "ClientId": self._client_id,
            },
            is_taken_once=True,
        )

    def _forget(self, refresh_token: Secret, device: Device) -> Secret:
        """Have the pool forget *device*; return the refresh token that is valid from then on."""
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
            # The device's password is deleted with the sign-in, so nobody can use the device. Revoking goes
            # on.
            _log.debug("the user pool could not be made to forget this device: %s", problem)
        return last

    def _forget_with(self, access_token: Secret | None, device: Device) -> None:
        if access_token is not None:
            self.api.call("ForgetDevice", {"AccessToken": access_token, "DeviceKey": device.key})

    def _metadata_of_domain(self, domain: str, address: str) -> Metadata:
        return Metadata(
            issuer=self._issuer,
            jwks_uri=f"{address}/.well-known/jwks.json",
            authorization_endpoint=f"https://{domain}/oauth2/authorize",
            token_endpoint=f"https://{domain}/oauth2/token",
            revocation_endpoint=f"https://{domain}/oauth2/revoke",
        )

    def _discover(self) -> Metadata:
        document = self._discovery_document()
        named = document.get("issuer")
        issuer = next((one for one in self._issuers if one == named), self._issuer)
        metadata = read_metadata(document, issuer, self._addresses[0])
        if metadata.authorization_endpoint is None:
            raise ConfigurationError(
                "the user pool has no domain, which signing in with a browser needs",
                hint="Give it one, and name it: domain (profile: cognito_domain); or sign in with a password",
                topic="E-ISSUER",
            )
        return metadata

    def _discovery_document(self) -> dict[str, Any]:
        first, last = self._addresses[0], self._addresses[-1]
        try:
            return self._http.get(first + WELL_KNOWN)
        except ServiceError as error:
            if first == last or error.code not in _NOT_HERE:
                raise
        return self._http.get(last + WELL_KNOWN)


def _refresh_failed(error: ApiError) -> Exception:
    return SignInEnded(error.message) if _has_ended(error) else error.explained()


def _has_ended(error: ApiError) -> bool:
    """Tell the end of a sign-in from a disabled user and a client with a secret: these may be mended."""
    return error.code in _ENDED and not error.is_told_apart
