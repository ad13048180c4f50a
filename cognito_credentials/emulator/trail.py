"""
What a request was checked for and what was decided, one sentence each, in the order in which it happened.

Code that checks or decides says so where it does:

    checked("the token has not expired")
    decided(f"the role is {role}, by rule 2 of the mapping for {provider}")

The sentence goes to the request that is being answered. The context leads to it, so no function needs another
argument. Outside of a request nothing is recorded. People see these sentences on the page: they contain ids,
names and claims, but no token, password or secret key.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

_MOST_FACTS = 60
_MOST_TEXT = 400

HOLDS, FAILS, DECIDED, ISSUED = "holds", "fails", "decided", "issued"


@dataclass
class Trail:
    """
    The facts about one request.

    Attributes:
        request: The members of the request that are no secrets.
        facts: Pairs of a kind (HOLDS, FAILS, DECIDED or ISSUED) and a sentence. There are at most 60, each of
            at most 400 characters.
    """

    request: Mapping[str, Any] = field(default_factory=dict)
    facts: list[tuple[str, str]] = field(default_factory=list)

    def note(self, kind: str, sentence: str) -> None:
        """Add a fact, while there is room."""
        if len(self.facts) < _MOST_FACTS:
            self.facts.append((kind, sentence[:_MOST_TEXT]))


_CURRENT: Final[ContextVar[Trail | None]] = ContextVar("cognito_credentials_emulator_trail", default=None)


def begin() -> Trail:
    """A new trail, for the rest of this task."""
    trail = Trail()
    _CURRENT.set(trail)
    return trail


def asked(request: Mapping[str, Any]) -> None:
    """The request that is being answered has these members."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.request = request


def checked(sentence: str, holds: bool = True) -> None:
    """
    A condition was checked.

    Args:
        holds: False if it does not hold and another may. Where it ends the request, the error says so.
    """
    trail = _CURRENT.get()
    if trail is not None:
        trail.note(HOLDS if holds else FAILS, sentence)


def decided(sentence: str) -> None:
    """Something was chosen, made or changed."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.note(DECIDED, sentence)


def issued(sentence: str) -> None:
    """A key or a token was issued."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.note(ISSUED, sentence)


def begin_again() -> None:
    """The operation is done again from its start, and says everything again."""
    trail = _CURRENT.get()
    if trail is not None:
        trail.facts.clear()
