"""The deadline around an exchange."""

from __future__ import annotations

import contextvars
import functools
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from cognito_credentials.exchange.actions import Action, Failure
from cognito_credentials.exchange.deadline import remaining, to_its_end, too_late, with_deadline

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def test_what_it_returns_and_raises_comes_through() -> None:
    """The caller gets the result or the exception of the work, and no thread is left."""
    assert with_deadline(lambda: 5, 1) == 5
    with pytest.raises(ZeroDivisionError):
        with_deadline(lambda: 1 // 0, 1)
    assert not [t for t in threading.enumerate() if t.name == "cognito-credentials-exchange"]


def test_work_beyond_its_deadline_is_abandoned() -> None:
    """Work that exceeds its deadline is abandoned, with the action WAIT and the time that it took."""
    release = threading.Event()

    with pytest.raises(Failure) as caught:
        with_deadline(lambda: release.wait(20), 0.1)

    release.set()
    assert caught.value.action is Action.WAIT
    assert caught.value.error.retryable
    assert "within 0 s" in caught.value.error.message


def test_the_error_of_the_wire_names_the_callers_time() -> None:
    """Where the wire notices first that time is up, it says how much time there was."""
    assert "within 7 s" in with_deadline(lambda: str(too_late()), 7)


def test_context_variables_are_carried_over() -> None:
    """The work sees the caller's context variables, and cannot change them for the caller."""
    WHO.set("caller")

    def work() -> str:
        seen = WHO.get()
        WHO.set("work")
        return seen

    assert with_deadline(work, 1) == "caller"
    assert WHO.get() == "caller"


def test_the_earlier_of_two_deadlines_counts() -> None:
    """A deadline inside another one cannot extend it, and none is left after both."""
    left = with_deadline(lambda: with_deadline(remaining, 60), 2)

    assert 0 < left <= 2
    assert remaining() == float("inf")


def test_without_threads_it_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, as at interpreter shutdown, the work runs in the calling thread."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert with_deadline(threading.get_ident, 1) == threading.get_ident()


def test_it_adds_next_to_nothing() -> None:
    """A deadline costs about a millisecond at most: the start of one thread."""
    began = time.perf_counter()
    for _ in range(100):
        with_deadline(int, 1)

    assert time.perf_counter() - began < 1


def test_to_its_end_what_it_returns_and_raises_comes_through() -> None:
    """The caller of `to_its_end` gets the result or the exception of the work."""
    assert to_its_end(lambda: 5, 1) == 5
    with pytest.raises(ZeroDivisionError):
        to_its_end(lambda: 1 // 0, 1)


def test_to_its_end_ignores_the_callers_deadline() -> None:
    """The work of `to_its_end` has its own time limit, also where the caller has less time left."""
    assert 4 < with_deadline(lambda: to_its_end(remaining, 5), 1) <= 5


def test_to_its_end_goes_on_through_ctrl_c() -> None:
    """However often Ctrl-C is pressed, the work ends first, and then `KeyboardInterrupt` is raised."""
    done: list[bool] = []
    waits, main = threading.Event(), threading.main_thread().ident
    assert main == threading.get_ident()

    def work() -> None:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
            waits.wait(0.05)
        done.append(True)

    with pytest.raises(KeyboardInterrupt):
        to_its_end(work, 5)

    assert done == [True]


def test_to_its_end_does_not_begin_when_ctrl_c_was_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that has not begun when Ctrl-C interrupts its caller never begins."""
    threads: list[threading.Thread] = []

    def interrupted(thread: threading.Thread) -> None:
        threads.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        to_its_end(lambda: pytest.fail("it began"), 5)

    threads[0].run()


def test_to_its_end_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, `to_its_end` runs the work in the calling thread."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert to_its_end(threading.get_ident, 1) == threading.get_ident()


@pytest.mark.parametrize("waits", [with_deadline, to_its_end])
@pytest.mark.parametrize("is_known", [True, False])
def test_work_is_not_run_again_where_a_handler_breaks_a_wait(
    monkeypatch: pytest.MonkeyPatch, waits: Callable[[Callable[[], None], float], None], is_known: bool
) -> None:
    """A signal handler that raises in `Thread.start` comes out as a RuntimeError, beside the work."""
    began: list[int] = []
    start, soft = threading.Thread.start, TimeLimitError("of a task")

    def limit(*_: object) -> None:
        raise soft

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        try:
            signal.raise_signal(signal.SIGUSR1)
        except TimeLimitError:
            threading.Lock().release()

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    before = signal.signal(signal.SIGUSR1, limit if is_known else functools.partial(limit))
    try:
        with pytest.raises(TimeLimitError if is_known else RuntimeError) as caught:
            waits(lambda: began.append(threading.get_ident()), 5)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert (caught.value is soft) is is_known
    assert threading.get_ident() not in began
    assert len(began) <= 1


@pytest.mark.parametrize("waits", [with_deadline, to_its_end])
def test_a_time_limit_that_is_over_is_no_reason(
    monkeypatch: pytest.MonkeyPatch, waits: Callable[[Callable[[], int], float], int]
) -> None:
    """A program that handles its time limit can still make calls, also where no thread can be started."""

    def limit(*_: object) -> None:
        raise TimeLimitError

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    before = signal.signal(signal.SIGUSR1, limit)
    try:
        signal.raise_signal(signal.SIGUSR1)
    except TimeLimitError:
        assert waits(threading.get_ident, 1) == threading.get_ident()
    finally:
        signal.signal(signal.SIGUSR1, before)


class TimeLimitError(Exception):
    """The program's own."""
