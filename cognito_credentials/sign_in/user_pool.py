"""
An Amazon Cognito user pool: its API for refreshing and revoking, its hosted UI for the browser.

The API needs no domain, and takes refresh tokens of either way of signing in.

Imports `discovery`, `http`, `issuer`, `tokens`; botocore when the API is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    RefusedError,
    ServiceError,
    clean,
)
from ..exchange.silence import silence
from ..regions import user_pool_issuer
from ..secret import Secret
from .discovery import WELL_KNOWN, Metadata, read_metadata
from .http import Http, Network, bounded
from .issuer import SignInEnded, Verified, believed
from .tokens import TokenClient, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

_WAIT: Final = frozenset(
    ("TooManyRequestsException", "LimitExceededException", "InternalErrorException", "ThrottlingException")
)
_ENDED: Final = frozenset(("NotAuthorizedException", "UserNotFoundException", "RefreshTokenReuseException"))
_UNKNOWN: Final = frozenset(("UnknownOperationException", "InvalidAction", "404", "500", "501"))
"""What stand-ins say to an operation that they do not have; a number is an answer without a code."""


class ApiError(Exception):
    """
    The user pool refused.

    Args:
        code: Its error code.
        message: Its words, cleaned.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = clean(code, 60)
        # An answer without a code is of no user pool; its body may be a whole page.
        self.message = f"HTTP {self.code}" if self.code.isdigit() else clean(message, 200)

    def explained(self) -> CognitoCredentialsError:
        """Say it to people."""
        said = f"the user pool refused: {self.message or self.code}"
        if self.code in _WAIT:
            return ServiceError(said, hint="wait a minute, then try again", code=self.code)
        if self.code == "ResourceNotFoundException":
            return ConfigurationError(
                said, hint="check cognito_user_pool_id and cognito_client_id", code=self.code
            )
        if self.code == "InvalidParameterException":
            return ConfigurationError(said, hint=_hint(self.message), code=self.code)
        if "SECRET_HASH" in self.message or "secret" in self.message.lower():
            return ConfigurationError(
                said, hint="use an app client without a secret: programs that people install keep none"
            )
        if self.code == "NotAuthorizedException":
            return LoginRejectedError(said, hint="check user name and password", code=self.code)
        return RefusedError(said, hint="ask whoever runs the user pool", code=self.code)


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
        self._client_id = client_id
        self._domain = domain
        self._issuer = user_pool_issuer(user_pool_id)
        # A stand-in of the service on this machine signs as itself or as AWS.
        here = f"{network.endpoint_url}/{user_pool_id}" if network.endpoint_url else self._issuer
        self._here = here
        self._issuers = frozenset({self._issuer, here})
        self._client: Any = None
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

    def refresh(self, refresh_token: Secret) -> Tokens:
        """
        Trade a refresh token for new tokens.

        Raises:
            SignInEnded: It is not taken any more.
            ServiceError: The user pool does not answer.

        Source: user pools API, GetTokensFromRefreshToken (with or without rotation), InitiateAuth.
        """
        try:
            return self.tokens_of(self._refresh(refresh_token))
        except ApiError as error:
            refused = error
        if refused.code in _ENDED:
            raise SignInEnded(refused.message)
        raise refused.explained()

    def revoke(self, refresh_token: Secret) -> bool:
        """
        Revoke a refresh token and all that came of it.

        Raises:
            ServiceError: The user pool does not answer.
            RefusedError: It refuses.
        """
        try:
            self.call("revoke_token", lambda: {"Token": refresh_token.reveal(), "ClientId": self._client_id})
        except ApiError as error:
            refused = error
        else:
            return True
        if refused.code in _ENDED:
            return True  # it is of no use any more
        raise refused.explained()

    def call(self, operation: str, parameters: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """
        Call *operation* of the user pools API, unsigned.

        Args:
            operation: Its name, as botocore writes it.
            parameters: Makes its parameters; they may be secret.

        Raises:
            ApiError: The user pool refused.
            ServiceError: It does not answer.
        """
        from botocore.exceptions import ClientError, ParamValidationError

        api = self._api()
        try:
            return bounded(lambda: _silently(api, operation, parameters()), api.meta.endpoint_url)
        except ClientError as error:
            details = error.response.get("Error", {})
            refused = ApiError(str(details.get("Code", "")), str(details.get("Message", "")))
        except ParamValidationError:
            refused = ApiError("InvalidParameterException", "what was entered has not the form it must have")
        raise refused

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
            self._now(answer),
        )

    def _refresh(self, refresh_token: Secret) -> dict[str, Any]:
        def with_token() -> dict[str, Any]:
            return {"RefreshToken": refresh_token.reveal(), "ClientId": self._client_id}

        # The only one that works with rotation on; but botocore has it only since 1.38.
        if hasattr(self._api(), "get_tokens_from_refresh_token"):
            try:
                return self.call("get_tokens_from_refresh_token", with_token)
            except ApiError as error:
                if error.code not in _UNKNOWN:
                    raise
        return self.call(
            "initiate_auth",
            lambda: {
                "AuthFlow": "REFRESH_TOKEN_AUTH",
                "AuthParameters": {"REFRESH_TOKEN": refresh_token.reveal()},
                "ClientId": self._client_id,
            },
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
                hint="give it one and set cognito_domain, or use cognito_sign_in = password",
            )
        return metadata

    def _now(self, answer: dict[str, Any]) -> float:
        from email.utils import parsedate_to_datetime

        from ..clock import observe

        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        try:
            server = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError, OverflowError):
            return self._network.clock.wall()
        return observe(self._network.clock, server).now(self._network.clock)

    def _api(self) -> Any:
        if self._client is None:
            from ..exchange.botocore_client import make_client

            network = self._network
            self._client, _ = make_client("cognito-idp", network, network.clock, network.environ, 3)
        return self._client


def _hint(message: str) -> str:
    if "USER_SRP_AUTH" in message:
        return "enable ALLOW_USER_SRP_AUTH for the app client, or use --browser"
    if "REFRESH_TOKEN_AUTH" in message:
        return "enable ALLOW_REFRESH_TOKEN_AUTH for the app client; where it rotates tokens, update botocore"
    return "correct that"


def _silently(api: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    with silence():
        answer: dict[str, Any] = getattr(api, operation)(**parameters)
        return answer
