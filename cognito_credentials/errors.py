"""
Every error of this package, named by what its reader must do next.

    CognitoCredentialsError                     the one to catch
    ├── ConfigurationError (also ValueError)    correct a setting                       exit 4
    │   └── ClockSkewError                      set this machine's clock                exit 4
    ├── LoginRequiredError                      get a new login token, or sign in       exit 3
    ├── ChallengeRequired (sign_in/)            ask the person, and answer              exit 3
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

The text of an error ends with its topic, as in ``(see E-LOGIN-AUDIENCE)``. A topic is a section of the page
"When something goes wrong", which ``cognito-credentials help E-LOGIN-AUDIENCE`` prints. Each class has one;
whoever raises an error may name one that fits more closely.

A cache hit of the command line loads this file: it imports nothing, not even typing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_OF_TOKENS = "+/-_.="
"""The characters beside letters and digits that tokens consist of."""
_HEX = frozenset("0123456789abcdefABCDEF")
_PLAIN = "_./@+:=-"
"""The characters beside letters and digits that no shell changes in a word."""
_DETAILS = ("hint", "topic", "code", "request_id", "throttled", "retry_after")
MESSAGE_LIMIT = 300
"""Characters kept of a text from outside; every known message of Cognito is shorter."""


class CognitoCredentialsError(Exception):
    """
    The base class of every error of this package; raised itself only for a bug.

    Args:
        message: What is wrong, lower case, one line, no secret.
        hint: What to do about it, one line.
        topic: The section that explains it, such as ``E-LOGIN-AUDIENCE``; by default that of the class.
        code: The service's error code, where a service answered.
        request_id: The service's request id, where it gave one.
        throttled: Whether the service said that it is being asked too often, or the fleet's budget did.
        retry_after: Seconds after which another try makes sense; only of a `ServiceError`, and where known.
    """

    exit_code = 1
    """Exit status of the command line."""
    topic = "E-BUG"
    """The section of the page "When something goes wrong" that explains it."""
    retryable = False
    """Whether the same call may succeed later though nothing is changed."""
    is_answer = False
    """Whether this is what the service said; set of each error. Other processes are told nothing else."""
    is_of_caller = False
    """Whether it concerns this caller alone, as an event loop that was closed: the next one need not wait."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        topic: str = "",
        code: str | None = None,
        request_id: str | None = None,
        throttled: bool = False,
        retry_after: float | None = None,
    ) -> None:
        self.message = clean(message)
        self.hint = clean(hint)
        if topic:
            self.topic = clean(topic)
        self.code = clean(code) if code else None
        self.request_id = clean(request_id) if request_id else None
        self.throttled = throttled
        self.retry_after = retry_after
        # Not by super(): in an error that is botocore's too, botocore's class would be next in line.
        Exception.__init__(self, self.message)

    def __str__(self) -> str:
        return f"{sentences(self.message, self.hint).removesuffix('.')} (see {self.topic})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.details())

    def details(self) -> dict[str, Any]:
        """Return the arguments beside the message."""
        return {name: getattr(self, name) for name in _DETAILS}

    def anew(self) -> CognitoCredentialsError:
        """Return the same error without the frames that it passed through, and their variables."""
        made = type(self).__new__(type(self), *self.args)
        made.__dict__.update(self.__dict__)
        return made


class ConfigurationError(CognitoCredentialsError, ValueError):
    """A setting is missing or wrong."""

    exit_code = 4
    topic = "E-SETTING"


class ClockSkewError(ConfigurationError):
    """This machine's clock is so wrong that what it holds looks expired."""

    topic = "E-CLOCK"


class LoginRequiredError(CognitoCredentialsError):
    """No usable login token: none was given, its source failed, or it has expired."""

    exit_code = 3
    topic = "E-SIGN-IN"


class RefusedError(CognitoCredentialsError):
    """Cognito or STS understood the request and refused it."""

    exit_code = 5
    topic = "E-REFUSED"


class LoginRejectedError(RefusedError):
    """The pool refused a login, or refuses guests."""

    topic = "E-LOGIN-REFUSED"


