"""The page of examples has each of them, and each says what to install."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

PAGE = ROOT / ".github" / "docs" / "cookbook" / "examples.md"
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.name != "__pycache__")


def test_it_lists_every_example() -> None:
    """The table has each program and each folder of examples/, with a link to it."""
    rows = re.findall(
        r"^\| \[`(examples/[\w./]+)`\]\(../../../([\w./]+)\) \|", PAGE.read_text("utf-8"), re.MULTILINE
    )
    there = [f"examples/{path.name}{'/' * path.is_dir()}" for path in EXAMPLES]

    assert sorted(name for name, _ in rows) == sorted(there)
    assert all(name.rstrip("/") == link for name, link in rows)


def test_every_example_says_what_to_install() -> None:
    """Somewhere in each example stands what its reader has to install, or who installs it."""
    for path in EXAMPLES:
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        texts = [file.read_text("utf-8") for file in files if "__pycache__" not in file.parts]
        assert any(re.search(r"pip install|Home Assistant installs", text) for text in texts), path
