"""
Back-off: after a failure, nobody asks the service again before a certain moment.

There are two: one in the memory of one pool object, for every kind of failure; and one in the store, shared
by all pools and processes that want credentials under the same key.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..cache.records import StateRecord, remembered_error
from . import policy

if TYPE_CHECKING:
    import random

    from ..cache.records import Records
    from ..clock import Clock
    from ..errors import CognitoCredentialsError

_log = logging.getLogger(__name__)


class Backoff:
    """Remembers failures, and until when the service is left alone."""

    __slots__ = ("_clock", "_local", "_records", "_rng")

    def __init__(self, records: Records, clock: Clock, rng: random.Random) -> None:
        self._records = records
        self._clock = clock
        self._rng = rng
        self._local: tuple[float, CognitoCredentialsError] | None = None  # until when, by `Clock.elapsed`

    def local(self) -> CognitoCredentialsError | None:
        """Return the failure because of which this pool does not ask yet; None when it may ask."""
        if self._local is None or self._clock.elapsed() >= self._local[0]:
            return None
        # The same error is raised by each call until the back-off ends, and would keep the frames of all.
        return self._local[1].with_traceback(None)

    def shared(self, key: str) -> CognitoCredentialsError | None:
        """Return the failure because of which nobody asks yet for *key*; None when anybody may."""
        now = self._clock.wall()
        state = self._records.state(key)
        return remembered_error(state, now) if now < state.retry_at else None

    def last_failed(self, key: str) -> bool:
        """Tell whether the last attempt for *key*, by any pool or process, failed."""
        return self._records.state(key).failures > 0

    def failed(self, key: str | None, seconds_left: float | None, error: CognitoCredentialsError) -> None:
        """
        Begin a back-off.

        Args:
            key: Of the credentials; None when the failure came before it was known.
            seconds_left: How long the credentials that are held are still valid; None when none are held.
            error: The failure. It is what is raised or shown until the back-off ends.
        """
        now = self._clock.wall()
        state = StateRecord(key="") if key is None else self._records.state(key)
        state.failures += 1
        # An error that is not retryable is mended by a person, who then tries again and must not wait long.
        failures = state.failures if error.retryable else 1
        delay = policy.retry_delay(seconds_left, failures, self._rng, throttled=error.throttled)
        self._local = (self._clock.elapsed() + delay, error)
        _log.debug("failed (%s, %d in a row): no other try for %d s", error.code, state.failures, delay)
        if key is not None:
            # The record has whole seconds. Rounded down, the back-off does not outlast valid credentials;
            # with none, it is rounded up, or it could end in the second in which it begins.
            has_none = seconds_left is None or seconds_left <= 0
            state.retry_at, state.noted_at = int(now + delay) + has_none, int(now)
            state.error, state.message, state.hint = type(error).__name__, error.message, error.hint
            self._records.keep(state)

    def succeeded(self, key: str) -> None:
        """End the back-off of this pool and the shared one of *key*."""
        self._local = None
        self._records.drop_state(key)

    def end_local(self) -> None:
        """End the back-off of this pool alone."""
        self._local = None
