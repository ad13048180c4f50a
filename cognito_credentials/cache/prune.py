"""
What goes from a cache directory, and when.

| file               | goes when                                                                  |
|--------------------|----------------------------------------------------------------------------|
| credentials record | expired long ago (the caller judges), or among the oldest beyond 256       |
| state record       | 24 hours old: no back-off and no credentials last that long                |
| shortcut record    | 24 hours old, or among the oldest beyond 256: it is soon worked out anew   |
| lock file          | 24 hours old, and no record of its key is left                             |
| temporary file     | 60 seconds old: its writer is dead, and it may hold a secret               |
| identity record    | never                                                                      |

Credentials records go without a lock: those who renew them hold the lock of another key, the identity's. One
that was renewed since it was looked at is another file, and stays; at worst, in the microseconds between
the last look and the removal, a renewal is lost and made again.

Lock files are the delicate ones: two processes that lock two files of one name both believe that they
hold the lock. A lock file is therefore removed only by a process that holds it, and whoever then wins a
lock on the removed file notices (`lock.py`) and tries again on the new one. The race that is left: a
process that opens the name anew between our removal and our release shares the key with us for that
moment, in which we do nothing but release. Windows removes no open file, so there it is released first,
and the removal fails, as it should, when somebody else has opened it.

Only for directories of our own; a key bound to a token that changes by the hour would otherwise leave
a few files an hour, for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from . import KINDS, MOST_CREDENTIALS, key_in, record_name
from .directory import Directory
from .store import Lock

STALE_SECONDS = 60
"""Writing takes milliseconds; a temporary file older than this has lost its writer."""
UNUSED_SECONDS = 24 * 3600


def prune(directory: Directory, lock: Callable[[str], Lock], is_expired: Callable[[bytes], bool]) -> int:
    """
    Remove what the table above says.

    Args:
        directory: The cache directory.
        lock: Returns a handle of the lock of a key.
        is_expired: Says of a credentials record whether it may go.

    Returns:
        How many credentials records were dropped.
    """
    sweep(directory, tuple(f".{kind}-v1-" for kind in KINDS), older_than=STALE_SECONDS)
    # Listed first: trying a lock may renew the time stamp of its file.
    unused = [name for name in directory.names() if _is_older(directory, name, UNUSED_SECONDS)]
    dropped = _drop_credentials(directory, is_expired)
    surplus = _youngest_first(directory, "shortcut")[MOST_CREDENTIALS:]
    for name in {*unused, *surplus}:
        if key_in(name, "state") or key_in(name, "shortcut"):
            directory.remove(name)
    for name in unused:
        if key := key_in(name, "lock"):
            _drop_lock(directory, name, lock(key))
    return dropped


def sweep(directory: Directory, prefixes: tuple[str, ...], *, older_than: float) -> None:
    """Remove temporary files that begin with one of *prefixes* and are *older_than* so many seconds."""
    for name in directory.names():
        is_temporary = name.startswith(prefixes) and name.endswith(".tmp")
        if is_temporary and (not older_than or _is_older(directory, name, older_than)):
            directory.remove(name)


def _drop_credentials(directory: Directory, is_expired: Callable[[bytes], bool]) -> int:
    names = _youngest_first(directory, "credentials")
    dropped = sum(directory.remove_if(name, is_expired) for name in names[:MOST_CREDENTIALS])
    return dropped + sum(directory.remove_if(name, lambda _: True) for name in names[MOST_CREDENTIALS:])


def _drop_lock(directory: Directory, name: str, handle: Lock) -> None:
    if not handle.acquire():
        return
    try:
        key = key_in(name, "lock") or ""
        if handle.degraded or any(directory.age(record_name(kind, key)) is not None for kind in KINDS):
            return
        if directory.is_by_path:
            handle.release()
        directory.remove(name)
    except PermissionError:
        if not directory.is_by_path:
            raise
    finally:
        handle.release()


def _youngest_first(directory: Directory, kind: str) -> list[str]:
    ages = [(directory.age(name) or 0, name) for name in directory.names() if key_in(name, kind)]
    return [name for _, name in sorted(ages)]


def _is_older(directory: Directory, name: str, seconds: float) -> bool:
    age = directory.age(name)
    return age is not None and age > seconds
