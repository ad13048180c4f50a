"""``help``: print what --help prints."""

from __future__ import annotations

from ..command import Command, Invocation, Options
from ..parser import parse


def add_options(options: Options) -> None:
    options.add("topic", nargs="?", metavar="COMMAND", help="the command; otherwise all of them")


def run(invocation: Invocation) -> int:
    """Show the help of the command named, or the list of all."""
    options = invocation.options
    parse([options.topic, "--help"] if options.topic else ["--help"], options.commands)
    return 0


COMMAND = Command(
    example="""
$ cognito-credentials help export
usage: cognito-credentials export [options]
…""",
    arguments=" [COMMAND]",
    run=run,
    add_options=add_options,
    takes_profile=False,
)
