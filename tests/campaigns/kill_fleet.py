"""
Kill and stop the Redis of a fleet, and its processes, again and again while they work.

    python -m tests.campaigns.kill_fleet [--count 100] [--seed N]

There are four campaigns of *count* events each: the Redis killed by ``kill -9`` and started again with what
its file has, and stopped by SIGSTOP for up to 0.8 seconds; a process killed at random, and stopped for up to
a second. Meanwhile processes get credentials of more and more guests and signed-in users, read those that
they hold, and renew some.

Is there an error of a user whose valid credentials the process holds? Is any identity in Redis ever lost, or
replaced by another one? Does a signed-in user ever get another identity? While the Redis was there all the
time, does a guest ever get two? Exits 1 if one of these happens once.

The Redis writes its file before it answers (``appendonly yes``, ``appendfsync always``).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from cognito_credentials import CognitoCredentialsError, IdentityPool
from cognito_credentials.cache.records import decode_identity
from cognito_credentials.cache.sealing import Sealer
from cognito_credentials.emulator import Emulator
from cognito_credentials.settings.shared_cache import cache_key
from tests.processes.crowd import environment
from tests.redis_server import RedisServer, running

from .kill import run

KEY = bytes(range(32))
PROCESSES = 3
PROVIDER = "accounts.google.com"
LONGEST_STOP_OF_REDIS = 0.8
"""Seconds: a Redis that does not answer for 250 ms is taken for down."""
LONGEST_STOP_OF_A_PROCESS = 1.0
LONGEST_REST = 1.6
"""Seconds between two events: a Redis that was down is asked again after one."""


@dataclass
class Outcome:
    """What the kills and stops did, counted."""

    events: int = 0
    users: int = 0
    credentials: int = 0
    """How often a user's credentials came to a process for the first time, or anew."""
    errors_while_valid: int = 0
    identities_lost: int = 0
    identities_replaced: int = 0
    signed_in_as_another: int = 0
    guests_doubled: int = 0
    """At processes whose Redis was there all the time."""
    guests_of_an_outage: int = 0
    """Who had an identity of one process alone, since the Redis could not be asked: no failure."""
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing was broken, and something was tried."""
        broken = self.errors_while_valid + self.identities_lost + self.identities_replaced
        broken += self.signed_in_as_another + self.guests_doubled + len(self.problems)
        return broken == 0 and self.events > 0 and self.credentials > self.users > 10


class Fleet:
    """
    Processes that work on one Redis, and what they tell.

    Args:
        name: Of the campaign: its users are its own.
    """

    def __init__(self, emulator: Emulator, pool_id: str, redis: RedisServer, home: str, name: str) -> None:
        self._arguments = [emulator.url, pool_id, redis.url, name]
        self._environ = environment(home, emulator.url, pool_id)
        self._readers: list[threading.Thread] = []
        self.processes: list[subprocess.Popen[str]] = []
        self.told: list[tuple[int, str, str, str]] = []
        """Process id, ``got``, user, identity id; or process id, ``error``, user, text."""
        self.stderr: list[tuple[int, str]] = []
        """Process id and line."""

    def start(self, seed: int) -> None:
        """Start one more process, and wait until it works."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.campaigns.kill_fleet", "work", *self._arguments, str(seed)],
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert first, process.stderr.read()
        for read, pipe in ((self._hear, process.stdout), (self._note, process.stderr)):
            self._readers.append(threading.Thread(target=read, args=[process.pid, pipe]))
            self._readers[-1].start()
        self.processes.append(process)

    def kill(self, number: int) -> None:
        """Kill the process of that number."""
        process = self.processes.pop(number)
        process.kill()
        process.wait()

    def end(self) -> None:
        """Kill all, and hear what they have told."""
        while self.processes:
            self.kill(0)
        for reader in self._readers:
            reader.join()

    def _hear(self, pid: int, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                if line.endswith("\n"):  # a process that is killed may leave a part of one
                    self.told.append((pid, *json.loads(line)))

    def _note(self, pid: int, pipe: IO[str]) -> None:
        with pipe:
            self.stderr.extend((pid, line) for line in pipe)


def campaign(directory: str, count: int, seed: int, *, keeps_file: bool = True) -> Outcome:
    """Make *count* events of each kind; without *keeps_file* the Redis keeps nothing when it is killed."""
    os.makedirs(directory, mode=0o700)
    outcome = Outcome()
    kinds: dict[str, Callable[[Fleet, RedisServer, random.Random], None]] = {
        "redis-killed": _kill_redis,
        "redis-stopped": _stop_redis,
        "process-killed": _kill_process,
        "process-stopped": _stop_process,
    }
    options = {"appendonly": "yes" if keeps_file else "no", "appendfsync": "always"}
    with Emulator() as emulator, running(**options) as redis:
        pool_id = emulator.create_pool(SupportedLoginProviders={PROVIDER: "app"})
        for name, act in kinds.items():
            chance = random.Random(f"{seed} {name}")
            fleet = Fleet(emulator, pool_id, redis, directory, name)
            watch = _Watch(redis, outcome)
            try:
                for _ in range(PROCESSES):
                    fleet.start(chance.randrange(10**9))
                for _ in range(count):
                    time.sleep(chance.uniform(0, LONGEST_REST if name.startswith("redis") else 0.3))
                    watch.look()
                    act(fleet, redis, chance)
                    outcome.events += 1
            finally:
                fleet.end()
            watch.look()
            watch.judge(fleet)
    return outcome


def _kill_redis(_: Fleet, redis: RedisServer, chance: random.Random) -> None:
    redis.kill()
    time.sleep(chance.uniform(0, 0.2))
    redis.start()


def _stop_redis(_: Fleet, redis: RedisServer, chance: random.Random) -> None:
    redis.stop()
    time.sleep(chance.uniform(0.02, LONGEST_STOP_OF_REDIS))
    redis.go_on()


def _kill_process(fleet: Fleet, _: RedisServer, chance: random.Random) -> None:
    fleet.kill(chance.randrange(PROCESSES))
    fleet.start(chance.randrange(10**9))


def _stop_process(fleet: Fleet, _: RedisServer, chance: random.Random) -> None:
    process = fleet.processes[chance.randrange(PROCESSES)]
    process.send_signal(signal.SIGSTOP)
    time.sleep(chance.uniform(0.02, LONGEST_STOP_OF_A_PROCESS))
    process.send_signal(signal.SIGCONT)


class _Watch:
    """Reads the identities that are in Redis, and compares them with those of before."""

    def __init__(self, redis: RedisServer, outcome: Outcome) -> None:
        self._redis = redis
        self._sealer = Sealer(cache_key(KEY, "cache_key from here"))
        self._outcome = outcome
        self._seen: dict[str, str] = {}

    def look(self) -> None:
        """Compare."""
        now: dict[str, str] = {}
        with self._redis.client() as client:  # not by our store, for which a slow Redis has no records
            for name in (found.decode() for found in client.keys("{*}:i")):
                key = name[1:41]
                record = decode_identity(key, self._sealer.open(name, client.get(name)).data)
                assert record is not None
                now[key] = record.identity_id
        self._outcome.identities_lost += len(self._seen.keys() - now.keys())
        self._outcome.identities_replaced += sum(
            now.get(key, identity) != identity for key, identity in self._seen.items()
        )
        self._seen.update(now)

    def judge(self, fleet: Fleet) -> None:
        """Compare what the processes told."""
        outcome, identities = self._outcome, dict[str, set[str]]()
        outcome.problems += [line.strip() for _, line in fleet.stderr if "Traceback" in line]
        had_an_outage = {pid for pid, line in fleet.stderr if "going on without it" in line}
        sure: dict[str, set[str]] = {}  # by processes whose Redis was there all the time
        for pid, what, user, text in fleet.told:
            if what == "error":
                outcome.errors_while_valid += 1
                outcome.problems.append(f"{user}: {text}")
                continue
            outcome.credentials += 1
            identities.setdefault(user, set()).add(text)
            if pid not in had_an_outage:
                sure.setdefault(user, set()).add(text)
        outcome.users += len(identities)
        for user, given in identities.items():
            is_doubled = len(sure.get(user, ())) > 1
            if _is_guest(user):
                outcome.guests_of_an_outage += len(given) > 1 and not is_doubled
                outcome.guests_doubled += is_doubled
            else:
                outcome.signed_in_as_another += len(given) > 1


def pool_of(url: str, pool_id: str, redis: str) -> IdentityPool:
    """Make the pool of one process."""
    rates = {"GetId": 10_000, "GetCredentialsForIdentity": 10_000}
    return IdentityPool(
        pool_id,
        cache=redis,
        cache_key=KEY,
        requests_per_second=rates,
        endpoint_url=url,
        users_in_memory=100_000,
    )


def work(url: str, pool_id: str, redis: str, name: str, seed: str) -> None:
    """Be one process of a fleet: get, read and renew credentials, and tell of them, until killed."""
    chance = random.Random(seed)
    pool = pool_of(url, pool_id, redis)
    emulator = _Tokens(url)
    got: dict[str, str] = {}
    hurried = 0
    print("works", flush=True)
    while True:
        hurried += 1
        user = f"{name} {chance.randrange(1 + hurried // 20)}"
        mine = pool.for_user(user, logins=None if _is_guest(user) else emulator.logins(user))
        try:
            mine.refresh() if user in got and chance.random() < 0.05 else mine.credentials()
        except CognitoCredentialsError as error:
            if not error.retryable:
                _tell("error", user, str(error))
        if user in got:
            try:
                mine.credentials()
            except CognitoCredentialsError as error:
                _tell("error", user, str(error))
        if mine.current() is not None and got.get(user) != (identity := mine.identity_id()):
            got[user] = identity
            _tell("got", user, identity)
        time.sleep(0.002)  # a processor has more to do


class _Tokens:
    """Login tokens of users, each asked for once."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_emulator/login-token"
        self._given: dict[str, str] = {}

    def logins(self, user: str) -> dict[str, str]:
        import urllib.request

        if user not in self._given:
            body = {"provider": PROVIDER, "audience": "app", "subject": user, "expires_in": 86_400}
            with urllib.request.urlopen(self._url, json.dumps(body).encode(), timeout=60) as answer:
                self._given[user] = json.load(answer)["token"]
        return {PROVIDER: self._given[user]}


def _is_guest(user: str) -> bool:
    return int(user.rpartition(" ")[2]) % 2 == 0


def _tell(*what: str) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(*sys.argv[2:])
    sys.exit(run("kill_fleet", campaign, __doc__, count=100))
