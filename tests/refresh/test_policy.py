"""The pure half of the refresh policy: boundaries to the second."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_credentials.refresh import policy
from cognito_credentials.refresh.policy import Freshness

MINUTE = 60


@pytest.mark.parametrize(
    ("lifetime", "window"),
    [
        (15 * MINUTE, 5 * MINUTE),
        (20 * MINUTE, 5 * MINUTE),
        (20 * MINUTE + 1, 15 * MINUTE),
        (90 * MINUTE - 1, 15 * MINUTE),
        (90 * MINUTE, 60 * MINUTE),
        (12 * 60 * MINUTE, 60 * MINUTE),
    ],
)
def test_the_advisory_window_grows_with_the_lifetime(lifetime: int, window: int) -> None:
    """The tiers of AWS's refresh contract hold to the second."""
    assert policy.advisory_window(lifetime) == window


@pytest.mark.parametrize(
    ("lifetime", "earliest", "latest"),
    [
        (900, 400, 320),
        (3600, 1200, 960),
        (43200, 4800, 3840),
    ],
)
def test_the_refresh_moment_is_spread(lifetime: int, earliest: int, latest: int) -> None:
    """The refresh moments of a fleet lie evenly in their range, and none outside."""
    rng = random.Random(1)
    left = [lifetime - policy.refresh_at(0, lifetime, rng) for _ in range(10_000)]

    assert latest <= min(left) <= latest + 5
    assert earliest - 5 <= max(left) <= earliest + 1
    bins = [0] * 10
    for value in left:
        bins[min(int((value - latest) * 10 / (earliest - latest + 1)), 9)] += 1
    assert max(bins) < 2 * min(bins)


@given(st.integers(60, 43_500), st.integers(0, 2**32))
def test_the_refresh_moment_is_never_past_the_end(lifetime: int, seed: int) -> None:
    """Whatever the lifetime, there is a time to use credentials before they are renewed."""
    moment = policy.refresh_at(1000, 1000 + lifetime, random.Random(seed))

    assert 1000 + min(policy.SOONEST_REFRESH, lifetime) <= moment <= 1000 + lifetime


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (2399, Freshness.FRESH),
        (2400, Freshness.STALE),
        (3539, Freshness.STALE),
        (3540, Freshness.ENDING),
        (3599, Freshness.ENDING),
        (3600, Freshness.EXPIRED),
        (9999, Freshness.EXPIRED),
    ],
)
def test_each_state_begins_on_its_second(now: int, expected: Freshness) -> None:
    """Fresh, stale, ending and expired meet without gap or overlap."""
    assert policy.freshness(now, refresh_at=2400, expires_at=3600) is expected


@given(st.floats(121, 43_500), st.integers(1, 20), st.integers(0, 2**32))
def test_a_failure_with_valid_credentials_leaves_room_for_one_more_try(
    left: float, failures: int, seed: int
) -> None:
    """The next try comes within ten minutes and before the last minute, or when the credentials end."""
    delay = policy.retry_delay(left, failures, random.Random(seed), throttled=False)

    assert 200 <= delay <= 600 or delay == left
    assert delay <= left - policy.MANDATORY_WINDOW or delay == left


@given(st.integers(0, 2**32), st.floats(600, 3600))
def test_fifteen_minutes_never_see_four_tries(seed: int, left: float) -> None:
    """However the dice fall, a machine makes at most three attempts in any 15 minutes of an outage."""
    rng = random.Random(seed)
    moments, now = [], 0.0
    while now < left:
        moments.append(now)
        now += policy.retry_delay(left - now, len(moments), rng, throttled=False)

    for moment in moments:
        assert sum(moment <= other < moment + 900 for other in moments) <= 3


@given(st.integers(1, 30), st.integers(0, 2**32), st.booleans())
def test_without_credentials_the_wait_is_seconds(failures: int, seed: int, throttled: bool) -> None:
    """Without credentials, an error is remembered for seconds only."""
    delay = policy.retry_delay(None, failures, random.Random(seed), throttled=throttled)

    assert 1 <= delay <= 30
    if failures == 1:
        assert delay <= 5
