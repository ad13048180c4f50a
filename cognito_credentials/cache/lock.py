"""
The lock of one key: a file of its own that the operating system locks (filelock does it).

The kernel lets go when the holder dies, however it dies. What filelock does and we rely on (3.30.3 and
4.2.12 read): `O_NOFOLLOW`, no wait on a FIFO, a lock won on a file that has meanwhile been unlinked is given
back, a forked child closes its copy without unlocking the parent's, descriptors do not survive exec. What
it lacks and stands here: a lock on a file that was moved away is not the lock either, and a file system
that cannot lock is a reason to go on without, not to fail.

Not on the fast path: importing filelock costs more than a cache hit.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import filelock

LASTING = frozenset(
    {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EROFS, errno.EACCES, errno.EPERM}
)
"""Locking will not begin to work while we run; all else (no descriptors, disk full) may pass."""


class FileLock:
    """
    One handle of a lock; not for several threads at once.

    Args:
        path: The lock file. Made 0600, always empty, never removed here.
        prepare: Makes the directory; False when there will be none.
        report: Told why locking does not work here.
    """

    __slots__ = ("_lock", "_path", "_pid", "_prepare", "_report", "degraded")

    def __init__(self, path: str, prepare: Callable[[], bool], report: Callable[[OSError], None]) -> None:
        self.degraded = False
        self._path = path
        self._prepare = prepare
        self._report = report
        self._lock: filelock.BaseFileLock | None = None
        self._pid = 0

    @property
    def is_held(self) -> bool:
        """Whether this handle really holds the lock, in this process."""
        # filelock closes a forked child's copy of the descriptor, so there it is only remembered.
        return self._lock is not None and self._pid == os.getpid()

    def acquire(self) -> bool:
        """Try once, without waiting; see `store.Lock`."""
        if self.is_held:
            return False
        self.degraded = not self._prepare()
        if self.degraded:
            return True
        identity: list[tuple[int, int]] = []  # of the file that was locked, whatever its name is now
        lock = filelock.FileLock(
            self._path,
            mode=0o600,
            blocking=False,
            thread_local=False,  # a refresh may end in another thread than it began in
            fallback_to_soft=False,  # a soft lock outlives its holder
            preserve_lock_file=True,
            on_acquired=lambda descriptor: identity.append(_identity(os.fstat(descriptor))),
        )
        try:
            lock.acquire()
            self._lock, self._pid = lock, os.getpid()
            if [_identity(os.stat(self._path, follow_symlinks=False))] == identity:
                return True
        except filelock.Timeout:
            return False
        except FileNotFoundError:
            pass
        except OSError as error:
            self.release()
            self.degraded = True
            self._report(error)
            return True
        self.release()  # moved away while we were waiting for it: whoever comes next locks another file
        return False

    def release(self) -> None:
        """Let go, if held."""
        lock, self._lock = self._lock, None
        if lock is not None:
            try:
                lock.release(force=True)  # nothing, in a forked child
            except OSError as error:
                self._report(error)


class NoLock:
    """The handle where locking is known not to work."""

    degraded = True

    def acquire(self) -> bool:
        """Return True: we go on without."""
        return True

    def release(self) -> None:
        """Do nothing."""


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
