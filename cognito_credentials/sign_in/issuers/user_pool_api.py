"""
The API of user pools: unsigned calls, and the errors that users see.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from ...errors import CognitoCredentialsError, ConfigurationError, ServiceError, clean, replaced
from ...exchange.faults import InvalidAnswerError
from ...exchange.http import TOKEN_BUDGET, Network, bounded
from ...exchange.redaction import without
from ...exchange.requests import Refusal
from ...exchange.retries import Call
from ...exchange.service import ATTEMPTS, Service
from ...secret import Secret
from . import refusals

if TYPE_CHECKING:
    from ...clock import ServerTime

_ERROR_TEXT_LIMIT: Final = 4096
_TOKENS: Final = ("IdToken", "AccessToken", "RefreshToken")


class ApiError(Exception):
    """
    An error answer of the user pool.

    Args:
        wait: Seconds that it asks to wait, where it does.
    """

    def __init__(self, code: str, message: str, wait: float | None = None) -> None:
        super().__init__(code)
        self._wait = wait
        self.code = clean(code, 60)
        # An answer without a code is not a user pool's; its body may be a whole HTML page.
        self.message = f"HTTP {self.code}" if self.code.isdigit() else clean(message, 200)

    @property
    def is_wrong_password(self) -> bool:
        """Whether user name or password is wrong; a locked user has the same code."""
        return refusals.find(self.code, self.message).said == refusals.WRONG_PASSWORD

    @property
    def is_told_apart(self) -> bool:
        """Whether the message is about something else than most refusals with this code."""
        return refusals.find(self.code, self.message).words != "" and not self.is_wrong_password

    def explained(self) -> CognitoCredentialsError:
        """Return the error that users see."""
        error = refusals.explained("the user pool", self.code, self.message)
        if error.retryable:
            error.retry_after = self._wait
        return error


class UserPoolApi:
    """The user pools API in the region of *network*, or at its endpoint."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._service = Service(
            network,
            network.clock,
            network.environ,
            random.Random(),  # noqa: S311  (it only spreads retries)
            ATTEMPTS,
            TOKEN_BUDGET,
        )

    def call(
        self, operation: str, parameters: dict[str, Any], *, is_taken_once: bool = False
    ) -> dict[str, Any]:
        """
        Call *operation* of the user pools API, unsigned.

        Args:
            operation: The operation's name in the API reference.
            parameters: A `Secret` stands for its text, at any depth; errors do not repeat it.
            is_taken_once: Whether one of them is a token that the pool may accept only once.

        Returns:
            The members of the answer; its ``Session`` and its tokens are `Secret`.

        Raises:
            ApiError: The user pool refused.
            ServiceError: The user pool does not answer.
        """
        with replaced(Exception, by=_no_endpoint):
            url = self._service.url("cognito-idp")
        call = Call(is_taken_once=is_taken_once)
        sent = list(_secrets_in(parameters))
        with replaced(Refusal, InvalidAnswerError, by=lambda error: _refusal(error, sent)):
            answer = bounded(
                lambda: _sealed(self._service.call(operation, _in_clear(parameters), call)), url, TOKEN_BUDGET
            )
        return ApiAnswer(answer, call.seen)

    def now(self, answer: dict[str, Any]) -> float:
        """Return the time: the service's where *answer* has a Date header, otherwise this machine's."""
        seen, clock = getattr(answer, "seen", None), self._network.clock
        return clock.wall() if seen is None else seen.now(clock)


class ApiAnswer(dict[str, Any]):
    """
    The members of an answer.

    Args:
        seen: The service's time; None where it did not tell.
    """

    def __init__(self, members: dict[str, Any], seen: ServerTime | None) -> None:
        super().__init__(members)
        self.seen = seen


def _secrets_in(value: object) -> Iterator[Secret]:
    """Find the secrets in a request's parameters."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _secrets_in(member)


def _in_clear(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_clear(member) for name, member in value.items()}
    return value.reveal() if isinstance(value, Secret) else value


def _sealed(members: dict[str, Any]) -> dict[str, Any]:
    """
    Return *members* with each secret as a `Secret`.

    A sign-in asks the person while it holds an answer. What an app's prompt raises then passes as it is, with
    the frames that hold the answer.
    """
    result = members.get("AuthenticationResult")
    if isinstance(result, dict):
        result = {**result, **_secrets(result, _TOKENS)}
        members = {**members, "AuthenticationResult": result}
    return {**members, **_secrets(members, ("Session",))}


def _secrets(members: dict[str, Any], names: tuple[str, ...]) -> dict[str, Secret]:
    found = {name: members[name] for name in names if members.get(name)}
    if not all(isinstance(value, str) for value in found.values()):
        raise InvalidAnswerError(f"{' or '.join(names)} is no text")
    return {name: Secret(value) for name, value in found.items()}


def _no_endpoint(error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"there is no endpoint of user pools with these settings ({type(error).__name__}: {error})",
        hint="Check the region in the user pool's id, its endpoint, use_fips_endpoint and "
        "use_dualstack_endpoint",
        topic="E-ISSUER",
    )


def _refusal(error: Exception, sent: list[Secret]) -> CognitoCredentialsError | ApiError:
    if isinstance(error, Refusal):
        # A trigger of the pool may repeat what the person typed.
        message = str(error.response["Error"]["Message"])[:_ERROR_TEXT_LIMIT]
        return ApiError(without(sent, error.code[:_ERROR_TEXT_LIMIT]), without(sent, message), error.wait)
    return ServiceError(
        "the answer is not one of a user pool's",
        hint="A captive portal or a proxy is in between, or endpoint_url is wrong: check these",
        code="InvalidAnswer",
        topic="E-ISSUER",
    )
