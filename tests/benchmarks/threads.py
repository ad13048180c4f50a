"""Threads that read credentials through botocore over many generations of them."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator

from cognito_credentials.botocore_credentials import IdentityPoolCredentials
from cognito_credentials.emulator import Emulator
from tests.world import World

from .figures import Figure, Scale, counted

GENERATIONS = 20


def threads(scale: Scale) -> Iterator[Figure]:
    """Count refreshes and torn credentials. The emulator is asked over HTTP; only the clock is a test's."""
    with tempfile.TemporaryDirectory() as home, Emulator() as emulator:
        world = World(emulator, {"HOME": home})
        began = time.perf_counter()
        triples, errors = _read(world, scale)
        seconds = time.perf_counter() - began
        refreshes = world.counts()["GetCredentialsForIdentity"]
        identities = world.counts()["GetId"]
    total = scale.threads * scale.reads
    title = f"{scale.threads} threads x {scale.reads} reads, {GENERATIONS} generations"
    parts = [Counter(triple[index] for triple in triples) for index in range(3)]
    torn = sum(count - 1 for part in parts for count in part.values())
    yield counted(f"{title}: refreshes", refreshes, GENERATIONS)
    yield counted(f"{title}: GetId", identities, 1)
    yield counted(f"{title}: triples, torn, errors", (len(triples), torn, errors), (20, 0, 0))
    yield Figure("  reads per second, all threads together", f"{total / seconds:,.0f}")


def _read(world: World, scale: Scale) -> tuple[set[tuple[str, str, str]], int]:
    """Let the threads read, meeting at the end of each generation; return distinct credentials and errors."""
    credentials = IdentityPoolCredentials(world.pool())
    triples: set[tuple[str, str, str]] = set()
    errors: list[Exception] = []
    ages = iter(range(GENERATIONS))

    def next_generation() -> None:
        # In turns the credentials become stale (nobody waits for the refresh) and expire (all wait).
        number = next(ages)
        if number:
            world.move(46 * 60 if number % 2 else 3601)

    barrier = threading.Barrier(scale.threads, next_generation)

    def read() -> None:
        mine: set[tuple[str, str, str]] = set()
        try:
            for _ in range(GENERATIONS):
                barrier.wait()
                for _ in range(scale.reads // GENERATIONS):
                    frozen = credentials.get_frozen_credentials()
                    mine.add((frozen.access_key, frozen.secret_key, frozen.token))
        except Exception as error:  # noqa: BLE001  (every exception counts)
            errors.append(error)
            barrier.abort()
        triples.update(mine)

    readers = [threading.Thread(target=read) for _ in range(scale.threads)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return triples, len(errors)
