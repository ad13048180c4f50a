"""
How long a failure is left alone: in this process, and by all processes of the machine.

Imports `policy` and the records.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..cache.record import StateRecord
from ..cache.records import remembered_error
from . import policy

if TYPE_CHECKING:
    import random

    from ..cache.records import Records
    from ..clock import Clock
    from ..errors import CognitoCredentialsError


_log = logging.getLogger(__name__)


class Backoff:
    """
    Remembers failures, and until when nobody asks again.

    Args:
        records: Where the other processes read of it.
        clock: This machine's clocks.
        rng: Where jitter comes from.
    """

    def __init__(self, records: Records, clock: Clock, rng: random.Random) -> None:
        self._records = records
        self._clock = clock
        self._rng = rng
        self._here: tuple[float, CognitoCredentialsError] | None = None

    def here(self) -> CognitoCredentialsError | None:
        """Return the failure that this process still leaves alone; None when it may ask."""
        if self._here is None or self._clock.elapsed() >= self._here[0]:
            return None
        return self._here[1]

    def shared(self, key: str) -> CognitoCredentialsError | None:
        """Return the failure that all processes leave alone for *key*; None when one of them may ask."""
        now = self._clock.wall()
        state = self._records.state(key)
        return remembered_error(state, now) if now < state.retry_at else None

    def has_failed(self, key: str) -> bool:
        """Tell whether the last attempt for *key*, by whichever process, failed."""
        return self._records.state(key).failures > 0

    def note(self, key: str | None, left: float | None, error: CognitoCredentialsError) -> None:
        """
        Remember a failure.

        Args:
            key: Of the credentials; None when it is not known whose they would be.
            left: Seconds that what is held still lasts; None when nothing is held.
            error: What happened.
        """
        now = self._clock.wall()
        state = StateRecord(key="") if key is None else self._records.state(key)
        state.failures += 1
        failures = state.failures if error.retryable else 1  # a person mends the rest, and then tries again
        delay = policy.retry_delay(left, failures, self._rng, throttled=error.throttled)
        self._here = (self._clock.elapsed() + delay, error)
        _log.debug("failed (%s, %d in a row): no other try for %d s", error.code, state.failures, delay)
        if key is not None:
            # In whole seconds: never past the end of what is held, and never at once for who holds nothing.
            is_empty_handed = left is None or left <= 0
            state.retry_at, state.noted_at = int(now + delay) + is_empty_handed, int(now)
            state.error, state.message, state.hint = type(error).__name__, error.message, error.hint
            self._records.keep(state)

    def forget_here(self) -> None:
        """Forget what this process remembers."""
        self._here = None

    def succeeded(self, key: str) -> None:
        """Forget all failures of *key*."""
        self._here = None
        self._records.drop_state(key)
