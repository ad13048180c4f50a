"""
Login sources that live in the program: a token that was handed over, and a function that returns one.

Imports `secret`, `claims` and nothing else of ours.
"""

from __future__ import annotations

from collections.abc import Callable

from ..digest import digest
from ..secret import Secret


class TokenSource:
    """
    A token as it was given. It serves until it expires; then a new one must be given.

    Args:
        token: The token, without surrounding whitespace.
    """

    description = "(a token given)"

    def __init__(self, token: str | Secret) -> None:
        self._token = token if isinstance(token, Secret) else Secret(token)

    def token(self) -> Secret:
        """Return the token that was given."""
        return self._token

    def bound_to(self) -> str:
        """Say what it is bound to: the whole token, since anybody can make up the subject in one."""
        return "token:" + digest(self._token.reveal().strip())

    def __repr__(self) -> str:
        return "TokenSource(<redacted>)"


class CallableSource:
    """
    A function that returns a valid token, called at each refresh.

    Args:
        function: Takes nothing, returns the token as text or `Secret`.
    """

    def __init__(self, function: Callable[[], str | Secret]) -> None:
        self._function = function
        name = getattr(function, "__qualname__", None) or type(function).__qualname__
        self.description = f"{name}()"

    def token(self) -> str | Secret:
        """Call the function."""
        return self._function()

    def __repr__(self) -> str:
        return f"CallableSource({self.description})"
