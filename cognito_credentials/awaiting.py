"""
An app's coroutines: a thread of ours has them run on the app's event loop, and waits for the result.

The functions that an app gives us, such as login functions, may be ``async``. They belong to the loop of the
task that called an `AsyncIdentityPool`, which leaves itself in a context variable as the `Caller`. Threads
that copy the context, such as those of `exchange/deadline.py`, find it there too.

`asyncio` is not imported here: programs without a loop never load it.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from .errors import CacheError, CognitoCredentialsError, ConfigurationError, ServiceError, replaced

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Iterator, Sequence

T = TypeVar("T")

AWAIT_SECONDS: Final = 30.0
"""How long a coroutine of the app may take, as a login command may."""
LOOK_SECONDS: Final = 0.25
"""How often a waiting thread looks what has become of the loop, which tells nobody."""


class Caller:
    """A task of the app that waits for a thread of ours: its event loop and its context variables."""

    __slots__ = ("context", "is_asked", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, context: contextvars.Context) -> None:
        self.loop = loop
        self.context = context
        self.is_asked = False
        """Whether a thread waits for a coroutine on this loop."""


CALLERS: Final[contextvars.ContextVar[Sequence[Caller]]] = contextvars.ContextVar(
    "cognito_credentials_callers", default=()
)
"""The callers that wait for this thread, the first one first; empty where no event loop takes part."""


_STANDS_STILL: Final[contextvars.ContextVar[bool]] = contextvars.ContextVar(
    "cognito_credentials_stands_still", default=False
)
"""Whether a thread that runs an event loop waits for this one."""


_UNANSWERED: Final[contextvars.ContextVar[dict[int, tuple[str, str]] | None]] = contextvars.ContextVar(
    "cognito_credentials_unanswered", default=None
)
"""In an operation, message and hint about each place of the app that has not answered, by identity."""


def context_for_thread() -> contextvars.Context:
    """Copy the context for a thread that this one waits for: an event loop of this one stands still then."""
    context = contextvars.copy_context()
    if runs_a_loop():
        context.run(_STANDS_STILL.set, True)
    return context


@contextlib.contextmanager
def lent(callers: Sequence[Caller]) -> Iterator[None]:
    """Work for *callers* in this block, unless this thread works for others already."""
    if not callers or CALLERS.get():
        yield
        return
    before = CALLERS.set([*callers])  # of this block alone: it tells one call of a login from the next
    try:
        yield
    finally:
        CALLERS.reset(before)


@contextlib.contextmanager
def one_operation() -> Iterator[None]:
    """Do in this block what one call of the program asks for: a store of the app that hangs ends it."""
    if _UNANSWERED.get() is not None:
        yield
        return
    before = _UNANSWERED.set({})
    try:
        yield
    finally:
        _UNANSWERED.reset(before)


def note_unanswered(place: object, problem: CognitoCredentialsError) -> None:
    """Note that the app's *place* has not answered in time."""
    noted = _UNANSWERED.get()
    if noted is not None:
        noted[id(place)] = (problem.message, problem.hint)


def check_unanswered(place: object) -> None:
    """
    Do not ask *place* again in the operation in which it has not answered: each time limit is a wait.

    Raises:
        CacheError: It has not.
    """
    found = (_UNANSWERED.get() or {}).get(id(place))
    if found is not None:
        raise CacheError(found[0], hint=found[1], topic="E-SIGN-IN-STORE")


def runs_a_loop() -> bool:
    """Tell whether this thread runs an event loop."""
    return _running_loop() is not None


def check_not_asked(callers: Sequence[Caller]) -> None:
    """
    Refuse to wait for whoever works for *callers* and waits itself for the event loop of this thread.

    Raises:
        ConfigurationError: That is so.
    """
    if any(caller.is_asked and caller.loop is _running_loop() for caller in callers):
        raise _of_caller(
            ConfigurationError(
                "this thread would wait for a coroutine on the event loop that it runs itself",
                hint="Await the method of AsyncIdentityPool instead of calling that of IdentityPool",
                topic="E-ASYNC",
            )
        )


