"""
The store on disk: one file a record, one lock file a key, in a directory that is the user's alone.

| file                           | goes (`FileStore.prune`) when                                          |
|--------------------------------|------------------------------------------------------------------------|
| ``identity-v2-<key>.txt``      | never                                                                  |
| ``<identity>.<hex>.aside``     | never: an identity that is damaged, or that others could have written  |
| ``credentials-v2-<key>.txt``   | 24 hours old, and expired long ago (the caller decides)                |
| ``state-v2-<key>.txt``         | 24 hours old: no back-off and no credentials last that long            |
| ``shortcut-v2-<key>.txt``      | 24 hours old: it is soon made anew                                     |
| ``<kind>-v1-<key>.json``       | 24 hours old: a record of an earlier version; but identities never     |
| ``lock-v1-<key>.lock``         | an hour old, and no record of its key is left; it is always empty      |
| ``.<record>.<pid>.<hex>.tmp``  | 60 seconds old: its writer is dead, and it may hold a secret           |
| ``pruned``                     | when all is cleared; it is always empty                                |

A record is replaced whole, never changed in place. Records go by their age, and none goes because there are
many: a process may have any number of users. Each refresh looks at all files for what may go. Where they are
more than a hundred, one process does so once an hour, and leaves the time of that in ``pruned`` for all.
Each store object then looks for half-written records, at its first refresh and once a minute.

What happens when the directory cannot be written or used is said in one place, the map of this folder
(`cache/__init__.py`).

A cache hit of the command line loads this file: filelock is imported when a lock is asked for.
"""

from __future__ import annotations

import errno
import os
import time

from ..errors import CacheError, replaced
from . import (
    FORMER_KINDS,
    IDENTITY_KINDS,
    KINDS,
    InDoubt,
    check_kind,
    key_in,
    lock_name,
    record_name,
)
from .directory import (
    ON_WINDOWS,
    STALE_SECONDS,
    STAMP_NAME,
    Directory,
    UntrustedFile,
    UnusableDirectory,
    check_above,
    open_directory,
)
from .records import RECORD_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from .store import Lock

    Result = TypeVar("Result")

_UNUSED_SECONDS = 24 * 3600
_UNUSED_LOCK_SECONDS = 3600
"""A refused login token leaves only a lock file. Removing one that is then used again costs nothing."""
_IDENTITY_PAUSES = (0.01, 0.05, None)
"""Seconds between the tries to read an identity; after the last one it is in doubt."""
_MANY_FILES = 100
"""More than this many take a millisecond to look at, and each refresh of thousands of users would do so."""
_PRUNED_EVERY = 3600.0
"""Seconds between two looks, by any process, at many files for what may go."""
_SWEPT_EVERY = 60.0
"""Seconds between two looks of one store object at many files for half-written records."""
_DROPPED_BY_AGE = ("state", "shortcut", *(kind for kind in FORMER_KINDS if kind not in IDENTITY_KINDS))
_TEMPORARY = (*(f".{kind}-v2-" for kind in KINDS), *(f".{kind}-" for kind in FORMER_KINDS))
"""The beginnings of the names of half-written records."""
_NOT_WRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
"""Errors of writing that stay until somebody changes the directory or its file system."""
NOTHING_KEPT = (
    "nothing new is kept: each start asks AWS again, and a guest without a stored identity is another guest "
    "each time; set AWS_COGNITO_CACHE_DIR to a directory that can be written"
)
"""What follows from a directory that cannot be written, for people."""
_CORRECT = "Correct it or choose another directory"


