"""``help``: print what --help prints, or explain the topic that a message ends with."""

from __future__ import annotations

import re
from importlib.resources import files
from textwrap import indent

from ...errors import clean, near
from ..command import PROGRAM, Command, Invocation, Options
from ..failures import UsageError
from ..parser import parse


def add_options(options: Options) -> None:
    options.add(
        "topic",
        nargs="*",
        metavar="COMMAND",
        help="the command and its action; or the topic at the end of a message, such as E-NO-POOL",
    )


def run(invocation: Invocation) -> int:
    """Show the help of the command or the action named, a topic of messages, or the list of all commands."""
    topic, commands = invocation.options.topic, invocation.options.commands
    if len(topic) == 1 and topic[0].upper().startswith("E-"):
        invocation.terminal.write(_explained(topic[0].upper()) + "\n")
        return 0
    entry = next((entry for entry in commands if topic[:1] == [entry.name]), None)
    if entry is not None and len(topic) > (2 if entry.load().actions else 1):
        raise UsageError(f"there is no '{clean(' '.join(topic), 60)}'", f"Run '{PROGRAM} help {entry.name}'")
    parse([*topic, "--help"], commands)
    return 0


def _explained(topic: str) -> str:
    """Return the section of *topic* from the page "When something goes wrong", as plain text."""
    page = files("cognito_credentials.cli").joinpath("errors.md").read_text("utf-8")
    sections = {
        section.partition("\n")[0]: section for section in re.split(r"^##+ ", page, flags=re.MULTILINE)[1:]
    }
    if topic not in sections:
        meant = near(topic, sections)
        hint = f"Did you mean '{PROGRAM} help {meant[0]}'?" if meant else "Give the topic as a message has it"
        raise UsageError(f"there is no topic '{clean(topic, 40)}'", hint)
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", sections[topic]).strip()
    return re.sub(
        r"^```\w+\n(.*?)^```$", lambda code: indent(code[1], "    ").rstrip(), plain, flags=re.M | re.S
    )


COMMAND = Command(
    example="""
$ cognito-credentials help export
usage: cognito-credentials export [options]
…""",
    arguments=" [COMMAND [ACTION] | TOPIC]",
    run=run,
    add_options=add_options,
    takes_profile=False,
)
