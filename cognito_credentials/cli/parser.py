"""
Arguments to options: the global ones, those of each command, and help with worked examples.

Errors are raised, never printed here, and never repeat a value that may be a token: somebody who types
``--token eyJ…`` has shown it to every process of the machine already, and must not find it in a log too.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from ..errors import clean
from .command import PROGRAM, Command, Options
from .failures import EXIT_CODES, UsageError
from .pool_options import add_pool_options
from .terminal import Terminal

_GLOBAL: Final[dict[str, Any]] = {"profile": None, "region": None, "debug": False, "quiet": False}
"""Options that may stand before and after the command, and what they are when they stand in neither place."""
_TOKEN_WORDS: Final = ("token", "jwt", "password", "secret")
_INTRODUCTION: Final = "AWS credentials from an Amazon Cognito identity pool."


class Parser(argparse.ArgumentParser):
    """argparse's own, but it raises `UsageError` and writes to `Terminal`."""

    help_text: str | None = None
    """Takes the place of the help that argparse makes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, **options)
        self.color = False  # Python 3.14 and newer put escape sequences into the help

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError` where argparse would print and exit."""
        option, ignored, _ = message.partition(": ignored explicit argument")
        if ignored:  # the rest is what was typed behind "--password="
            message = f"{option} takes no value"
        raise UsageError(message, f"Run '{self.prog} --help'")

    def print_help(self, file: Any = None) -> None:
        """Print the help; argparse's own complains, or changes to stderr, when nobody reads stdout."""
        del file
        Terminal.of_process().write(self.format_help())

    def format_help(self) -> str:
        """Return `help_text`, or argparse's own help."""
        return self.help_text or super().format_help()


