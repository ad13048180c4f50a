"""
A fleet's requests by the real buckets and the real refresh policy, on a simulated clock.

    python -m tests.campaigns.fleet [steady | cold] [--quick]

*steady*: 300,000 active users of a million known ones, two days. All come in the first second, as after a
deployment that emptied the cache. Each stays for four hours on average, and another takes the place. The
requests of each second stay under the quota, the busiest has less than twice the mean, and nobody's
credentials expire while in use. Hosts do not matter here: what they share is the bucket.

*cold*: 100,000 new users at once, with the quotas and the time limits of a real call. Half of them come back
when they were told to, a tenth never, and the others ask all the time. Each who comes back is served, and
waits no longer than twice as in one line of all; no second exceeds a quota.

Exits with 1 if one of these does not hold.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections import Counter
from dataclasses import dataclass

from cognito_credentials.budget.bucket import SECOND, Bucket
from cognito_credentials.budget.budget import FOLLOWED, LONGEST_WAIT, PUBLISHED, ROOM, interval_of
from cognito_credentials.refresh import policy

HOUR = 3600
LIFETIME = HOUR
LATENCY = 0.05
"""Seconds from a request to its answer."""
STAY = 4 * HOUR
FAIR_SECONDS = 30.0
"""What twice the wait in one line means at its beginning: the time limit of a call, twice."""


@dataclass(frozen=True)
class Load:
    """The requests of a simulation, by second."""

    seconds: Counter[int]
    hours: float

    @property
    def peak(self) -> int:
        return max(self.seconds.values())

    @property
    def mean(self) -> float:
        return self.seconds.total() / (self.hours * HOUR)

    def peak_minute(self, after: float = 0) -> float:
        """Return the requests a second of the busiest minute from *after*, in seconds, on."""
        minutes: Counter[int] = Counter()
        for second, count in self.seconds.items():
            if second >= after:
                minutes[second // 60] += count
        return max(minutes.values()) / 60


@dataclass(frozen=True)
class Steady:
    """What two days did."""

    load: Load
    quota: float
    gaps: int
    """How often a user who was there had no credentials for longer than one call may take."""
    put_off: int

    @property
    def is_good(self) -> bool:
        return self.load.peak <= self.quota + 1 and self.load.peak < 2 * self.load.mean and not self.gaps


def steady(users: int, hours: float, quota: float, seed: int = 1, *, spread: bool = True) -> Steady:
    """Have *users* active for *hours*, all of them from the first second on."""
    rng, bucket, interval = random.Random(seed), Bucket(), interval_of(quota)
    sent: Counter[int] = Counter()
    gaps = put_off = 0
    leaves = [rng.expovariate(1 / STAY) for _ in range(users)]
    ends = [0.0] * users
    due = [(rng.random(), user) for user in range(users)]
    heapq.heapify(due)
    arrived = dict.fromkeys(range(users), 0.0)
    while due[0][0] < hours * HOUR:
        now, user = due[0]
        if now > leaves[user] and ends[user]:  # another user takes the place, without credentials
            leaves[user], ends[user], arrived[user] = now + rng.expovariate(1 / STAY), 0.0, now
        left = ends[user] - now
        if left > policy.MANDATORY_WINDOW:
            turn = bucket.ask_to_renew(int(now * SECOND), interval)
        else:
            turn = bucket.ask(
                int(now * SECOND), interval, str(user), patience("GetCredentialsForIdentity", 15)
            )
        wait = turn.wait / SECOND
        if not turn.is_granted:
            put_off += 1
            heapq.heapreplace(due, (now + policy.turn_delay(wait, left, rng), user))
            continue
        answered = now + wait + LATENCY
        sent[int(now + wait)] += 1
        gaps += bool(ends[user]) and answered > ends[user] + policy.HOLDER_BUDGET
        ends[user] = answered + LIFETIME
        moment = policy.refresh_at(int(answered), int(ends[user]), rng, spread=spread and turn.is_crowded)
        # Who leaves before is not renewed: the next one comes at that moment.
        heapq.heapreplace(due, (min(moment + rng.random(), max(leaves[user], answered)), user))
    return Steady(Load(sent, hours), quota, gaps, put_off)


@dataclass(frozen=True)
class Cold:
    """What a cold start did."""

    loads: dict[str, Load]
    served: int
    lost: int
    """Who came back, and has no credentials at the end."""
    unfair: int
    """Who waited for more than twice the time of one line for all."""
    refusals: int
    late: int
    """Who came back when he was told to, and was not served within the time limit of a call."""
    took: float

    @property
    def is_good(self) -> bool:
        is_under = all(load.peak <= PUBLISHED[name] + 1 for name, load in self.loads.items())
        return is_under and not self.lost and not self.unfair


def patience(operation: str, left: float) -> int:
    """Return how long a request may wait, in microseconds, as `Queue.wait_for_turn` has it."""
    room = ROOM * (2 if operation in FOLLOWED else 1)
    return int(max(0.0, min(left - room, LONGEST_WAIT)) * SECOND)


def cold(users: int, seed: int = 1) -> Cold:
    """Have *users* come at once, none of whom has an identity."""
    rng = random.Random(seed)
    buckets = {name: Bucket() for name in ("GetId", "GetCredentialsForIdentity")}
    sent = {name: Counter[int]() for name in buckets}
    kinds = rng.choices(("returns", "polls", "leaves"), (5, 4, 1), k=users)
    ranks: dict[int, int] = {}
    known, served, told = set[int](), dict[int, float](), dict[int, float]()
    refusals = late = 0
    due = [(rng.random(), user) for user in range(users)]
    heapq.heapify(due)
    while due:
        began, user = heapq.heappop(due)
        ranks.setdefault(user, len(ranks))
        now, deadline = began, began + policy.HOLDER_BUDGET
        for operation, bucket in buckets.items():
            if operation == "GetId" and user in known:
                continue
            allowed = patience(operation, deadline - now)
            interval = interval_of(PUBLISHED[operation])
            turn = bucket.ask(int(now * SECOND), interval, str(user), allowed)
            wait = turn.wait / SECOND
            if not turn.is_granted:
                refusals += 1
                late += user in told and began >= told[user]
                if kinds[user] == "returns":
                    told[user] = began + wait
                    heapq.heappush(due, (began + wait, user))
                elif kinds[user] == "polls":
                    heapq.heappush(due, (began + policy.turn_delay(wait, None, rng), user))
                break
            sent[operation][int(now + wait)] += 1
            known.add(user)
            now += wait + LATENCY
        else:
            served[user] = now
    fair = {user: 2 * (rank + 1) / PUBLISHED["GetId"] + FAIR_SECONDS for user, rank in ranks.items()}
    took = max(served.values())
    return Cold(
        loads={name: Load(counts, took / HOUR) for name, counts in sent.items()},
        served=len(served),
        lost=sum(user not in served for user in range(users) if kinds[user] != "leaves"),
        unfair=sum(moment > fair[user] for user, moment in served.items()),
        refusals=refusals,
        late=late,
        took=took,
    )


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", choices=("steady", "cold"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--no-spread", action="store_true", help="renew the credentials of a crowd like all others"
    )
    parser.add_argument("--users", type=int)
    parser.add_argument("--quota", type=float)
    options = parser.parse_args()
    is_good = True
    if options.part != "cold":
        users = options.users or (30_000 if options.quick else 300_000)
        quota = options.quota or PUBLISHED["GetCredentialsForIdentity"] * users / 300_000
        hours = 12 if options.quick else 48
        found = steady(users, hours, quota, spread=not options.no_spread)
        load = found.load
        later = load.peak_minute(2 * HOUR)
        print(
            f"steady: {users} users, {hours} h, quota {quota:g} a second: mean {load.mean:.1f}, busiest "
            f"second {load.peak} ({load.peak / load.mean:.2f} x), busiest minute {load.peak_minute():.1f}, "
            f"after two hours {later:.1f} ({later / load.mean:.2f} x), {found.put_off} put off, "
            f"{found.gaps} without credentials: {'ok' if found.is_good else 'MISSED'}"
        )
        is_good = found.is_good
    if options.part != "steady":
        users = options.users or (5_000 if options.quick else 100_000)
        result = cold(users)
        peaks = ", ".join(f"{name} at most {load.peak} a second" for name, load in result.loads.items())
        one_line = users / PUBLISHED["GetId"] / 60
        print(
            f"cold: {users} users at once: {peaks}; {result.served} served in {result.took / 60:.1f} min "
            f"(one line of all: {one_line:.1f}), {result.refusals} told to come later, {result.late} of "
            f"them when they came as told, {result.lost} lost, {result.unfair} unfairly late: "
            f"{'ok' if result.is_good else 'MISSED'}"
        )
        is_good = is_good and result.is_good
    return not is_good


if __name__ == "__main__":
    sys.exit(main())
