"""
What is remembered, how it is written, and how it is trusted.

Four kinds of record: which identity this machine is (kept for ever), its credentials (kept until they
expire), what to leave alone for a while after a failure, and what a command line came to. Each is one
line of JSON in a fixed order of fields, with its own key and a SHA-256 inside. The reader takes exactly
what the writer writes and nothing else: whatever is older, newer, cut, flipped, renamed or foreign is a
miss, never an error (reliability.md 1.B). JSON's own parsers are not used: they are lenient where this
must be strict, and too slow to import for the fast path.

No login token, refresh token or OpenID token has a place in any record.
"""

from __future__ import annotations

from ..clock import ServerTime
from ..credentials import (
    LONGEST_LIFETIME_SECONDS,
    SHORTEST_LIFETIME_SECONDS,
    TemporaryCredentials,
    checked,
)
from ..digest import sha256
from ..errors import CognitoCredentialsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    Kind = Literal["identity", "credentials", "state", "shortcut"]

RECORD_LIMIT = 65_536
"""Bytes; a record is about 2,000, so anything larger is not ours."""
_VERSION = 1
_LARGEST = 10**14
"""Bounds every integer: milliseconds until the year 5138."""


class IdentityRecord:
    """
    Which identity *key* (a pool and a principal) is.

    Args:
        key: 40 hexadecimal characters.
        identity_id: As the service gave it.
        identity_pool_id: Its pool, for people who list the cache.
        principal: ``guest``, ``user:<hash>`` or ``subject:<hash>``, likewise.
        obtained_at: Seconds since the epoch on this machine's clock.
    """

    kind: Kind = "identity"
    __slots__ = ("identity_id", "identity_pool_id", "key", "obtained_at", "principal")

    def __init__(
        self, *, key: str, identity_id: str, identity_pool_id: str, principal: str, obtained_at: int
    ) -> None:
        self.key = key
        self.identity_id = identity_id
        self.identity_pool_id = identity_pool_id
        self.principal = principal
        self.obtained_at = obtained_at


class CredentialsRecord:
    """
    The credentials of *key* (an identity in a flow and role).

    Args:
        key: 40 hexadecimal characters.
        identity_id: Whose they are.
        credentials: The credentials.
        issued_at: The service's time at receipt, seconds since the epoch.
        refresh_at: When to get new ones, in the service's time; chosen once by the writer, so that all
            processes agree.
        seen: The service's time as observed at receipt.
    """

    kind: Kind = "credentials"
    __slots__ = ("credentials", "identity_id", "issued_at", "key", "refresh_at", "seen")

    def __init__(
        self,
        *,
        key: str,
        identity_id: str,
        credentials: TemporaryCredentials,
        issued_at: int,
        refresh_at: int,
        seen: ServerTime,
    ) -> None:
        self.key = key
        self.identity_id = identity_id
        self.credentials = credentials
        self.issued_at = issued_at
        self.refresh_at = refresh_at
        self.seen = seen


class StateRecord:
    """
    What a failure taught, shared by all processes.

    Args:
        key: The key of the credentials concerned.
        retry_at: Nobody asks the service before this, seconds since the epoch on this machine's clock.
        noted_at: When it was written, same clock.
        failures: How many in a row.
        error: Class name of the error, as in `cognito_credentials.errors`; empty for none.
        message: Its message.
        hint: Its hint.
        rejected_access_key_id: Credentials that a service rejected; not to be handed out again.
    """

    kind: Kind = "state"
    __slots__ = (
        "error",
        "failures",
        "hint",
        "key",
        "message",
        "noted_at",
        "rejected_access_key_id",
        "retry_at",
    )

    def __init__(
        self,
        *,
        key: str,
        retry_at: int = 0,
        noted_at: int = 0,
        failures: int = 0,
        error: str = "",
        message: str = "",
        hint: str = "",
        rejected_access_key_id: str = "",
    ) -> None:
        self.key = key
        self.retry_at = retry_at
        self.noted_at = noted_at
        self.failures = failures
        self.error = error
        self.message = message
        self.hint = hint
        self.rejected_access_key_id = rejected_access_key_id


class ShortcutRecord:
    """
    What a command line came to, so that the same one need not be worked out again.

    Args:
        key: Hash of the command line, the environment and the config files.
        credentials_key: Under which key its credentials are.
        depends: What else it came from, a line each: ``file`` or ``env``, a hash of the content, the name.
    """

    kind: Kind = "shortcut"
    __slots__ = ("credentials_key", "depends", "key")

    def __init__(self, *, key: str, credentials_key: str, depends: str) -> None:
        self.key = key
        self.credentials_key = credentials_key
        self.depends = depends


_FIELDS: dict[str, tuple[tuple[str, type], ...]] = {
    "identity": (
        ("identity_id", str),
        ("identity_pool_id", str),
        ("principal", str),
        ("obtained_at", int),
    ),
    "credentials": (
        ("identity_id", str),
        ("access_key_id", str),
        ("secret_access_key", str),
        ("session_token", str),
        ("account_id", str),
        ("issued_at", int),
        ("expires_at", int),
        ("refresh_at", int),
        ("wall", int),
        ("elapsed_ms", int),
        ("boot_id", str),
        ("offset", int),
    ),
    "state": (
        ("retry_at", int),
        ("noted_at", int),
        ("failures", int),
        ("error", str),
        ("message", str),
        ("hint", str),
        ("rejected_access_key_id", str),
    ),
    "shortcut": (
        ("credentials_key", str),
        ("depends", str),
    ),
}
"""The fields of each kind in the order they are written, after ``v``, ``kind`` and ``key``."""


