"""
Our errors as botocore's: one exception that callers of either kind catch.

Kept apart from `errors`, which the command line's fast path reads and botocore's import would slow.
"""

from __future__ import annotations

from typing import Any

import botocore.exceptions
from botocore.exceptions import CredentialRetrievalError

from .errors import CognitoCredentialsError


def as_botocore_error(error: CognitoCredentialsError, provider: str) -> CognitoCredentialsError:
    """
    Return *error* as an exception that also is botocore's `CredentialRetrievalError`.

    ``except BotoCoreError`` and ``except LoginRequiredError`` both catch it. Where botocore knows errors
    that its own retries must not hide, it is one of those too, unless trying again may help.

    Args:
        error: Ours.
        provider: The credential provider's name, for botocore's own fields.
    """
    kinds: list[type] = [type(error), CredentialRetrievalError]
    final = getattr(botocore.exceptions, "RefreshNonRecoverableError", None)
    if final is not None and not error.retryable and not issubclass(CredentialRetrievalError, final):
        kinds.append(final)
    members = {"__init__": _init, "__reduce__": _reduce, "__str__": type(error).__str__}
    raised: CognitoCredentialsError = type(type(error).__name__, tuple(kinds), members)(error, provider)
    return raised


def _init(self: Any, error: CognitoCredentialsError, provider: str) -> None:
    CredentialRetrievalError.__init__(self, provider=provider, error_msg=error.message)
    details = {name: getattr(error, name) for name in ("hint", "code", "request_id", "throttled")}
    CognitoCredentialsError.__init__(self, error.message, **details)
    self._plain = error


def _reduce(self: Any) -> tuple[Any, ...]:
    return as_botocore_error, (self._plain, self.kwargs["provider"])
