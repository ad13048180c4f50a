"""Lists in pages: opaque tokens that remember where the last page ended."""

from __future__ import annotations

import base64

from cognito_credentials.emulator import assumed


def next_token(list_name: str, last: int) -> str:
    """The token for the page after entry number *last*."""
    return base64.urlsafe_b64encode(f"{list_name}#{last}".encode()).decode()


def read_token(list_name: str, token: str | None) -> int:
    """
    The number of the last entry already shown, 0 without a token.

    Raises:
        ServiceError: InvalidParameterException: the token is none of this list.
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
