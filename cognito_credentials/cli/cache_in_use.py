"""
The cache that the environment or the profile names, whichever kind it is, without a pool: for ``cache`` and
``clear --all``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..errors import CacheError

if TYPE_CHECKING:
    from ..cache.redis_store import RedisStore
    from ..cache.store import Store
    from ..settings.shared_cache import SharedCache


def open_cache(environ: Mapping[str, str], profile: str | None, warn: Callable[[str], None]) -> Store:
    """
    Open the cache that is in use.

    Args:
        environ: The environment; an empty variable is not set.
        profile: The profile asked for explicitly, if any.
        warn: Takes one line where something does not work.

    Raises:
        ConfigurationError: A setting is wrong.
        CacheError: It cannot be used, or there is none.
    """
    from ..cache.file import FileStore
    from ..settings.load import configured_cache

    found = configured_cache(environ=environ, profile=profile)
    if found.shared is not None:
        return _opened(found.shared, environ, warn)
    if found.kind == "memory":
        raise CacheError(
            "the cache is 'memory', which keeps nothing", hint="Choose the file cache, or a Redis"
        )
    if found.directory is None:
        raise CacheError(
            "there is no home directory, and so no cache directory", hint="Set AWS_COGNITO_CACHE_DIR"
        )
    return FileStore(found.directory, explicit=True, warn=warn)


def shared_place(environ: Mapping[str, str], profile: str | None) -> str | None:
    """Return where the Redis in use is, for people; None where the cache is another one."""
    store = _shared(environ, profile, lambda _: None)
    return None if store is None else store.location


def clear_shared(environ: Mapping[str, str], profile: str | None, *, identities: bool) -> int:
    """
    Remove the credentials of every pool and host from the Redis in use, and the identities where asked to.

    Returns:
        How many entries that were; 0 where the cache is another one.

    Raises:
        CacheError: Something could not be removed.
    """
    problems: list[str] = []
    store = _shared(environ, profile, problems.append)
    if store is None:
        return 0
    counted = ("credentials", "identity") if identities else ("credentials",)
    removed = sum(bool(store.delete(kind, key)) for kind in counted for key in store.keys(kind))
    for key in store.keys("state"):
        store.delete("state", key)
    if identities:
        store.delete_asides()
    if problems:
        raise CacheError(said(problems), hint="Correct that, then repeat the command")
    return removed


def said(problems: list[str]) -> str:
    """Return the first of a store's warnings, without what it says of going on."""
    return problems[0].partition("; going on")[0]


def _shared(
    environ: Mapping[str, str], profile: str | None, warn: Callable[[str], None]
) -> RedisStore | None:
    from ..settings.load import configured_cache

    shared = configured_cache(environ=environ, profile=profile).shared
    return None if shared is None else _opened(shared, environ, warn)


def _opened(shared: SharedCache, environ: Mapping[str, str], warn: Callable[[str], None]) -> RedisStore:
    from ..clock import Clock
    from ..pool.shared_store import open_shared_store

    return open_shared_store(shared, Clock(), environ, warn)
