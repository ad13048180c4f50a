"""
Forks during the calls of another thread: does each child get credentials?

    python -m tests.campaigns.fork [FORKS] [--http]

In each process one thread makes the first call, which imports half of this package, and then others that each
look a name up and open a connection. The main thread forks all the while. Each child makes its own calls. The
emulator and the processes are real. Exits 1 if a call does not end, or ends with an error.
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
import faulthandler, os, random, select, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of forks beside threads
from cognito_credentials import IdentityPool

pool = IdentityPool(sys.argv[1], cache=sys.argv[2])
rng = random.Random(sys.argv[3])
is_over, errors = threading.Event(), []

def calls():
    try:
        pool.credentials()
        while not is_over.is_set():
            pool.close()
            pool.clear()
            pool.credentials()
    except Exception as error:
        errors.append(error)

thread = threading.Thread(target=calls)
children = []
thread.start()
while len(children) < 25:
    time.sleep(rng.choice((0.0005, 0.005)) * rng.random())
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(12)
        try:
            pool.credentials()
            pool.clear()
            pool.credentials()
            os.write(write, b"x")
        except Exception as error:
            os.write(write, repr(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    children.append((child, read))
is_over.set()
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
print(*errors, sep="\\n", end="", file=sys.stderr)
print(len(children), hung, failed, int(thread.is_alive() or bool(errors)), flush=True)
os._exit(0)
"""


class Outcome(NamedTuple):
    """What became of the children."""

    forks: int = 0
    hung: int = 0
    failed: int = 0
    """Children whose call ended with an error, which is printed."""
    bad_parents: int = 0
    """Parents whose own calls did not end, or ended with an error, which is printed."""
    noise: int = 0
    """Processes that printed anything."""

    @property
    def is_good(self) -> bool:
        """Whether every call got credentials."""
        return not (self.hung or self.failed or self.bad_parents or self.noise)


def campaign(forks: int, seed: int, *, tls: bool) -> Outcome:
    """Fork *forks* times or some more; stops at the first process in which a call gets no credentials."""
    rng, total = random.Random(seed), Outcome()
    with Emulator(tls=tls) as emulator, tempfile.TemporaryDirectory() as home:
        pool = emulator.create_pool()
        while total.forks < forks and total.is_good:
            environ = {
                **os.environ,
                "AWS_COGNITO_CACHE_DIR": tempfile.mkdtemp(dir=home),
                "HOME": home,
                "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url.replace("127.0.0.1", "localhost"),
            }
            if tls:
                environ["AWS_CA_BUNDLE"] = str(emulator.certificate)
            cache = rng.choice(["memory", "file"])
            command = [sys.executable, "-c", PROCESS, pool, cache, str(rng.random())]
            done = subprocess.run(
                command, env=environ, check=True, capture_output=True, text=True, timeout=2000
            )
            sys.stderr.write(done.stderr)
            found = [*map(int, done.stdout.split()), bool(done.stderr)]
            total = Outcome(*(a + b for a, b in zip(total, found, strict=True)))
    return total


if __name__ == "__main__":
    COUNT = int(next((word for word in sys.argv[1:] if word.isdigit()), 1_000))
    SEED = random.randrange(1 << 32)
    FOUND = campaign(COUNT, SEED, tls="--http" not in sys.argv)
    print(f"seed {SEED}: {FOUND}")
    sys.exit(not FOUND.is_good)
