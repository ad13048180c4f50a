"""
The shape of the code: who imports whom, what is mutable, how long things are (design.md section 2).

The sources are read, not imported, so that imports inside functions and for types count too.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = "cognito_credentials"
ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / PACKAGE).rglob("*.py"))

LAYERS = (
    # The base layer: values and rules that know nothing of anybody.
    ("digest", "errors", "secret", "clock", "regions", "loopback", "policy"),
    ("credentials", "notices", "single_flight"),
    # Settings: what was configured, and where.
    ("shapes", "configuration"),
    ("endpoints", "lookup"),
    # The memory, and the wire below the service; neither knows the other.
    ("cache", "exchange.actions", "exchange.silence"),
    ("exchange.deadline",),
    ("exchange.transport",),
    ("exchange.botocore_client",),
    ("logins",),
    ("sign_in",),
    ("resolution",),
    ("settings",),
    ("exchange",),
    # The back end's half of developer logins: needs the meaning of failures, and nothing else does need it.
    ("back_end",),
    # The policy: the only place where logins, exchange and cache meet.
    ("held", "backoff", "waiting", "handover"),
    ("identities",),
    ("recovery",),
    ("refresh",),
    ("identification",),
    ("status", "parts"),
    ("linking",),
    ("signing",),
    ("pool",),
    # Ways in.
    ("botocore_errors",),
    ("session",),
    ("cli",),
    ("__main__", "__init__"),
)
"""From the bottom up: a module imports from lines above its own in this list, and a package from itself."""

EMULATOR_ENTRANCES = {
    "cli/commands/emulator.py": "the command that runs it",
    "cli/commands/demo.py": "runs it in the same process, and speaks to it over HTTP",
}
"""Who may import the emulator, and then only what its ``__init__`` or ``command`` gives."""

LONG_FILES = {
    "cache/record.py": "the whole record format in one place, so that it can be checked against one page",
}
LONG_FUNCTIONS: dict[str, str] = {
    "emulator/command.py:serve": "thirteen lines of it are its signature; one attempt, one clause a failure",
}
MOST_LINES = 320
MOST_FUNCTION_LINES = 45
"""Without the docstring."""

BACK_EDGES = {
    f"{PACKAGE}.emulator.service": f"{PACKAGE}.emulator.operations",  # each operation takes the service
}
"""Imports inside a function that close a circle on purpose."""

MODULE_LEVEL_CALLS = {
    *("frozenset", "tuple", "float", "getattr", "range", "re.compile", "TypeVar", "ParamSpec", "NewType"),
    *("MappingProxyType", "join", "split", "items", "keys", "values"),
    "logging.getLogger",  # the logging module's own registry
    "contextvars.ContextVar",  # a name; its values belong to threads and tasks
    "Row",  # exchange/table.py: frozen rows
    "Command",  # cli/commands/: frozen descriptions
    "Names",  # lookup.py: named tuples
    "Caller",  # emulator/signatures.py: frozen
    "Kind",  # emulator/members.py: frozen
}
"""What may be called while a module is imported: results that cannot change. Extend it with the reason."""

MUTATORS = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "remove"),
    *("reverse", "setdefault", "sort", "update", "intersection_update", "difference_update", "__setitem__"),
}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _short(path: Path) -> str:
    return path.relative_to(ROOT / PACKAGE).as_posix()


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def _imports(path: Path, *, for_types: bool = True) -> Iterator[tuple[str, int]]:
    """Yield the absolute names of the modules of ours that *path* imports, and the lines."""
    package = path.relative_to(ROOT).parent.parts
    for node in _nodes(_tree(path), for_types):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE:
                    yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module) if part)
            if name.split(".")[0] == PACKAGE:
                for alias in node.names:
                    inner = f"{name}.{alias.name}"
                    yield (inner if _exists(inner) else name), node.lineno


def _nodes(tree: ast.AST, for_types: bool) -> Iterator[ast.AST]:
    """Walk a tree; with or without what stands under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(tree):
        if for_types or not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from _nodes(child, for_types)


