"""
What only the reader has: names that code on the pages uses and does not define, with their types.

A page says what each of them is. The tests that run a page's code bring real ones along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class MySignIn:
    """The sign-in of the reader's own app."""

    def id_token(self) -> str:
        """Return a fresh ID token."""
        raise NotImplementedError


my_sign_in = MySignIn()


class MyAsyncSignIn:
    """The same on an event loop."""

    async def id_token(self) -> str:
        """Return a fresh ID token."""
        raise NotImplementedError


my_async_sign_in = MyAsyncSignIn()


def tell_the_back_end(identity_id: str | None) -> None:
    """Send the identity of this user to the app's back end."""
    raise NotImplementedError


def my_app(identity_pool_id: str) -> None:
    """Stand for the reader's app, which a test calls."""
    raise NotImplementedError


def readings() -> Iterable[Any]:
    """Return what a device has measured."""
    raise NotImplementedError


def publish(client: Any, reading: Any) -> None:
    """Send a reading."""
    raise NotImplementedError


def a_user() -> Iterator[str]:
    """Return names of users."""
    raise NotImplementedError


def verify(token: str) -> dict[str, str]:
    """Verify a token, and return its claims."""
    raise NotImplementedError


def load_identity_id() -> str | None:
    """Return the identity id that a program has kept."""
    raise NotImplementedError


my_password = "a password"
my_secret_key = "a secret key"
