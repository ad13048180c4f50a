"""``status --fleet``: the hosts that share a Redis, as it has counted what they do."""

from __future__ import annotations

from ..clock import span
from ..errors import CacheError, ConfigurationError, replaced
from .command import Invocation
from .pool_options import open_pool
from .tables import as_json, listing, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


_UNCOUNTED: Final = "a process tells its answers with its next request to the service"


def show_fleet(invocation: Invocation) -> int:
    """
    Print the figures of all hosts.

    Raises:
        ConfigurationError: The cache is no Redis.
        CacheError: The Redis does not answer, or a person has to mend something in it or in its settings.
    """
    from ..budget.fleet import as_openmetrics, read_fleet
    from ..cache.redis_errors import RedisRefused, RedisUnavailable
    from ..cache.redis_store import RedisStore
    from ..pool.pool import parts_of

    parts = parts_of(open_pool(invocation))
    budget, settings, store = parts.budget, parts.settings, parts.store
    location = store.location
    if budget is None or not isinstance(store, RedisStore):
        raise ConfigurationError(
            f"the cache is '{settings.cache}', and only hosts that share a Redis are a fleet",
            hint="Set AWS_COGNITO_CACHE or cognito_cache to its URL",
            topic="E-REDIS",
        )

    def problem(error: RedisUnavailable) -> CacheError:
        again = "Try again, or run: cognito-credentials doctor"
        hint = error.hint if isinstance(error, RedisRefused) else again
        return CacheError(f"the cache in {location}: {error.cause}", hint=hint, topic="E-REDIS")

    with replaced(RedisUnavailable, by=problem):
        fleet = read_fleet(budget, store.connection.script)
    if invocation.options.openmetrics:
        invocation.terminal.write(as_openmetrics(fleet, settings.region))
        return 0
    facts = {"location": location, "region": settings.region, "endpoint_url": settings.endpoint_url}
    facts |= fleet.shown()
    width = invocation.terminal.look.width
    invocation.terminal.write(as_json(facts) if invocation.options.json else _text(facts, width))
    return 0


def _text(facts: dict[str, Any], width: int | None) -> str:
    ratio, rows = facts["hit_ratio"], []
    for each in facts["operations"]:
        wait = span(each["wait_seconds"]) if each["wait_seconds"] else None
        rows.append(
            (
                *(each["operation"], f"{each['requests_per_second']:g} of {each['limit']:g}"),
                *(each["queue"], each["line"], wait),
            )
        )
    top = listing(
        [
            ("Shared in", facts["location"]),
            ("Region", facts["region"]),
            ("Endpoint", facts["endpoint_url"]),
            ("Users", f"about {facts['users']}"),
            ("Requests", f"{facts['requests_per_second']:g} a second"),
            ("Waiting", f"{facts['queue']} in the queue, {facts['line']} told to come later"),
            ("Hit ratio", "nothing counted yet" if ratio is None else f"{100 * ratio:.2f} %; {_UNCOUNTED}"),
            ("Failures", f"{facts['failures']} in ten minutes; the service throttled {facts['throttled']}"),
        ],
        width,
    )
    if not rows:
        return top
    return f"{top}\n{table(('OPERATION', 'A SECOND', 'QUEUE', 'LINE', 'LONGEST WAIT'), rows, width)}"
