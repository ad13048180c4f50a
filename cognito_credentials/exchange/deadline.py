"""
A time limit for a whole exchange: DNS, connects, retries, and a server that sends one byte a second.

Socket timeouts count from the last byte, and `getaddrinfo` has none. So the work runs in a separate thread,
and the caller stops waiting when time is up. The transport asks `remaining` between two pieces of a body, so
that the thread that was left behind ends by itself.

Work that must not be left behind runs `to_its_end`. Only its requests have a deadline.

Time here is real time (`time.monotonic`), not the injected clock: sockets and threads follow no other.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import ServiceError
from ..logins.raised import is_from_signal_handler
from .actions import Action, Failure

T = TypeVar("T")

_ENDLESS = float("inf")
_DEADLINE: contextvars.ContextVar[tuple[float, float]] = contextvars.ContextVar(
    "cognito_credentials_deadline", default=(_ENDLESS, _ENDLESS)
)
"""When it is, by `time.monotonic`, and how many seconds it was set for."""

_OVERTIME = 5.0
"""Seconds for the work that is not a request: the disk may be slow."""


def remaining() -> float:
    """Return the seconds left to the work that runs in this context; infinite where no deadline is set."""
    return _DEADLINE.get()[0] - time.monotonic()


def with_deadline(function: Callable[[], T], seconds: float) -> T:
    """
    Run *function* and wait for it, but not longer than *seconds*.

    It runs in a separate thread, with the caller's context variables. What it raises is raised here.

    Args:
        function: The work; it may outlive this call.
        seconds: How long to wait. Inside another deadline, the earlier one counts.

    Raises:
        Failure: Time is up; the action is `Action.WAIT`.
    """
    seconds = max(min(seconds, remaining()), 0)
    work = _Work(function, seconds)
    thread = threading.Thread(target=work.run, name="cognito-credentials-exchange", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        if is_from_signal_handler(error):
            raise
        # No thread can be started (interpreter shutdown, process limit). The read timeout of each request and
        # the transport's check of the deadline still limit this, but less strictly.
        work.run()
    else:
        thread.join(seconds)
        if thread.is_alive():
            raise Failure(Action.WAIT, too_late(seconds))
    return work.result()


def to_its_end(function: Callable[[], T], seconds: float) -> T:
    """
    Run *function* to its end, also when Ctrl-C, a signal or the caller's own deadline interrupts the wait.

    It is for requests whose answer must not be lost, such as the rotation of a refresh token. What interrupts
    is raised when the work is over. If the caller is left behind, the interpreter waits for the thread.

    Args:
        seconds: Time limit of its requests; the caller's own deadline does not count.
    """
    work = _Work(function, seconds)
    # The thread takes `beginning` before it starts the work. If this function is interrupted first, it takes
    # `beginning` itself, and the work is never started.
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
        except RuntimeError as error:
            if is_from_signal_handler(error):
                raise
            run()  # no thread can be started, as above
        ended.wait()
    except BaseException:
        give_up_at = time.monotonic() + seconds + _OVERTIME
        while not beginning.acquire(blocking=False) and not ended.is_set() and time.monotonic() < give_up_at:
            with contextlib.suppress(BaseException):  # a second Ctrl-C asks for the same as the first
                ended.wait(give_up_at - time.monotonic())
        raise
    return work.result()


def too_late(seconds: float | None = None) -> ServiceError:
    """Make the error for an exchange that took more than *seconds*; None for what this context allows."""
    seconds = _DEADLINE.get()[1] if seconds is None else seconds
    return ServiceError(
        f"no complete answer within {seconds:.0f} s",
        hint="Check this machine's network and proxy; a later try may succeed",
        code="DeadlineExceeded",
    )


class _Work(Generic[T]):
    """A function, its deadline, and its result."""

    def __init__(self, function: Callable[[], T], seconds: float) -> None:
        self._function = function
        self._deadline = (time.monotonic() + seconds, seconds)
        self._context = contextvars.copy_context()
        self._value: T
        self._error: BaseException | None = None

    def run(self) -> None:
        self._context.run(self._run)

    def _run(self) -> None:
        _DEADLINE.set(self._deadline)
        try:
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001 (all of it belongs to the waiting thread)
            self._error = error

    def result(self) -> T:
        error, self._error = self._error, None  # no cycle of exception, traceback and frame
        if error is not None:
            raise error
        return self._value
