"""
One process that wants credentials: ``python -m tests.processes.worker``.

It loads everything first, says ``ready``, waits until its stdin ends, and then does what its arguments
say: so many processes begin at one moment. Settings come from the environment, as they do for users. Its
last line is one JSON object: what it got and how long that took, with secrets as hashes.
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

import cognito_credentials.exchange.botocore_client  # noqa: F401  (loaded, as in a program that runs already)
from cognito_credentials import CognitoCredentialsError, IdentityPool
from cognito_credentials.clock import Clock
from cognito_credentials.credentials import TemporaryCredentials, iso


class MovedClock(Clock):
    """
    This machine's clocks, moved ahead and made faster.

    Args:
        ahead: Seconds that both clocks are ahead.
        speed: How much faster the elapsed clock runs from now on.
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reads", type=int, default=1, help="of each thread")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--jump", type=float, default=0, help="after the reads: seconds ahead, and read again"
    )
    parser.add_argument("--speed", type=float, default=1, help="of the elapsed clock")
    parser.add_argument("--clear", action="store_true", help="forget the credentials instead of reading")
    parser.add_argument("--identity", action="store_true", help="ask for the identity id, too")
    parser.add_argument("--user", type=int, help="become this user before anything is counted")
    parser.add_argument("--patient", action="store_true", help="note errors and read on")
    return parser.parse_args()


class Reader:
    """What the threads of one process share."""

    def __init__(self, pool: IdentityPool, patient: bool) -> None:
        self._pool = pool
        self._patient = patient
        self.seen: dict[str, list[str]] = {}
        self.errors: list[str] = []
        self.slowest = 0.0

    def read(self, times: int) -> None:
        for _ in range(times):
            began = time.perf_counter()
            try:
                self._note(self._pool.credentials())
            except CognitoCredentialsError as error:
                self.errors.append(f"{type(error).__name__}: {error}")
                if not self._patient:
                    return
            self.slowest = max(self.slowest, time.perf_counter() - began)

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
    """Become another user, who may not be able to read this Python: so everything is used once before."""
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
    print("ready", flush=True)
    sys.stdin.read()
    reader = Reader(pool, arguments.patient)
    began = time.perf_counter()
    if arguments.clear:
        for _ in range(arguments.reads):
            pool.clear()
    else:
        reader.in_threads(arguments.threads, arguments.reads)
        if arguments.jump:
            clock.ahead += arguments.jump
            reader.in_threads(arguments.threads, arguments.reads)
    answer: dict[str, Any] = {
        "generations": reader.seen,
        "errors": reader.errors,
        "slowest": reader.slowest,
        "seconds": time.perf_counter() - began,
        "identity_id": pool.identity_id() if arguments.identity else None,
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
