"""
Waiting for a turn: for a thread's, whatever interrupts it; and for the machine's lock, until it is free,
until there is no need, or until it takes too long.
"""

from __future__ import annotations

import gc
import random
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from cognito_credentials.cache.memory import MemoryStore
from cognito_credentials.cache.store import Lock
from cognito_credentials.cache.waiting import SingleFlight, holding
from cognito_credentials.errors import ConfigurationError, ServiceError
from tests.cache.contract import KEY
from tests.conftest import ManualClock

STORE = MemoryStore()


def another() -> Lock:
    """A further handle of the one lock of these tests."""
    return STORE.lock(KEY)


@pytest.fixture
def held() -> Iterator[Lock]:
    """A handle that holds the lock."""
    lock = another()
    assert lock.acquire()
    yield lock
    lock.release()


def test_a_lock_that_becomes_free_is_held(held: Lock, clock: ManualClock) -> None:
    """The block runs once the holder lets go, and holds the lock itself."""
    moments: list[float] = []

    def is_settled() -> bool:
        moments.append(clock.elapsed())
        if len(moments) == 3:
            held.release()
        return False

    with holding(another(), 20, clock, random.Random(1), is_settled=is_settled):
        assert not another().acquire()

    assert len(moments) == 3
    assert clock.slept < 1
    free = another()
    assert free.acquire()
    free.release()


def test_what_the_holder_has_done_ends_the_wait(held: Lock, clock: ManualClock) -> None:
    """Nobody waits for a lock whose holder has already written what the waiter needs."""
    with holding(another(), 20, clock, random.Random(1), is_settled=lambda: clock.slept > 1):
        assert clock.slept < 2

    assert not another().acquire()


def test_a_holder_that_hangs_is_passed(
    held: Lock, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """When time is up the block runs without the lock, and a warning says so."""
    with holding(another(), 20, clock, random.Random(1)):
        assert 20 <= clock.slept < 21

    assert "going on without it" in caplog.text


def test_who_must_not_go_on_without_it_gets_an_error(held: Lock, clock: ManualClock) -> None:
    """With an error for the case, that is raised when time is up, and the block does not run."""
    error = ServiceError("in use")

    with (
        pytest.raises(ServiceError, match="in use"),
        holding(another(), 5, clock, random.Random(1), too_late=lambda: error),
    ):
        pytest.fail("the block ran")

    assert 5 <= clock.slept < 6


def test_no_seconds_is_one_try(held: Lock, clock: ManualClock) -> None:
    """With 0 seconds to wait, nobody sleeps."""
    with holding(another(), 0, clock, random.Random(1)):
        assert clock.slept == 0


def test_an_overloaded_machine_counts_only_what_a_pause_was_meant_to_take(
    held: Lock, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each pause takes ten times as long as asked for, the holder gets ten times as long as well."""
    as_asked_for = clock.sleep
    monkeypatch.setattr(clock, "sleep", lambda seconds: as_asked_for(10 * seconds))

    with holding(another(), 20, clock, random.Random(1)):
        assert 200 <= clock.slept < 202


def test_a_slow_disk_counts_as_waiting(held: Lock, clock: ManualClock) -> None:
    """Where each look at the disk takes half a second, the wait of 20 s has about 40 looks."""
    looks = []

    def is_settled() -> bool:
        looks.append(clock.elapsed())
        clock.advance(0.5)
        return False

    with holding(another(), 20, clock, random.Random(1), is_settled=is_settled):
        assert 32 <= len(looks) <= 40


def test_a_suspended_machine_does_not_count_as_waiting(held: Lock, clock: ManualClock) -> None:
    """Eight hours with the lid closed take a second of the wait: the holder slept as well."""
    suspended = [8 * 3600.0]

    def is_settled() -> bool:
        if suspended:
            clock.advance(suspended.pop())
        return clock.slept > 3

    with holding(
        another(), 5, clock, random.Random(1), is_settled=is_settled, too_late=lambda: ServiceError("no")
    ):
        assert clock.slept > 3


def is_free(flight: SingleFlight) -> bool:
    """Tell whether another thread gets a turn at once."""
    found: list[bool] = []

    def take() -> None:
        with flight.turn(0) as is_mine:
            found.append(is_mine)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return found == [True]


def test_one_thread_has_the_turn_and_the_others_run_without_it() -> None:
    """A thread that waited in vain is told so, and the end of its block does not end the other's turn."""
    flight = SingleFlight()
    with flight.turn(0) as is_mine:
        assert is_mine
        assert not is_free(flight)
        assert not is_free(flight)

    assert is_free(flight)


def test_a_thread_that_has_the_turn_is_refused_and_keeps_it() -> None:
    """A thread would wait for itself for ever; it gets an error, and its first block goes on."""
    flight = SingleFlight()
    with flight.turn(0):
        with pytest.raises(ConfigurationError, match="asked the same identity pool"), flight.turn(5):
            pass
        assert not is_free(flight)

    assert is_free(flight)


class StormError(Exception):
    """What a signal handler of the program raises."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer here")
@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy handles signals in its own way")
def test_a_storm_of_signals_leaves_no_turn_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever handlers raise, also while the error of another one is on its way, the turn ends."""
    # What is raised in a generator that ends with the last reference to an error is only reported. A function
    # in C, as this one, cannot be interrupted.
    monkeypatch.setattr(sys, "unraisablehook", bool)
    flight = SingleFlight()
    errors_left = 0

    def handler(*_: object) -> None:
        nonlocal errors_left
        if errors_left:
            errors_left -= 1
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 3e-5))
            raise StormError

    def storm(catchers: int) -> None:
        """Take turns until all errors are raised; one that interrupts a catcher is caught by the next."""
        try:
            if catchers:
                storm(catchers - 1)
            else:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 6e-5))
            while errors_left:
                with flight.turn(1):
                    sum(map(int, str(random.randrange(10**9))))
        except StormError:
            pass

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for number in range(1500):
            errors_left = 1 + number % 3
            storm(catchers=3)
            assert errors_left == 0
            gc.collect(0)
            assert is_free(flight), number
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
