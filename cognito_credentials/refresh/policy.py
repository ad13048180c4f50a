"""
When credentials are fresh, stale or expired, and how long to leave a failing service alone.

Pure functions and constants, from AWS's refresh contract of 2026 with our deviations (reliability.md 3.1
and 3.2). `refresh.py` acts on them; nothing here waits, reads or writes. All times are seconds.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

MANDATORY_WINDOW: Final = 60
"""Inside this, callers wait for the refresh instead of taking what there is."""
EARLY_FRACTION: Final = (1 / 15, 1 / 3)
"""
How much earlier than the advisory window the writer chooses to refresh.

16 to 20 minutes before the end of one-hour credentials: botocore runs a `credential_process` again for
every request once less than 15 minutes are left (measured; tools.md 3.3), and a fleet must not act at once.
"""
SOONEST_LAST_TRY: Final = 200.0
SOONEST_REFRESH: Final = 30
ADVISORY_BUDGET: Final = 5.0
"""How long a caller who holds good credentials spends on getting better ones."""
HOLDER_BUDGET: Final = 15.0
"""How long the holder of the lock may take."""
WAITER_BUDGET: Final = 20.0
"""How long the others wait for the holder before they go on without the lock."""
BACKOFF: Final = (400.0, 600.0)
"""
After a failure while credentials are valid, one attempt in this time for the whole machine.

AWS's contract says 300 to 600; from 400 on, no 15 minutes ever see more than three attempts.
"""
FAILURE_KEPT: Final = (1.0, 5.0)
"""How long an error is answered from memory when there are no credentials to fall back on."""
FAILURE_KEPT_CAP: Final = 30.0
"""The same after many failures in a row: a fleet of processes must not hammer, a person must not wait."""
THROTTLED_CAP: Final = 20.0
RECHECK_SECONDS: Final = 1.0
"""How often a process that holds stale credentials looks at the disk for better ones."""


class Freshness(enum.Enum):
    """What a record is good for."""

    FRESH = "fresh"
    """Use it."""
    STALE = "stale"
    """Use it; somebody should refresh."""
    ENDING = "ending"
    """Valid for less than a minute: wait for the refresh, and use it if that fails."""
    EXPIRED = "expired"
    """Not to be used."""


def advisory_window(lifetime: float) -> int:
    """
    Return how long before its end a credential of *lifetime* should be refreshed at the latest.

    Source: AWS SDKs' shared refresh contract (Go, Ruby, C++, 2026).
    """
    if lifetime <= 20 * 60:
        return 5 * 60
    return 15 * 60 if lifetime < 90 * 60 else 60 * 60


def refresh_at(issued_at: int, expires_at: int, rng: random.Random) -> int:
    """
    Choose when a credential is to be refreshed; once, by the process that received it.

    Args:
        issued_at: The service's time at receipt.
        expires_at: As the service said.
        rng: Where chance comes from.

    Returns:
        A moment before *expires_at*, jittered so that a fleet does not act at once.
    """
    window = advisory_window(expires_at - issued_at)
    moment = expires_at - window * (1 + rng.uniform(*EARLY_FRACTION))
    return int(min(max(moment, issued_at + SOONEST_REFRESH), expires_at))


def freshness(now: float, refresh_at: int, expires_at: int) -> Freshness:
    """Tell what a record is good for at *now*, in the service's time."""
    if now >= expires_at:
        return Freshness.EXPIRED
    if now >= expires_at - MANDATORY_WINDOW:
        return Freshness.ENDING
    return Freshness.STALE if now >= refresh_at else Freshness.FRESH


def retry_delay(left: float | None, failures: int, rng: random.Random, *, throttled: bool) -> float:
    """
    Choose how long nobody on this machine asks the service again after a recoverable failure.

    Args:
        left: How long the credentials held are still valid; None when there are none.
        failures: How many failures in a row, this one included.
        rng: Where chance comes from.
        throttled: Whether the service said that it is being asked too often.
    """
    doublings = float(2 ** min(failures - 1, 5))
    if left is None or left <= 0:
        if throttled:
            return rng.uniform(1.0, min(THROTTLED_CAP, 2.0 * doublings))
        return min(rng.uniform(*FAILURE_KEPT) * doublings, FAILURE_KEPT_CAP)
    delay = rng.uniform(*BACKOFF)
    if delay <= left - MANDATORY_WINDOW:
        return delay
    # One more try before the last minute, where callers begin to wait; unless that is too soon. Then what
    # is held serves to its end.
    last_try = left - MANDATORY_WINDOW - rng.uniform(0, 30)
    return last_try if last_try >= SOONEST_LAST_TRY else left
