"""
One process of a fleet whose hosts share a Redis, which measures itself.

    python -m tests.benchmarks.fleet_client URL POOL CACHE adopt|held|many|reads|cold FIRST COUNT

It prints one line of JSON. The users are guests of the numbers from FIRST on; of `cold`, each fourth number.
CACHE is the setting.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cognito_credentials import IdentityPool, ServiceError
from cognito_credentials.cache.records import CredentialsRecord, Records
from cognito_credentials.pool.pool import parts_of

from .users_client import MovedClock

KEY = bytes(32)
HOSTS = 4
"""Processes of a crowd."""
ARRIVALS = 100
"""Users of a crowd who come in a second, to all processes together."""


def adopt(pool: IdentityPool, names: list[str]) -> dict[str, Any]:
    """Milliseconds for each user whose credentials another process has put into the store."""
    pool.for_user("warm").credentials()
    taken = []
    for name in names:
        began = time.perf_counter()
        pool.for_user(name).credentials()
        taken.append((time.perf_counter() - began) * 1000)
    return {"ms": taken}


def held(pool: IdentityPool, names: list[str]) -> dict[str, Any]:
    """KiB that this process holds for each such user, when the object is gone."""
    import tracemalloc  # PyPy has none

    pool.for_user("warm").credentials()
    gc.collect()
    tracemalloc.start(1)
    before = tracemalloc.get_traced_memory()[0]
    for name in names:
        pool.for_user(name).credentials()
    gc.collect()
    return {"kib": (tracemalloc.get_traced_memory()[0] - before) / 1024 / len(names)}


def many(pool: IdentityPool, names: list[str]) -> dict[str, Any]:
    """
    Serve many more users than are held; their credentials are in the store, as another host would put them.

    Returns:
        Milliseconds of CPU for a request of the second and of the last tenth of users; MiB of this process
        after the second tenth, and how many more at the end.
    """
    parts = parts_of(pool)
    like = parts_of(pool.for_user("warm")).refresher.credentials()
    records = Records(parts.store, parts.clock)

    def put(name: str) -> None:
        principal = parts_of(pool.for_user(name)).refresher.principal()
        assert principal is not None
        record = {part: getattr(like, part) for part in like.__slots__}
        records.keep(CredentialsRecord(**{**record, "key": principal.credentials_key}))

    def request(name: str) -> None:
        pool.for_user(name).credentials()

    tenth, spent, mib = len(names) // 10, [], []
    for first in range(0, len(names), tenth):
        for name in names[first : first + tenth]:
            put(name)
        began = time.process_time()
        for name in names[first : first + tenth]:
            request(name)
        spent.append((time.process_time() - began) * 1000 / tenth)
        mib.append(resident_mib())
    return {"early_ms": spent[1], "late_ms": spent[-1], "mib": mib[1], "more_mib": mib[-1] - mib[1]}


def resident_mib() -> float:
    """Return the memory of this process."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) / 256


def reads(pool: IdentityPool, names: list[str]) -> dict[str, Any]:
    """Microseconds of a fresh read: with this pool, and with one whose cache is in memory."""
    settings = pool.settings
    plain = IdentityPool(settings.identity_pool_id, cache="memory", endpoint_url=settings.endpoint_url)
    name = names[0]
    shared, memory = pool.for_user(name), plain.for_user(name)
    calls: dict[str, Callable[[], object]] = {
        "shared": shared.credentials,
        "memory": memory.credentials,
        "shared_anew": lambda: pool.for_user(name).credentials(),
        "memory_anew": lambda: plain.for_user(name).credentials(),
    }
    taken = dict.fromkeys(calls, float("inf"))
    for _ in range(30):
        for what, call in calls.items():
            call()
            began = time.perf_counter()
            for _ in range(500):
                call()
            taken[what] = min(taken[what], (time.perf_counter() - began) / 500 * 1e6)
    return taken


def cold(pool: IdentityPool, names: list[str], first: int) -> dict[str, Any]:
    """
    Let users come, each by a thread; who is told when to come again comes then.

    The line on stdin says when the first of them all comes, by the machine's clock.

    Returns:
        For each user: when the user came, and the last call ended; how often the user was told to come again;
        the longest call; the first error that says no time, if there was one.
    """
    answers: list[list[Any]] = []
    begin: list[float] = []
    ready = threading.Event()

    def user(number: int, name: str) -> None:
        ready.wait()
        came = begin[0] + number / ARRIVALS
        time.sleep(max(0.0, came - time.time()))
        told, longest, error = 0, 0.0, ""
        while True:
            began = time.time()
            try:
                pool.for_user(name).credentials()
                break
            except ServiceError as problem:
                if problem.retry_after is None or told > 100:
                    error = str(problem)
                    break
                told, again = told + 1, problem.retry_after
            finally:
                longest = max(longest, time.time() - began)
            time.sleep(again)
        answers.append([came, time.time(), told, longest, error])

    pool.for_user(f"warm {first}").credentials()
    threading.stack_size(256 * 1024)
    threads = [
        threading.Thread(target=user, args=[number, name])
        for number, name in zip(range(first, first + HOSTS * len(names), HOSTS), names, strict=True)
    ]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    begin.append(float(sys.stdin.readline()))
    ready.set()
    for thread in threads:
        thread.join()
    return {"answers": answers}


def main(url: str, pool_id: str, cache: str, what: str, first: int, count: int) -> dict[str, Any]:
    key = KEY if "://" in cache else None
    limit = count // 10 if what == "many" else 100_000
    clock = MovedClock(url)
    pool = IdentityPool(
        pool_id, cache=cache, cache_key=key, endpoint_url=url, clock=clock, users_in_memory=limit
    )
    if what == "cold":
        return cold(pool, [f"user {first + HOSTS * number}" for number in range(count)], first)
    names = [f"user {number}" for number in range(first, first + count)]
    return {"adopt": adopt, "held": held, "many": many, "reads": reads}[what](pool, names)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:5], *map(int, sys.argv[5:7]))))  # type: ignore[arg-type]
