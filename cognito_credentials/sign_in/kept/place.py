"""
The directory of the sign-ins: ``~/.aws/cognito/sign-in``, ours alone and verified as the cache's is.

Files of one sign-in, all named by the same hash:

    sign-in-v1-<key>.json    who is signed in (`account.py`); no secret
    sealed-v1-<key>.json     the refresh token, encrypted; its key is in the keyring
    secret-v1-<key>.json     the refresh token as it is, where that was chosen
    ended-v1-<key>.json      whose sign-in the issuer has ended, for `status`; no secret
    lock-v1-<key>.lock       empty
    .<name>.<pid>.<hex>.tmp  one of the above being written; a killed writer's goes with the next lock
"""

from __future__ import annotations

import contextlib
import logging
import ntpath
import os
import random
import re
import time
from collections.abc import Iterator, Mapping
from typing import Final

from ...cache import checked_key, lock_name
from ...cache.prune import STALE_SECONDS, sweep
from ...cache.verify import UnusableDirectory, open_directory
from ...cache.waiting import SingleFlight, holding
from ...clock import Clock
from ...digest import digest
from ...errors import CacheError, ServiceError
from ...home import home_directory

KINDS: Final = ("sign-in", "sealed", "secret", "ended")
LOCK_BUDGET: Final = 14.0
"""Seconds to wait for another process of ours; a refresh holds the lock for 12 at most (`sign_in.py`)."""
_FILE: Final = re.compile(rf"\.?(?:{'|'.join(KINDS)})-v1-([0-9a-f]{{40}})\.json(?:\..*\.tmp)?")
_log = logging.getLogger(__name__)


def sign_in_directory(environ: Mapping[str, str], *, is_windows: bool = os.name == "nt") -> str:
    """
    Say where sign-ins are kept.

    Raises:
        CacheError: *environ* names no home.
    """
    if is_windows:
        # Local, not roaming: a sign-in must not be copied to a server with the profile.
        local = environ.get("LOCALAPPDATA", "")
        if ntpath.isabs(local):
            return ntpath.join(local, "cognito-credentials", "sign-in")
    home = home_directory(environ)
    if home is None:
        raise CacheError(
            "there is no home directory to keep a sign-in in", hint="Set HOME to an absolute path"
        )
    return os.path.join(home, ".aws", "cognito", "sign-in")


class Place:
    """
    The files of one sign-in.

    Args:
        directory: Absolute path of the directory of all sign-ins.
        key: 40 hexadecimal characters: which one.
    """

    def __init__(self, directory: str, key: str) -> None:
        self.directory = directory
        self.key = checked_key(key)
        self._alone = SingleFlight()

    def path(self, kind: str) -> str:
        """Name the file of *kind*."""
        return os.path.join(self.directory, self._name(kind))

    def read(self, kind: str) -> bytes | None:
        """
        Read the file of *kind*; None when it is missing, or not ours alone.

        Raises:
            CacheError: The directory cannot be used.
        """
        with _telling(self.directory, "read"):
            directory = open_directory(self.directory, create=False)
            if directory is None:
                return None
            with directory:
                return directory.read(self._name(kind))

    def write(self, kind: str, data: bytes) -> None:
        """
        Make *data* the content of the file of *kind*, whole or not at all, and lasting.

        Raises:
            CacheError: It cannot be written; what was there stays.
        """
        problem = self._written(self._name(kind), data)
        del data  # it may be a secret, which no error shall carry along
        if problem is not None:
            raise problem

    def _written(self, name: str, data: bytes) -> CacheError | None:
        try:
            with _telling(self.directory, "written"):
                directory = open_directory(self.directory, create=True)
                if directory is None:  # not with create
                    raise FileNotFoundError
                with directory:
                    directory.write(name, data, durable=True)
        except CacheError as error:
            error.__context__ = None  # the system's error, whose frames have the secret in them
            return error.with_traceback(None)
        return None

    def remove(self, kind: str) -> bool:
        """
        Remove the file of *kind*; False when it was not there.

        Raises:
            CacheError: It cannot be removed.
        """
        with _telling(self.directory, "removed"):
            directory = open_directory(self.directory, create=False)
            if directory is None:
                return False
            with directory:
                return directory.remove(self._name(kind))

    @contextlib.contextmanager
    def lock(self, budget: float = LOCK_BUDGET) -> Iterator[None]:
        """
        Be alone with this sign-in, in all threads and processes; what killed writers left is removed.

        Raises:
            ServiceError: Another process held it for the whole *budget* of seconds.
            CacheError: The directory cannot be used.
        """
        from ...cache.lock import FileLock  # filelock costs more than reading an account

        # A file system that cannot lock is a reason to go on without; at worst a rotated token is lost.
        lock = FileLock(os.path.join(self.directory, lock_name(self.key)), self._prepare, lambda _: None)
        ends_at = time.monotonic() + budget
        if not self._alone.enter(budget):
            raise busy(budget)
        try:
            left = ends_at - time.monotonic()
            with holding(lock, left, Clock(), random.SystemRandom(), too_late=lambda: busy(budget)):
                self._sweep(older_than=STALE_SECONDS if lock.degraded else 0)
                yield
        finally:
            self._alone.leave()

    def _sweep(self, *, older_than: float) -> None:
        """Remove half-written files: each may hold a refresh token that is still taken."""
        try:
            with _telling(self.directory, "swept"):
                directory = open_directory(self.directory, create=False)
                if directory is not None:
                    with directory:
                        sweep(
                            directory, tuple(f".{self._name(kind)}." for kind in KINDS), older_than=older_than
                        )
        except CacheError as error:
            _log.warning("a half-written file could not be removed: %s", error)

    def _prepare(self) -> bool:
        with _telling(self.directory, "used"):
            directory = open_directory(self.directory, create=True)
            if directory is not None:
                directory.close()
            return directory is not None

    def _name(self, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError("a file of a sign-in is one of " + ", ".join(KINDS))
        return f"{kind}-v1-{self.key}.json"


def key_of(profile_name: str | None, issuer: str, client_id: str, *more: str | None) -> str:
    """Hash what one sign-in belongs to; *more* is another endpoint than the issuer's own, and a user."""
    return digest("sign-in", "1", profile_name, issuer, client_id, *(part for part in more if part))[:40]


def keys_in(directory: str) -> list[str]:
    """
    List the sign-ins in a directory, also those of which only a half-written file is left.

    Raises:
        CacheError: It cannot be used.
    """
    with _telling(directory, "listed"):
        opened = open_directory(directory, create=False)
        if opened is None:
            return []
        with opened:
            return sorted({match[1] for name in opened.names() if (match := _FILE.fullmatch(name))})


@contextlib.contextmanager
def _telling(directory: str, what: str) -> Iterator[None]:
    try:
        yield
    except UnusableDirectory as error:
        reason, remedy = error.reason, error.remedy.replace("AWS_COGNITO_CACHE_DIR", "HOME")
    except OSError as error:
        reason, remedy = f"cannot be {what}: {error.strerror or type(error).__name__}", "correct that"
    else:
        return
    raise CacheError(f"the sign-in directory {directory} {reason}", hint=remedy)


def busy(budget: float) -> ServiceError:
    """Say that somebody else has been at it for *budget* seconds."""
    return ServiceError(
        f"another process has been using this sign-in for {budget:.0f} s",
        hint="Is a login waiting in another terminal? finish it, or try again",
    )
