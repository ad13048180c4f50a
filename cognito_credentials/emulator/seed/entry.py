"""One table of a seed file: members are taken out of it with their kinds, and mistakes have their place."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

_MOST_TEXT = 600
_MOST_INTEGER = 2**63 - 1


class SeedError(Exception):
    """The seed file is wrong; the text is one line that names it and the place."""

    def __init__(self, text: str) -> None:
        line = "".join(letter if letter.isprintable() else "?" for letter in text)
        super().__init__(line if len(line) <= _MOST_TEXT else f"{line[:_MOST_TEXT]}...")


@dataclass
class Entry:
    """One table of the file; members are taken out of it until none is left."""

    path: str
    place: str
    values: Any

    def __post_init__(self) -> None:
        if not isinstance(self.values, dict):
            raise self.mistake("", "expected a table")
        self.values = dict(self.values)
        self.known: list[str] = []
        for member, value in self.values.items():
            wrong = _not_json(value)
            if wrong is not None:
                raise self.mistake(member, wrong)

    def mistake(self, member: str, what: str) -> SeedError:
        """The error that *member*, or with an empty name the table, has something wrong."""
        place = f"{self.place}.{member}" if member else self.place
        return SeedError(f"seed file {self.path}: {place}: {what}" if self.path else f"{place}: {what}")

    def take(self, member: str, kind: type, default: Any = ...) -> Any:
        """The value of *member*, which must be there unless it has a default."""
        self.known.append(member)
        value = self.values.pop(member, default)
        if value is ...:
            raise self.mistake("", f"{member} is missing; it is {KINDS[kind]}")
        if value is not default and (type(value) is not kind or value == ""):
            raise self.mistake(member, f"expected {KINDS[kind]}")
        return value

    def take_texts(self, member: str) -> list[str]:
        """The value of *member*, a list of texts; empty when it is not there."""
        texts: list[Any] = self.take(member, list, [])
        if not all(isinstance(text, str) and text for text in texts):
            raise self.mistake(member, "expected a list of texts")
        return texts

    def take_any(self, member: str) -> Any:
        """The value of *member*, of whatever kind; None when it is not there."""
        self.known.append(member)
        return self.values.pop(member, None)

    def finish(self) -> None:
        """Refuse members that nobody took."""
        for member in self.values:
            raise self.mistake(member, f"unknown member; there are: {', '.join(self.known)}")


KINDS = {str: "a text", bool: "true or false", int: "a whole number", list: "a list", dict: "a table"}
"""What a seed file can hold, in words."""


def _not_json(value: Any) -> str | None:
    """What TOML has and the service, which speaks JSON, has not."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return next((wrong for wrong in map(_not_json, inner) if wrong), None)
    if isinstance(value, dt.date | dt.time):
        return "a date is nothing that it takes; write it as a text"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is nothing that it takes"
    if isinstance(value, int) and abs(value) > _MOST_INTEGER:
        return "the number is too large"
    return None
