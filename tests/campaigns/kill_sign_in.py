"""
Kill a process at random points of keeping a rotated refresh token, again and again.

    python -m tests.campaigns.kill_sign_in [--count 1000] [--seed N]

As `tests.campaigns.kill`, in the directory of the sign-ins: what is kept is whole and the user's, the lock is
free, and once somebody has held the lock no half-written file is left. Exits 1 if one of these fails once.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile

from cognito_credentials.errors import ServiceError
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.file_store import PlainFileStore
from cognito_credentials.sign_in.kept import Kept, opened
from cognito_credentials.sign_in.place import Place

from .kill import KEY, Outcome, kill_a_writer, strays

PRINCIPAL = "subject:" + "0" * 64


def campaign(directory: str, count: int, seed: int) -> Outcome:
    """Kill *count* writers in *directory*."""
    chance = random.Random(seed)
    outcome = Outcome()
    place = Place(directory, KEY)
    store = PlainFileStore(place)
    store.store(_kept(0))
    for number in range(count):
        kill_a_writer(lambda at: _rotate(place, at), chance, outcome, number * 1000)
        outcome.strays_after_kill += strays(directory)
        try:
            with place.lock(0.0):
                secret = store.load()
        except ServiceError:
            outcome.lock_kept += 1
            continue
        kept = None if secret is None else opened(secret)
        outcome.missing += secret is None
        outcome.torn += secret is not None and (kept is None or kept.principal != PRINCIPAL)
        outcome.strays_after_next_write += strays(directory)
    return outcome


def _rotate(place: Place, number: int) -> None:
    with place.lock():
        PlainFileStore(place).store(_kept(number))


def _kept(number: int) -> Secret:
    return Kept(Secret("CANARY" + "r" * (500 + number % 1500)), None, 0, PRINCIPAL).encode()


def main() -> int:
    """Run it and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.kill_sign_in", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        outcome = campaign(directory + "/sign-in", options.count, options.seed)
    print(f"seed                                {options.seed}")
    for name, value in vars(outcome).items():
        print(f"{name.replace('_', ' '):<35} {value}")
    print("good" if outcome.is_good else "BROKEN")
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
