"""
The ``--env-file``: the variables for clients, as lines ``NAME=VALUE``, which Docker and systemd read.

Its server holds a lock on it, so that a second server of the same file cannot take it away from the first
one's clients. It is removed in the end. Otherwise clients would go on asking the port, where another program
may answer.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from ..errors import ConfigurationError
from ..importing import IMPORTING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OWN_PREFIX: Final = b"AWS_CONTAINER_"
_OWN: Final = (OWN_PREFIX, b"AWS_REGION=", b"AWS_DEFAULT_REGION=")
"""What the lines of a server's file begin with; the first one with `OWN_PREFIX`."""
_LIMIT: Final = 64 * 1024
_FLAGS: Final = (
    *("O_RDWR", "O_CREAT", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"),
    *("O_CLOEXEC", "O_NOINHERIT", "O_BINARY"),
)
"""
Those that the system has. O_NOFOLLOW: of a symbolic link only the link would be removed in the end, and
somebody else may have planted it. O_NONBLOCK: a planted FIFO would hold us for ever.
"""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@contextlib.contextmanager
def variables_file(path: str | None) -> Iterator[VariablesFile | None]:
    """
    Open the file at *path* for this server, and remove it in the end; None for no file.

    Raises:
        ConfigurationError: Another server uses it, it holds other settings, or it cannot be written.
    """
    if path is None:
        yield None
        return
    if not path:
        raise ConfigurationError(
            "--env-file has an empty name", hint="Name a file with --env-file", topic="E-SERVE"
        )
    path = os.path.abspath(path)
    file = VariablesFile(path)
    try:
        yield file
    finally:
        file.remove()


class VariablesFile:
    """
    An open file, and its lock.

    Args:
        path: Absolute.

    Raises:
        ConfigurationError: As `variables_file`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1
        try:
            problem = self._open()
        except OSError as error:
            is_link = error.errno in (errno.ELOOP, errno.EMLINK)
            problem = "is a symbolic link" if is_link else f"cannot be written: {_why(path, error)}"
        if problem:
            self._close()
            raise ConfigurationError(
                f"--env-file {path} {problem}", hint="Name another file with --env-file", topic="E-SERVE"
            )

    def write(self, variables: Mapping[str, str]) -> None:
        """
        Write it, once.

        Raises:
            ConfigurationError: That fails.
        """
        text = "".join(f"{name}={value}\n" for name, value in variables.items())
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, os.fsencode(text))
        except OSError as error:
            why = error.strerror
        else:
            return
        raise ConfigurationError(
            f"--env-file {self._path} cannot be written: {why}",
            hint="Name another file with --env-file",
            topic="E-SERVE",
        )

    def remove(self) -> None:
        """Remove it, and release the lock."""
        with contextlib.suppress(OSError):
            if _is_at(self._path, self._descriptor):
                if os.name == "nt":
                    self._close()  # an open file cannot be removed there
                os.unlink(self._path)
        self._close()

    def _open(self) -> str:
        """Open, lock and check the file; return what is wrong with it."""
        is_new = False
        while True:
            self._close()
            self._descriptor = os.open(self._path, sum(getattr(os, name, 0) for name in _FLAGS), 0o600)
            found = os.fstat(self._descriptor)
            if not stat.S_ISREG(found.st_mode):
                return "is not a regular file"
            if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
                return "belongs to another user"
            if not _lock(self._descriptor):
                return "is used by another server that is running"
            if not _is_at(self._path, self._descriptor):
                continue  # its server has just removed it
            lines = [line for line in os.read(self._descriptor, _LIMIT).splitlines() if line]
            if not all(line.startswith(_OWN) for line in lines) or (
                lines and not lines[0].startswith(OWN_PREFIX)
            ):
                return "has other settings in it"
            if os.name == "nt" or is_new or not found.st_mode & _OTHERS:
                break
            # Others may have it open already, and would read the token, or change the address.
            os.unlink(self._path)
            is_new = True
        if hasattr(os, "fchmod"):
            os.fchmod(self._descriptor, 0o600)
        os.ftruncate(self._descriptor, 0)  # what a server left that was killed must not be read meanwhile
        return ""

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _why(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no directory {os.path.dirname(path)}"
    return str(error.strerror)


def _is_at(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> bool:
    """Lock the file for as long as it is open; False where another process has."""
    try:
        with IMPORTING:
            import fcntl
    except ImportError:
        return True  # on Windows a lock would keep clients from reading the file
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks
    return True
