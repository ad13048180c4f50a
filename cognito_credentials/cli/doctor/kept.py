"""
What is kept on this machine: the cache directory, its locks, its records.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...cache import FORMER_KINDS, KINDS, key_in, lock_name, record_name
from ...cache.directory import ON_WINDOWS, UnusableDirectory, open_directory
from ...cache.file import NOTHING_KEPT, FileStore
from ...cache.records import RECORD_LIMIT, Records, decode_identity, is_whole_identity
from ...clock import span
from ...digest import digest
from ...errors import shell_word
from ..terminal import printable
from . import shared
from .check import Result, error, ok, skipped, warning

if TYPE_CHECKING:
    from ...settings.settings import Settings
    from .setup import Setup

_LEAST_FREE: Final = 1024 * 1024
"""Bytes; a record has two thousand, and the file system's own needs come on top."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_PROBE: Final = digest("doctor")[:40]
"""The key of a lock that nothing else takes."""
_ELSEWHERE: Final = "Set AWS_COGNITO_CACHE_DIR to a directory of your own that can be written"


def cache(setup: Setup) -> Iterator[Result]:
    """The cache directory is the user's alone, and can be written."""
    found = setup.settings
    if found.shared_cache is not None:
        yield from shared.cache(setup)
        return
    if found.cache == "memory":
        yield ok(f"in memory, from {found.origins['cache']}: each start asks AWS")
        return
    if found.cache_dir is None:
        yield warning(f"there is no home directory for the cache, so {NOTHING_KEPT}", "Set HOME")
        return
    where = _where(found)
    try:
        directory = open_directory(found.cache_dir, create=False)
    except UnusableDirectory as unusable:
        make = error if found.cache_is_explicit else warning
        yield make(f"{where} {unusable.reason}", unusable.remedy)
        return
    except OSError as failure:
        yield error(f"{where} cannot be opened: {failure.strerror}", _ELSEWHERE)
        return
    if directory is not None:
        directory.close()
    yield from _written(found, where)


def _written(found: Settings, where: str) -> Iterator[Result]:
    """Whether a directory that is missing can be made, and one that is there be written."""
    path = found.cache_dir or ""
    store = FileStore(path, explicit=False, warn=lambda _: None)
    problem = store.problem()
    if problem is not None:
        yield warning(f"{where} cannot be used: {problem}; {_consequence()}", _ELSEWHERE)
        return
    if os.path.isdir(path):
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if not ON_WINDOWS and mode & _OTHERS:
            yield warning(
                f"{where} is open to other users (mode {mode:o})", f"Run: chmod 700 {shell_word(path)}"
            )
        free = _free_bytes(path)
        if free is not None and free < _LEAST_FREE:
            yield error(
                f"the file system of {where} is full: {free // 1024} KiB are free; {_consequence()}",
                "Free some space there, or set AWS_COGNITO_CACHE_DIR to another file system",
            )
        yield ok(f"{where} is yours alone and can be written")
    else:
        yield ok(f"{where} does not exist yet")


def _consequence() -> str:
    return NOTHING_KEPT.partition(";")[0]


def _free_bytes(path: str) -> int | None:
    if not hasattr(os, "statvfs"):
        return None
    found = os.statvfs(path)
    # Some file systems do not count: then both numbers are 0.
    return found.f_bavail * found.f_frsize if found.f_blocks else None


def locks(setup: Setup) -> Iterator[Result]:
    """A lock in the cache directory keeps others out: network file systems have locks that do not."""
    if setup.settings.shared_cache is not None:
        yield from shared.locks(setup, _PROBE)
        return
    store = _existing_store(setup.settings)
    if store is None:
        yield skipped("there is no cache directory yet")
        return
    first, second = store.lock(_PROBE), store.lock(_PROBE)
    try:
        is_held = first.acquire() and not first.degraded
        is_twice = is_held and second.acquire()
    finally:
        second.release()
        first.release()
        _remove_probe(store)
    if is_held and not is_twice:
        yield ok("locks in the cache directory work")
        return
    what = "are given to two at once" if is_twice else "do not work"
    yield warning(
        f"locks in {_where(setup.settings)} {what}, so processes that start together each ask AWS",
        "Set AWS_COGNITO_CACHE_DIR to a directory on a local disk",
    )


