"""
The store that hosts share, in a Redis, a Valkey, or a cluster of them.

| name in Redis             | what                                    | goes             |
|---------------------------|-----------------------------------------|------------------|
| ``{<key>}:i``             | an identity                             | never            |
| ``{<key>}:i:aside:<hex>`` | an identity that is damaged             | never            |
| ``{<key>}:c``             | credentials                             | when they expire |
| ``{<key>}:s``             | failures, rejected credentials          | after 24 hours   |
| ``{<key>}:h``             | a shortcut                              | after 24 hours   |
| ``{<key>}:l``             | a lock: the token of its holder         | after 17 seconds |
| ``cognito-credentials``   | says with which key records are sealed  | never            |

In a cluster, the records and the lock of one key are on one server, because of the braces. What is stored
is sealed (`sealing.py`). Times are lengths, never moments: the clocks of the hosts, and that of Redis, may
differ by hours.

*Down, slow, full, read-only.* A record that cannot be read is a miss, and an identity is `InDoubt`; what
cannot be written is not kept; a lock that cannot be had is skipped. So valid credentials go on, each process
asks the service by itself, and nothing is written over an identity. There is one warning for each cause.

*To be mended by a person*: a password that is refused, another cache key, a later version of this store. That
is a `CacheError` at the first use; once the store was used, it is a warning, and all goes on as above.

Losing a lock costs calls to the service and never correctness, so there is no Redlock. Without the lock two
processes may write an identity at the same time: the later one does not write over what it has not read.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from ..errors import CacheError
from . import FORMER_KINDS, InDoubt, check_kind, checked_key
from .records import RECORD_LIMIT
from .redis_errors import NO_ANSWER, RedisRefused, RedisUnavailable
from .sealing import Unopened

if TYPE_CHECKING:
    from collections.abc import Callable

    from .redis_connection import RedisConnection
    from .sealing import Opened, Sealer

T = TypeVar("T")

LOCK_SECONDS: Final = 17.0
"""
How long a holder that died keeps others waiting: longer than a refresh may take, shorter than they wait.

