"""
The emulator's speed and size, beside others: ``python -m tests.benchmarks.emulator [--quick]``.

moto_server comes with ``pip install '.[bench]'``, or ``--moto-server PATH`` names one elsewhere.
``--ministack PATH`` names the program of ministack, in an environment of its own. Without them the command
measures the emulator alone. Each server is a process, on the loopback address. The clients are eight threads
that keep their connections. Compared servers are measured in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from .conditions import conditions
from .emulators import (
    POOL,
    SRP_A,
    USER,
    USER_POOL,
    USER_POOLS,
    FailedError,
    Server,
    emulator_server,
    fill,
    ministack_server,
    moto_server,
    page_open,
)
from .figures import QUICK, Figure, Scale, at_most, ratio

CLIENTS = 8
MOST_OF_PEERS = {"moto": 1 / 3, "ministack": 1 / 1.5}
"""The emulator answers at least three and one and a half times as many requests a second."""
WITH_PAGE = "emulator, page open"
LONGEST_PAGE, LONGEST_WAIT = 100.0, 50.0
"""Milliseconds: of a list, and of a request while a pool is deleted."""


def get_id(server: Server, random_: random.Random) -> tuple[str, object]:
    del random_
    return "GetId", {"IdentityPoolId": server.pool_id}


def get_credentials(server: Server, random_: random.Random) -> tuple[str, object]:
    return "GetCredentialsForIdentity", {"IdentityId": random_.choice(server.identities)}


def begin_srp(server: Server, random_: random.Random) -> tuple[str, object, str]:
    del random_
    parameters = {"USERNAME": USER, "SRP_A": SRP_A}
    content = {"AuthFlow": "USER_SRP_AUTH", "ClientId": server.client_id, "AuthParameters": parameters}
    return "InitiateAuth", content, USER_POOLS


OPERATIONS = {"GetId": get_id, "GetCredentialsForIdentity": get_credentials}
Request = Callable[[Server, random.Random], "tuple[str, object] | tuple[str, object, str]"]
Servers = Mapping[str, Callable[[], contextlib.AbstractContextManager[Server]]]


def seconds_per_request(server: Server, request: Request, count: int) -> float:
    """
    Return the average seconds of a request while CLIENTS clients send *count* together.

    moto answers some with 500, as its threads change one dictionary. These count as answers.
    """
    failures: list[Exception] = []

    def client(number: int) -> None:
        random_ = random.Random(number)
        wire = server.connect()
        try:
            for _ in range(count // CLIENTS):
                with contextlib.nullcontext() if server.is_ours else contextlib.suppress(FailedError):
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


def in_turn(servers: Mapping[str, Server], request: Request, count: int, rounds: int) -> dict[str, float]:
    """Return the median seconds of a request of each server, measured in turns."""
    taken: dict[str, list[float]] = {name: [] for name in servers}
    for number in range(rounds + 1):
        for name, server in servers.items():
            seconds = seconds_per_request(server, request, count)
            if number:
                taken[name].append(seconds)
    return {name: statistics.median(times) for name, times in taken.items()}


def starts(servers: Servers, rounds: int) -> Iterator[Figure]:
    """Compare the start to the first answer with each other server."""
    taken: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, start in servers.items():
            with start() as server:
                taken[name].append(server.started_in)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ours = medians.pop("emulator")
    if not medians:
        yield Figure("start to first answer", f"{ours * 1000:.0f} ms")
    for name, theirs in medians.items():
        bar = 1.0 if name == "moto" else None
        yield ratio(f"start to first answer, emulator : {name}", ours, theirs, bar)


def requests(servers: Servers, count: int, rounds: int) -> Iterator[Figure]:
    """Compare requests with each other server, with the page open and without; then memory."""
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(start()) for name, start in servers.items()}
        running[WITH_PAGE] = stack.enter_context(emulator_server())
        stack.enter_context(page_open(running[WITH_PAGE]))
        for server in running.values():
            server.prepare()
        for operation, request in OPERATIONS.items():
            yield from _beside(operation, in_turn(running, request, count, rounds))
        memory = {name: server.memory() for name, server in running.items()}
        for name in ("moto", "ministack"):
            if name in memory:
                detail = f"{memory['emulator']:.0f} MB : {memory[name]:.0f} MB"
                most = memory["emulator"] / memory[name]
                yield at_most(f"memory after that, emulator : {name}", most, 1.0, " x", detail)
        yield Figure("memory after that, with the page open", f"{memory[WITH_PAGE]:.0f} MB")


def sign_ins(servers: Servers, count: int, rounds: int) -> Iterator[Figure]:
    """
    Compare InitiateAuth with SRP with the only other server that computes its half of the proof.

    moto's answer has a made-up SRP_B, and RespondToAuthChallenge takes any proof.
    """
    with contextlib.ExitStack() as stack:
        names = [name for name in servers if name != "moto"]
        running = {name: stack.enter_context(servers[name]()) for name in names}
        running[WITH_PAGE] = stack.enter_context(emulator_server())
        stack.enter_context(page_open(running[WITH_PAGE]))
        for server in running.values():
            server.prepare_users()
        took = in_turn(running, begin_srp, count, rounds)
        yield from _beside("InitiateAuth with SRP", took, {"ministack": 1.0})


def _beside(
    operation: str, took: Mapping[str, float], bars: Mapping[str, float] = MOST_OF_PEERS
) -> Iterator[Figure]:
    for ours in ("emulator", WITH_PAGE):
        others = [name for name in bars if name in took]
        for other in others:
            shown = f"{1 / took[ours]:.0f} : {1 / took[other]:.0f} requests/s"
            yield ratio(f"{operation}, {ours} : {other}, {shown}", took[ours], took[other], bars[other])
        if not others:
            yield Figure(f"{operation}, {ours}, {CLIENTS} clients", f"{1 / took[ours]:.0f} requests/s")


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


def lists_and_deletion(identities: int, users: int, rounds: int) -> Iterator[Figure]:
    """Measure the lists of a large state, and other requests while its pool is deleted."""
    with tempfile.TemporaryDirectory(prefix="cc-") as directory:
        file = os.path.join(directory, "large.db")
        fill(file, identities, users)
        with emulator_server("--data", file) as server, contextlib.closing(server.connect()) as wire:
            for path in (
                "/",
                "/_emulator/pools",
                f"/_emulator/identities?pool={POOL}",
                f"/_emulator/identities?pool={POOL}&find=7777",
                "/_emulator/user-pools",
                f"/_emulator/users?user_pool={USER_POOL}",
                "/_emulator/users?find=7777",
            ):
                took = max(_get(wire, path) for _ in range(rounds)) * 1000
                name = path.replace(POOL, "…").replace(USER_POOL, "…")
                what = f"GET {name}, {identities:,} identities, {users:,} users, the longest"
                yield at_most(what, took, LONGEST_PAGE, " ms")
            other = {"IdentityPoolName": "other", "AllowUnauthenticatedIdentities": True}
            server.pool_id = server.ask(wire, "CreateIdentityPool", other)["IdentityPoolId"]
            answered, waits = _deletion(server, wire, file)
            what = f"DeleteIdentityPool of {identities:,}: the longest other request"
            yield at_most(what, max(waits) * 1000, LONGEST_WAIT, " ms", f"of {len(waits)}")
            yield at_most("  its own answer", answered * 1000, LONGEST_WAIT, " ms")


def _get(wire: http.client.HTTPConnection, path: str) -> float:
    began = time.perf_counter()
    wire.request("GET", path, headers={"Accept": "text/html"})
    answer = wire.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return time.perf_counter() - began


def _deletion(server: Server, wire: http.client.HTTPConnection, file: str) -> tuple[float, list[float]]:
    """Delete the large pool. Returns the seconds to the answer, and of requests until all rows are gone."""
    waits: list[float] = []
    gone = threading.Event()

    def other() -> None:
        with contextlib.closing(server.connect()) as another:
            while not gone.is_set():
                began = time.perf_counter()
                server.ask(another, "GetId", {"IdentityPoolId": server.pool_id})
                waits.append(time.perf_counter() - began)

    client = threading.Thread(target=other)
    client.start()
    began = time.perf_counter()
    server.ask(wire, "DeleteIdentityPool", {"IdentityPoolId": POOL})
    answered = time.perf_counter() - began
    while _is_deleting(file):
        time.sleep(0.1)
    gone.set()
    client.join()
    return answered, waits


def _is_deleting(file: str) -> bool:
    """Whether rows are left. It takes no lock, for which the emulator would wait."""
    with contextlib.suppress(sqlite3.Error):  # a page that is just being written
        address = f"file:{file}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
            return bool(database.execute("SELECT count(*) FROM deleted_pools").fetchone()[0])
    return True


def emulator(scale: Scale, moto: str | None = None, ministack: str | None = None) -> Iterator[Figure]:
    """Measure everything, beside moto_server and ministack where they are installed."""
    quick = scale == QUICK
    count, rounds = (400, 3) if quick else (2000, 5)
    moto = moto or shutil.which("moto_server", path=os.path.dirname(sys.executable))
    servers = {"emulator": emulator_server}
    if moto:
        servers["moto"] = lambda: moto_server(moto)
    if ministack:
        servers["ministack"] = lambda: ministack_server(ministack)
    yield from starts(servers, rounds)
    yield from requests(servers, count, rounds)
    yield from sign_ins(servers, max(CLIENTS, count // 20), rounds)
    yield from lists_and_deletion(20_000 if quick else 100_000, 2000 if quick else 10_000, rounds)
    yield from many_identities(20_000 if quick else 1_000_000, count, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.emulator", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller counts, to see that it works")
    parser.add_argument(
        "--moto-server",
        metavar="PATH",
        help="what to compare with; by default the one beside this Python",
    )
    parser.add_argument("--ministack", metavar="PATH", help="the program of ministack, to compare with")
    arguments = parser.parse_args()
    for line in conditions():
        print(line)
    missed = 0
    scale = QUICK if arguments.quick else Scale()
    for figure in emulator(scale, arguments.moto_server, arguments.ministack):
        missed += figure.is_held is False
        print(figure.line(), flush=True)
    print(f"\n{missed} missed" if missed else "\nall held")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
