"""
Opens the store in Redis or Valkey that the settings name, and the budget that its hosts share.

It asks for the URL and the key, and joins the parts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..budget.budget import Budget
from ..cache.redis_connection import RedisConnection
from ..cache.redis_errors import RedisUnavailable
from ..cache.redis_store import RedisStore
from ..cache.sealing import Sealer
from ..digest import digest
from ..errors import CacheError, CognitoCredentialsError, replaced
from ..logins import parse_source
from ..secret import Secret
from ..settings.shared_cache import cache_key, redis_url

if TYPE_CHECKING:
    from ..cache.store import Store
    from ..clock import Clock
    from ..settings.settings import Settings
    from ..settings.shared_cache import SharedCache

_log = logging.getLogger(__name__)


def open_shared_store(
    shared: SharedCache,
    clock: Clock,
    environ: Mapping[str, str],
    warn: Callable[[str], None] = lambda line: _log.warning("%s", line),
) -> RedisStore:
    """
    Make the store; it connects at its first use.

    Args:
        shared: Where it is.
        clock: Tells when a Redis that is down is asked again.
        environ: Where ``env:`` sources look.
        warn: Takes one line where something does not work; by default the log does.

    Raises:
        CacheError: A source of the URL or the key fails, what it gives is none, or without a key what is
            kept would leave this machine.
    """
    text, key = shared.url, shared.key
    if shared.url_is_source:
        text = _asked(text, shared.url_where, environ)
    # The frames of these errors hold what is taken apart.
    with replaced(CacheError, by=lambda error: error.with_traceback(None)):
        url = redis_url(text, shared.url_where)
        if key is not None and shared.key_is_source:
            key = cache_key(_asked(key, shared.key_where, environ), shared.key_where)
    if key is None and not url.is_of_this_machine:
        raise CacheError(
            f"{shared.url_where} is on another machine, and no cache_key is set to seal what is kept there",
            hint="Set AWS_COGNITO_CACHE_KEY, the same on all hosts; make one with: openssl rand -base64 32",
            topic="E-REDIS",
        )
    connection = RedisConnection(
        url,
        password=shared.password,
        is_sealed=key is not None,
        warn=warn,
        elapsed=clock.elapsed,
    )
    return RedisStore(connection, Sealer(key))


def open_shared_budget(store: Store, settings: Settings, clock: Clock) -> Budget | None:
    """Make the budget of the pools in one region, at one endpoint, whose hosts share *store*."""
    if not isinstance(store, RedisStore) or settings.shared_cache is None:
        return None
    endpoint = digest("endpoint", settings.endpoint_url)[:12] if settings.endpoint_url else "aws"
    place = f"{settings.region}:{endpoint}"

    def run(source: str, keys: Sequence[str], arguments: Sequence[bytes | str | float]) -> Any:
        # With the store's warnings, so that an outage has one.
        return store.attempt(lambda: store.connection.script(source, keys, arguments))

    return Budget(run, RedisUnavailable, place, settings.shared_cache.requests_per_second, clock)


def _asked(source: Secret, where: str, environ: Mapping[str, str]) -> Secret:
    """Ask the source that a profile names."""
    setting, _, origin = where.partition(" from ")

    def failed(error: CognitoCredentialsError) -> CacheError:
        message = error.message.removeprefix(f"cognito_{where}: ")
        return CacheError(f"{where}: {message}", hint=error.hint, topic=error.topic)

    with replaced(CognitoCredentialsError, by=failed):
        given = parse_source(source.reveal(), origin=origin, environ=environ, setting=f"cognito_{setting}")
        token = given.token()
        return token if isinstance(token, Secret) else Secret(token)
