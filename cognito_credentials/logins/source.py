"""
What a login source is, and how this package asks one: its answer is checked, its errors become ours.

An error of a program's function may hold the token, in its message or in the variables of its traceback. So
it is replaced and not wrapped: only its type, and the line that raised it, remain.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, Protocol

from ..awaiting import awaited
from ..digest import digest
from ..errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRequiredError,
    ServiceError,
    clean,
    replaced,
)
from ..secret import Secret
from .claims import TOKEN_LIMIT, unverified_claims, unverified_expiry, unverified_subject
from .raised import is_from_signal_handler, is_outage

LOGIN_TOKEN: Final = "login token"  # noqa: S105  (what a source holds, for messages; no token)
TOKEN_BOUND: Final = "token:"  # noqa: S105  (a prefix of principals, no token)
"""How a principal begins that is a hash of the tokens: other tokens, another principal."""


class LoginSource(Protocol):
    """
    What a program may hand over as a login: any object with this method.

    Of the methods of `Source` it may also have ``principal()`` and ``reject(token)``, and of the attributes
    ``provider`` and ``description``. A class that needs more of them extends `Source`.
    """

    def token(self) -> str | Secret:
        """
        Return a token that is valid now; called at each refresh.

        Raises:
            LoginRequiredError: There is none, and the user must do something about it.
        """


class Source:
    """
    A login source as this package asks it. `token` is what a class must have; all else has a default.

    Only `token` may take long, use the network or start a program. These methods say who the user is:

    | method          | its answer                           | asked                      | may cost       |
    |-----------------|--------------------------------------|----------------------------|----------------|
    | `principal`     | the user, before any token           | at each look at the store  | reading a file |
    | `token_at_hand` | the token, whose hash names the user | if `principal` has none    | no I/O         |
    | `principal_of`  | the user of the token just given     | after each `token`         | as `principal` |
    | `owner`         | the user at this moment, if          | once a second while in use | reading a file |
    |                 | `can_change_owner`                   |                            |                |
    | `depends`       | the files and variables that decide  | when a shortcut is kept    | no I/O         |
    |                 | who the user is                      | (`cli/fast.py`)            |                |

    If none of them names the user, a hash of the token does: each new token is then another user.
    """

    provider: str | None = None
    """The login provider name, where the source knows it."""
    has_derived_provider: bool = False
    """Whether `provider` follows from an issuer, and nobody wrote it: the token's own issuer wins."""
    description: str = ""
    """In a few words where the token comes from, for people: ``file:/run/token``; never the token."""
    is_quick: bool = False
    """Whether `token` answers at once, without the network and without a program."""
    can_change: bool = True
    """Whether `token` may return another token when it is asked again."""
    can_change_owner: bool = False
    """Whether another process can make the login another person's, by a file that `owner` reads."""
    may_make_identity: bool = False
    """Whether asking for a token may make an identity in the pool."""
    is_sign_in: bool = False
    """Whether people sign in to it with this package; then it is a `sign_in.source.SignInSource`."""

    def token(self) -> str | Secret:
        """
        Return a token that is valid now.

        Raises:
            LoginRequiredError: There is none, and the user must do something about it.
        """
        raise NotImplementedError

    def addresses(self) -> tuple[str, ...]:
        """Return the URLs of the hosts that `token` may ask; for looking at the way there."""
        return ()

    def principal(self) -> str | None:
        """
        Name the user: the same name for the same user for ever, and for nobody else.

        What is cached for the user is found by it before any token is asked for. So it must be certain. None
        where only the token can tell.
        """
        return None

    def principal_of(self, token: Secret) -> str | None:  # noqa: ARG002  (for classes that look at it)
        """Name the user of *token*, which this source has just given; None where nobody can be sure."""
        return self.principal()

    def token_at_hand(self) -> Secret | None:
        """Return the token if `token` is certain to return the same; its hash then names the user."""
        return None

    def owner(self) -> str | None:
        """Name the user now; empty for nobody, None where the file cannot be read at this moment."""
        return None

    def depends(self) -> tuple[tuple[str, str], ...] | None:
        """
        Return the files and variables that decide who the user is.

        Returns:
            (``file``, path) or (``env``, name) of each; None where anything else decides.
        """
        return None

    def input(self) -> str | None:
        """
        Name, for a source that is not quick, what decides its next token: the same name, the same token.

        None where only asking can tell.
        """
        return None

    def reject(self, token: Secret) -> None:
        """Note that *token* has expired or was refused; a source that keeps tokens must not give it again."""

    def for_guest(self, identity_id: str) -> Source:  # noqa: ARG002  (for classes that look at it)
        """Return a source that has the guest *identity_id* become the user's; itself where it cannot."""
        return self

    def of_user(self, user: str | None) -> Source:  # noqa: ARG002  (for classes that look at it)
        """Return the source of one *user* of an app, or of one pool; itself where all share it."""
        return self

    def in_directory(self, path: str) -> Source:  # noqa: ARG002  (for sign-ins, which are in files)
        """
        Return the source that keeps what it keeps in a directory of the program's; itself where it keeps
        nothing.
        """
        return self


