"""
The conformance table, made from the tests: ``python -m tests.emulator.conformance`` writes it.

A test that holds a behaviour of the service carries

    @pytest.mark.conforms("GetId", mark="observed", source="5.2 check 8, 15.10")

The operation, where the belief comes from, and the sections of the specification; what it holds is
its docstring. Tests are read, not run; that they pass is the suite's business.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / ".github" / "CONFORMANCE.md"
MARKS = {
    "model": "the service model that every SDK is made from",
    "docs": "AWS's public documentation",
    "observed": "the real service, recorded in public material",
    "assumed": "nothing public was found: a choice of ours, listed in `emulator/assumed.py`",
}


@dataclass(frozen=True, order=True)
class Behaviour:
    """One line of the table."""

    operation: str
    text: str
    mark: str
    source: str
    test: str


def behaviours() -> list[Behaviour]:
    """What the tests of this directory say they hold."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                found.extend(_of(node, path.name))
    return sorted(found)


def _of(test: ast.FunctionDef, file: str) -> Iterator[Behaviour]:
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.conforms":
            options = {keyword.arg: ast.literal_eval(keyword.value) for keyword in decorator.keywords}
            text = " ".join((ast.get_docstring(test) or "").split("\n\n")[0].split())
            for operation in ast.literal_eval(decorator.args[0]).split(", "):
                yield Behaviour(operation, text, options["mark"], options["source"], f"{file}::{test.name}")


def sources() -> set[str]:
    """Every section that some test names."""
    return {part for behaviour in behaviours() for part in behaviour.source.split(", ")}


def table() -> str:
    """The document."""
    found = behaviours()
    marks = "\n".join(f"- **{mark}**: {meaning}" for mark, meaning in MARKS.items())
    lines = [
        "# What the emulator holds of Amazon Cognito Identity",
        "",
        "Made from the tests in `tests/emulator` by `python -m tests.emulator.conformance`; do not edit.",
        f"{len({behaviour.test for behaviour in found})} tests, {len(found)} lines. How sure each is:",
        "",
        marks,
        "",
        "| operation | behaviour | mark | test |",
        "|---|---|---|---|",
    ]
    for one in found:
        text = re.sub(r"([|<>])", r"\\\1", one.text)
        lines.append(f"| {one.operation} | {text} | {one.mark} | `{one.test}` |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table())
    sys.stdout.write(f"{TABLE}: {len(behaviours())} lines\n")
