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
    │   └── CredentialsExpiredError             the same, and no credentials are valid  exit 6
    └── CacheError                              correct the directory or keyring        exit 7

"Not configured" is not an error: a credential provider that has nothing to say returns None.

A message is one line in lower case. It names the setting and where it came from, and never holds a value
that may be secret. Every text that goes into an error is cleaned (`clean`), so that no reader of the error
can print a terminal escape or a token.

A cache hit of the command line loads this file: it imports nothing, not even typing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MESSAGE_LIMIT = 300
"""Characters kept of a text from outside; every known message of Cognito is shorter."""


class CognitoCredentialsError(Exception):
    """
    The base class of every error of this package; never raised itself.

    Args:
        message: What is wrong, lower case, one line, no secret.
        hint: What to do about it, one line.
        code: The service's error code, where a service answered.
        request_id: The service's request id, where it gave one.
        throttled: Whether the service said that it is being asked too often.
    """

    exit_code = 1
    """Exit status of the command line."""
    retryable = False
    """Whether the same call may succeed later though nothing is changed."""

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
        # Not by super(): in an error that is botocore's too, botocore's class would be next in line.
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
    """The place where credentials or a sign-in are kept is unusable: a directory, or the keyring."""

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
    Make *text* from outside safe to print and log: one line, no control or bidi characters, no secret.

    Masked are access key ids, JWTs, and what looks like secret keys, session tokens and opaque tokens. Host
    names, provider names, ARNs and paths stay readable.

    Args:
        text: Anything; the words of a service or of a config file.
        limit: The most characters to keep.

    Returns:
        Printable text of at most *limit* characters, with ``***`` for each secret.
    """
    # Cut before the loop too: a megabyte from a hostile server must not cost a megabyte of work.
    line = " ".join(_clean_word(word) for word in text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _clean_word(word: str) -> str:
    # A secret may stand between quotes, commas or tags: each run of base64 characters is judged by itself.
    # A dot ends a run, because base64 has none; only JWTs have dots inside.
    is_arn = word.lstrip("'\"([{<").startswith("arn:aws")
    shown, run = "", ""
    for character in (*word, " "):
        if character.isalnum() or character in "+/-_" or (character == "." and "eyJ" in run):
            run += character
            continue
        # The parts of an ARN are names; CloudFormation ends them with random letters and digits.
        is_name = is_arn and shown.endswith(":")
        shown += "***" if _holds_key_id_or_jwt(run) or (_is_random(run) and not is_name) else run
        # Characters that reorder what a terminal shows ("trojan source") are not printable either.
        shown += character if character.isprintable() else "?"
        run = ""
    return shown[:-1]


def _holds_key_id_or_jwt(run: str) -> bool:
    # Anywhere in the run: an escaped line break or a percent code may leave a letter in front.
    for prefix in ("ASIA", "AKIA"):
        found = run[run.find(prefix) :][:16] if prefix in run else ""
        if len(found) == 16 and found.isalnum() and found.isupper():
            return True
    # A JSON object that begins with a name is "eyJ" in base64.
    return "eyJ" in run and len(run[run.find("eyJ") :].partition("/")[0]) >= 16


def _is_random(run: str) -> bool:
    """
    Tell base64 of 40 characters and more, the length of a secret key, from a path.

    Inside a word, a name goes from a small letter to a capital or a digit now and then (``MyAwsApp``,
    ``OneDrive2``), and hardly ever from a digit or from capitals to letters (``S3Keys``, ``AWSKeys``): less
    than once in ten characters of a path. Base64 does so four times as often; of a million random secret keys
    ten do not. Words of small letters and digits, or of capitals and digits, do not count: paths hold UUIDs
    and hashes.
    """
    if len(run) < 40:
        return False
    if run.isalnum() and any(character.isdigit() for character in run):
        return True  # one word of that length is no name; app client secrets are small letters and digits
    words = run.replace("+", "/").replace("-", "/").replace("_", "/").split("/")
    turns = run.count("+") + sum(
        (one.islower() and not two.islower())
        or (one.isdigit() and two.isalpha())
        or (one.isupper() and two.isupper() and three.islower())
        for word in words
        if not (word.islower() or word.isupper())
        for one, two, three in zip(word, word[1:], word[2:] + "/")  # noqa: B905  (as long as the second)
    )
    return turns * 10 > len(run)


def _rebuild(
    kind: type[CognitoCredentialsError], message: str, details: dict[str, Any]
) -> CognitoCredentialsError:
    return kind(message, **details)
