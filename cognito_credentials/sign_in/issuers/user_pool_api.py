"""
The API of user pools: unsigned calls with botocore's client, and the errors that users see.

Botocore is imported with the first call.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from ...clock import observe
from ...errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    RefusedError,
    ServiceError,
    clean,
    replaced,
)
from ...exchange.http import TOKEN_BUDGET, Network, bounded
from ...exchange.silence import silence
from ...exchange.transport import CALL, Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import ClientError

_WAIT: Final = frozenset(
    ("TooManyRequestsException", "LimitExceededException", "InternalErrorException", "ThrottlingException")
)


class ApiError(Exception):
    """An error answer of the user pool."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = clean(code, 60)
        # An answer without a code is not a user pool's; its body may be a whole HTML page.
        self.message = f"HTTP {self.code}" if self.code.isdigit() else clean(message, 200)

    def explained(self) -> CognitoCredentialsError:
        """Return the error that users see."""
        said = f"the user pool refused: {self.message or self.code}"
        if self.code in _WAIT:
            is_throttled = self.code != "InternalErrorException"
            return ServiceError(
                said, hint="Wait a minute, then try again", code=self.code, throttled=is_throttled
            )
        if self.code == "ResourceNotFoundException":
            return ConfigurationError(
                said, hint="Check the ids of the user pool and of the app client", code=self.code
            )
        if self.code == "InvalidParameterException":
            return ConfigurationError(said, hint=_hint(self.message), code=self.code)
        if "SECRET_HASH" in self.message or "secret" in self.message.lower():
            return ConfigurationError(
                said, hint="Use an app client without a secret: programs that people install keep none"
            )
        if self.code == "NotAuthorizedException":
            return LoginRejectedError(said, hint="Check user name and password", code=self.code)
        return RefusedError(said, hint="Ask whoever runs the user pool", code=self.code)


class UserPoolApi:
    """The user pools API in the region of *network*, or at its endpoint."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._client: Any = None

    def call(
        self, operation: str, parameters: Callable[[], dict[str, Any]], *, is_taken_once: bool = False
    ) -> dict[str, Any]:
        """
        Call *operation* of the user pools API, unsigned.

        Args:
            operation: The operation's name, as botocore writes it.
            parameters: Makes the parameters, which may be secrets in clear.
            is_taken_once: Whether one of them is a token that the pool may accept only once.

        Raises:
            ApiError: The user pool refused.
            ServiceError: The user pool does not answer.
        """
        from botocore.exceptions import ClientError

        api = self._botocore()
        with replaced(ClientError, by=_refusal):
            return bounded(
                lambda: _call_silently(api, operation, parameters(), Call(is_taken_once=is_taken_once)),
                api.meta.endpoint_url,
                TOKEN_BUDGET,
            )

    def has(self, operation: str) -> bool:
        """Tell whether this botocore knows *operation*."""
        return hasattr(self._botocore(), operation)

    def now(self, answer: dict[str, Any]) -> float:
        """Return the time: the service's where *answer* has a Date header, otherwise this machine's."""
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        try:
            server = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError, OverflowError):
            return self._network.clock.wall()
        return observe(self._network.clock, server).now(self._network.clock)

    def _botocore(self) -> Any:
        if self._client is None:
            from ...exchange.botocore_client import make_client

            network = self._network
            self._client, _ = make_client(
                "cognito-idp", network, network.clock, network.environ, 3, TOKEN_BUDGET
            )
        return self._client


def _hint(message: str) -> str:
    if "USER_SRP_AUTH" in message:
        return "Enable ALLOW_USER_SRP_AUTH for the app client, or sign in with a browser"
    if "REFRESH_TOKEN_AUTH" in message:
        return "Enable ALLOW_REFRESH_TOKEN_AUTH for the app client; where it rotates tokens, update botocore"
    return "Correct that"


def _refusal(error: ClientError) -> ApiError:
    details = error.response.get("Error", {})
    return ApiError(str(details.get("Code", "")), str(details.get("Message", "")))


def _call_silently(api: Any, operation: str, parameters: dict[str, Any], call: Call) -> dict[str, Any]:
    CALL.set(call)  # in the context of this call's own thread
    with silence():
        answer: dict[str, Any] = getattr(api, operation)(**parameters)
        return answer
