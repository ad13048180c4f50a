"""``help``: print what --help prints."""

from __future__ import annotations

from ...errors import clean
from ..command import PROGRAM, Command, Invocation, Options
from ..failures import UsageError
from ..parser import parse


def add_options(options: Options) -> None:
    options.add(
        "topic", nargs="*", metavar="COMMAND", help="the command and its action; otherwise all of them"
    )


def run(invocation: Invocation) -> int:
    """Show the help of the command or the action named, or the list of all commands."""
    topic, commands = invocation.options.topic, invocation.options.commands
    entry = next((entry for entry in commands if topic[:1] == [entry.name]), None)
    if entry is not None and len(topic) > (2 if entry.load().actions else 1):
        raise UsageError(f"there is no '{clean(' '.join(topic), 60)}'", f"Run '{PROGRAM} help {entry.name}'")
    parse([*topic, "--help"], commands)
    return 0


COMMAND = Command(
    example="""
$ cognito-credentials help export
usage: cognito-credentials export [options]
…""",
    arguments=" [COMMAND [ACTION]]",
    run=run,
    add_options=add_options,
    takes_profile=False,
)
