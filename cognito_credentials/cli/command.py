"""
What a command is made of, and what it is given when it runs.

A new command is one file in ``commands/`` with a `Command`, and its `Entry` in ``commands/__init__.py``. This
module is loaded for every command, so it imports only what starting Python has loaded.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from .terminal import Terminal

PROGRAM: Final = "cognito-credentials"


class Options:
    """Adds options to a parser, and keeps what it added, which argparse has no public way to list."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.actions: list[argparse.Action] = []
        self._parser = parser
        self._add: Callable[..., argparse.Action] = parser.add_argument

    @property
    def names(self) -> list[str]:
        """What the options are called, such as ``--profile``."""
        return [name for action in self.actions for name in action.option_strings]

    def add(self, *names: str, **behaviour: Any) -> None:
        """Add an option or a positional argument, as `argparse.ArgumentParser.add_argument`."""
        self.actions.append(self._add(*names, **behaviour))

    def group(self, title: str) -> Options:
        """Return what adds options under a separate heading in the help."""
        return self._with(self._parser.add_argument_group(title).add_argument)

    def exclusive(self, *, required: bool = False) -> Options:
        """Return what adds options of which one excludes the others; with *required*, one has to be given."""
        return self._with(self._parser.add_mutually_exclusive_group(required=required).add_argument)

    def _with(self, add: Callable[..., argparse.Action]) -> Options:
        other = Options(self._parser)
        other.actions, other._add = self.actions, add
        return other


class Invocation:
    """
    One run of the command line.

    Args:
        argv: As typed, without the program's name.
        options: Of the command, and the global ones: ``profile``, ``region``, ``debug`` and ``quiet``.
        environ: The environment.
        terminal: The standard streams.
        core_limit: The limit of core dumps to restore in another program; None when it is as it was.
    """

    __slots__ = ("argv", "core_limit", "environ", "options", "terminal")

    def __init__(
        self,
        argv: list[str],
        options: argparse.Namespace,
        environ: Mapping[str, str],
        terminal: Terminal,
        *,
        core_limit: int | None = None,
    ) -> None:
        self.argv = argv
        self.options = options
        self.environ = environ
        self.terminal = terminal
        self.core_limit = core_limit


class Command:
    """
    What one command takes and does.

    Args:
        example: Worked example, the end of its help: commands and what they print.
        run: Returns the exit code; `failures` words what it raises. None where there are `actions`.
        details: What its help says after the summary.
        arguments: What follows the options in the usage line; begins with a space.
        add_options: Adds its own options.
        takes_profile: Whether --profile and --region mean something to it.
        takes_pool: Whether the options that select an identity pool are its options too.
        actions: What the word behind the command's name may be, where it takes one: ``pool plan``. They have
            the options, and the command itself has none.
        doing: What it does that may take long, such as "getting credentials", which a person at the terminal
            is then shown. Empty for what is done at once, and for what hands the terminal over.
        answer: Does the same from the cache alone, and loads neither settings nor the library; returns None
            where that does not suffice, and has then done nothing.
    """

    __slots__ = (
        *("actions", "add_options", "answer", "arguments", "details", "doing", "example", "run"),
        *("takes_pool", "takes_profile"),
    )

    def __init__(
        self,
        *,
        example: str,
        run: Callable[[Invocation], int] | None = None,
        details: str = "",
        arguments: str = "",
        add_options: Callable[[Options], None] | None = None,
        takes_profile: bool = True,
        takes_pool: bool = False,
        actions: tuple[Action, ...] = (),
        doing: str = "",
        answer: Callable[[Invocation], int | None] | None = None,
    ) -> None:
        self.example = example
        self.run = run or _nothing
        self.actions = actions
        self.details = details
        self.doing = doing
        self.arguments = arguments
        self.add_options = add_options
        self.takes_profile = takes_profile
        self.takes_pool = takes_pool
        self.answer = answer


class Action:
    """
    What a command does that takes one more word: ``plan`` of ``pool plan``.

    Args:
        name: What users type behind the command's name.
        summary: One line, for the command's help, and the beginning of the action's own.
        command: Its options, help and function. It takes a profile, as its command does.
    """

    __slots__ = ("command", "name", "summary")

    def __init__(self, name: str, summary: str, command: Command) -> None:
        self.name = name
        self.summary = summary
        self.command = command


def _nothing(_: Invocation) -> int:
    raise AssertionError("the parser asks for one of the actions")


class Entry:
    """
    A command in the list of commands, which is shown without loading any of them.

    Args:
        name: What users type.
        module: Its file in ``commands/``, which has the `Command` as ``COMMAND``.
        group: The heading it stands under in the help.
        summary: One line: for the list of commands, and the beginning of its own help.
    """

    __slots__ = ("_module", "group", "name", "summary")

    def __init__(self, name: str, module: str, group: str, summary: str) -> None:
        self.name = name
        self.group = group
        self.summary = summary
        self._module = module

    def load(self) -> Command:
        """Import the command's file."""
        from importlib import import_module

        command: Command = import_module(f"{__package__}.commands.{self._module}").COMMAND
        return command
