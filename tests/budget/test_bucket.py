"""The bucket of one operation: slots, line, renewals, pauses; in Python, by an injected clock."""

from __future__ import annotations

import random

import pytest

from cognito_credentials.budget.bucket import (
    LONGEST_LINE,
    NEWCOMERS_WAIT,
    PAUSE,
    PLACE_KEPT,
    RENEWALS_WAIT,
    SECOND,
    SHARE,
    SHARE_KEPT,
    Bucket,
    Turn,
)

START = 1_790_000_000 * SECOND
INTERVAL = SECOND // 25
PATIENCE = 10 * SECOND


def granted(turns: list[Turn]) -> list[int]:
    return [turn.wait for turn in turns if turn.is_granted]


def test_slots_are_an_interval_apart_in_the_order_in_which_they_are_asked_for() -> None:
    """Ten who ask at once get ten slots, an interval apart, the first at once."""
    bucket = Bucket()

    turns = [bucket.ask(START, INTERVAL, f"u{n}", PATIENCE) for n in range(10)]

    assert turns == [Turn(is_granted=True, wait=n * INTERVAL) for n in range(10)]


def test_a_crowd_is_told_from_some_users_who_come_at_the_same_moment() -> None:
    """Of thirty at once, those who wait for a second are a crowd, and all who come while there is a line."""
    bucket = Bucket()
    turns = [bucket.ask(START, INTERVAL, f"u{n}", 2 * SECOND) for n in range(30)]
    assert [turn.is_crowded for turn in turns] == [False] * 25 + [True] * 5

    for n in range(100):
        bucket.ask(START, INTERVAL, f"v{n}", 0)
    later = bucket.ask(START + 2 * SECOND, INTERVAL, "w", 2 * SECOND)
    assert (later.is_granted, later.wait, later.is_crowded) == (True, 0, True)


def test_nobody_gets_a_slot_for_which_time_is_too_short_and_each_of_them_is_told_another_moment() -> None:
    """Beyond what patience allows, no slot is taken; places follow one another after the last slot."""
    bucket = Bucket()

    turns = [bucket.ask(START, INTERVAL, f"u{n}", SECOND) for n in range(30)]

    assert granted(turns) == [n * INTERVAL for n in range(26)]
    assert [turn.wait for turn in turns[26:]] == [(n + 1) * INTERVAL for n in range(26, 30)]


def test_asking_again_too_early_neither_loses_nor_improves_a_place() -> None:
    """A place stays the same moment, however often its holder asks before, and lengthens no line."""
    bucket = Bucket()
    for n in range(300):
        told = bucket.ask(START, INTERVAL, f"u{n}", SECOND).wait

    assert [bucket.ask(START, INTERVAL, "u299", SECOND).wait for _ in range(3)] == [told] * 3
    assert bucket.ask(START, INTERVAL, "last", SECOND).wait == told + INTERVAL


def test_who_has_a_place_and_comes_back_in_time_is_served_before_newcomers() -> None:
    """Newcomers who keep all slots busy delay the holder of a place by no more than they may wait."""
    bucket = Bucket()
    for n in range(300):
        told = bucket.ask(START, INTERVAL, f"u{n}", SECOND).wait
    for n in range(1000):
        bucket.ask(START + told - SECOND, INTERVAL, f"new{n}", PATIENCE)

    turn = bucket.ask(START + told, INTERVAL, "u299", 2 * SECOND)

    assert turn.is_granted
    assert turn.wait <= NEWCOMERS_WAIT


def test_slots_of_those_who_do_not_come_back_go_to_newcomers() -> None:
    """Though the line is an hour long, a newcomer has a slot at once where nobody in the line has come."""
    bucket = Bucket()
    for n in range(80_000):
        bucket.ask(START, INTERVAL, f"u{n}", PATIENCE)

    assert bucket.ask(START + 60 * SECOND, INTERVAL, "new", PATIENCE)[:2] == (True, 0)


def test_the_line_is_limited_and_forgets_who_does_not_come() -> None:
    """No place is given for later than two hours, and each is forgotten two minutes after its moment."""
    bucket = Bucket()
    for n in range(200_000):
        bucket.ask(START, INTERVAL, f"u{n}", 0)

    assert len(bucket.line) == LONGEST_LINE // INTERVAL - 1  # the first one has a slot
    bucket.ask(START + LONGEST_LINE + PLACE_KEPT + SECOND, INTERVAL, "new", 0)
    assert not bucket.line


def test_a_renewal_goes_behind_first_credentials() -> None:
    """A renewal has a slot while almost nobody waits, and none behind a longer queue."""
    bucket = Bucket()
    assert bucket.ask_to_renew(START, INTERVAL).is_granted
    while bucket.next - START <= RENEWALS_WAIT:
        bucket.ask(START, INTERVAL, str(bucket.next), PATIENCE)

    assert not bucket.ask_to_renew(START, INTERVAL).is_granted


