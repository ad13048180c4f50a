"""What can be drawn on a stream, and lines of a width."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime, timezone

import pytest

from cognito_credentials.administer import Identity
from cognito_credentials.cli.commands.identities import _row
from cognito_credentials.cli.looks import EMPTY, FULL, GREEN, HALF, Look, columns_of, cut, padded, wrapped
from cognito_credentials.cli.tables import listing, table

XTERM = {"TERM": "xterm", "COLUMNS": "60"}


def look(environ: Mapping[str, str] = XTERM, *, encoding: str = "utf-8", is_screen: bool = True) -> Look:
    """What a stream of this kind can show."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return Look(stream, environ, is_screen=is_screen)


class TestColours:
    def test_a_terminal_has_them(self) -> None:
        """On a terminal, text is coloured by the eight basic colours, and reset at its end."""
        assert look().paint("x", GREEN) == "\x1b[32mx\x1b[0m"
        assert look().paint("x") == "x"
        assert look().paint("", GREEN) == ""

    @pytest.mark.parametrize(
        "environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "true"}, {"CI": "1"}], ids=str
    )
    def test_who_wants_none_gets_none(self, environ: dict[str, str]) -> None:
        """NO_COLOR, a dumb terminal and a build server get plain text."""
        assert look({**XTERM, **environ}).paint("x", GREEN) == "x"

    @pytest.mark.parametrize("environ", [{"NO_COLOR": ""}, {"CI": "false"}, {"CI": ""}], ids=str)
    def test_a_variable_that_says_no_changes_nothing(self, environ: dict[str, str]) -> None:
        """NO_COLOR counts when it is not empty (https://no-color.org), CI when it is true."""
        assert look({**XTERM, **environ}).paint("x", GREEN) != "x"

    def test_a_pipe_has_none(self) -> None:
        """In a pipe there is neither colour nor a width."""
        pipe = look(is_screen=False)
        assert (pipe.paint("x", GREEN), pipe.width, pipe.obeys) == ("x", None, False)


class TestBars:
    def test_each_part_is_as_long_as_its_share(self) -> None:
        """A bar has the width that is asked for; what is not nothing has a column."""
        plain = look({**XTERM, "NO_COLOR": "1"})

        assert plain.bar([(10, EMPTY, ""), (20, FULL, GREEN), (10, HALF, "")], 8) == "░░████▒▒"
        assert plain.bar([(1, EMPTY, ""), (9999, FULL, ""), (0, HALF, "")], 8) == "░███████"
        assert plain.bar([(0, EMPTY, ""), (0, FULL, ""), (0, HALF, "")], 8) == "░" * 8

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
    def test_a_locale_without_blocks_has_ascii(self, encoding: str) -> None:
        """Where the encoding lacks the characters, others of ASCII stand for them."""
        plain = look({**XTERM, "NO_COLOR": "1"}, encoding=encoding)

        assert plain.bar([(10, EMPTY, ""), (20, FULL, ""), (10, HALF, "")], 8) == "..####=="


class TestWidths:
    def test_columns_says_how_wide(self) -> None:
        """COLUMNS wins; what is no number is as if it were not set."""
        assert look().width == 60
        assert look({"COLUMNS": "x"}).width == 80  # no terminal to ask
        assert look({"COLUMNS": "0"}).width == 80
        assert look({"COLUMNS": "3"}).width == 20

    def test_ideographs_take_two_columns(self) -> None:
        """Widths are those of the screen: two for an ideograph, none for a combining accent."""
        assert (columns_of("ab"), columns_of("日本"), columns_of("e\u0301")) == (2, 4, 1)
        assert cut("日本語の名前", 6) == "日本…"
        assert padded("日本", 6) == "日本  "
        lines = table(("Name", "B"), [("日本語", "x"), ("abc", "y")]).splitlines()
        assert lines == ["Name    B", "日本語  x", "abc     y"]

    def test_lines_are_broken_at_spaces(self) -> None:
        """Text is wrapped below its beginning; a long word and a command in quotes stay whole."""
        assert wrapped("one two three", 7) == ["one two", "three"]
        assert wrapped("see /a/long/path there", 8) == ["see", "/a/long/path", "there"]
        assert wrapped("Run 'cmd --all x'. Then go", 14) == ["Run", "'cmd --all x'.", "Then go"]
        assert wrapped("the app's users' 'x' end", 12) == ["the app's", "users' 'x'", "end"]
        assert wrapped("a 'quote that is longer than that' z", 10) == [
            *("a 'quote", "that is", "longer", "than that'", "z"),
        ]
        assert wrapped("", 5) == [""]

    def test_logins_without_room_stand_below(self) -> None:
        """A row of ``identities list`` is one line in a pipe; on a narrow screen its logins are below it."""
        when = datetime(2026, 11, 30, 9, tzinfo=timezone.utc)
        who = Identity(f"us-east-1:{'0' * 36}", ("accounts.google.com", "graph.facebook.com"), when, when)
        logins = "accounts.google.com, graph.facebook.com"
        start = f"us-east-1:{'0' * 36}  2026-11-30T09:00:00Z"

        assert _row(who, None, heads=False) == f"{start}  {logins}\n"
        assert _row(who, 120, heads=False) == f"{start}  {logins}\n"
        assert _row(who, 80, heads=False) == f"{start}\n    {logins}\n"

    def test_a_listing_is_wrapped_on_a_screen_only(self) -> None:
        """Lines of a listing keep their column on a screen, and are whole in a pipe."""
        rows = [("Name", "word " * 12 + "end")]

        assert max(map(len, listing(rows, 40).splitlines())) <= 40
        assert all(re.match(r"Name  \S|      \S", line) for line in listing(rows, 40).splitlines())
        assert listing(rows).count("\n") == 1
