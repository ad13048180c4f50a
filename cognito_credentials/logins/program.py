"""
Login sources of what a program hands over: a token, a function, or an object that gives tokens.
"""

from __future__ import annotations

from collections.abc import Callable

from ..awaiting import awaited
from ..errors import ConfigurationError, clean
from ..secret import Secret
from .schemes import names_source
from .source import LoginSource, Source


class TokenSource(Source):
    """
    A token as it was given. It serves until it expires; then a new one must be given.

    Args:
        token: The token; white space around it is none of it.
    """

    description = "(a token given)"
    is_quick = True
    can_change = False

    def __init__(self, token: str | Secret) -> None:
        self._token = token if isinstance(token, Secret) else Secret(token)

    def token(self) -> Secret:
        """Return the token that was given."""
        return self._token

    def token_at_hand(self) -> Secret:
        """Return the token: the user is known by the whole of it, since anybody can make up its subject."""
        return self._token

    def __repr__(self) -> str:
        return "TokenSource(<redacted>)"


class CallableSource(Source):
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


class ObjectSource(Source):
    """
    An object that gives tokens and does not extend `Source`: its optional methods are looked up here, once.

    Args:
        given: The object; see `LoginSource`.
    """

    def __init__(self, given: LoginSource) -> None:
        self._given = given
        provider = getattr(given, "provider", None)
        self.provider = provider if isinstance(provider, str) else None
        description = getattr(given, "description", None)
        self.description = description if isinstance(description, str) else type(given).__qualname__

    def token(self) -> str | Secret:
        """Ask the object."""
        return self._given.token()

    def principal(self) -> str | None:
        """Ask the object, if it names its user; what it returns is checked by the caller."""
        named = getattr(self._given, "principal", None)
        return named() if callable(named) else None

    def reject(self, token: Secret) -> None:
        """Tell the object, if it wants to know."""
        rejected = getattr(self._given, "reject", None)
        if callable(rejected):
            awaited(rejected(token), f"reject() of the login source {clean(self.description, 120)}")

    def __repr__(self) -> str:
        return f"ObjectSource({clean(self.description, 120)})"


def source_of_object(given: object) -> Source | None:
    """Return the source that *given* is, or that asks it for tokens; None for what gives none."""
    if isinstance(given, Source):
        return given
    is_one = not isinstance(given, type) and callable(getattr(given, "token", None))
    return ObjectSource(given) if is_one else None  # type: ignore[arg-type]  # it has just been looked at


def source_of(given: object, provider: object, origin: str) -> Source:
    """
    Return the source of what a program handed over as a login.

    Args:
        given: A token, a function, or an object with ``token()``.
        provider: What it was given for, for messages.
        origin: Where it was given, for messages.

    Raises:
        ConfigurationError: It is no login; the message does not show it.
    """
    shown = f" for {clean(provider, 80)}" if isinstance(provider, str) else ""
    if isinstance(given, (str, Secret)):
        token = given if isinstance(given, Secret) else Secret(given)
        if names_source(token.reveal()):
            # Never read as one: whoever supplies the token of a request could have a command run.
            raise ConfigurationError(
                f"logins from {origin}: the value{shown} names a source, but a token is expected here",
                hint="Use FileSource, EnvironmentSource or CommandSource of cognito_credentials.logins",
                topic="E-LOGINS",
            )
        return TokenSource(token)
    source = source_of_object(given)
    if source is not None:
        return source
    if callable(given) and not isinstance(given, type):
        return CallableSource(given)
    kind = given.__name__ if isinstance(given, type) else type(given).__name__
    raise ConfigurationError(
        f"logins from {origin}: the value{shown} is {'the class ' if isinstance(given, type) else ''}{kind}",
        hint="Give a token (str or Secret), a function that returns one, or a login source",
        topic="E-LOGINS",
    )
