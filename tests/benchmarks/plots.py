"""
The page of figures: what was measured is kept as JSON, and drawn as plots and tables.

`python -m tests.benchmarks --page PART…` measures parts, keeps their figures and draws the page.
`python -m tests.benchmarks.plots` only draws what is kept. Nobody writes a figure by hand.

A plot is a few lines of SVG. matplotlib would have to be installed for it, and its SVG has the same colours
on light and dark pages.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .figures import Figure

DOCS = Path(__file__).parents[2] / ".github/docs"
KEPT = DOCS / "how/figures.json"
PAGE = DOCS / "how/figures.md"
PICTURES = DOCS / "pictures"

GROUPS: Mapping[str, Sequence[str]] = {
    "command-line": ("hit", "installed", "commands", "doctor", "cold", "small-core"),
    "library": ("requests", "users", "async", "signing", "serve"),
    "many": ("processes", "cold-commands", "refresh-moment", "threads"),
    "faults": ("outage", "outage-of-commands", "kill", "mutate", "soak"),
    "fleet": ("fleet-store", "fleet-many", "fleet-processes", "fleet-beside", "fleet-crowd", "fleet-service"),
}
"""Section of the page -> the parts that it shows."""

WIDTH, ROW, TOP = 760, 44, 34
LIMIT, TEXT = 400, 548
"""In pixels: width, height of a row, first row, the bar of a figure at its limit, column of figures."""
LONGEST = 1.3
"""Bars are cut at this many times the limit, so that one miss does not make the others invisible."""

STYLE = """
    .paper { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
    .small { fill: #59636e; font-size: 12px } .held { fill: #2f6fdb } .missed { fill: #c2410c }
    .limit { stroke: #59636e; stroke-dasharray: 4 3 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #131416 } text { fill: #e6edf3 } .small { fill: #9aa4af }
      .held { fill: #6ea8fe } .missed { fill: #fb923c } .limit { stroke: #9aa4af }
    }"""


def keep(part: str, conditions: Sequence[str], figures: Sequence[Figure], *, is_quick: bool) -> None:
    """Keep what *part* measured, in place of what it measured before; *is_quick* with smaller counts."""
    kept = _read()
    kept[part] = {
        "conditions": dict(line.split(maxsplit=1) for line in conditions),
        "is_quick": is_quick,
        "figures": [dataclasses.asdict(figure) for figure in figures],
    }
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")


def draw() -> Mapping[Path, str]:
    """Return the files that the kept figures make: plots, and the page with its tables."""
    kept = _read()
    files: dict[Path, str] = {}
    page = PAGE.read_text("utf-8")
    for group, parts in GROUPS.items():
        measured = {part: kept[part] for part in parts if part in kept}
        rows = [Figure(**row) for part in measured.values() for row in part["figures"]]
        plotted = [row for row in rows if row.share is not None]
        if plotted:
            files[PICTURES / f"figures-{group}.svg"] = "\n".join(_plot(plotted)) + "\n"
        table = "\n".join([*_table(rows), "", *_measured_on(measured)])
        begin, end = f"<!-- {group}: made by the benchmarks -->", f"<!-- end of {group} -->"
        page = re.sub(
            f"{re.escape(begin)}\n.*?{re.escape(end)}",
            lambda _, text=f"{begin}\n\n{table}\n\n{end}": text,  # type: ignore[misc]
            page,
            flags=re.DOTALL,
        )
    files[PAGE] = page
    return files


def _read() -> dict[str, Any]:
    return json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}


def _plot(rows: Sequence[Figure]) -> Iterator[str]:
    height = TOP + ROW * len(rows) + 8
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img">'
    )
    yield f"  <style>{STYLE}\n  </style>"
    yield f'  <rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>'
    yield f'  <text class="small" x="{12 + LIMIT}" y="20" text-anchor="middle">limit</text>'
    yield f'  <line class="limit" x1="{12 + LIMIT}" y1="26" x2="{12 + LIMIT}" y2="{height - 8}"/>'
    for number, row in enumerate(rows):
        y = TOP + ROW * number
        share = row.share or 0.0
        length = round(max(2.0, min(share, LONGEST) * LIMIT))
        word = "" if row.is_held else " missed"
        shown = " ".join(row.measured.split("  ")[0].split())
        yield f'  <text x="12" y="{y + 12}">{escape(row.what.strip())}</text>'
        kind, bar = "held" if row.is_held else "missed", escape(row.bar[3:])
        yield f'  <rect class="{kind}" x="12" y="{y + 18}" width="{length}" height="12" rx="2"/>'
        yield f'  <text class="small" x="{TEXT}" y="{y + 29}">{escape(shown)} of {bar}{word}</text>'
    yield "</svg>"


def _table(rows: Sequence[Figure]) -> Iterator[str]:
    yield "| what | measured | limit | |"
    yield "|---|---|---|---|"
    for row in rows:
        verdict = {True: "held", False: "**missed**", None: ""}[row.is_held]
        cells = (row.what.strip(), " ".join(row.measured.split()), row.bar, verdict)
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


def _measured_on(measured: Mapping[str, Any]) -> Iterator[str]:
    """Yield a paragraph for each day and machine, which names its parts and the load that they ran under."""
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for part, what in measured.items():
        of = what["conditions"]
        cpu, _, load = of["cpu"].partition(", load ")
        machine = (of["date"][:10], cpu, of["system"], of["python"], of["packages"])
        found.setdefault(machine, {})[part] = float(load.split()[0])
    for (date, *of), parts in found.items():
        names = ", ".join(f"`{part}`{' (`--quick`)' if measured[part]['is_quick'] else ''}" for part in parts)
        yield f"Measured on {date}: {names}. The machine: {'; '.join(of)}."
        yield f"Its load before each part was {min(parts.values()):g} to {max(parts.values()):g}."
        yield ""


if __name__ == "__main__":
    for path, text in draw().items():
        path.write_text(text, "utf-8")
