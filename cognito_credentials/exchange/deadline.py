"""
An end to a whole exchange: DNS, connects, retries, a server that drips one byte a second.

Timeouts of sockets count from the last byte, and `getaddrinfo` has none, so the only bound that holds is
to stop waiting: the work runs in a thread of its own, and who waits leaves it behind when time is up. The
transport asks `remaining` between two pieces of a body, so that the thread left behind ends by itself.

What must not be left behind runs `to_its_end`, under a deadline for its requests alone.

Time here is real time (`time.monotonic`), not the injected clock: sockets and threads obey no other.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import ServiceError
from .actions import Action, Failure

T = TypeVar("T")

_ENDS_AT: contextvars.ContextVar[float] = contextvars.ContextVar(
    "cognito_credentials_ends_at", default=float("inf")
)


_OVERTIME = 5.0
"""Seconds for what is no request: a disk that is slow."""


def remaining() -> float:
    """Return the seconds left to the work that runs in this context; infinite where no deadline is set."""
    return _ENDS_AT.get() - time.monotonic()


def with_deadline(function: Callable[[], T], seconds: float) -> T:
    """
    Run *function* and wait for it, but not longer than *seconds*.

    It runs in a thread of its own, with the caller's context variables. What it raises is raised here.

    Args:
        function: The work; it may outlive this call.
        seconds: How long to wait. Inside another deadline, the earlier one counts.

    Raises:
        Failure: Time is up; the action is `Action.WAIT`.
    """
    seconds = min(seconds, remaining())
    work = _Work(function, time.monotonic() + seconds)
    thread = threading.Thread(target=work.run, name="cognito-credentials-exchange", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # No thread to be had (interpreter shutdown, process limit). The read timeout of each request and
        # the transport's own look at the deadline still bound this, if less tightly.
        work.run()
    else:
        thread.join(max(seconds, 0))
        if thread.is_alive():
            raise Failure(Action.WAIT, too_late(seconds))
    return work.result()


def to_its_end(function: Callable[[], T], seconds: float) -> T:
    """
    Run *function* and wait for it, whatever comes meanwhile: Ctrl-C, another signal whose handler raises, the
    end of a deadline that the caller is under.

    For what must not be asked for and then dropped. Once it has begun, what comes is raised when it is over;
    should the caller be left behind, the interpreter itself waits for the thread.

    Args:
        function: The work.
        seconds: When what it does over the network ends; the caller's own deadline does not count.
    """
    work = _Work(function, time.monotonic() + seconds)
    # Whoever takes it first: the thread, which then begins; or we, and then it never does.
    beginning, ended = threading.Lock(), threading.Event()

    def run() -> None:
        if beginning.acquire(blocking=False):
            try:
                work.run()
            finally:
                ended.set()

    try:
        try:
            threading.Thread(target=run, name="cognito-credentials-unit", daemon=False).start()
        except RuntimeError:
            run()  # no thread to be had, as above
        ended.wait()
    except BaseException:
        give_up_at = time.monotonic() + seconds + _OVERTIME
        while not beginning.acquire(blocking=False) and not ended.is_set() and time.monotonic() < give_up_at:
            with contextlib.suppress(BaseException):  # a second Ctrl-C is the first one, impatient
                ended.wait(give_up_at - time.monotonic())
        raise
    return work.result()


def too_late(seconds: float) -> ServiceError:
    """Say that nothing came in *seconds*."""
    return ServiceError(
        f"no complete answer within {seconds:.0f} s",
        hint="Check this machine's network and proxy; a later try may succeed",
        code="DeadlineExceeded",
    )


class _Work(Generic[T]):
    """A function, the moment by which it is wanted, and what became of it."""

    def __init__(self, function: Callable[[], T], ends_at: float) -> None:
        self._function = function
        self._ends_at = ends_at
        self._context = contextvars.copy_context()
        self._value: T
        self._error: BaseException | None = None

    def run(self) -> None:
        self._context.run(self._run)

    def _run(self) -> None:
        _ENDS_AT.set(self._ends_at)
        try:
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001 (all of it belongs to the waiting thread)
            self._error = error

    def result(self) -> T:
        error, self._error = self._error, None  # no cycle of exception, traceback and frame
        if error is not None:
            raise error
        return self._value
