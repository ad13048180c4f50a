"""
The page of the commands, made of the parser's own texts.

``python -m tests.docs.commands_page`` writes it.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator

from cognito_credentials.cli.command import PROGRAM, Command, Options
from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.cli.parser import Parser, add_global_options
from cognito_credentials.cli.pool_options import add_pool_options
from tests.docs.pages import ROOT

PAGE = ROOT / ".github" / "docs" / "reference" / "commands.md"

_BEGINNING = f"""\
# Commands

What each command does, and every option. On a terminal, `{PROGRAM} COMMAND --help` shows the same.

Results go to stdout, messages for people to stderr. [Exit codes](exit-codes.md) says what commands end with.

"""
_EVERYWHERE = """\
## Options everywhere

They may stand before or behind the command. `--version` prints the version.

"""
_POOL = """\
## Options that select the identity pool

Commands that need a pool take it from a profile, as the AWS CLI does. These options set or replace a
[setting](settings.md) for one call.

There is no option for a token itself, since other users of the machine can see a command line.

"""
_END = """\
What each setting means is on [Settings](settings.md). What a message means is on
[When something goes wrong](../errors.md).
"""


def page() -> str:
    """Return the whole page."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield _BEGINNING
    yield "| command | does |\n|---|---|\n"
    group = ""
    for entry in COMMANDS:
        if entry.group != group:
            group = entry.group
            yield f"| *{group}* | |\n"
        yield f"| [`{entry.name}`](#{entry.name}) | {_plain(entry.summary)} |\n"
    yield f"\n{_EVERYWHERE}{_table(add_global_options)}\n{_POOL}{_table(add_pool_options)}"
    for entry in COMMANDS:
        command = entry.load()
        yield from _section(f"## {entry.name}", entry.name, entry.summary, command)
        for action in command.actions:
            name = f"{entry.name} {action.name}"
            yield from _section(f"### {name}", name, action.summary, action.command)
    yield f"\n{_END}"


def _section(heading: str, name: str, summary: str, command: Command) -> Iterator[str]:
    yield f"\n{heading}\n\n{_sentence(summary)}\n"
    if not command.actions:
        yield f"\n```text\n{PROGRAM} {name} [options]{command.arguments}\n```\n"
    if command.details:
        yield f"\n{_plain(command.details.strip())}\n"
    if command.add_options is not None:
        yield f"\n{_table(command.add_options)}"
    if not command.actions:
        pool = "those [that select the pool](#options-that-select-the-identity-pool), and "
        without = "" if command.takes_profile else ", but no `--profile` and `--region`"
        yield (
            f"\nOther options: {pool * command.takes_pool}those [everywhere](#options-everywhere){without}.\n"
        )
    yield f"\n```console\n{command.example.strip()}\n```\n"


def _table(add_options: Callable[[Options], None]) -> str:
    options = Options(Parser())
    add_options(options)
    rows = [_row(option) for option in options.actions if option.help != argparse.SUPPRESS]
    return "".join(["| option | meaning |\n", "|---|---|\n", *rows]) if rows else ""


def _row(option: argparse.Action) -> str:
    value = option.metavar or ("" if option.nargs == 0 else option.dest.upper())
    if option.choices and not option.metavar:
        value = (
            " or ".join(map(str, option.choices))
            if len(list(option.choices)) < 3
            else _choices(option.choices)
        )
    spelling = ", ".join(option.option_strings)
    name = f"{spelling} {value}".strip() if option.nargs != 0 else spelling
    return f"| `{name}` | {_plain(str(option.help))} |\n"


def _choices(choices: Iterable[object]) -> str:
    return "{" + ",".join(map(str, choices)) + "}"


def _sentence(text: str) -> str:
    return f"{_plain(text[0].upper() + text[1:])}."


def _plain(text: str) -> str:
    """Return a text of the help as Markdown that shows it as it is; options and code-like words as code."""
    escaped = re.sub(r"([*<|`])", r"\\\1", text)
    return re.sub(r"(?<![\w`-])(--[a-z][a-z-]*|cognito_\w+|AWS_\w+)", r"`\1`", escaped)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
