"""
One call: its one repetition, and the meaning of its failure.

A function that has a token in clear returns its failure and does not raise it, so that no frame of a
traceback holds a token.
"""

from __future__ import annotations

import contextvars
import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..importing import IMPORTING
from ..logins.raised import is_from_signal_handler
from ..regions import own_token_provider
from ..secret import Secret
from .actions import Action, Failure
from .deadline import remaining
from .facts import facts
from .failures import classify

if TYPE_CHECKING:
    from ..budget.budget import Budget
    from ..clock import Clock, ServerTime
    from ..settings.settings import Settings
    from .service import Service

T = TypeVar("T")

ONCE_MORE_AFTER: Final = (1.0, 2.0)
"""Seconds before the one repetition that a conflict or a silent login provider gets."""
ROOM_FOR_ONCE_MORE: Final = 4.0
"""The longest wait and two seconds for the request; with less time left it is not begun."""

SPARING: Final[contextvars.ContextVar[bool]] = contextvars.ContextVar(
    "cognito_credentials_sparing", default=False
)
"""Whether each request is sent only once in this context."""
WHO: Final[contextvars.ContextVar[str]] = contextvars.ContextVar("cognito_credentials_who", default="")
"""For which user requests are sent in this context, as a hash; the budget knows them by it."""


class _Passed:
    """An exception of the program's own signal handler: it passes, without the frames that hold tokens."""

    def __init__(self, error: Exception) -> None:
        self.error = error.with_traceback(None)
        self.error.__context__ = None


class Calls:
    """
    Calls operations of Cognito Identity and STS.

    Args:
        attempts: How often a request is sent at most when the network or service fails.
        budget: Lets each request wait for its turn; None where there is none.
    """

    __slots__ = (
        *("_attempts", "_budget", "_clock", "_environ", "_rng", "_service", "_settings"),
        *("answered", "crowds", "seen"),
    )

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        environ: Mapping[str, str],
        rng: random.Random,
        attempts: int,
        budget: Budget | None = None,
    ) -> None:
        self._budget = budget
        self._settings = settings
        self._clock = clock
        self._environ = environ
        self._rng = rng
        self._attempts = attempts
        self._service: Service | None = None
        self.crowds = 0
        """How many calls were made while many users came at once."""
        self.seen: ServerTime | None = None
        """The service's time as last observed; None before the first trusted `Date`."""
        self.answered: ServerTime | None = None
        """The same, of the last answer alone; None where that one did not tell."""

    def call(
        self,
        operation: str,
        parameters: Callable[[], dict[str, Any]],
        read: Callable[[dict[str, Any]], T],
        tokens: Mapping[str, Secret],
        *,
        is_guest: bool | None = None,
    ) -> T:
        """
        Call *operation* and read its answer.

        Args:
            parameters: Makes the parameters. They hold tokens in clear, and are dropped at once.
            read: Makes the result of the answer; may raise `Failure` or our errors.
            tokens: The logins that are sent, by provider name.
            is_guest: Whether this is for a guest; otherwise, whether there are no tokens.

        Raises:
            Failure: The call failed.
        """
        is_guest = not tokens if is_guest is None else is_guest
        if not all(isinstance(token, Secret) for token in tokens.values()):
            # A complaint about another type would show the token.
            raise TypeError("tokens must be secrets")
        result = self._attempt(operation, parameters, read, tokens, is_guest)
        if isinstance(result, Failure) and result.again and remaining() > ROOM_FOR_ONCE_MORE:
            self._clock.sleep(self._rng.uniform(*ONCE_MORE_AFTER))
            result = self._attempt(operation, parameters, read, tokens, is_guest)
        if isinstance(result, (Failure, _Passed)):
            raise result if isinstance(result, Failure) else result.error
        return result

    def _attempt(
        self,
        operation: str,
        parameters: Callable[[], dict[str, Any]],
        read: Callable[[dict[str, Any]], T],
        tokens: Mapping[str, Secret],
        is_guest: bool,
    ) -> T | Failure | _Passed:
        """Make the call; a failure is returned, so that no frame with a token in it is in its traceback."""
        with IMPORTING:
            from .retries import Call
            from .service import Service  # with it come ssl and http.client

        is_single, queue = SPARING.get(), None
        if self._budget is not None:
            queue = self._budget.of(operation, WHO.get(), is_renewal=is_single)
        call = Call(makes_identity=operation == "GetId" and is_guest, is_single=is_single, queue=queue)
        if self._service is None:
            self._service = Service(self._settings, self._clock, self._environ, self._rng, self._attempts)
        try:
            return read(self._service.call(operation, parameters(), call))
        except Exception as error:  # noqa: BLE001  (whatever an answer's bytes make of our code is a failure of that call)
            known = facts(self._settings, tokens, self._own_provider(), is_guest=is_guest, host=call.host)
            if is_from_signal_handler(error):
                return _Passed(error)
            failure = classify(
                operation,
                error,
                is_guest=is_guest,
                facts=known,
                secrets=tokens.values(),
                is_sent=call.is_sent,
            )
        finally:
            self.crowds += call.was_crowded
            self.answered = call.seen
            self.seen = call.seen or self.seen
        return self._fit(failure, tokens)

    def _fit(self, failure: Failure, tokens: Mapping[str, Secret]) -> Failure:
        """Never drop an identity that a token or the settings named: only its source can correct it."""
        if failure.action is not Action.DROP_IDENTITY:
            return failure
        action, hint = Action.DROP_IDENTITY, failure.error.hint
        if self._settings.identity_id is not None:
            origin = self._settings.origins.get("identity_id", "its setting")
            action, hint = Action.STOP, f"Correct or remove identity_id, which is from {origin}"
        elif self._own_provider() in tokens:
            action, hint = Action.ASK_LOGIN_AGAIN, "The back end must give a token of an identity that exists"
        error = failure.error
        told = type(error)(
            error.message, hint=hint, topic=error.topic, code=error.code, request_id=error.request_id
        )
        told.is_answer = error.is_answer
        return Failure(action, told, failure.operation)

    def _own_provider(self) -> str:
        return own_token_provider(self._settings.region)
