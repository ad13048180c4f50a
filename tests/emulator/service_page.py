"""
`reference/service.md`, read: its facts, and a watch over the tests that they name.

A fact is one item of a list on that page:

    - <a id="5.2.4"></a>**5.2.4** What holds: `400 NotAuthorizedException: Invalid login token. …`.\\
      *Seen*: [aws-sdk-android#1431]. *Test*: `tests/emulator/test_x.py::test_own_token`.

… stands for what changes from call to call.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cognito_credentials.emulator.wire.answers import Answer as Sent

ROOT = Path(__file__).parents[2]
PAGE = ROOT / ".github" / "docs" / "reference" / "service.md"
_FACT = re.compile(
    r'^- <a id="(?P<number>[^"]+)"></a>\*\*(?P=number)\*\* (?P<says>.+?)\\\n'
    r"  \*(?P<certainty>Documented|Seen|Assumed)\*(?P<rest>.+?)(?=\n- |\n\n)",
    re.MULTILINE | re.DOTALL,
)
_ANSWER = re.compile(r"`(\d{3}) (\w+)(?:: ([^`]+))?`")


class Answer(NamedTuple):
    """What the service says, as it must be seen over HTTP."""

    status: int
    code: str
    text: str = ""

    def is_seen(self, status: int, code: str, text: str) -> bool:
        pattern = ".*".join(map(re.escape, self.text.split("…")))
        return (status, code) == (self.status, self.code) and bool(re.fullmatch(pattern, text, re.DOTALL))


@dataclass(frozen=True)
class Fact:
    """
    One item of the page.

    Attributes:
        number: Its anchor.
        certainty: ``Documented``, ``Seen`` or ``Assumed``.
        rest: What follows the certainty: sources, and tests or why there is none.
        tests: As pytest names them, ``path::name``, with the id of one case in brackets.
    """

    number: str
    says: str
    certainty: str
    rest: str
    tests: tuple[str, ...]
    answer: Answer | None


@cache
def facts() -> tuple[Fact, ...]:
    return tuple(_fact(match) for match in _FACT.finditer(PAGE.read_text()))


def _fact(match: re.Match[str]) -> Fact:
    says, rest = (match[part].replace("\n  ", " ") for part in ("says", "rest"))
    answer = _ANSWER.search(says)
    return Fact(
        number=match["number"],
        says=says,
        certainty=match["certainty"],
        rest=rest,
        tests=tuple(re.findall(r"`(tests/[^`]+)`", rest)),
        answer=Answer(int(answer[1]), answer[2], answer[3] or "") if answer else None,
    )


@pytest.fixture(autouse=True)
def witnessed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that a fact names, and that was never given the answer of this fact."""
    from cognito_credentials.emulator.wire import application

    path = request.node.path.relative_to(ROOT).as_posix()
    names = {f"{path}::{name}" for name in (request.node.name, getattr(request.node, "originalname", ""))}
    seen: set[tuple[int, str, str]] = set()
    for name in ("send_answer", "send_slowly"):
        monkeypatch.setattr(application, name, _noting(getattr(application, name), seen))
    yield
    check_witnessed([fact for fact in facts() if names & set(fact.tests)], seen)


def _noting(send: Callable[..., Awaitable[None]], seen: set[tuple[int, str, str]]) -> Callable[..., Any]:
    """*send*, which also notes the status, code and text of what it sends."""

    async def noting(*arguments: Any) -> None:
        answer = next(argument for argument in arguments if isinstance(argument, Sent))
        # Before it is sent: the test goes on once it has the answer.
        seen.add((answer.status, answer.code, answer.message))
        await send(*arguments)

    return noting


def check_witnessed(named: Iterable[Fact], seen: set[tuple[int, str, str]]) -> None:
    """Fail when one of the facts has an answer that is not among those *seen*."""
    for fact in named:
        if fact.answer and not any(fact.answer.is_seen(*one) for one in seen):
            pytest.fail(f"service.md#{fact.number} was never answered: {fact.answer}; got {sorted(seen)}")
