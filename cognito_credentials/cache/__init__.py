"""
The cache: what is remembered between calls, processes and reboots.

    records.py     the records, how they are written, and `Records`: records in, records out
    store.py       the protocol of a store: bytes under a kind and a key, and a lock for each key
    file.py        the store on disk: what is kept, what is pruned, and what happens when the disk fails
    directory.py   the directory of that store: found, made, verified; files in it read, replaced, removed
    lock.py        the lock of one key, which the operating system keeps
    memory.py      the store in this process
    redis_store.py   the store that hosts share, in Redis or Valkey: what is kept, and what an outage costs
    redis_connection.py   its connection, for others, too: whether it is down, and when it is asked again
    redis_client.py  redis-py: how it connects and waits
    redis_errors.py  what its errors mean
    sealing.py     how records are sealed that leave this machine
    waiting.py     waiting for a turn: of the threads of a process, and of the processes of a machine

`redis_store.py` says what happens when a Redis cannot be used. This is what happens with the directory:

*Read-only, full, or failing.* A directory that exists and is verified (`open_directory`) is never an error.
Records in it are read. One that cannot be written or removed stays as it was. One that cannot be read is
`InDoubt`: for credentials that is a miss; an identity is read twice more, and then nothing is written over
it (`refresh/identities.py`). A lock whose file cannot be opened is skipped. There is one warning for each
cause, and one that says what follows when the directory does not allow writing (`FileStore._degrade`). So
each process asks the service by itself once the stored credentials are due, and keeps the answer in memory.
A user gets the same identity again; a guest without a stored identity is another guest at each start. Only
``clear --all`` and ``logout --all`` raise `CacheError`, if they cannot remove something.

*Unusable.* The directory cannot be opened, verified (`UnusableDirectory`: not a directory, another user's,
open to everybody, …) or made. If the user set the cache or its directory (``explicit``), that is a
`CacheError` at the first use, which also makes the directory; after it has worked once, it is a warning.
Otherwise it is a warning, once for each cause, and everything is as above, with no record to read.

*Not to be trusted.* A file that others could have written or read, or that is no regular file
(`UntrustedFile`), is not used, and a warning says so. Of credentials it is removed. Of an identity, to which
nothing leads back, it is renamed to ``….aside``, and so is an identity that is damaged. An identity that a
later version wrote is neither: it is `InDoubt`, and stays as it is.

`status` shows the problem without writing (`FileStore.problem`). Tests: ``tests/cache/test_degraded.py``.

This file holds the names that all stores share. A cache hit of the command line loads it: it imports nothing.
"""

from __future__ import annotations

KINDS = ("identity", "credentials", "state", "shortcut")
FORMER_KINDS = ("identity-v1", "credentials-v1", "state-v1", "shortcut-v1")
"""
Records that earlier versions wrote, in JSON, and that they find again after a downgrade.

Of these, only identities are read; the others are removed when they are a day old.
"""
IDENTITY_KINDS = ("identity", "identity-v1")
_KEY_CHARACTERS = 40


class InDoubt(Exception):  # noqa: N818  (it is no error of a caller: it says what is known)
    """A record cannot be read now, so it is not known whether there is one: nothing is written over it."""


def record_name(kind: str, key: str) -> str:
    """
    Name the record of *kind* and *key*; the name is safe as a file name on every system.

    Raises:
        ValueError: Not a kind, or not 40 lower-case hexadecimal characters. User text is always hashed before
            it becomes a key, so this is a bug of the caller. The check also keeps ``../`` out.
    """
    check_kind(kind)
    checked_key(key)
    return f"{kind}-v2-{key}.txt" if kind in KINDS else f"{kind}-{key}.json"


def check_kind(kind: str) -> None:
    """
    Refuse what is not a kind.

    Raises:
        ValueError: It is in neither `KINDS` nor `FORMER_KINDS`.
    """
    if kind not in KINDS and kind not in FORMER_KINDS:
        raise ValueError("a record is one of " + ", ".join(KINDS))


def checked_key(key: str) -> str:
    """
    Return *key*.

    Raises:
        ValueError: It is not 40 lower-case hexadecimal characters.
    """
    # The message leaves the value out: a caller with a bug may have passed a token.
    if len(key) != _KEY_CHARACTERS or key.strip("0123456789abcdef"):
        raise ValueError("a cache key is 40 lower-case hexadecimal characters")
    return key


def lock_name(key: str) -> str:
    """
    Name the lock file of *key*; like `record_name`.

    It has been the same in every version, so that two versions on one cache take the same lock.
    """
    return f"lock-v1-{checked_key(key)}.lock"


def key_in(name: str, kind: str) -> str | None:
    """Return the key in file name *name* when it names a record of *kind*, or a ``lock``; None otherwise."""
    key = name.partition(".")[0][-_KEY_CHARACTERS:]
    try:
        return key if name == (lock_name(key) if kind == "lock" else record_name(kind, key)) else None
    except ValueError:
        return None
