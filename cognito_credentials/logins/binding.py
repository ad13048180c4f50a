"""
What a source's login is bound to: a person, where that is certain, or else the very token.

Imports `errors`, `secret` and the sources.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..digest import digest
from ..errors import ConfigurationError, LoginRequiredError, clean
from ..secret import Secret
from .environment import EnvironmentSource
from .file import FileSource
from .source import LoginSource, call, describe
from .static import TokenSource

TOKEN_BOUND: Final = "token:"  # noqa: S105  (a prefix of principals, no token)
"""How a principal begins that is bound to the very tokens: it will not be met again after they change."""
NOBODY: Final = "nobody is signed in"


def reject(source: LoginSource, token: Secret) -> None:
    """Tell a source that keeps its tokens in memory (a sign-in) to make another."""
    own = getattr(source, "reject", None)
    if callable(own):
        own(token)


def bound(source: LoginSource, token: Secret | None) -> str | None:
    """Say what the login of *source* is bound to; None when that takes a token."""
    named, of_token = getattr(source, "principal", None), getattr(source, "principal_of", None)
    if callable(of_token) and token is not None:
        # Of the token in hand, not of a second look: somebody else may have signed in in between.
        part: object = call(lambda: of_token(token), source)
    else:
        part = call(named, source) if callable(named) else None
    if part is not None and not (isinstance(part, str) and part):
        raise ConfigurationError(
            f"principal() of the login source {describe(source)} gave {type(part).__name__}, not a name",
            hint="Return who the user is, or None when only the token can tell",
        )
    if part is not None:
        return "subject:" + digest(part)
    if token is not None:
        return TOKEN_BOUND + digest(token.reveal())
    return source.bound_to() if isinstance(source, (TokenSource, EnvironmentSource)) else None


def untold(sources: Iterable[tuple[str | None, LoginSource]]) -> str:
    """Say why *sources* cannot tell whose logins they are, asking only those that answer at once."""
    for provider, source in sources:
        if bound(source, None) is not None:
            continue
        if callable(getattr(source, "account", None)):
            return NOBODY  # else who is would have been told
        of = f" for {clean(provider, 80)}" if provider else ""
        if isinstance(source, (FileSource, EnvironmentSource)):
            try:
                source.token()
            except LoginRequiredError as error:
                return f"{error.message}; with user set (cognito_user) it would not matter"
            return f"the login token{of} does not tell; cognito_user does (user in Python)"
        return f"only a login token{of} tells, when asked for; cognito_user does at once (user in Python)"
    return NOBODY
