"""An app's coroutines: run on the event loop of the caller, and waited for by a thread of ours."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
import types
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from cognito_credentials import awaiting
from cognito_credentials.awaiting import CALLERS, Caller, awaited
from cognito_credentials.errors import CognitoCredentialsError, ConfigurationError, ServiceError

T = TypeVar("T")
WHO = contextvars.ContextVar("who", default="nobody")


def from_thread(callers: list[Caller], function: Callable[[], T]) -> T:
    """Run *function* in another thread, which works for *callers*."""
    outcome: list[Any] = []

    def run() -> None:
        CALLERS.set(callers)
        try:
            outcome.append(function())
        except BaseException as error:  # noqa: BLE001  (raised below)
            outcome.append(error)

    thread = threading.Thread(target=contextvars.Context().run, args=(run,))
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0].with_traceback(None)
    result: T = outcome[0]
    return result


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def stop(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop that runs in another thread, as a program that ends without a word does."""
    loop.call_soon(loop.stop)
    threading.Thread(
        target=lambda: [loop.is_running() or loop.close() for _ in iter(loop.is_closed, True)]
    ).start()


def caller(loop: asyncio.AbstractEventLoop) -> Caller:
    """Make the caller of a task of *loop*."""
    return Caller(loop, contextvars.copy_context())


async def answer(value: T) -> T:
    """Take a turn of the loop."""
    await asyncio.sleep(0)
    return value


def test_what_is_not_awaitable_is_returned() -> None:
    """A plain value passes, with a loop and without one; None is a value."""
    for value in ("token", None, 5):
        assert awaited(value, "it") is value


def test_it_runs_on_the_callers_loop_with_the_callers_context(loop: asyncio.AbstractEventLoop) -> None:
    """A coroutine runs on the loop of the caller, and sees the context variables of the caller's task."""
    seen = []

    async def look() -> str:
        seen.append((asyncio.get_running_loop(), WHO.get()))
        return await answer("token")

    WHO.set("ann")
    here = caller(loop)
    WHO.set("ben")

    assert from_thread([here], lambda: awaited(look(), "look()")) == "token"
    assert seen == [(loop, "ann")]


@pytest.mark.parametrize(
    "make", [lambda loop: asyncio.ensure_future(answer(3), loop=loop), lambda _: Later()]
)
def test_every_awaitable_counts(
    loop: asyncio.AbstractEventLoop, make: Callable[[Any], Awaitable[int]]
) -> None:
    """A future of the loop, and an object with __await__, are awaited as a coroutine is."""
    assert from_thread([caller(loop)], lambda: awaited(make(loop), "it")) == 3


class Later:
    """Awaitable, and no coroutine."""

    def __await__(self) -> Any:
        """Wait for a coroutine."""
        return answer(3).__await__()


def test_what_it_raises_is_raised(loop: asyncio.AbstractEventLoop) -> None:
    """An error of the coroutine comes out as it is."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        from_thread([caller(loop)], lambda: awaited(fail(), "fail()"))


def test_without_a_loop_it_is_an_error() -> None:
    """A coroutine where no loop has to do with it is a ConfigurationError, and Python warns of nothing."""
    with pytest.raises(
        ConfigurationError, match=r"^load\(\) is asynchronous, and nothing.*AsyncIdentityPool"
    ):
        awaited(answer(1), "load()")
    gc.collect()


def test_a_thread_does_not_wait_for_the_loop_that_it_runs() -> None:
    """Waiting for the loop of this very thread is an error at once, and not a wait without end."""

    async def main() -> None:
        CALLERS.set([caller(asyncio.get_running_loop())])
        with pytest.raises(ConfigurationError, match=r"the event loop that it runs itself.*Await"):
            awaited(answer(1), "load()")

    asyncio.run(main())


def test_a_time_limit_cancels(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coroutine that takes too long is cancelled, and the error says that a later try may succeed."""
    monkeypatch.setattr(awaiting, "AWAIT_SECONDS", 0.05)
    ended = threading.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(ServiceError, match=r"^hang\(\) gave no answer within 0 s") as caught:
        from_thread([caller(loop)], lambda: awaited(hang(), "hang()"))
    assert ended.wait(5)
    assert caught.value.retryable
    assert not caught.value.is_of_caller


def test_a_loop_that_is_closed_before(loop: asyncio.AbstractEventLoop) -> None:
    """A loop that is closed already is passed over for the next caller's; without one it is an error."""
    closed = asyncio.new_event_loop()
    closed.close()
    gone = caller(closed)

    assert from_thread([gone, caller(loop)], lambda: awaited(answer(1), "it")) == 1
    with pytest.raises(ServiceError, match="the event loop of it has ended"):
        from_thread([gone], lambda: awaited(answer(1), "it"))
    gc.collect()


def test_a_loop_that_is_closed_underneath(loop: asyncio.AbstractEventLoop) -> None:
    """A loop that is closed during the wait ends the wait: one error that says so, and not a time limit."""

    async def hang() -> None:
        stop(loop)
        await asyncio.Event().wait()

    with pytest.raises(ServiceError, match="the event loop of") as caught:
        from_thread([caller(loop)], lambda: awaited(hang(), "hang()"))
    assert caught.value.is_of_caller


def test_a_program_that_ends_cancels() -> None:
    """The end of asyncio.run() cancels what runs there: the thread that waits gets an error at once."""
    errors: list[CognitoCredentialsError] = []
    began = threading.Event()

    async def hang() -> None:
        began.set()
        await asyncio.Event().wait()

    def wait(here: Caller) -> None:
        with pytest.raises(ServiceError) as caught:
            from_thread([here], lambda: awaited(hang(), "hang()"))
        errors.append(caught.value)

    async def main() -> threading.Thread:
        thread = threading.Thread(target=wait, args=(caller(asyncio.get_running_loop()),))
        thread.start()
        while not began.is_set():  # noqa: ASYNC110  (a thread sets it)
            await asyncio.sleep(0)
        return thread

    asyncio.run(main()).join()
    assert errors[0].code == "EventLoopClosed"


def test_no_loop_runs_while_another_thread_still_imports_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is not loaded to its end has no loop, and is no error."""
    monkeypatch.setitem(sys.modules, "asyncio", types.ModuleType("asyncio"))

    assert not awaiting.runs_a_loop()
