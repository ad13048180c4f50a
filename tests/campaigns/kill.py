"""
Kill a writer at random points of writing, again and again.

    python -m tests.campaigns.kill [--count 1000] [--seed N]

After each kill: is every record whole (decoded, with its checksum)? Is the lock free? And after the next
write: is any temporary file left, which would hold a secret? Exits 1 if one of these fails once.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cognito_credentials.cache.file import FileStore
from cognito_credentials.cache.records import CredentialsRecord, decode_credentials, encode
from cognito_credentials.clock import ServerTime
from cognito_credentials.credentials import TemporaryCredentials

KEY = "0123456789abcdef" * 2 + "01234567"
WRITES_OF_A_LIFE = 10
"""A writer lives for up to so many writes, so that the kills fall on all their points."""


@dataclass
class Outcome:
    """What the kills did, counted."""

    kills: int = 0
    torn: int = 0
    missing: int = 0
    lock_kept: int = 0
    strays_after_kill: int = 0
    strays_after_next_write: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing was broken, and something was tried."""
        return not (self.torn or self.missing or self.lock_kept or self.strays_after_next_write) and (
            self.strays_after_kill > 0
        )


def record(number: int) -> bytes:
    """Make a credentials record, of a length that depends on *number*."""
    credentials = TemporaryCredentials(
        f"ASIA{number:016d}", "CANARY" + "s" * 34, "CANARY" + "t" * (800 + number % 700), 1_800_003_600
    )
    return encode(
        CredentialsRecord(
            key=KEY,
            identity_id="us-east-1:00000000-0000-4000-8000-000000000000",
            credentials=credentials,
            issued_at=1_800_000_000,
            refresh_at=1_800_002_400,
            seen=ServerTime(1_800_000_000, 1_000, "boot", 0),
        )
    )


def campaign(directory: str, count: int, seed: int) -> Outcome:
    """Kill *count* writers in *directory*."""
    chance = random.Random(seed)
    outcome = Outcome()
    store = FileStore(directory, explicit=True, warn=_fail)
    store.store("credentials", KEY, record(0))

    def write(at: int) -> None:
        _write(store, record(at), Outcome())

    longest = longest_life(write)
    for number in range(count):
        kill_a_writer(write, chance.uniform(0, longest), number * 1000)
        outcome.kills += 1
        data = store.load("credentials", KEY)
        outcome.missing += data is None
        outcome.torn += data is not None and decode_credentials(KEY, data) is None
        outcome.strays_after_kill += strays(directory)
        _write(store, record(number), outcome)
        outcome.strays_after_next_write += strays(directory)
    return outcome


def longest_life(write: Callable[[int], None]) -> float:
    """Return the seconds of `WRITES_OF_A_LIFE` writes: more on a machine that is slow or busy."""
    began = time.perf_counter()
    for at in range(WRITES_OF_A_LIFE):
        write(at)
    return time.perf_counter() - began


def kill_a_writer(write: Callable[[int], None], life: float, first: int) -> None:
    """Start a process that writes from *first* on without end, and kill it after *life* seconds."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(tell, b"y")
        while True:
            first += 1
            write(first)
    os.read(ready, 1)
    select.select([], [], [], life)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ready)
    os.close(tell)


def _write(store: FileStore, data: bytes, outcome: Outcome) -> None:
    """Write as the refresh does: under the lock, after sweeping."""
    handle = store.lock(KEY)
    if not handle.acquire():
        outcome.lock_kept += 1
        return
    try:
        store.sweep(KEY)
        store.store("credentials", KEY, data)
    finally:
        handle.release()


def strays(directory: str) -> int:
    """Count half-written files."""
    return sum(name.endswith(".tmp") for name in os.listdir(directory))


def _fail(text: str) -> None:
    raise AssertionError(text)


class Counted(Protocol):
    """What a campaign counts, in its attributes."""

    @property
    def is_good(self) -> bool:
        """Whether nothing was broken."""


def run(
    name: str, campaign: Callable[[str, int, int], Counted], description: str | None, *, count: int = 1000
) -> int:
    """Run the *campaign* of the module *name* as its command line says, and print the counts."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.campaigns.{name}", description=description)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        outcome = campaign(directory + "/killed", options.count, options.seed)
    print(f"seed                                {options.seed}")
    for what, value in vars(outcome).items():
        print(f"{what.replace('_', ' '):<35} {value}")
    print("good" if outcome.is_good else "BROKEN")
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(run("kill", campaign, __doc__))