def encode(record: IdentityRecord | CredentialsRecord | StateRecord | ShortcutRecord) -> bytes:
    """Write *record* in its one canonical form."""
    values = _values(record)
    parts = [f'"v":{_VERSION}', f'"kind":"{record.kind}"', f'"key":"{record.key}"']
    for name, of_type in _FIELDS[record.kind]:
        value = values[name]
        parts.append(f'"{name}":"{_escape(str(value))}"' if of_type is str else f'"{name}":{value}')
    body = "{" + ",".join(parts)
    return f'{body},"sum":"{sha256(body.encode()).hexdigest()}"}}\n'.encode()


def decode_identity(key: str, data: bytes) -> IdentityRecord | None:
    """Read the identity record of *key*; None when *data* is anything else."""
    values = _parse("identity", key, data)
    return None if values is None else IdentityRecord(key=key, **values)  # type: ignore[arg-type] # by schema


def decode_credentials(key: str, data: bytes) -> CredentialsRecord | None:
    """Read the credentials record of *key*; None when *data* is anything else."""
    values = _parse("credentials", key, data)
    if values is None:
        return None
    number, text = _integers(values), _texts(values)
    issued_at, expires_at, refresh_at = number["issued_at"], number["expires_at"], number["refresh_at"]
    if not SHORTEST_LIFETIME_SECONDS <= expires_at - issued_at <= LONGEST_LIFETIME_SECONDS:
        return None
    if not issued_at <= refresh_at <= expires_at:
        return None
    try:
        credentials = checked(
            text["access_key_id"],
            text["secret_access_key"],
            text["session_token"],
            expires_at,
            text["account_id"] or None,
        )
    except CognitoCredentialsError:
        return None
    seen = ServerTime(number["wall"], number["elapsed_ms"], text["boot_id"], number["offset"])
    return CredentialsRecord(
        key=key,
        identity_id=text["identity_id"],
        credentials=credentials,
        issued_at=issued_at,
        refresh_at=refresh_at,
        seen=seen,
    )


def decode_state(key: str, data: bytes) -> StateRecord | None:
    """Read the state record of *key*; None when *data* is anything else."""
    values = _parse("state", key, data)
    return None if values is None else StateRecord(key=key, **values)  # type: ignore[arg-type] # by schema


def decode_shortcut(key: str, data: bytes) -> ShortcutRecord | None:
    """Read the shortcut record of *key*; None when *data* is anything else."""
    values = _parse("shortcut", key, data)
    return None if values is None else ShortcutRecord(key=key, **values)  # type: ignore[arg-type] # by schema


def _values(
    record: IdentityRecord | CredentialsRecord | StateRecord | ShortcutRecord,
) -> dict[str, str | int]:
    if not isinstance(record, CredentialsRecord):
        return {name: getattr(record, name) for name, _ in _FIELDS[record.kind]}
    return {
        **record.credentials.to_record(),
        "identity_id": record.identity_id,
        "issued_at": record.issued_at,
        "refresh_at": record.refresh_at,
        "wall": record.seen.wall,
        "elapsed_ms": record.seen.elapsed_ms,
        "boot_id": record.seen.boot_id,
        "offset": record.seen.offset,
    }


def _parse(kind: Kind, key: str, data: bytes) -> dict[str, str | int] | None:
    if len(data) > RECORD_LIMIT:
        return None
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return None
    body, mark, tail = text.rpartition(',"sum":"')
    if not mark or tail != f'{sha256(body.encode()).hexdigest()}"}}\n':
        return None
    rest = _after(body, f'{{"v":{_VERSION},"kind":"{kind}","key":"{key}"')
    values: dict[str, str | int] = {}
    for name, of_type in _FIELDS[kind]:
        rest = None if rest is None else _after(rest, f',"{name}":')
        if rest is None:
            return None
        value, rest = _text(rest) if of_type is str else _integer(rest)
        if value is None:
            return None
        values[name] = value
    return None if rest else values


def _after(text: str, prefix: str) -> str | None:
    return text[len(prefix) :] if text.startswith(prefix) else None


def _text(rest: str) -> tuple[str | None, str | None]:
    if not rest.startswith('"'):
        return None, None
    escaped, quote, after = rest[1:].partition('"')
    value = _unescape(escaped) if quote else None
    # There is one way to write a text: a control character in clear, or a letter escaped, is not ours.
    return (value, after) if value is not None and _escape(value) == escaped else (None, None)


def _integer(rest: str) -> tuple[int | None, str | None]:
    digits, comma, after = rest.partition(",")
    # Length first: converting thousands of digits is itself an attack, and raises on new Pythons.
    if len(digits) > 16 or not digits.removeprefix("-").isdecimal():
        return None, None
    value = int(digits)
    return (value, comma + after) if str(value) == digits and abs(value) < _LARGEST else (None, None)


def _escape(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    # Beyond the basic plane is "?": only messages for people can hold it.
    return "".join(
        c if " " <= c <= "~" and c not in '"\\' else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else "?"
        for c in text
    )


def _unescape(text: str) -> str | None:
    first, *escaped = text.split("\\")
    parts = [first]
    for part in escaped:
        code = part[1:5]
        if part[:1] != "u" or len(code) != 4 or not all(c in "0123456789abcdef" for c in code):
            return None
        parts.append(chr(int(code, 16)) + part[5:])
    return "".join(parts)


def _integers(values: Mapping[str, str | int]) -> dict[str, int]:
    return {name: value for name, value in values.items() if isinstance(value, int)}


def _texts(values: Mapping[str, str | int]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}
