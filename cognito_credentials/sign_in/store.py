"""What an app's own place for a sign-in must have: `SignInStore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable


class SignInStore(Protocol):
    """
    An app's own place for one sign-in: a config entry, a row of a database, a vault.

    Each method may be a coroutine function. An error means "in doubt": nothing is overwritten then. Threads
    of this package call the methods, never two at a time. A method ``lock()`` may return a context manager,
    sync or async, that keeps other processes out; without it, only one process may use the sign-in.
    """

    def load(self) -> str | Awaitable[str | None] | None:
        """Return the text that `save` was given last, unchanged; None where nothing is stored."""

    def save(self, text: str, /) -> object:
        """Store *text*, whole or not at all, in place of what was stored. It is a secret."""

    def delete(self) -> object:
        """Remove what was stored, if anything."""
