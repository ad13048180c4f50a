"""
Waiting for another process: for its lock, or for what it does with it.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from ..clock import Clock
    from .store import Lock

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def lock_or_settled(
    lock: Lock, is_settled: Callable[[], bool], *, patience: float, clock: Clock, rng: random.Random
) -> Iterator[None]:
    """
    Hold *lock*, unless what it is for is settled first, or its holder hangs.

    Args:
        lock: Not held.
        is_settled: Looks at what the holder writes; most waiters need never hold the lock themselves.
        patience: Seconds after which to go on without it.
        clock: This machine's clocks.
        rng: Where jitter comes from.
    """
    started = clock.elapsed()
    give_up_at = started + patience
    pause = 0.005
    try:
        while not lock.acquire() and not is_settled():
            if clock.elapsed() > give_up_at:
                # A stopped process must not stop this one: at worst there is one call too many.
                _log.warning("another process has held the lock for too long; going on without it")
                break
            clock.sleep(pause * rng.uniform(0.5, 1.5))
            pause = min(pause * 1.5, 0.1)
        _log.debug("waited %.2f s for the lock, or for what its holder wrote", clock.elapsed() - started)
        yield
    finally:
        lock.release()