def awaited(given: T | Awaitable[T], what: str, seconds: float | None = None) -> T:
    """
    Return *given*; where it is a coroutine or another awaitable, its result.

    An awaitable runs on the event loop of the first caller whose loop is alive, with the context variables of
    that caller. This thread waits for it. What it raises is raised here.

    Args:
        given: What a function of the app returned.
        what: The function, for messages: "the login source get_token()".
        seconds: How long it may take, where that is not `AWAIT_SECONDS`.

    Raises:
        ConfigurationError: There is no event loop to run it on, or that loop runs in this very thread, or in
            one that waits for this one, and therefore stands still.
        ServiceError: It gave no answer in time, and is cancelled; or its loop has been closed.
    """
    if not hasattr(type(given), "__await__"):
        return cast("T", given)
    run: _Run | None = None
    try:
        caller = _living_caller(what)
        run = _Run(cast("Awaitable[T]", given), caller)
        return cast("T", run.result(what, AWAIT_SECONDS if seconds is None else seconds))
    finally:
        # What has never begun is closed, or Python warns, later and elsewhere, that nobody awaited it.
        close = getattr(given, "close", None)
        if close is not None and (run is None or not run.has_begun):
            close()
        del given


def _living_caller(what: str) -> Caller:
    callers = CALLERS.get()
    if runs_a_loop() or _STANDS_STILL.get():
        raise _of_caller(
            ConfigurationError(
                f"{what} is asynchronous, and this thread would wait for the event loop that it runs itself",
                hint="Await the method of AsyncIdentityPool instead of calling that of IdentityPool",
                topic="E-ASYNC",
            )
        )
    if not callers:
        raise _of_caller(
            ConfigurationError(
                f"{what} is asynchronous, and nothing here runs on an event loop",
                hint="Use AsyncIdentityPool, and await one of its methods first; or give a plain function",
                topic="E-ASYNC",
            )
        )
    living = [caller for caller in callers if not caller.loop.is_closed()]
    running = [caller for caller in living if caller.loop.is_running()]
    for caller in (*running, *living):
        return caller
    raise _closed(what)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    # Another thread may be importing asyncio right now: then it has no such function yet, and no loop runs.
    running = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)
    return None if running is None else running()


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
        self._caller.is_asked = True  # first: the coroutine may run before this thread goes on
        try:
            with replaced(RuntimeError, by=lambda _: _closed(what)):  # it has been closed at this moment
                loop.call_soon_threadsafe(self._begin, context=context)
            while not self._ended.wait(min(LOOK_SECONDS, max(end - time.monotonic(), 0))):
                if loop.is_closed():
                    raise _closed(what)
                if time.monotonic() >= end:
                    raise ServiceError(
                        f"{what} gave no answer within {seconds:.0f} s",
                        hint="Give it a time limit of its own; a later try may succeed",
                        code="DeadlineExceeded",
                        topic="E-ASYNC",
                    )
        except BaseException:
            self._give_up()
            raise
        finally:
            self._caller.is_asked = False
        task, self._task = self._task, None
        assert task is not None  # noqa: S101  (for the type checker: it has ended)
        if task.cancelled():  # by the end of asyncio.run(), or by the app itself
            raise _closed(what)
        try:
            return task.result()
        finally:
            del task  # it holds the error, whose traceback holds this frame

    def _begin(self) -> None:
        """On the loop: run the awaitable."""
        if self._is_given_up:
            return
        self.has_begun = True
        self._task = self._caller.loop.create_task(_result_of(self._awaitable))
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
        f"the event loop of {what} has ended, or cancelled it",
        hint="Close the pool before its loop ends; a call from another loop may succeed",
        code="EventLoopClosed",
        topic="E-ASYNC",
    )
    return _of_caller(error)


_E = TypeVar("_E", bound=ConfigurationError | ServiceError)


def _of_caller(error: _E) -> _E:
    error.is_of_caller = True
    return error
