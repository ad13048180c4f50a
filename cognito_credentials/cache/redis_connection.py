"""
The connection to a Redis or Valkey: the one place that connects, waits for it, and knows whether it is down.

The store (`redis_store.py`) uses it, and so may whatever else hosts share by it:

    connection.run("GET", key)                     one command; what redis-py returns, as bytes
    connection.script(SOURCE, [key], [argument])   a Lua script, which runs as one step; keys of one hash tag
    connection.keys("{*}:i")                       the names of keys, on all servers of a cluster
    connection.is_down                             whether it failed lately, so that nobody asks it now
    connection.warn_once(cause, line)              a warning, at most once in five minutes for each cause

The first three raise `RedisUnavailable` when it does not do what it was asked: it is down, slow, full, a
replica, loading, or answers nonsense. `RedisRefused` is the kind of that which a person has to mend: a
password, a certificate, a database that does not exist. Neither holds the URL's password or what was sent.
A command may have been carried out although it raises, and may be carried out twice: a connection that breaks
is opened anew, and the command sent once more, so that the restart of a server is no outage.

*Down.* A Redis that has not answered for 250 ms of this process's own running time is down. Time in which the
process or the machine was stopped does not count: the wait is made of short slices, and each counts as long
as it was meant to be. While it is down, everything raises at once. A second later one caller tries again, and
the others still raise at once meanwhile.

A forked child has its own client: two processes on one connection would read each other's answers.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from .redis_client import client_maker, load
from .redis_errors import NONSENSE, Judgement, RedisUnavailable, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..secret import Secret
    from ..settings.shared_cache import RedisUrl

T = TypeVar("T")

TRIED_AGAIN_AFTER: Final = 1.0
"""Seconds until a Redis that is down is asked again, by one caller."""
WARNED_AGAIN_AFTER: Final = 300.0
"""Seconds until a warning of the same cause is given again: a Redis may come and go."""


class RedisConnection:
    """
    A connection to one Redis, Valkey or cluster of them, for all threads of the process.

    Args:
        url: Where it is, and who we are there.
        password: Where the URL has none.
        is_sealed: Whether what is sent is sealed. If not, nothing is sent to another machine, also where a
            cluster names one.
        warn: Takes one line.
        elapsed: The time, in seconds since any moment.

    Raises:
        CacheError: A package is not installed.
    """

    __slots__ = ("_clients", "_elapsed", "_library", "_make", "_warn", "_warned", "location")

    def __init__(
        self,
        url: RedisUrl,
        *,
        password: Secret | None,
        is_sealed: bool,
        warn: Callable[[str], None],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.location = url.shown
        self._library = load()
        self._make = client_maker(self._library, url, url.password or password, is_sealed=is_sealed)
        self._warn = warn
        self._warned: dict[str, float] = {}
        self._elapsed = elapsed
        self._clients: dict[int, _Client] = {}

    def __repr__(self) -> str:
        return f"RedisConnection({self.location!r})"

    @property
    def is_down(self) -> bool:
        """Whether it failed less than a second ago, or somebody is finding out whether it is there again."""
        return self._here().is_down

    def run(self, *command: bytes | str | float) -> Any:
        """
        Carry out one command.

        Raises:
            RedisUnavailable: It was not carried out, or nobody knows.
        """
        return self._do(lambda client: client.execute_command(*command))

    def script(self, source: str, keys: Sequence[str], arguments: Sequence[bytes | str | float]) -> Any:
        """
        Run a Lua script, which no other command interrupts.

        Args:
            source: Its text.
            keys: What it reads and writes; all have the same hash tag.
            arguments: Its other arguments.

        Raises:
            RedisUnavailable: It was not carried out, or nobody knows.
        """
        name = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        rest = (len(keys), *keys, *arguments)

        def run(client: Any) -> Any:
            try:
                return client.execute_command("EVALSHA", name, *rest)
            except self._library.exceptions.NoScriptError:
                return client.execute_command("EVAL", source, *rest)

        return self._do(run)

    def keys(self, pattern: str) -> list[bytes]:
        """
        List the keys that match *pattern*, as ``SCAN`` has it; those of all servers of a cluster.

        Raises:
            RedisUnavailable: They cannot be listed.
        """
        return self._do(lambda client: list(client.scan_iter(match=pattern, count=1000)))

    def close(self) -> None:
        """Close the connections of this process; the next command opens others."""
        here = self._clients.pop(os.getpid(), None)
        if here is not None:
            here.close()

    def warn_once(self, cause: str, line: str) -> None:
        """Give a warning, unless one of the same *cause* was given lately."""
        now = self._elapsed()
        if now - self._warned.get(cause, float("-inf")) >= WARNED_AGAIN_AFTER:
            self._warned[cause] = now
            self._warn(f"{self.location}: {line}")

    def _here(self) -> _Client:
        # `setdefault` is atomic, so that two threads of a forked child get the same one.
        return self._clients.get(os.getpid()) or self._clients.setdefault(
            os.getpid(), _Client(self._make, self._elapsed)
        )

    def _do(self, work: Callable[[Any], T]) -> T:
        here = self._here()
        failure = here.failure_to_repeat()
        if failure is None:
            outcome = self._attempt(here, work, is_last=False)
            if outcome is None:
                outcome = self._attempt(here, work, is_last=True)
            assert outcome is not None  # noqa: S101  (for the type checker: the last attempt has one)
            if not isinstance(outcome, RedisUnavailable):
                return outcome.value
            failure = outcome
        try:
            raise failure
        finally:
            del failure

    def _attempt(
        self, here: _Client, work: Callable[[Any], T], *, is_last: bool
    ) -> _Answer[T] | RedisUnavailable | None:
        """Return the answer, what is wrong, or None where the command is to be sent once more."""
        kinds = (self._library.exceptions.RedisError, self._library.exceptions.RedisClusterException)
        try:
            answer = _Answer(work(here.client()))
        except RedisUnavailable as refused:  # by a connection that would leave this machine
            found = Judgement(refused.again(), is_down=True)
        except (*kinds, *NONSENSE) as error:
            found = judge(self._library, error)
        else:
            here.answered()
            return answer
        if found.may_pass and not is_last:
            here.disconnect()
            return None
        if found.is_down:
            here.failed(found.problem)
        else:
            here.answered()
        return found.problem.again()


class _Answer(Generic[T]):
    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


class _Client:
    """The client of one process, and what is known of the server."""

    __slots__ = ("_asks_at", "_client", "_elapsed", "_failure", "_guard", "_make")

    def __init__(self, make: Callable[[], Any], elapsed: Callable[[], float]) -> None:
        self._make = make
        self._elapsed = elapsed
        self._client: Any = None
        self._guard = threading.Lock()
        self._failure: RedisUnavailable | None = None
        self._asks_at = 0.0

    @property
    def is_down(self) -> bool:
        return self._failure is not None and self._elapsed() < self._asks_at

    def client(self) -> Any:
        """Return the client of redis-py. Making that of a cluster asks the cluster."""
        if self._client is None:
            with self._guard:
                if self._client is None:
                    self._client = self._make()
        return self._client

    def failure_to_repeat(self) -> RedisUnavailable | None:
        """Return what is wrong while it is down; None for the caller that finds out whether it still is."""
        with self._guard:
            if self._failure is not None and self.is_down:
                return self._failure.again()
            if self._failure is not None:
                self._asks_at = self._elapsed() + TRIED_AGAIN_AFTER
            return None

    def answered(self) -> None:
        self._failure = None

    def failed(self, failure: RedisUnavailable) -> None:
        with self._guard:
            self._failure, self._asks_at = failure, self._elapsed() + TRIED_AGAIN_AFTER
        self.disconnect()

    def disconnect(self) -> None:
        """Drop the idle connections: the name may lead to another server by now."""
        pool = getattr(self._client, "connection_pool", None)  # a cluster's client does so by itself
        if pool is not None:
            pool.disconnect(inuse_connections=False)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
