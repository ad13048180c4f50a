"""
What this process holds of one user: credentials, identity ids, back-off, and which thread has the turn.

`Memory` holds one `Held` at most: the newest credentials that this process got or found in the store. All
objects of one user share it, where the user is known without asking for a token (`memories.py`).
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Final

from ..cache.waiting import SingleFlight
from ..clock import SIGNATURE_TOLERANCE_SECONDS, span
from ..credentials import iso
from ..errors import CredentialsExpiredError, LoginRequiredError
from . import policy
from .backoff import Backoff
from .policy import Freshness

if TYPE_CHECKING:
    import random

    from ..cache.records import CredentialsRecord, Records
    from ..clock import Clock
    from ..errors import CognitoCredentialsError
    from .identities import Principal

_log = logging.getLogger(__name__)

REPEAT_SECONDS: Final = 300
"""A warning that may be due at every request is repeated this often."""


class Held:
    """
    A credentials record, with the moments at which it is due worked out once for both clocks.

    Args:
        clock: The record's moments are translated to its wall and elapsed time.
        is_rejected: A service has rejected these credentials. Then they are never fresh: the next request
            tries to replace them, and they are used only if that fails.
    """

    __slots__ = ("_boot_id", "_fresh_until_elapsed", "_fresh_until_wall", "_is_rejected", "record")

    def __init__(self, record: CredentialsRecord, clock: Clock, *, is_rejected: bool = False) -> None:
        self.record = record
        self._is_rejected = is_rejected
        seen = record.seen
        self._boot_id = clock.boot_id()
        self._fresh_until_wall = 0 if is_rejected else record.refresh_at - seen.offset
        self._fresh_until_elapsed = float("inf")
        if seen.boot_id == self._boot_id:
            ahead = record.refresh_at - (seen.wall + seen.offset)
            self._fresh_until_elapsed = seen.elapsed_ms / 1000 + ahead

    def is_fresh(self, clock: Clock) -> bool:
        """Tell whether both clocks say that no refresh is due. Every signature asks this."""
        return clock.wall() < self._fresh_until_wall and clock.elapsed() < self._fresh_until_elapsed

    def freshness(self, clock: Clock) -> Freshness:
        """Return how fresh the credentials are now."""
        record = self.record
        now = record.seen.now(clock, self._boot_id)
        state = policy.freshness(now, record.refresh_at, record.credentials.expires_at)
        return Freshness.ENDING if self._is_rejected and state is not Freshness.EXPIRED else state

    def is_valid(self, clock: Clock) -> bool:
        """Tell whether the credentials may still be handed out."""
        return self.seconds_left(clock) > 0

    def is_good(self, clock: Clock) -> bool:
        """Tell whether the credentials are valid and no service has rejected them."""
        return not self._is_rejected and self.is_valid(clock)

    def is_over(self, error: CognitoCredentialsError) -> bool:
        """
        Tell whether only a person can go on: these were rejected, and *error* asks for a sign-in.

        In an outage the rejected ones are better than none, as the service may have been wrong.
        """
        return self._is_rejected and isinstance(error, LoginRequiredError) and not error.retryable

    def seconds_left(self, clock: Clock) -> float:
        """Return the seconds until the credentials expire, by the service's time."""
        return self.record.credentials.expires_at - self.record.seen.now(clock, self._boot_id)

    def describe(self, clock: Clock) -> str:
        """Describe the credentials for the debug log, without any part of them."""
        left = self.seconds_left(clock)
        return f"credentials that expire in {left:.0f} s ({self.freshness(clock).value})"

    def expired_error(self, cause: CognitoCredentialsError) -> CognitoCredentialsError:
        """
        Make the error for credentials that have expired and that could not be refreshed because of *cause*.

        A cause that only a person can remove is the error itself: it says what to do.
        """
        if not cause.retryable:
            return cause
        end = iso(self.record.credentials.expires_at)
        wait = "" if cause.retry_after is None else f" in {span(math.ceil(cause.retry_after))}"
        again = f"the next try is possible{wait or ' soon'}"
        return CredentialsExpiredError(
            f"credentials expired at {end} and could not be refreshed: {cause.message}",
            hint=f"{cause.hint}; {again}" if cause.hint else again[0].upper() + again[1:],
            code=cause.code,
            retry_after=cause.retry_after,
            topic=cause.topic,
        )


