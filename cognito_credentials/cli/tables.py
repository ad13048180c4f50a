"""
Rows to lists and tables for people, and to JSON for programs.

Every cell is cleaned here: it may come from a config file, and a terminal obeys escape sequences. What a
service said was cleaned where it came in.
"""

from __future__ import annotations

from datetime import datetime, timezone

from .looks import columns_of, cut, padded, wrapped
from .terminal import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

CELL_LIMIT = 300
NOTHING = "-"
_NARROWEST = 8
"""Columns of a cell; a narrower one would be unreadable."""


class Painted(str):
    """A value that was drawn for this screen: it is neither cleaned nor wrapped."""

    __slots__ = ()


def listing(rows: Iterable[tuple[str, object]], width: int | None = None) -> str:
    """
    Draw names and values below each other; values that are None are left out.

    Args:
        width: Columns of the screen, to which values are wrapped; None for lines of any length.
    """
    shown = [(name, value) for name, value in rows if value is not None]
    indent = max((columns_of(name) for name, _ in shown), default=0) + 2
    return "".join(
        padded(name, indent)
        + (value if isinstance(value, Painted) else indented(_cell(value), indent, width))
        + "\n"
        for name, value in shown
    )


def indented(text: str, indent: int, width: int | None) -> str:
    """Wrap *text* where *width* columns are given; all lines but the first begin with *indent* spaces."""
    if width is None:
        return text
    return f"\n{' ' * indent}".join(wrapped(text, max(width - indent, _NARROWEST)))


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], width: int | None = None) -> str:
    """Draw a table with a line of heads, cut to *width* columns where one is given; None is a dash."""
    lines = [list(heads), *([_cell(value) for value in row] for row in rows)]
    widths = [max(columns_of(line[index]) for line in lines) for index in range(len(heads))]
    while width is not None and sum(widths) + 2 * len(widths) - 2 > width and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    fitting = (zip(line, widths, strict=True) for line in lines)
    return "".join(
        "  ".join(padded(cut(*cell), cell[1]) for cell in line).rstrip() + "\n" for line in fitting
    )


def as_json(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """Write *value* for programs: one document, ASCII only, times as ``YYYY-MM-DDTHH:MM:SSZ``."""
    import json

    return json.dumps(value, indent=2, default=_in_json) + "\n"


def as_line(value: Mapping[str, Any]) -> str:
    """Write *value* as one line of JSON, for programs that read line by line."""
    import json

    return json.dumps(value, default=_in_json) + "\n"


def moment(when: datetime) -> str:
    """Write a time as AWS does: UTC, ``YYYY-MM-DDTHH:MM:SSZ``."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_json(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _cell(value: object) -> str:
    return NOTHING if value is None else printable(str(value), CELL_LIMIT)
