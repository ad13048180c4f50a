"""
Forks during the first call of a process, which imports half of this package: does a child ever hang?

    python -m tests.campaigns.fork [FORKS]

In each process one thread makes the first call, and the main thread forks all the while. Each child makes its
own call, which must end. The emulator and the processes are real. Exits 1 if one does not.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from typing import NamedTuple

from cognito_credentials.emulator import Emulator

PROCESS = """
import os, random, select, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of forks beside threads
from cognito_credentials import IdentityPool

pool = IdentityPool(sys.argv[1], cache=sys.argv[2])
rng = random.Random(sys.argv[3])
thread = threading.Thread(target=pool.credentials)
children = []
thread.start()
while thread.is_alive() and len(children) < 40:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            pool.credentials()
            os.write(write, b"x")
        except Exception as error:
            os.write(write, repr(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    children.append((child, read))
    time.sleep(rng.uniform(0.0, 0.01))
hung, failed, end = 0, 0, time.monotonic() + 60
for child, read in children:
    if not select.select([read], [], [], max(end - time.monotonic(), 0))[0]:
        hung += 1
        os.kill(child, 9)
    elif (said := os.read(read, 999)) != b"x":
        failed += 1
        print(said.decode(), file=sys.stderr)
    os.waitpid(child, 0)
thread.join(30)
print(len(children), hung, failed, int(thread.is_alive()), flush=True)
os._exit(0)
"""


class Outcome(NamedTuple):
    """What became of the children."""

    forks: int = 0
    hung: int = 0
    failed: int = 0
    """Children whose call ended with an error, which is printed."""
    stuck: int = 0
    """Parents whose own call did not end."""

    @property
    def is_good(self) -> bool:
        """Whether every call ended."""
        return not (self.hung or self.stuck)


def campaign(forks: int, seed: int) -> Outcome:
    """Fork *forks* times or some more; stops at the first process that has a child that hangs."""
    rng, total = random.Random(seed), Outcome()
    with Emulator(tls=True) as emulator, tempfile.TemporaryDirectory() as home:
        pool = emulator.create_pool()
        while total.forks < forks and total.is_good:
            environ = {
                **os.environ,
                "HOME": home,
                "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url,
                "AWS_CA_BUNDLE": str(emulator.certificate),
            }
            cache = rng.choice(["memory", "file"])
            command = [sys.executable, "-c", PROCESS, pool, cache, str(rng.random())]
            done = subprocess.run(
                command, env=environ, check=True, capture_output=True, text=True, timeout=2000
            )
            sys.stderr.write(done.stderr)
            total = Outcome(*(a + int(b) for a, b in zip(total, done.stdout.split(), strict=True)))
    return total


if __name__ == "__main__":
    COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    SEED = random.randrange(1 << 32)
    FOUND = campaign(COUNT, SEED)
    print(f"seed {SEED}: {FOUND}")
    sys.exit(not FOUND.is_good)
