"""
A program with an event loop, whose tasks ask for credentials at once while a ticker runs beside them.

    python -m tests.benchmarks.tasks_client URL POOL cold|users|fresh COUNT

It prints one line of JSON. The emulator at URL is another process.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from cognito_credentials import AsyncIdentityPool

Provider = Callable[[], Awaitable[object]]


async def standstill(providers: Sequence[Provider]) -> tuple[float, int]:
    """
    Have a task ask each of *providers*, all at once.

    Returns:
        The longest time in milliseconds between two ticks of a loop that should tick each millisecond; and
        the most threads that there were at a tick.
    """
    gaps: list[float] = []
    most = 0

    async def tick() -> None:
        nonlocal most
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - before)
            before, most = now, max(most, threading.active_count())

    gc.collect()  # of what was before; the tasks' own collections count
    ticking = asyncio.ensure_future(tick())
    await asyncio.sleep(0.05)
    gaps.clear()
    await asyncio.gather(*(asyncio.ensure_future(provider()) for provider in providers))
    await asyncio.sleep(0.01)
    ticking.cancel()
    return max(gaps) * 1000, most


async def trivial() -> object:
    """Stand for the simplest provider there is: it gives way once, and returns keys."""
    await asyncio.sleep(0)
    return "key", "secret", "token"


async def cold(pool: AsyncIdentityPool, count: int) -> dict[str, float]:
    """Let tasks ask the trivial provider, and then a pool that has nothing yet."""
    alone, _ = await standstill([trivial] * count)
    ours, threads = await standstill([pool.credentials] * count)
    return {"trivial_ms": alone, "ours_ms": ours, "threads": threads - 1}


async def users(pool: AsyncIdentityPool, count: int) -> dict[str, float]:
    """Let a task of each user ask, where nobody has anything yet."""
    began = time.perf_counter()
    providers = [pool.for_user(f"user {number}").credentials for number in range(count)]
    ours, threads = await standstill(providers)
    seconds = time.perf_counter() - began
    return {"ours_ms": ours, "threads": threads - 1, "each_ms": seconds * 1000 / count}


async def fresh(pool: AsyncIdentityPool, count: int) -> dict[str, float]:
    """Microseconds for a read of fresh credentials, ours and those of botocore and aiobotocore."""
    await pool.credentials()
    found = {"ours_us": min([await _each(pool.credentials, count) for _ in range(20)])}
    assert "botocore" not in sys.modules
    for name, provider in _others().items():
        found[name] = min([await _each(provider, count) for _ in range(20)])
    return found


def _others() -> dict[str, Provider]:
    """Return reads of other libraries' fresh credentials; aiobotocore's where it is installed."""
    from botocore.credentials import RefreshableCredentials

    arguments: dict[str, Any] = {
        "access_key": "key",
        "secret_key": "secret",
        "token": "token",
        "expiry_time": datetime.now(timezone.utc) + timedelta(hours=1),
        "refresh_using": lambda: None,
        "method": "test",
    }
    blocking = RefreshableCredentials(**arguments)

    async def botocores() -> object:
        return blocking.get_frozen_credentials()

    found: dict[str, Provider] = {"botocore_us": botocores}
    if importlib.util.find_spec("aiobotocore") is not None:
        from aiobotocore.credentials import AioRefreshableCredentials

        found["aiobotocore_us"] = AioRefreshableCredentials(**arguments).get_frozen_credentials
    return found


async def _each(provider: Provider, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        await provider()
    return (time.perf_counter() - began) / count * 1e6


def main(url: str, pool_id: str, what: str, count: int) -> dict[str, float]:
    pool = AsyncIdentityPool(pool_id, endpoint_url=url)
    return asyncio.run({"cold": cold, "users": users, "fresh": fresh}[what](pool, count))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:4], int(sys.argv[4]))))
