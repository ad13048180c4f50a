"""
The refresh policy: what happens between a request for credentials and its answer.

`Refresher.credentials` is the way in. A request stops at the first step that has an answer:

    1. memory     `credentials`        Fresh credentials of this process are returned at once.
    2. thread     `credentials`        Of several threads one goes on. The others get the credentials that are
                                       held. In their last minute, after a rejection, and without any, they
                                       wait.
    3. failure    `_renew`             After a failure of this process it asks nobody for a while, and looks
                                       at the disk once a second (`_look_elsewhere`). A new login is tried at
                                       once.
    4. disk       `_renew`             Another process may have written fresher credentials, or what the
                                       service said to it, for which all processes back off (`backoff.py`).
    5. lock       `_renew_in_turn`     Of several processes one goes on. The others return what they hold, or
                                       wait and look at the disk meanwhile, as in step 2.
    6. exchange   `_renew_with_lock`   The disk is looked at again, since it may have changed during the wait.
                                       Then the service is asked (`exchanger.py`).

    In a back-off the answer is the credentials that are held, if they are valid, or else the failure.

So 200 processes make one refresh. The locks save calls; correctness does not depend on them.

All objects of one user share steps 1 to 3 in a process, also those that are made anew with every request of
a back end: what is held, the turn, and the failures are in the user's `Memory` (`held.py`, `memories.py`). A
`Refresher` is one object's own: its logins, and whether it has noticed which identity the user has now.

A failure never takes away valid credentials, whatever the service or the login said: they are returned until
they expire, and never after (`_fall_back`). A program reports credentials that a service rejected to
`invalidate`. Who is signed in may change at any time: `owners.py` notices it before step 1.

When nothing can be written to the store (a read-only directory, a full disk), step 4 still reads what is
there, and step 5 stops nobody. Each process keeps what it gets, and a rejection, in its memory only: see
`cache/__init__.py`.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..awaiting import lent, one_operation
from ..cache.waiting import holding
from ..credentials import iso
from ..errors import CacheError, CognitoCredentialsError, ServiceError
from . import policy
from .backoff import is_over_budget
from .policy import Freshness

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence

    from ..awaiting import Caller
    from ..budget.counts import Counts
    from ..cache.records import CredentialsRecord, Records, StateRecord
    from ..clock import Clock
    from ..secret import Secret
    from .exchanger import Exchanger
    from .held import Held, Memory
    from .identities import Identities, Principal
    from .owners import OwnerWatch

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Known(NamedTuple):
    """What is known without asking the network or a login token."""

    principal: Principal | None
    """None when only a token can tell."""
    identity_id: str | None
    credentials: CredentialsRecord | None
    """Of this process, or else of the store; valid or not."""
    state: StateRecord | None
    """The back-off that all processes share."""


class Forgotten(NamedTuple):
    """What `Refresher.forget` removed."""

    had_credentials: bool = False
    had_identity: bool = False
    identity_id: str | None = None
    """The identity that is forgotten, where one was known."""


class Refresher:
    """
    Keeps the credentials and the identity of one pool's user, for one object of that user.

    Args:
        memory: What this process holds of the user, for all objects.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_counts",
        "_exchanger",
        "_identities",
        "_memory",
        "_owners",
        "_records",
        "_rng",
        "_seen",
        "callers",
        "identity_changes",
    )

    def __init__(
        self,
        exchanger: Exchanger,
        identities: Identities,
        records: Records,
        owners: OwnerWatch,
        memory: Memory,
        clock: Clock,
        rng: random.Random,
        counts: Counts | None = None,
    ) -> None:
        self._counts = counts  # of the hosts that share a Redis; None where there is none
        self._exchanger = exchanger
        self._identities = identities
        self._records = records
        self._owners = owners
        self._clock = clock
        self._rng = rng
        self._memory = memory
        self._seen: Held | None = None  # the credentials whose identity this object has noticed
        self.callers: Sequence[Caller] = ()
        """The event loops of the app, where it has any: async login functions run there for all threads."""
        self.identity_changes = identities.changes
        """Changes of identity that are not announced yet; the pool announces them and takes them out."""

    @property
    def held(self) -> Held | None:
        """The credentials in this process's memory, valid or not."""
        return self._memory.held

    def credentials(self) -> CredentialsRecord:
        """
        Return credentials that are valid now, refreshing them when that is due.

        Raises:
            CognitoCredentialsError: No valid credentials are held, and the service gave none.
        """
        held = None if self._owners.poll() else self._memory.held
        if held is not None and held.is_fresh(self._clock):
            if self._counts is not None:
                self._counts.hits += 1
            if held is not self._seen:
                self._notice(held)
            return held.record
        with one_operation(), lent(self.callers):
            return self._credentials_in_turn(held)

    def _credentials_in_turn(self, held: Held | None) -> CredentialsRecord:
        """Step 2: one thread goes on."""
        is_stale = held is not None and held.freshness(self._clock) is Freshness.STALE
        # After a failure, and while another thread refreshes, a thread looks once a second.
        if held is not None and is_stale and self._clock.elapsed() < self._memory.look_again_at:
            return held.record
        # Nobody waits for the thread that refreshes what is only stale.
        with self._memory.flight.turn(0 if is_stale else self._exchanger.longest_wait) as is_mine:
            if is_mine:
                return self._renew().record
            if held is not None and (is_stale or held.is_valid(self._clock)):
                self._memory.look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
                return held.record
            raise _too_late()

    def at_once(self, least: float = policy.MANDATORY_WINDOW) -> tuple[CredentialsRecord | None, bool]:
        """
        Look what `credentials` would return without a wait. Nothing is read or asked for.

        Args:
            least: Seconds that credentials must be valid for; with less, a caller has to wait.

        Returns:
            The credentials, or None where a caller has to wait: for new ones, or for `look_at_owners`. And
            whether `credentials` has anything to do, which somebody should call then.
        """
        held = None if self._owners.is_due else self._memory.held
        if held is not None and held.is_fresh(self._clock):
            if self._counts is not None:
                self._counts.hits += 1
            if held is not self._seen:
                self._notice(held)
            return held.record, bool(self.identity_changes)
        if held is not None and held.is_good(self._clock) and held.seconds_left(self._clock) > least:
            return held.record, self._clock.elapsed() >= self._memory.look_again_at
        return None, True

    def _look(self, principal: Principal) -> Held | None:
        """Look at the store; return the newest credentials."""
        held = self._memory.look(principal)
        if held is not None and held is not self._seen:
            self._notice(held, principal)
        return held

    def _notice(self, held: Held, principal: Principal | None = None) -> None:
        """Note which identity the user has now, where another object or process got the credentials."""
        before, self._seen = self._seen, held
        is_same_user = before is not None and before.record.key == held.record.key
        last = before.record.identity_id if before is not None and is_same_user else None
        if principal is None and last in (None, held.record.identity_id):
            return
        principal = principal or self._exchanger.identify_offline()
        if principal is not None:
            self._identities.adopt_from_others(principal, held.record.identity_id, last)

    def is_waited_for(self, callers: Sequence[Caller]) -> bool:
        """Tell whether a login of *callers* is asked, on which the thread waits that refreshes."""
        return self._memory.flight.is_waited_for(callers)

    def look_at_owners(self) -> None:
        """Look whether somebody else has signed in, unless that was looked at within the last second."""
        self._owners.poll()

    def refresh(self) -> CredentialsRecord:
        """
        Get new credentials now, whatever is held and whatever failed before.

        Raises:
            CognitoCredentialsError: The service gave none; what was held is still held.
        """
        with self._alone():
            self._accept_owners()
            return self._exchange_now(self._exchanger.identify()).record

    def invalidate(self, access_key_id: str) -> None:
        """
        Note that a service rejected the credentials with *access_key_id*, if they are the ones that are held.

        The next request waits for new ones, unless a back-off forbids that. If none can be had, the rejected
        ones are returned as long as they are valid, unless the user must sign in (`Held.is_over`). The
        rejection is also written to the store. A process that reads these credentials there replaces them
        first (`Memory.look`, and `cli/fast.py`). A process that holds them already uses them until its own
        `invalidate` is called, or until its own refresh is due.
        """
        self._memory.reject(access_key_id)

    def _renew(self) -> Held:
        """Steps 3 and 4: failures and the disk. This thread is alone, and has looked at the memory."""
        self._accept_owners()
        held = self._memory.held
        if held is not None and held.is_fresh(self._clock):
            return held  # another thread was here first
        has_ended = held is not None and held.freshness(self._clock) is Freshness.EXPIRED
        failure = self._memory.backoff.local(self._exchanger.inputs, self, has_ended=has_ended)
        if failure is not None:
            return self._look_elsewhere(held, failure)
        inputs = self._exchanger.inputs()
        try:
            principal = self._identify_in_turn(held)
        except CognitoCredentialsError as error:
            return self._failed(None, held, error, inputs)
        held = self._look(principal)
        found = held.describe(self._clock) if held else "none"
        _log.debug("in the cache, %s…: %s", principal.credentials_key[:8], found)
        if held is not None and held.is_fresh(self._clock):
            return self._adopted(held)
        failure = self._memory.backoff.shared(principal)
        if failure is not None:
            _log.debug("backing off: the last try failed, and the next is not yet due")
            self._memory.look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
            return self._fall_back(held, failure)
        return self._renew_in_turn(principal, held)

    def _identify_in_turn(self, held: Held | None) -> Principal:
        """Find out which principal asks; with valid credentials, no token is asked for before the lock."""
        last = self._exchanger.last_principal
        if held is not None and held.freshness(self._clock) is Freshness.STALE and last is not None:
            return self._exchanger.identify_offline() or last
        return self._exchanger.identify()

    def _look_elsewhere(self, held: Held | None, failure: CognitoCredentialsError) -> Held:
        """After a failure of this process: see once a second whether another process had more success."""
        principal = None
        if self._clock.elapsed() >= self._memory.look_again_at:
            self._memory.look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
            principal = self.principal()
        found = held if principal is None else self._look(principal)
        if found is not None and found.is_fresh(self._clock):
            self._memory.backoff.end_local()
            return found
        return self._fall_back(found, failure)

    def _renew_in_turn(self, principal: Principal, held: Held | None) -> Held:
        """Step 5: one process of the machine refreshes."""
        if held is None or held.freshness(self._clock) is not Freshness.STALE:
            with self._machine_lock(principal, lambda: self._is_settled(principal)):
                return self._renew_with_lock(principal, policy.HOLDER_BUDGET)
        lock = self._records.lock(principal.identity_key)
        if not lock.acquire():
            self._memory.look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
            return held
        try:
            if principal.logins is not None:
                principal = self._exchanger.identify()  # it is our turn: now a token may be asked for
        except CognitoCredentialsError as error:
            return self._failed(None, held, error, principal.inputs)
        else:
            return self._renew_with_lock(principal, policy.ADVISORY_BUDGET)
        finally:
            lock.release()

    def _renew_with_lock(self, principal: Principal, budget: float) -> Held:
        """Step 6: the disk once more, then the service."""
        held = self._look(principal)
        if held is not None and held.is_fresh(self._clock):
            return self._adopted(held)
        failure = self._memory.backoff.shared(principal)
        if failure is not None:
            return self._fall_back(held, failure)
        is_last_try = self._memory.backoff.last_failed(principal.credentials_key)
        if is_last_try and held is not None and held.is_valid(self._clock):
            budget = policy.ADVISORY_BUDGET  # the last try of an outage costs one request, like the first
        try:
            return self._exchange(principal, budget)
        except CognitoCredentialsError as error:
            return self._failed(principal, held, error, principal.inputs)

    def _adopted(self, held: Held) -> Held:
        if self._counts is not None:
            self._counts.adopted += 1
        return held

    def _is_settled(self, principal: Principal) -> bool:
        """Tell whether the holder of the lock has written credentials, or that it failed."""
        held = self._look(principal)
        if held is not None and held.is_fresh(self._clock):
            return True
        return self._memory.backoff.shared(principal) is not None

    def _exchange_now(self, principal: Principal) -> Held:
        with self._machine_lock(principal):
            return self._exchange(principal, policy.HOLDER_BUDGET)

    def _exchange(self, principal: Principal, budget: float) -> Held:
        record = self._exchanger.new_credentials(principal, budget, self._rng)
        if self._counts is not None:
            self._counts.exchanged += 1
        if self._identities.may_share(principal, record.identity_id):
            self._records.keep(record)
        self._memory.backoff.succeeded(principal.credentials_key)
        self._records.tidy(principal.identity_key, principal.credentials_key)
        held = self._seen = self._memory.put(record, principal)
        self._memory.warnings.check_clock(record.seen.offset)
        left = held.seconds_left(self._clock)
        _log.debug("refreshed %s…, expires in %d s", principal.credentials_key[:8], left)
        return held

    def _failed(
        self,
        principal: Principal | None,
        held: Held | None,
        error: CognitoCredentialsError,
        inputs: tuple[str | None, ...],
    ) -> Held:
        """Begin a back-off; return what is held, if it is valid."""
        if self._counts is not None and not is_over_budget(error):
            self._counts.failed += 1
        left = None if held is None or held.is_over(error) else held.seconds_left(self._clock)
        self._memory.backoff.failed(principal, left, error, inputs, self)
        # A refusal may be told to no other object (`backoff.py`), and each request may bring another one.
        self._memory.look_again_at = self._clock.elapsed() + policy.RECHECK_SECONDS
        return self._fall_back(held, error)

    def _fall_back(self, held: Held | None, error: CognitoCredentialsError) -> Held:
        """Return what is held, if it is valid and a sign-in is not the only way on; else raise *error*."""
        if held is None or held.is_over(error):
            raise error
        if not held.is_valid(self._clock):
            raise held.expired_error(error)
        if is_over_budget(error) and held.freshness(self._clock) is Freshness.STALE:
            return held  # others go first; there is time
        self._memory.warnings.give(
            "refresh",
            "credentials could not be refreshed and are used until %s: %s",
            iso(held.record.credentials.expires_at),
            error,
        )
        return held

    def identity_id(self) -> str:
        """
        Return the identity id; the service is asked only when it is not known here.

        Raises:
            CognitoCredentialsError: It is not known, and the service did not give one.
        """
        offline = self._exchanger.identify_offline()
        if offline is not None and not self._memory.is_of_another(offline):
            known = self._identities.known(offline)
            if known is not None:
                return known
        with self._alone():
            principal = self._exchanger.identify()
            # The identity that is returned and the credentials that are handed out are of one person.
            if self._memory.is_of_another(principal):
                self._memory.held = None
            return self._identity_of(principal)

    def open_id_token(self) -> Secret:
        """
        Get an OpenID token of the identity (GetOpenIdToken).

        Raises:
            CognitoCredentialsError: The service did not give one.
        """
        with self._alone():
            principal = self._exchanger.identify()
            self._identity_of(principal)  # first, and with the lock: two processes must not become two guests
            return self._exchanger.open_id_token(principal)

    def remembered_identity(self) -> str | None:
        """
        Return the identity id if it is known here. Login tokens may be asked for; the service is not.

        Raises:
            LoginRequiredError: Only a login token names the principal, and no source gives one.
        """
        return self._identities.known(self._exchanger.identify())

    def _identity_of(self, principal: Principal) -> str:
        """Return the identity id; of several processes one asks, and all back off when that fails."""
        identities, backoff = self._identities, self._memory.backoff

        def is_settled() -> bool:
            is_known = identities.known(principal) is not None
            return is_known or backoff.shared(principal) is not None

        known = identities.known(principal)
        if known is not None:
            return known
        with self._machine_lock(principal, is_settled):
            known, failure = identities.known(principal), backoff.shared(principal)
            if known is not None:
                return known
            if failure is not None:
                raise failure
            try:
                return self._exchanger.new_identity(principal)
            except CognitoCredentialsError as error:
                backoff.failed(principal, None, error, principal.inputs, self)
                raise

    def link(self, identity_id: str) -> None:
        """
        Make *identity_id* that of this user: ask for its credentials with the user's logins.

        The service links the logins to it. If they have an identity already, it answers with that one, which
        is adopted.

        Raises:
            CognitoCredentialsError: The service did not do it; nothing has changed.
        """
        with self._alone():
            self._accept_owners()
            principal = self._exchanger.identify()
            self._identities.propose(principal, identity_id)
            try:
                self._exchange_now(principal)
            except BaseException:
                # Also on Ctrl-C: an identity that the service has not linked must not stay this user's.
                self._identities.withdraw(principal)
                raise

    def hand_over(self, link: Callable[[], None]) -> None:
        """
        Run *link*, which makes this guest's identity a user's, and forget everything of the guest.

        No process refreshes the guest meanwhile: that would write its records once more. If *link* raises,
        the guest stays as it was.
        """
        guest = self._exchanger.identify()  # asks for no token: a guest has none
        with self._machine_lock(guest):
            link()
            self._memory.drop()  # other objects of this guest have it, too
            self._remove_what_nobody_uses(guest, identity=True)

    def unlink(self, provider: str) -> None:
        """
        Take the login of *provider* off the identity, and forget credentials and identity.

        Raises:
            CognitoCredentialsError: The service did not do it.
        """
        principal = self._exchanger.identify()
        self._exchanger.unlink(principal, provider)
        self.forget(principal, identity=True)

    def switch_user(self, sign_in: Callable[[], T]) -> T:
        """
        Run *sign_in*, by which a person signs in, and forget the credentials of the user before.

        A back-off is forgotten, too: its failure may have been that nobody was signed in.
        """
        with one_operation():
            before = self._exchanger.identify_offline()
            result = sign_in()
        self.forget(None, identity=False)
        now = self._exchanger.identify_offline()
        if before is not None and (now is None or now.credentials_key != before.credentials_key):
            # From here on nothing leads to these records any more: neither a use nor a `clear`.
            with self._machine_lock(before):
                self._remove_what_nobody_uses(before, identity=False)
        if now is not None:
            self._records.drop_state(now.credentials_key)
        return result

    def forget(self, principal: Principal | None, *, identity: bool) -> Forgotten:
        """
        Forget credentials and failures, in this process and in the store.

        Args:
            principal: Of `principal`, from before a sign-out; None to forget only what this process holds.
            identity: Whether the identity is forgotten, too.

        Raises:
            ServiceError: Another thread is still refreshing; the records in the store are removed.
            CacheError: Something in the store could not be removed; all else is forgotten.
        """
        with self._memory.flight.turn(self._exchanger.longest_wait) as is_alone:
            try:
                removed = Forgotten()
                if principal is not None:
                    with self._machine_lock(principal):
                        removed = self._remove(principal, identity=identity)
                if not is_alone:
                    raise _too_late()
                return removed
            finally:
                if is_alone:
                    self._memory.drop()

    def principal(self) -> Principal | None:
        """Return who asks, as far as that is known without asking for a token; else who asked last."""
        return self._exchanger.identify_offline() or self._exchanger.last_principal

    def known(self) -> Known:
        """Return what is known offline, for `status`."""
        principal = self.principal()
        held = self._memory.held
        record = None if held is None or self._owners.has_changed() else held.record
        if principal is None:
            return Known(None, None, record, None)
        if record is None:
            record = self._records.credentials(principal.credentials_key)
        state = self._records.state(principal.credentials_key)
        return Known(principal, self._identities.known(principal), record, state)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads of this process from refreshing meanwhile."""
        with (
            one_operation(),
            lent(self.callers),
            self._memory.flight.turn(self._exchanger.longest_wait) as is_mine,
        ):
            if not is_mine:
                raise _too_late()
            yield

    def _machine_lock(
        self, principal: Principal, is_settled: Callable[[], bool] | None = None
    ) -> contextlib.AbstractContextManager[None]:
        """Keep other processes from refreshing for *principal* meanwhile; see `holding`."""
        lock = self._records.lock(principal.identity_key)
        return holding(lock, self._exchanger.longest_wait, self._clock, self._rng, is_settled=is_settled)

    def _remove(self, principal: Principal, *, identity: bool) -> Forgotten:
        identity_id = self._identities.known(principal)
        try:
            had_credentials = self._records.drop_credentials(principal.credentials_key)
        finally:
            had_identity = identity and self._identities.forget(principal)
        return Forgotten(had_credentials, had_identity, identity_id if had_identity else None)

    def _remove_what_nobody_uses(self, principal: Principal, *, identity: bool) -> None:
        """Remove the records of a user who has given way to another; what cannot be removed is no failure."""
        try:
            self._remove(principal, identity=identity)
        except CacheError as error:
            _log.warning("%s", error)

    def _accept_owners(self) -> None:
        """Before it is found out who asks: drop the credentials of a person who is not signed in any more."""
        if self._owners.accept():
            self._memory.drop()


def _too_late() -> ServiceError:
    return ServiceError("another thread is still waiting for the service", topic="E-NETWORK")