def test_renewals_delay_first_credentials_by_no_more_than_they_may_wait_themselves() -> None:
    """A thousand renewals at once leave the next first credentials a slot within 0.5 s and one interval."""
    bucket = Bucket()
    for _ in range(1000):
        bucket.ask_to_renew(START, INTERVAL)

    assert bucket.ask(START, INTERVAL, "first", PATIENCE).wait <= RENEWALS_WAIT + INTERVAL


def test_first_credentials_do_not_keep_all_renewals_out() -> None:
    """While first credentials take all they can, renewals get a quarter, and both keep the quota."""
    bucket, sent = Bucket(), {"first": 0, "renewal": 0}
    moments = []
    for moment in range(START, START + 120 * SECOND, INTERVAL // 2):
        for kind in ("first", "renewal"):
            turn = (
                bucket.ask(moment, INTERVAL, str(moment), 2 * SECOND)
                if kind == "first"
                else bucket.ask_to_renew(moment, INTERVAL)
            )
            if turn.is_granted:
                sent[kind] += 1
                moments.append(moment + turn.wait)

    assert sent["renewal"] == pytest.approx(sum(sent.values()) / SHARE, rel=0.1)
    assert busiest(moments) <= SECOND // INTERVAL + 1


def test_no_slots_are_kept_free_once_no_renewal_comes() -> None:
    """Two minutes after the last renewal that came in vain, slots are an interval apart again."""
    bucket = Bucket()
    for n in range(100):
        bucket.ask(START, INTERVAL, f"u{n}", PATIENCE)
    bucket.ask_to_renew(START, INTERVAL)
    kept = [bucket.ask(START, INTERVAL, f"v{n}", PATIENCE).wait for n in range(2)]
    later = START + SHARE_KEPT
    free = [bucket.ask(later, INTERVAL, f"w{n}", PATIENCE).wait for n in range(2)]

    assert kept[1] - kept[0] == INTERVAL * SHARE // (SHARE - 1)
    assert free[1] - free[0] == INTERVAL


def test_the_quota_is_kept_whatever_comes() -> None:
    """In a random crowd of users, renewals and answers that say "too often", no second has more than 26."""
    rng, bucket, moments, now = random.Random(7), Bucket(), [], START
    for _ in range(20_000):
        now += rng.choice((0, 0, 0, rng.randrange(INTERVAL), rng.randrange(3 * SECOND)))
        kind = rng.random()
        if kind < 0.01:
            bucket.pause(now)
        elif kind < 0.3:
            turn = bucket.ask_to_renew(now, INTERVAL)
        else:
            turn = bucket.ask(now, INTERVAL, f"u{rng.randrange(2000)}", rng.randrange(PATIENCE))
        if kind >= 0.01 and turn.is_granted:
            moments.append(now + turn.wait)

    assert busiest(moments) <= SECOND // INTERVAL + 1


def test_a_pause_stops_all_for_a_second_and_more_answers_do_not_prolong_it() -> None:
    """Twenty hosts that are told "too often" at once cause one pause of one second."""
    bucket = Bucket()
    for _ in range(20):
        bucket.pause(START)

    assert bucket.ask(START, INTERVAL, "u", PATIENCE)[:2] == (True, PAUSE)


@pytest.mark.parametrize("back", [SECOND, 3 * 3600 * SECOND])
def test_a_clock_that_goes_back_keeps_nobody_waiting_for_it_to_catch_up(back: int) -> None:
    """After a failover to a Redis that is hours behind, slots go on from the moment before."""
    bucket = Bucket()
    bucket.ask(START, INTERVAL, "a", PATIENCE)

    turns = [bucket.ask(START - back + n * INTERVAL, INTERVAL, f"b{n}", PATIENCE) for n in range(3)]

    assert [turn.wait for turn in turns] == [INTERVAL] * 3


def test_a_clock_that_jumps_ahead_gives_no_burst() -> None:
    """After a jump of hours, slots are still an interval apart."""
    bucket = Bucket()
    for n in range(100):
        bucket.ask(START, INTERVAL, f"u{n}", PATIENCE)
    later = START + 5 * 3600 * SECOND

    assert granted([bucket.ask(later, INTERVAL, f"v{n}", PATIENCE) for n in range(3)]) == [
        0,
        INTERVAL,
        2 * INTERVAL,
    ]


def busiest(moments: list[int]) -> int:
    """Return how many of *moments* are within one second, at most."""
    moments, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - SECOND:
            first += 1
        most = max(most, last - first + 1)
    return most
