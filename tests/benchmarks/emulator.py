"""
The emulator's speed and size, beside moto_server: ``python -m tests.benchmarks.emulator [--quick]``.

moto_server comes with ``pip install '.[bench]'``, or ``--moto-server PATH`` names one elsewhere. Without it
the command measures the emulator alone. Each server is a process. The clients are eight threads that keep
their connections. Compared servers are measured in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cognito_credentials.emulator.stored.state import State

from .conditions import conditions
from .figures import QUICK, Figure, Scale, at_most, ratio

CLIENTS = 8
MOST_OF_MOTO = 1 / 3
"""The emulator answers at least three times as many requests a second."""
START_SECONDS = 60
POOL = "us-east-1:00000000-0000-4000-8000-000000000001"
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/cognito-identity/aws4_request, "
    "SignedHeaders=host, Signature=none",
    "X-Amz-Date": "20300101T000000Z",
}


@dataclass
class Server:
    """A server process, and requests to it."""

    process: subprocess.Popen[bytes]
    port: int
    started_in: float
    pool_id: str = ""
    identities: list[str] = field(default_factory=list)

    def memory(self) -> float:
        """Return the resident memory, MB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def ask(self, wire: http.client.HTTPConnection, operation: str, content: object) -> dict[str, str]:
        target = f"AWSCognitoIdentityService.{operation}"
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", **SIGNED}
        wire.request("POST", "/", json.dumps(content), headers)
        answer = wire.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{operation}: {answer.status} {body[:200]!r}")
        result: dict[str, str] = json.loads(body or b"{}")
        return result

    def prepare(self) -> None:
        """Make a pool with roles, and 100 identities."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as wire:
            pool = {"IdentityPoolName": "bench", "AllowUnauthenticatedIdentities": True}
            self.pool_id = self.ask(wire, "CreateIdentityPool", pool)["IdentityPoolId"]
            roles = {"unauthenticated": "arn:aws:iam::123456789012:role/guest"}
            with contextlib.suppress(RuntimeError):  # moto has no such operation
                self.ask(wire, "SetIdentityPoolRoles", {"IdentityPoolId": self.pool_id, "Roles": roles})
            self.identities = [
                self.ask(wire, "GetId", {"IdentityPoolId": self.pool_id})["IdentityId"] for _ in range(100)
            ]


@contextlib.contextmanager
def serving(arguments: list[str], port: int) -> Iterator[Server]:
    """Run a server until the block ends, and measure the seconds to its first answer."""
    began = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            wire = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                wire.request("POST", "/", b"{}", {"X-Amz-Target": "AWSCognitoIdentityService.GetId"})
                wire.getresponse().read()
                break
            except (OSError, http.client.HTTPException):
                if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                    raise RuntimeError(f"{arguments[0]} does not answer") from None
                time.sleep(0.005)
            finally:
                wire.close()
        yield Server(process, port, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait()


def emulator_server(*options: str) -> contextlib.AbstractContextManager[Server]:
    """Start the emulator's command."""
    port = free_port()
    program = os.path.join(os.path.dirname(sys.executable), "cognito-credentials")
    return serving([program, "emulator", "--port", str(port), *options], port)


def moto_server(path: str) -> contextlib.AbstractContextManager[Server]:
    """Start moto_server."""
    port = free_port()
    return serving([path, "-H", "127.0.0.1", "-p", str(port)], port)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def get_id(server: Server, random_: random.Random) -> tuple[str, object]:
    del random_
    return "GetId", {"IdentityPoolId": server.pool_id}


def get_credentials(server: Server, random_: random.Random) -> tuple[str, object]:
    return "GetCredentialsForIdentity", {"IdentityId": random_.choice(server.identities)}


OPERATIONS = {"GetId": get_id, "GetCredentialsForIdentity": get_credentials}
Request = Callable[[Server, random.Random], "tuple[str, object]"]


