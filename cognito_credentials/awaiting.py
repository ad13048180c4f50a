"""
An app's coroutines: a thread of ours has them run on the app's event loop, and waits for the result.

The functions that an app gives us, such as login functions, may be ``async``. They belong to the loop of the
task that called an `AsyncIdentityPool`, which leaves itself in a context variable as the `Caller`. Threads
that copy the context, such as those of `exchange/deadline.py`, find it there too.

`asyncio` is imported only where a caller is: programs without a loop never load it.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from .errors import ConfigurationError, ServiceError, replaced

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Sequence

T = TypeVar("T")

AWAIT_SECONDS: Final = 30.0
"""How long a coroutine of the app may take, as a login command may."""
_LOOK_SECONDS: Final = 0.25
"""How often the waiting thread looks whether the loop has been closed, which tells nobody."""


class Caller:
    """A task of the app that waits for a thread of ours: its event loop and its context variables."""

    __slots__ = ("context", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, context: contextvars.Context) -> None:
        self.loop = loop
        self.context = context


CALLERS: Final[contextvars.ContextVar[Sequence[Caller]]] = contextvars.ContextVar(
    "cognito_credentials_callers", default=()
)
"""For whom this thread works, the first caller first; nobody where no event loop has to do with it."""


def awaited(given: T | Awaitable[T], what: str, seconds: float = AWAIT_SECONDS) -> T:
    """
    Return *given*; where it is a coroutine or another awaitable, its result.

    An awaitable runs on the event loop of the first caller whose loop is alive, with the context variables of
    that caller. This thread waits for it. What it raises is raised here.

    Args:
        given: What a function of the app returned.
        what: The function, for messages: "the login source get_token()".
        seconds: How long to wait; then the coroutine is cancelled.

    Raises:
        ConfigurationError: There is no event loop to run it on, or that loop runs in this very thread, which
            therefore cannot wait for it.
        ServiceError: It gave no answer in time, or its loop has been closed.
    """
    if not hasattr(type(given), "__await__"):
        return cast("T", given)
    run: _Run | None = None
    try:
        caller = _living_caller(what)
        run = _Run(cast("Awaitable[T]", given), caller)
        return cast("T", run.result(what, seconds))
    finally:
        # What has never begun is closed, or Python warns, later and elsewhere, that nobody awaited it.
        close = getattr(given, "close", None)
        if close is not None and (run is None or not run.has_begun):
            close()
        del given


def _living_caller(what: str) -> Caller:
    callers = CALLERS.get()
    if not callers:
        raise _of_caller(
            ConfigurationError(
                f"{what} is asynchronous, and nothing here runs on an event loop",
                hint="Use AsyncIdentityPool and await its methods, or give a function that is not async",
            )
        )
    if _runs_a_loop():
        raise _of_caller(
            ConfigurationError(
                f"{what} is asynchronous, and this thread would wait for the event loop that it runs itself",
                hint="Await the method of AsyncIdentityPool instead of calling that of IdentityPool",
            )
        )
    living = [caller for caller in callers if not caller.loop.is_closed()]
    running = [caller for caller in living if caller.loop.is_running()]
    for caller in (*running, *living):
        return caller
    raise _closed(what)


def _runs_a_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001


class _Run:
    """One awaitable on the loop of *caller*."""

    def __init__(self, awaitable: Awaitable[Any], caller: Caller) -> None:
        self.has_begun = False
        self._awaitable = awaitable
        self._caller = caller
        self._task: asyncio.Task[Any] | None = None
        self._ended = threading.Event()
        self._is_given_up = False

    def result(self, what: str, seconds: float) -> object:
        loop = self._caller.loop
        end = time.monotonic() + seconds
        context = self._caller.context.copy()
        context.run(CALLERS.set, CALLERS.get())  # by which a call that would wait for itself is found
        with replaced(RuntimeError, by=lambda _: _closed(what)):  # it has been closed at this moment
            loop.call_soon_threadsafe(self._begin, context=context)
        try:
            while not self._ended.wait(min(_LOOK_SECONDS, max(end - time.monotonic(), 0))):
                if loop.is_closed():
                    raise _closed(what)
                if time.monotonic() >= end:
                    raise ServiceError(
                        f"{what} gave no answer within {seconds:.0f} s",
                        hint="Give it a time limit of its own; a later try may succeed",
                        code="DeadlineExceeded",
                    )
        except BaseException:
            self._give_up()
            raise
        task, self._task = self._task, None
        assert task is not None  # noqa: S101  (for the type checker: it has ended)
        if task.cancelled():
            # By the end of asyncio.run(), or by the app itself.
            raise _closed(what)
        try:
            return task.result()
        finally:
            del task  # it holds the error, whose traceback holds this frame

    def _begin(self) -> None:
        """On the loop: run the awaitable."""
        import asyncio

        if self._is_given_up:
            return
        self.has_begun = True
        self._task = asyncio.ensure_future(_result_of(self._awaitable))
        self._task.add_done_callback(lambda _: self._ended.set())

    def _give_up(self) -> None:
        self._is_given_up = True
        try:
            self._caller.loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            pass  # it has been closed, and nothing runs on it any more

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def _result_of(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _closed(what: str) -> ServiceError:
    error = ServiceError(
        f"the event loop ended while {what} ran on it",
        hint="Close the pool, or let its calls end, before the loop; a call from another loop may succeed",
        code="EventLoopClosed",
    )
    return _of_caller(error)


_E = TypeVar("_E", bound=ConfigurationError | ServiceError)


def _of_caller(error: _E) -> _E:
    error.is_of_caller = True
    return error
