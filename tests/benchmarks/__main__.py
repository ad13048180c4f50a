"""Measures and prints the figures; exits with 1 when one misses its bar."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
import time

from .campaigns import kills, long_use, mutations
from .cold import cold, small_core
from .conditions import conditions
from .crowds import cold_commands, crowds, outage_of_commands, refresh_moment, two_hosts
from .doctor import doctor
from .figures import QUICK, Part, Scale
from .fleet import beside, crowd, many, store
from .fleet_service import service
from .hits import commands, hit
from .installed import installed
from .outages import outages
from .plots import draw, keep
from .requests import requests
from .serving import serving
from .signing import signing
from .tasks import tasks
from .threads import threads
from .users import users

PARTS: dict[str, Part] = {
    "hit": hit,
    "installed": installed,
    "commands": commands,
    "doctor": doctor,
    "cold": cold,
    "small-core": small_core,
    "requests": requests,
    "processes": crowds,
    "cold-commands": cold_commands,
    "refresh-moment": refresh_moment,
    "threads": threads,
    "users": users,
    "async": tasks,
    "fleet-store": store,
    "fleet-many": many,
    "fleet-processes": two_hosts,
    "fleet-beside": beside,
    "fleet-crowd": crowd,
    "fleet-service": service,
    "outage": outages,
    "outage-of-commands": outage_of_commands,
    "kill": kills,
    "mutate": mutations,
    "soak": long_use,
    "signing": signing,
    "serve": serving,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller counts, to see that it works")
    parser.add_argument("--repetitions", type=int, metavar="N", help="how often each time is measured")
    parser.add_argument(
        "--page", action="store_true", help="keep the figures and draw them: .github/docs/how/figures.md"
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to measure; by default all")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else Scale()
    if arguments.repetitions:
        scale = dataclasses.replace(scale, repetitions=arguments.repetitions)
    # The measured outages make the package log warnings, which are not for this output.
    logging.getLogger("cognito_credentials").addHandler(logging.NullHandler())
    for line in conditions():
        print(line)
    missed = 0
    for name in arguments.parts or PARTS:
        began = time.perf_counter()
        print(f"\n{name}", flush=True)
        before, figures = list(conditions()), []
        for figure in PARTS[name](scale):
            missed += figure.is_held is False
            print(figure.line(), flush=True)
            figures.append(figure)
        if arguments.page:
            keep(name, before, figures, is_quick=arguments.quick)
        print(f"     ({time.perf_counter() - began:.0f} s)")
    if arguments.page:
        for path, text in draw().items():
            path.write_text(text, "utf-8")
    print(f"\n{missed} missed" if missed else "\nall held")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
