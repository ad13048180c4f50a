"""
The numbers of the refresh policy, and the rules that are pure arithmetic.

`refresher.py` acts on them; nothing here waits, reads or writes. All times are seconds.

The windows and back-offs are those of the refresh contract that AWS's SDKs share since 2026. Sources:

    https://github.com/aws/aws-sdk-go-v2/blob/26f08768348e19da0a1f330692ba1c5f985ff5ff/aws/credential_cache.go
    https://github.com/boto/botocore/blob/develop/tests/unit/credential_refresh/credential-refresh-tests.json

Where we differ on purpose, the constant says so. Two differences are rules: credentials are never handed out
after their end, since STS refuses them; and an answer that no retry can mend (an expired login) does not take
away credentials that are still valid.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

MANDATORY_WINDOW: Final = 60
"""
With less than this left, callers wait for the refresh; until then they get the credentials that are held.

Source: `mandatoryWindow` in AWS's Go SDK (above).
"""
EARLY_FRACTION: Final = (1 / 15, 1 / 3)
"""
How much earlier than the advisory window the writer chooses to refresh, as a fraction of that window.

For one-hour credentials that is 16 to 20 minutes before the end. botocore asks a `credential_process` again
for every request once less than 15 minutes are left (`_DEFAULT_ADVISORY_REFRESH_TIMEOUT` in
https://github.com/boto/botocore/blob/develop/botocore/credentials.py), so it must never see that. The spread
keeps a fleet from refreshing all at once.
"""
CROWD_FRACTION: Final = 0.2
"""
How early the credentials of a user who came in a crowd may be refreshed, as a fraction of their lifetime.

Many users who come at once, after a deployment or an outage, would come again at once an hour later, and hour
after hour: the spread of `EARLY_FRACTION` is four minutes. So their first refresh is at any moment from 12 to
44 minutes after the start, which costs a third of a request for each user, once. Users who need not wait for
one another are no crowd.
"""
TURN_AGAIN: Final = (30.0, 90.0)
"""
How long a process waits to renew credentials for which the fleet's budget had no turn.

That is about ten tries before their last minute, in which they count as first credentials do.
"""
TURN_SOON: Final = 5.0
"""Who has to wait no longer for a turn asks for none before."""
SOONEST_REFRESH: Final = 30
"""New credentials are used for at least this long, however short-lived they are."""
ADVISORY_BUDGET: Final = 5.0
"""How long a caller who holds good credentials may be kept by the attempt to get newer ones."""
HOLDER_BUDGET: Final = 15.0
"""How long the service may take where callers wait; the holder of the machine's lock is done by then."""
WAITER_BUDGET: Final = 20.0
"""How long the others wait for the holder before they go on without the lock: its budget, and some more."""
BACKOFF: Final = (400.0, 600.0)
"""
After a failure while credentials are valid: one attempt in this time, for the whole machine.

AWS's contract says 300 to 600 (`jitter(300, 600)` in its Go SDK, above). From 400 on, no 15 minutes ever see
more than three attempts.
"""
SOONEST_LAST_TRY: Final = 200.0
"""A last attempt before the mandatory window begins is made only if it is at least this far ahead."""
FAILURE_KEPT: Final = (1.0, 5.0)
"""
How long an error is answered from memory when there are no valid credentials.

Source: `jitter(1, 5)` for errors that are not recoverable in AWS's Go SDK (above). Ours holds for all errors.
"""
FAILURE_KEPT_CAP: Final = 30.0
"""The same after many failures: short enough for a person, long enough for a service that many ask."""
THROTTLED_CAP: Final = 20.0
"""
The longest back-off without valid credentials when the service throttles.

Source: the longest that botocore waits between two tries,
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
"""
RECHECK_SECONDS: Final = 1.0
"""How often a process looks at the disk for what may have changed there: newer credentials, other owners."""


class Freshness(enum.Enum):
    """How fresh credentials are, and so what is done with them."""

    FRESH = "fresh"
    """Use them."""
    STALE = "stale"
    """Use them; one caller refreshes, and nobody waits for it."""
    ENDING = "ending"
    """Valid for less than a minute, or rejected: wait for the refresh, and use them if it fails."""
    EXPIRED = "expired"
    """Never use them."""


def advisory_window(lifetime: float) -> int:
    """
    Return how long before their end credentials of this *lifetime* should be refreshed at the latest.

    Source: `advisoryWindowFor` in AWS's Go SDK (above).
    """
    if lifetime <= 20 * 60:
        return 5 * 60
    return 15 * 60 if lifetime < 90 * 60 else 60 * 60


def refresh_at(issued_at: int, expires_at: int, rng: random.Random, *, spread: bool = False) -> int:
    """
    Choose when credentials are to be refreshed.

    The process that receives them chooses once, and the moment is stored with them, so that all processes of
    the machine agree on it.

    Args:
        issued_at: The service's time when they were received.
        expires_at: As the service said.
        rng: Spreads the moments of many machines.
        spread: Whether many users came at once; see `CROWD_FRACTION`.
    """
    lifetime = expires_at - issued_at
    window = advisory_window(lifetime)
    moment = expires_at - window * (1 + rng.uniform(*EARLY_FRACTION))
    if spread:
        moment = rng.uniform(min(issued_at + lifetime * CROWD_FRACTION, moment), moment)
    return int(min(max(moment, issued_at + SOONEST_REFRESH), expires_at))


def freshness(now: float, refresh_at: int, expires_at: int) -> Freshness:
    """Return how fresh credentials are at *now*, in the service's time."""
    if now >= expires_at:
        return Freshness.EXPIRED
    if now >= expires_at - MANDATORY_WINDOW:
        return Freshness.ENDING
    return Freshness.STALE if now >= refresh_at else Freshness.FRESH


def retry_delay(left: float | None, failures: int, rng: random.Random, *, throttled: bool) -> float:
    """
    Choose how long nobody on this machine asks the service again after a failure.

    Args:
        left: How long the credentials that are held are still valid; None when none are held.
        failures: How many failures in a row, this one included.
        rng: Spreads the next attempts of many machines.
        throttled: Whether the service said that it is asked too often.
    """
    doublings = float(2 ** min(failures - 1, 5))
    if left is None or left <= 0:
        if throttled:
            return rng.uniform(1.0, min(THROTTLED_CAP, 2.0 * doublings))
        return min(rng.uniform(*FAILURE_KEPT) * doublings, FAILURE_KEPT_CAP)
    delay = rng.uniform(*BACKOFF)
    if delay <= left - MANDATORY_WINDOW:
        return delay
    # One more attempt before the last minute, in which callers begin to wait. Where that would be too soon,
    # the credentials are used to their end without another one.
    last_try = left - MANDATORY_WINDOW - rng.uniform(0, 30)
    return last_try if last_try >= SOONEST_LAST_TRY else left


def turn_delay(wait: float, left: float | None, rng: random.Random) -> float:
    """
    Choose how long a process does not ask the fleet's budget again, which had no turn for a request.

    Without credentials it asks again halfway, and halfway again: others may have given up. Asking loses
    nothing.

    Args:
        wait: Until the moment that the budget told.
        left: How long the credentials that are held are still valid; None when none are held.
        rng: Spreads the next attempts.
    """
    if left is None or left <= MANDATORY_WINDOW:
        return max(wait / 2, min(wait, TURN_SOON))
    return min(rng.uniform(*TURN_AGAIN), left - MANDATORY_WINDOW)
