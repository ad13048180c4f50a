"""
The budget: how many requests a second the hosts that share a Redis send together.

    budget.py      an operation and who asks -> a wait until the request may be sent, or an error: when
    bucket.py      slots, the line of those who come later, renewals, pauses: pure arithmetic
    script.py      the same in Lua, and what it counts
    counts.py      what a process counts until its next call of the script
    fleet.py       what Redis has counted -> figures of the whole fleet, also as OpenMetrics

`exchange/calls.py` asks it before each request that it sends, so repetitions count, too. A pool without a
Redis has no budget.

*Whose quota.* AWS counts by account, region and operation. Which account a pool is in cannot be told from its
id, so the pools of one region and endpoint that share a Redis are taken to be in one account. Pools of two
accounts then ask less than they might, never more; two databases of the Redis keep them apart.
"""

from __future__ import annotations

OVER_BUDGET = "BudgetExceeded"
"""The `code` of the error for a request that was not sent because the budget had no turn for it."""
