"""
Throttling by the published quotas, if the setting ``throttle`` is on.

Source: `reference/service.md#11`. A quota holds for one operation and all pools of a region together.
"""

from __future__ import annotations

import time
from collections import OrderedDict
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


_MOST_BUCKETS = 1000
"""More than all operations in all regions have. Ids with made-up regions would fill the memory otherwise."""


class Throttle:
    """
    A token bucket for each operation and region. It holds the quota of one second, and at least one token.

    Args:
        monotonic: A clock that never goes back, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def admits(self, operation: str, region: str, quotas: Mapping[str, float] = REQUESTS_PER_SECOND) -> bool:
        """True when the quota has room for another call of *operation* in *region*, which is then counted."""
        rate = quotas.get(operation)
        if rate is None:
            return True
        now = self._monotonic()
        depth = max(float(rate), 1.0)
        tokens, since = self._buckets.get((operation, region), (depth, now))
        tokens = min(depth, tokens + (now - since) * rate)
        admitted = tokens >= 1
        self._buckets[operation, region] = (tokens - 1 if admitted else tokens, now)
        self._buckets.move_to_end((operation, region))
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return admitted

    def clear(self) -> None:
        """Fill all buckets."""
        self._buckets.clear()
