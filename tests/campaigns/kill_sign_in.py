"""
Kill a process at random points of keeping a rotated refresh token, again and again.

    python -m tests.campaigns.kill_sign_in [--count 1000] [--seed N]

As `tests.campaigns.kill`, in the directory of the sign-ins: what is kept is whole and the user's, the lock is
free, and once somebody has held the lock no half-written file is left. Exits 1 if one of these fails once.
"""

from __future__ import annotations

import random
import sys

from cognito_credentials.errors import ServiceError
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.kept.place import Place
from cognito_credentials.sign_in.kept.stored_tokens import StoredTokens
from cognito_credentials.sign_in.kept.stores import PlainStore

from .kill import KEY, Outcome, kill_a_writer, longest_life, run, strays

PRINCIPAL = "subject:" + "0" * 64


def campaign(directory: str, count: int, seed: int) -> Outcome:
    """Kill *count* writers in *directory*."""
    chance = random.Random(seed)
    outcome = Outcome()
    place = Place(directory, KEY)
    store = PlainStore(place)
    store.store(_kept(0))

    def write(at: int) -> None:
        _rotate(place, at)

    longest = longest_life(write)
    for number in range(count):
        kill_a_writer(write, chance.uniform(0, longest), number * 1000)
        outcome.kills += 1
        outcome.strays_after_kill += strays(directory)
        try:
            with place.lock(0.0):
                secret = store.load()
        except ServiceError:
            outcome.lock_kept += 1
            continue
        kept = None if secret is None else StoredTokens.decode(secret)
        outcome.missing += secret is None
        outcome.torn += secret is not None and (kept is None or kept.principal != PRINCIPAL)
        outcome.strays_after_next_write += strays(directory)
    return outcome


def _rotate(place: Place, number: int) -> None:
    with place.lock():
        PlainStore(place).store(_kept(number))


def _kept(number: int) -> Secret:
    return StoredTokens(Secret("CANARY" + "r" * (500 + number % 1500)), None, 0, PRINCIPAL).encode()


if __name__ == "__main__":
    sys.exit(run("kill_sign_in", campaign, __doc__))
