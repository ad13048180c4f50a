"""
The figures of a fleet, from what Redis has counted: of the last minute, of the last ten, and since ever.

Reading them takes one call of a script for each operation, whatever the number of users.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import CacheError
from . import script
from .bucket import SECOND
from .budget import interval_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .budget import Budget, Script

_READ: Final = f"""
local time = redis.call('TIME')
local state = redis.call('HMGET', KEYS[1], 'shift', 'next', 'ends', 'slip', 'hour')
local now = time[1] * {SECOND} + time[2] + tonumber(state[1] or 0)
local line = redis.call('ZCOUNT', KEYS[2], string.format('(%.0f', now - tonumber(state[4] or 0)), '+inf')
local hours, users = math.floor(now / {script.HOUR}) - tonumber(state[5] or 0), 0
if hours == 0 then users = redis.call('PFCOUNT', KEYS[4], KEYS[5])
elseif hours == 1 then users = redis.call('PFCOUNT', KEYS[4 + state[5] % 2]) end
return {{string.format('%.0f', now), state[2] or '0', state[3] or '0', state[4] or '0', line,
  redis.call('HGETALL', KEYS[3]), users}}
"""
MINUTE: Final = 60 * SECOND // script.ENTRY
"""Entries of the ring that make a minute; the present one is not over, and not among them."""


class Load(NamedTuple):
    """The figures of one operation."""

    operation: str
    limit: float
    """Requests a second that all hosts together may send."""
    requests_per_second: float
    """In the last minute, and a little less than that where the fleet is younger."""
    queue: int
    """How many requests have a slot that is not yet."""
    line: int
    """How many users were told a later moment, which is not yet."""
    wait_seconds: float
    """How long the line is, or else the queue."""
    users: int
    """Who had a request in this hour or the one before; an estimate, to about one per cent."""
    recent: dict[str, int]
    """What was counted in the last ten minutes, by `script.COUNTERS`."""
    total: dict[str, int]
    """The same since Redis began to count."""


class Fleet(NamedTuple):
    """The figures of the hosts that share a Redis, of the pools in one region at one endpoint."""

    operations: list[Load]
    """Those that were asked for."""

    @property
    def users(self) -> int:
        """Who had a request in this hour or the one before; credentials are renewed each hour."""
        return max((load.users for load in self.operations), default=0)

    @property
    def hit_ratio(self) -> float | None:
        """Which part of the requests for credentials needed no request to the service; None for none."""
        kept, asked = self._recent("hits") + self._recent("adopted"), self._recent("exchanged", "failed")
        return None if not kept + asked else kept / (kept + asked)

    def _recent(self, *names: str) -> int:
        return sum(load.recent[name] for load in self.operations for name in names)

    def shown(self) -> dict[str, Any]:
        """Return what the command line shows, by names that stay from release to release."""
        ratio = self.hit_ratio
        return {
            "users": self.users,
            "requests_per_second": round(sum(load.requests_per_second for load in self.operations), 2),
            "queue": sum(load.queue for load in self.operations),
            "line": sum(load.line for load in self.operations),
            "hit_ratio": None if ratio is None else round(ratio, 4),
            "failures": self._recent("failed"),
            "throttled": self._recent("throttled"),
            "operations": [
                {
                    "operation": load.operation,
                    "limit": load.limit,
                    "requests_per_second": round(load.requests_per_second, 2),
                    "queue": load.queue,
                    "line": load.line,
                    "wait_seconds": round(load.wait_seconds, 1),
                    **{name: load.recent[name] for name in ("refused", "postponed", "throttled")},
                }
                for load in self.operations
            ],
        }


def read_fleet(budget: Budget, run: Script) -> Fleet:
    """
    Read the figures of the pools of *budget*.

    Args:
        run: Runs a Lua script in Redis; what it raises is raised.

    Raises:
        CacheError: What Redis has is nothing that the script of the budget writes.
    """
    loads = []
    for operation, limit in budget.rates.items():
        place = budget.place_of(operation)
        answer = run(_READ, script.keys(place), ())
        try:
            load = _load(operation, limit, answer)
        except ValueError:
            load = None
        if load is None:
            raise _unreadable(place)
        if load.total["requests"] or load.total["refused"] or load.total["postponed"]:
            loads.append(load)
    return Fleet(loads)


def _unreadable(place: str) -> CacheError:
    return CacheError(
        f"what Redis has counted in {script.keys(place)[0].rpartition(':')[0]}:* cannot be read",
        hint="Delete these keys: they begin anew, and no identity and no credentials are in them",
        topic="E-REDIS",
    )


def _load(operation: str, limit: float, answer: Any) -> Load:
    now, following, ends, slip = (int(part) for part in answer[:4])
    line, ring, users = int(answer[4]), answer[5], int(answer[6])
    number = now // script.ENTRY
    entries: dict[int, dict[str, int]] = {}
    total = dict.fromkeys(script.COUNTERS, 0)
    for name, text in zip(ring[::2], ring[1::2], strict=True):
        first, *counts = (int(part) for part in text.split())
        counted = dict(zip(script.COUNTERS, counts, strict=False))
        if name.decode() == script.SUMS:
            total |= counted
        elif number - script.ENTRIES < first <= number:
            entries[first] = counted
    recent = {name: sum(entry.get(name, 0) for entry in entries.values()) for name in script.COUNTERS}
    minute = sum(entries.get(number - ago, {}).get("requests", 0) for ago in range(1, MINUTE + 1))
    wait = max(0, following - now, ends + slip - now if line else 0)
    return Load(
        operation=operation,
        limit=limit,
        requests_per_second=minute / 60,
        queue=math.ceil(max(0, following - now) / interval_of(limit)),
        line=line,
        wait_seconds=wait / SECOND,
        users=users,
        recent=recent,
        total=total,
    )


_ANSWERS: Final = {"hits": "memory", "adopted": "store", "exchanged": "service", "failed": "failure"}


def as_openmetrics(fleet: Fleet, region: str) -> str:
    """
    Write the figures for who scrapes them.

    Source: https://prometheus.io/docs/specs/om/open_metrics_spec/
    """
    return "".join(f"{line}\n" for line in (*_lines(fleet, region), "# EOF"))


def _lines(fleet: Fleet, region: str) -> Iterator[str]:
    loads = fleet.operations
    yield from _family("users", "gauge", "Users with a request in this hour or the one before, an estimate.")
    yield f'cognito_credentials_users{{region="{region}"}} {fleet.users}'
    gauges = {
        "request_limit": ("Requests a second that all hosts together may send.", "limit"),
        "queue": ("Requests that have a turn, and wait for it.", "queue"),
        "line": ("Users who were told to come back later, and when.", "line"),
    }
    for name, (help_text, member) in gauges.items():
        yield from _family(name, "gauge", help_text)
        for load in loads:
            yield _sample(name, region, load.operation, f"{getattr(load, member):g}")
    yield from _family("wait_seconds", "gauge", "How long a new user would wait.", "seconds")
    for load in loads:
        yield _sample("wait_seconds", region, load.operation, f"{load.wait_seconds:.3f}")
    counters = {
        "requests": "Requests that were sent to the service, repetitions included.",
        "waited": "Requests that waited for their turn.",
        "refused": "First requests that had no turn before their time limit.",
        "postponed": "Renewals that had no turn, of credentials that were still valid.",
        "throttled": "Answers of the service that it is asked too often.",
    }
    for name, help_text in counters.items():
        yield from _family(name, "counter", help_text)
        for load in loads:
            yield _sample(f"{name}_total", region, load.operation, str(load.total[name]))
    yield from _family("waited_seconds", "counter", "Time that requests waited for their turn.", "seconds")
    for load in loads:
        seconds = load.total["waited_us"] / SECOND
        yield _sample("waited_seconds_total", region, load.operation, f"{seconds:.3f}")
    yield from _family("answers", "counter", "Answers to requests for credentials, by where they came from.")
    for counter, source in _ANSWERS.items():
        count = sum(load.total[counter] for load in loads)
        yield f'cognito_credentials_answers_total{{region="{region}",source="{source}"}} {count}'


def _family(name: str, kind: str, help_text: str, unit: str | None = None) -> Iterator[str]:
    yield f"# TYPE cognito_credentials_{name} {kind}"
    if unit is not None:
        yield f"# UNIT cognito_credentials_{name} {unit}"
    yield f"# HELP cognito_credentials_{name} {help_text}"


def _sample(name: str, region: str, operation: str, value: str) -> str:
    return f'cognito_credentials_{name}{{region="{region}",operation="{operation}"}} {value}'
