"""
THE policy: return what is fresh, refresh what is stale, wait for what has ended, back off from what fails.

The only place where logins, exchange and cache meet. A request goes through here once:

    memory -> (one thread of the process) -> disk -> back-off -> (one process of the machine) -> exchange

and at each arrow what came in between is looked at again, so that 200 processes make one refresh. The
locks save calls; nothing depends on them for correctness (reliability.md C7).

What a failure does is decided by what is still held: valid credentials are returned until they end,
whatever happened to the service or to the login, and never after (reliability.md 3.2).
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from . import policy
from .cache.record import CredentialsRecord, StateRecord
from .cache.records import remembered_error
from .clock import SIGNATURE_TOLERANCE_SECONDS
from .credentials import iso
from .errors import CognitoCredentialsError, CredentialsExpiredError, ServiceError
from .held import Held
from .notices import Notices, span
from .policy import Freshness
from .single_flight import SingleFlight

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from .cache.records import Records
    from .clock import Clock
    from .identities import Who
    from .recovery import Exchanger

_log = logging.getLogger(__name__)


class Refresher:
    """
    Keeps the credentials of one identity pool as good as they can be.

    Args:
        exchanger: Finds out who, and gets new credentials.
        records: What is remembered between processes.
        clock: This machine's clocks.
        rng: Where jitter comes from.
    """

    def __init__(self, exchanger: Exchanger, records: Records, clock: Clock, rng: random.Random) -> None:
        self._exchanger = exchanger
        self._records = records
        self._clock = clock
        self._rng = rng
        self._flight = SingleFlight()
        self._held: Held | None = None
        self._held_for = ""
        self._rejected = ""
        self._failure: tuple[float, CognitoCredentialsError] | None = None
        self._look_again_at = 0.0
        self._notices = Notices(_log, clock)

    def credentials(self) -> CredentialsRecord:
        """
        Return credentials that are valid now, refreshing them when it is time.

        Raises:
            CognitoCredentialsError: There are none, and none can be had.
        """
        held = self._held
        if held is not None and held.is_fresh(self._clock):
            return held.record
        if held is not None and held.freshness(self._clock) is Freshness.STALE:
            # Advisory: one thread refreshes, at most every second one looks; nobody waits.
            if self._clock.elapsed() < self._look_again_at or not self._flight.enter(0):
                return held.record
        elif not self._flight.enter(policy.WAITER_BUDGET):
            if held is not None and held.is_valid(self._clock):
                return held.record
            raise ServiceError("another thread is still waiting for the service")
        try:
            return self._renew().record
        finally:
            self._flight.leave()

    def refresh(self, who: Who | None = None) -> CredentialsRecord:
        """
        Get new credentials now, whatever is held and whatever failed before.

        Args:
            who: For whom; None to find out.

        Raises:
            CognitoCredentialsError: That failed; what was held is still held.
        """
        with self.alone():
            who = who or self._exchanger.identify()
            with self._locked(who, lambda: False):
                return self._exchange(who, policy.HOLDER_BUDGET).record

    def identity_id(self) -> str:
        """
        Return the identity id, asking the service only when it is not known here.

        Raises:
            CognitoCredentialsError: It is not known and cannot be had.
        """
        offline = self._exchanger.identify_offline()
        known = None if offline is None else self._exchanger.identities.known(offline)
        if known is not None:
            return known
        with self.alone():
            who = self._exchanger.identify()
            with self._locked(who, lambda: self._exchanger.identities.known(who) is not None):
                return self._exchanger.identities.known(who) or self._exchanger.new_identity(who)

    def invalidate(self, access_key_id: str) -> None:
        """
        Note that a service rejected the credentials with *access_key_id*, if they are the ones held.

        The next request asks for new ones at once, unless a recent failure forbids that.
        """
        held = self._held
        if held is None or held.record.credentials.access_key_id != access_key_id:
            return
        if not self._flight.enter(0):
            return  # a refresh is running: it replaces them already
        try:
            self._rejected = access_key_id
            self._held = Held(held.record, self._clock, is_rejected=True)
            state = self._records.state(held.record.key)
            state.rejected_access_key_id = access_key_id
            state.noted_at = int(self._clock.wall())
            self._records.keep(state)
        finally:
            self._flight.leave()

    def forget(self) -> None:
        """Drop what this process holds."""
        with self.alone():
            self._held, self._rejected, self._failure, self._look_again_at = None, "", None, 0.0

    def held(self) -> CredentialsRecord | None:
        """Return what this process holds, valid or not, doing nothing."""
        return None if self._held is None else self._held.record

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other threads from refreshing meanwhile."""
        if not self._flight.enter(policy.WAITER_BUDGET):
            raise ServiceError("another thread is still waiting for the service")
        try:
            yield
        finally:
            self._flight.leave()

    def _renew(self) -> Held:
        """Memory has been looked at, and this thread is alone: disk, back-off, other processes, exchange."""
        held = self._held
        if held is not None and held.is_fresh(self._clock):
            return held  # another thread was here first
        if self._failure is not None and self._clock.elapsed() < self._failure[0]:
            return self._fall_back(held, self._failure[1])
        try:
            who = self._exchanger.identify()
        except CognitoCredentialsError as error:
            return self._failed(None, held, error)
        if (
            held is not None
            and held.record.key != who.credentials_key
            and self._subject(who) != self._held_for
        ):
            held = self._held = None  # somebody else has signed in
        held = self._look(who)
        if held is not None and held.is_fresh(self._clock):
            return held
        state = self._records.state(who.credentials_key)
        if self._clock.wall() < state.retry_at:
            self._look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
            return self._fall_back(held, remembered_error(state, self._clock.wall()))
        return self._renew_together(who, held)

    def _renew_together(self, who: Who, held: Held | None) -> Held:
        """Let one process of the machine do it."""
        if held is not None and held.freshness(self._clock) is Freshness.STALE:
            lock = self._records.lock(who.identity_key)
            if not lock.acquire():
                self._look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
                return held
            try:
                return self._renew_locked(who, policy.ADVISORY_BUDGET)
            finally:
                lock.release()
        with self._locked(who, lambda: self._is_settled(who)):
            return self._renew_locked(who, policy.HOLDER_BUDGET)

    def _renew_locked(self, who: Who, budget: float) -> Held:
        held = self._look(who)
        if held is not None and held.is_fresh(self._clock):
            return held
        state = self._records.state(who.credentials_key)
        if self._clock.wall() < state.retry_at:
            return self._fall_back(held, remembered_error(state, self._clock.wall()))
        if state.failures and held is not None and held.is_valid(self._clock):
            budget = policy.ADVISORY_BUDGET  # the last try of an outage costs one request, like the first
        try:
            return self._exchange(who, budget)
        except CognitoCredentialsError as error:
            return self._failed(who, held, error)

    def _is_settled(self, who: Who) -> bool:
        """Whether the holder of the lock has written credentials, or the news that it failed."""
        held = self._look(who)
        if held is not None and held.is_fresh(self._clock):
            return True
        return self._clock.wall() < self._records.state(who.credentials_key).retry_at

    @contextlib.contextmanager
    def _locked(self, who: Who, is_settled: Callable[[], bool]) -> Iterator[None]:
        """Hold the lock of *who*, unless what it is for is settled first, or its holder hangs."""
        lock = self._records.lock(who.identity_key)
        give_up_at = self._clock.elapsed() + policy.WAITER_BUDGET
        pause = 0.005
        try:
            while not lock.acquire() and not is_settled():
                if self._clock.elapsed() > give_up_at:
                    # A stopped process must not stop this one: at worst there is one call too many.
                    _log.warning("the lock %s… is held for too long; going on without", who.identity_key[:8])
                    break
                self._clock.sleep(pause * self._rng.uniform(0.5, 1.5))
                pause = min(pause * 1.5, 0.1)
            yield
        finally:
            lock.release()

    def _look(self, who: Who) -> Held | None:
        """Take what another process may have written, where it is better than what is held."""
        held = self._held
        record = self._records.credentials(who.credentials_key)
        rejected = self._rejected or self._records.state(who.credentials_key).rejected_access_key_id
        if record is not None and (held is None or record.issued_at > held.record.issued_at):
            is_rejected = record.credentials.access_key_id == rejected
            held = Held(record, self._clock, is_rejected=is_rejected)
            self._held, self._held_for = held, self._subject(who)
        return held

    @staticmethod
    def _subject(who: Who) -> str:
        """Whom credentials are for; where keys change with every token, by what the tokens say."""
        told = None if who.is_lasting or who.logins is None else who.logins.subject
        return told or who.credentials_key

    def _exchange(self, who: Who, budget: float) -> Held:
        record = self._exchanger.exchange(who, budget, self._rng)
        self._records.keep(record)
        self._records.drop_state(who.credentials_key)
        self._records.tidy(who.identity_key, who.credentials_key)
        self._failure = None
        self._held, self._held_for = Held(record, self._clock), self._subject(who)
        self._warn_of_skew(record)
        _log.debug("refreshed %s…, expires in %d s", who.credentials_key[:8], self._held.left(self._clock))
        return self._held

    def _failed(self, who: Who | None, held: Held | None, error: CognitoCredentialsError) -> Held:
        """Remember the failure, here and for the other processes; then make the best of what is held."""
        now = self._clock.wall()
        left = held.left(self._clock) if held is not None else None
        state = StateRecord(key="") if who is None else self._records.state(who.credentials_key)
        state.failures += 1
        throttled = error.code in policy.THROTTLING_CODES
        failures = state.failures if error.retryable else 1  # a person mends the rest, and then tries again
        delay = policy.retry_delay(left, failures, self._rng, throttled=throttled)
        self._failure = (self._clock.elapsed() + delay, error)
        if who is not None:
            # In whole seconds: never past the end of what is held, and never at once for who holds nothing.
            is_empty_handed = left is None or left <= 0
            state.retry_at, state.noted_at = int(now + delay) + is_empty_handed, int(now)
            state.error, state.message, state.hint = type(error).__name__, error.message, error.hint
            self._records.keep(state)
        return self._fall_back(held, error)

    def _fall_back(self, held: Held | None, error: CognitoCredentialsError) -> Held:
        if held is None:
            raise error
        if not held.is_valid(self._clock):
            raise self._expired(held, error)
        self._notices.warn(
            "refresh",
            "credentials could not be refreshed and are used until %s: %s",
            held.record.credentials.expiration,
            error,
        )
        return held

    def _expired(self, held: Held, error: CognitoCredentialsError) -> CognitoCredentialsError:
        if not error.retryable:
            return error
        expiration = iso(held.record.credentials.expires_at)
        return CredentialsExpiredError(
            f"credentials expired at {expiration} and could not be refreshed: {error.message}",
            hint=error.hint,
            code=error.code,
        )

    def _warn_of_skew(self, record: CredentialsRecord) -> None:
        offset = record.seen.offset
        if abs(offset) > SIGNATURE_TOLERANCE_SECONDS:
            self._notices.warn(
                "clock",
                "this machine's clock is %s %s the service's; AWS refuses what it signs until it is set",
                span(abs(offset)),
                "behind" if offset > 0 else "ahead of",
            )
