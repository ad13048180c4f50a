"""
The budget of one store's pools: a wait before each request, so that all hosts together keep the quotas.

Redis has the buckets (`script.py`). While it does not answer, this process has a bucket of its own for each
operation, with a small part of the quota (`LOCAL_SHARE`).
"""

from __future__ import annotations

import math
import os
import threading
from typing import TYPE_CHECKING, Any, Final

from ..clock import span
from ..errors import ServiceError
from . import OVER_BUDGET, script
from .bucket import SECOND, Bucket, Turn
from .counts import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..clock import Clock

    Script = Callable[[str, Sequence[str], Sequence[bytes | str | float]], Any]

PUBLISHED: Final[Mapping[str, float]] = {
    "GetId": 25,
    "GetCredentialsForIdentity": 200,
    "GetOpenIdToken": 200,
    "GetOpenIdTokenForDeveloperIdentity": 50,
}
"""
Requests a second of an account in a region, by operation; AWS publishes none for the others.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/limits.html
"""
LOCAL_SHARE: Final = 1 / 20
"""
The part of a quota that one process takes by itself while Redis does not answer.

It is 1.25 GetId and 10 GetCredentialsForIdentity a second, which are the renewals of 25,000 users. Twenty
processes make the quota. A larger fleet goes over it only if all its processes have that many new users at
once, and then the service itself says so.
"""
USED: Final = 0.96
"""
The part of a quota that is used.

The service takes a second's requests at once. So it forgives requests that were late and then came together,
and those of a process that had no Redis for a moment. But what it has forgiven comes back only from what is
left of the quota: without that, each of these requests would be one too many later.
"""
ROOM: Final = 2.0
"""Seconds that must be left for a request after its wait."""
FOLLOWED: Final = ("GetId", "GetOpenIdToken", "GetOpenIdTokenForDeveloperIdentity")
"""Operations whose answer another request of the same exchange needs."""
LONGEST_WAIT: Final = 20.0
"""Seconds; also where the caller has no deadline."""
LONGEST_INTERVAL: Final = 86_400 * SECOND


class Budget:
    """
    Lets requests wait for their turn, for all threads and forks of a process.

    Args:
        run: Runs a Lua script in Redis: its text, keys, and other arguments.
        unavailable: What *run* raises while Redis does not do what it is asked.
        place: Names region and endpoint.
        rates: Operation -> requests a second; others as published.
    """

    __slots__ = ("_clock", "_local", "_place", "_run", "_unavailable", "counts", "rates")

    def __init__(
        self,
        run: Script,
        unavailable: type[Exception],
        place: str,
        rates: Mapping[str, float],
        clock: Clock,
    ) -> None:
        self._run = run
        self._unavailable = unavailable
        self._place = place
        self._clock = clock
        self._local: dict[int, _Local] = {}
        self.rates: Mapping[str, float] = {**PUBLISHED, **rates}
        self.counts = Counts()

    def of(self, operation: str, who: str, *, is_renewal: bool) -> Queue | None:
        """
        Return the queue in which a call of *operation* waits; None where it has no quota.

        Args:
            who: Names the user, by a hash.
            is_renewal: Whether valid credentials are held, so that nobody waits for this call.
        """
        return Queue(self, operation, who, is_renewal=is_renewal) if operation in self.rates else None

    def place_of(self, operation: str) -> str:
        """Name the place of an operation's keys in Redis."""
        return f"{operation}:{self._place}"

    def ask(self, operation: str, kind: str, who: str, patience: int) -> tuple[Turn, str]:
        """
        Ask Redis, or the bucket of this process where it does not answer.

        Returns:
            The answer, and the words that say whose budget it is from.
        """
        rate, counts = self.rates[operation], self.counts.take()
        arguments: list[bytes | str | float] = [kind, interval_of(rate), patience, who, *counts]
        try:
            answer = self._run(script.ASK, script.keys(self.place_of(operation)), arguments)
        except self._unavailable:
            answer = None
        turn = _turn(answer)
        if turn is not None:
            return turn, f"all hosts together may send {rate:g} a second"
        self.counts.give_back(counts)
        # One lock per process: a forked child would inherit one that nobody releases.
        local, rate = self._local.setdefault(os.getpid(), _Local()), rate * LOCAL_SHARE
        now = int(self._clock.elapsed() * SECOND)
        turn = local.ask(operation, now, interval_of(rate), kind, who, patience)
        return turn, f"without its Redis each process may send {rate:g} a second"

    def wait(self, seconds: float) -> None:
        """Wait."""
        self._clock.sleep(seconds)


class Queue:
    """The queue of one call; each request of it waits for its own turn."""

    __slots__ = ("_budget", "_is_renewal", "_operation", "_who")

    def __init__(self, budget: Budget, operation: str, who: str, *, is_renewal: bool) -> None:
        self._budget = budget
        self._operation = operation
        self._who = who
        self._is_renewal = is_renewal

    def wait_for_turn(self, seconds_left: float) -> bool:
        """
        Wait until a request may be sent.

        Args:
            seconds_left: To the caller's deadline.

        Returns:
            Whether many came at once.

        Raises:
            ServiceError: There is no turn by then; `retry_after` says when.
        """
        room = ROOM * (2 if self._operation in FOLLOWED else 1)
        patience = int(max(0.0, min(seconds_left - room, LONGEST_WAIT)) * SECOND)
        kind = script.RENEWAL if self._is_renewal else script.FIRST
        turn, whose = self._budget.ask(self._operation, kind, self._who, patience)
        if not turn.is_granted:
            raise self._too_many(turn.wait / SECOND, whose)
        if turn.wait:
            self._budget.wait(turn.wait / SECOND)
        return turn.is_crowded

    def was_too_often(self) -> None:
        """Say that the service refused a request because it is asked too often: all hosts pause."""
        self._budget.ask(self._operation, script.PAUSE, self._who, 0)

    def _too_many(self, seconds: float, whose: str) -> ServiceError:
        return ServiceError(
            f"{self._operation} was not sent: {whose}, and others came first",
            hint=f"Try again in {span(math.ceil(seconds))}",
            code=OVER_BUDGET,
            throttled=True,
            retry_after=seconds,
            topic="E-THROTTLED",
        )


class _Local:
    """The buckets of one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._buckets: dict[str, Bucket] = {}

    def ask(self, operation: str, now: int, interval: int, kind: str, who: str, patience: int) -> Turn:
        with self._guard:
            bucket = self._buckets.setdefault(operation, Bucket())
            if kind == script.FIRST:
                return bucket.ask(now, interval, who, patience)
            if kind == script.RENEWAL:
                return bucket.ask_to_renew(now, interval)
            bucket.pause(now)
            return Turn(is_granted=False, wait=0)


def _turn(answer: Any) -> Turn | None:
    """Read an answer of the script; None where it makes no sense."""
    try:
        granted, wait, crowded = (int(part) for part in answer)
        return Turn(is_granted=bool(granted), wait=wait, is_crowded=bool(crowded))
    except (TypeError, ValueError):
        return None


def interval_of(rate: float) -> int:
    """Return the microseconds between two slots where *rate* requests a second are allowed."""
    return min(math.ceil(SECOND / (rate * USED)), LONGEST_INTERVAL)
