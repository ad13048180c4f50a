"""
What a login source is, and how one is asked: its answer checked, its errors made ours.

An error of a user's function may hold the token it was about, in its message or in the variables of
its traceback. So it is replaced, not wrapped: only its type, and the line that raised it, remain.

Imports `errors`, `secret` and `claims`.
"""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Callable
from typing import Final, Protocol

from ..errors import CognitoCredentialsError, ConfigurationError, LoginRequiredError, ServiceError, clean
from ..secret import Secret
from .claims import TOKEN_LIMIT

LOGIN_TOKEN: Final = "login token"  # noqa: S105  (what a source holds, for messages; no token)
_NETWORK: Final = frozenset(("socket", "ssl", "urllib", "urllib3", "requests", "aiohttp"))
"""Modules whose kinds of OSError are about connections: gaierror, URLError, RequestException…"""
_UNREACHABLE: Final = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN))
"""What has no class of its own in Python."""


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
    outcome = _judged(call(source.token, source), source, provider)
    if isinstance(outcome, Secret):
        return outcome
    raise outcome


def call(method: Callable[[], object], source: object) -> object:
    """
    Call a *method* of *source*, replacing errors that are not ours.

    Raises:
        ServiceError: What it asks could not be reached; the sign-in may be as good as ever.
        LoginRequiredError: It failed; the message names the error's type and place, and nothing of its text.
    """
    try:
        return method()
    except CognitoCredentialsError:
        raise
    except Exception as error:  # noqa: BLE001  (a user's function may raise anything)
        failure = f"{type(error).__qualname__} at {_place(error)}"
        is_network = _is_network(error)
    # Raised out here, so that the inner error is not even the context of ours.
    if is_network:
        raise ServiceError(
            f"the login source {describe(source)} could not reach what it asks: {failure}",
            hint="Check the network and try again; the sign-in itself may be good",
        )
    raise LoginRequiredError(
        f"the login source {describe(source)} failed with {failure}",
        hint="Call it on its own to see why, then sign in again if that is the cause",
    )


def _is_network(error: Exception) -> bool:
    """Tell an outage, in which the sign-in is as good as ever, from a refusal and from a fault at home."""
    if not isinstance(error, OSError):
        return False
    # What somebody answered is no outage, unless it asks for patience: urllib's HTTPError has a code,
    # requests' has a response.
    status = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return status == 429 or status >= 500
    is_of_network = any(kind.__module__.partition(".")[0] in _NETWORK for kind in type(error).__mro__)
    return is_of_network or isinstance(error, (ConnectionError, TimeoutError)) or error.errno in _UNREACHABLE


def _place(error: Exception) -> str:
    """Name the line that raised *error*, not what stood in its variables."""
    trace = error.__traceback__
    if trace is None:
        return "an unknown place"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def _judged(
    given: object, source: object, provider: str | None
) -> Secret | LoginRequiredError | ConfigurationError:
    """
    Take what a source gave as a token, or say what is wrong with it without showing it.

    That is returned, not raised: no frame that an error passes through holds the token in clear.
    """
    if inspect.iscoroutine(given):
        given.close()  # or Python warns, later and elsewhere, that nobody awaited it
    if isinstance(given, Secret):
        given = given.reveal()
    if given is None or (isinstance(given, str) and not given.strip()):
        return LoginRequiredError(
            f"the login source {describe(source)}{_for(provider)} gave no token",
            hint="Sign in again; for guest access remove the login",
        )
    if not isinstance(given, str):
        return ConfigurationError(
            f"the login source {describe(source)}{_for(provider)} gave {type(given).__name__}, not text",
            hint="A login token is a str or Secret: decode bytes, await coroutines, pick it out of a dict",
        )
    token = given.strip()
    if len(token) > TOKEN_LIMIT:
        return ConfigurationError(
            f"the login source {describe(source)}{_for(provider)} gave {len(token)} characters; "
            f"Cognito takes {TOKEN_LIMIT}",
            hint="Give the ID token alone",
        )
    return Secret(token)


def _for(provider: str | None) -> str:
    return f" for {clean(provider, 80)}" if provider else ""
