"""Real processes on a real Redis, with the emulator's throttle on, which never has to refuse one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from cognito_credentials.budget import script
from cognito_credentials.budget.budget import PUBLISHED
from cognito_credentials.emulator import Emulator
from cognito_credentials.pool.pool import parts_of
from tests.redis_server import running
from tests.world import World

PROCESSES, USERS = 4, 40
GO = "go\n"
CHILD = """
import json, sys, threading, time
from cognito_credentials import IdentityPool, ServiceError
pool, process, users = IdentityPool(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
began, served, told = time.monotonic(), [], []
def get(n):
    try:
        pool.for_user(f"{process}-{n}").credentials()
    except ServiceError as error:
        told.append(error.retry_after)
    else:
        served.append(time.monotonic() - began)
threads = [threading.Thread(target=get, args=(n,)) for n in range(users)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps([served, told]))
"""


def test_four_cold_processes_keep_the_quotas(emulator: Emulator, isolation: Path) -> None:
    """160 new users of four processes at once get credentials at 25 a second, and no answer is a refusal."""
    with running() as redis:
        world = World(emulator, {**os.environ, "HOME": str(isolation), "AWS_COGNITO_CACHE": redis.socket_url})
        world.settings(throttle=True)
        children = [
            subprocess.Popen(
                [sys.executable, "-c", CHILD, world.pool_id, str(n), str(USERS)],
                env=world.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(PROCESSES)
        ]
        try:
            for child in children:
                assert child.stdout is not None
                assert child.stdout.readline() == "ready\n"
            began = time.monotonic()
            results = [json.loads(child.communicate(GO)[0]) for child in children]
            took = time.monotonic() - began
        finally:
            for child in children:
                child.kill()
                child.communicate()

        budget = parts_of(world.pool()).budget
        assert budget is not None
        for operation in ("GetId", "GetCredentialsForIdentity"):
            sums = redis("HGET", script.keys(budget.place_of(operation))[2], script.SUMS).split()[1:]
            counted = dict(zip(script.COUNTERS, map(int, sums), strict=True))
            assert (counted["requests"], counted["throttled"]) == (PROCESSES * USERS, 0)
        served = sorted(moment for moments, _ in results for moment in moments)
        assert [told for _, told in results] == [[]] * PROCESSES
        assert len(served) == PROCESSES * USERS
        assert took >= (PROCESSES * USERS - 1) / PUBLISHED["GetId"]
        for rank, moment in enumerate(served):
            assert moment <= 2 * (rank + 1) / PUBLISHED["GetId"] + 2
