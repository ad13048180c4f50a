"""
The place of one sign-in: its files, in ``~/.aws/cognito/sign-in`` or a directory that a program names. An
app's own place is in `own_place.py`.

The directory is private, and verified like the cache's. The files of one sign-in all have the same hash in
their names:

    sign-in-v1-<key>.json    who is signed in (`account.py`); no secret
    sealed-v1-<key>.json     the refresh token, encrypted with a key in the keyring (`keyring_store.py`)
    secret-v1-<key>.json     the refresh token in clear, where the user chose that (`stores.py`)
    ended-v1-<key>.json      the account whose sign-in the issuer has ended, for `status`; no secret
    process-v1-<key>.json    the account, and the process that signed in by a pool (`account.py`); no secret
    lock-v1-<key>.lock       empty
    .<name>.<pid>.<hex>.tmp  one of the above, being written; the next holder of the lock removes what is left
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
from typing import TYPE_CHECKING, Final, Protocol

from ...cache import checked_key, lock_name
from ...cache.directory import STALE_SECONDS, UntrustedFile, UnusableDirectory, open_directory
from ...cache.waiting import SingleFlight, holding
from ...clock import Clock
from ...digest import digest
from ...errors import CacheError, ServiceError, replaced
from ...home import SIGN_INS_NAME, home_directory
from ...importing import IMPORTING
from ...secret import Secret

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

KINDS: Final = ("sign-in", "sealed", "secret", "ended", "process")
LOCK_BUDGET: Final = 14.0
"""Seconds to wait for the lock; a refresh holds it for 12 at most (`sign_in.py`)."""
_FILE: Final = re.compile(rf"\.?(?:{'|'.join(KINDS)})-v1-([0-9a-f]{{40}})\.json(?:\..*\.tmp)?")
_log = logging.getLogger(__name__)


def sign_in_directory(environ: Mapping[str, str], *, is_windows: bool = os.name == "nt") -> str:
    """
    Return the path of the directory of all sign-ins.

    Raises:
        CacheError: There is no home directory.
    """
    if is_windows:
        # Not the roaming directory, which Windows copies to a server.
        local = environ.get("LOCALAPPDATA", "")
        if ntpath.isabs(local):
            return ntpath.join(local, "cognito-credentials", SIGN_INS_NAME)
    home = home_directory(environ)
    if home is None:
        raise CacheError(
            "there is no home directory to keep a sign-in in",
            hint="Set HOME to an absolute path",
            topic="E-SIGN-IN-STORE",
        )
    return os.path.join(home, ".aws", "cognito", SIGN_INS_NAME)


class SignInPlace(Protocol):
    """
    Where one sign-in is kept, in parts (`KINDS`): `Place` has a file for each, `OwnPlace` one text for all.

    Each method may raise `CacheError`: what cannot be read is not taken for absent, and nothing is written
    over it.
    """

    key: str

    @property
    def is_at_hand(self) -> bool:
        """Whether `read` answers without asking the app."""

    def path(self, kind: str) -> str:
        """Say where the part of *kind* is: the path of its file, or words for people."""

    def look_again(self) -> None:
        """Find out what other processes have changed, where `read` does not look each time."""

    def reload(self) -> None:
        """With the lock held, find out what somebody has changed whom the lock does not keep out."""

    def read(self, kind: str) -> bytes | None:
        """Return the part of *kind*; None when it is missing."""

    def write(self, kind: str, data: bytes) -> None:
        """Replace one part, whole or not at all."""

    def replace(self, parts: Mapping[str, bytes]) -> None:
        """Replace all parts by those of a new sign-in, whole or not at all."""

    def remove(self, kind: str) -> bool:
        """Remove one part; without ``sign-in`` nobody is signed in. False when it was not there."""

    def lock(self, budget: float = LOCK_BUDGET, *, to_sign_in: bool = False) -> AbstractContextManager[None]:
        """
        Hold the lock of this sign-in; what is written must be written with it held.

        Args:
            budget: Seconds to wait for the lock.
            to_sign_in: Whether a person signs in, which replaces also what this package cannot read.
        """


class Place:
    """
    The files of one sign-in.

    Args:
        directory: Absolute path of the directory of all sign-ins.
        key: 40 hexadecimal characters (`key_of`).
    """

    def __init__(self, directory: str, key: str) -> None:
        self.directory = directory
        self.key = checked_key(key)
        self._single = SingleFlight()

    is_at_hand = True

    def look_again(self) -> None:
        """Do nothing: each `read` looks."""

    def reload(self) -> None:
        """Do nothing: each `read` looks."""

    def path(self, kind: str) -> str:
        """Return the path of the file of *kind*."""
        return os.path.join(self.directory, self._name(kind))

    def read(self, kind: str) -> bytes | None:
        """
        Read the file of *kind*; None when it is missing.

        A file that other users could have read or written is removed, with a warning: it is a secret that is
        none any more, or another person's sign-in.

        Raises:
            CacheError: The directory cannot be used.
        """
        with _errors_explained(self.directory, "read"):
            directory = open_directory(self.directory, create=False)
            if directory is None:
                return None
            with directory:
                try:
                    return directory.read_or_remove(self._name(kind))
                except UntrustedFile as untrusted:
                    _log.warning("%s %s; it is not used, so sign in again", self.path(kind), untrusted.reason)
                    return None

    def write(self, kind: str, data: bytes) -> None:
        """
        Replace the file of *kind* by *data*, whole or not at all, and flush it to the disk.

        Raises:
            CacheError: The file cannot be written; the old one stays.
        """
        try:
            with _errors_explained(self.directory, "written"):
                directory = open_directory(self.directory, create=True)
                if directory is None:  # not with create
                    raise FileNotFoundError
                with directory:
                    directory.write(self._name(kind), data, durable=True)
        finally:
            del data  # it may be a secret, and this frame stays in the traceback of an error

    def replace(self, parts: Mapping[str, bytes]) -> None:
        """
        Replace several files; the last one counts. Until it is written, a failure puts the first one back.

        Args:
            parts: Kind to content, of a new sign-in: the secret first, ``sign-in`` last.

        Raises:
            CacheError: A file cannot be written; the sign-in before stays.
        """
        (secret, *_), (*_, last) = parts, parts
        data = self.read(secret)
        # In a plain file it is in clear. So frames hold it as a secret.
        before = None if data is None else Secret(data.decode("latin-1"))
        del data
        try:
            for kind in parts:
                self.write(kind, parts[kind])
        except BaseException:
            self._put_back(secret, before, unless=(last, parts[last]))
            raise
        finally:
            del parts
        try:
            self.remove("ended")
        except CacheError as error:
            # The mark names the sign-in before: it says nothing of the new one.
            _log.debug("the mark of an ended sign-in could not be removed: %s", error)

    def _put_back(self, kind: str, before: Secret | None, *, unless: tuple[str, bytes]) -> None:
        """Restore the file of *kind*, unless the last file was written before the interruption."""
        try:
            if self.read(unless[0]) == unless[1]:
                return
            if before is None:
                self.remove(kind)
            else:
                self.write(kind, before.reveal().encode("latin-1"))
        except CacheError as error:
            _log.warning("the earlier sign-in could not be put back: %s", error)

    def remove(self, kind: str) -> bool:
        """
        Remove the file of *kind*; False when it was not there.

        Raises:
            CacheError: The file cannot be removed.
        """
        with _errors_explained(self.directory, "removed"):
            directory = open_directory(self.directory, create=False)
            if directory is None:
                return False
            with directory:
                return directory.remove(self._name(kind))

    @contextlib.contextmanager
    def lock(self, budget: float = LOCK_BUDGET, *, to_sign_in: bool = False) -> Iterator[None]:  # noqa: ARG002
        """
        Hold the lock of this sign-in against all threads and processes; half-written files are removed.

        Args:
            budget: Seconds to wait for the lock.

        Raises:
            ServiceError: Another process held the lock all that time.
            CacheError: The directory cannot be used.
        """
        with IMPORTING:
            from ...cache.lock import FileLock  # filelock costs more than reading an account

        # On a file system without locks this goes on unlocked: at worst a rotated refresh token is lost.
        lock = FileLock(os.path.join(self.directory, lock_name(self.key)), self._prepare, lambda _: None)
        ends_at = time.monotonic() + budget
        with self._single.turn(budget) as is_mine:
            if not is_mine:
                raise busy(budget)
            left = ends_at - time.monotonic()
            with holding(lock, left, Clock(), random.SystemRandom(), too_late=lambda: busy(budget)):
                self._sweep(older_than=STALE_SECONDS if lock.degraded else 0)
                yield

    def _sweep(self, *, older_than: float) -> None:
        """Remove half-written files: each may hold a refresh token that is still valid."""
        try:
            with _errors_explained(self.directory, "swept"):
                directory = open_directory(self.directory, create=False)
                if directory is not None:
                    with directory:
                        prefixes = tuple(f".{self._name(kind)}." for kind in KINDS)
                        directory.sweep(prefixes, older_than=older_than)
        except CacheError as error:
            _log.warning("a half-written file could not be removed: %s", error)

    def _prepare(self) -> bool:
        with _errors_explained(self.directory, "used"):
            directory = open_directory(self.directory, create=True)
            if directory is not None:
                directory.close()
            return directory is not None

    def _name(self, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError("a file of a sign-in is one of " + ", ".join(KINDS))
        return f"{kind}-v1-{self.key}.json"


def key_of(profile_name: str | None, issuer: str, client_id: str, *more: str | None) -> str:
    """
    Hash what a sign-in belongs to, into the key of its files.

    Args:
        more: An endpoint that is not the issuer's own, and a user of an app; each may be None.
    """
    return digest("sign-in", "1", profile_name, issuer, client_id, *(part for part in more if part))[:40]


def keys_in(directory: str) -> list[str]:
    """
    List the keys of all files in a directory, half-written ones included.

    Raises:
        CacheError: The directory cannot be used.
    """
    with _errors_explained(directory, "listed"):
        listed = open_directory(directory, create=False)
        if listed is None:
            return []
        with listed:
            return sorted({match[1] for name in listed.names() if (match := _FILE.fullmatch(name))})


def _errors_explained(directory: str, what: str) -> replaced:
    """Replace the system's errors; their frames may hold the secret that was to be written."""

    def refused(reason: str, remedy: str) -> CacheError:
        return CacheError(f"the sign-in directory {directory} {reason}", hint=remedy, topic="E-SIGN-IN-STORE")

    def explain(error: UnusableDirectory | OSError) -> CacheError:
        if isinstance(error, UnusableDirectory):
            # Its remedy is for the cache directory, which a variable can move.
            return refused(
                error.reason,
                "Correct that, or set HOME to a home directory of your own (directory in Python)",
            )
        return refused(f"cannot be {what}: {error.strerror or type(error).__name__}", "Correct that")

    return replaced(UnusableDirectory, OSError, by=explain)


def busy(budget: float) -> ServiceError:
    """Make the error for a lock that was not free for *budget* seconds."""
    return ServiceError(
        f"another process has been using this sign-in for {budget:.0f} s",
        hint="Is a login waiting in another terminal? Finish it, or try again",
        topic="E-SIGN-IN",
    )