def _exists(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _layer(module: str) -> str:
    """Name the line of `LAYERS` a module stands in: its own, or its first part below the package."""
    own = module.removeprefix(f"{PACKAGE}.")
    return own if any(own in names for names in LAYERS) else [*module.split("."), "__init__"][1]


def _rank(layer: str) -> int:
    return next((rank for rank, names in enumerate(LAYERS) if layer in names), -1)


def test_every_module_has_its_place() -> None:
    """A new module is given a line in LAYERS before anybody imports it."""
    layers = {_layer(_module(path)) for path in SOURCES} - {"emulator"}

    assert layers == {name for line in LAYERS for name in line}


def test_imports_go_down_only() -> None:
    """A module imports from lines above its own, or from its own package."""
    wrong = []
    for path in SOURCES:
        layer = _layer(_module(path))
        if layer == "emulator":
            continue
        for name, line in _imports(path):
            other = _layer(name)
            if other in (layer, "emulator"):
                continue
            if _rank(other) >= _rank(layer):
                wrong.append(f"{_short(path)}:{line} imports {name}, which stands above it")

    assert not wrong, "\n".join(wrong)


def test_no_cycle_within_a_package() -> None:
    """Inside a package, too, a reader finds an order to read the files in."""
    graph: dict[str, set[str]] = {}
    for path in SOURCES:
        # Two classes may name each other as types; what runs may not need each other.
        inner = {name for name, _ in _imports(path, for_types=False)}
        graph[_module(path)] = inner - {PACKAGE, _module(path), BACK_EDGES.get(_module(path))}
    # A package's __init__ shows what its modules hold, and they use what it says about all of them.
    for package in [name for name in graph if (ROOT / Path(*name.split("."))).is_dir()]:
        graph[package] = {name for name in graph[package] if not name.startswith(package + ".")}

    cycles = _cycles(graph)

    assert not cycles, f"among these some import each other: {cycles}"


def _cycles(graph: dict[str, set[str]]) -> list[str]:
    """Take away modules that import nothing that is left, until none can be taken away."""
    left = {name: set(imports) for name, imports in graph.items()}
    while free := [name for name, imports in left.items() if not imports & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_the_emulator_shares_no_code_with_the_client() -> None:
    """A wrong belief about the wire cannot hide in both sides: they meet over HTTP only."""
    wrong = []
    for path in SOURCES:
        inside = _layer(_module(path)) == "emulator"
        for name, line in _imports(path):
            if inside and _layer(name) != "emulator":
                wrong.append(f"{_short(path)}:{line} imports {name}")
            elif not inside and _layer(name) == "emulator":
                if _short(path) not in EMULATOR_ENTRANCES:
                    wrong.append(f"{_short(path)}:{line} imports {name}")
                elif name not in (f"{PACKAGE}.emulator", f"{PACKAGE}.emulator.command"):
                    wrong.append(f"{_short(path)}:{line} reaches into {name}")

    assert not wrong, "\n".join(wrong)


FREE = {"_sha2", "_sha256", "_thread", "__future__"}
"""Built into the interpreter, or a file of constants."""


@pytest.mark.parametrize(
    "module", ["cli", "cli.fast", "cache", "cache.file", "cache.record", "errors", "secret", "credentials"]
)
def test_the_fast_path_imports_nothing(module: str) -> None:
    """A cache hit of credential-process costs hardly more than starting Python (design.md section 5)."""
    # What any program has: `site` imports os and stat; errno and time are built in.
    before = _loaded("import os, stat, errno, time")
    after = _loaded(f"import sys, os, stat; sys.path.insert(0, {str(ROOT)!r}); import {PACKAGE}.{module}")
    ours = {name for name in after if name.split(".")[0] == PACKAGE}

    assert f"{PACKAGE}.{module}" in ours
    assert after - before - ours - FREE == set()


def _loaded(code: str) -> set[str]:
    """Run *code* in a fresh interpreter and return what is imported then."""
    # -S: what a .pth file of the developer's environment imports must not hide what we import.
    program = f"{code}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-E", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def _module_level(path: Path) -> Iterator[ast.stmt]:
    """Yield the statements that run at import, those under ``if TYPE_CHECKING`` left out."""
    waiting = list(_tree(path).body)
    while waiting:
        statement = waiting.pop(0)
        if isinstance(statement, ast.If):
            waiting += (
                [] if "TYPE_CHECKING" in ast.unparse(statement.test) else statement.body
            ) + statement.orelse
        elif isinstance(statement, ast.Try):
            waiting += statement.body + [s for h in statement.handlers for s in h.body] + statement.orelse
        elif isinstance(statement, ast.ClassDef):
            waiting += statement.body
        else:
            yield statement


def test_nothing_is_done_at_import() -> None:
    """Importing defines things: it starts, opens, registers and configures nothing."""
    wrong = []
    for path in SOURCES:
        for statement in _module_level(path):
            place = f"{_short(path)}:{statement.lineno}"
            if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant):
                wrong.append(f"{place} does {ast.unparse(statement.value)}")
            elif isinstance(statement, (ast.For, ast.While, ast.With, ast.Delete, ast.AugAssign)):
                wrong.append(f"{place} runs {type(statement).__name__.lower()}")
    if wrong := [line for line in wrong if "__main__.py" not in line]:
        pytest.fail("\n".join(wrong))


def test_module_state_cannot_change() -> None:
    """What lives as long as the process is made of values: no lock, cache, counter or registry."""
    wrong = []
    for path in SOURCES:
        for statement in _module_level(path):
            if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
                for call in _calls(statement.value):
                    name = ast.unparse(call.func)
                    last = name.rpartition(".")[2]
                    if not {name, last} & {*MODULE_LEVEL_CALLS, "field"}:  # field: a value for each object
                        wrong.append(f"{_short(path)}:{call.lineno} calls {name[-40:]} at import")

    assert not wrong, "\n".join(wrong)


def _calls(value: ast.expr) -> Iterator[ast.Call]:
    """Yield the calls of an expression that happen now: not those inside a lambda."""
    if isinstance(value, ast.Lambda):
        return
    if isinstance(value, ast.Call):
        yield value
    for child in ast.iter_child_nodes(value):
        if isinstance(child, (ast.expr, ast.keyword, ast.comprehension)):
            yield from _calls(child)  # type: ignore[arg-type]  # keyword and comprehension hold expressions


def _mutable_constants() -> set[str]:
    """Name every list, dict and set that is assigned at module or class level."""
    found = set()
    for path in SOURCES:
        for statement in _module_level(path):
            if isinstance(statement, ast.Assign) and _is_mutable(statement.value):
                found |= {ast.unparse(target) for target in statement.targets}
            elif isinstance(statement, ast.AnnAssign) and _is_mutable(statement.value):
                found.add(ast.unparse(statement.target))
    return found - {"__slots__"}


def _is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Attribute) and value.func.attr == "split"
    return isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))


