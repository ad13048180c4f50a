"""The page of tested clients: each row has its test, and each version is the one that `.ci/run` installs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .table import pinned, rows

pytestmark = pytest.mark.quick
FOLDER = Path(__file__).parent


def _proven() -> Iterator[tuple[str, str, bool]]:
    """Consumer and way of each call of `proves`, and whether the test passes the version."""
    for path in [*FOLDER.glob("test_*.py"), *(FOLDER.parent / "examples").glob("test_*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "proves":
                consumer, served_by = (ast.literal_eval(argument) for argument in node.args)
                yield consumer, served_by, any(keyword.arg == "version" for keyword in node.keywords)


def test_each_row_is_proven() -> None:
    """The rows are those that tests compare with what they have seen."""
    named = [(row.consumer, row.served_by) for row in rows()]

    assert sorted(named) == sorted((consumer, served_by) for consumer, served_by, _ in _proven())
    assert named == sorted(named, key=lambda row: row[0].lower()), "sort the rows by consumer"


def test_each_version_is_the_one_that_ci_installs() -> None:
    """A package's version is one in the constraints of .ci; of others the test passes the version it ran."""
    passed = {(consumer, served_by) for consumer, served_by, has_version in _proven() if has_version}
    others = {(row.consumer, row.version) for row in rows() if (row.consumer, row.served_by) not in passed}

    assert others - pinned() == set()
