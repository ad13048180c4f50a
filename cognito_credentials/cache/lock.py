"""
The lock of one key: a file that the operating system locks, by way of filelock.

The kernel releases the lock when the holder dies, however it dies. We rely on what filelock does in its
versions 3.30.3 and 4.2.12 (https://github.com/tox-dev/filelock): it opens with `O_NOFOLLOW` and does not wait
for a FIFO, it gives back a lock on a file that has been unlinked meanwhile, a forked child closes its copy of
the descriptor without unlocking the parent's, and descriptors do not survive exec. Added here: a lock on a
file that was moved away does not count either, and on a file system that cannot lock we go on without.

A cache hit of the command line does not load this file: importing filelock takes longer than the answer.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable

import filelock

LASTING = frozenset(
    {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EROFS, errno.EACCES, errno.EPERM}
)
"""After these errors locking will not begin to work while we run; others (no descriptors) may pass."""


class FileLock:
    """
    One handle of a lock; not for several threads at once.

    Args:
        path: The lock file. It is made with mode 0600, is always empty, and is never removed here.
        prepare: Makes the directory; returns False when that is impossible.
        report: Called with the reason when locking does not work here.
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
        """Whether this handle holds the lock in this process."""
        # After a fork the child has the handle but not the lock: filelock closes its copy of the descriptor.
        return self._lock is not None and self._pid == os.getpid()

    def acquire(self) -> bool:
        """Try once, without waiting; see `store.Lock`."""
        if self.is_held:
            return False
        self.degraded = not self._prepare()
        if self.degraded:
            return True
        lock = filelock.FileLock(
            self._path,
            mode=0o600,
            blocking=False,
            thread_local=False,  # a refresh may end in another thread than it began in
            fallback_to_soft=False,  # a soft lock outlives its holder
            preserve_lock_file=True,
            # No on_acquired, which would give the descriptor: in 3.30.3 to 4.0 on Python 3.10 it needs the
            # package exceptiongroup, which nothing that we depend on brings.
        )
        try:
            if not os.path.lexists(self._path):
                lock.acquire()  # makes the file
                self._lock, self._pid = lock, os.getpid()  # released below, should this fail
                lock.release()
                self._lock = None
            before = _device_and_inode(self._path)
            lock.acquire()
            self._lock, self._pid = lock, os.getpid()
            if _device_and_inode(self._path) == before:  # so this file is the one that was locked
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
        self.release()  # the file was moved away meanwhile: the next process locks another file
        return False

    def release(self) -> None:
        """Release the lock if this handle holds it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            try:
                lock.release(force=True)  # does nothing in a forked child
            except OSError as error:
                self._report(error)
                with contextlib.suppress(OSError):
                    lock.release(force=True)  # else it tries again when it is collected, on PyPy late


class NoLock:
    """The handle of a lock where locking is known not to work."""

    degraded = True

    def acquire(self) -> bool:
        """Return True: we go on without a lock."""
        return True

    def release(self) -> None:
        """Do nothing."""


def _device_and_inode(path: str) -> tuple[int, int]:
    found = os.stat(path, follow_symlinks=False)
    return found.st_dev, found.st_ino
