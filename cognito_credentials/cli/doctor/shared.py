"""The cache in a Redis or Valkey that hosts share: whether it answers, opens, locks, has the identity."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...cache import InDoubt
from ...cache.records import Records
from ...cache.redis_errors import RedisRefused, RedisUnavailable
from ...cache.redis_store import RedisStore
from .check import Result, error, ok, skipped, warning

if TYPE_CHECKING:
    from .setup import Setup

_ALONE = "each process asks AWS by itself"


def cache(setup: Setup) -> Iterator[Result]:
    """The Redis answers, and what is kept there opens."""
    store = _store(setup)
    began = time.monotonic()
    try:
        store.look()
    except RedisRefused as refused:
        yield error(f"the cache in {store.location}: {refused.cause}", refused.hint)
    except RedisUnavailable as down:
        yield warning(
            f"the cache in {store.location}: {down.cause}; {_ALONE}",
            "Start that Redis, or correct the URL of cognito_cache",
        )
    else:
        took = 1000 * (time.monotonic() - began)
        how = "sealed with cache_key" if store.is_sealed else "not sealed: it is on this machine"
        yield ok(f"{store.location} answers ({took:.0f} ms), and what is kept there is {how}")


def locks(setup: Setup, key: str) -> Iterator[Result]:
    """A lock there keeps others out."""
    store = _store(setup)
    if store.problem() is not None:
        yield skipped("the cache is not there")
        return
    first, second = store.lock(key), store.lock(key)
    try:
        is_held = first.acquire() and not first.degraded
    finally:
        is_twice = second.acquire()
        second.release()
        first.release()
    if is_held and not is_twice:
        yield ok("locks in it work")
    else:
        yield warning(
            f"locks in {store.location} do not work, so {_ALONE}",
            "See that it can be written: it may be full, or a replica",
        )


def records(setup: Setup) -> Iterator[Result]:
    """This profile's identity can be read."""
    store = _store(setup)
    principal = setup.parts.refresher.principal()
    if store.problem() is not None:
        yield skipped("the cache is not there")
    elif principal is None:
        yield ok("only a login token tells which records are this profile's")
    else:
        try:
            found = Records(store, setup.clock).identity(principal.identity_key)
        except InDoubt:
            yield warning(
                "this profile's identity cannot be read there; it is left alone, and no other is kept",
                "Set cache_key to the key that sealed it, or upgrade this installation",
            )
        else:
            yield ok(f"this profile's identity is {'not ' if found is None else ''}kept there")


def _store(setup: Setup) -> RedisStore:
    store = setup.parts.store
    assert isinstance(store, RedisStore)  # noqa: S101  (for the type checker: the settings say so)
    return store