A holder that takes longer loses the lock, which costs a call.
"""
_PASSING_SECONDS: Final = 24 * 3600
"""How long a state or a shortcut stays, and credentials whose end nobody told."""
_LETTERS: Final = {"identity": "i", "credentials": "c", "state": "s", "shortcut": "h"}
_CHECK: Final = "cognito-credentials"
"""The name of what says with which key records are sealed."""
_CHECKED: Final = b"cognito-credentials 2"
_GONE_ON: Final = "; going on without it: each process asks AWS by itself, and remembers in memory only"

_LOAD: Final = "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}"
_REPLACE: Final = """
local found = redis.call('GET', KEYS[1])
if found == ARGV[2] then return 1 end
if (found or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""
"""Stores ARGV[2] in place of ARGV[1]; an empty one is none."""
_SET_ASIDE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
"""
_DROP: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
_LOCK: Final = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return 0
"""
"""A command may be sent twice (`redis_connection.py`), so who has the lock by the first one gets it."""


class _Read(NamedTuple):
    """What a thread read last of an identity."""

    name: str
    stored: bytes


class RedisStore:
    """
    A store in Redis; any number of them, on any number of hosts, may share one.

    Args:
        connection: To the Redis.
        sealer: Seals what is stored there.
    """

    name = "redis"
    __slots__ = ("_endless", "_is_checked", "_is_used", "_last", "_sealer", "connection", "location")

    def __init__(self, connection: RedisConnection, sealer: Sealer) -> None:
        self.connection = connection
        self.location = connection.location
        self._sealer = sealer
        self._is_checked = False
        self._is_used = False
        """Whether it was used once: then nothing that a person has to mend is an error any more."""
        self._endless: set[str] = set()
        """Keys of credentials whose end nobody told this object."""
        self._last = threading.local()

    def __repr__(self) -> str:
        return f"RedisStore({self.location!r})"

    def load(self, kind: str, key: str) -> bytes | None:
        """Load a record; see `store.Store`."""
        return self.load_aged(kind, key)[0]

    def load_aged(self, kind: str, key: str) -> tuple[bytes | None, float | None]:
        """Load a record, and how long it is still of use; see `store.Store`."""
        check_kind(kind)
        name = _name(kind, key)
        if kind in FORMER_KINDS:  # no earlier version kept anything here
            return None, None

        def read() -> tuple[bytes | None, float | None]:
            found = self.connection.script(_LOAD, [name], [])
            if not (isinstance(found, list) and len(found) == 2 and isinstance(found[1], int)):
                raise RedisUnavailable(NO_ANSWER)
            stored, left = found
            if kind == "identity":
                self._last.read = _Read(name, stored or b"")
            if stored is None:
                return None, None
            opened = self._open(kind, name, stored)
            if opened is None:
                return None, None
            if opened.is_of_old_key and kind == "identity":
                self._seal_again(name, stored, opened.data)
            return opened.data, left / 1000 if left > 0 else None

        found = self._do(read, None)
        if found is not None:
            return found
        if kind == "identity":
            raise InDoubt
        return None, None

    def _open(self, kind: str, name: str, stored: object) -> Opened | None:
        """
        Open what is stored; None for a miss.

        Raises:
            InDoubt: It is an identity, and this process cannot read it.
        """
        try:
            if not isinstance(stored, bytes):
                raise Unopened("is damaged")
            return self._sealer.open(name, stored)
        except Unopened as unopened:
            reason, is_damaged = unopened.reason, unopened.is_damaged
        self.connection.warn_once(f"{kind} {reason}", f"the record {name} ({kind}) {reason}, and is not used")
        if kind != "identity":
            return None
        if not is_damaged or not self._rename_aside(name, stored):
            raise InDoubt
        return None

    def _seal_again(self, name: str, stored: bytes, data: bytes) -> None:
        """Seal an identity with the new key; should that fail, the old one still opens it."""
        sealed = self._sealer.seal(name, data)
        try:
            if self.connection.script(_REPLACE, [name], [stored, sealed]):
                self._last.read = _Read(name, sealed)
        except RedisUnavailable:
            pass

    def set_aside(self, kind: str, key: str, data: bytes) -> None:
        """Take a damaged record out of use; see `store.Store`."""
        name = _name(kind, key)

        def aside() -> bool:
            stored = self.connection.run("GET", name)
            if stored is not None and self._is(name, stored, data) and self._rename_aside(name, stored):
                self.connection.warn_once(name, f"the identity in {name} is damaged, and was set aside")
            return True

        if self._do(aside, None) is None:
            raise InDoubt

    def _is(self, name: str, stored: bytes, data: bytes) -> bool:
        try:
            return self._sealer.open(name, stored).data == data
        except Unopened:
            return False

    def _rename_aside(self, name: str, stored: object) -> bool:
        if not isinstance(stored, bytes):
            return False
        return bool(
            self.connection.script(_SET_ASIDE, [name, f"{name}:aside:{os.urandom(6).hex()}"], [stored])
        )

    def store(self, kind: str, key: str, data: bytes, seconds: float | None = None) -> None:
        """Store a record; see `store.Store`."""
        check_kind(kind)
        name = _name(kind, key)
        if kind in FORMER_KINDS or len(data) > RECORD_LIMIT:
            return
        sealed = self._sealer.seal(name, data)
        if kind == "identity":
            self._do(lambda: self._store_identity(name, sealed), None)
            return
        if kind == "credentials":
            (self._endless.add if seconds is None else self._endless.discard)(key)
        milliseconds = max(1, int(1000 * (_PASSING_SECONDS if seconds is None else seconds)))
        self._do(lambda: self.connection.run("SET", name, sealed, "PX", milliseconds), None)

    def _store_identity(self, name: str, sealed: bytes) -> None:
        """Store an identity, unless another one is there than this thread has read."""
        read: _Read | None = getattr(self._last, "read", None)
        if read is None or read.name != name:
            self.connection.run("SET", name, sealed)
        elif not self.connection.script(_REPLACE, [name], [read.stored, sealed]):
            self.connection.warn_once(name, f"the identity in {name} was changed meanwhile, and stays")
        self._last.read = None

    def delete(self, kind: str, key: str) -> bool | None:
        """Remove a record; see `store.Store`."""
        check_kind(kind)
        name = _name(kind, key)
        if kind in FORMER_KINDS:
            return False
        return self._do(lambda: bool(self.connection.run("DEL", name)), None)

    def keys(self, kind: str) -> list[str]:
        """List the records of a kind; see `store.Store`."""
        check_kind(kind)
        if kind in FORMER_KINDS:
            return []
        letter = _LETTERS[kind]
        none: list[bytes] = []
        found = self._do(lambda: self.connection.keys(f"{{*}}:{letter}"), none)
        return sorted(key for name in found if (key := _key_in(name, letter)) is not None)

    def lock(self, key: str) -> RedisLock:
        """Make a handle of a lock; see `store.Store`."""
        return RedisLock(f"{{{checked_key(key)}}}:l", self)

    def sweep(self, *keys: str) -> None:
        """Do nothing: an interrupted writer leaves nothing in Redis."""
        for key in keys:
            checked_key(key)

    def prune(self, is_expired: Callable[[bytes], bool]) -> int:
        """Drop expired credentials whose end nobody told; all others go by themselves; see `store.Store`."""
        return sum(self._drop_if(key, is_expired) for key in sorted(self._endless))

    def _drop_if(self, key: str, is_expired: Callable[[bytes], bool]) -> bool:
        name = _name("credentials", key)

        def drop() -> bool:
            stored = self.connection.run("GET", name)
            opened = None if stored is None else self._open("credentials", name, stored)
            if opened is None or not is_expired(opened.data):
                return False
            self._endless.discard(key)
            return bool(self.connection.script(_DROP, [name], [stored]))

        return self._do(drop, False)

    def problem(self) -> str | None:
        """Say why nothing can be kept here; None for no known reason."""
        try:
            self.look()
        except RedisUnavailable as error:
            return error.cause
        return None

    @property
    def is_sealed(self) -> bool:
        """Whether a key seals what is kept here."""
        return self._sealer.has_key

    def look(self) -> None:
        """
        See whether it answers, and whether what is kept here can be opened; nothing is changed.

        Raises:
            RedisUnavailable: It does not, or it cannot.
        """
        self._is_marked()

    def delete_asides(self) -> int:
        """Remove the identities that were set aside; return how many."""

        def delete() -> int:
            return sum(
                bool(self.connection.run("DEL", name)) for name in self.connection.keys("{*}:i:aside:*")
            )

        return self._do(delete, 0)

    def attempt(self, work: Callable[[], T]) -> T:
        """
        Do *work* with the connection.

        Raises:
            RedisUnavailable: It was not done, and there was a warning.
            CacheError: A person has to mend something, and this is the first use.
        """
        try:
            self._check()
            done = work()
        except RedisUnavailable as error:
            problem = error.again()
        else:
            self._is_used = True
            return done
        if isinstance(problem, RedisRefused) and not self._is_used:
            raise CacheError(
                f"the cache in {self.location}: {problem.cause}", hint=problem.hint, topic="E-REDIS"
            )
        self._is_used = True
        self.connection.warn_once(problem.cause, f"{problem.cause}{_GONE_ON}")
        raise problem

    def _do(self, work: Callable[[], T], otherwise: T) -> T:
        """Return what *work* returns, or *otherwise* where the Redis does not do it."""
        try:
            return self.attempt(work)
        except RedisUnavailable:
            return otherwise

    def _check(self) -> None:
        """
        Before all else: see whether this store can be read, and say with which key it is sealed.

        Raises:
            RedisRefused: It was sealed with another key, or written by a later version.
        """
        if self._is_checked:
            return
        is_marked, stored = self._is_marked()
        if not is_marked:
            try:
                self.connection.script(_REPLACE, [_CHECK], [stored, self._sealer.seal(_CHECK, _CHECKED)])
            except RedisRefused:
                raise
            except RedisUnavailable:
                pass  # it is full, or a replica: what is there can be read
        self._is_checked = True

    def _is_marked(self) -> tuple[bool, bytes]:
        """
        Tell whether this store says that the first of our keys seals it, and return what says so.

        Raises:
            RedisRefused: Another key does, or a later version wrote it.
        """
        stored = self.connection.run("GET", _CHECK)
        if stored is None:
            return False, b""
        try:
            opened = self._sealer.open(_CHECK, stored if isinstance(stored, bytes) else b"")
            if opened.data != _CHECKED:
                raise Unopened("was written by a later version")
            return not opened.is_of_old_key, stored
        except Unopened as unopened:
            reason, is_damaged = unopened.reason, unopened.is_damaged
        if is_damaged:
            raise RedisUnavailable(f"what is kept there {reason}")
        raise RedisRefused(f"what is kept there {reason}", _HINTS.get(reason, _USE_ANOTHER))


_USE_ANOTHER: Final = "Use another database of this Redis, or another Redis"
_HINTS: Final = {
    "was sealed with another cache_key": "Set cache_key to that key, or to NEW,OLD while it is being changed",
    "is sealed, and no cache_key is set": "Set cache_key, the same on all hosts",
    "is not sealed, and cache_key is set": (
        "Take the identities along: back them up without the key, empty the database, restore with the key"
    ),
    "was written by a later version": "Upgrade cognito-credentials on this host",
}


class RedisLock:
    """One handle of the lock of one key; see `store.Lock`."""

    __slots__ = ("_name", "_pid", "_store", "_token", "degraded")

    def __init__(self, name: str, store: RedisStore) -> None:
        self.degraded = False
        self._name = name
        self._store = store
        self._token = ""
        self._pid = 0

    def acquire(self) -> bool:
        """Try once, without waiting; see `store.Lock`."""
        if self._token and self._pid == os.getpid():
            return False
        token = os.urandom(16).hex()
        milliseconds = int(LOCK_SECONDS * 1000)

        def take() -> bool:
            taken = self._store.connection.script(_LOCK, [self._name], [token, milliseconds])
            if taken not in (0, 1):
                raise RedisUnavailable(NO_ANSWER)
            return bool(taken)

        try:
            is_taken = self._store.attempt(take)
        except RedisUnavailable:
            self.degraded = True
            return True
        self.degraded = False
        if is_taken:
            self._token, self._pid = token, os.getpid()
        return is_taken

    def release(self) -> None:
        """Release the lock if this handle holds it, and nobody else has it by now."""
        token, self._token = self._token, ""
        if token and self._pid == os.getpid():  # a forked child has the handle, and not the lock
            try:
                self._store.connection.script(_DROP, [self._name], [token])
            except RedisUnavailable:
                pass  # it ends by itself


def _name(kind: str, key: str) -> str:
    return f"{{{checked_key(key)}}}:{_LETTERS.get(kind, '')}"


def _key_in(name: bytes, letter: str) -> str | None:
    text = name.decode("ascii", "replace")
    key = text[1:41]
    try:
        return key if text == f"{{{checked_key(key)}}}:{letter}" else None
    except ValueError:
        return None
