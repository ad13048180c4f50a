"""
The command line's grammar: global options, one subparser a command, help with worked examples.

Errors are raised, never printed here, and never repeat a value that may be a token: somebody who types
``--token eyJ…`` has shown it to every process of the machine already, and must not find it in a log too.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from ..errors import clean
from .command import PROGRAM, Command
from .failures import EXIT_CODES, UsageError
from .pool_options import add_pool_options
from .terminal import Terminal

_VALUE_OPTIONS: Final = ("--profile", "--region")
_TOKEN_WORDS: Final = ("token", "jwt", "password", "secret")
_INTRODUCTION: Final = "AWS credentials from an Amazon Cognito identity pool."


class Parser(argparse.ArgumentParser):
    """argparse's, but it raises `UsageError`, takes no abbreviations and can be told its help."""

    help_text: str | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.color = False  # Python 3.14 and newer put escape sequences into the help

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        option, ignored, _ = message.partition(": ignored explicit argument")
        if ignored:  # the rest is what was typed behind "--password="
            message = f"{option} takes no value"
        raise UsageError(message, f"run '{self.prog} --help'")

    def print_help(self, file: Any = None) -> None:
        """Print the help; argparse's own complains, or changes to stderr, when nobody reads stdout."""
        del file
        Terminal.of_process().write(self.format_help())

    def format_help(self) -> str:
        """Return the help: ours where there is one."""
        return self.help_text or super().format_help()


def parse(argv: list[str], commands: Sequence[Command]) -> argparse.Namespace:
    """
    Parse a command line.

    Args:
        argv: Without the program's name.
        commands: Those there are.

    Returns:
        The options; ``command`` is the `Command`.

    Raises:
        UsageError: It is not one of ours.
        SystemExit: Help or version was asked for, and has been printed.
    """
    parser = _build(commands)
    names = [command.name for command in commands]
    word = _first_word(argv, parser)
    if word is not None and word not in names:
        near = difflib.get_close_matches(word, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"run '{PROGRAM} --help' for those there are"
        raise UsageError(f"there is no command '{clean(word, 40)}'", hint)
    mine, childs = _split_at_dashes(argv) if word == "exec" else (argv, None)
    options, unknown = parser.parse_known_args(mine)
    if word is None:
        raise UsageError("no command is given", f"run '{PROGRAM} --help' for those there are")
    if unknown:
        raise _unknown(unknown, options.parser)
    if not options.command.takes_profile:
        _refuse_profile(options, word)
    if childs is not None:
        # A second "--" is the command's own.
        options.child = [*options.child, "--", *childs] if options.child else childs
    return options


def _refuse_profile(options: argparse.Namespace, word: str) -> None:
    """Refuse what stands before a command to which it means nothing: it would be passed over in silence."""
    for name in ("profile", "region"):
        if hasattr(options, name):
            raise UsageError(f"{word} takes no --{name}", f"run '{PROGRAM} {word} --help'")


def _build(commands: Sequence[Command]) -> Parser:
    parser = Parser(prog=PROGRAM, allow_abbrev=False, add_help=False)
    _add_global_options(parser)
    parser.add_argument("--version", action=_PrintVersion, nargs=0)
    subparsers = parser.add_subparsers(metavar="COMMAND", parser_class=Parser, required=False)
    for command in commands:
        child = subparsers.add_parser(
            command.name,
            prog=f"{PROGRAM} {command.name}",
            usage=f"{PROGRAM} {command.name} [options]{command.arguments}",
            description=_description(command),
            epilog=_example(command),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        if command.add_options is not None:
            command.add_options(child)
        if command.takes_pool:
            add_pool_options(child)
        _add_global_options(child, takes_profile=command.takes_profile)
        child.set_defaults(command=command, parser=child, commands=commands)
    parser.help_text = _help(commands)
    return parser


def _add_global_options(parser: argparse.ArgumentParser, *, takes_profile: bool = True) -> None:
    """Add the options that may stand before and after the command; absent ones leave no attribute."""
    group = parser.add_argument_group("options everywhere")
    if takes_profile:
        group.add_argument(
            "--profile",
            metavar="NAME",
            default=argparse.SUPPRESS,
            help="profile of the AWS config file; otherwise AWS_PROFILE, then 'default'",
        )
        group.add_argument(
            "--region",
            metavar="REGION",
            default=argparse.SUPPRESS,
            help="AWS region for what uses the credentials; otherwise AWS_REGION, the profile's, the pool's",
        )
    for name, text in (
        ("--debug", "say on stderr what is decided, and where a bug is"),
        ("--quiet", "say nothing but results and errors"),
    ):
        group.add_argument(name, action="store_true", default=argparse.SUPPRESS, help=text)
    group.add_argument("-h", "--help", action="help", help="show this help")


class _PrintVersion(argparse.Action):
    """argparse's own takes the version when the parser is built; importlib.metadata takes its time."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            text = version(PROGRAM)
        except PackageNotFoundError:
            text = "(a checkout that is not installed)"
        Terminal.of_process().write(f"{PROGRAM} {text}\n")
        parser.exit()


def _first_word(argv: Sequence[str], parser: Parser) -> str | None:
    """Return what stands where the command belongs; whatever stands before it must be ours."""
    known = _option_names(parser)
    rest = iter(argv)
    for argument in rest:
        if argument in _VALUE_OPTIONS:
            next(rest, None)
        elif not argument.startswith("-"):
            return argument
        elif argument.partition("=")[0] not in known:
            raise _unknown([argument], parser)
    return None


def _split_at_dashes(argv: list[str]) -> tuple[list[str], list[str] | None]:
    if "--" not in argv:
        return argv, None
    index = argv.index("--")
    return argv[:index], argv[index + 1 :]


def _unknown(unknown: list[str], parser: argparse.ArgumentParser) -> UsageError:
    """Word what *parser* did not understand, naming options without their values."""
    option = next((text.partition("=")[0] for text in unknown if text.startswith("-")), None)
    if option is None and parser.prog.endswith(" login"):
        # Somebody may have written it behind --password.
        return UsageError("unexpected argument (not shown)", "passwords are asked for, on the terminal")
    if option is None:
        return UsageError(f"unexpected argument '{clean(unknown[0], 40)}'", f"run '{parser.prog} --help'")
    if any(word in option.lower() for word in _TOKEN_WORDS):
        return UsageError(
            f"there is no option {clean(option, 40)}: other users can see a command line",
            "write the token to a file and give --login PROVIDER=file:PATH",
        )
    near = difflib.get_close_matches(option, _option_names(parser), n=1)
    hint = f"did you mean {near[0]}?" if near else f"run '{parser.prog} --help'"
    return UsageError(f"there is no option {clean(option, 40)}", hint)


def _option_names(parser: argparse.ArgumentParser) -> list[str]:
    options = argparse.ArgumentParser.format_help(parser).partition("example:")[0]
    return [word.strip("[],") for word in options.split() if word.lstrip("[").startswith("-")]


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
    parts += ["", "example:", f"  $ {PROGRAM} demo", "  (the main job from start to end, on this machine)"]
    return "\n".join(parts) + "\n"
