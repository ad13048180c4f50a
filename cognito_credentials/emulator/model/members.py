"""
JSON that a request brings: read in one way, and its members checked against a table of kinds.

What is refused here could not be stored, sent or computed with later.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 100
"""No request of the service or of a test nests deeper; Python's own limit depends on who calls."""

MOST_SECONDS = 10**9
"""Some 30 years: every moment that far from now is still a date."""


_Path = tuple[Any, ...]
"""The path of what a value stands in, and its name or number there; empty at the top."""


class JsonError(ValueError):
    """A body is no JSON that can be worked with; the text says why."""


class ControlError(ValueError):
    """What a test asks the emulator for is wrong; the text names the member and says what it may be."""


@dataclass(frozen=True)
class Kind:
    """
    What a member may be.

    Attributes:
        accepts: Tells whether a value is of this kind.
        name: The same in words, after "expected".
        or_null: Null is as good, and as if the member were not there.
    """

    accepts: Callable[[Any], bool]
    name: str
    or_null: bool = False


def read_json(body: bytes) -> Any:
    """
    The JSON value of a body; an empty body is an empty object.

    Raises:
        JsonError: It is none, or holds a number or a text that nothing could be done with.
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
    The members of *content*, checked; without those that are null where this is as if they were not there.

    Args:
        place: Where *content* stands, e.g. ``faults[0]``.
        required: Members that must be there.

    Raises:
        ControlError: It is no object, or a member is unknown, missing or not of its kind.
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
    given = {name: value for name, value in content.items() if value is not None or not kinds[name].or_null}
    for name, value in given.items():
        check_member(f"{place}.{name}" if place else name, value, kinds[name])
    return given


def check_member(place: str, value: Any, kind: Kind) -> None:
    """
    Refuse a *value* that is not of *kind*.

    Raises:
        ControlError: It is not.
    """
    if not kind.accepts(value):
        raise ControlError(f"{place}: expected {kind.name}, not {shortened(_shown(value))}")


def json_value(place: str, value: Any) -> Any:
    """
    A *value* of Python's as JSON would bring it.

    Raises:
        ControlError: JSON cannot hold it, or not so that it could be read again.
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
    """True for a number, and no flag, from *least* to *most*."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and least <= value <= most  # never true of NaN


def is_text(value: Any) -> bool:
    """True for a text, not empty, that can be stored and sent."""
    return isinstance(value, str) and value != "" and _is_encodable(value)


def is_texts(value: Any) -> bool:
    """True for a list of such texts."""
    return isinstance(value, list | tuple) and all(map(is_text, value))


def shortened(text: str) -> str:
    """*text* as far as a message should have it."""
    return one_line(text, 60) + ("..." if len(text) > 60 else "")


def one_line(text: str, most: int) -> str:
    """At most *most* letters of *text*, none of which ends a line or moves the cursor of a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:most])


TEXT = Kind(is_text, "a text that is not empty")
FLAG = Kind(lambda value: isinstance(value, bool), "true or false")
SECONDS = Kind(lambda value: is_number(value, 0, MOST_SECONDS), f"seconds, 0 to {MOST_SECONDS}")
SIGNED_SECONDS = Kind(
    lambda value: is_number(value, -MOST_SECONDS, MOST_SECONDS),
    f"seconds, {-MOST_SECONDS} to {MOST_SECONDS}",
)


def _shown(value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):  # from Python, not from JSON
        return type(value).__name__


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_values(value: Any) -> None:
    """Refuse what JSON can spell in Python only: NaN, a number too large, half a character, endless depth."""
    level: list[tuple[_Path, Any]] = [((), value)]
    for _ in range(_MAX_DEPTH):
        inner: list[tuple[_Path, Any]] = []
        for path, item in level:
            if isinstance(item, dict):
                inner.extend(((path, name), member) for name, member in item.items())
                if not all(map(_is_encodable, item)):
                    raise JsonError(f"{_place(path)}: a name in it has half of a character, a lone surrogate")
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
