"""Prints the coverage of each folder from coverage.py's JSON report, and fails below the bar for branches."""

# ruff: noqa: INP001, T201  (a script, and no package)
from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

BRANCHES_PERCENT = {"cache": 95.0, "exchange": 95.0, "refresh": 95.0}
"""Least share of branches to be taken, by folder."""

KEYS = ("covered_lines", "num_statements", "covered_branches", "num_branches")

counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
for name, file in json.loads(Path(sys.argv[1]).read_text("utf-8"))["files"].items():
    parts = Path(name).parts[1:]
    for folder in (parts[0] if len(parts) > 1 else "(top)", "all"):
        counts[folder] = [a + file["summary"][key] for a, key in zip(counts[folder], KEYS, strict=True)]


def percent(covered: int, total: int) -> float:
    return 100 * covered / total if total else 100.0


failed = []
print(f"{'folder':<12} {'statements':>10} {'branches':>10}")
for folder in sorted(counts, key=lambda folder: (folder == "all", folder)):
    lines, statements, taken, branches = counts[folder]
    share = percent(taken, branches)
    bar = BRANCHES_PERCENT.get(folder)
    print(f"{folder:<12} {percent(lines, statements):>8.1f} % {share:>8.1f} %", end="")
    print(f"   at least {bar:g} %" if bar else "")
    if bar and share < bar:
        failed.append(folder)
if missing := BRANCHES_PERCENT.keys() - counts.keys():
    sys.exit(f"nothing was measured in {', '.join(sorted(missing))}")
if failed:
    sys.exit(f"too few branches are tested in {', '.join(failed)}; 'coverage html' shows which")
