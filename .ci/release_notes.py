"""
Print the changelog's part of one version: `release_notes.py VERSION TAG`.

With a TAG it must be ``v`` and the version, and the version must have a date. An empty TAG is for a trial.
"""

# ruff: noqa: INP001  (a script, and no package)
from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parent.parent / ".github/CHANGELOG.md"

version, tag = sys.argv[1:]
if tag and tag != f"v{version}":
    sys.exit(f"the tag is {tag}, and the version is {version}")
parts = re.split(r"^## ", CHANGELOG.read_text("utf-8"), flags=re.MULTILINE)
found = [part for part in parts if part.split(maxsplit=1)[:1] == [version]]
if len(found) != 1:
    sys.exit(f"the changelog has no part, or several, for {version}")
heading, _, text = found[0].partition("\n")
if tag and not re.fullmatch(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d", heading):
    sys.exit(f"the changelog has no date for {version}: '## {heading}'")
sys.stdout.write(text.strip() + "\n")