def describe(source: Source) -> str:
    """Say in a few words where *source* gets its token, never the token."""
    return clean(source.description or type(source).__qualname__, 120)


Outage = tuple[type[BaseException], ...]
"""Errors by which a source says that it could not reach what it asks, beside those that are known."""


def ask(source: Source, provider: str | None, outage: Outage = ()) -> Secret:
    """
    Ask *source* for its token once, and check what it gives.

    Raises:
        LoginRequiredError: It gave none, or failed.
        ConfigurationError: It gave something that is no token.
        ServiceError: What it asks could not be reached.
    """
    outcome = _checked(_call(source.token, source, outage=outage), source, provider)
    if isinstance(outcome, Secret):
        return outcome
    raise outcome


def ask_unexpired(
    source: Source, provider: str | None, now: float, outage: Outage = ()
) -> tuple[Secret, dict[str, Any] | None]:
    """
    Ask *source* for a token, and once more where that one has expired: a source may notice only then.

    Args:
        source: Of the token.
        provider: The login provider name, for messages; None where the token names it.
        now: The service's time, seconds since the epoch.
        outage: More errors of a source that cannot reach what it asks.

    Returns:
        The token and its claims; None for a token without claims.

    Raises:
        LoginRequiredError: It gave no token, or the same expired one twice.
        ConfigurationError: It gave something that is no token.
        ServiceError: What it asks could not be reached.
    """
    earlier: Secret | None = None
    while True:
        token = ask(source, provider, outage)
        claims = unverified_claims(token.reveal())
        expiry = unverified_expiry(claims) if claims else None
        if expiry is None or expiry > now:
            return token, claims
        if earlier is not None:
            break
        earlier = token
        source.reject(token)
    if token != earlier:
        # The source makes new tokens, and even they have expired: this machine's clock is wrong. The service
        # decides, and tells the time.
        return token, claims
    del claims  # a frame of the error must not hold what the token says of its user
    raise LoginRequiredError(
        f"the login token{_for(provider)} from {describe(source)} expired {_span(now - expiry)} ago",
        hint="Sign in again, or have its source give a new token",
        topic="E-LOGIN-EXPIRED",
    )


def principal_part(source: Source, token: Secret | None, outage: Outage = ()) -> str | None:
    """
    Say by what the user of *source* is known: a hash of a name, or of the token.

    Args:
        source: Of the login.
        token: What it has just given; None where it has not been asked.
        outage: More errors of a source that cannot reach what it asks.

    Returns:
        ``subject:`` or ``token:`` and a hash; None where that takes a token.

    Raises:
        ConfigurationError: The source names its user by something that is no name.
        LoginRequiredError: The source failed.
        ServiceError: What it asks could not be reached.
    """
    if token is None:
        name: object = _call(source.principal, source, outage=outage)
    else:
        # Of the token in hand: between two looks at the source somebody else may have signed in.
        name = _call(source.principal_of, source, token, outage=outage)
    if name is not None and not (isinstance(name, str) and name):
        raise ConfigurationError(
            f"principal() of the login source {describe(source)} gave {type(name).__name__}, not a name",
            hint="Return who the user is, or None when only the token can tell",
            topic="E-LOGIN-SOURCE",
        )
    if name is not None:
        return "subject:" + digest(name)
    if token is None:
        token = source.token_at_hand()
    return None if token is None else TOKEN_BOUND + digest(token.reveal().strip())