class FileStore:
    """
    A store of files; any number of them, in any number of processes, may share a directory.

    Args:
        directory: Absolute path; made at the first write, or at the first use if *explicit*.
        explicit: Whether the user set the cache or its directory. Then a directory that cannot be used is an
            error (`CacheError`), until it has worked once.
        warn: Takes one line, once for each cause, when something does not work and we go on without.
        windows: Whether the rules of Windows apply.
    """

    name = "file"
    __slots__ = (
        *("_explicit", "_has_worked", "_lock_errors", "_prune_at", "_sweep_at"),
        *("_warn", "_warned", "_windows", "location"),
    )

    def __init__(
        self, directory: str, *, explicit: bool, warn: Callable[[str], None], windows: bool = ON_WINDOWS
    ) -> None:
        self.location = directory
        self._explicit = explicit
        self._warn = warn
        self._windows = windows
        self._has_worked = False
        self._prune_at = self._sweep_at = 0.0  # by `time.monotonic`
        self._warned: set[str] = set()
        self._lock_errors: set[int] = set()

    def __repr__(self) -> str:
        return f"FileStore({self.location!r})"

    def load(self, kind: str, key: str) -> bytes | None:
        """Load a record; see `store.Store`."""
        name = record_name(kind, key)
        if kind not in IDENTITY_KINDS:
            return self._do("read", lambda directory: self._read_or_warn(directory, name), None)
        # A guest's identity is lost for ever with its record, so a short fault is waited out. It is of little
        # use to others who could read it; what they could have written is kept, but not used.
        for pause in _IDENTITY_PAUSES:
            try:
                return self._work(lambda directory: directory.read(name, tighten=True), None)
            except UntrustedFile as untrusted:  # noqa: PERF203  (trying again is what the loop is for)
                self._set_aside(name, untrusted.reason, untrusted.found)
                return None
            except OSError as error:
                if pause is None:
                    self._degrade("read", error)
                else:
                    time.sleep(pause)
        raise InDoubt

    def _read_or_warn(self, directory: Directory, name: str) -> bytes | None:
        try:
            return directory.read_or_remove(name)
        except UntrustedFile as untrusted:
            end = "was removed" if untrusted.is_gone else "is not used"
            self._warn_once(untrusted.reason, f"{name} {untrusted.reason}, and {end}")
            return None

    def load_aged(self, kind: str, key: str) -> tuple[bytes | None, float | None]:
        """Load a record, whose age this machine's clock tells; see `store.Store`."""
        return self.load(kind, key), None

    def set_aside(self, kind: str, key: str, data: bytes) -> None:
        """Take a damaged record out of use; see `store.Store`."""
        name = record_name(kind, key)

        def found(directory: Directory) -> os.stat_result | None:
            found = directory.stat(name)
            return found if directory.read(name) == data else None

        try:
            still = self._work(found, None)
        except FileNotFoundError:
            return
        except (OSError, UntrustedFile):
            raise InDoubt from None
        if still is not None:
            self._set_aside(name, "is damaged", still)

    def _set_aside(self, name: str, reason: str, found: os.stat_result) -> None:
        try:
            aside = self._work(lambda directory: directory.set_aside_if_still(name, found), None)
        except OSError as error:
            self._degrade("rename in", error)
            raise InDoubt from None
        if aside is None:
            raise InDoubt  # another process has replaced it meanwhile
        self._warn_once(
            aside, f"the identity in {name} is not used, since that file {reason}; it was renamed to {aside}"
        )

    def store(self, kind: str, key: str, data: bytes, seconds: float | None = None) -> None:  # noqa: ARG002  (its clock tells)
        """Store a record; see `store.Store`."""
        name = record_name(kind, key)
        if len(data) > RECORD_LIMIT:
            self._degrade("write", OSError(errno.EFBIG, os.strerror(errno.EFBIG)))
            return

        def write(directory: Directory) -> None:
            directory.write(name, data, durable=kind == "identity")

        try:
            try:
                self._work(write, None, create=True)
            except FileNotFoundError:
                # Meanwhile the directory was deleted, or our temporary file was swept: once more.
                self._work(write, None, create=True)
        except InDoubt:
            pass  # an unusable directory; `_open` has said so
        except OSError as error:
            self._degrade("write", error)

    def delete(self, kind: str, key: str) -> bool | None:
        """Remove a record; see `store.Store`."""
        name = record_name(kind, key)

        def removed(directory: Directory) -> bool | None:
            return directory.remove(name)

        return self._do("delete from", removed, None) if os.path.lexists(self.location) else False

    def delete_asides(self) -> int:
        """Remove the identities that were set aside; return how many."""
        return self._do("delete from", lambda directory: directory.remove_asides(), 0)

    def keys(self, kind: str) -> list[str]:
        """List the records of a kind; see `store.Store`."""
        check_kind(kind)

        def listed(directory: Directory) -> list[str]:
            return sorted(key for name in directory.names() if (key := key_in(name, kind)))

        return self._do("list", listed, [])

    def problem(self) -> str | None:
        """Say why nothing can be kept here, without making or changing anything; None for no known reason."""
        try:
            directory = open_directory(self.location, create=False, windows=self._windows)
        except UnusableDirectory as error:
            return f"it {error.reason}"
        except OSError as error:
            return error.strerror or type(error).__name__
        if directory is not None:
            directory.close()
        place, missing = self.location, []
        while not os.path.exists(place) and os.path.dirname(place) != place:
            place, name = os.path.split(place)
            missing.append(name)
        if not self._windows:
            try:
                check_above(os.stat(place), missing)
            except UnusableDirectory as error:
                return f"it {error.reason}"
            except OSError as error:
                return error.strerror or type(error).__name__
        return None if os.access(place, os.W_OK | os.X_OK) else f"{place} cannot be written"

    def lock(self, key: str) -> Lock:
        """Make a handle of a lock; see `store.Store`."""
        from ..importing import IMPORTING

        with IMPORTING:
            from . import lock

        path = os.path.join(self.location, lock_name(key))
        if self._lock_errors & lock.LASTING:
            return lock.NoLock()
        return lock.FileLock(path, self._prepare, self._lock_failed)

    def sweep(self, *keys: str) -> None:
        """Remove half-written records of *keys*; see `store.Store`."""
        prefixes = tuple(f".{record_name(kind, key)}." for key in keys for kind in (*KINDS, *FORMER_KINDS))
        now = time.monotonic()
        if now < self._sweep_at:
            return
        if now < self._prune_at:  # there are many files
            self._sweep_at = now + _SWEPT_EVERY
            self._sweep(_TEMPORARY, older_than=STALE_SECONDS)
        # Without a working lock another writer may be at work right now.
        self._sweep(prefixes, older_than=STALE_SECONDS if self._lock_errors else 0)

    def sweep_all(self) -> None:
        """
        Remove every half-written record of any key and age; a writer that is at work writes once more.

        The next `prune` looks at all files, however short a time ago one did.
        """
        self._sweep(_TEMPORARY, older_than=0)
        self._do("sweep", lambda directory: directory.remove(STAMP_NAME), False)
        self._prune_at = 0.0

    def _sweep(self, prefixes: tuple[str, ...], *, older_than: float) -> None:
        self._do("sweep", lambda directory: directory.sweep(prefixes, older_than=older_than), None)

    def prune(self, is_expired: Callable[[bytes], bool]) -> int:
        """Remove what the table above says; see `store.Store`."""

        def pruned(directory: Directory) -> int:
            directory.sweep(_TEMPORARY, older_than=STALE_SECONDS)
            age = directory.age(STAMP_NAME)
            if age is not None and 0 <= age < _PRUNED_EVERY:
                self._prune_at = now + _PRUNED_EVERY - age
                return 0
            names = set(directory.names())
            if len(names) > _MANY_FILES:
                self._prune_at = now + _PRUNED_EVERY
                directory.stamp()  # first, so that no other process does the same meanwhile
            passing = [name for name in names if not _lasts(name, names)]
            # Listed first: trying a lock may renew the time stamp of its file.
            locks = [name for name in passing if key_in(name, "lock")]
            unused_locks = [name for name in locks if directory.is_older(name, _UNUSED_LOCK_SECONDS)]
            unused = [name for name in passing if directory.is_older(name, _UNUSED_SECONDS)]
            dropped = 0
            for name in unused:
                if key_in(name, "credentials"):
                    # Without a lock: whoever renews credentials holds the lock of another key, that of the
                    # identity. A record that was renewed since the look at it is another file, and stays. At
                    # worst, in the microseconds between the last look and the removal, a renewal is lost and
                    # made again.
                    dropped += directory.remove_if(name, is_expired)
                elif any(key_in(name, kind) for kind in _DROPPED_BY_AGE):
                    directory.remove(name)
            for name in unused_locks:
                if key := key_in(name, "lock"):
                    _drop_lock(directory, key, self.lock(key))
            return dropped

        now = time.monotonic()
        if now < self._prune_at:
            return 0
        return self._do("prune", pruned, 0)

    def _do(self, verb: str, work: Callable[[Directory], Result], otherwise: Result) -> Result:
        """Return what *work* returns, or *otherwise* when the directory is missing or fails."""
        try:
            return self._work(work, otherwise)
        except InDoubt:
            pass  # an unusable directory; `_open` has said so
        except OSError as error:
            self._degrade(verb, error)
        return otherwise

    def _work(
        self, work: Callable[[Directory], Result], otherwise: Result, *, create: bool = False
    ) -> Result:
        directory = self._open(create=create)
        if directory is None:
            return otherwise
        with directory:
            return work(directory)

    def _open(self, *, create: bool = False) -> Directory | None:
        """
        Open the directory; None when it is missing.

        Raises:
            InDoubt: It is unusable.
            OSError: It cannot be opened now.
        """
        if self._explicit and not self._has_worked:
            directory = self._open_first()
        else:
            # After it has worked, a fault of the disk must not take away credentials that are still valid.
            try:
                directory = open_directory(self.location, create=create, windows=self._windows)
            except UnusableDirectory as error:
                self._warn_once(error.reason, f"{error.reason}. {error.remedy}")
                raise InDoubt from None
        self._has_worked = self._has_worked or directory is not None
        return directory

    def _open_first(self) -> Directory | None:
        """Open or make an explicit directory, also to read: an error has to come before a call to AWS."""

        def refused(reason: str, remedy: str) -> CacheError:
            return CacheError(f"cache directory {self.location} {reason}", hint=remedy)

        with (
            replaced(UnusableDirectory, by=lambda error: refused(error.reason, error.remedy)),
            replaced(OSError, by=lambda error: refused(f"cannot be used: {error.strerror}", _CORRECT)),
        ):
            return open_directory(self.location, create=True, windows=self._windows)

    def _prepare(self) -> bool:
        """Make the directory for a lock file; False when there will be none."""
        try:
            directory = self._open(create=True)
        except InDoubt:
            return False
        except OSError as error:
            self._lock_failed(error)
            return False
        if directory is not None:
            directory.close()
        return directory is not None

    def _lock_failed(self, error: OSError) -> None:
        self._lock_errors.add(error.errno or 0)
        self._degrade("lock", error)

    def _degrade(self, verb: str, error: OSError) -> None:
        cause = error.strerror or type(error).__name__
        if verb in ("write", "lock") and error.errno in _NOT_WRITABLE:
            # Said once even if a read has failed for the same cause: the user has to know what follows.
            self._warn_once(f"{cause}; {NOTHING_KEPT}", f"cannot {verb} it: {cause}; {NOTHING_KEPT}")
            self._warned.add(cause)
        else:
            # Whoever wanted something removed decides whether to go on.
            end = "" if verb.startswith("delete") else "; going on without"
            self._warn_once(cause, f"cannot {verb} it: {cause}{end}")

    def _warn_once(self, cause: str, text: str) -> None:
        if cause not in self._warned:
            self._warned.add(cause)
            self._warn(f"cache directory {self.location}: {text}")


