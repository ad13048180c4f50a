"""Measures and prints the figures; exits with 1 when one misses its bar."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from .campaigns import campaigns
from .conditions import conditions
from .crowds import crowds, outage_of_commands
from .figures import QUICK, Part, Scale
from .outages import outages
from .requests import requests
from .signing import signing
from .startup import startup
from .threads import threads

PARTS: dict[str, Part] = {
    "startup": startup,
    "requests": requests,
    "crowds": crowds,
    "threads": threads,
    "outages": outages,
    "commands": outage_of_commands,
    "signing": signing,
    "campaigns": campaigns,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller counts, to see that it works")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to measure; by default all")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else Scale()
    # The measured outages make the package log warnings, which are not for this output.
    logging.getLogger("cognito_credentials").addHandler(logging.NullHandler())
    for line in conditions():
        print(line)
    missed = 0
    for name in arguments.parts or PARTS:
        began = time.perf_counter()
        print(f"\n{name}", flush=True)
        for figure in PARTS[name](scale):
            missed += figure.is_held is False
            print(figure.line(), flush=True)
        print(f"     ({time.perf_counter() - began:.0f} s)")
    print(f"\n{missed} missed" if missed else "\nall held")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
