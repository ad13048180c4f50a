"""
What the cache remembers, how it is written down, and `Records`, which keeps it in a store.

There are four kinds of record: the identity of a principal (kept for ever), its credentials (kept until they
expire), its state after failures (kept for a while), and the shortcut of a command line. A record is lines of
ASCII text, in an order that never changes:

    cognito-credentials 2 identity
    key 6f1e…
    identity_id us-east-1:7c0d…
    …
    sha256 d7a8…

The reader takes exactly what the writer writes. Anything else is a miss, never an error: a record that is
older, newer, cut, altered, renamed, or written by another program. An identity that a later version wrote is
`InDoubt`: nothing is written over it.

No login token, refresh token or OpenID token has a place in any record.

A cache hit of the command line loads this file: it imports only what starting Python has loaded. The parser
of JSON alone would take longer than the whole answer.
"""

from __future__ import annotations

from .. import errors
from ..clock import ServerTime, observe
from ..credentials import (
    LONGEST_LIFETIME_SECONDS,
    SHORTEST_LIFETIME_SECONDS,
    TemporaryCredentials,
    checked,
)
from ..digest import sha256
from . import InDoubt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ..clock import Clock
    from .store import Lock, Store

    Kind = Literal["identity", "credentials", "state", "shortcut"]

RECORD_LIMIT = 65_536
"""Bytes; a record has about 2,000, so a larger file is not one."""
LONGEST_RETRY_SECONDS = 700
"""A longer wait than any back-off: the clock has been set back since the state was written."""
FORGIVEN_SECONDS = 600
"""After this long, earlier failures no longer count as "in a row"."""
DROPPED_AFTER_SECONDS = 24 * 3600
"""Credentials stay in the store for a day after they expire, so that a person can look at them."""
STATE_SECONDS = 24 * 3600
"""How long a state may be of use: no back-off and no credentials last longer."""
_LARGEST = 10**14
"""Bounds every integer: milliseconds until the year 5138."""
_SEE = " (see "
"""Between a hint and the topic of its error."""


