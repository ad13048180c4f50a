"""
What an error means: reads its code and message, finds its row in `table`, and makes our error of it.

Nothing of the other library's exception is kept: it may hold the request, and with it the login token.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from ..errors import CognitoCredentialsError, ConfigurationError
from ..secret import Secret
from .actions import Action, Failure
from .redaction import without
from .table import TABLE, UNKNOWN, Row

__all__ = ["Action", "Failure", "classify"]

FACTS: Final = {
    "pool": "given",
    "pool_id": "given",
    "pool_origin": "its setting",
    "region": "that region",
    "host": "the service",
    "region_doubt": "Check",
    "region_meant": "",
    "providers": "no login",
    "tokens": "no login",
    "who": "user",
    "amr": "authenticated or unauthenticated",
    "own": "cognito-identity.amazonaws.com",
    "custom_role": "not set",
    "role": "given",
    "role_origin": "its setting",
    "duration": "the default",
    "duration_origin": "its setting",
    "policy_origin": "its setting",
    "flow_origin": "its setting",
}
"""The names in braces that a row's texts may use, and their values where the caller has none."""


def classify(
    operation: str,
    error: Exception,
    *,
    is_guest: bool,
    facts: Mapping[str, str] | None = None,
    secrets: Collection[Secret] = (),
    is_sent: bool = True,
) -> Failure:
    """
    Say what *error* means and what may help.

    Args:
        operation: The API operation, such as ``GetId``.
        error: What botocore, the transport or the reading of the answer raised.
        is_guest: Whether the call was made without logins.
        facts: Values for the names in `FACTS`.
        secrets: What was sent. It is removed from what the service says, should it repeat it or parts of it.
        is_sent: Whether anything was. Otherwise an error that nobody knows is none of an answer.

    Returns:
        A failure that holds no part of *error* but its cleaned text; its cause and context are empty.
    """
    if isinstance(error, (Failure, CognitoCredentialsError)):
        # Raised by us, but where answers are read: the frames it came through hold them.
        error.__traceback__ = error.__cause__ = error.__context__ = None
    if isinstance(error, Failure):
        return error
    if isinstance(error, CognitoCredentialsError):
        return Failure(Action.WAIT if error.retryable else Action.STOP, error, operation)
    codes, code, text, request_id = _read(error)
    row = find(operation, codes, text, is_guest=is_guest)
    if row.is_of_any_error and not is_sent:
        return not_sent(operation, error)
    known = {**FACTS, **(facts or {}), "operation": operation}
    code, text = without(secrets, code), without(secrets, text)
    where = f"{operation}: {code}: {text}" if row.quotes and text else f"{operation}: {code}"
    told = row.error(
        f"{row.says.format_map(known)} ({where.rstrip('. ')})",
        hint=row.hint.format_map(known),
        topic=row.topic,
        code=code,
        request_id=request_id,
        throttled=row.throttled,
    )
    if told.retryable:
        told.retry_after = getattr(error, "wait", None)
    told.is_answer = isinstance(getattr(error, "response", None), dict) and codes[0] != "HTTP 4xx"
    return Failure(row.action, told, operation, again=row.again)


def find(operation: str, codes: Iterable[str], text: str, *, is_guest: bool) -> Row:
    """Return the first row of the table that fits; `UNKNOWN` when none does."""
    known = set(codes)
    for row in TABLE:
        if (
            known.intersection((row.code,) if isinstance(row.code, str) else row.code)
            and row.operation in ("", operation)
            and row.is_guest in (None, is_guest)
            and re.search(row.text, text)
        ):
            return row
    return UNKNOWN


def nothing_listens(error: Exception) -> Row | None:
    """
    Return the row of an address of this machine where nothing listens; None for any other error.

    It is for the errors of botocore's own clients, which the table does not see.
    """
    row = find("", (type(error).__name__,), str(error), is_guest=False)
    return row if (row.code, row.topic) == ("EndpointConnectionError", "E-ENDPOINT") else None


def not_sent(operation: str, error: Exception) -> Failure:
    """Make the failure for *error*, which came before anything was sent: it is of this process alone."""
    package = _package_of(error)
    if package is None:
        told = CognitoCredentialsError(
            f"{operation} was not sent: unexpected {type(error).__name__}; this is a bug",
            hint="Report it with the versions of Python and of this package",
        )
    else:
        path = getattr(sys.modules.get(package), "__file__", None)
        where = f"in {os.path.dirname(path)}" if path else "which is in no folder of sys.path"
        told = ConfigurationError(
            f"{operation} was not sent: the package {package}, {where}, failed with {type(error).__name__}",
            hint=f"Is it the version that this package needs? See PYTHONPATH, or install {package} anew",
            topic="E-NOT-INSTALLED",
        )
    return Failure(Action.STOP, told, operation)


def _package_of(error: Exception) -> str | None:
    """Name the package of somebody else's that *error* is from: the innermost one, or the one it lacks."""
    names = []
    trace = error.__traceback__
    while trace is not None:
        names.append(str(trace.tb_frame.f_globals.get("__name__")))
        trace = trace.tb_next
    if isinstance(error, ImportError) and error.name:
        names.append(error.name)
    packages = [name.partition(".")[0] for name in reversed(names)]
    known = {__name__.partition(".")[0], *sys.stdlib_module_names}
    return next((name for name in packages if name not in known), None)


def _read(error: Exception) -> tuple[list[str], str, str, str | None]:
    """Return the codes to look for, the one to show, the message and the request id."""
    response = getattr(error, "response", None)
    if not (isinstance(response, dict) and isinstance(response.get("Error"), dict)):
        names = [kind.__name__ for kind in type(error).__mro__]
        return names, names[0], str(error), None
    metadata = response.get("ResponseMetadata", {})
    code, text = response["Error"].get("Code"), response["Error"].get("Message")
    status = metadata.get("HTTPStatusCode", 0)
    codes = []
    if isinstance(code, str) and code and not code.isdigit():
        codes.append(code)
    if status >= 500:
        codes.append("HTTP 5xx")
    elif status in (408, 429):
        codes.append(f"HTTP {status}")
    elif not codes:
        codes.append("HTTP 4xx")
    shown = f"HTTP {status}" if codes[0].startswith("HTTP ") else codes[0]
    return codes, shown, text if isinstance(text, str) else "", metadata.get("RequestId")
