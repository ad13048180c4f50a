"""Lists in pages: an opaque token names the list and the last entry of the page before."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TypeVar

from cognito_credentials.emulator import assumed

_Entry = TypeVar("_Entry")


def last_shown(list_name: str, token: str | None) -> int:
    """
    The number of the last entry of the page before; 0 for the first page.

    Raises:
        ServiceError: InvalidParameterException: the token is not one of this list.
    """
    if token is None:
        return 0
    try:
        name, _, last = base64.b64decode(token, altchars=b"-_", validate=True).decode().rpartition("#")
        number = int(last)
    except ValueError:
        raise assumed.invalid_pagination_token() from None
    if name != list_name or not 0 <= number < 2**63:
        raise assumed.invalid_pagination_token()
    return number


def page(
    list_name: str, entries: Sequence[tuple[int, _Entry]], limit: int
) -> tuple[list[_Entry], dict[str, str]]:
    """
    The entries of one page, and ``{"NextToken": ...}`` if more entries follow.

    Args:
        entries: Entries after the page before, each with its number: one more than *limit*, if so many exist.
    """
    shown = entries[:limit]
    following = {"NextToken": _token(list_name, shown[-1][0])} if len(entries) > limit else {}
    return [entry for _, entry in shown], following


def _token(list_name: str, last: int) -> str:
    return base64.urlsafe_b64encode(f"{list_name}#{last}".encode()).decode()
