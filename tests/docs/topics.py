"""The topics of errors, read from the package: which text each place that makes an error says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cognito_credentials import errors
from cognito_credentials.exchange.table import TABLE, UNKNOWN
from cognito_credentials.sign_in.challenge import ChallengeRequired
from cognito_credentials.sign_in.issuers import refusals

PACKAGE = Path(errors.__file__).parent
OF_COMMANDS = {
    "E-USAGE": "UsageError",
    "E-EXEC": "CommandError",
    "E-OUTPUT": "standard output cannot be written",
}
"""Topics of what is no error of the package: `cli/failures.py` names them."""


def classes() -> dict[str, type[errors.CognitoCredentialsError]]:
    """Return every public class of errors by its name."""
    kinds = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    of_ours = {name: kind for name, kind in kinds.items() if issubclass(kind, errors.CognitoCredentialsError)}
    return {**of_ours, "ChallengeRequired": ChallengeRequired}


@cache
def said() -> dict[str, list[str]]:
    """Return the texts of each topic: a list of parts of messages, as they stand in the source."""
    found: dict[str, list[str]] = {kind.topic: [] for kind in classes().values()}
    for topic, texts in OF_COMMANDS.items():
        found[topic] = [texts]
    for row in (*TABLE, UNKNOWN):
        found.setdefault(row.topic, []).append(row.says)
    for refusal in refusals.TABLE:
        found.setdefault(refusal.topic, []).append(refusal.said)
    for path in _files():
        for call in _calls(ast.parse(path.read_text("utf-8"))):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            kind = classes().get(name)
            if kind is None:
                continue
            given = next((each.value for each in call.keywords if each.arg == "topic"), None)
            topic = given.value if isinstance(given, ast.Constant) else kind.topic
            texts = [ast.literal_eval(part) for part in ast.walk(call) if _is_text(part)]
            found.setdefault(topic, []).extend(text for text in texts if not text.startswith("E-"))
    return found


def without_topic() -> list[str]:
    """Return where an error of a class from a variable or a table is made without a topic of its own."""
    found = []
    for path in _files():
        for call in _calls(ast.parse(path.read_text("utf-8"))):
            given = {each.arg for each in call.keywords}
            name = ast.unparse(call.func).removeprefix("errors.")
            if (
                name not in classes()
                and not name.endswith(".__init__")
                and "hint" in given
                and not given & {"topic", None}
            ):
                found.append(f"{path.relative_to(PACKAGE)}:{call.lineno}")
    return found


def _files() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if PACKAGE / "emulator" not in path.parents]


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
