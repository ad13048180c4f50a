"""
Back-off: after a failure, nobody asks the service again before a certain moment.

There are two: one in this process's memory of one user, for every kind of failure; and one in the store,
shared by all pools and processes that want credentials under the same key. Only what the service said is
shared. A proxy, a CA bundle, a login source or a package that does not work is a matter of one process.

What was refused for one input, such as a login token, is not told to another one: a new input is tried at
once. Where only asking tells what a login gives, such as a function of the program, a refusal is told to the
object that was refused, and to no other object of the same user.

Where the key is itself made of the token, a refusal stays in memory: only the same token meets that key
again, and strangers who send made-up tokens would leave a record with each.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from weakref import ref

from ..budget import OVER_BUDGET
from ..cache.records import remembered_error, with_topic
from ..digest import digest
from . import policy

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from ..cache.records import Records
    from ..clock import Clock
    from ..errors import CognitoCredentialsError
    from .identities import Principal

    Inputs = tuple[str | None, ...]
    """Of `Logins.inputs`."""

_log = logging.getLogger(__name__)


class Backoff:
    """Remembers failures, and until when the service is left alone."""

    __slots__ = (
        "_by",
        "_clock",
        "_failures",
        "_inputs",
        "_is_while_valid",
        "_local",
        "_records",
        "_rng",
        "_told_until",
    )

    def __init__(self, records: Records, clock: Clock, rng: random.Random) -> None:
        self._records = records
        self._clock = clock
        self._rng = rng
        self._local: tuple[float, CognitoCredentialsError] | None = None  # until when, by `Clock.elapsed`
        self._is_while_valid = False  # whether credentials were valid when the local back-off was chosen
        self._told_until = 0.0  # the same, of the later of both back-offs and of the service's own wish
        self._inputs: Inputs = ()
        self._by: ref[object] | None = None
        """Who failed. An object has the login functions of one request, which must go with it."""
        self._failures = 0  # in a row, of this user

    def local(
        self, inputs: Callable[[], Inputs], by: object = None, *, has_ended: bool = False
    ) -> CognitoCredentialsError | None:
        """
        Return the failure because of which this process does not ask yet; None when it may ask.

        Args:
            inputs: Names what the logins would send now; called only in a back-off.
            by: Which object of the user wants to ask; None for the one that failed.
            has_ended: Whether the credentials that are held have expired.
        """
        if self._local is None or self._clock.elapsed() >= self._local[0]:
            return None
        if has_ended and self._is_while_valid:
            # Chosen to end before the credentials do. A wall clock that was set has made them expire earlier.
            self._local = None
            return None
        error = self._local[1]
        if inputs() != self._inputs or not self._is_told(by, error):
            self.end_local()
            return None
        error = error.anew()
        self._tell(error)
        return error

    def _is_told(self, by: object, error: CognitoCredentialsError) -> bool:
        """Tell whether *error* concerns the object *by*, whose known inputs are the same."""
        if by is None or error.retryable or None not in self._inputs:
            return True
        return self._by is not None and self._by() is by

    def shared(self, principal: Principal) -> CognitoCredentialsError | None:
        """Return the failure because of which nobody asks yet for *principal*; None when anybody may."""
        if not principal.is_lasting:
            refused = self.local(lambda: principal.inputs)
            if refused is not None and refused.is_answer:
                return refused
        now = self._clock.wall()
        state = self._records.state(principal.credentials_key)
        if now >= state.retry_at or state.input not in ("", _digest(principal.inputs)):
            return None
        return remembered_error(state, now)

    def last_failed(self, key: str) -> bool:
        """Tell whether the last attempt for *key*, by any pool or process, failed."""
        return self._failures > 0 or self._records.state(key).failures > 0

    def failed(
        self,
        principal: Principal | None,
        seconds_left: float | None,
        error: CognitoCredentialsError,
        inputs: Inputs,
        by: object = None,
    ) -> None:
        """
        Begin a back-off, unless the failure concerns this caller alone.

        Args:
            principal: Who asked; None when the failure came before that was known.
            seconds_left: How long the credentials that are held are still valid; None when none are held.
            error: The failure. It is what is raised or shown until the back-off ends.
            inputs: What the logins would have sent before the attempt.
            by: Which object of the user asked.
        """
        if error.is_of_caller:
            return
        self._by = None if by is None else ref(by)
        self._is_while_valid = seconds_left is not None and seconds_left > 0
        if is_over_budget(error):
            self._put_off(seconds_left, error, inputs)
            return
        now = self._clock.wall()
        self._failures += 1
        failures = self._failures
        concerned = _concerned(principal, error, inputs)
        state = None
        if principal is not None and concerned is not None:
            state = self._records.state(principal.credentials_key)
            state.failures += 1
            failures = max(failures, state.failures)
        # An error that is not retryable is mended by a person, who then tries again and must not wait long.
        delay = policy.retry_delay(
            seconds_left, failures if error.retryable else 1, self._rng, throttled=error.throttled
        )
        # Each call until the back-off ends raises the error, which would keep the frames of all.
        self._local, self._inputs = (self._clock.elapsed() + delay, error.anew()), inputs
        wait = max(delay, error.retry_after or 0)
        _log.debug("failed (%s, %d in a row): no other try for %d s", error.code, failures, delay)
        if state is not None and concerned is not None:
            # The record has whole seconds. Rounded down, the back-off does not outlast valid credentials;
            # with none, it is rounded up, or it could end in the second in which it begins.
            has_none = seconds_left is None or seconds_left <= 0
            state.retry_at, state.noted_at = int(now + delay) + has_none, int(now)
            state.error, state.message, state.hint = type(error).__name__, error.message, with_topic(error)
            state.input = concerned
            self._records.keep(state)
            wait = max(wait, state.retry_at - now)
        self._told_until = self._clock.elapsed() + wait
        self._tell(error)

    def _put_off(self, seconds_left: float | None, error: CognitoCredentialsError, inputs: Inputs) -> None:
        """Wait for the fleet's budget. Nothing has failed, so no failure is counted or shared."""
        wait = error.retry_after or 0.0
        delay = policy.turn_delay(wait, seconds_left, self._rng)
        self._local, self._inputs = (self._clock.elapsed() + delay, error.anew()), inputs
        self._told_until = self._clock.elapsed() + max(wait, delay)
        _log.debug("no turn in the budget: no other try for %d s", delay)
        self._tell(error)

    def _tell(self, error: CognitoCredentialsError) -> None:
        """Say with *error* how long it makes no sense to ask again."""
        if error.retryable:
            error.retry_after = self._told_until - self._clock.elapsed()

    def succeeded(self, key: str) -> None:
        """End the back-off of this process and the shared one of *key*."""
        self.end_local()
        self._records.drop_state(key)

    def end_local(self) -> None:
        """End the back-off of this process alone."""
        self._local, self._failures = None, 0


def is_over_budget(error: CognitoCredentialsError) -> bool:
    """Tell whether the fleet's budget had no turn for the request; it was not sent."""
    return error.code == OVER_BUDGET


def _concerned(principal: Principal | None, error: CognitoCredentialsError, inputs: Inputs) -> str | None:
    """Return whom else a failure concerns: a login's inputs, as a hash; "" for everybody, None for nobody."""
    if principal is None or not error.is_answer:
        return None
    if error.retryable or not inputs:
        return ""  # that the service fails, or is asked too often
    return _digest(inputs) if principal.is_lasting else None


def _digest(inputs: Inputs) -> str | None:
    """Hash *inputs*; None where one of them is not known, so that it is equal to no other."""
    known = [each for each in inputs if each is not None]
    return digest("inputs", *known) if len(known) == len(inputs) else None
