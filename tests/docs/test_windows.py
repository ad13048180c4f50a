"""Commands on the first pages that people read are right in PowerShell and in cmd as well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.docs.pages import PAGES, README, blocks_of, name_of

FIRST = [page for page in PAGES if page.parent.name in ("start", "guides")]
_OURS = re.compile(r"\bcognito-credentials (?!.*\| *(?:jq|xargs|source|Out-String))|\bpip install\b")
_PROMPT = re.compile(r"^(?:\$ )?(?!PS>|[A-Z]:)")


def _commands() -> Iterator[tuple[str, str, str]]:
    """Give each command of ours or of pip in a block for Unix: where it stands, the line, and its page."""
    for block in blocks_of(FIRST, "console", "sh"):
        rest = block.page.read_text("utf-8")
        for line in block.code.splitlines():
            is_output = "$ " in block.code and not line.startswith("$ ")
            if _PROMPT.match(line) and not is_output and _OURS.search(line):
                yield block.where, line.removeprefix("$ "), rest


def test_a_command_goes_on_in_no_second_line() -> None:
    """A backslash at the end of a line is right in no shell of Windows."""
    assert [(where, line) for where, line, _ in _commands() if line.endswith("\\")] == []


def test_what_pip_installs_is_in_double_quotes() -> None:
    """cmd takes single quotes for a part of the name. The README's first two commands are for Unix alone."""
    pages = [README, *FIRST, *(page for page in PAGES if page.parent.name == "reference")]
    found = [
        (name_of(page), line)
        for page in pages
        for line in page.read_text("utf-8").splitlines()
        if re.search(r"pip install[^`]*'", line) and ".venv/bin/pip" not in line
    ]

    assert found == []


def test_no_command_has_a_comment_behind_it() -> None:
    """cmd takes a comment for arguments."""
    console = [
        (block.where, line) for block in blocks_of([README], "console") for line in block.code.splitlines()
    ]
    lines = [*((where, line) for where, line, _ in _commands()), *console]

    assert [(where, line) for where, line in lines if re.search(r"\s# ", line)] == []


def test_a_variable_before_a_command_is_explained() -> None:
    """`NAME=value command` is a command of Unix alone; a page that has it says what to do on Windows."""
    found = [(where, line, rest) for where, line, rest in _commands() if re.match(r"[A-Z_]+=", line)]

    assert [(where, line) for where, line, rest in found if "On Windows, set" not in rest] == []


def test_a_page_that_sets_variables_in_powershell_does_so_in_cmd() -> None:
    """Neither shell of Windows is left out."""
    texts = {page.name: page.read_text("utf-8") for page in FIRST}
    only_one = [
        name
        for name, text in texts.items()
        if bool(re.search(r"\$env:\w+ = ", text)) != bool(re.search(r"\bset [A-Z_]+=", text))
    ]

    assert only_one == []
