"""
Every error of this package, named by what its reader must do next.

    CognitoCredentialsError                     the one to catch
    ├── ConfigurationError (also ValueError)    correct a setting                       exit 4
    │   └── ClockSkewError                      set this machine's clock                exit 4
    ├── LoginRequiredError                      get a new login token, or sign in       exit 3
    ├── RefusedError                            Cognito or STS said no                  exit 5
    │   ├── LoginRejectedError                  check the login or the pool's rules     exit 5
    │   ├── IdentityNotFoundError               the identity or its pool is gone        exit 5
    │   └── PoolMisconfiguredError              its owner must correct the pool         exit 5
    ├── ServiceError (retryable)                wait: network, throttling, 5xx          exit 6
    │   └── CredentialsExpiredError             the same, and what we held has expired  exit 6
    └── CacheError                              correct the directory or keyring        exit 7

"Not configured" is not an error: a credential provider that has nothing to say returns None.

Messages are lower case, one line, name the setting and where it came from, and never hold a value that
may be secret. Texts that a service sent are cleaned here, where they become ours (`clean`), so that
nothing downstream can print a terminal escape or a token.

Base layer: imports nothing of ours, and no typing: the fast path comes through here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MESSAGE_LIMIT = 300
"""Characters kept of a text from outside; long enough for every message Cognito is known to send."""


class CognitoCredentialsError(Exception):
    """
    What every error of this package derives from; never raised itself.

    Args:
        message: What is wrong, lower case, one line, no secret.
        hint: What to do about it, one line.
        code: The service's error code, where a service answered.
        request_id: The service's request id, where it gave one.
        throttled: Whether the service said that it is being asked too often.
    """

    exit_code = 1
    """What the command line exits with."""
    retryable = False
    """Whether the same call may succeed later with nothing changed."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str | None = None,
        request_id: str | None = None,
        throttled: bool = False,
    ) -> None:
        self.message = clean(message)
        self.hint = clean(hint)
        self.code = clean(code) if code else None
        self.request_id = clean(request_id) if request_id else None
        self.throttled = throttled
        # By name: as botocore's error too (`botocore_errors`), another class would be next in line.
        Exception.__init__(self, self.message)

    def __str__(self) -> str:
        return sentences(self.message, self.hint) if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        details = {name: getattr(self, name) for name in ("hint", "code", "request_id", "throttled")}
        return _rebuild, (type(self), self.message, details)


class ConfigurationError(CognitoCredentialsError, ValueError):
    """A setting is missing or wrong."""

    exit_code = 4


class ClockSkewError(ConfigurationError):
    """This machine's clock is so wrong that what it holds looks expired."""


class LoginRequiredError(CognitoCredentialsError):
    """No usable login token: none was given, its source failed, or it has expired."""

    exit_code = 3


class RefusedError(CognitoCredentialsError):
    """Cognito or STS understood the request and refused it."""

    exit_code = 5


class LoginRejectedError(RefusedError):
    """The pool refused a login, or refuses guests."""


class IdentityNotFoundError(RefusedError):
    """The identity, or the identity pool, does not exist."""


class PoolMisconfiguredError(RefusedError):
    """The pool's roles do not work; only its owner can correct them."""


class ServiceError(CognitoCredentialsError):
    """The service could not be reached, is throttling or failed; trying again later may help."""

    exit_code = 6
    retryable = True


class CredentialsExpiredError(ServiceError):
    """The credentials held have expired and could not be refreshed."""


class CacheError(CognitoCredentialsError):
    """The place to remember credentials or a sign-in is unusable: a directory, or the keyring."""

    exit_code = 7


class replaced:  # noqa: N801  (reads as a verb: ``with replaced(OSError, by=…):``)
    """
    Replace an error by another one that holds nothing of it.

        with replaced(OSError, by=lambda error: CacheError(f"cannot read {path}: {error.strerror}")):
            …

    An error keeps the frames that it passed through, and their variables: tokens, passwords, parsed files.
    An error that is raised in an ``except`` block keeps the first one as its context, even ``from None``.
    A crash report that prints variables would then print the secret. What is raised here has neither context
    nor cause, and only the frames from the ``with`` statement upwards.

    Args:
        kinds: The errors to replace; others pass.
        by: Makes the new error of the old one.
    """

    __slots__ = ("_by", "_kinds")

    def __init__(self, *kinds: type[BaseException], by: Callable[[Any], BaseException]) -> None:
        self._kinds = kinds
        self._by = by

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, self._kinds):
            return
        new = self._by(error)
        del error, trace  # this frame is among those that the new error keeps
        try:
            raise new
        finally:
            new.__context__ = None


def sentences(what: str, hint: str) -> str:
    """Join what is wrong and what to do about it."""
    return f"{what.removesuffix('.')}. {hint}" if hint else what


def clean(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """
    Make *text* from outside safe to print and log: one line, no control or bidi characters, no token.

    Args:
        text: Anything; a service's or a config file's words.
        limit: Most characters kept.

    Returns:
        Printable text, at most *limit* characters, JWTs and access key ids replaced by ``***``.
    """
    # Cut before the loop too: a megabyte from a hostile server must not cost a megabyte of work.
    line = " ".join(_clean_word(word) for word in text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _clean_word(word: str) -> str:
    # A secret stands between quotes, commas or tags as well as between spaces: each run of the characters
    # that tokens are made of is judged by itself.
    is_arn = word.lstrip("'\"([{<").startswith("arn:aws")
    shown, run = "", ""
    for character in (*word, " "):
        if character.isalnum() or character in "+/=_-.":
            run += character
            continue
        shown += "***" if _looks_secret(run, is_arn=is_arn) else run
        shown += character if character.isprintable() and character not in _BIDI else "?"
        run = ""
    return shown[:-1]


_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that reorder what a terminal shows ("trojan source"); `isprintable` lets some through."""


def _looks_secret(run: str, *, is_arn: bool) -> bool:
    if len(run) < 16:
        return False
    core = run.strip(".=")
    if any(len(core) - core.find(prefix) >= 16 for prefix in ("eyJ", "ASIA", "AKIA") if prefix in core):
        return True
    # Long unbroken base64: a secret key (40), a session token, an opaque login token.
    is_long = len(core) >= 40 and any(character.isdigit() for character in core)
    return is_long and not (is_arn and "+" not in core and "=" not in core) and not _is_place(core)


def _is_place(word: str) -> bool:
    """Tell a path, or a host with or without one, from base64: user pools' provider names, token files."""
    parts = word.lstrip("/").split("/")
    # A path may begin with one capital: /Users, /Volumes.
    first = parts[0][1:] if word[0] == "/" and len(parts[0]) > 4 else parts[0]
    if any(len(part) >= 40 for part in parts) or first != first.lower():
        return False
    # Base64 has no dot; and of a random key hardly ever is all before the second slash lower-case letters.
    return "." in parts[0] or (word[0] == "/" and len(parts) > 1 and parts[0].isalpha())


def _rebuild(
    kind: type[CognitoCredentialsError], message: str, details: dict[str, Any]
) -> CognitoCredentialsError:
    return kind(message, **details)