def principal_by_subject(token: Secret) -> str | None:
    """Name the user of *token* by its unverified issuer and subject; None where it lacks them."""
    claims = unverified_claims(token.reveal())
    subject = unverified_subject(claims) if claims else None
    return "subject:" + digest(*subject) if subject else None


def input_of(source: Source) -> str | None:
    """
    Name what *source* would give now, without asking anybody: a hash, of a token or of what is wrong.

    What was refused is not refused when this has changed: a file was rewritten, a variable set, another token
    given, or somebody has signed in. None where only asking can tell.
    """
    if not source.is_quick:
        return source.input()
    try:
        return digest("token", ask(source, None).reveal())
    except CognitoCredentialsError as error:
        return digest("problem", type(error).__name__, error.message)


def _call(method: Callable[..., object], source: Source, *arguments: object, outage: Outage = ()) -> object:
    with replaced(Exception, by=lambda error: as_ours(error, f"the login source {describe(source)}", outage)):
        return awaited(method(*arguments), f"the login source {describe(source)}")


def as_ours(error: Exception, what: str, outage: Outage = ()) -> CognitoCredentialsError | None:
    """
    Return what takes the place of *error*: an error with its type and place only.

    None where it passes: an error of ours, and one that a signal handler of the program has raised.

    Args:
        what: What failed, for people.
        outage: More errors of what could not be reached.
    """
    if isinstance(error, CognitoCredentialsError) or is_from_signal_handler(error):
        return None
    failure = f"{type(error).__qualname__} at {place_of(error)}"
    if is_outage(error, outage):
        return ServiceError(
            f"{what} could not reach what it asks: {failure}",
            hint="Check the network and try again; the sign-in itself may be good",
            topic="E-LOGIN-SOURCE",
        )
    return LoginRequiredError(
        f"{what} failed with {failure}",
        hint="Call it on its own to see why, then sign in again if that is the cause",
        topic="E-LOGIN-SOURCE",
    )


def place_of(error: BaseException) -> str:
    """Name the line that raised *error*: ``app.py:17``."""
    trace = error.__traceback__
    if trace is None:
        return "an unknown place"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def _checked(
    given: object, source: Source, provider: str | None
) -> Secret | LoginRequiredError | ConfigurationError:
    """
    Return what a source gave as a token, or an error that does not show it.

    The error is returned and not raised, so that no frame of it holds the token in clear.
    """
    if isinstance(given, Secret):
        given = given.reveal()
    if given is None or (isinstance(given, str) and not given.strip()):
        return LoginRequiredError(
            f"the login source {describe(source)}{_for(provider)} gave no token",
            hint="Sign in again; for guest access remove the login",
            topic="E-LOGIN-SOURCE",
        )
    if not isinstance(given, str):
        return ConfigurationError(
            f"the login source {describe(source)}{_for(provider)} gave {type(given).__name__}, not text",
            hint="A login token is a str or Secret: decode bytes, pick it out of a dict",
            topic="E-LOGIN-SOURCE",
        )
    token = given.strip()
    if len(token) > TOKEN_LIMIT:
        return ConfigurationError(
            f"the login source {describe(source)}{_for(provider)} gave {len(token)} characters; "
            f"Cognito takes {TOKEN_LIMIT}",
            hint="Give the ID token alone",
            topic="E-LOGIN-SOURCE",
        )
    return Secret(token)


def _for(provider: str | None) -> str:
    return f" for {clean(provider, 80)}" if provider else ""


def _span(seconds: float) -> str:
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "seconds"
