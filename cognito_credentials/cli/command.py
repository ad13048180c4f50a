"""
What a command is, and what it is given when it runs.

A new command is one file in ``commands/`` with a `Command`, and its line in ``commands/__init__.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .terminal import Terminal

PROGRAM: Final = "cognito-credentials"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of the command line."""

    argv: list[str]
    """As typed, without the program's name."""
    options: argparse.Namespace
    environ: Mapping[str, str]
    terminal: Terminal
    core_limit: int | None = None
    """The limit of core dumps before ours; None when it is as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: what it is called, what it says about itself, and what it does."""

    name: str
    group: str
    """The heading it stands under in the help."""
    summary: str
    """One line: for the list of commands, and the beginning of its own help."""
    details: str = ""
    """What its help says after the summary."""
    example: str
    """Worked example: commands and what they print, the end of its help."""
    arguments: str = ""
    """What follows the options, for the usage line; begins with a space."""
    run: Callable[[Invocation], int]
    """Does it, and returns the exit code; what it raises is worded by `failures`."""
    add_options: Callable[[argparse.ArgumentParser], None] | None = None
    takes_profile: bool = True
    """Whether --profile and --region mean something to it."""
    takes_pool: bool = False
    """Whether the options that select an identity pool are its options too."""
