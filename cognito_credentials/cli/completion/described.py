"""
What a script says of the command line: each command, its options, and what an option or argument takes.

All of it comes from the parser. Some options take any text there, because the settings check it later: for
these `WORDS` has the words that the check knows.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ...regions import KNOWN_REGIONS
from ...settings.checks import CACHES, FLOWS
from ...sign_in.checks import FIRST_FACTORS, STORES, WAYS
from ..command import Entry
from ..parser import options_of

PROFILE: Final = "profile"
FILE: Final = "file"
COMMAND: Final = "command"
"""A command line of another program."""
WORD: Final = "word"
"""One of `Value.words`."""
TEXT: Final = "text"
"""Anything: nothing is offered."""

WORDS: Final[Mapping[str, Sequence[str]]] = {
    "region": KNOWN_REGIONS,
    "flow": FLOWS,
    "cache": CACHES,
    "store": STORES,
    "cognito_login_store": STORES,
    "cognito_sign_in": WAYS,
    "cognito_first_factor": FIRST_FACTORS,
}
"""The words of options that the parser lets take any text, by the names that the parser gives them."""
_FILES: Final = frozenset(("FILE",))
"""What the help calls the value of an option that names a file."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9.-]+")
"""A word that needs no quotes in any shell."""


@dataclass(frozen=True, slots=True)
class Value:
    """
    What an option or argument takes.

    Args:
        kind: `PROFILE`, `FILE`, `COMMAND`, `WORD` or `TEXT`.
        label: What the help calls it.
        words: With `WORD`, the words.
    """

    kind: str
    label: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """
    An option.

    Args:
        names: Such as ``-h`` and ``--help``.
        summary: From the help, in one line.
        value: What it takes; None if it takes nothing.
        repeats: Whether it may be given several times.
    """

    names: tuple[str, ...]
    summary: str
    value: Value | None
    repeats: bool


@dataclass(frozen=True, slots=True)
class Described:
    """
    What may stand behind the name of a command, or before it.

    Args:
        name: The command's; empty for what stands before any.
        summary: Of the command, in one line.
        options: In the order of the help.
        arguments: The positional ones, in their order.
    """

    name: str
    summary: str
    options: tuple[Option, ...]
    arguments: tuple[Value, ...]


def describe(commands: Sequence[Entry]) -> list[Described]:
    """Describe the command line: first what stands before a command, then each command."""
    names = [entry.name for entry in commands]
    return [_described(None, names), *(_described(entry, names) for entry in commands)]


def takes(described: Sequence[Described]) -> dict[Value, list[tuple[str, str]]]:
    """
    Return what is taken, and where: the command's name with the option's, or with the argument's number.

    The label of a value is left out, so that one value has one place in a script.
    """
    found: dict[Value, list[tuple[str, str]]] = {}
    for command in described:
        for option in command.options:
            if option.value is not None:
                value = Value(option.value.kind, "", option.value.words)
                found.setdefault(value, []).extend((command.name, name) for name in option.names)
        for number, argument in enumerate(command.arguments, 1):
            value = Value(argument.kind, "", argument.words)
            found.setdefault(value, []).append((command.name, str(number)))
    return found


def _described(entry: Entry | None, names: Sequence[str]) -> Described:
    actions = [action for action in options_of(entry) if action.help != argparse.SUPPRESS]
    return Described(
        "" if entry is None else entry.name,
        "" if entry is None else entry.summary,
        tuple(
            Option(
                tuple(action.option_strings),
                " ".join((action.help or "").split()),
                None if action.nargs == 0 else _value(action, names),
                isinstance(action, argparse._AppendAction),  # noqa: SLF001  (it has no public name)
            )
            for action in actions
            if action.option_strings
        ),
        tuple(_value(action, names) for action in actions if not action.option_strings),
    )


def _value(action: argparse.Action, names: Sequence[str]) -> Value:
    label = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.nargs == argparse.REMAINDER:
        return Value(COMMAND, label)
    if action.dest == "profile":
        return Value(PROFILE, label)
    if label in _FILES:
        return Value(FILE, label)
    words = names if label == "COMMAND" else action.choices or WORDS.get(action.dest) or ()
    if not words:
        return Value(TEXT, label)
    odd = [word for word in words if not _PLAIN.fullmatch(word)]
    if odd:
        raise ValueError(f"no script has quotes for {odd}")
    return Value(WORD, label, tuple(words))
