"""
What is remembered between calls, processes and reboots.

    record.py      what is written, and how it is trusted            (bytes <-> records)
    records.py     a store, in records instead of bytes
    store.py       what a store is: bytes under a kind and a key, and a lock for each key
    file.py        the store on disk: verify.py finds its directory, directory.py reads and writes in it,
                   lock.py is its lock, prune.py its broom
    memory.py      the store in this process
    waiting.py     how threads and processes wait for their turn

Here: only the addresses that all stores share. Nothing is imported at import: the fast path of the
command line comes through here.
"""

from __future__ import annotations

KINDS = ("identity", "credentials", "state", "shortcut")
MOST_CREDENTIALS = 256
"""Credentials records that a store keeps, and shortcuts; more is a flood, not use."""
_KEY_CHARACTERS = 40


def record_name(kind: str, key: str) -> str:
    """
    Name the record of *kind* and *key*; it is safe as a file name on every system.

    Raises:
        ValueError: Not a kind, or not 40 lower-case hexadecimal characters. User text never becomes a
            key unhashed, so this is a bug of the caller, and the gate that keeps ``../`` out.
    """
    if kind not in KINDS:
        raise ValueError("a record is one of " + ", ".join(KINDS))
    return f"{kind}-v1-{checked_key(key)}.json"


def checked_key(key: str) -> str:
    """
    Return *key*.

    Raises:
        ValueError: It is not 40 lower-case hexadecimal characters.
    """
    # The value is not named: whoever passes something else may be passing a token.
    if len(key) != _KEY_CHARACTERS or not all(character in "0123456789abcdef" for character in key):
        raise ValueError("a cache key is 40 lower-case hexadecimal characters")
    return key


def lock_name(key: str) -> str:
    """Name the lock file of *key*; like `record_name`."""
    return f"lock-v1-{checked_key(key)}.lock"


def key_in(name: str, kind: str) -> str | None:
    """Return the key in file name *name* when it names a record of *kind*, or a ``lock``; None otherwise."""
    key = name[len(kind) + 4 : -5]
    try:
        return key if name == (lock_name(key) if kind == "lock" else record_name(kind, key)) else None
    except ValueError:
        return None
