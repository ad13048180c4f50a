"""The table of `.github/docs/reference/consumers.md`: one row for each consumer and way to serve it."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / ".github" / "docs" / "reference" / "consumers.md"
CONSTRAINTS = [ROOT / ".ci" / "consumers.txt", ROOT / ".ci" / "homeassistant.txt"]
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


def pinned() -> set[tuple[str, str]]:
    """Name and version of the packages that `.ci/run` installs for the consumers' tests, on any Python."""
    texts = [path.read_text("utf-8") for path in CONSTRAINTS]
    return {found for text in texts for found in re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE)}
