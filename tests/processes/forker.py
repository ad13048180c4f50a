"""
A process that forks while one of its threads refreshes: ``python -m tests.processes.forker [--idle]``.

The child asks for credentials as well. With ``--idle`` it does nothing, and the parent prints its process id.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import warnings

from cognito_credentials import IdentityPool
from cognito_credentials.clock import Clock

from .worker import Reader

CHILD_SECONDS = 30


def main() -> None:
    pool = IdentityPool()
    print("ready", flush=True)
    sys.stdin.read()
    thread = threading.Thread(target=pool.credentials)
    thread.start()
    while pool.status().identity_id is None:  # then the second request is under way, or about to be
        time.sleep(0.005)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0 and "--idle" in sys.argv:
        signal.pause()
    if pid == 0:
        _child(pool, writer)
    if "--idle" in sys.argv:
        print(pid, flush=True)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        result = pipe.read()
    thread.join()
    os.waitpid(pid, 0)
    print(result)


def _child(pool: IdentityPool, writer: int) -> None:
    """Ask for credentials in the child, and end it in time: the parent must not wait for a hanging child."""
    began = Clock().elapsed()
    child = Reader(pool, patient=False)
    thread = threading.Thread(target=child.read, args=(1,), daemon=True)
    thread.start()
    thread.join(CHILD_SECONDS)
    if thread.is_alive():
        child.errors.append("the child hangs")
    result = {"generations": child.seen, "errors": child.errors, "seconds": Clock().elapsed() - began}
    os.write(writer, json.dumps(result).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
