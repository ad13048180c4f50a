"""
A directory that is the user's alone: found, made, verified, and the files in it read, replaced and removed.

`open_directory` opens and verifies the directory anew for each operation. That costs 20 microseconds and
leaves nothing to go stale: not by a fork, not when the directory is deleted and made again, not when its
owner changes.

Every file is reached relative to the descriptor of the verified directory, and every check of a file is made
on its open descriptor, never on its path. So nobody can swap a directory or plant a link between check and
use. Windows has neither `O_NOFOLLOW` nor descriptors of directories nor mode bits: there paths are joined,
and the access list of ``%LOCALAPPDATA%`` keeps others out.

Errors are `OSError`; `UnusableDirectory` or `UntrustedFile` when no retry can help.

A cache hit of the command line loads this file: it imports only what starting Python has loaded.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from . import checked_key
from .records import RECORD_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    Result = TypeVar("Result")

ON_WINDOWS = os.name == "nt"

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

_CLOSED_ON_EXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# O_NONBLOCK: a planted FIFO would otherwise hold the reader for ever.
_READ = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | _CLOSED_ON_EXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _CLOSED_ON_EXEC
_OPEN_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOSED_ON_EXEC
# O_PATH: a directory above ours need not be readable, /home often is not.
_PASS_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | _CLOSED_ON_EXEC

_NOT_A_FILE = frozenset({errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EISDIR})
"""Errors of opening a symbolic link (Linux, FreeBSD), a socket or a directory."""
_NO_FILE = "is not a regular file"
_WRITABLE = "could be written by others"
_READABLE = "could be read by others"

_IN_USE = frozenset({5, 32, 33})
"""
Windows: access denied, sharing violation, lock violation. A reader or a virus scanner has the file open.

Source: https://learn.microsoft.com/en-us/windows/win32/debug/system-error-codes--0-499-
"""
_WRITER_PAUSES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.16, 0.16, 0.16, 0.16)
_READER_PAUSES = (0.02, 0.02, 0.02)
"""Seconds between tries; less than a second in all. After the last one the error counts."""

STALE_SECONDS = 60
"""Writing takes milliseconds; the writer of an older temporary file is dead."""

_ASIDE = ".aside"
"""The ending of a file that was set aside: ``RECORD.txt.RANDOM.aside``."""

_TAG_NAME = "CACHEDIR.TAG"
_TAG = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# This directory holds AWS credentials or sign-ins of cognito-credentials; do not back it up.\n"
    b"# See https://bford.info/cachedir/\n"
)

STAMP_NAME = "pruned"
"""An empty file. Its time stamp says when a process last looked at all files for what may go."""

_IN_HOME = ".aws"
_SET_HOME = "Set HOME, or AWS_COGNITO_CACHE_DIR (directory in Python) to an absolute path"
_ROOTS_OWN = (
    "Run it as that user, or set AWS_COGNITO_CACHE_DIR (directory in Python) to a directory of root's"
)
_SUBDIRECTORY = "Choose a subdirectory of it, which will be closed to others"


class UnusableDirectory(Exception):  # noqa: N818  (users see it as a CacheError)
    """
    A directory that cannot hold secrets of this user; trying again does not help.

    Args:
        reason: The predicate of a sentence that begins with the directory's name.
        remedy: What to do about it if this is the cache directory.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class UntrustedFile(Exception):  # noqa: N818  (users see it as a warning)
    """
    A file that must not be used, since somebody else may have written or read it.

    Args:
        reason: The predicate of a sentence that begins with the file's name.
        found: What was seen of it.
    """

    def __init__(self, reason: str, found: os.stat_result) -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = found
        self.is_gone = False
        """Whether it has been removed."""


def open_directory(path: str, *, create: bool, windows: bool = ON_WINDOWS) -> Directory | None:
    """
    Open the directory at *path* and make sure that it is the user's alone.

    Args:
        path: Absolute. It may be a symbolic link; its target is what is checked.
        create: Whether to make it, and what is missing above it, and to close it to others. Otherwise
            nothing is changed.
        windows: Whether the rules of Windows apply.

    Returns:
        The directory, or None when it does not exist and is not to be made.

    Raises:
        UnusableDirectory: It is not a directory, belongs to somebody else, or cannot be closed to others.
        OSError: It cannot be opened or made.
    """
    if not os.path.isabs(path) or "\0" in path:
        raise UnusableDirectory("is not an absolute path", _SET_HOME)
    try:
        return _open_by_path(path, create=create) if windows else _open_verified(path, create=create)
    except FileNotFoundError:
        if create:
            raise
        return None
    except (NotADirectoryError, FileExistsError):
        raise UnusableDirectory(
            "is not a directory, or lies below a file", "Remove that file or choose another directory"
        ) from None


