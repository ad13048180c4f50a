"""
The file with the token, which SDKs read before each request (``AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE``).

It lies in a directory that is the user's alone: ``~/.aws/cognito/serve``, or where the home directory cannot
be written, one for this user among the temporary files. It has no line end: botocore would send that along.

A server that is killed leaves its file behind. Beside each file lies a lock that its server holds. The kernel
frees the lock, however the server ends, so the next server sees whose file nobody serves any more, and
removes it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Final

from ..cache.directory import UnusableDirectory, open_directory
from ..cache.lock import FileLock
from ..errors import CacheError
from ..home import home_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..secret import Secret

_log = logging.getLogger(__name__)
_PREFIX: Final = "token-"
_LOCK: Final = ".lock"
_TRIES: Final = 5


@contextlib.contextmanager
def token_file(token: Secret, environ: Mapping[str, str]) -> Iterator[str]:
    """
    Write *token* to a file of this server, and remove it in the end; before, remove those of dead servers.

    Returns:
        The path.

    Raises:
        CacheError: There is no directory that is this user's alone, or its disk is full.
    """
    directory = _usable(environ)
    path, lock = _locked(directory)
    try:
        _write(path, token)
        yield path
    finally:
        _remove(path, lock)


def places(environ: Mapping[str, str]) -> list[str]:
    """Return the directories that a token may lie in, the preferred one first."""
    home = home_directory(environ)
    below_home = [] if home is None else [os.path.join(home, ".aws", "cognito", "serve")]
    if os.name == "nt":
        return below_home
    temporary = environ.get("TMPDIR", "")
    above = temporary if os.path.isabs(temporary) else "/tmp"  # noqa: S108  (it is verified to be this user's alone)
    return [*below_home, os.path.join(above, f"cognito-credentials-{os.geteuid()}")]


def _usable(environ: Mapping[str, str]) -> str:
    """Clear every place of what dead servers left, and return the first that can be written."""
    usable, reasons = "", []
    for path in places(environ):
        try:
            directory = open_directory(path, create=not usable)
            if directory is None:
                continue
            with directory:
                names = directory.names()
            _sweep(path, names)
            if not usable and os.access(path, os.W_OK):
                usable = path
        except UnusableDirectory as error:
            reasons.append(f"{path} {error.reason}")
        except OSError as error:
            reasons.append(f"{path}: {error.strerror}")
    if not usable:
        why = "; ".join(reasons) or "HOME is not set"
        raise CacheError(
            f"there is no private directory for the server's token: {why}",
            hint="Set HOME or TMPDIR to a directory that you can write to",
            topic="E-SERVE",
        )
    return usable


def _sweep(directory: str, names: list[str]) -> None:
    for name in names:
        if not (name.startswith(_PREFIX) and name.endswith(_LOCK)):
            continue
        path = os.path.join(directory, name.removesuffix(_LOCK))
        lock = _lock(path)
        # Where locks do not work, no server can be told from a dead one.
        if lock.acquire() and not lock.degraded:
            _remove(path, lock)


def _locked(directory: str) -> tuple[str, FileLock]:
    """Choose the name of a new file, and lock it first: a file without its lock is a dead server's."""
    for _ in range(_TRIES):  # another server's sweep may come between making the lock and taking it
        path = os.path.join(directory, _PREFIX + os.urandom(8).hex())
        lock = _lock(path)
        if lock.acquire():
            return path, lock
    raise CacheError(f"no token file can be made in {directory}", hint="Try again", topic="E-SERVE")


def _write(path: str, token: Secret) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, 0o600)  # a strict umask may have taken bits from the owner
            file.write(token.reveal().encode("ascii"))
    except OSError as error:
        why = error.strerror
    else:
        return
    raise CacheError(
        f"the server's token cannot be written to {path}: {why}",
        hint="Make room on that disk",
        topic="E-SERVE",
    )


def _lock(path: str) -> FileLock:
    return FileLock(path + _LOCK, lambda: True, lambda error: _log.debug("no lock: %s", error.strerror))


def _remove(path: str, lock: FileLock) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
    if os.name == "nt":
        lock.release()  # an open file cannot be removed there
    with contextlib.suppress(OSError):
        os.unlink(path + _LOCK)
    lock.release()
