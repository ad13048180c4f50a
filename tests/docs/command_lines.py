"""Command lines of ours in shell code, and what the program's parser says to them."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator

import pytest

from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.cli.failures import UsageError
from cognito_credentials.cli.parser import parse

_PROGRAM = re.compile(r"(?:.*[/\\])?cognito-credentials(?:\.exe|\.py)?")
_ENDS = re.compile(r"[;&|()<>]+")


def own_command_lines(code: str, *, is_session: bool = False) -> Iterator[list[str]]:
    """
    Find our command lines in shell code; each is without the program's name.

    Args:
        is_session: Lines that begin with a prompt, ``$``, ``>`` or ``PS>``, are code, and others are output.
    """
    for line in re.sub(r"[\\`^]\n", " ", code).splitlines():
        prompt = re.match(r"\s*(?:\$|PS ?[^>]*>|[A-Z]:[^>]*>|>) ", line)
        if is_session and not prompt:
            continue
        text = line[prompt.end() :] if prompt else line
        yield from _in_line(text)


def _in_line(text: str) -> Iterator[list[str]]:
    for inner in re.findall(r"\$\(([^()]*)\)", text):
        yield from _in_line(inner)
    text = re.sub(r"\$\([^()]*\)", "inner", text)
    command: list[str] = []
    for word in [*_words(text), ";"]:
        if not _ENDS.fullmatch(word):
            command.append(word)
            continue
        own = next((n for n, part in enumerate(command) if _PROGRAM.fullmatch(part)), None)
        if own is not None and "install" not in command[:own] and len(command) > own + 1:
            given = ["what-xargs-gives"] if "xargs" in command[:own] else []
            yield [part for part in command[own + 1 :] if part != "…"] + given
        command = []


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    lexer.escape = ""  # a Windows path
    try:
        return list(lexer)
    except ValueError:  # a quotation that goes on in the next line
        return text.split()


def parsed(argv: list[str], where: str, *, is_whole: bool = True) -> None:
    """
    Fail the test where the program does not accept a command line.

    Args:
        is_whole: Without it, arguments may be left out, as in a sentence that names a command.
    """
    if argv[0] == "COMMAND":
        return
    with contextlib.suppress(SystemExit):  # the help has been printed
        try:
            parse(argv, COMMANDS)
        except UsageError as error:
            if is_whole or "arguments are required" not in str(error):
                pytest.fail(f"{where}: cognito-credentials {shlex.join(argv)}: {error}")
