"""
What can be drawn on a standard stream, and drawing it: colours, bars, and lines of a width.

Colour is for people at a terminal only. It never carries a meaning alone: the word or the character says the
same. Text is bold, red or magenta, which can be read on a light and on a dark background; green, which cannot
on a light one, is for bars and signs. These are of the eight basic colours, which people choose for their
terminal. ``status`` loads this file for an answer from the cache, so it imports only what starting Python has
loaded, and `unicodedata`, which `terminal` needs.
"""

from __future__ import annotations

import os
import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final, TextIO

BOLD, RED, GREEN, MAGENTA = "1", "31", "32", "35"
"""Of https://www.ecma-international.org/publications-and-standards/standards/ecma-48/, 8.3.117 (SGR)."""
FULL, HALF, EMPTY = "█", "▒", "░"
_IN_ASCII: Final = {FULL: "#", HALF: "=", EMPTY: "."}
_NEEDED: Final = f"{FULL}{HALF}{EMPTY}…"
_WIDTH: Final = 80
_NARROWEST: Final = 20
_VIRTUAL_TERMINAL: Final = 4
"""ENABLE_VIRTUAL_TERMINAL_PROCESSING; https://learn.microsoft.com/en-us/windows/console/setconsolemode"""


class Look:
    """
    What one stream can show.

    Args:
        stream: Stdout or stderr; None when it is closed.
        environ: ``NO_COLOR``, ``TERM``, ``CI`` and ``COLUMNS`` are read from it.
        is_screen: Whether the stream is a terminal.
    """

    __slots__ = ("_environ", "_stream", "has_blocks", "is_screen", "obeys")

    def __init__(self, stream: TextIO | None, environ: Mapping[str, str], *, is_screen: bool) -> None:
        self._stream = stream
        self._environ = environ
        self.is_screen = is_screen
        self.has_blocks = _can_encode(stream, _NEEDED)
        """Whether its encoding has the characters of a bar."""
        is_plain = environ.get("TERM") == "dumb" or environ.get("CI", "").lower() not in ("", "0", "false")
        self.obeys = self.is_screen and not is_plain and _obeys_sequences(stream)
        """Whether it is a terminal that obeys escape sequences, with a person before it."""

    @property
    def width(self) -> int | None:
        """How many columns a line may have; None where lines of any length are well: in a file or a pipe."""
        if not self.is_screen:
            return None
        columns = self._environ.get("COLUMNS", "")
        if columns.isascii() and columns.isdecimal() and int(columns[:6]) > 0:
            return max(int(columns[:6]), _NARROWEST)
        try:
            assert self._stream is not None  # noqa: S101  (for the type checker)
            return max(os.get_terminal_size(self._stream.fileno()).columns or _WIDTH, _NARROWEST)
        except (OSError, ValueError, AttributeError):
            return _WIDTH

    def paint(self, text: str, *codes: str) -> str:
        """Return *text* in colours, or as it is where there are none; https://no-color.org."""
        if not codes or not text or not self.obeys or self._environ.get("NO_COLOR"):
            return text
        return f"\033[{';'.join(codes)}m{text}\033[0m"

    def bar(self, parts: Sequence[tuple[float, str, str]], width: int) -> str:
        """
        Draw a bar of *width* columns.

        Args:
            parts: From the left: how long a part is, in any unit; its character; its colour, or nothing. A
                part that is not empty gets a column at least.
        """
        whole = sum(length for length, _, _ in parts) or 1
        columns = [max(round(width * length / whole), 1) if length > 0 else 0 for length, _, _ in parts]
        columns[columns.index(max(columns))] += width - sum(columns)
        return "".join(
            self.paint(self.sign(character) * count, *([colour] if colour else []))
            for (_, character, colour), count in zip(parts, columns, strict=True)
        )

    def sign(self, character: str) -> str:
        """Return a character of a bar, in ASCII where the encoding lacks it."""
        return character if self.has_blocks else _IN_ASCII[character]


def columns_of(text: str) -> int:
    """Count the columns that a terminal takes for *text*: two for an ideograph, none for an accent."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def cut(text: str, width: int) -> str:
    """Cut *text* to *width* columns, with a mark at the end of what is cut."""
    if columns_of(text) <= width:
        return text
    kept, left = [], width - 1
    for character in text:
        left -= _columns(character)
        if left < 0:
            break
        kept.append(character)
    return "".join(kept) + "…"


def padded(text: str, width: int) -> str:
    """Fill *text* up to *width* columns with spaces."""
    return text + " " * (width - columns_of(text))


def wrapped(text: str, width: int) -> list[str]:
    """
    Break *text* at spaces into lines of at most *width* columns.

    A command in quotes stays on one line if it fits on one, so that it can be copied. A longer word, such as
    a path, is a line of its own, which the terminal wraps: what is copied from there has no break in it.
    """
    lines: list[str] = []
    for phrase in _phrases(text):
        for word in [phrase] if columns_of(phrase) <= width else phrase.split(" "):
            if lines and columns_of(lines[-1]) + 1 + columns_of(word) <= width:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
    return lines or [""]


def _phrases(text: str) -> list[str]:
    """Split *text* at spaces that are not within quotes."""
    phrases: list[str] = []
    is_quoted = False
    for word in text.split(" "):
        is_inside, begins = is_quoted, not is_quoted and word.lstrip("(").startswith("'")
        if is_inside:
            phrases[-1] += f" {word}"
        else:
            phrases.append(word)
        if begins or is_inside:
            is_quoted = not (word.rstrip(".,;:)?!").endswith("'") and word.strip("(.,;:)?!") != "'")
    return phrases


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _can_encode(stream: TextIO | None, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _obeys_sequences(stream: TextIO | None) -> bool:
    """Have a console of Windows obey escape sequences; tell whether it does. Others do already."""
    if os.name != "nt":
        return True
    try:
        import ctypes
        import msvcrt

        assert stream is not None  # noqa: S101  (for the type checker)
        handle = msvcrt.get_osfhandle(stream.fileno())  # type: ignore[attr-defined]
        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
        mode = ctypes.c_uint32()
        if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            return False
        return bool(kernel.SetConsoleMode(handle, mode.value | _VIRTUAL_TERMINAL))
    except (ImportError, OSError, ValueError, AttributeError):
        return False