def seconds_per_request(server: Server, request: Request, count: int) -> float:
    """Return the average seconds of a request while CLIENTS clients send *count* together."""
    failures: list[Exception] = []

    def client(number: int) -> None:
        random_ = random.Random(number)
        wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            for _ in range(count // CLIENTS):
                server.ask(wire, *request(server, random_))
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that measures
            failures.append(error)
        finally:
            wire.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return (time.perf_counter() - began) / (count // CLIENTS * CLIENTS)


def in_turn(servers: dict[str, Server], request: Request, count: int, rounds: int) -> dict[str, float]:
    """Return the median seconds of a request of each server, measured in turns."""
    taken: dict[str, list[float]] = {name: [] for name in servers}
    for number in range(rounds + 1):
        for name, server in servers.items():
            seconds = seconds_per_request(server, request, count)
            if number:
                taken[name].append(seconds)
    return {name: statistics.median(times) for name, times in taken.items()}


def fill(file: str, count: int) -> list[str]:
    """
    Write a data file with *count* identities, half of them signed in.

    Returns:
        The ids of up to 1,000 guests.
    """
    state = State(file)
    random_ = random.Random(count)
    ids = [f"us-east-1:{uuid.UUID(int=random_.getrandbits(128))}" for _ in range(count)]
    roles = json.dumps({"unauthenticated": "arn:aws:iam::123456789012:role/guest"})
    settings = json.dumps({"IdentityPoolName": "bench", "AllowUnauthenticatedIdentities": True})
    with state.transaction():
        state.remember("seeded", b"1")
        state.execute(
            "INSERT INTO pools (id, region, settings, roles) VALUES (?, 'us-east-1', ?, ?)",
            POOL,
            settings,
            roles,
        )
        for number, identity_id in enumerate(ids):
            state.execute(
                "INSERT INTO identities (id, pool_id, created_ms, modified_ms, authenticated)"
                " VALUES (?, ?, 0, 0, ?)",
                identity_id,
                POOL,
                number % 2,
            )
            if number % 2:
                state.execute(
                    "INSERT INTO logins (pool_id, provider, subject, developer, identity_id)"
                    " VALUES (?, 'accounts.google.com', ?, 0, ?)",
                    POOL,
                    str(number),
                    identity_id,
                )
    state.close()
    return random_.sample(ids[::2], min(1000, count // 2))


def beside_moto(moto: str, count: int, rounds: int) -> Iterator[Figure]:
    """Compare start, memory and requests with moto_server."""
    starts: dict[str, list[float]] = {"emulator": [], "moto": []}
    for _ in range(rounds):
        for name, start in (("emulator", emulator_server), ("moto", lambda: moto_server(moto))):
            with start() as server:
                starts[name].append(server.started_in)
    ours, theirs = (statistics.median(starts[name]) for name in ("emulator", "moto"))
    yield ratio("start to first answer, emulator : moto_server", ours, theirs, 1.0)
    with emulator_server() as emulator, moto_server(moto) as other:
        for server in (emulator, other):
            server.prepare()
        for name, request in OPERATIONS.items():
            took = in_turn({"emulator": emulator, "moto": other}, request, count, rounds)
            shown = f"{1 / took['emulator']:.0f} : {1 / took['moto']:.0f} requests/s"
            yield ratio(f"{name}, {CLIENTS} clients, {shown}", took["emulator"], took["moto"], MOST_OF_MOTO)
        yield at_most(
            "memory after that, emulator : moto_server",
            emulator.memory() / other.memory(),
            1.0,
            " x",
            f"{emulator.memory():.0f} MB : {other.memory():.0f} MB",
        )


def alone(count: int, rounds: int) -> Iterator[Figure]:
    """Measure start, memory and requests without a comparison."""
    with emulator_server() as emulator:
        yield Figure("start to first answer", f"{emulator.started_in * 1000:.0f} ms")
        emulator.prepare()
        for name, request in OPERATIONS.items():
            took = in_turn({"emulator": emulator}, request, count, rounds)["emulator"]
            yield Figure(f"{name}, {CLIENTS} clients", f"{1 / took:.0f} requests/s")
        yield Figure("memory after that", f"{emulator.memory():.0f} MB")


def many_identities(identities: int, count: int, rounds: int) -> Iterator[Figure]:
    """Compare a data file of many identities with one of 1,000."""
    with tempfile.TemporaryDirectory(prefix="cc-") as directory, contextlib.ExitStack() as stack:
        servers = {}
        for size in (1000, identities):
            file = os.path.join(directory, f"{size}.db")
            known = fill(file, size)
            server = stack.enter_context(emulator_server("--data", file))
            server.pool_id, server.identities = POOL, known
            servers[str(size)] = server
        few, many = servers["1000"], servers[str(identities)]
        for name, request in OPERATIONS.items():
            took = in_turn(servers, request, count, rounds)
            yield ratio(
                f"{name}, {identities:,} identities : 1,000 in the file",
                took[str(identities)],
                took["1000"],
                1.3,
            )
        yield ratio(
            f"start to first answer, {identities:,} identities : 1,000", many.started_in, few.started_in, None
        )
        memory = f"{many.memory():.0f} MB : {few.memory():.0f} MB"
        yield Figure(f"memory, {identities:,} identities : 1,000", memory)


def emulator(scale: Scale, moto: str | None = None) -> Iterator[Figure]:
    """Measure everything, beside moto_server where it is installed."""
    quick = scale == QUICK
    count, rounds = (400, 3) if quick else (2000, 5)
    moto = moto or shutil.which("moto_server", path=os.path.dirname(sys.executable))
    yield from beside_moto(moto, count, rounds) if moto else alone(count, rounds)
    yield from many_identities(20_000 if quick else 1_000_000, count, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.emulator", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller counts, to see that it works")
    parser.add_argument(
        "--moto-server",
        metavar="PATH",
        help="what to compare with; by default the one beside this Python",
    )
    arguments = parser.parse_args()
    for line in conditions():
        print(line)
    missed = 0
    for figure in emulator(QUICK if arguments.quick else Scale(), arguments.moto_server):
        missed += figure.is_held is False
        print(figure.line(), flush=True)
    print(f"\n{missed} missed" if missed else "\nall held")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
