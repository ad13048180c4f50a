"""
What a command is made of, and what it is given when it runs.

A new command is one file in ``commands/`` with a `Command`, and its line in ``commands/__init__.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .terminal import Terminal

PROGRAM: Final = "cognito-credentials"


class Options:
    """Adds options to a parser, and keeps their names, which argparse has no public way to list."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.names: list[str] = []
        self._parser = parser
        self._add: Callable[..., object] = parser.add_argument

    def add(self, *names: str, **behaviour: Any) -> None:
        """Add an option or a positional argument, as `argparse.ArgumentParser.add_argument`."""
        self._add(*names, **behaviour)
        self.names += [name for name in names if name.startswith("-")]

    def group(self, title: str) -> Options:
        """Return what adds options under a separate heading in the help."""
        return self._with(self._parser.add_argument_group(title).add_argument)

    def exclusive(self) -> Options:
        """Return what adds options of which one excludes the others."""
        return self._with(self._parser.add_mutually_exclusive_group().add_argument)

    def _with(self, add: Callable[..., object]) -> Options:
        other = Options(self._parser)
        other.names, other._add = self.names, add
        return other


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of the command line."""

    argv: list[str]
    """As typed, without the program's name."""
    options: argparse.Namespace
    """Of the command, and the global ones: ``profile``, ``region``, ``debug`` and ``quiet``."""
    environ: Mapping[str, str]
    terminal: Terminal
    core_limit: int | None = None
    """The limit of core dumps to restore in another program; None when it is as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command."""

    name: str
    group: str
    """The heading it stands under in the help."""
    summary: str
    """One line: for the list of commands, and the beginning of its own help."""
    details: str = ""
    """What its help says after the summary."""
    example: str
    """Worked example, the end of its help: commands and what they print."""
    arguments: str = ""
    """What follows the options in the usage line; begins with a space."""
    run: Callable[[Invocation], int]
    """Returns the exit code; `failures` words what it raises."""
    add_options: Callable[[Options], None] | None = None
    takes_profile: bool = True
    """Whether --profile and --region mean something to it."""
    takes_pool: bool = False
    """Whether the options that select an identity pool are its options too."""