class IdentityNotFoundError(RefusedError):
    """The identity, or the identity pool, does not exist."""

    topic = "E-IDENTITY-GONE"


class PoolMisconfiguredError(RefusedError):
    """The pool's roles do not work; only its owner can correct them."""

    topic = "E-POOL-ROLES"


class ServiceError(CognitoCredentialsError):
    """
    The service could not be reached, is throttling or failed; trying again later may help.

    A try before the seconds of `retry_after` are over is in vain: the back-off answers it without a request,
    or the service has asked to wait that long.
    """

    exit_code = 6
    topic = "E-SERVICE"
    retryable = True


class CredentialsExpiredError(ServiceError):
    """The credentials held have expired and could not be refreshed."""

    topic = "E-EXPIRED"


class CacheError(CognitoCredentialsError):
    """The place where credentials or a sign-in are kept is unusable: a directory, or the keyring."""

    exit_code = 7
    topic = "E-CACHE"


class replaced:  # noqa: N801  (reads as a verb: ``with replaced(OSError, by=…):``)
    """
    Replace an error by another one that holds nothing of it.

        with replaced(OSError, by=lambda error: CacheError(f"cannot read {path}: {error.strerror}")):
            …

    An error keeps the frames that it passed through, and their variables: tokens, passwords, parsed files.
    An error that is raised in an ``except`` block keeps the first one as its context, even ``from None``.
    A crash report that prints variables would then print the secret. What is raised here has neither context
    nor cause, and only the frames from the ``with`` statement upwards.

    It has to stand in a ``with`` statement itself. Within a generator that `contextlib.contextmanager` wraps,
    or on an `contextlib.ExitStack`, the frames of contextlib still hold the old error.

    Args:
        kinds: The errors to replace; others pass.
        by: Makes the new error of the old one, or returns None to let the old one pass as it is. What it
            returns must be new, or without frames: the frames of an old error stay.
    """

    __slots__ = ("_by", "_kinds")

    def __init__(self, *kinds: type[BaseException], by: Callable[[Any], BaseException | None]) -> None:
        self._kinds = kinds
        self._by = by

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, self._kinds):
            return
        new = self._by(error)
        if new is None:
            return
        del error, trace  # this frame is among those that the new error keeps
        try:
            raise new
        finally:
            new.__context__ = None


def sentences(what: str, hint: str) -> str:
    """Join what is wrong and what to do about it."""
    if not hint:
        return what
    return f"{what if what.endswith(('?', '!', '…')) else what.removesuffix('.') + '.'} {hint}"


