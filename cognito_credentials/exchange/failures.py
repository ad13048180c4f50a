"""
What an error means: reads its code and message, finds its row in `table`, and makes our error of it.

Nothing of the other library's exception is kept: it may hold the request, and with it the login token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ..errors import CognitoCredentialsError
from ..secret import REDACTED, Secret
from .actions import Action, Failure
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
    secrets: Iterable[Secret] = (),
) -> Failure:
    """
    Say what *error* means and what may help.

    Args:
        operation: The API operation, such as ``GetId``.
        error: What botocore, the transport or the reading of the answer raised.
        is_guest: Whether the call was made without logins.
        facts: Values for the names in `FACTS`.
        secrets: What was sent. It is removed from the message, should the service repeat it.

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
    known = {**FACTS, **(facts or {}), "operation": operation}
    for secret in secrets:
        text = text.replace(secret.reveal(), REDACTED)
    where = f"{operation}: {code}: {text}" if row.quotes and text else f"{operation}: {code}"
    told = row.error(
        f"{row.says.format_map(known)} ({where.rstrip('. ')})",
        hint=row.hint.format_map(known),
        code=code,
        request_id=request_id,
        throttled=row.throttled,
    )
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