def _lasts(name: str, names: set[str]) -> bool:
    """Tell, by the *names* alone, whether file *name* stays at any age: an identity, or the lock of one."""
    if name.startswith("identity-"):
        return True
    key = key_in(name, "lock") if name.startswith("lock-") else None
    return key is not None and any(record_name(kind, key) in names for kind in IDENTITY_KINDS)


def _drop_lock(directory: Directory, key: str, handle: Lock) -> None:
    """
    Remove the lock file of *key* when no record of *key* is left.

    Two processes that lock two files of one name both believe that they hold the lock. A lock file is
    therefore removed only by a process that holds it, and a process that then wins the lock of the removed
    file notices (`lock.py`) and tries again on the new one. One race is left: a process that opens the name
    anew between the removal and the release shares the key with us for that moment, in which we only
    release. Windows removes no open file. There the lock is released first, and the removal fails, as it
    should, when somebody else has the file open.
    """
    if not handle.acquire():
        return
    try:
        names = [record_name(kind, key) for kind in (*KINDS, *FORMER_KINDS)]
        if handle.degraded or any(directory.age(name) is not None for name in names):
            return
        if directory.is_by_path:
            handle.release()
        directory.remove(lock_name(key))
    except PermissionError:
        if not directory.is_by_path:
            raise
    finally:
        handle.release()
