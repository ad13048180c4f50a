"""
What the tasks of an event loop wait for: calls that threads of ours make for them.

A `Flight` is one call. Any number of tasks wait for it, in any number of event loops, each on a future of its
own: cancelling one disturbs neither the others nor the call. `Flights` are those of one pool object, where
equal calls become one. The `Crew` has the threads, which all users of a pool share.

The threads are daemons, so that a call that hangs does not keep the interpreter. What must not be cut off at
its end runs in a thread of its own (`exchange.deadline.to_its_end`).

A loop's thread waits for no lock that is held for long, and each `_Side` is touched by its own loop alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from ..awaiting import CALLERS, Caller
from ..cache.waiting import asks_itself
from ..errors import CognitoCredentialsError, ConfigurationError, ServiceError, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

MOST_THREADS: Final = 16
"""How many calls a pool and its users make at a time. In the long run the service's quotas allow fewer."""
LONGEST_FLIGHT: Final = 120.0
"""
Seconds after which tasks give up a call, counted from its begin.

By its own limits a call is over before: the wait for another process, a login of 30 s, and the exchange. So
only a function of the app hangs for as long.
"""


class _Side:
    """The tasks of one event loop that wait for a flight. Only that loop's thread uses it."""

    __slots__ = ("_flight", "_timer", "_waiting", "loop")

    def __init__(self, flight: Flight[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._flight = flight
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[asyncio.Future[None]] = []

    def future(self) -> asyncio.Future[None]:
        """Make what one task waits for."""
        future = self.loop.create_future()
        self._waiting.append(future)
        if self._timer is None:
            self._look_later()
        return future

    def wake_if_over(self) -> None:
        """Let all tasks go on if the flight is over."""
        if self._flight.is_over:
            self.wake()

    def wake(self) -> None:
        """Let all tasks go on; each of them sees whether the flight is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():  # a task that was cancelled has cancelled its own
                future.set_result(None)

    def _look_later(self) -> None:
        left = self._flight.seconds_left()
        if left is not None:
            # A timer that is cancelled stays in the loop until its time, and would keep a task's variables.
            self._timer = self.loop.call_later(left, self._look, context=contextvars.Context())

    def _look(self) -> None:
        """Let the tasks give up, unless the call began later than they came."""
        self._timer = None
        if self._flight.is_late:
            self._flight.give_up()
            self.wake()
        else:
            self._flight.relieve()
            self._look_later()


class Flight(Generic[T]):
    """
    One call that a thread makes, and what came of it.

    When it is over, what it holds is dropped: a task's context, and the function with its arguments.

    Args:
        flights: Where it is one of those under way.
        key: Its key there; None for itself.
        function: The call.
        seconds: How long it may take; None for as long as a person takes.
        is_repeatable: Whether it is made once more where the loop that its login function ran on has ended,
            and tasks of other loops wait, too.
    """

    def __init__(
        self,
        flights: Flights,
        key: str | None,
        function: Callable[[], T],
        seconds: float | None,
        *,
        is_repeatable: bool = False,
    ) -> None:
        self.seconds = seconds
        self.callers: list[Caller] = []
        self.is_over = False
        self.is_submitted = False
        self.is_urgent = seconds is None
        """Whether it gets a thread of its own at once: it waits for a person, or a login waits for it."""
        self._began: float | None = None
        self._error: BaseException | None = None
        self._flights = flights
        self._function: Callable[[], T] | None = function
        self._is_repeatable = is_repeatable
        self._key: object = self if key is None else key
        self._process = os.getpid()
        self._sides: dict[asyncio.AbstractEventLoop, _Side] = {}
        self._value: T

    @property
    def is_under_way(self) -> bool:
        """Whether it has still to end. In a forked child, and by a loop that has stopped, it may never do."""
        has_lost_its_loop = not self.is_submitted and not self.callers[0].loop.is_running()
        return not (self.is_over or has_lost_its_loop) and self._process == os.getpid()

    @property
    def may_save(self) -> bool:
        """Whether its pool has a sign-in, which a call may renew: a refresh token must not be lost then."""
        return self._flights.may_save()

    @property
    def is_late(self) -> bool:
        """Whether it takes too long."""
        left = self.seconds_left()
        return left is not None and left <= 0

    def seconds_left(self) -> float | None:
        """Return how long it may still take, all of it while it has not begun; None for any time."""
        if self.seconds is None or self._began is None:
            return self.seconds
        return self._began + self.seconds - time.monotonic()

    def give_up(self) -> None:
        """Let another thread take the place of the one that hangs in it."""
        self._flights.crew.replace(self)

    def relieve(self) -> None:
        """Let this begin, though all threads may hang in calls that no task waits for, such as renewals."""
        self._flights.crew.relieve()

    def begin(self) -> None:
        """
        Have a thread make the call.

        That is after the tasks which are ready now. Of a thousand that come together, all are waiting when
        the thread begins, which takes turns with the loop from then on.
        """
        side = self._side()
        crew = self._flights.enrol(self._key, self)
        side.loop.call_soon(crew.submit, self)

    async def over(self) -> bool:
        """Wait until it is over, or takes too long; tell whether it is over."""
        if self.is_over:
            return True
        side = self._side()
        future = side.future()
        side.wake_if_over()  # the thread may have ended it without a look at this side
        await future
        return self.is_over

    async def outcome(self) -> T:
        """Wait, and return what the call returned, or raise what it raised; see `result`."""
        await self.over()
        return self.result()

    def result(self) -> T:
        """
        Return what the call returned, or raise what it raised; after `over`.

        Raises:
            ServiceError: The call takes too long. It goes on.
        """
        if not self.is_over:
            raise ServiceError(
                f"no answer within {self.seconds:.0f} s: a login function or the disk hangs",
                hint="Give the login function a time limit of its own",
                code="DeadlineExceeded",
                topic="E-ASYNC",
            )
        error = self._error
        if error is None:
            return self._value
        try:
            # All tasks raise the same error, which would keep the frames of each.
            raise error.with_traceback(None) if isinstance(error, CognitoCredentialsError) else error
        finally:
            del error

    def run(self) -> None:
        """In the thread: make the call, and wake the tasks."""
        self._began = time.monotonic()
        error = self._attempt(self.callers[0])
        attempts = 1
        while self._is_repeatable and _ended_with_its_loop(error) and attempts < len(self.callers):
            error = self._attempt(self.callers[attempts])
            attempts += 1
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """End it, with the value that is there or with *error*, and wake the tasks."""
        self._error = error
        # Whoever joins from here on sees that it is over. Whoever has joined before is among the sides.
        self.is_over = True
        self._flights.forget(self._key, self)
        for side in list(self._sides.values()):
            with contextlib.suppress(RuntimeError):  # that loop has been closed, and its tasks with it
                side.loop.call_soon_threadsafe(side.wake)
        for caller in self.callers:  # whoever has had a turn for them may still refer to them
            caller.context = contextvars.Context()
        if self.is_submitted:
            self.callers.clear()
        self._function, self._key, self._sides = None, None, {}

    def _attempt(self, caller: Caller) -> BaseException | None:
        try:
            self._value = caller.context.copy().run(self._call)
        except asyncio.CancelledError:
            return _cancelled()
        except BaseException as error:  # noqa: BLE001  (all of it belongs to the tasks that wait)
            return error
        return None

    def _call(self) -> T:
        CALLERS.set(self.callers)
        assert self._function is not None  # noqa: S101  (for the type checker: it is not over)
        return self._function()

    def _side(self) -> _Side:
        with replaced(RuntimeError, by=_no_loop):
            loop = asyncio.get_running_loop()
        side = self._sides.get(loop)
        if side is None:
            side = self._sides[loop] = _Side(self, loop)
            self.callers.append(Caller(loop, contextvars.copy_context()))
        return side


def _no_loop(_: RuntimeError) -> ConfigurationError:
    return ConfigurationError(
        "an AsyncIdentityPool is used where no event loop of asyncio runs",
        hint="On another loop, such as trio's, call IdentityPool in a thread",
        topic="E-ASYNC",
    )


def _cancelled() -> ServiceError:
    """Make the error for what a thread was told: a task that raised it would count as cancelled itself."""
    return ServiceError(
        "a login function was cancelled in its thread",
        hint="Have it return a token, or raise what went wrong",
        code="Cancelled",
        topic="E-ASYNC",
    )


def _ended_with_its_loop(error: BaseException | None) -> bool:
    return isinstance(error, ServiceError) and error.is_of_caller


class Flights:
    """
    The calls of one pool object that are under way.

    Args:
        crew: Who makes them.
        is_waited_for: Whether another thread that uses the pool works for these callers, and waits for them.
        may_save: Whether the calls may keep something, beside credentials.
    """

    __slots__ = ("_by_key", "_is_waited_for", "crew", "may_save")

    def __init__(
        self, crew: Crew, is_waited_for: Callable[[Sequence[Caller]], bool], may_save: Callable[[], bool]
    ) -> None:
        self.crew = crew
        self.may_save = may_save
        self._is_waited_for = is_waited_for
        self._by_key: dict[object, Flight[Any]] = {}

    def shared(self, name: str, function: Callable[[], T]) -> Flight[T]:
        """Return the flight called *name*, or begin one that calls *function*."""
        is_of_login = self._is_of_login()
        flight: Flight[T] | None = self._by_key.get(name)
        if flight is None or not flight.is_under_way:
            # Two loops may come here at once. Then one call waits for the other, which costs only a thread.
            flight = Flight(self, name, function, LONGEST_FLIGHT, is_repeatable=True)
            flight.begin()
        if is_of_login:
            self.crew.hurry(flight)
        return flight

    def alone(self, function: Callable[[], T], seconds: float | None = LONGEST_FLIGHT) -> Flight[T]:
        """Begin a flight that calls *function* for one task; *seconds* as in `Flight`."""
        flight = Flight(self, None, function, seconds)
        flight.is_urgent |= self._is_of_login()
        flight.begin()
        return flight

    def under_way(self) -> list[Flight[Any]]:
        """Return those that have still to end."""
        return [flight for flight in list(self._by_key.values()) if flight.is_under_way]

    def enrol(self, key: object, flight: Flight[Any]) -> Crew:
        """Note that *flight* begins; return those who are to make the call."""
        self._by_key[key] = flight
        self.crew.unfinished.add(flight)
        return self.crew

    def forget(self, key: object, flight: Flight[Any]) -> None:
        """Note that *flight* is over."""
        self.crew.unfinished.discard(flight)
        if self._by_key.get(key) is flight:
            self._by_key.pop(key, None)

    def _is_of_login(self) -> bool:
        """
        Tell whether a login function asks, on which another flight waits.

        Raises:
            ConfigurationError: It is the login function of this pool, and would wait for itself.
        """
        callers = CALLERS.get()
        if not callers:
            return False
        if any(flight.callers is callers for flight in self.under_way()) or self._is_waited_for(callers):
            raise asks_itself()
        return True


class _Threads:
    """The threads of one process, and the flights that wait for one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.running: set[Flight[Any]] = set()
        """What the threads that are counted run."""
        self.waiting: deque[Flight[Any]] = deque()


class Crew:
    """The threads that make the calls of a pool and of its users."""

    __slots__ = ("_of_process", "unfinished")

    def __init__(self) -> None:
        self.unfinished: set[Flight[Any]] = set()
        """The flights that are not over, those of a parent process among them."""
        # A forked child has none of its parent's threads, and their lock may stay locked there for ever.
        self._of_process: dict[int, _Threads] = {}

    def submit(self, flight: Flight[Any]) -> None:
        """Have a thread run *flight*: now, or when one is free."""
        threads = self._threads()
        with threads.lock:
            flight.is_submitted, is_urgent = True, flight.is_urgent
            if not is_urgent:
                threads.waiting.append(flight)
        if is_urgent:
            self._start(threads, flight)
        else:
            self._hire(threads)
            self.relieve()

    def hurry(self, flight: Flight[Any]) -> None:
        """
        Have a thread of its own run *flight*, unless it runs already.

        A login function waits for it, such as one that asks for credentials of another user. If such logins
        had all the threads, there would be none for what they wait for.
        """
        threads = self._threads()
        with threads.lock:
            flight.is_urgent = True
            if flight not in threads.waiting:
                return
            threads.waiting.remove(flight)
        self._start(threads, flight)

    def replace(self, flight: Flight[Any]) -> None:
        """Let another thread take the place of the one that hangs in *flight*."""
        threads = self._threads()
        with threads.lock:
            if flight not in threads.running or flight.is_over:
                return
            threads.running.discard(flight)
            threads.count -= 1
        self._hire(threads)

    def relieve(self) -> None:
        """Let other threads take the places of those that hang, where calls wait for one."""
        threads = self._threads()
        if threads.waiting and threads.count >= MOST_THREADS:
            for flight in list(threads.running):
                if flight.is_late:
                    self.replace(flight)

    def under_way(self) -> list[Flight[Any]]:
        """Return the flights of this process that have still to end."""
        return [flight for flight in list(self.unfinished) if flight.is_under_way]

    def _threads(self) -> _Threads:
        # `setdefault` is atomic, so two threads of a new child make one.
        return self._of_process.get(os.getpid()) or self._of_process.setdefault(os.getpid(), _Threads())

    def _hire(self, threads: _Threads) -> None:
        with threads.lock:
            if not threads.waiting or threads.count >= MOST_THREADS:
                return
            threads.count += 1
        self._start(threads)

    def _start(self, threads: _Threads, alone: Flight[Any] | None = None) -> None:
        """Start a thread for the flight *alone*, or for all that wait."""
        target = functools.partial(self._work, threads) if alone is None else alone.run
        thread = threading.Thread(target=target, name="cognito-credentials-async", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # A limit of the system, or the end of the interpreter. Other threads go on with what waits.
            with threads.lock:
                threads.count -= alone is None
                stranded = [alone] if alone else [] if threads.count else list(threads.waiting)
                if alone is None and not threads.count:
                    threads.waiting.clear()
            for flight in stranded:
                flight.end(
                    ServiceError(
                        "no thread can be started", hint="Try again when fewer threads run", topic="E-ASYNC"
                    )
                )

    def _work(self, threads: _Threads) -> None:
        """In a thread: run what waits, and end when nothing is left."""
        while True:
            with threads.lock:
                if not threads.waiting:
                    threads.count -= 1
                    return
                flight = threads.waiting.popleft()
                threads.running.add(flight)
            flight.run()
            with threads.lock:
                if flight not in threads.running:  # it took so long that another thread has this one's place
                    return
                threads.running.discard(flight)
