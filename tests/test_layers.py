"""The order of the folders: a request goes down, its answer comes up, and nothing imports upwards."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "cognito_credentials"
ORDER = (
    *("__main__", "__init__", "cli", "session", "back_end", "pool", "refresh", "sign_in"),
    *("developer", "exchange", "logins", "cache", "settings"),
    *("credentials", "home", "regions", "clock", "digest", "secret", "errors"),
)
"""From the top: a folder or file imports only from those after it."""


def imported(path: Path) -> set[str]:
    """Name the rooms of this package that a file imports, in functions and for types, too."""
    package = path.relative_to(PACKAGE.parent).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            parts = [*start, *(node.module or "").split(".")]
            if parts[0] == PACKAGE.name:
                found |= {next(part for part in [*parts[1:], alias.name] if part) for alias in node.names}
    return found


def test_nothing_imports_upwards() -> None:
    """Every import leads to the same folder or to one further down, and the emulator shares no code."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        allowed = {room} if room == "emulator" else {room, *ORDER[ORDER.index(room) + 1 :]}
        # Two commands start the emulator as a person would.
        starts_it = path.match("cli/commands/*.py") or room == "__init__"
        wrong += [
            f"{path.name}: {name}"
            for name in imported(path) - allowed
            if not (starts_it and name == "emulator")
        ]
    assert not wrong
