"""
The files of a directory that is ours alone: how they are read, replaced and removed.

Everything is reached relative to the directory's descriptor, which was verified (`verify.py`), and what is
checked of a file is its opened descriptor, never its path, so that nobody can swap a directory or plant a
link between check and use.

Knows files and the operating system; knows nothing of records but their names and largest size. Errors are
`OSError`. Imports only what every interpreter has already loaded: the fast path of the command line reads
through here.

Windows has neither `O_NOFOLLOW` nor descriptors of directories nor mode bits: there paths are joined, and
the access list of ``%LOCALAPPDATA%`` is what keeps others out.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from . import checked_key
from .record import RECORD_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    Result = TypeVar("Result")

OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

CLOSED_ON_EXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# O_NONBLOCK: a planted FIFO would otherwise hold the reader for ever.
_READ = os.O_RDONLY | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | CLOSED_ON_EXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW | CLOSED_ON_EXEC

_NOT_A_FILE = frozenset({errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EISDIR})
"""What opening a symbolic link (Linux, FreeBSD), a socket or a directory answers."""

_IN_USE = frozenset({5, 32, 33})
"""Windows: access denied, sharing violation, lock violation - a reader or a virus scanner has the file."""
_WRITER_PAUSES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.16, 0.16, 0.16, 0.16)
_READER_PAUSES = (0.02, 0.02, 0.02)
"""Seconds; less than a second in all, after which the original error counts."""

TAG_NAME = "CACHEDIR.TAG"
_TAG = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# This directory holds AWS credentials or sign-ins of cognito-credentials; do not back it up.\n"
    b"# See https://bford.info/cachedir/\n"
)


class Directory:
    """
    A verified directory; close it, or use it as a context manager.

    Args:
        path: Its absolute path.
        descriptor: It, opened; None on Windows.
    """

    __slots__ = ("_descriptor", "path")

    def __init__(self, path: str, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    def __enter__(self) -> Directory:  # noqa: PYI034  (typing.Self came with Python 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_by_path(self) -> bool:
        """Whether it is reached by path: Windows, where an open file cannot be removed either."""
        return self._descriptor is None

    def close(self) -> None:
        """Close it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _close(descriptor)

    def read(self, name: str, *, tighten: bool = False) -> bytes | None:
        """
        Read file *name*.

        A file that others could read or that has a second name is removed: it is a copy, a restored
        backup or a plant.

        Args:
            name: File name.
            tighten: Accept, and correct, a file that others could read but not write.

        Returns:
            Its content, or None when it is missing, not a regular file of ours, or too large.
        """
        try:
            descriptor = patiently(lambda: self._open_to_read(name), _READER_PAUSES)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                return None
            raise
        try:
            trusted = self._is_trusted(descriptor, name, tighten=tighten)
            return _read_all(descriptor) if trusted else None
        finally:
            _close(descriptor)

    def _open_to_read(self, name: str) -> int:
        if self.is_by_path and not stat.S_ISREG(os.lstat(self._at(name)).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return os.open(self._at(name), _READ, dir_fd=self._descriptor)

    def _is_trusted(self, descriptor: int, name: str, *, tighten: bool) -> bool:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return False
        if self._descriptor is not None:
            if found.st_uid != os.geteuid():
                return False
            loose = found.st_mode & OTHERS
            is_linked = found.st_nlink > 1  # 0 is a record that was replaced since we opened it: still whole
            if loose and tighten and not loose & _WRITABLE_BY_OTHERS and not is_linked:
                os.fchmod(descriptor, 0o600)
            elif loose or is_linked:
                self._remove_if_still(name, found)
                return False
        return True

    def write(self, name: str, data: bytes, *, durable: bool) -> None:
        """
        Make *data* the content of file *name*, whole or not at all.

        Args:
            name: File name.
            data: The content.
            durable: Whether the new name must survive a power cut, too; the content always does.
        """
        temporary = f".{name}.{os.getpid()}.{os.urandom(8).hex()}.tmp"
        descriptor = os.open(self._at(temporary), _CREATE, 0o600, dir_fd=self._descriptor)
        try:
            try:
                if self._descriptor is not None:
                    os.fchmod(descriptor, 0o600)  # a strict umask may have taken bits from the owner
                _write_all(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            patiently(lambda: self._replace(temporary, name), _WRITER_PAUSES)
        except BaseException:
            self._discard(temporary)
            raise
        if durable and self._descriptor is not None:
            os.fsync(self._descriptor)

    def _replace(self, source: str, target: str) -> None:
        here = self._descriptor
        os.replace(self._at(source), self._at(target), src_dir_fd=here, dst_dir_fd=here)

    def _discard(self, name: str) -> None:
        try:
            os.unlink(self._at(name), dir_fd=self._descriptor)
        except OSError:
            pass  # the error that brought us here is the one to tell; `sweep` will find the file

    def tag(self) -> None:
        """Mark it, once, so that backup programs leave it out; a secret in a backup is a copied secret."""
        try:
            descriptor = os.open(self._at(TAG_NAME), _CREATE, 0o600, dir_fd=self._descriptor)
        except OSError:
            return  # it has one, or cannot have one, which costs nothing that a user must know
        try:
            if self._descriptor is not None:
                os.fchmod(descriptor, 0o600)
            _write_all(descriptor, _TAG)
        except OSError:
            pass  # as above
        finally:
            os.close(descriptor)

    def is_tagged(self) -> bool:
        """Tell whether it has our tag: then we made it, whatever else lies in it now."""
        try:
            descriptor = os.open(self._at(TAG_NAME), _READ, dir_fd=self._descriptor)
        except OSError:
            return False
        try:
            found = os.fstat(descriptor)
            is_own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
            return is_own and os.read(descriptor, len(_TAG) + 1) == _TAG
        finally:
            _close(descriptor)

    def remove(self, name: str) -> bool:
        """Remove file *name*; False when it was not there."""
        try:
            patiently(lambda: os.unlink(self._at(name), dir_fd=self._descriptor), _READER_PAUSES)
        except FileNotFoundError:
            return False
        return True

    def remove_if(self, name: str, may_go: Callable[[bytes], bool]) -> bool:
        """
        Remove file *name* when its content *may_go* and nobody has written another in its place meanwhile.

        Returns:
            Whether it was removed.
        """
        try:
            found = os.lstat(self._at(name), dir_fd=self._descriptor)
        except FileNotFoundError:
            return False
        data = self.read(name)
        return data is not None and may_go(data) and self._remove_if_still(name, found)

    def _remove_if_still(self, name: str, found: os.stat_result) -> bool:
        """Remove file *name* unless a writer has put a good one in its place since it was *found*."""
        try:
            now = os.lstat(self._at(name), dir_fd=self._descriptor)
        except FileNotFoundError:
            return False
        is_same = (now.st_dev, now.st_ino, now.st_mtime_ns) == (found.st_dev, found.st_ino, found.st_mtime_ns)
        return is_same and self.remove(name)

    def names(self) -> list[str]:
        """Return the names in it, in any order."""
        return os.listdir(self.path if self._descriptor is None else self._descriptor)

    def age(self, name: str) -> float | None:
        """Return the seconds since file *name* was written, by its own time stamp; None when it is gone."""
        try:
            return time.time() - os.lstat(self._at(name), dir_fd=self._descriptor).st_mtime
        except FileNotFoundError:
            return None

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name) if self._descriptor is None else name


def is_ours(name: str) -> bool:
    """Tell whether files of that *name* are of our making: records, locks, half-written records, the tag."""
    if name.startswith(".") and name.endswith(".tmp"):
        name = ".".join(name[1:].split(".")[:2])  # .RECORD.json.PID.RANDOM.tmp
    key, _, ending = name.partition("-v1-")[2].partition(".")
    try:
        return name == TAG_NAME or (checked_key(key) == key and ending in ("json", "lock"))
    except ValueError:
        return False


def _close(descriptor: int) -> None:
    """Close what was only read from."""
    try:
        os.close(descriptor)
    except OSError:
        pass  # bind mounts of containers answer EIO here, and nothing that was read is the worse for it


def _read_all(descriptor: int) -> bytes | None:
    data = b""
    while len(data) <= RECORD_LIMIT:
        chunk = os.read(descriptor, RECORD_LIMIT + 1 - len(data))
        if not chunk:
            return data
        data += chunk
    return None


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]  # a full disk writes a part before it fails


def patiently(call: Callable[[], Result], pauses: Iterable[float]) -> Result:
    """Try *call* again after each pause while, on Windows, another program has the file open."""
    for pause in pauses:
        try:
            return call()
        except PermissionError as error:  # noqa: PERF203  (trying again is what the loop is for)
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            time.sleep(pause)
    return call()
