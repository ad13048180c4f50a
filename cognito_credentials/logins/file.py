"""
A login token from a file that another program keeps fresh: a mounted secret, a projected token.
"""

from __future__ import annotations

import encodings.utf_8_sig  # noqa: F401  (reading loads it)
import errno
import os
import stat

from ..errors import LoginRequiredError, clean
from ..secret import Secret
from .source import LOGIN_TOKEN, Source, principal_by_subject

FILE_LIMIT = 64 * 1024
"""Bytes; more than any token Cognito takes."""


class FileSource(Source):
    """
    A file that holds nothing but the token, read anew each time.

    The unverified subject of its token names the user in the cache: whoever can write the file can read the
    cache as well.

    Args:
        path: The file; symbolic links are followed, since that is how secrets are mounted and rotated.
        holds: What is in it, for messages.
    """

    is_quick = True
    can_change_owner = True

    def __init__(self, path: str | os.PathLike[str], holds: str = LOGIN_TOKEN) -> None:
        self._holds = holds
        self.path = os.path.expanduser(os.fspath(path))
        self.description = f"file:{clean(self.path)}"

    def token(self) -> Secret:
        """
        Read the token.

        Raises:
            LoginRequiredError: The file is missing, empty, too large, not text or not a regular file.
        """
        outcome = self._content()
        if isinstance(outcome, Secret):
            return outcome
        raise self._error(outcome)

    def _content(self) -> Secret | str:
        """Return the token, or what is wrong with the file: no frame of an error holds it in clear."""
        try:
            data = _read(self.path)
        except FileNotFoundError:
            return "is missing"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        except ValueError:  # a null character in the path
            return "cannot be read: not a path"
        if len(data) > FILE_LIMIT:
            return f"is larger than {FILE_LIMIT // 1024} KiB"
        try:
            text = data.decode("utf-8-sig").strip()  # editors on Windows write a byte order mark
        except UnicodeDecodeError:
            return "is not UTF-8 text"
        return Secret(text) if text else "is empty"

    def principal(self) -> str | None:
        """Name the user by issuer and subject of the token in the file; None where it has none."""
        try:
            return self.principal_of(self.token())
        except LoginRequiredError:
            return None

    def principal_of(self, token: Secret) -> str | None:
        """Name the user of *token* by its issuer and subject."""
        return principal_by_subject(token)

    def owner(self) -> str | None:
        """Name the user of the file's token now; None where it has none, as while it is replaced."""
        return self.principal()

    def depends(self) -> tuple[tuple[str, str], ...]:
        """Return the file."""
        return (("file", self.path),)

    def _error(self, what: str) -> LoginRequiredError:
        return LoginRequiredError(
            f"the {self._holds} file {clean(self.path)} {what}",
            hint="Sign in again so that it is written, or correct the path"
            if self._holds == LOGIN_TOKEN
            else "Write it, or correct the path",
            topic="E-LOGIN-SOURCE",
        )

    def __repr__(self) -> str:
        return f"FileSource({clean(self.path)!r})"


def _read(path: str) -> bytes:
    # Non-blocking: opening a FIFO that nobody writes to would hang here for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(FILE_LIMIT + 1)
    finally:
        os.close(descriptor)