def _open_verified(path: str, *, create: bool) -> Directory:
    try:
        descriptor = os.open(path, _OPEN_DIRECTORY)
    except FileNotFoundError:
        if not create:
            raise
        descriptor = _make(path)
    directory = Directory(path, descriptor)
    try:
        found = os.fstat(descriptor)
        _check_owner(found)
        if found.st_mode & _OTHERS:
            _check_loose(directory, found)
            if create:
                _tighten(descriptor)
    except BaseException:
        directory.close()
        raise
    return directory


def _check_owner(found: os.stat_result) -> None:
    user = os.geteuid()
    if found.st_uid == user:
        return
    if user == 0:
        # sudo keeps HOME on some systems. The user could not read again what root writes there, and what
        # the user has written there must not steer root.
        raise UnusableDirectory(f"belongs to user {found.st_uid} and this runs as root (sudo?)", _ROOTS_OWN)
    raise UnusableDirectory(
        f"belongs to another user ({found.st_uid}, this is {user})",
        "Set AWS_COGNITO_CACHE_DIR to a directory of your own",
    )


def _check_loose(directory: Directory, found: os.stat_result) -> None:
    """Refuse a directory that is open to others and may be more than a cache: /tmp must stay open."""
    # Where everybody can write, everybody can leave files that look like ours.
    if found.st_mode & (stat.S_IWOTH | stat.S_ISVTX):
        raise UnusableDirectory("is open to everybody", _SUBDIRECTORY)
    if not (directory.is_tagged() or all(_is_ours(name) for name in directory.names())):
        raise UnusableDirectory("is open to others and holds other files", _SUBDIRECTORY)


def _tighten(descriptor: int) -> None:
    if not _chmod(descriptor, 0o700):
        return
    if os.fstat(descriptor).st_mode & _OTHERS:
        raise UnusableDirectory(
            "is open to other users and its file system does not keep permissions",
            "Set AWS_COGNITO_CACHE_DIR to a directory on another file system",
        )


def _chmod(descriptor: int, mode: int) -> bool:
    """Change the mode; False on a read-only file system, where nobody can add a secret or change a record."""
    try:
        os.fchmod(descriptor, mode)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return False
    return True


def _make(path: str) -> int:
    """Make *path* level by level, each 0700 whatever the umask; return its descriptor."""
    missing = []
    above = path.rstrip("/")
    while True:
        above, name = os.path.split(above)
        missing.append(name)
        try:
            descriptor = os.open(above, _PASS_DIRECTORY)
            break
        except FileNotFoundError:
            if above == "/":
                raise
    try:
        check_above(os.fstat(descriptor), missing)
    except BaseException:
        os.close(descriptor)
        raise
    while missing:
        try:
            child = _make_level(missing.pop(), descriptor)
        finally:
            os.close(descriptor)
        descriptor = child
    # Only a directory of our making is tagged: one that the user made may hold what must be backed up.
    with Directory(path, os.dup(descriptor)) as directory:
        directory.tag()
    return descriptor


def check_above(found: os.stat_result, missing: list[str]) -> None:
    """
    Refuse to make directories where that would be wrong.

    Args:
        found: The lowest directory that exists.
        missing: Names of those to make below it, the lowest first; none if there are none.

    Raises:
        UnusableDirectory: It would be.
    """
    if not missing:
        return
    if os.geteuid() == 0 and found.st_uid != 0:
        # sudo again: the user could not write to an ~/.aws that belongs to root.
        raise UnusableDirectory(
            f"would lie in a directory of user {found.st_uid} and this runs as root (sudo?)", _ROOTS_OWN
        )
    if _IN_HOME in missing[:-1]:
        raise UnusableDirectory("lies in a home directory that does not exist", _SET_HOME)


def _make_level(name: str, parent: int) -> int:
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:  # another process was quicker
        return os.open(name, _OPEN_DIRECTORY, dir_fd=parent)
    descriptor = os.open(name, _OPEN_DIRECTORY | _NO_FOLLOW, dir_fd=parent)
    try:
        os.fchmod(descriptor, 0o700)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _open_by_path(path: str, *, create: bool) -> Directory:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        if not create:
            raise
        parent = os.path.dirname(path)
        if parent != path and not os.path.isdir(parent):
            _open_by_path(parent, create=True)
        try:
            os.mkdir(path, 0o700)
            Directory(path, None).tag()
        except FileExistsError:
            pass  # another process was quicker
        found = os.stat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError
    return Directory(path, None)


