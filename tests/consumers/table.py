"""The table of `.github/CONSUMERS.md`: one row for each consumer and way to serve it."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / ".github" / "CONSUMERS.md"
CONSTRAINTS = ROOT / ".ci" / "consumers.txt"
HEAD = "| Consumer | Version | Served by | Renewals | Requests at Cognito |\n|---|---|---|--:|---|\n"


@dataclass(frozen=True)
class Row:
    """One row, as the page has it."""

    consumer: str
    version: str
    served_by: str
    renewals: str
    requests: str


def rows() -> list[Row]:
    """The rows of the page."""
    after = PAGE.read_text("utf-8").split(HEAD, 1)[1]
    lines = itertools.takewhile(bool, after.splitlines())
    return [Row(*(cell.strip() for cell in line.strip("|").split(" | "))) for line in lines]


def pinned() -> dict[str, str]:
    """The packages that `.ci/run` installs for the consumers' tests, name to version."""
    return dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", CONSTRAINTS.read_text("utf-8"), re.MULTILINE))
