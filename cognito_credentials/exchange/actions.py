"""What may help after a failed exchange, and the exception that says so."""

from __future__ import annotations

import enum

from ..errors import CognitoCredentialsError


class Action(enum.Enum):
    """What may help. A refresh tries at most one of these."""

    DROP_IDENTITY = "drop the identity id and ask for one again, once"
    ASK_LOGIN_AGAIN = "ask the login's source for a new token, once"
    WAIT = "try later; the error is retryable"
    STOP = "a person must change something first"


class Failure(Exception):  # noqa: N818 (it carries the error; it is not one that users see)
    """
    A failed exchange.

    Args:
        error: What the user sees if the action does not help.
        operation: The API operation that failed; empty when none was reached.
        again: Whether one short wait and the same request once more may help.
    """

    def __init__(
        self, action: Action, error: CognitoCredentialsError, operation: str = "", *, again: bool = False
    ) -> None:
        super().__init__(str(error))
        self.action = action
        self.error = error
        self.operation = operation
        self.again = again