def parse(argv: list[str], commands: Sequence[Command]) -> argparse.Namespace:
    """
    Parse a command line.

    Args:
        argv: Without the program's name.
        commands: Those that it may name.

    Returns:
        The options. ``command`` is the `Command`, ``commands`` are all of them. The global options are there
        whether they are given or not.

    Raises:
        UsageError: It is malformed.
        SystemExit: Help or version was asked for, and has been printed.
    """
    parser, known = _build(commands)
    names = [command.name for command in commands]
    word = _first_word(argv, known)
    if word is not None and word not in names:
        near = difflib.get_close_matches(word, names, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Run '{PROGRAM} --help' to see the commands"
        raise UsageError(f"there is no command '{clean(word, 40)}'", hint)
    before, child = _split_at_dashes(argv) if word == "exec" else (argv, None)
    options, unknown = parser.parse_known_args(before, argparse.Namespace(**_GLOBAL))
    if word is None:
        raise UsageError("no command is given", f"Run '{PROGRAM} --help' to see the commands")
    if unknown:
        raise _unknown(unknown, word, options.known)
    if not options.command.takes_profile:
        _refuse_profile(options, word)
    if child is not None:
        # A second "--" is the command's own.
        options.child = [*options.child, "--", *child] if options.child else child
    return options


def _refuse_profile(options: argparse.Namespace, word: str) -> None:
    """Refuse options before a command to which they mean nothing, rather than ignore them in silence."""
    for name in ("profile", "region"):
        if vars(options)[name] is not None:
            raise UsageError(f"{word} takes no --{name}", f"Run '{PROGRAM} {word} --help'")


def _build(commands: Sequence[Command]) -> tuple[Parser, list[str]]:
    """Return the parser, and the names of the options that may stand before the command."""
    parser = Parser(prog=PROGRAM)
    before = Options(parser)
    _add_global_options(before)
    before.add("--version", action=_PrintVersion, nargs=0)
    subparsers = parser.add_subparsers(metavar="COMMAND", parser_class=Parser, required=False)
    for command in commands:
        child = subparsers.add_parser(
            command.name,
            prog=f"{PROGRAM} {command.name}",
            usage=f"{PROGRAM} {command.name} [options]{command.arguments}",
            description=_description(command),
            epilog=_example(command),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        options = Options(child)
        if command.add_options is not None:
            command.add_options(options)
        if command.takes_pool:
            add_pool_options(options)
        _add_global_options(options, takes_profile=command.takes_profile)
        child.set_defaults(command=command, known=options.names, commands=commands)
    parser.help_text = _help(commands)
    return parser, before.names


def _add_global_options(options: Options, *, takes_profile: bool = True) -> None:
    group = options.group("options everywhere")
    # Suppressed: behind the command, a default would overwrite what stands before it.
    if takes_profile:
        group.add(
            "--profile",
            metavar="NAME",
            default=argparse.SUPPRESS,
            help="profile of the AWS config file; otherwise AWS_PROFILE, then 'default'",
        )
        group.add(
            "--region",
            metavar="REGION",
            default=argparse.SUPPRESS,
            help="AWS region for what uses the credentials; otherwise AWS_REGION, the profile's, the pool's",
        )
    for name, text in (
        ("--debug", "say on stderr what is decided, and where a bug is"),
        ("--quiet", "say nothing but results and errors"),
    ):
        group.add(name, action="store_true", default=argparse.SUPPRESS, help=text)
    group.add("-h", "--help", action="help", help="show this help")


class _PrintVersion(argparse.Action):
    """Unlike argparse's own, it reads the version only when asked: importlib.metadata is slow to import."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            text = version(PROGRAM)
        except PackageNotFoundError:
            text = "(a checkout that is not installed)"
        Terminal.of_process().write(f"{PROGRAM} {text}\n")
        parser.exit()


def _first_word(argv: Sequence[str], known: Sequence[str]) -> str | None:
    """Return the command's name: the first argument that is neither an option nor an option's value."""
    rest = iter(argv)
    for argument in rest:
        if argument in ("--profile", "--region"):
            next(rest, None)
        elif not argument.startswith("-"):
            return argument
        elif argument.partition("=")[0] not in known:
            raise _unknown([argument], None, known)
    return None


def _split_at_dashes(argv: list[str]) -> tuple[list[str], list[str] | None]:
    if "--" not in argv:
        return argv, None
    index = argv.index("--")
    return argv[:index], argv[index + 1 :]


def _unknown(unknown: list[str], word: str | None, known: Sequence[str]) -> UsageError:
    """
    Word the arguments that the parser did not understand, naming options without their values.

    Args:
        word: The command that they follow, if any.
        known: The options that could stand there.
    """
    option = next((text.partition("=")[0] for text in unknown if text.startswith("-")), None)
    see = f"Run '{PROGRAM} {word} --help'" if word else f"Run '{PROGRAM} --help'"
    if option is None and word == "login":
        # Somebody may have written it behind --password.
        return UsageError("unexpected argument (not shown)", "Passwords are asked for, on the terminal")
    if option is None:
        return UsageError(f"unexpected argument '{clean(unknown[0], 40)}'", see)
    if any(word in option.lower() for word in _TOKEN_WORDS):
        return UsageError(
            f"there is no option {clean(option, 40)}: other users can see a command line",
            "Write the token to a file and give --login PROVIDER=file:PATH",
        )
    near = difflib.get_close_matches(option, known, n=1)
    return UsageError(f"there is no option {clean(option, 40)}", f"Did you mean {near[0]}?" if near else see)


def _description(command: Command) -> str:
    first = command.summary[0].upper() + command.summary[1:] + "."
    return f"{first}\n\n{command.details.strip()}" if command.details else first


def _example(command: Command) -> str:
    lines = "".join(f"  {text}\n" for text in command.example.strip().splitlines())
    return f"example:\n{lines}"


def _help(commands: Sequence[Command]) -> str:
    width = max(len(command.name) for command in commands)
    parts = [
        f"usage: {PROGRAM} [--profile NAME] [--region REGION] [--debug] [--quiet] COMMAND …",
        "",
        _INTRODUCTION,
    ]
    group = ""
    for command in commands:
        if command.group != group:
            group = command.group
            parts += ["", f"{group}:"]
        parts.append(f"  {command.name.ljust(width)}  {command.summary}")
    parts += ["", f"'{PROGRAM} COMMAND --help' tells more about each. --version prints the version."]
    parts += ["", "exit codes:", *(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)]
    parts += [
        "",
        "example:",
        f"  $ {PROGRAM} demo",
        "  (an identity pool becomes AWS credentials, step by step, on this machine)",
    ]
    return "\n".join(parts) + "\n"
