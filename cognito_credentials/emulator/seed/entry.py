"""One table of a seed file: its members are taken out one by one, and errors name the place of a mistake."""

from __future__ import annotations

import codecs
import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

_MOST_TEXT = 600
_MOST_INTEGER = 2**63 - 1


class SeedError(Exception):
    """A mistake in a seed. The text is one line that names the file and the place."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


def one_line(text: str) -> str:
    """*text* as one printable line of limited length, whatever a seed contains."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    return line if len(line) <= _MOST_TEXT else f"{line[:_MOST_TEXT]}..."


class SeedFileError(SeedError):
    """The seed file itself cannot be read."""


@dataclass
class Entry:
    """
    One table of a seed.

    Attributes:
        path: The path of the seed file; empty for an argument of `Emulator` or of a control call.
        place: The place of the table in the file, e.g. ``pools[1]``.
        values: The members that have not been taken yet.
        known: The names of the members that were asked for.
    """

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
        """The error for a mistake in *member*; with an empty name, in the table itself."""
        place = f"{self.place}.{member}" if member else self.place
        return SeedError(f"seed file {self.path}: {place}: {what}" if self.path else f"{place}: {what}")

    def take(self, member: str, kind: type, default: Any = ...) -> Any:
        """Take the value of *member*. It is required if there is no default."""
        self.known.append(member)
        value = self.values.pop(member, default)
        if value is ...:
            raise self.mistake("", f"{member} is missing; it is {KINDS[kind]}")
        if value is not default and (type(value) is not kind or value == ""):
            raise self.mistake(member, f"expected {KINDS[kind]}")
        return value

    def take_texts(self, member: str) -> list[str]:
        """Take the value of *member*, a list of strings that is empty by default."""
        texts: list[Any] = self.take(member, list, [])
        if not all(isinstance(text, str) and text for text in texts):
            raise self.mistake(member, "expected a list of texts")
        return texts

    def take_any(self, member: str) -> Any:
        """Take the value of *member*, of any kind; None by default."""
        self.known.append(member)
        return self.values.pop(member, None)

    def finish(self) -> None:
        """Refuse members that were not taken."""
        for member in self.values:
            raise self.mistake(member, f"unknown member; there are: {', '.join(self.known)}")


def text_of(content: bytes) -> str:
    """
    The text of a file. Editors and PowerShell may begin it with a byte order mark, which is left out.

    Raises:
        ValueError: It is not UTF-8. The text says what to do.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # also UTF-32, little-endian
        raise ValueError("it is UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8; save it as UTF-8") from None


KINDS = {str: "a text", bool: "true or false", int: "a whole number", list: "a list", dict: "a table"}
"""The kinds of values in words, to follow "expected"."""


def _not_json(value: Any) -> str | None:
    """The mistake in a value that TOML can represent but JSON, and so the service, cannot."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return next((wrong for wrong in map(_not_json, inner) if wrong), None)
    if isinstance(value, dt.date | dt.time):
        return "a date is not accepted; write it as a text"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is not accepted"
    if isinstance(value, int) and abs(value) > _MOST_INTEGER:
        return "the number is too large"
    return None
