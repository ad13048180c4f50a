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

from ..cache.waiting import SingleFlight, holding
from ..errors import CognitoCredentialsError, ServiceError
from . import policy
from .backoff import Backoff
from .held import Held, Warnings
from .policy import Freshness

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from ..cache.record import CredentialsRecord
    from ..cache.records import Records
    from ..clock import Clock
    from .exchanger import Exchanger
    from .identities import Who
    from .owners import OwnerWatch

_log = logging.getLogger(__name__)


class Refresher:
    """
    Keeps the credentials of one identity pool as good as they can be.

    Args:
        exchanger: Finds out who, and gets new credentials.
        records: What is remembered between processes.
        owners: Tells when the logins have become somebody else's.
        clock: This machine's clocks.
        rng: Where jitter comes from.
    """

    def __init__(
        self, exchanger: Exchanger, records: Records, owners: OwnerWatch, clock: Clock, rng: random.Random
    ) -> None:
        self._exchanger = exchanger
        self._records = records
        self._owners = owners
        self._clock = clock
        self._rng = rng
        self._flight = SingleFlight()
        self._held: Held | None = None
        self._held_for = ""
        self._rejected = ""
        self.backoff = Backoff(records, clock, rng)
        self._look_again_at = 0.0
        self._warnings = Warnings(_log, clock)

    def credentials(self) -> CredentialsRecord:
        """
        Return credentials that are valid now, refreshing them when it is time.

        Raises:
            CognitoCredentialsError: There are none, and none can be had.
        """
        held = None if self._owners.poll() else self._held
        if held is not None and held.is_fresh(self._clock):
            return held.record
        if held is not None and held.freshness(self._clock) is Freshness.STALE:
            # Advisory: one thread refreshes, at most every second one looks; nobody waits.
            if self._clock.elapsed() < self._look_again_at or not self._flight.enter(0):
                return held.record
        elif not self._flight.enter(self._exchanger.patience):
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
            self._settle_owners()
            who = who or self._exchanger.identify()
            with self.locked(who, lambda: False):
                return self._exchange(who, policy.HOLDER_BUDGET).record

    def clear(self, who: Who, *, identities: bool) -> int:
        """
        Remove what is kept of *who*; returns how many records that were.

        Args:
            who: Whose.
            identities: Whether the identity, too.
        """
        with self.alone(), self.locked(who, lambda: False):
            self._drop()
            removed = int(self._records.store.delete("credentials", who.credentials_key))
            self._records.drop_state(who.credentials_key)
            return removed + int(identities and self._exchanger.identities.forget(who))

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
            self._drop()

    def locked(self, who: Who, is_settled: Callable[[], bool]) -> contextlib.AbstractContextManager[None]:
        """Hold the machine's lock of *who*, unless what it is for is settled first."""
        lock = self._records.lock(who.identity_key)
        return holding(lock, self._exchanger.patience, self._clock, self._rng, is_settled=is_settled)

    def _drop(self) -> None:
        self._held, self._rejected, self._look_again_at = None, "", 0.0
        self.backoff.end_local()

    def _settle_owners(self) -> None:
        """Before it is found out who asks: what is held must not outlast its owner."""
        if self._owners.accept():
            self._drop()

    def drop_if_of_another(self, who: Who) -> None:
        """Drop what is held when it is somebody else's; call it `alone`."""
        if self.is_of_another(who):
            self._held = None

    def held(self) -> CredentialsRecord | None:
        """Return what this process holds, valid or not, and for whoever it is now."""
        return None if self._held is None or self._owners.has_changed() else self._held.record

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other threads from refreshing meanwhile."""
        if not self._flight.enter(self._exchanger.patience):
            raise ServiceError("another thread is still waiting for the service")
        try:
            yield
        finally:
            self._flight.leave()

    def _renew(self) -> Held:
        """Memory has been looked at, and this thread is alone: disk, back-off, other processes, exchange."""
        self._settle_owners()
        held = self._held
        if held is not None and held.is_fresh(self._clock):
            return held  # another thread was here first
        failure = self.backoff.local()
        if failure is not None:
            return self._look_elsewhere(held, failure)
        try:
            who = self._who(held)
        except CognitoCredentialsError as error:
            return self._failed(None, held, error)
        held = self._look(who)
        _log.debug(
            "in the cache, %s…: %s", who.credentials_key[:8], held.describe(self._clock) if held else "none"
        )
        if held is not None and held.is_fresh(self._clock):
            return held
        failure = self.backoff.shared(who.credentials_key)
        if failure is not None:
            _log.debug("backing off: the last try failed, and the next is not yet due")
            self._look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
            return self._fall_back(held, failure)
        return self._renew_together(who, held)

    def _who(self, held: Held | None) -> Who:
        """Find out who it is; where that takes a token, not before it is this process's turn to refresh."""
        last = self._exchanger.last_known
        if held is not None and held.freshness(self._clock) is Freshness.STALE and last is not None:
            return self._exchanger.identify_offline() or last
        return self._exchanger.identify()

    def _look_elsewhere(self, held: Held | None, failure: CognitoCredentialsError) -> Held:
        """After a failure: see, once a second, whether another process has fared better."""
        who = None
        if self._clock.elapsed() >= self._look_again_at:
            self._look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
            who = self._exchanger.identify_offline() or self._exchanger.last_known
        found = held if who is None else self._look(who)
        if found is not None and found.is_fresh(self._clock):
            self.backoff.end_local()
            return found
        return self._fall_back(found, failure)

    def is_of_another(self, who: Who) -> bool:
        """Tell whether what is held is somebody else's."""
        held = self._held
        is_kept_elsewhere = held is not None and held.record.key != who.credentials_key
        return is_kept_elsewhere and who.bearer != self._held_for

    def _renew_together(self, who: Who, held: Held | None) -> Held:
        """Let one process of the machine do it."""
        if held is None or held.freshness(self._clock) is not Freshness.STALE:
            with self.locked(who, lambda: self._is_settled(who)):
                return self._renew_locked(who, policy.HOLDER_BUDGET)
        lock = self._records.lock(who.identity_key)
        if not lock.acquire():
            self._look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
            return held
        try:
            if who.logins is not None:
                who = self._exchanger.identify()  # it is our turn: now a token may be asked for
        except CognitoCredentialsError as error:
            return self._failed(None, held, error)
        else:
            return self._renew_locked(who, policy.ADVISORY_BUDGET)
        finally:
            lock.release()

    def _renew_locked(self, who: Who, budget: float) -> Held:
        held = self._look(who)
        if held is not None and held.is_fresh(self._clock):
            return held
        failure = self.backoff.shared(who.credentials_key)
        if failure is not None:
            return self._fall_back(held, failure)
        is_last_try = self.backoff.last_failed(who.credentials_key)
        if is_last_try and held is not None and held.is_valid(self._clock):
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
        return self.backoff.shared(who.credentials_key) is not None

    def _look(self, who: Who) -> Held | None:
        """Take what another process may have written, where it is better than what is held."""
        self.drop_if_of_another(who)
        held = self._held
        record = self._records.credentials(who.credentials_key)
        rejected = self._rejected or self._records.state(who.credentials_key).rejected_access_key_id
        if record is not None and (held is None or record.issued_at > held.record.issued_at):
            is_rejected = record.credentials.access_key_id == rejected
            held = Held(record, self._clock, is_rejected=is_rejected)
            self._held, self._held_for = held, who.bearer
            self._exchanger.identities.notice(who, record.identity_id)
        return held

    def _exchange(self, who: Who, budget: float) -> Held:
        record = self._exchanger.exchange(who, budget, self._rng)
        self._records.keep(record)
        self.backoff.succeeded(who.credentials_key)
        self._records.tidy(who.identity_key, who.credentials_key)
        self._held, self._held_for = Held(record, self._clock), who.bearer
        self._warnings.check_clock(record.seen.offset)
        _log.debug(
            "refreshed %s…, expires in %d s", who.credentials_key[:8], self._held.seconds_left(self._clock)
        )
        return self._held

    def _failed(self, who: Who | None, held: Held | None, error: CognitoCredentialsError) -> Held:
        """Remember the failure; then make the best of what is held."""
        left = None if held is None else held.seconds_left(self._clock)
        self.backoff.failed(None if who is None else who.credentials_key, left, error)
        return self._fall_back(held, error)

    def _fall_back(self, held: Held | None, error: CognitoCredentialsError) -> Held:
        if held is None:
            raise error
        if not held.is_valid(self._clock):
            raise held.expired_error(error)
        self._warnings.give(
            "refresh",
            "credentials could not be refreshed and are used until %s: %s",
            held.record.credentials.expiration,
            error,
        )
        return held
