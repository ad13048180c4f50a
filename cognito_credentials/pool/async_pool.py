"""
`AsyncIdentityPool`: an identity pool for programs with an event loop. The policy is `IdentityPool`'s.

What is held in memory and good is returned on the loop. Every other call is made by a thread of ours
(`flights.py`), so that the loop never waits for the network, the disk, a lock, or an import.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from ..awaiting import CALLERS, Caller
from ..errors import CognitoCredentialsError, ConfigurationError
from ..exchange.interruption import drops_frames_on_error
from ..importing import IMPORTING
from ..settings import checks
from .flights import LONGEST_FLIGHT, Crew, Flights
from .pool import IdentityPool, held_by, is_waited_for, may_save, parts_of, user_later

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

    from ..credentials import TemporaryCredentials
    from ..settings.settings import Settings
    from ..sign_in.signed_in import SignedIn

    IdentityChanged = Callable[[str | None, str, str], Awaitable[None] | None]

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger(__name__)

_CLOSING_SECONDS: Final = 10.0
"""How long `close` waits for calls under way: no coroutine of the app that saves for one is to be cut off."""


def _with_arguments_of(
    pool: Callable[P, IdentityPool],  # noqa: ARG001  (for the type checker)
) -> Callable[[Callable[..., None]], Callable[Concatenate[AsyncIdentityPool, P], None]]:
    """Say that ``__init__`` takes what *pool* takes: no setting is named twice, and none can be misspelt."""
    return functools.wraps(IdentityPool.__init__)


def _in_thread(
    method: Callable[Concatenate[IdentityPool, P], T], *, seconds: float | None = LONGEST_FLIGHT
) -> Callable[Concatenate[AsyncIdentityPool, P], Coroutine[Any, Any, T]]:
    """
    Make a coroutine of a method of `IdentityPool`, which a thread calls.

    Args:
        method: The method, whose arguments and documentation the coroutine has.
        seconds: How long it may take; None where a person takes part.
    """

    @functools.wraps(method)
    async def call(self: AsyncIdentityPool, /, *args: P.args, **kwargs: P.kwargs) -> T:
        outcome = _outcome_of(self._flights, functools.partial(method, self.pool, *args, **kwargs), seconds)
        del args, kwargs  # an error keeps this frame, and a login token may be among them
        return await outcome

    call.__qualname__ = f"AsyncIdentityPool.{method.__name__}"
    return call


def _in_steps(
    method: Callable[Concatenate[IdentityPool, P], SignedIn],
) -> Callable[Concatenate[AsyncIdentityPool, P], Coroutine[Any, Any, SignedIn]]:
    """Make a coroutine of a method that may raise `ChallengeRequired`: its answer is a coroutine, too."""

    @functools.wraps(method)
    async def call(self: AsyncIdentityPool, /, *args: P.args, **kwargs: P.kwargs) -> SignedIn:
        step = _step(self._flights, functools.partial(method, self.pool, *args, **kwargs))
        del args, kwargs  # an error keeps this frame, and a password is among them
        return await step

    call.__qualname__ = f"AsyncIdentityPool.{method.__name__}"
    return call


def _step(flights: Flights, act: Callable[[], SignedIn]) -> Coroutine[Any, Any, SignedIn]:
    # Without a time limit: a keyring may ask the person to open it.
    return _outcome_of(flights, functools.partial(_asked, flights, act), None)


async def _outcome_of(flights: Flights, act: Callable[[], T], seconds: float | None) -> T:
    """Have a thread *act*, whose arguments may be secrets: an error keeps no frame that has them."""
    try:
        flight = flights.alone(act, seconds)
    except CognitoCredentialsError as error:
        problem = error.with_traceback(None)
    else:
        del act
        return await flight.outcome()
    del act
    problem.__context__ = None
    try:
        raise problem
    finally:
        del problem  # it has this frame, which would have it


def _asked(flights: Flights, act: Callable[[], SignedIn]) -> SignedIn:
    """In a thread: do one step of a sign-in, and have a coroutine answer the question to the person."""
    with IMPORTING:
        from ..sign_in.challenge import AsyncChallengeRequired, ChallengeRequired

    try:
        return act()
    except ChallengeRequired as error:
        question = error
    finally:
        del act  # what a store of the app raises keeps this frame
    raise AsyncChallengeRequired(question, functools.partial(_step, flights))


class AsyncIdentityPool:
    """
    AWS credentials of one identity in an Amazon Cognito identity pool, for programs with an event loop.

    It has the methods of `IdentityPool` as coroutines, and takes the same arguments. Login functions may be
    ``async``: they run on the loop of the task that asked, and have 30 seconds. Those that are not run in a
    thread of ours. So do the prompt and the ``open_browser`` of `sign_in`, which have to be plain functions.
    The loop never waits for the network, the disk, or an import.

    Tasks of several event loops may use one object, and so may threads by its `pool`: all have the same
    credentials in memory, the same back-off, and one refresh at a time. A task that is cancelled disturbs
    neither the others nor the call under way, which goes on.
    """

    @_with_arguments_of(IdentityPool)
    @drops_frames_on_error
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._begin(IdentityPool(*args, **kwargs))

    def _begin(self, pool: IdentityPool, crew: Crew | None = None) -> None:
        self.pool = pool
        """The same pool for threads, and for boto3: ``Session(pool=async_pool.pool)``."""
        self._is_users = crew is not None
        self._flights = Flights(
            crew or Crew(), functools.partial(is_waited_for, pool), functools.partial(may_save, pool)
        )

    @classmethod
    def of(cls, pool: IdentityPool) -> AsyncIdentityPool:
        """
        Make the asynchronous side of *pool*, which goes on to serve threads.

        Raises:
            ConfigurationError: It is no IdentityPool.
        """
        if not isinstance(pool, IdentityPool):
            raise ConfigurationError(
                f"AsyncIdentityPool.of got {type(pool).__name__}, not an IdentityPool",
                hint="Write AsyncIdentityPool.of(IdentityPool('us-east-1:…'))",
                topic="E-ARGUMENT",
            )
        return _made_of(cls, pool)

    # A method that IdentityPool gets is one more line here.
    refresh = _in_thread(IdentityPool.refresh)
    open_id_token = _in_thread(IdentityPool.open_id_token)
    invalidate = _in_thread(IdentityPool.invalidate)
    clear = _in_thread(IdentityPool.clear)
    link = _in_thread(IdentityPool.link)
    unlink = _in_thread(IdentityPool.unlink)
    wait_for_turn = _in_thread(IdentityPool.wait_for_turn)
    status = _in_thread(IdentityPool.status)
    sign_in = _in_thread(IdentityPool.sign_in, seconds=None)
    sign_in_with_password = _in_steps(IdentityPool.sign_in_with_password)
    sign_in_with_refresh_token = _in_thread(IdentityPool.sign_in_with_refresh_token)
    tokens = _in_thread(IdentityPool.tokens)
    sign_out = _in_thread(IdentityPool.sign_out)

    async def credentials(self) -> TemporaryCredentials:
        """
        Return credentials that are valid now: at once while they are fresh.

        When a refresh is due, and more than a minute is left, they are returned at once, too, and renewed in
        the background. Otherwise all tasks wait for one call.

        Raises:
            CognitoCredentialsError: As `IdentityPool.credentials`.
        """
        parts = self.pool._parts  # noqa: SLF001  (of this folder)
        record, is_due = (None, True) if parts is None else parts.refresher.at_once()
        if record is not None:
            credentials = record.credentials
        else:
            flight = self._flights.shared("credentials", self._obtain)
            if not await flight.over():
                held, clock = held_by(self.pool)
                if held is not None and held.is_valid(clock):
                    return held.record.credentials
            credentials, is_due = flight.result()
        if is_due:
            self._flights.shared("renewal", self.pool.credentials)
        return credentials

    def current(self) -> TemporaryCredentials | None:
        """Return what is held in memory, if it is valid; see `IdentityPool.current`. No coroutine."""
        return self.pool.current()

    async def identity_id(self) -> str:
        """
        Return the identity id: offline when it is known, otherwise from the service.

        Raises:
            CognitoCredentialsError: It is not known, and the service did not give one.
        """
        return await self._flights.shared("identity_id", self.pool.identity_id).outcome()

    async def settings(self) -> Settings:
        """
        Return the settings, resolved on first use.

        Raises:
            ConfigurationError: A setting is missing or malformed.
        """
        return await self._flights.shared("settings", lambda: self.pool.settings).outcome()

    @drops_frames_on_error
    def for_user(self, user: str, *, logins: object = None) -> AsyncIdentityPool:
        """
        Return the pool as another user has it; see `IdentityPool.for_user`. This is no coroutine.

        Before the first use of this pool its settings are not known: an error about them, or about *logins*
        that are left out, then comes from the first coroutine of that user.
        """
        return _made_of(type(self), user_later(self.pool, user, logins), self._flights.crew)

    def on_identity_changed(self, callback: IdentityChanged) -> Awaitable[None]:
        """
        Call *callback* with (old identity id or None, new identity id, reason) after each change.

        Reasons are those of `IdentityPool.on_identity_changed`. The callback runs on the event loop that runs
        now; else, or once that is closed, on the loop of the task whose call noticed the change. It may be
        ``async``. Then it is begun as a task, and nobody waits for it: it may use this pool.

        It is registered at once. What is returned may be awaited, and takes no time.

        Raises:
            ConfigurationError: *callback* cannot be called.
        """
        checks.callback(callback)
        self.pool.on_identity_changed(_Listener(callback))
        return _Done()

    async def close(self) -> None:
        """
        Wait some seconds for the calls under way, and close the idle connections of this process.

        The calls are those of this object, and those of its users, where it is not a user's itself.

        This is also done at the end of ``async with AsyncIdentityPool(…) as pool:``. An app's coroutine that
        saves something for a call gets to its end here, before its loop does. The pool may be used again.

        Where an error or a cancellation, such as that of Ctrl-C, leaves ``async with``, calls of pools whose
        logins keep no sign-in are not waited for: nothing is lost with them.
        """
        await self._close(all_calls=True)

    async def _close(self, *, all_calls: bool) -> None:
        calls = self._flights if self._is_users else self._flights.crew
        under_way = [flight for flight in calls.under_way() if all_calls or flight.may_save]
        waiting = [asyncio.ensure_future(flight.over()) for flight in under_way]
        if waiting:
            try:
                await asyncio.wait(waiting, timeout=_CLOSING_SECONDS)
            finally:  # also where the task that closes is cancelled
                for task in waiting:
                    task.cancel()
        await self._flights.alone(self.pool.close).outcome()

    aclose = close
    """The name that `contextlib.aclosing` calls."""

    async def __aenter__(self) -> AsyncIdentityPool:  # noqa: PYI034  (typing.Self came with Python 3.11)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._close(all_calls=kind is None)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).of, (self.pool,)

    def __repr__(self) -> str:
        return f"Async{self.pool!r}"

    def _obtain(self) -> tuple[TemporaryCredentials, bool]:
        """
        In a thread: look who is signed in, and wait for new credentials only where they are needed now.

        Returns:
            The credentials, and whether a renewal is due.
        """
        refresher = parts_of(self.pool).refresher
        # For threads that use the pool. The variables of a task would be kept alive.
        refresher.callers = tuple(Caller(each.loop, contextvars.Context()) for each in CALLERS.get())
        refresher.look_at_owners()
        record, is_due = refresher.at_once()
        return (self.pool.credentials(), False) if record is None else (record.credentials, is_due)


def _made_of(
    kind: type[AsyncIdentityPool], pool: IdentityPool, crew: Crew | None = None
) -> AsyncIdentityPool:
    made = kind.__new__(kind)
    made._begin(pool, crew)  # noqa: SLF001  (the class of this file)
    return made


class _Done:
    """An awaitable that takes no time. A coroutine that nobody awaits would be a warning."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


class _Listener:
    """A callback that is called on an event loop, whichever thread notices the change."""

    def __init__(self, callback: IdentityChanged) -> None:
        self._callback = callback
        self._tasks: set[asyncio.Future[None]] = set()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._registered: tuple[Caller, ...] = ()
        else:
            self._registered = (Caller(loop, contextvars.copy_context()),)

    def __call__(self, old: str | None, new: str, reason: str) -> None:
        for caller in (*self._registered, *CALLERS.get()):
            try:
                caller.loop.call_soon_threadsafe(self._run, old, new, reason, context=caller.context.copy())
            except RuntimeError:  # it has been closed
                continue
            return
        _log.warning("a change of identity was noticed where no event loop runs: no callback is called")

    def _run(self, old: str | None, new: str, reason: str) -> None:
        """On the loop: call it; an error must not reach the loop's exception handler without our words."""
        try:
            begun = self._callback(old, new, reason)
        except Exception:  # noqa: BLE001  (the callback's)
            _log.exception("a callback of on_identity_changed failed")
            return
        if begun is not None:
            task = asyncio.ensure_future(begun)
            self._tasks.add(task)  # the loop itself keeps no task alive
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a callback of on_identity_changed failed", exc_info=task.exception())
