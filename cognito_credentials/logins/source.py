"""
What a login source is, and how one is asked: its answer checked, its errors made ours.

An error of a user's function may hold the token it was about, in its message or in the variables of
its traceback. So it is replaced, not wrapped: only the names of its type and of the function remain.

Imports `errors`, `secret` and `claims`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Protocol

from ..errors import CognitoCredentialsError, ConfigurationError, LoginRequiredError, clean
from ..secret import Secret
from .claims import TOKEN_LIMIT


class LoginSource(Protocol):
    """
    Where a login token comes from. Anything with this method may stand under ``logins``.

    It may have a second one, ``principal() -> str | None``: who the user is, known for certain and
    without the network, so that what is cached for this user is found before any token is asked for.
    None means that only the token can tell.
    """

    def token(self) -> str | Secret:
        """
        Return a token that is valid now; called at each refresh.

        Raises:
            LoginRequiredError: There is none, and the user must do something about it.
        """


def is_source(value: object) -> bool:
    """Tell whether *value* can be asked for tokens."""
    return not isinstance(value, type) and callable(getattr(value, "token", None))


def describe(source: object) -> str:
    """Say in a few words where *source* gets its token, never the token."""
    own = getattr(source, "description", None)
    return clean(own, 120) if isinstance(own, str) else type(source).__qualname__


def ask(source: LoginSource, provider: str | None) -> Secret:
    """
    Ask *source* for its token once, and check what it gives.

    Raises:
        LoginRequiredError: It gave none, or failed.
        ConfigurationError: It gave something that is no token.
    """
    return checked(call(source.token, source), source, provider)


def call(method: Callable[[], object], source: object) -> object:
    """
    Call a *method* of *source*, replacing errors that are not ours.

    Raises:
        LoginRequiredError: It failed; the message names the type of the error and nothing of its text.
    """
    try:
        return method()
    except CognitoCredentialsError:
        raise
    except Exception as error:  # noqa: BLE001  (a user's function may raise anything)
        failure = type(error).__qualname__
    # Raised out here, so that the inner error is not even the context of ours.
    raise LoginRequiredError(
        f"the login source {describe(source)} failed with {failure}",
        hint="call it on its own to see why, then sign in again if that is the cause",
    )


def checked(given: object, source: object, provider: str | None) -> Secret:
    """
    Take what a source gave as a token, or say what is wrong with it without showing it.

    Raises:
        LoginRequiredError: It is None or empty.
        ConfigurationError: It is not text, or longer than Cognito takes.
    """
    if inspect.iscoroutine(given):
        given.close()  # or Python warns, later and elsewhere, that nobody awaited it
    if isinstance(given, Secret):
        given = given.reveal()
    if given is None or (isinstance(given, str) and not given.strip()):
        raise LoginRequiredError(
            f"the login source {describe(source)}{_for(provider)} gave no token",
            hint="sign in again; for guest access remove the login",
        )
    if not isinstance(given, str):
        raise ConfigurationError(
            f"the login source {describe(source)}{_for(provider)} gave {type(given).__name__}, not text",
            hint="a login token is a str or Secret: decode bytes, await coroutines, pick it out of a dict",
        )
    token = given.strip()
    if len(token) > TOKEN_LIMIT:
        raise ConfigurationError(
            f"the login source {describe(source)}{_for(provider)} gave {len(token)} characters; "
            f"Cognito takes {TOKEN_LIMIT}",
            hint="give the ID token alone",
        )
    return Secret(token)


def _for(provider: str | None) -> str:
    return f" for {clean(provider, 80)}" if provider else ""