def _remove_probe(store: FileStore) -> None:
    try:
        os.unlink(os.path.join(store.location, lock_name(_PROBE)))
    except OSError:
        return  # it was not made


def records(setup: Setup) -> Iterator[Result]:
    """Every record is the user's alone, whole, and of a version that this one reads."""
    if setup.settings.shared_cache is not None:
        yield from shared.records(setup)
        return
    store = _existing_store(setup.settings)
    if store is None:
        yield skipped("there is no cache directory yet")
        return
    names = sorted(os.listdir(store.location))
    wrong = [*_untrusted(store.location, names), *_aside(store.location, names), *_unreadable(store, setup)]
    # A store removes what it does not trust when it reads it, and a check changes nothing.
    yield from wrong or [ok(_counted(store, setup))]


def _untrusted(path: str, names: list[str]) -> Iterator[Result]:
    """Find records that others own, or that others could have read or written."""
    mine = [name for name in names if any(key_in(name, kind) for kind in (*KINDS, *FORMER_KINDS))]
    wrong: dict[tuple[str, str], list[str]] = {}
    for name in mine if not ON_WINDOWS else ():
        found = os.lstat(os.path.join(path, name))
        if not stat.S_ISREG(found.st_mode):
            wrong.setdefault(("is not a regular file", "Remove it"), []).append(name)
        elif found.st_uid != os.geteuid():
            wrong.setdefault(("belongs to another user", "Give it back, or remove it"), []).append(name)
        elif found.st_mode & _OTHERS:
            wrong.setdefault(("is open to other users", "Run: chmod 600 on it"), []).append(name)
    for (reason, fix), which in wrong.items():
        more = f" (and {len(which) - 1} more)" if len(which) > 1 else ""
        yield warning(f"the record {printable(os.path.join(path, which[0]))}{more} {reason}", fix)


def _aside(path: str, names: list[str]) -> Iterator[Result]:
    """Find identities that were damaged, or that others could have written."""
    aside = [name for name in names if name.endswith(".aside")]
    if aside:
        more = f" (and {len(aside) - 1} more)" if len(aside) > 1 else ""
        yield warning(
            f"an identity was damaged or open to others, and is set aside as "
            f"{printable(os.path.join(path, aside[0]))}{more}",
            "If a guest has lost an identity, look into that file; then remove it",
        )


def _unreadable(store: FileStore, setup: Setup) -> Iterator[Result]:
    """Find the identity of this profile where it cannot be read. Nothing is written over it then."""
    principal = setup.parts.refresher.principal()
    if principal is None:
        return
    key = principal.identity_key
    path = os.path.join(store.location, record_name("identity", key))
    if not os.path.isfile(path):
        return
    with open(path, "rb") as file:
        data = file.read(RECORD_LIMIT + 1)
    if decode_identity(key, data) is not None:
        return
    if is_whole_identity(key, data):
        yield warning(
            f"a later version of this program wrote the identity in {printable(path)}; this one leaves it "
            "alone, and keeps none",
            "Upgrade this installation: pip install --upgrade cognito-credentials",
        )
    else:
        yield warning(
            f"the identity in {printable(path)} is damaged: the next request makes another one",
            "If a guest's data depend on it, restore that file before anything is run",
        )


def _counted(store: FileStore, setup: Setup) -> str:
    kept = Records(store, setup.clock)
    ages = [
        setup.clock.wall() - record.issued_at
        for key in store.keys("credentials")
        if (record := kept.credentials(key)) is not None
    ]
    identities, credentials = len(store.keys("identity")), len(ages)
    age = f", the newest got {span(max(min(ages), 0))} ago" if ages else ""
    found = "1 identity" if identities == 1 else f"{identities} identities"
    sets = "1 set" if credentials == 1 else f"{credentials} sets"
    return f"kept are {found} and {sets} of credentials{age}"


def _existing_store(found: Settings) -> FileStore | None:
    """Return the store where its directory is there and can be written."""
    if found.cache == "memory" or found.cache_dir is None or not os.path.isdir(found.cache_dir):
        return None
    return FileStore(found.cache_dir, explicit=False, warn=lambda _: None)


def _where(found: Settings) -> str:
    origin = found.origins.get("cache_dir")
    return f"the cache directory {printable(found.cache_dir or '')}{f' from {origin}' if origin else ''}"
