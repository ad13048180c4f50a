"""
The conformance table, made from the tests: ``python -m tests.emulator.conformance`` writes it.

A test that holds a behaviour of the service carries

    @pytest.mark.conforms("GetId", mark="observed", source="5.2 check 8, 15.10")

The operation, where the belief comes from, and the sections of the specification; what it holds is
its docstring. The facts of the specification, one by one, with their texts, are in facts.py. Tests are
read here, not run; while the suite runs, `witnessed` sees that each was given the answers it is named for.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.emulator.wire.answers import Answer as Sent

from .facts import FACTS, Fact, facts_of

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


def known_tests() -> set[str]:
    """Every test of this directory, ``file::name``."""
    return {
        f"{path.name}::{node.name}"
        for path in HERE.glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


def holders(fact: Fact) -> list[str]:
    """The tests that hold *fact*, without the ids of their cases."""
    names = [name.partition("[")[0] for name in fact.tests.split()]
    return [re.sub(r"^(\w+)::", r"test_\1.py::test_", name) for name in names]


@pytest.fixture(autouse=True)
def witnessed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that is named for a fact, and was never given the answer that the fact is about."""
    from cognito_credentials.emulator.wire import application as http

    function = getattr(request.node, "originalname", request.node.name)
    facts = facts_of(*(f"{request.node.path.name}::{name}" for name in (function, request.node.name)))
    seen: set[tuple[str, str, int]] = set()
    for name in ("send_answer", "send_slowly"):
        monkeypatch.setattr(http, name, _noting(getattr(http, name), seen))
    yield
    check_witnessed(facts, seen)


def _noting(send: Callable[..., Awaitable[None]], seen: set[tuple[str, str, int]]) -> Callable[..., Any]:
    """*send*, which also notes the code, text and status of what it sends."""

    async def noting(*arguments: Any) -> None:
        answer = next(argument for argument in arguments if isinstance(argument, Sent))
        seen.add((answer.code, answer.message, answer.status))  # first: the test goes on once it has it
        await send(*arguments)

    return noting


def check_witnessed(facts: Iterable[Fact], seen: set[tuple[str, str, int]]) -> None:
    """Fail when one of *facts* has an answer that is not among those *seen*."""
    for fact in facts:
        if fact.answer and not any(fact.answer.is_seen(*one) for one in seen):
            pytest.fail(f"fact {fact.name} was never answered: {fact.answer}; there were {sorted(seen)}")


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
    lines += [f"| {one.operation} | {_cell(one.text)} | {one.mark} | `{one.test}` |" for one in found]
    held = [fact for fact in FACTS if fact.tests]
    lines += [
        "",
        "## The specification, fact by fact",
        "",
        f"{len(held)} facts are held, {sum(bool(fact.answer) for fact in held)} of them by an answer that",
        "their tests must have been given over HTTP, or fail; … is what changes from call to call.",
        "",
        "| fact | what | mark | answer | tests |",
        "|---|---|---|---|---|",
    ]
    for fact in FACTS:
        answer = f"{fact.answer.status} {fact.answer.code} {fact.answer.text}".strip() if fact.answer else ""
        names = " ".join(f"`{name}`" for name in holders(fact)) or "not held"
        lines.append(f"| {fact.name} | {_cell(fact.says)} | {fact.mark} | {_cell(answer)} | {names} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"([|<>*\[\]])", r"\\\1", text)


if __name__ == "__main__":
    TABLE.write_text(table())
    sys.stdout.write(f"{TABLE}: {len(behaviours())} lines\n")
