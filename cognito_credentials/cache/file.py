"""
The store on disk: one file a record, one lock file a key, in a directory that is ours alone.

    <kind>-v1-<key>.json              a record; replaced whole, never changed in place
    lock-v1-<key>.lock                empty
    .<record's name>.<pid>.<hex>.tmp  a record being written; left behind only by a crash, then swept

Loading works on the fast path of the command line: filelock is imported when a lock is asked for.

A disk that fails, fills up or cannot be written is not the user's errand: it costs the memory between
processes, and one warning for each cause. Only a directory that the user asked for (*strict*) and that
cannot be used at all is an error, and only until it has worked once.
"""

from __future__ import annotations

import errno
import os

from ..errors import CacheError
from . import KINDS, key_in, lock_name, record_name
from .directory import Directory
from .record import RECORD_LIMIT
from .verify import ON_WINDOWS, UnusableDirectory, open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import Lock


_NO_WRITING = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_CONSEQUENCE = (
    "going on without, so that each start makes another guest identity; "
    "set AWS_COGNITO_CACHE_DIR to a directory that can be written"
)


class FileStore:
    """
    A store of files; any number of them, in any number of processes, may share a directory.

    Args:
        directory: Absolute path; made when first written to.
        strict: The directory was asked for explicitly: when it cannot be used, say so (`CacheError`).
        warn: Takes one line, once for each cause, when something does not work and we go on without.
        windows: Which system's rules to keep.
    """

    name = "file"
    __slots__ = ("_has_worked", "_lock_errors", "_strict", "_warn", "_warned", "_windows", "location")

    def __init__(
        self, directory: str, *, strict: bool, warn: Callable[[str], None], windows: bool = ON_WINDOWS
    ) -> None:
        self.location = directory
        self._strict = strict
        self._warn = warn
        self._windows = windows
        self._has_worked = False
        self._warned: set[str] = set()
        self._lock_errors: set[int] = set()

    def __repr__(self) -> str:
        return f"FileStore({self.location!r})"

    def load(self, kind: str, key: str) -> bytes | None:
        """Return what was stored; None for a miss, and any doubt is a miss."""
        name = record_name(kind, key)
        try:
            directory = self._open()
            if directory is None:
                return None
            with directory:
                # A guest's identity is lost for ever with its record, and reading it gives nobody anything;
                # credentials are only fetched again.
                return directory.read(name, tighten=kind == "identity")
        except OSError as error:
            self._degrade("read", error)
            return None

    def store(self, kind: str, key: str, data: bytes) -> None:
        """Keep *data*, whole or not at all; where that fails, what was there stays."""
        name = record_name(kind, key)
        if len(data) > RECORD_LIMIT:
            self._degrade("write", OSError(errno.EFBIG, os.strerror(errno.EFBIG)))
            return
        try:
            try:
                self._write(name, data, durable=kind == "identity")
            except FileNotFoundError:
                # The directory was deleted, or our temporary file swept, under our hands: once more.
                self._write(name, data, durable=kind == "identity")
        except OSError as error:
            self._degrade("write", error)

    def _write(self, name: str, data: bytes, *, durable: bool) -> None:
        directory = self._open(create=True)
        if directory is not None:
            with directory:
                directory.write(name, data, durable=durable)

    def delete(self, kind: str, key: str) -> bool:
        """Forget; True when something was there."""
        name = record_name(kind, key)
        try:
            directory = self._open()
            if directory is None:
                return False
            with directory:
                return directory.remove(name)
        except OSError as error:
            self._degrade("delete from", error)
            return False

    def keys(self, kind: str) -> list[str]:
        """Return the keys under which something is stored, sorted."""
        if kind not in KINDS:
            raise ValueError("a record is one of " + ", ".join(KINDS))
        try:
            directory = self._open()
            if directory is None:
                return []
            with directory:
                return sorted(key for name in directory.names() if (key := key_in(name, kind)))
        except OSError as error:
            self._degrade("list", error)
            return []

    def problem(self) -> str | None:
        """Say why nothing can be kept here, making nothing; None where there is no reason to be seen."""
        try:
            directory = open_directory(self.location, create=False, windows=self._windows)
        except UnusableDirectory as error:
            return f"it {error.reason}"
        except OSError as error:
            return error.strerror or type(error).__name__
        if directory is not None:
            directory.close()
        place = self.location
        while not os.path.exists(place) and os.path.dirname(place) != place:
            place = os.path.dirname(place)
        return None if os.access(place, os.W_OK | os.X_OK) else f"{place} cannot be written"

    def lock(self, key: str) -> Lock:
        """Return a new handle of the lock of *key*, not held."""
        from . import lock

        path = os.path.join(self.location, lock_name(key))
        if self._lock_errors & lock.LASTING:
            return lock.NoLock()
        return lock.FileLock(path, self._prepare, self._lock_failed)

    def sweep(self, key: str) -> None:
        """Remove what interrupted writers of *key* left behind. Call it with the lock of *key* held."""
        prefixes = tuple(f".{record_name(kind, key)}." for kind in KINDS)
        try:
            directory = self._open()
            if directory is not None:
                from .prune import STALE_SECONDS, sweep

                with directory:
                    # Without a working lock another writer may be at work right now.
                    sweep(directory, prefixes, older_than=STALE_SECONDS if self._lock_errors else 0)
        except OSError as error:
            self._degrade("sweep", error)

    def sweep_all(self) -> None:
        """Remove every half-written record, of any key and age; a writer that lives writes its own again."""
        try:
            directory = self._open()
            if directory is not None:
                from .prune import sweep

                with directory:
                    sweep(directory, tuple(f".{kind}-v1-" for kind in KINDS), older_than=0)
        except OSError as error:
            self._degrade("sweep", error)

    def prune(self, is_expired: Callable[[bytes], bool]) -> int:
        """
        Drop credentials that nobody will miss: the expired, and the oldest beyond `MOST_CREDENTIALS`.

        Identities are never dropped; see `prune.py` for what else goes.

        Args:
            is_expired: Says of stored credentials whether they ended long ago, or cannot be read.

        Returns:
            How many credentials records were dropped.
        """
        from .prune import prune

        try:
            directory = self._open()
            if directory is None:
                return 0
            with directory:
                return prune(directory, self.lock, is_expired)
        except OSError as error:
            self._degrade("prune", error)
            return 0

    def _open(self, *, create: bool = False) -> Directory | None:
        """Open the directory; None when it is missing or unusable. Errors of the disk are the caller's."""
        # Asked for explicitly, it is made at once: better a refusal now than after the call to the service.
        create = create or (self._strict and not self._has_worked)
        try:
            directory = open_directory(self.location, create=create, windows=self._windows)
        except UnusableDirectory as error:
            self._refuse(error.reason, error.remedy)
            self._warn_once(error.reason, f"{error.reason}. {error.remedy}")
            return None
        except OSError as error:
            self._refuse(f"cannot be used: {error.strerror}", "Correct it or choose another directory")
            raise
        self._has_worked = self._has_worked or directory is not None
        return directory

    def _refuse(self, reason: str, remedy: str) -> None:
        # Once it has worked, a fault of the disk must not take away credentials that are still valid.
        if self._strict and not self._has_worked:
            raise CacheError(f"cache directory {self.location} {reason}", hint=remedy) from None

    def _prepare(self) -> bool:
        """Make the directory for a lock file; False when there will be none."""
        try:
            directory = self._open(create=True)
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
        is_for_good = verb in ("write", "lock") and error.errno in _NO_WRITING
        self._warn_once(
            cause, f"cannot {verb} it: {cause}; {_CONSEQUENCE if is_for_good else 'going on without'}"
        )

    def _warn_once(self, cause: str, text: str) -> None:
        if cause not in self._warned:
            self._warned.add(cause)
            self._warn(f"cache directory {self.location}: {text}")
