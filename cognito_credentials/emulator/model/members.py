"""
Reads the JSON of requests, and checks its members against a table of kinds.

Refused are values that could not be stored, sent or computed with later.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 100
"""No useful request nests deeper. Python's own limit depends on the depth of the call stack."""

_MOST_DIGITS = 9
_MOST_OPERATION = 128  # the search for similar names takes time that grows with the square of the length
MOST_SECONDS = 10**9
"""About 30 years: a time that far from now is still a date that Python can represent."""


_Path = tuple[Any, ...]
"""The path of the container of a value, and the name or index in it; empty for the whole body."""


class JsonError(ValueError):
    """A body is not JSON, or has a value that cannot be used. The text says which."""


class ControlError(ValueError):
    """An argument of a control call is wrong. The text names the member, and the values that it may have."""


@dataclass(frozen=True)
class Kind:
    """
    The values that a member may have.

    Attributes:
        accepts: True for a value of this kind.
        name: These values in words, to follow "expected".
        or_null: Null is accepted as well, and means that the member is not given.
    """

    accepts: Callable[[Any], bool]
    name: str
    or_null: bool = False


def read_json(body: bytes) -> Any:
    """
    The JSON value of a body. An empty body is an empty object.

    Raises:
        JsonError: The body is not JSON, or has a number or a string that cannot be used.
    """
    try:
        text = body.decode()
        value = json.loads(text) if text.strip() else {}
    except UnicodeDecodeError:
        raise JsonError("the body is not UTF-8") from None
    except RecursionError:
        raise JsonError("the body nests too deeply") from None
    except ValueError as error:
        raise JsonError(f"the body is not JSON: {error}") from None
    _check_values(value)
    return value


def read_members(
    content: Any, kinds: Mapping[str, Kind], place: str = "", required: Collection[str] = ()
) -> dict[str, Any]:
    """
    Check the members of *content*. The result lacks members that are null, if their kind has ``or_null``.

    Args:
        place: The path of *content* in the request, e.g. ``faults[0]``.
        required: The members that must be given.

    Raises:
        ControlError: *content* is not an object, or a member is unknown, missing or not of its kind.
    """
    before = f"{place}: " if place else ""
    there_are = f"there are: {', '.join(kinds) or 'none'}"
    if not isinstance(content, Mapping):
        raise ControlError(f"{before}expected a JSON object; {there_are}")
    unknown = [str(name) for name in content if name not in kinds]
    if unknown:
        raise ControlError(f"{before}unknown member {', '.join(map(shortened, unknown))}; {there_are}")
    for name in required:
        if name not in content:
            raise ControlError(f"{before}{name} is missing; it is {kinds[name].name}")
    members = {name: value for name, value in content.items() if value is not None or not kinds[name].or_null}
    for name, value in members.items():
        check_member(f"{place}.{name}" if place else name, value, kinds[name])
    return members


def check_member(place: str, value: Any, kind: Kind) -> None:
    """
    Refuse a *value* that is not of *kind*.

    Raises:
        ControlError: The value is of another kind.
    """
    if not kind.accepts(value):
        raise ControlError(f"{place}: expected {kind.name}, not {shortened(_shown(value))}")


def check_operation(place: str, name: str, operations: Collection[str]) -> None:
    """
    Refuse a *name* that no operation has. There are too many to list: the nearest is named.

    Raises:
        ControlError: The text names the nearest operation, or the call that lists all.
    """
    if name in operations:
        return
    lower = {operation.lower(): operation for operation in operations}
    near = difflib.get_close_matches(name[:_MOST_OPERATION].lower(), lower, 1, 0.75)
    hint = f"did you mean {lower[near[0]]}?" if near else "GET /_emulator/operations lists them"
    raise ControlError(f"{place}: no operation {shortened(name)}; {hint}")


def json_value(place: str, value: Any) -> Any:
    """
    A Python *value* as it is after a way through JSON.

    Raises:
        ControlError: JSON cannot represent the value.
    """
    try:
        text = json.dumps({place: value})
    except RecursionError:
        raise ControlError(f"{place}: it nests too deeply") from None
    except (TypeError, ValueError) as error:
        raise ControlError(f"{place}: expected what JSON can hold: {error}") from None
    try:
        return read_json(text.encode())[place]
    except JsonError as error:
        raise ControlError(str(error)) from None


def is_number(value: Any, least: float, most: float) -> bool:
    """True for a number from *least* to *most*, but not for a bool."""
    is_numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return is_numeric and least <= value <= most  # False for NaN


def is_text(value: Any) -> bool:
    """True for a string that is not empty and can be encoded."""
    return isinstance(value, str) and value != "" and _is_encodable(value)


def is_texts(value: Any) -> bool:
    """True for a list of strings that are not empty and can be encoded."""
    return isinstance(value, list | tuple) and all(map(is_text, value))


def shortened(text: str) -> str:
    """At most 60 characters of *text* in one line, for a message."""
    return one_line(text, 60) + ("..." if len(text) > 60 else "")


def one_line(text: str, most: int) -> str:
    """At most *most* characters of *text*, with ``?`` for those that end a line or control a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:most])


def _is_number(value: Any) -> bool:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


NUMBER = Kind(_is_number, "a whole number of 0 or more, of at most nine digits")
"""A number, also as the text that a query has."""
TEXT = Kind(is_text, "a text that is not empty")
SECONDS = Kind(lambda value: is_number(value, 0, MOST_SECONDS), f"a number of seconds, 0 to {MOST_SECONDS}")
SIGNED_SECONDS = Kind(
    lambda value: is_number(value, -MOST_SECONDS, MOST_SECONDS),
    f"a number of seconds, {-MOST_SECONDS} to {MOST_SECONDS}",
)


def _shown(value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):  # a value of Python code that is not JSON
        return type(value).__name__


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_values(value: Any) -> None:
    """Refuse values that only Python's json reads: NaN, infinity, lone surrogates; and too deep nesting."""
    level: list[tuple[_Path, Any]] = [((), value)]
    for _ in range(_MAX_DEPTH):
        inner: list[tuple[_Path, Any]] = []
        for path, item in level:
            if isinstance(item, dict):
                inner.extend(((path, name), member) for name, member in item.items())
                if not all(map(_is_encodable, item)):
                    raise JsonError(f"{_place(path)}: a name in it has a lone surrogate")
            elif isinstance(item, list):
                inner.extend(((path, number), member) for number, member in enumerate(item))
            elif isinstance(item, str) and not _is_encodable(item):
                raise JsonError(f"{_place(path)}: expected whole characters, not a lone surrogate")
            elif isinstance(item, float) and not math.isfinite(item):
                raise JsonError(f"{_place(path)}: expected a finite number, not {item}")
        if not inner:
            return
        level = inner
    raise JsonError(f"{_place(level[0][0])}: nested deeper than {_MAX_DEPTH} levels")


def _place(path: _Path) -> str:
    names: list[str] = []
    while path:
        path, name = path
        names.append(f"[{name}]" if isinstance(name, int) else f".{name}")
    text = "".join(reversed(names)).removeprefix(".")
    return shortened(text.encode(errors="replace").decode()) or "the body"