def test_tables_are_named_as_constants_and_never_written_to() -> None:
    """A dict at module level is a table that is only read, by whatever name it is reached."""
    tables = _mutable_constants()
    wrong = [
        f"{name} is not named as a constant" for name in tables if name != "__all__" and not name.isupper()
    ]
    for path in SOURCES:
        for node in ast.walk(_tree(path)):
            written = _written(node)
            if written is not None and written.rpartition(".")[2] in tables:
                wrong.append(f"{_short(path)}:{node.lineno} writes to {written}")
            if isinstance(node, (ast.Global,)):
                wrong.append(f"{_short(path)}:{node.lineno} has a global statement")

    assert tables, "the rule looks at nothing"
    assert not wrong, "\n".join(wrong)


def _written(node: ast.AST) -> str | None:
    """Name what a node writes into, if it does: ``X[...] = ``, ``del X[...]``, ``X += ``, ``X.append``."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
        return ast.unparse(node.value)
    if isinstance(node, ast.AugAssign):
        return ast.unparse(node.target)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        return ast.unparse(node.func.value)
    return None


def test_files_are_short() -> None:
    """A file has one job, and can be read in one sitting."""
    long = {_short(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    long = {name: lines for name, lines in long.items() if lines > MOST_LINES}

    assert not long.keys() - LONG_FILES.keys(), f"split these: {long}"
    assert not LONG_FILES.keys() - long.keys(), "these need no exception any more"


def test_functions_are_short() -> None:
    """A function is one thought; what is longer hides another function."""
    long = set()
    for path in SOURCES:
        for node in ast.walk(_tree(path)):
            if (
                isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
                and _lines(node) > MOST_FUNCTION_LINES
            ):
                long.add(f"{_short(path)}:{node.name}")

    assert not long - LONG_FUNCTIONS.keys(), f"split these: {sorted(long)}"
    assert not LONG_FUNCTIONS.keys() - long, "these need no exception any more"


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return whole
    docstring = function.body[0]
    return whole - ((docstring.end_lineno or 0) - docstring.lineno + 1)


def test_no_module_is_named_for_what_did_not_fit_elsewhere() -> None:
    """Names say what a thing is: no utils, helpers, common, manager, base."""
    nameless = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "base", "core"}

    assert not [path for path in SOURCES if path.stem.strip("_") in nameless]


def test_every_module_says_what_it_is_for() -> None:
    """Each file opens with its job, so that the tree can be read without its code."""
    silent = [_short(path) for path in SOURCES if not ast.get_docstring(_tree(path))]

    assert not silent
    assert os.path.isfile(ROOT / PACKAGE / "py.typed")
