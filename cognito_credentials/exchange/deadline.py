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
import sys
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..awaiting import context_for_thread
from ..errors import ServiceError
from ..logins.raised import from_signal_handler
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
    if work.is_started_by(thread):
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
    work, handled = _Work(function, seconds), sys.exc_info()[1]
    try:
        work.is_started_by(threading.Thread(target=work.run, name="cognito-credentials-unit", daemon=False))
        work.ended.wait()
        interruption = None
    except BaseException as error:  # noqa: BLE001  (raised below)
        interruption = from_signal_handler(error, handled) or error
        give_up_at = time.monotonic() + seconds + _OVERTIME
        while not work.is_taken() and not work.ended.is_set() and time.monotonic() < give_up_at:
            with contextlib.suppress(BaseException):  # a second Ctrl-C asks for the same as the first
                work.ended.wait(give_up_at - time.monotonic())
    if interruption is not None:
        raise interruption
    return work.result()


def too_late(seconds: float | None = None) -> ServiceError:
    """Make the error for an exchange that took more than *seconds*; None for what this context allows."""
    seconds = _DEADLINE.get()[1] if seconds is None else seconds
    return ServiceError(
        f"no complete answer within {seconds:.0f} s",
        hint="Check this machine's network and proxy; a later try may succeed",
        code="DeadlineExceeded",
        topic="E-NETWORK",
    )


class _Work(Generic[T]):
    """A function, its deadline, and its result."""

    def __init__(self, function: Callable[[], T], seconds: float) -> None:
        self._function = function
        self._deadline = (time.monotonic() + seconds, seconds)
        self._context = context_for_thread()
        self._value: T
        self._error: BaseException | None = None
        self._beginning = threading.Lock()
        self.ended = threading.Event()

    def is_started_by(self, thread: threading.Thread) -> bool:
        """
        Start *thread*, which runs this. Where no thread can be started, run it here and return False.

        That is so at interpreter shutdown and at a process limit. The read timeout of each request and the
        transport's check of the deadline still limit the work then, but less strictly.
        """
        handled = sys.exc_info()[1]
        try:
            thread.start()
        except RuntimeError as error:
            interruption = from_signal_handler(error, handled)
            if interruption is None and (thread.ident is not None or not self.is_taken()):
                raise  # it was started: a handler that is not known as one
        else:
            return True
        if interruption is not None:
            raise interruption
        self._run()
        return False

    def is_taken(self) -> bool:
        """Take this, so that nobody else runs it; tell whether it was free."""
        return self._beginning.acquire(blocking=False)

    def run(self) -> None:
        """Run this, unless it is taken."""
        if self.is_taken():
            self._run()

    def _run(self) -> None:
        try:
            self._context.run(self._call)
        finally:
            self.ended.set()

    def _call(self) -> None:
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
