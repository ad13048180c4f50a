"""
One process that wants credentials: ``python -m tests.processes.worker``.

It loads everything, prints ``ready``, waits until its stdin ends, and then does what its arguments say. So
many processes can begin at the same moment. Its settings come from the environment. Its last line is one JSON
object with what it got, as hashes, and how long that took.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from typing import Any

from cognito_credentials import CognitoCredentialsError, IdentityPool
from cognito_credentials.clock import Clock
from cognito_credentials.credentials import TemporaryCredentials, iso
from cognito_credentials.pool.parts import load_for_refreshes


class MovedClock(Clock):
    """
    This machine's clocks, ahead and faster.

    Args:
        ahead: Seconds by which both clocks are ahead.
        speed: Factor by which the elapsed clock runs faster from now on; a pause is shorter by it.
    """

    def __init__(self, ahead: float, speed: float) -> None:
        super().__init__()
        self.ahead = ahead
        self._speed = speed
        self._began_at = super().elapsed()

    def wall(self) -> float:
        return super().wall() + self.ahead

    def elapsed(self) -> float:
        return self._began_at + (super().elapsed() - self._began_at) * self._speed + self.ahead

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / self._speed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reads", type=int, default=1, help="number of reads in each thread")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--jump",
        type=float,
        default=0,
        help="read before `ready`, too; then move the clock by so many seconds",
    )
    parser.add_argument("--linger", type=float, default=0, help="seconds to stay after the reads")
    parser.add_argument("--speed", type=float, default=1, help="factor of the elapsed clock")
    parser.add_argument("--clear", action="store_true", help="clear the credentials instead of reading them")
    parser.add_argument("--identity", action="store_true", help="also ask for the identity id")
    parser.add_argument("--user", type=int, help="become the user with this number first")
    parser.add_argument("--patient", action="store_true", help="note errors and go on reading")
    return parser.parse_args()


class Reader:
    """Reads credentials in threads, and notes what they get."""

    def __init__(self, pool: IdentityPool, patient: bool) -> None:
        self._pool = pool
        self._patient = patient
        self.seen: dict[str, list[str]] = {}
        self.errors: list[str] = []
        self.slowest = self.busiest = 0.0

    def read(self, times: int) -> None:
        for _ in range(times):
            began, busy = time.perf_counter(), time.thread_time()
            try:
                self._note(self._pool.credentials())
            except CognitoCredentialsError as error:
                self.errors.append(f"{type(error).__name__}: {error}")
                if not self._patient:
                    return
            self.slowest = max(self.slowest, time.perf_counter() - began)
            self.busiest = max(self.busiest, time.thread_time() - busy)

    def in_threads(self, threads: int, times: int) -> None:
        if threads == 1:
            self.read(times)
            return
        group = [threading.Thread(target=self.read, args=(times,)) for _ in range(threads)]
        for thread in group:
            thread.start()
        for thread in group:
            thread.join()

    def _note(self, credentials: TemporaryCredentials) -> None:
        triple = credentials.to_environment()
        whole = json.dumps(triple, sort_keys=True).encode()
        self.seen[hashlib.sha256(whole).hexdigest()] = [
            credentials.access_key_id,
            iso(credentials.expires_at),
        ]


def _become(user: int) -> None:
    """
    Become another user.

    That user may not be able to read this Python's files. One exchange before loads all modules.
    """
    with tempfile.TemporaryDirectory() as directory:
        IdentityPool(environ={**os.environ, "AWS_COGNITO_CACHE_DIR": directory}).credentials()
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def main() -> None:
    arguments = _arguments()
    if arguments.user is not None:
        _become(arguments.user)
    clock = MovedClock(0, arguments.speed)
    pool = IdentityPool(clock=clock)
    reader = Reader(pool, arguments.patient)
    load_for_refreshes()  # a program has done so before its first use, and all begin here together
    if "AWS_COGNITO_CACHE" in os.environ:
        pool.settings  # noqa: B018  (it loads redis-py, and connects to nothing)
    if arguments.jump:
        reader.read(arguments.reads)
        reader.slowest = reader.busiest = 0.0
    print("ready", flush=True)
    sys.stdin.read()
    clock.ahead += arguments.jump
    began = time.perf_counter()
    if arguments.clear:
        for _ in range(arguments.reads):
            pool.clear()
    else:
        reader.in_threads(arguments.threads, arguments.reads)
    answer: dict[str, Any] = {
        "generations": reader.seen,
        "errors": reader.errors,
        "slowest": reader.slowest,
        "busiest": reader.busiest,
        "seconds": time.perf_counter() - began,
        "identity_id": pool.identity_id() if arguments.identity else None,
    }
    time.sleep(arguments.linger)
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
