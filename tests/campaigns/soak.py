"""
Two days of a program's life on a clock that is moved: does anything grow, storm or fail?

    python -m tests.campaigns.soak [--hours 48] [--reads 1000000]

The emulator, HTTP, files and botocore's classes are real. Refreshes must follow one another by 40 to 44
minutes, nothing may be raised, and neither memory nor descriptors may grow. Exits 1 otherwise.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from dataclasses import dataclass

from cognito_credentials.botocore_credentials import IdentityPoolCredentials
from cognito_credentials.emulator import Emulator
from tests.world import World

STEP_SECONDS = 100
GENERATION_SECONDS = (40 * 60, 44 * 60)
"""One-hour credentials are renewed 20 to 16 minutes before their end."""
GROWTH_LIMIT = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """What two days did."""

    seconds: int
    reads: int
    refreshes: int
    identities: int
    growth: int
    """Bytes of memory after the first tenth of the time; 0 where the system does not tell."""
    descriptors: int
    """How many more are open than then."""

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, stormed or grew."""
        fewest = self.seconds // (GENERATION_SECONDS[1] + STEP_SECONDS)
        most = self.seconds // GENERATION_SECONDS[0] + 1
        return (
            fewest <= self.refreshes <= most
            and self.identities == 1
            and self.growth < GROWTH_LIMIT
            and self.descriptors <= 0
        )


def campaign(hours: int, reads: int) -> Outcome:
    """Read *reads* times in *hours*; whatever is raised is not caught."""
    steps = hours * 3600 // STEP_SECONDS
    base = (0, 0)
    with tempfile.TemporaryDirectory() as home, Emulator() as emulator:
        world = World(emulator, {"HOME": home})
        credentials = IdentityPoolCredentials(world.pool())
        for step in range(steps):
            for _ in range(reads // steps):
                credentials.get_frozen_credentials()
            world.move(STEP_SECONDS)
            if step == steps // 10:
                base = _used()
        memory, descriptors = _used()
        counts = world.counts()
    return Outcome(
        seconds=steps * STEP_SECONDS,
        reads=reads // steps * steps,
        refreshes=counts["GetCredentialsForIdentity"],
        identities=counts["GetId"],
        growth=memory - base[0],
        descriptors=descriptors - base[1],
    )


def _used() -> tuple[int, int]:
    """Return resident bytes and open descriptors; the emulator's, in the same process, are in it."""
    gc.collect()
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return resident, len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:
        return 0, 0


def main() -> int:
    """Run it and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.soak", description=__doc__)
    parser.add_argument("--hours", type=int, default=48)
    parser.add_argument("--reads", type=int, default=10**6)
    options = parser.parse_args()
    outcome = campaign(options.hours, options.reads)
    for name, value in vars(outcome).items():
        print(f"{name:<12}  {value}")
    print("good" if outcome.is_good else "BROKEN")
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