class IdentityRecord:
    """
    The identity of a principal in an identity pool.

    Args:
        key: Hash of the pool and the principal, 40 hexadecimal characters.
        identity_id: The identity id that the service gave.
        identity_pool_id: The pool, for people who list the cache.
        principal: ``guest``, ``user:<hash>`` or ``subject:<hash>``, for the same purpose.
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
    Temporary credentials.

    Args:
        key: Hash of the principal, the flow and the role, 40 hexadecimal characters.
        identity_id: The identity that the service issued them to.
        credentials: The credentials.
        issued_at: The service's time at receipt, seconds since the epoch.
        refresh_at: When to get new ones, in the service's time. The writer chooses it once, so that all
            processes agree.
        seen: The observation of the service's time at receipt.
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

    def shown(self, clock: Clock) -> dict[str, Any]:
        """Return what people may see of it, by the names of `pool.status.Status`."""
        from datetime import datetime, timezone

        return {
            "access_key_id_last4": self.credentials.access_key_id[-4:],
            "account_id": self.credentials.account_id,
            "expiration": self.credentials.expiration,
            "refresh_at": datetime.fromtimestamp(self.refresh_at, timezone.utc),
            "seconds_left": int(self.credentials.expires_at - self.seen.now(clock)),
            "clock_offset": self.seen.offset,
        }


class StateRecord:
    """
    Failures in a row, and the access key id that a service rejected; all processes share them.

    Args:
        key: The key of the credentials concerned.
        retry_at: No process asks the service earlier; seconds since the epoch on this machine's clock.
        noted_at: When this was written, on the same clock.
        failures: How many failures in a row.
        error: Class name of the error, as in `cognito_credentials.errors`; empty for none.
        message: Its message.
        hint: Its hint.
        rejected_access_key_id: Of the credentials that a service rejected; empty for none. A process that
            reads these credentials from the store replaces them first. One that holds them already does not
            look here.
        input: Hash of the logins that were refused; empty where the failure is the same for any. Only who
            would send the same logins is told.
    """

    kind: Kind = "state"
    __slots__ = (
        "error",
        "failures",
        "hint",
        "input",
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
        input: str = "",  # noqa: A002  (of the service)
    ) -> None:
        self.key = key
        self.retry_at = retry_at
        self.noted_at = noted_at
        self.failures = failures
        self.error = error
        self.message = message
        self.hint = hint
        self.rejected_access_key_id = rejected_access_key_id
        self.input = input


class ShortcutRecord:
    """
    Which credentials a command line leads to, so that the same one need not be worked out again.

    Args:
        key: Hash of the command line, the environment and the config files, 40 hexadecimal characters.
        credentials_key: The key of the credentials.
        depends: The files and variables that also decide, one a line: ``file`` or ``env``, the hash of the
            content, the name.
        facts: What commands show beside the credentials, one a line: the name, the value.
    """

    kind: Kind = "shortcut"
    __slots__ = ("credentials_key", "depends", "facts", "key")

    def __init__(self, *, key: str, credentials_key: str, depends: str, facts: str) -> None:
        self.key = key
        self.credentials_key = credentials_key
        self.depends = depends
        self.facts = facts


# How a record is written

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
        ("input", str),
    ),
    "shortcut": (
        ("credentials_key", str),
        ("depends", str),
        ("facts", str),
    ),
}
"""The fields of each kind, in the order in which they are written."""
_OPTIONAL = "input"
"""Left out where it is empty: earlier versions, which do not have it, read such records and write them."""


def encode(record: IdentityRecord | CredentialsRecord | StateRecord | ShortcutRecord) -> bytes:
    """Write *record*; there is one way to write it."""
    values: dict[str, str | int]
    if isinstance(record, CredentialsRecord):
        values = {
            **record.credentials.to_record(),
            "identity_id": record.identity_id,
            "issued_at": record.issued_at,
            "refresh_at": record.refresh_at,
            "wall": record.seen.wall,
            "elapsed_ms": record.seen.elapsed_ms,
            "boot_id": record.seen.boot_id,
            "offset": record.seen.offset,
        }
    else:
        values = {name: getattr(record, name) for name, _ in _FIELDS[record.kind]}
    return _write(record.kind, record.key, values)


def decode_identity(key: str, data: bytes) -> IdentityRecord | None:
    """Read the identity record of *key*; None when *data* is anything else."""
    values = _read("identity", key, data)
    return None if values is None else IdentityRecord(key=key, **values)  # type: ignore[arg-type]  # by schema


def decode_credentials(key: str, data: bytes) -> CredentialsRecord | None:
    """Read the credentials record of *key*; None when *data* is anything else."""
    values = _read("credentials", key, data)
    if values is None:
        return None
    number = {name: value for name, value in values.items() if isinstance(value, int)}
    text = {name: value for name, value in values.items() if isinstance(value, str)}
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
    except errors.CognitoCredentialsError:
        return None
    return CredentialsRecord(
        key=key,
        identity_id=text["identity_id"],
        credentials=credentials,
        issued_at=issued_at,
        refresh_at=refresh_at,
        seen=ServerTime(number["wall"], number["elapsed_ms"], text["boot_id"], number["offset"]),
    )


def decode_state(key: str, data: bytes) -> StateRecord | None:
    """Read the state record of *key*; None when *data* is anything else."""
    values = _read("state", key, data)
    return None if values is None else StateRecord(key=key, **values)  # type: ignore[arg-type]  # by schema


def decode_shortcut(key: str, data: bytes) -> ShortcutRecord | None:
    """Read the shortcut record of *key*; None when *data* is anything else."""
    values = _read("shortcut", key, data)
    return None if values is None else ShortcutRecord(key=key, **values)  # type: ignore[arg-type]  # by schema


def decode_json_identity(key: str, data: bytes) -> IdentityRecord | None:
    """
    Read the identity record of *key* as earlier versions wrote it; None when *data* is anything else.

    An upgrade must not cost a guest its identity.
    """
    import json  # not on a cache hit

    body, _, checksum = data.rpartition(b',"sum":"')
    if len(data) > RECORD_LIMIT or checksum != sha256(body).hexdigest().encode() + b'"}\n':
        return None
    try:
        values = json.loads(body + b"}")
    except (ValueError, RecursionError):
        return None
    types = {name: type(value) for name, value in values.items()} if isinstance(values, dict) else {}
    if types != {"v": int, "kind": str, "key": str, **dict(_FIELDS["identity"])}:
        return None
    if abs(values["obtained_at"]) >= _LARGEST:
        return None
    written = {**values, "v": 1, "kind": "identity", "key": key}
    # As in `_read`: there is one way to write it, so order, duplicates and spelling count.
    if json.dumps(written, separators=(",", ":"))[:-1].encode() != body:
        return None
    return IdentityRecord(key=key, **{name: values[name] for name, _ in _FIELDS["identity"]})


def _write(kind: Kind, key: str, values: dict[str, str | int]) -> bytes:
    lines = [f"cognito-credentials 2 {kind}", f"key {key}"]
    lines += [
        f"{name} {_escape(str(values[name]))}"
        for name, _ in _FIELDS[kind]
        if values[name] or name != _OPTIONAL
    ]
    body = "\n".join(lines) + "\n"
    return f"{body}sha256 {sha256(body.encode()).hexdigest()}\n".encode()


def _read(kind: Kind, key: str, data: bytes) -> dict[str, str | int] | None:
    fields = _FIELDS[kind]
    if len(data) > RECORD_LIMIT:
        return None
    values: dict[str, str | int] = {}
    try:
        lines = data.decode("ascii").split("\n")[2:-2]
        if len(lines) < len(fields) and fields[-1][0] == _OPTIONAL:
            fields, values = fields[:-1], {_OPTIONAL: ""}
        for (name, of_type), line in zip(fields, lines, strict=True):
            value = line.partition(" ")[2]
            values[name] = _unescape(value) if of_type is str else _integer(value)
    except ValueError:
        return None
    # Nothing above is strict. This is: order, names, duplicates, spelling of numbers and texts, checksum.
    return values if _write(kind, key, values) == data else None


def is_whole_identity(key: str, data: bytes) -> bool:
    """Tell whether *data* is as some version of ours wrote it: a later one may have other fields."""
    body, separator, checksum = data.rpartition(b"\nsha256 ")
    first, _, rest = body.partition(b"\n")
    return (
        first.startswith(b"cognito-credentials ")
        and first.endswith(b" identity")
        and f"{rest.decode('ascii', 'replace')}\n".startswith(f"key {key}\n")
        and checksum == f"{sha256(body + separator[:1]).hexdigest()}\n".encode()
    )


def _integer(text: str) -> int:
    # Length first: to convert thousands of digits takes long, and newer Pythons refuse it.
    value = int(text[:16])
    if abs(value) >= _LARGEST:
        raise ValueError("too large")
    return value


def _escape(text: str) -> str:
    """Write all but printable ASCII, and the percent sign, as ``%`` and two digits a byte of UTF-8."""
    if text.isascii() and text.isprintable() and "%" not in text:
        return text
    # Names of files may hold lone surrogates: Python's spelling of bytes that are not UTF-8.
    return "".join(
        chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x25 else f"%{byte:02x}"
        for byte in text.encode("utf-8", "surrogatepass")
    )


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    first, *escaped = text.split("%")
    data = first.encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in escaped)
    return data.decode("utf-8", "surrogatepass")


# Where records are kept


class Records:
    """
    Identity, credentials and state records in a store.

    Whatever cannot be decoded is a miss. Nothing here raises for a bad cache, but for an identity that cannot
    be read now (`InDoubt`); the store raises `CacheError` (`cache/__init__.py`).

    Args:
        store: Where the bytes are.
        clock: Decides whether the moments in records can be true.
    """

    __slots__ = ("clock", "store")

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def credentials(self, key: str) -> CredentialsRecord | None:
        """Load the credentials of *key*; None when none can be trusted."""
        data, left = self.store.load_aged("credentials", key)
        record = None if data is None else decode_credentials(key, data)
        if record is not None and left is not None:
            # Another host wrote it, whose clock may be hours off. How long it is still valid, the store says.
            record.seen = observe(self.clock, max(record.issued_at, record.credentials.expires_at - left))
        return None if record is None or record.seen.is_from_the_future(self.clock) else record

    def identity(self, key: str) -> IdentityRecord | None:
        """
        Load the identity of *key*; where there is none, the one that an earlier version has left.

        The two versions may have different guests. So the earlier version's guest must not take the place of
        one that only cannot be read.

        Raises:
            InDoubt: It cannot be read now.
        """
        return self.identity_of_this_version(key) or self._identity_of_earlier_version(key)

    def identity_of_this_version(self, key: str) -> IdentityRecord | None:
        """
        Load the identity of *key*, whatever an earlier version has left. A damaged record is set aside.

        Raises:
            InDoubt: It cannot be read now, or only by a later version.
        """
        data = self.store.load("identity", key)
        record = None if data is None else decode_identity(key, data)
        if data is not None and record is None:
            if is_whole_identity(key, data):
                raise InDoubt
            self.store.set_aside("identity", key, data)
        return record

    def _identity_of_earlier_version(self, key: str) -> IdentityRecord | None:
        data = self.store.load("identity-v1", key)
        return None if data is None else decode_json_identity(key, data)

    def identities(self) -> list[IdentityRecord]:
        """Load all identities that can be read, sorted by key."""
        found = []
        for key in sorted({*self.store.keys("identity"), *self.store.keys("identity-v1")}):
            try:
                found.append(self.identity(key))
            except InDoubt:  # noqa: PERF203  (each by itself; contextlib is not loaded on a cache hit)
                pass
        return [record for record in found if record is not None]

    def state(self, key: str) -> StateRecord:
        """Load the state of *key*; a blank one when there is none, or none whose moments can be true."""
        data, left = self.store.load_aged("state", key)
        record = None if data is None else decode_state(key, data)
        now = self.clock.wall()
        if record is not None and left is not None:
            # As with credentials: the moments are those of the clock of the host that wrote them.
            behind = int(now) - int(STATE_SECONDS - left) - record.noted_at
            record.noted_at, record.retry_at = record.noted_at + behind, record.retry_at + behind
        if record is None or record.noted_at > now + 60 or record.noted_at < now - FORGIVEN_SECONDS:
            rejected = "" if record is None else record.rejected_access_key_id
            return StateRecord(key=key, rejected_access_key_id=rejected)
        if record.retry_at > now + LONGEST_RETRY_SECONDS:
            record.retry_at = 0
        return record

    def keep(self, record: CredentialsRecord | IdentityRecord | StateRecord) -> None:
        """Store *record*."""
        data = encode(record)
        if isinstance(record, CredentialsRecord):
            left = record.credentials.expires_at - record.seen.now(self.clock)
            self.store.store(record.kind, record.key, data, left)
        elif isinstance(record, StateRecord):
            self.store.store(record.kind, record.key, data, STATE_SECONDS)
        else:
            self.store.store(record.kind, record.key, data)

    def drop_credentials(self, key: str) -> bool:
        """
        Remove the credentials of *key*, an earlier version's too, and past failures; False for none.

        Raises:
            CacheError: Something could not be removed.
        """
        self.drop_state(key)
        return self._delete("credentials-v1", "credentials", key=key)

    def drop_identity(self, key: str, refused: str | None = None) -> bool:
        """
        Remove the identity of *key*, an earlier version's too; False when there was none.

        Args:
            key: 40 hexadecimal characters.
            refused: The identity id that the service refused; None to remove any. A record of another id
                stays. So does a record of *refused* beside another one of an earlier version, which that
                version may still need: without it, the other one would be taken until the service has given
                a new identity, which is then written over it.

        Raises:
            InDoubt: A record cannot be read now. It stays. Never where any is to be removed.
            CacheError: Any was to be removed, and something could not be.
        """
        if refused is None:
            return self._delete("identity-v1", "identity", key=key)
        earlier, current = self._identity_of_earlier_version(key), self.identity_of_this_version(key)
        had_earlier = earlier is not None and earlier.identity_id == refused
        if had_earlier:
            had_earlier = bool(self.store.delete("identity-v1", key))
        is_refused = current is not None and current.identity_id == refused
        if not is_refused or self.store.load("identity-v1", key) is not None:
            return had_earlier
        return bool(self.store.delete("identity", key)) or had_earlier

    def _delete(self, *kinds: Kind | Literal["identity-v1", "credentials-v1"], key: str) -> bool:
        removed = [self.store.delete(kind, key) for kind in kinds]
        if None in removed:
            raise errors.CacheError(
                f"what is kept in {self.store.location} could not be removed",
                hint="Correct the permissions of that directory, then repeat this"
                if self.store.name == "file"
                else "Repeat this once it can be written",
            )
        return any(removed)

    def drop_state(self, key: str) -> None:
        """Forget past failures of *key*."""
        self.store.delete("state", key)

    def lock(self, key: str) -> Lock:
        """Return a handle of the lock of *key*."""
        return self.store.lock(key)

    def tidy(self, *keys: str) -> None:
        """Remove what writers of *keys* left behind when they died, and what is of no more use to anybody."""
        self.store.sweep(*keys)
        horizon = self.clock.wall() - DROPPED_AFTER_SECONDS

        def is_expired(data: bytes) -> bool:
            # The key comes from the data: the question is when these credentials end, not whose they are.
            key = data.partition(b"\nkey ")[2][:40].decode("ascii", "replace")
            record = decode_credentials(key, data)
            return record is None or record.credentials.expires_at < horizon

        self.store.prune(is_expired)


def with_topic(error: errors.CognitoCredentialsError) -> str:
    """Return the hint to remember of *error*: its topic stands at its end, where other versions show it."""
    return f"{error.hint}{_SEE}{error.topic})"


def remembered_error(state: StateRecord, now: float) -> errors.CognitoCredentialsError:
    """
    Make the error that *state* remembers, so that every process reports the cause without asking again.

    Args:
        state: One with an error.
        now: Seconds since the epoch, this machine's clock.
    """
    kind = getattr(errors, state.error, None)
    if not (isinstance(kind, type) and issubclass(kind, errors.CognitoCredentialsError)):
        kind = errors.ServiceError
    ago, left = max(0, round(now - state.noted_at)), state.retry_at - now
    hint, _, topic = state.hint.removesuffix(")").rpartition(_SEE)
    if not topic.startswith("E-"):  # an earlier version wrote it, which had no topics
        hint, topic = state.hint, ""
    return kind(
        f"{state.message} (tried {ago} s ago, next try in {max(1, round(left))} s)",
        hint=hint,
        topic=topic,
        retry_after=left if kind.retryable else None,
    )