class Directory:
    """
    A verified directory and its files; close it, or use it as a context manager.

    Args:
        path: Its absolute path.
        descriptor: Its descriptor; None on Windows.
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
        """Whether its files are reached by path, as on Windows, which does not remove an open file either."""
        return self._descriptor is None

    def close(self) -> None:
        """Close its descriptor."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _close(descriptor)

    def read(self, name: str, *, tighten: bool = False) -> bytes | None:
        """
        Read file *name*.

        Args:
            name: File name.
            tighten: Whether to accept a file that others could read but not write. It is closed to them,
                unless the file system is read-only.

        Returns:
            Its content, or None when it is missing.

        Raises:
            UntrustedFile: It is not a regular file, is too large, is another user's, or others could use it.
                A second name is no reason: a backup by hard links makes one, and it opens the file to nobody.
        """
        try:
            descriptor = _patiently(lambda: self._open_to_read(name), _READER_PAUSES)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _NOT_A_FILE:
                raise
            found = self.stat(name)
            if stat.S_ISREG(found.st_mode):
                raise
            raise UntrustedFile(_NO_FILE, found) from None
        try:
            found = os.fstat(descriptor)
            reason = self._distrust(descriptor, found, tighten=tighten)
            data = None if reason else _read_all(descriptor)
        finally:
            _close(descriptor)
        if data is None:
            raise UntrustedFile(reason or "is larger than any record", found)
        return data

    def read_or_remove(self, name: str) -> bytes | None:
        """
        Read file *name*, or remove it if it is this user's and open to others: it holds a secret no more.

        Raises:
            UntrustedFile: As `read`.
        """
        try:
            return self.read(name)
        except UntrustedFile as untrusted:
            if untrusted.reason in (_WRITABLE, _READABLE):
                untrusted.is_gone = self.remove_if_still(name, untrusted.found)
            raise

    def _open_to_read(self, name: str) -> int:
        if self.is_by_path and not stat.S_ISREG(os.lstat(self._at(name)).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return os.open(self._at(name), _READ, dir_fd=self._descriptor)

    def _distrust(self, descriptor: int, found: os.stat_result, *, tighten: bool) -> str:
        """Say why a file must not be used; empty if it may be."""
        if not stat.S_ISREG(found.st_mode):
            return _NO_FILE
        if self._descriptor is None:
            return ""
        if found.st_uid != os.geteuid():
            return "belongs to another user"
        loose = found.st_mode & _OTHERS
        if loose & _WRITABLE_BY_OTHERS:
            return _WRITABLE
        if not loose:
            return ""
        # By its other name it may be a file that is meant to be open. Somebody may have linked it here.
        if not tighten or found.st_nlink > 1:
            return _READABLE
        _chmod(descriptor, 0o600)
        return ""

    def write(self, name: str, data: bytes, *, durable: bool) -> None:
        """
        Make *data* the content of file *name*, whole or not at all.

        Args:
            name: File name.
            data: The content.
            durable: Whether the new name has to survive a power cut, too; the content always does.
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
            _patiently(lambda: self._replace(temporary, name), _WRITER_PAUSES)
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
            pass  # the caller raises the error that counts; `sweep` will find the file

    def tag(self) -> None:
        """Mark the directory, once, so that backup programs leave it out: a backup copies the secrets."""
        try:
            descriptor = os.open(self._at(_TAG_NAME), _CREATE, 0o600, dir_fd=self._descriptor)
        except OSError:
            return  # it has a tag already, or cannot have one, which is no reason to warn
        try:
            if self._descriptor is not None:
                os.fchmod(descriptor, 0o600)
            _write_all(descriptor, _TAG)
        except OSError:
            pass  # as above
        finally:
            os.close(descriptor)

    def stamp(self) -> None:
        """Make the stamp anew, if possible: a full disk must not keep old files from being removed."""
        try:
            self.remove(STAMP_NAME)
            os.close(os.open(self._at(STAMP_NAME), _CREATE, 0o600, dir_fd=self._descriptor))
        except OSError:
            pass  # among them: another process was quicker

    def is_tagged(self) -> bool:
        """Tell whether it has our tag: then we have made it, whatever else lies in it now."""
        try:
            descriptor = os.open(self._at(_TAG_NAME), _READ, dir_fd=self._descriptor)
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
            _patiently(lambda: os.unlink(self._at(name), dir_fd=self._descriptor), _READER_PAUSES)
        except FileNotFoundError:
            return False
        return True

    def remove_if(self, name: str, may_go: Callable[[bytes], bool]) -> bool:
        """
        Remove file *name* when its content *may_go*, unless a writer has replaced it meanwhile.

        Returns:
            Whether it was removed.
        """
        try:
            found = self.stat(name)
        except FileNotFoundError:
            return False
        try:
            data = self.read(name)
        except UntrustedFile:
            data = b"" if stat.S_ISREG(found.st_mode) else None
        return data is not None and may_go(data) and self.remove_if_still(name, found)

    def remove_if_still(self, name: str, found: os.stat_result) -> bool:
        """Remove file *name* unless a writer has replaced it since it was *found*."""
        return self._is_still(name, found) and self.remove(name)

    def set_aside_if_still(self, name: str, found: os.stat_result) -> str | None:
        """
        Rename file *name* unless a writer has replaced it since it was *found*, and close it to others.

        Returns:
            The new name; None where it was replaced.
        """
        aside = f"{name}.{os.urandom(4).hex()}{_ASIDE}"
        if not self._is_still(name, found):
            return None
        self._replace(name, aside)
        self._close_to_others(aside)
        return aside

    def _close_to_others(self, name: str) -> None:
        """Make file *name* 0600 if possible, unless it may be meant to be open, by a second name."""
        if self._descriptor is None:
            return
        try:
            descriptor = self._open_to_read(name)
        except OSError:
            return
        try:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                os.fchmod(descriptor, 0o600)
        except OSError:
            pass  # it lies in a directory that is closed to others
        finally:
            _close(descriptor)

    def _is_still(self, name: str, found: os.stat_result) -> bool:
        try:
            now = self.stat(name)
        except FileNotFoundError:
            return False
        return (now.st_dev, now.st_ino, now.st_mtime_ns) == (found.st_dev, found.st_ino, found.st_mtime_ns)

    def remove_asides(self) -> int:
        """Remove all files that were set aside; return how many."""
        return sum(self.remove(name) for name in self.names() if name.endswith(_ASIDE) and _is_ours(name))

    def sweep(self, prefixes: tuple[str, ...], *, older_than: float) -> None:
        """Remove temporary files that begin with one of *prefixes* and are *older_than* so many seconds."""
        for name in self.names():
            if name.startswith(prefixes) and name.endswith(".tmp") and self.is_older(name, older_than):
                self.remove(name)

    def stat(self, name: str) -> os.stat_result:
        """Return what is at *name*, without following a link."""
        return os.lstat(self._at(name), dir_fd=self._descriptor)

    def names(self) -> list[str]:
        """Return the names of its files, in any order."""
        return os.listdir(self.path if self._descriptor is None else self._descriptor)

    def is_older(self, name: str, seconds: float) -> bool:
        """Tell whether file *name* is older than *seconds*; 0 for any age, also one from the future."""
        if not seconds:
            return True
        age = self.age(name)
        return age is not None and age > seconds

    def age(self, name: str) -> float | None:
        """Return the seconds since file *name* was written, by its own time stamp; None when it is gone."""
        try:
            return time.time() - self.stat(name).st_mtime
        except FileNotFoundError:
            return None

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name) if self._descriptor is None else name


def _is_ours(name: str) -> bool:
    """Tell whether we make files of that *name*: records, locks, temporary files, the tag, the stamp."""
    if name.startswith(".") and name.endswith(".tmp"):
        name = ".".join(name[1:].split(".")[:2])  # .RECORD.ENDING.PID.RANDOM.tmp
    elif name.endswith(_ASIDE):
        name = ".".join(name.split(".")[:2])
    stem, _, ending = name.partition(".")
    try:
        checked_key(stem[-40:])
    except ValueError:
        return name in (_TAG_NAME, STAMP_NAME)
    return (stem[-44:-40], ending) in (("-v1-", "json"), ("-v2-", "txt"), ("-v1-", "lock"))


def _close(descriptor: int) -> None:
    """Close a descriptor that was only read from."""
    try:
        os.close(descriptor)
    except OSError:
        pass  # bind mounts of containers answer EIO here, after all has been read


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


def _patiently(call: Callable[[], Result], pauses: Iterable[float]) -> Result:
    """Try *call* again after each pause for as long as, on Windows, another program has the file open."""
    for pause in pauses:
        try:
            return call()
        except PermissionError as error:  # noqa: PERF203  (trying again is what the loop is for)
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            time.sleep(pause)
    return call()
