"""
A process with many users of one identity pool, whose own CPU time and memory are measured.

    python -m tests.benchmarks.users_client URL POOL first|held|anew|reads|botocore COUNT

It prints one line of JSON. The emulator at URL is another process, so that its work is not counted.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

from cognito_credentials import IdentityPool
from cognito_credentials.cache.memory import CREDENTIALS_LIMIT
from cognito_credentials.clock import Clock


class MovedClock(Clock):
    """The machine's clock, and the service's with it, as far ahead as `move` says."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._ahead = 0.0

    def wall(self) -> float:
        return super().wall() + self._ahead

    def elapsed(self) -> float:
        return super().elapsed() + self._ahead

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += seconds
        body = json.dumps({"clock_offset": self._ahead}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/_emulator/settings", body, headers, method="PUT")
        urllib.request.urlopen(request).close()


def first(pool: IdentityPool, count: int) -> dict[str, float]:
    """Milliseconds of CPU for each further user's first credentials."""
    return {"cpu_ms": _cpu(lambda name: pool.for_user(name).credentials(), _names("measured", count))}


def held(pool: IdentityPool, count: int) -> dict[str, float]:
    """KiB that are held for each further user who has credentials."""
    import tracemalloc  # PyPy has none

    users = []
    gc.collect()
    tracemalloc.start(1)
    before = tracemalloc.get_traced_memory()[0]
    for name in _names("measured", count):
        users.append(pool.for_user(name))
        users[-1].credentials()
    gc.collect()
    return {"kib": (tracemalloc.get_traced_memory()[0] - before) / 1024 / len(users)}


def anew(pool: IdentityPool, count: int) -> dict[str, float]:
    """
    Make an object of each user with each request, and drop it.

    Returns:
        KiB that are held for each user; microseconds of CPU for a request of a user who is held, and for a
        read by an object that is kept.
    """

    import tracemalloc  # PyPy has none

    def request(name: str) -> object:
        return pool.for_user(name).credentials()

    names = _names("measured", count)
    tracemalloc.start(1)
    for name in _names("copied", CREDENTIALS_LIMIT):
        request(name)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for name in names:
        request(name)
    gc.collect()
    kib = (tracemalloc.get_traced_memory()[0] - before) / 1024 / count
    tracemalloc.stop()
    kept = pool.for_user(names[-1])
    again = min(_cpu(request, names) for _ in range(10))
    return {
        "kib": kib,
        "anew_us": again * 1000,
        "kept_us": _cpu(lambda _: kept.credentials(), range(5000)) * 1000,
    }


def reads(pool: IdentityPool, count: int, clock: MovedClock) -> dict[str, float]:
    """
    Read credentials of each user 100 times, with a refresh in the middle.

    Returns:
        Microseconds of CPU for each read of the first hundred users, while they are alone, and of all users;
        milliseconds for each refresh of the first and of the last hundred users.
    """
    users = [pool.for_user(name) for name in _names("reader", count)]
    few, others, last = users[:100], users[100:], users[-100:]

    def read(user: IdentityPool) -> object:
        return user.credentials()

    for user in few:
        user.credentials()
    alone = min(_cpu(read, few) for _ in range(50))
    for user in others:
        user.credentials()
    all_users = min(_cpu(read, users) for _ in range(50))
    clock.move(3000)
    early, rest, late = _cpu(read, few), _cpu(read, users[100:-100]), _cpu(read, last)
    del rest
    for _ in range(49):
        _cpu(read, users)
    return {"alone_us": alone * 1000, "all_us": all_users * 1000, "early_ms": early, "late_ms": late}


def of_botocore(url: str, pool_id: str, count: int) -> dict[str, float]:
    """Milliseconds of CPU and KiB for a client of botocore for each user, as this package once had it."""
    import botocore.config
    import botocore.session
    from botocore import UNSIGNED

    clients = []

    def begin(_: str) -> None:
        client = botocore.session.Session().create_client(
            "cognito-identity",
            region_name="us-east-1",
            endpoint_url=url,
            config=botocore.config.Config(signature_version=UNSIGNED),
        )
        identity = client.get_id(IdentityPoolId=pool_id)["IdentityId"]
        client.get_credentials_for_identity(IdentityId=identity)
        clients.append(client)

    begin("warm")
    before = _resident()
    cpu = _cpu(begin, _names("measured", count))
    return {"cpu_ms": cpu, "kib": (_resident() - before) / count}


def _cpu(work: Callable[[Any], object], items: Iterable[Any]) -> float:
    """Milliseconds of this process's CPU for each of *items*."""
    items = list(items)
    began = time.process_time()
    for item in items:
        work(item)
    return (time.process_time() - began) * 1000 / len(items)


def _resident() -> float:
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4.0


def _names(kind: str, count: int) -> list[str]:
    return [f"{kind} {number}" for number in range(count)]


def main(url: str, pool_id: str, what: str, count: int) -> dict[str, float]:
    if what == "botocore":
        return of_botocore(url, pool_id, count)
    clock = MovedClock(url)
    pool = IdentityPool(pool_id, cache="memory", endpoint_url=url, clock=clock, environ={})
    for name in _names("warm", 20):
        pool.for_user(name).credentials()
    if what == "reads":
        return reads(pool, count, clock)
    return {"first": first, "held": held, "anew": anew}[what](pool, count)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:4], int(sys.argv[4]))))
