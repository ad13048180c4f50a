"""The order of the folders: a request goes down, its answer comes up, and nothing imports upwards."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cognito_credentials"
ORDER = {
    "": (
        *(
            "__main__",
            "__init__",
            "cli",
            "session",
            "adapters",
            "pyinstaller",
            "serve",
            "administer",
            "botocore_chain",
            "botocore_credentials",
            "back_end",
            "pool",
            "refresh",
            "sign_in",
            "developer",
        ),
        *("exchange", "logins", "budget", "cache", "settings"),
        *("credentials", "home", "version", "regions", "clock", "digest", "secret"),
        *("awaiting", "errors", "extras"),
        "importing",
    ),
    "sign_in": (
        *("sign_out_all", "__init__", "profile", "sources", "source", "leftovers"),
        *("challenge", "signed_in", "kept", "ways", "issuers", "checks", "store", "extra"),
    ),
    "emulator": (
        *("__init__", "pytest_plugin", "command", "emulator", "user_pool", "wire", "seed", "operations"),
        *("issuer", "console", "pages", "user_pools", "oauth", "service"),
        *("sts", "logins", "stored", "settings", "model", "assumed", "extra", "errors", "clock", "trail"),
    ),
}
"""Of the package and of folders in it, from the top: a folder or file imports only from those after it."""
THE_EMULATORS = {"extras"}
"""What the emulator imports from outside: it is about the installation, and not about the service."""
STARTS_THE_EMULATOR = ("cli/commands/demo.py", "cli/commands/emulator.py")


def imported(path: Path, folder: Path) -> set[str]:
    """Name what a file imports of *folder*, in functions and for types, too: its files and folders."""
    package = path.relative_to(PACKAGE.parent).parts[:-1]
    prefix = list(folder.relative_to(PACKAGE.parent).parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert all(alias.name.partition(".")[0] != PACKAGE.name for alias in node.names), path
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            target = [*start, *((node.module or "").split(".") if node.module else ())]
            for alias in node.names:
                parts = [*target, alias.name]
                if parts[: len(prefix)] == prefix and len(parts) > len(prefix):
                    found.add(parts[len(prefix)])
    return found


@pytest.mark.parametrize("name", ORDER)
def test_nothing_imports_upwards(name: str) -> None:
    """An import leads to the same folder or file, or to one further down; the emulator only to its own."""
    folder, order = PACKAGE / name, ORDER[name]
    rooms = {
        path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    wrong = []
    for path in sorted(folder.rglob("*.py")):
        room = path.relative_to(folder).with_suffix("").parts[0]
        below = order[order.index(room) + 1 :] if room in order else THE_EMULATORS  # it is in no order
        above = (imported(path, folder) & rooms) - {room, *below}
        if path.relative_to(PACKAGE).as_posix() in STARTS_THE_EMULATOR:
            above.discard("emulator")
        wrong += [f"{path.relative_to(PACKAGE)} imports {other}" for other in sorted(above)]

    assert rooms - {"emulator"} <= set(order)
    assert not wrong
