"""
How an app's store is asked: in a thread of ours, one call after the other, each with a time limit.

The app's functions may do anything: hang, raise, return what they should not. Their errors become ours, with
the type and the place only, since their frames hold the text. One thread makes all calls of one visit, from
entering the app's lock to leaving it: locks and database connections may belong to a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final

from ...awaiting import awaited, context_for_thread
from ...errors import CacheError, CognitoCredentialsError, ServiceError, clean
from ...exchange.deadline import remaining
from ...logins.source import place_of
from ...secret import Secret

STORE_SECONDS: Final = 5.0
"""How long the app's store may take for each call, as the keyring may."""
_LEAST_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 1.0
"""So long a coroutine that was cancelled may take to end."""


class MemoryStore:
    """A sign-in that ends with the process."""

    def __init__(self) -> None:
        self._text: Secret | None = None

    def load(self) -> str | None:
        """Return the text."""
        return None if self._text is None else self._text.reveal()

    def save(self, text: str, /) -> None:
        """Hold the text."""
        self._text = Secret(text)

    def delete(self) -> None:
        """Drop the text."""
        self._text = None


class Visit:
    """
    One visit to an app's store. It must be closed.

    A call that does not answer in time is left behind, and no later one is made in this visit. The thread
    then ends once the call does (`end_within`), and leaves the app's lock.

    Raises:
        CacheError: No thread can be started.
    """

    def __init__(self, store: Any, name: str) -> None:
        self._store = store
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._leave: Callable[[], object] | None = None
        self._is_left_behind = False
        self.no_answer: CacheError | None = None
        """The error for the call that was not answered in time, if there was one."""
        # A call that hangs must not keep the interpreter from its end.
        self._thread = threading.Thread(target=self._work, name="cognito-credentials-store", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            problem = CacheError(
                f"no thread can be started to ask {name}",
                hint="Is the program ending?",
                topic="E-SIGN-IN-STORE",
            )
        except BaseException:
            self._jobs.put(None)  # a signal handler raised, and nobody has this visit to close it
            raise
        else:
            return
        raise problem

    def load(self) -> Secret | None:
        """
        Ask for the text.

        Raises:
            CacheError: The store failed, or gave something else than text.
            CognitoCredentialsError: The store is asynchronous, and its event loop is not there.
        """
        given = self._ask("load", lambda seconds: self._result("load", seconds))
        if given is None or (isinstance(given, str) and given):
            return None if given is None else Secret(given)
        kind = "an empty text" if given == "" else type(given).__name__
        del given
        raise CacheError(
            f"load() of {self._name} gave {kind}",
            hint="Return the text that save() was given, or None where nothing is stored",
            topic="E-SIGN-IN-STORE",
        )

    def save(self, text: Secret) -> None:
        """Hand the text over; raises the errors of `load`."""
        self._ask("save", lambda seconds: self._result("save", seconds, text))

    def delete(self) -> None:
        """Have the text removed; raises the errors of `load`."""
        self._ask("delete", lambda seconds: self._result("delete", seconds))

    def enter(self, seconds: float) -> bool:
        """
        Enter the app's lock.

        Returns:
            False where it was not free for so many seconds.

        Raises:
            CacheError: It failed.
        """
        try:
            self._ask("lock", self._enter, seconds)
        except CacheError:
            if self.no_answer is None:
                raise
            return False
        return True

    def close(self) -> None:
        """
        Leave the app's lock, and end.

        Raises:
            CacheError: The lock failed. What was saved with it held may not be stored.
        """
        try:
            if self._leave is not None and not self._is_left_behind:
                self._ask("lock", self._exit)
        finally:
            self._jobs.put(None)

    def end_within(self, seconds: float) -> None:
        """
        Wait until the thread has ended.

        Raises:
            CacheError: A call that was left behind has not ended in so many seconds.
        """
        self._thread.join(max(seconds, 0))
        if self._thread.is_alive() and self._is_left_behind:
            raise self._not_answered()
        self._thread.join()  # it has nothing to do any more but end

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            del job
        leave, self._leave = self._leave, None
        if leave is not None:  # the call before was left behind, and nobody waits for this one
            _Job(leave, f"lock() of {self._name}").run()

    def _ask(self, method: str, function: Callable[[float], object], limit: float | None = None) -> object:
        what = f"{method}() of {self._name}"
        if self._is_left_behind:
            raise self._not_answered()
        seconds = max(min(STORE_SECONDS if limit is None else limit, remaining()), _LEAST_SECONDS)
        job = _Job(lambda: function(seconds), what)
        self._jobs.put(job)
        self._is_left_behind = True  # also where a signal handler raises in the wait
        if not job.ended.wait(seconds + _GRACE_SECONDS):
            self.no_answer = _no_answer(what)
            raise self._not_answered()
        self._is_left_behind = False
        if job.is_late:
            self.no_answer = _no_answer(what)
            raise self._not_answered()
        return job.result()

    def _not_answered(self) -> CacheError:
        """Make the error of the first call that was not answered anew: one that was raised has frames."""
        found = self.no_answer or _no_answer(self._name)  # else a signal handler has raised in the wait
        return CacheError(found.message, hint=found.hint, topic=found.topic)

    def _result(self, method: str, seconds: float, *secrets: Secret) -> object:
        given = getattr(self._store, method)(*(secret.reveal() for secret in secrets))
        return awaited(given, f"{method}() of {self._name}", seconds)

    def _enter(self, seconds: float) -> None:
        what = f"lock() of {self._name}"
        lock: Any = awaited(self._store.lock(), what, seconds)
        kind = type(lock)
        if hasattr(kind, "__aenter__"):
            awaited(lock.__aenter__(), what, seconds)
            self._leave = lambda: awaited(lock.__aexit__(None, None, None), what, STORE_SECONDS)
        elif hasattr(kind, "__enter__"):
            lock.__enter__()
            self._leave = lambda: lock.__exit__(None, None, None)
        else:
            raise CacheError(
                f"{what} gave {kind.__name__}, which is no context manager",
                hint="Return one that keeps other processes out, such as filelock's FileLock",
                topic="E-SIGN-IN-STORE",
            )

    def _exit(self, _: float) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class _Job:
    """One call, and what came of it."""

    def __init__(self, function: Callable[[], object], what: str) -> None:
        self._function = function
        self._what = what
        self._context = context_for_thread()
        self._value: object = None
        self._problem: CognitoCredentialsError | None = None
        self.is_late = False
        """Whether a coroutine took too long, and was cancelled."""
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            self._value = self._context.run(self._function)
        except BaseException as error:  # noqa: BLE001  (a SystemExit of the app would end this thread unseen)
            self.is_late = isinstance(error, ServiceError) and error.code == "DeadlineExceeded"
            self._problem = _as_ours(error, self._what)
        self.ended.set()

    def result(self) -> object:
        value, problem = self._value, self._problem
        self._value = self._problem = None
        if problem is not None:
            raise problem
        return value


def _as_ours(error: BaseException, what: str) -> CognitoCredentialsError:
    """Return what takes the place of an error of the app: its type and its place, and no frame of it."""
    if isinstance(error, CognitoCredentialsError):
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    return CacheError(
        f"{what} failed with {type(error).__qualname__} at {place_of(error)}",
        hint="Nothing else was overwritten; correct the app's store, then try again",
        topic="E-SIGN-IN-STORE",
    )


def _no_answer(what: str) -> CacheError:
    """Make the error for a call that was not answered. Whether it still does what it should is not known."""
    return CacheError(
        f"{clean(what, 120)} does not answer",
        hint=f"It has {STORE_SECONDS:.0f} s for each call; correct the app's store, then try again",
        topic="E-SIGN-IN-STORE",
    )
