"""
The settings of a cache that hosts share: where the Redis or Valkey is, the key that seals its records, and
how many requests all hosts together may send.

Each function takes a value as it was given, and *where*: name and origin in words. A URL may hold a password,
and the key is a secret, so no error shows either of them. What a person has to mend in a URL or a key is a
`CacheError`, as a refused password is: whoever set the cache up mends all of these.
"""

from __future__ import annotations

import base64
import binascii
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import CacheError, ConfigurationError, clean, near
from ..regions import is_loopback
from ..secret import Secret

SCHEMES: Final = ("redis", "rediss", "unix", "redis-cluster", "rediss-cluster")
"""Of URLs: plain, over TLS, by a socket file, a cluster, and a cluster over TLS."""
OPERATIONS: Final = (
    "GetId",
    "GetCredentialsForIdentity",
    "GetOpenIdToken",
    "GetOpenIdTokenForDeveloperIdentity",
    "UnlinkIdentity",
    "AssumeRoleWithWebIdentity",
)
"""What this package asks the service for."""
KEY_BYTES: Final = 32
"""A key of AES-256."""
MOST_KEYS: Final = 2
MOST_PER_SECOND: Final = 1_000_000
_DEFAULT_PORT: Final = 6379
_FORMS: Final = "redis://HOST:PORT/DATABASE, rediss://… for TLS, unix:///SOCKET or redis-cluster://HOST:PORT"
_OPTIONS: Final = ("ca_certs", "certfile", "keyfile")
"""What may follow the question mark of a URL with TLS: absolute paths of PEM files."""


