"""
Throttling by the published quotas, when it is switched on.

Source: service.md 11; each quota is for one operation and all pools of a region together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

REQUESTS_PER_SECOND: Mapping[str, int] = {
    "GetId": 25,
    "GetOpenIdToken": 200,
    "GetCredentialsForIdentity": 200,
    "GetOpenIdTokenForDeveloperIdentity": 50,
    "ListIdentities": 5,
    "DeleteIdentities": 10,
    "TagResource": 5,
    "UntagResource": 5,
    "ListTagsForResource": 10,
}


class Throttle:
    """
    One token bucket for an operation in a region, as deep as one second's quota, and at least one deep.

    Args:
        monotonic: Seconds from a clock that never goes back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def admits(self, operation: str, region: str, quotas: Mapping[str, float] = REQUESTS_PER_SECOND) -> bool:
        """True when one more request of *operation* in *region* is within its quota; it is then counted."""
        rate = quotas.get(operation)
        if rate is None:
            return True
        now = self._monotonic()
        depth = max(float(rate), 1.0)
        tokens, since = self._buckets.get((operation, region), (depth, now))
        tokens = min(depth, tokens + (now - since) * rate)
        admitted = tokens >= 1
        self._buckets[operation, region] = (tokens - 1 if admitted else tokens, now)
        return admitted

    def clear(self) -> None:
        """Forget what was counted."""
        self._buckets.clear()
