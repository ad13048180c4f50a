"""
The properties of a resource: taken out by kind, as CloudFormation and Terraform take them.

Both accept ``"true"`` for true and ``3600`` for a text. A property of another kind is a mistake at its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cognito_credentials.emulator.seed.entry import KINDS, SeedError

_FLAGS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?[0-9]{1,18}")


class Members:
    """
    The properties of one resource, or of a table in it.

    Attributes:
        place: Where it is in the file.
        values: The properties. One that is null is not given.
    """

    def __init__(self, path: str, place: str, values: Any) -> None:
        self._path = path
        self.place = place
        if not isinstance(values, dict):
            raise self.mistake("", f"expected {KINDS[dict]}")
        self.values = values

    def mistake(self, name: str, what: str) -> SeedError:
        """The error for a mistake in the property *name*; with an empty name, in the resource."""
        return SeedError(f"seed file {self._path}: {self.place}{f'.{name}' if name else ''}: {what}")

    def text(self, name: str) -> str | None:
        """A text, or a number or a flag as text; None if it is not given, or empty."""
        value = self.values.get(name)
        return None if value is None or value == "" else self._as_text(name, value)

    def needed(self, name: str) -> str:
        """A text that must be given."""
        value = self.text(name)
        if value is None:
            raise self.mistake("", f"{name} is missing; it is {KINDS[str]}")
        return value

    def flag(self, name: str) -> bool | None:
        """True or false, also as text."""
        value = self.values.get(name)
        value = _FLAGS.get(value.lower(), value) if isinstance(value, str) else value
        if value is not None and not isinstance(value, bool):
            raise self.mistake(name, f"expected {KINDS[bool]}")
        return value

    def number(self, name: str) -> int | None:
        """A whole number, also as text."""
        value = self.values.get(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if value is not None and type(value) is not int:
            raise self.mistake(name, f"expected {KINDS[int]}")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts, empty by default."""
        items = enumerate(self._list(name), start=1)
        return [self._as_text(f"{name}[{number}]", item) for number, item in items if item is not None]

    def text_map(self, name: str) -> dict[str, str]:
        """A table of texts, empty by default."""
        values = self._dict(name)
        return {
            key: self._as_text(f"{name}.{key}", value) for key, value in values.items() if value is not None
        }

    def inner(self, name: str) -> Members:
        """
        A table, empty by default.

        Terraform has a block that may be given once as a list with one table.
        """
        value = self.values.get(name)
        if isinstance(value, list) and len(value) <= 1:
            value = value[0] if value else None
        return Members(self._path, f"{self.place}.{name}", {} if value is None else value)

    def each(self, name: str) -> Iterator[Members]:
        """The tables of a list, which is empty by default."""
        for number, value in enumerate(self._list(name), start=1):
            if value is None:  # Terraform's plan has null for what it does not know
                continue
            yield Members(self._path, f"{self.place}.{name}[{number}]", value)

    def named(self, name: str) -> Iterator[tuple[str, Members]]:
        """The tables of a table, each with its name."""
        for key, value in self._dict(name).items():
            yield key, Members(self._path, f"{self.place}.{name}.{key}", value)

    def _list(self, name: str) -> list[Any]:
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            raise self.mistake(name, f"expected {KINDS[list]}")
        return value or []

    def _dict(self, name: str) -> dict[str, Any]:
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.mistake(name, f"expected {KINDS[dict]}")
        return value or {}

    def _as_text(self, name: str, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str | int | float):
            raise self.mistake(name, f"expected {KINDS[str]}")
        return str(value)