class Memory:
    """
    What this process holds of one user.

    Args:
        records: Of the user's pool.
        clock: Tells what is fresh.
        rng: Spreads tries after a failure.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_person",
        "_records",
        "_rejected",
        "backoff",
        "flight",
        "held",
        "identity_ids",
        "look_again_at",
        "warnings",
    )

    def __init__(self, records: Records, clock: Clock, rng: random.Random) -> None:
        self._records = records
        self._clock = clock
        self._person = ""  # `Principal.person`, whom the credentials belong to
        self._rejected = ""  # access key id
        self.held: Held | None = None
        self.identity_ids: dict[str, str] = {}
        """By `Principal.memory_key`."""
        self.flight = SingleFlight()
        """The turn of the thread that refreshes."""
        self.backoff = Backoff(records, clock, rng)
        self.warnings = Warnings(clock)
        self.look_again_at = 0.0
        """By `Clock.elapsed`: after a failure, and while another process refreshes, nobody looks earlier."""

    def look(self, principal: Principal) -> Held | None:
        """Take the credentials in the store if they are newer than those that are held; return the newer."""
        if self.is_of_another(principal):
            self.held = None
        key = principal.credentials_key
        record = self._records.credentials(key)
        if record is not None and (self.held is None or record.issued_at > self.held.record.issued_at):
            rejected = (self._rejected, self._records.state(key).rejected_access_key_id)
            self.put(record, principal, is_rejected=record.credentials.access_key_id in rejected)
        return self.held

    def put(self, record: CredentialsRecord, principal: Principal, *, is_rejected: bool = False) -> Held:
        """Hold the credentials of *record* for *principal*."""
        self.held, self._person = Held(record, self._clock, is_rejected=is_rejected), principal.person
        return self.held

    def reject(self, access_key_id: str) -> None:
        """
        Note that a service rejected the credentials that are held, in memory and in the store.

        Any thread may call this, also while another one refreshes: credentials that come meanwhile stay.
        """
        held = self.held
        if held is None or held.record.credentials.access_key_id != access_key_id:
            return
        self._rejected = access_key_id
        rejected = Held(held.record, self._clock, is_rejected=True)
        if self.held is held:
            self.held = rejected
        state = self._records.state(held.record.key)
        state.rejected_access_key_id = access_key_id
        state.noted_at = int(self._clock.wall())
        self._records.keep(state)

    def is_of_another(self, principal: Principal) -> bool:
        """Tell whether the credentials that are held are another person's."""
        held = self.held
        has_other_key = held is not None and held.record.key != principal.credentials_key
        return has_other_key and principal.person != self._person

    def drop(self) -> None:
        """Drop the credentials, and forget this process's failures."""
        self.held, self._rejected = None, ""
        self.backoff.end_local()
        self.look_again_at = 0.0


class Warnings:
    """Logs warnings that may be due at every request, each at most once in five minutes."""

    __slots__ = ("_clock", "_given_at")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given_at: dict[str, float] = {}

    def give(self, topic: str, message: str, *args: object) -> None:
        """Log a warning, unless one on the same topic was logged lately."""
        now = self._clock.elapsed()
        if now - self._given_at.get(topic, float("-inf")) >= REPEAT_SECONDS:
            self._given_at[topic] = now
            _log.warning(message, *args)

    def check_clock(self, offset: int) -> None:
        """Warn when this machine's clock is so wrong that AWS refuses what is signed by it."""
        if abs(offset) > SIGNATURE_TOLERANCE_SECONDS:
            self.give(
                "clock",
                "this machine's clock is %s %s the service's; AWS refuses what it signs until it is set",
                span(abs(offset)),
                "behind" if offset > 0 else "ahead of",
            )
