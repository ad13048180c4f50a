"""
Everything in the cache directory, of every profile and pool: what ``list`` shows and ``--all`` removes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..errors import CacheError

WITH_LOGINS: Final = "signed in"
"""The ``login`` of an identity that is no guest's."""

if TYPE_CHECKING:
    from ..cache.file import FileStore


def identities(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """
    Read the identities that are kept.

    Returns:
        For each ``identity_pool_id``, ``login``, ``identity_id``, ``store`` and ``location``. The login is
        ``guest`` or ``signed in``, since of a user only a hash is kept. If it has credentials, also
        ``expiration`` and ``seconds_left`` of those that last longest. Unreadable records are left out.
    """
    from ..cache.records import Records
    from ..clock import Clock

    store = _store(environ, lambda _: None)
    if store is None:
        return []
    records = Records(store, Clock())
    credentials = [found for key in store.keys("credentials") if (found := records.credentials(key))]
    ends = {
        record.identity_id: {
            "expiration": record.credentials.expiration,
            "seconds_left": int(record.credentials.expires_at - record.seen.now(records.clock)),
        }
        for record in sorted(credentials, key=lambda record: record.credentials.expires_at)
    }
    return [
        {
            "identity_pool_id": record.identity_pool_id,
            "login": "guest" if record.principal.partition(":")[0] == "guest" else WITH_LOGINS,
            "identity_id": record.identity_id,
            "store": store.name,
            "location": store.location,
            **ends.get(record.identity_id, {}),
        }
        for record in records.identities()
    ]


def clear(environ: Mapping[str, str], *, identities: bool) -> int:
    """
    Remove the credentials of every pool, and the identities where asked to.

    Returns:
        How many entries that were.

    Raises:
        CacheError: There is no cache directory, or something in it could not be removed.
    """
    from ..cache import FORMER_KINDS, KINDS

    problems: list[str] = []
    store = _store(environ, problems.append)
    if store is None:
        raise CacheError(
            "there is no home directory, and so no cache directory", hint="Set AWS_COGNITO_CACHE_DIR"
        )
    removed = set()  # by key: a record and its former version are one entry
    for kind in (*KINDS, *FORMER_KINDS):
        name = kind.removesuffix("-v1")
        if name == "identity" and not identities:
            continue
        gone = {(name, key) for key in store.keys(kind) if store.delete(kind, key)}
        # Records of failures and shortcuts are no entries that a user knows of.
        removed |= gone if name in ("identity", "credentials") else set()
    if identities:
        store.delete_asides()
    # Files of interrupted writers too: they may hold credentials. Then the lock files without a record.
    store.sweep_all()
    store.prune(lambda _: False)
    if problems:
        entries = "1 entry was" if len(removed) == 1 else f"{len(removed)} entries were"
        raise CacheError(problems[0], hint=f"{entries} removed; correct that, then repeat the command")
    return len(removed)


def _store(environ: Mapping[str, str], warn: Callable[[str], None]) -> FileStore | None:
    from ..cache.file import FileStore
    from ..home import cache_directory

    directory = cache_directory(environ)
    return None if directory is None else FileStore(directory, explicit=False, warn=warn)