class RedisUrl(NamedTuple):
    """Where a Redis or Valkey is, and who we are there."""

    scheme: str
    host: str
    """Empty for a socket file."""
    port: int
    path: str
    """Of the socket file."""
    database: int
    username: str | None
    password: Secret | None
    tls: Mapping[str, str]
    """Option of `_OPTIONS` -> path."""

    @property
    def is_cluster(self) -> bool:
        """Whether records are spread over several servers."""
        return self.scheme.endswith("-cluster")

    @property
    def has_tls(self) -> bool:
        """Whether the connection is encrypted, and the server shows a certificate."""
        return self.scheme.startswith("rediss")

    @property
    def is_of_this_machine(self) -> bool:
        """Whether nothing that is sent there leaves this machine."""
        return not self.host or is_loopback(self.host)

    @property
    def shown(self) -> str:
        """The URL for people: without user name, password and options."""
        database = f"/{self.database}" if self.database else ""
        if not self.host:
            return f"unix://{clean(self.path, 200)}" + (f"?db={self.database}" if self.database else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{clean(host, 260)}:{self.port}{database}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCache:
    """
    A cache in Redis or Valkey, as it was configured; `pool/shared_store.py` opens it.

    Texts of a profile are sources (``file:``, ``env:``, ``command:``), which are asked when it is opened.
    """

    url: Secret = field(repr=False)
    """The URL, or where `url_is_source` the text of a source that gives it."""
    url_where: str
    """Name and origin, for messages."""
    url_is_source: bool = False
    password: Secret | None = field(default=None, repr=False)
    """Where the URL has none."""
    key: Secret | None = field(default=None, repr=False)
    """As `cache_key` returns it, or where `key_is_source` the text of a source; None for none."""
    key_where: str = ""
    key_is_source: bool = False
    requests_per_second: Mapping[str, float] = field(default_factory=dict)
    """Operation -> how many requests a second all hosts together may send; others as AWS publishes."""


def is_redis_url(text: str) -> bool:
    """Tell whether *text* is meant to be a URL of a Redis, well-formed or not."""
    return text.partition(":")[0].strip().lower() in SCHEMES and ":" in text


def redis_url(value: Secret, where: str) -> RedisUrl:
    """
    Read the URL of a Redis or Valkey.

    Raises:
        CacheError: It is none.
    """
    wrong = _UrlProblem(where)
    try:
        parts = urlsplit(value.reveal().strip())
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        parts = None
    if parts is None:
        raise wrong(
            "is not a URL: its host or port is malformed; in a password, '@', ':', '/', '#' and '%' are "
            "written %40, %3A, %2F, %23 and %25"
        )
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES:
        raise wrong("begins with no scheme of Redis")
    if not value.reveal().strip()[len(scheme) :].startswith("://"):
        raise wrong("is not a URL: '://' must follow its scheme")
    if parts.fragment:
        raise wrong("has a '#' in it; in a password write %23")
    if "@" in parts.query or ("@" in parts.path and scheme != "unix"):
        # "redis://app:12/34@host": what seems to be a path or an option is the end of the password.
        raise wrong("has an '@' behind its host; in a password, '/' is written %2F, and '?' %3F")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    database = options.pop("db", "") if scheme == "unix" else parts.path.removeprefix("/")
    path = unquote(parts.path) if scheme == "unix" else ""
    if scheme == "unix" and (host or port or not os.path.isabs(path)):
        raise wrong("names no socket file by its absolute path, as unix:///run/redis/redis.sock does")
    if scheme != "unix" and not host:
        raise wrong("names no host")
    if database and not (database.isascii() and database.isdigit() and len(database) < 6):
        raise wrong("has a database that is not a number")
    if int(database or 0) and scheme.endswith("-cluster"):
        raise wrong("names a database, and a cluster has only one")
    return RedisUrl(
        scheme=scheme,
        host=host,
        port=_DEFAULT_PORT if port is None else port,
        path=path,
        database=int(database or 0),
        username=unquote(parts.username) if parts.username else None,
        password=Secret(unquote(parts.password)) if parts.password else None,
        tls=_tls_options(options, scheme, wrong),
    )


def _tls_options(options: dict[str, str], scheme: str, wrong: _UrlProblem) -> dict[str, str]:
    for name, path in options.items():
        if name not in _OPTIONS or not scheme.startswith("rediss"):
            takes = ", ".join(_OPTIONS) if scheme.startswith("rediss") else "none"
            raise wrong(f"has the option '{clean(name, 40)}'; those of {scheme}:// are: {takes}")
        if not os.path.isabs(path):
            raise wrong(f"has no absolute path for {name}")
    if ("certfile" in options) != ("keyfile" in options):
        raise wrong("has only one of certfile and keyfile")
    return options


class _UrlProblem:
    """Makes the errors of one URL."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __call__(self, what: str) -> CacheError:
        return CacheError(f"{self._where} {what}", hint=f"Write {_FORMS}", topic="E-REDIS")


def cache_key(value: object, where: str) -> Secret:
    """
    Take the key that seals records, or a new and an old one.

    Args:
        value: 32 bytes, or as text in base64; two of them as ``NEW,OLD``, or as a list or tuple.

    Returns:
        Base64 text of one key, or of two with a comma between them.

    Raises:
        CacheError: It is none, or not of that length.
        ConfigurationError: It is neither bytes nor text.
    """
    given = value.reveal() if isinstance(value, Secret) else value
    if isinstance(given, str):
        keys: Sequence[object] = given.split(",")
    elif isinstance(given, (list, tuple)):
        keys = given
    else:
        keys = [given]
    if not 1 <= len(keys) <= MOST_KEYS:
        raise CacheError(
            f"{where} has {len(keys)} keys",
            hint="Give one, or NEW,OLD while the key is being changed",
            topic="E-REDIS",
        )
    texts = [_one_key(key, where) for key in keys]
    if len(set(texts)) < len(texts):
        raise CacheError(f"{where} has the same key twice", hint="Give one, or NEW,OLD", topic="E-REDIS")
    return Secret(",".join(texts))


def _one_key(key: object, where: str) -> str:
    data: bytes | None
    if isinstance(key, (bytes, bytearray)):
        data = bytes(key)
    elif isinstance(key, str):
        try:
            data = base64.b64decode(key.strip().replace("-", "+").replace("_", "/"), validate=True)
        except (ValueError, binascii.Error):
            data = None  # raised below: this block's error holds the text
    else:
        raise ConfigurationError(
            f"{where} is {type(key).__name__}, neither bytes nor text",
            hint="Give 32 bytes, or their base64",
            topic="E-REDIS",
        )
    hint = "Make one with: openssl rand -base64 32"
    if data is None:
        raise CacheError(f"{where} is not base64", hint=hint, topic="E-REDIS")
    if len(data) != KEY_BYTES:
        raise CacheError(f"{where} has {len(data)} bytes, not {KEY_BYTES}", hint=hint, topic="E-REDIS")
    return base64.b64encode(data).decode()


def requests_per_second(value: object, where: str) -> dict[str, float]:
    """
    Take how many requests a second all hosts together may send.

    Args:
        value: Operation -> number; or as text, ``GetId=20,GetCredentialsForIdentity=150``.

    Raises:
        ConfigurationError: An operation is unknown or named twice, or a number is none or not above zero.
    """
    if isinstance(value, Mapping):
        pairs = [(str(name), rate) for name, rate in value.items()]
    elif isinstance(value, str):
        pairs = [_pair(part, where) for part in value.split(",") if part.strip()]
    else:
        raise ConfigurationError(
            f"{where} is {type(value).__name__}, neither a mapping nor text", hint=_HOW_MANY, topic="E-REDIS"
        )
    if not pairs:
        raise ConfigurationError(f"{where} is empty", hint=_HOW_MANY, topic="E-REDIS")
    rates: dict[str, float] = {}
    for name, given in pairs:
        if name not in OPERATIONS:
            meant = near(name, OPERATIONS, cutoff=0.5)
            hint = f"Did you mean {meant[0]}?" if meant else f"It is one of {', '.join(OPERATIONS)}"
            raise ConfigurationError(
                f"{where}: there is no operation '{clean(name, 60)}'", hint=hint, topic="E-REDIS"
            )
        if name in rates:
            raise ConfigurationError(
                f"{where} has {name} twice", hint="Give one number for each operation", topic="E-REDIS"
            )
        rates[name] = _rate(given, f"{where}: {name}")
    return rates


_HOW_MANY: Final = "Write GetId=20,GetCredentialsForIdentity=150, or leave it out for the published quotas"


def _pair(part: str, where: str) -> tuple[str, str]:
    name, equals, rate = part.partition("=")
    if not equals:
        raise ConfigurationError(
            f"{where}: '{clean(part.strip(), 60)}' has no '='", hint=_HOW_MANY, topic="E-REDIS"
        )
    return name.strip(), rate.strip()


def _rate(given: object, where: str) -> float:
    rate = math.nan
    if isinstance(given, (int, float, str)) and not isinstance(given, bool):
        try:
            rate = float(given)
        except (ValueError, OverflowError):
            pass
    if not 0 < rate <= MOST_PER_SECOND:
        raise ConfigurationError(
            f"{where} is not a number of requests a second above 0: '{clean(str(given)[:40], 40)}'",
            hint=_HOW_MANY,
            topic="E-REDIS",
        )
    return rate