def near(word: str, choices: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """
    Find which of *choices* a mistyped *word* was probably meant to be.

    Args:
        most: How many to return, the nearest first.
        cutoff: The least likeness, 0 to 1, as `difflib.get_close_matches` has it.
    """
    from .importing import IMPORTING

    with IMPORTING:
        import difflib  # only after a mistake: it is slow to import

    return difflib.get_close_matches(word, list(choices), n=most, cutoff=cutoff)


def clean(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """
    Make *text* from outside safe to print and log: one line, no control or bidi characters, no secret.

    Masked are access key ids, JWTs, and what looks like secret keys, session tokens and opaque tokens. Host
    names, provider names, ARNs, UUIDs, paths and class names stay readable.

    Args:
        text: Anything; the words of a service or of a config file.
        limit: The most characters to keep.

    Returns:
        Printable text of at most *limit* characters, with ``***`` for each secret.
    """
    # Cut before the loop too: a megabyte from a hostile server must not cost a megabyte of work.
    line = " ".join(_clean_word(word) for word in text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def program_name(word: str, limit: int = MESSAGE_LIMIT) -> str:
    """
    Show the first word of a command. As for a shell, it may set a variable (``TOKEN=…``), which is secret.

    Args:
        word: From a setting.
        limit: The most characters to keep.
    """
    name, is_setting, _ = word.partition("=")
    return clean(f"{name}=…" if is_setting and name.isidentifier() else word, limit)


def shell_word(text: str) -> str:
    """
    Write *text* as one word of a POSIX shell's line, for lines that people copy and programs run.

    A backslash before each character that is special somewhere is read alike by shells, botocore and the INI
    parsers of all SDKs. Within double quotes a shell runs what follows ``$``. Go's parser drops quoted words,
    and a comment begins in it at `` #`` and `` ;`` within any quotes.
    """
    return "".join(one if one in _PLAIN or one.isalnum() or not one.isascii() else f"\\{one}" for one in text)


def _clean_word(word: str) -> str:
    # A secret may stand between quotes, commas or tags: each run of the characters of tokens is judged alone.
    shown, run, written = "", "", ""
    for character, text in (*_characters(word), (" ", " ")):
        if character.isalnum() or character in _OF_TOKENS:
            run += character
            written += text
            continue
        masked = _masked(run, is_name=_is_in_arn(shown))
        shown += written if masked == run else masked
        # Characters that reorder what a terminal shows ("trojan source") are not printable either.
        shown += text if text.isprintable() else "?"
        run = written = ""
    return shown[:-1]


def _characters(word: str) -> Iterable[tuple[str, str]]:
    """
    Yield each character of *word*, and how it is written: a percent code stands for a character of a token.

    A code of a code, as ``%252F`` for ``%2F`` and so ``/``, is one too: an address within an address.
    """
    index = 0
    while index < len(word):
        end = index + 1
        if word[index] == "%":
            while word[end : end + 2] == "25":
                end += 2
            code = word[end : end + 2]
            character = chr(int(code, 16)) if len(code) == 2 and _HEX.issuperset(code) else ""
            if character and ((character.isascii() and character.isalnum()) or character in _OF_TOKENS):
                yield character, word[index : end + 2]
                index = end + 2
                continue
            end = index + 1
        yield word[index], word[index:end]
        index = end


def _is_in_arn(before: str) -> bool:
    """Tell whether a part of an ARN follows *before*."""
    start = before.rfind("arn:aws")
    parts = before[start:].replace(":", "").replace("-", "")
    return start >= 0 and before.endswith(":") and parts.isalnum()


def _masked(run: str, *, is_name: bool) -> str:
    # Base64 has no "=" before its end: what stands on the other side is a setting's name, or a token's half.
    sides = run.split("=")
    halves = [side for side in sides if len(side) >= 16 and not _is_host(side)]
    if len(halves) > 1 and not is_name and _is_token_of_parts("=".join(halves), halves):
        return "=".join("***" if side in halves else side for side in sides)
    return "=".join(_masked_side(side, is_name=is_name) for side in sides)


def _masked_side(text: str, *, is_name: bool, is_path: bool = False) -> str:
    whole = text.rstrip(".")
    is_host = is_path or _is_host(whole)
    end = text.find("/", len(text) - len(text.lstrip("/"))) if is_host and not is_path else -1
    if end >= 0:  # a token in the path must not take the host with it
        host, path = text[:end], text[end + 1 :]
        return f"{_masked_side(host, is_name=is_name)}/{_masked_side(path, is_name=is_name, is_path=True)}"
    # Base64 has no dot either: dots divide a JWT, a token of several parts, a host or the name of a file.
    jwt = text.rfind(".", 0, text.index("eyJ")) + 1 if "eyJ" in text else len(text)
    pieces = text[:jwt].split(".")
    if jwt < len(text):
        pieces[-1] = text[jwt:]
    if "." in whole and not is_name and not is_host and _is_token_of_parts(whole, pieces):
        return "***"
    return ".".join(
        "***"
        if _holds_key_id_or_jwt(piece)
        or _is_random(_without_coded_end(piece) if is_name else piece, is_host=is_host)
        else piece
        for piece in pieces
    )


def _without_coded_end(name: str) -> str:
    """
    Leave out the random end that AWS gives to names in ARNs.

    CloudFormation ends them with a dash and 12 or 13 letters and digits, IAM Identity Center with an
    underscore and 16.
    """
    start = max(name.rfind("-"), name.rfind("_"))
    end = name[start + 1 :]
    is_coded = start >= 0 and len(end) <= 16 and end in (end.lower(), end.upper())
    return name[:start] if is_coded else name


def _is_token_of_parts(run: str, parts: list[str]) -> bool:
    is_mixed = any(
        len(part) >= 16 and any(map(str.isdigit, part)) and any(map(str.isalpha, part)) for part in parts
    )
    return is_mixed and _is_random(run)


def _is_host(text: str) -> bool:
    """Tell a host, with or without a path, from a token: it is lower case, or at least its last label is."""
    name = text.lstrip("/").partition("/")[0]
    last = name.rpartition(".")[2]
    is_domain = 2 <= len(last) <= 24 and last.isalpha() and last.islower()  # 24: the longest of all domains
    return "." in name and (is_domain or (name == name.lower() and len(last) <= 24))


def _holds_key_id_or_jwt(run: str) -> bool:
    # Anywhere in the run: an escaped line break or a percent code may leave a letter in front.
    for prefix in ("ASIA", "AKIA"):
        found = run[run.find(prefix) :][:16] if prefix in run else ""
        if len(found) == 16 and found.isalnum() and found.isupper():
            return True
    # A JSON object that begins with a name is "eyJ" in base64.
    return "eyJ" in run and len(run[run.find("eyJ") :].partition("/")[0]) >= 16


def _is_random(run: str, *, is_host: bool = False) -> bool:
    """
    Tell a token of 40 characters and more, the length of a secret key, from a name or a path.

    Inside a word, a name turns from a small letter to a capital or a digit now and then (``MyAwsApp``,
    ``OneDrive2``), but hardly ever from a digit or from capitals to letters (``S3Keys``, ``AWSKeys``). Random
    text has far more of either kind: of 100,000 random secret keys all but six have two turns of the second
    kind, and more turns than a tenth of their length.

    Words of one case are judged apart: they count where a letter follows a digit. Names hold up to 15
    characters of them (``web-7d4b9c6f5d-x2x7k`` in Kubernetes); paths and hosts hold any number: hashes,
    UUIDs, ids of endpoints. One UUID is an id; several that are joined are a token.
    """
    if len(run) < 40:
        return False
    words = run
    for sign in "+-_.=":
        words = words.replace(sign, "/")
    parts, uuids = _without_uuids(words.split("/"))
    turns = abrupt = run.count("+")
    coded = 0
    for word in parts:
        sharp = sum(one.isdigit() and two.isalpha() for one, two in _neighbours(word))
        if word.islower() or word.isupper():
            coded += len(word) if sharp else 0
            abrupt += sharp > 0 and word.isupper()
            continue
        triples = zip(_neighbours(word), word[2:])  # noqa: B905  (as long as the shorter)
        sharp += sum(one.isupper() and two.isupper() and three.islower() for (one, two), three in triples)
        abrupt += sharp
        turns += sharp + sum(one.islower() and not two.islower() for one, two in _neighbours(word))
    is_place = is_host or "/" in run
    return (abrupt >= 2 and turns * 10 > len(run)) or (not is_place and (coded >= 16 or uuids >= 2))


def _neighbours(word: str) -> Iterable[tuple[str, str]]:
    return zip(word, word[1:])  # noqa: B905, RUF007  (itertools would be one more import)


def _without_uuids(words: list[str]) -> tuple[list[str], int]:
    """Return the words that belong to no UUID, and the number of UUIDs among the others."""
    rest: list[str] = []
    uuids = 0
    while words:
        five = words[:5]
        is_uuid = [len(word) for word in five] == [8, 4, 4, 4, 12]
        if is_uuid and _HEX.issuperset("".join(five)):
            uuids += 1
            words = words[5:]
        else:
            rest.append(words[0])
            words = words[1:]
    return rest, uuids


def _rebuild(
    kind: type[CognitoCredentialsError], message: str, details: dict[str, Any]
) -> CognitoCredentialsError:
    return kind(message, **details)
