"""
Finding, making and trusting the cache directory.

A directory is opened and verified anew for each operation. That costs 20 microseconds and leaves nothing
to go stale: not by fork, not when the directory is deleted and made again, not when its owner changes.

Errors are `OSError`, or `UnusableDirectory` for what no retry will mend. On the fast path; see
`directory.py`, also for Windows.
"""

from __future__ import annotations

import os
import stat

from .directory import CLOSED_ON_EXEC, NO_FOLLOW, OTHERS, Directory, is_ours

ON_WINDOWS = os.name == "nt"

_OPEN_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | CLOSED_ON_EXEC
# O_PATH: a directory above ours need not be readable, /home often is not.
_PASS_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | CLOSED_ON_EXEC

_IN_HOME = ".aws"
_SET_HOME = "Set HOME, or AWS_COGNITO_CACHE_DIR to an absolute path"
_ROOTS_OWN = "Run it as that user, or set AWS_COGNITO_CACHE_DIR to a directory of root's"
_SUBDIRECTORY = "Choose a subdirectory of it, which will be closed to others"


class UnusableDirectory(Exception):  # noqa: N818  (it is what it says; the error that users see is CacheError)
    """
    A directory that cannot be ours.

    Args:
        reason: Follows the directory's name in a sentence.
        remedy: What to do about it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def open_directory(path: str, *, create: bool, windows: bool = ON_WINDOWS) -> Directory | None:
    """
    Open the directory at *path* and make sure that it is ours alone.

    Args:
        path: Absolute. It may be a symbolic link; what it leads to is what is checked.
        create: Whether to make it, and what is missing above it, and to close it to others; whoever only
            looks changes nothing.
        windows: Which system's rules to keep.

    Returns:
        The directory, or None when it does not exist and is not to be made.

    Raises:
        UnusableDirectory: It is not a directory, not ours, or cannot be kept from others.
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
        if found.st_mode & OTHERS:
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
        # sudo keeps HOME on some systems. What root writes there the user could not read again, and
        # what the user wrote there must not steer root.
        raise UnusableDirectory(f"belongs to user {found.st_uid} and this runs as root (sudo?)", _ROOTS_OWN)
    raise UnusableDirectory(
        f"belongs to another user ({found.st_uid}, this is {user})",
        "Set AWS_COGNITO_CACHE_DIR to a directory of your own",
    )


def _check_loose(directory: Directory, found: os.stat_result) -> None:
    """Refuse what is open to others and may be more than a cache: to close /tmp would break the machine."""
    # Where anybody writes, anybody can also leave what looks like ours.
    if found.st_mode & (stat.S_IWOTH | stat.S_ISVTX):
        raise UnusableDirectory("is open to everybody", _SUBDIRECTORY)
    if not (directory.is_tagged() or all(is_ours(name) for name in directory.names())):
        raise UnusableDirectory("is open to others and holds other files", _SUBDIRECTORY)


def _tighten(descriptor: int) -> None:
    os.fchmod(descriptor, 0o700)
    if os.fstat(descriptor).st_mode & OTHERS:
        raise UnusableDirectory(
            "is open to other users and its file system does not keep permissions",
            "Set AWS_COGNITO_CACHE_DIR to a directory on another file system",
        )


def _make(path: str) -> int:
    """Make *path* level by level, each 0700 whatever the umask; return it opened."""
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
        _check_above(os.fstat(descriptor), missing)
    except BaseException:
        os.close(descriptor)
        raise
    while missing:
        try:
            child = _make_level(missing.pop(), descriptor)
        finally:
            os.close(descriptor)
        descriptor = child
    # Only a directory of our making is tagged: what a user chose may hold what must be backed up.
    _tag_opened(path, descriptor)
    return descriptor


def _check_above(found: os.stat_result, missing: list[str]) -> None:
    """Refuse to make directories below *found*, from the last of *missing* on, where they would be wrong."""
    if os.geteuid() == 0 and found.st_uid != 0:
        # sudo again: the user could not write to an ~/.aws that is root's.
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
    descriptor = os.open(name, _OPEN_DIRECTORY | NO_FOLLOW, dir_fd=parent)
    try:
        os.fchmod(descriptor, 0o700)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _tag_opened(path: str, descriptor: int) -> None:
    with Directory(path, os.dup(descriptor)) as directory:
        directory.tag()


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
