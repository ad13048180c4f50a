"""
Arguments to options: the global ones, those of each command, and help with worked examples.

Errors are raised, never printed here, and never repeat a value that may be a token: somebody who types
``--token eyJ…`` has shown it to every process of the machine already, and must not find it in a log too.
"""

from __future__ import annotations

import argparse

from ..errors import clean, near
from ..version import __version__
from .command import PROGRAM, Command, Entry, Options
from .failures import EXIT_CODES, UsageError
from .terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, NoReturn

_GLOBAL: Final[dict[str, Any]] = {"profile": None, "region": None, "debug": False, "quiet": False}
"""Options that may stand before and after the command, and what they are when they stand in neither place."""
_TOKEN_WORDS: Final = ("token", "jwt", "password", "secret")
_INTRODUCTION: Final = "AWS credentials from an Amazon Cognito identity pool."


class Parser(argparse.ArgumentParser):
    """argparse's own, but it raises `UsageError` and writes to `Terminal`."""

    help_text: Callable[[], str] | None = None
    """Makes what takes the place of argparse's own help."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, formatter_class=_Unseen, **options)
        self.register("action", None, _Once)
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
        if self.help_text is not None:
            return self.help_text()
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()


class _Once(argparse.Action):
    """
    Store a value, and refuse the option the second time; argparse's own lets the last one win in silence.

    Behind the command, a global option still replaces one before it: an alias of the shell may have set that.
    """

    _is_given = False

    def __call__(
        self, _: argparse.ArgumentParser, namespace: argparse.Namespace, value: Any, option: str | None = None
    ) -> None:
        if option is not None and self._is_given:
            raise UsageError(f"{option} is given twice", "Give it once")
        self._is_given = True
        setattr(namespace, self.dest, value)


def port_number(text: str) -> int:
    """Read the value of ``--port``."""
    if not (text.isascii() and text.isdecimal() and int(text[:9]) < 65_536):
        raise argparse.ArgumentTypeError(f"'{clean(text, 20)}' is no port: it is from 0 to 65535")
    return int(text)


class _Unseen(argparse.HelpFormatter):
    """What argparse checks options with; for the screen's width and colours it would import slow modules."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)

    def _set_color(self, *_: object, **__: object) -> None:
        """Do nothing; Python 3.14 and newer import the colours here."""


def parse(argv: list[str], commands: Sequence[Entry]) -> argparse.Namespace:
    """
    Parse a command line; only the command that it names is loaded.

    Args:
        argv: Without the program's name.
        commands: Those that it may name.

    Returns:
        The options. ``entry`` and ``command`` are those of the command that is named, ``commands`` are all
        entries. The global options are there whether they are given or not.

    Raises:
        UsageError: It is malformed.
        SystemExit: Help or version was asked for, and has been printed.
    """
    before, known = _parser_before()
    before.help_text = lambda: _help(commands)
    index = _index_of_command(argv, known.names)
    word = argv[index] if index < len(argv) else None
    entry = next((entry for entry in commands if entry.name == word), None)
    if word is not None and entry is None:
        raise _no_such_command(word, [entry.name for entry in commands])
    options = before.parse_args(argv[:index], argparse.Namespace(**_GLOBAL))
    if entry is None:
        raise UsageError("no command is given", f"Run '{PROGRAM} --help' to see the commands")
    options.commands, options.entry, options.command = commands, entry, entry.load()
    options.word, options.summary = entry.name, entry.summary
    rest = argv[index + 1 :]
    if options.command.actions:
        rest = _parse_action(rest, options)
    _parse_behind(rest, options)
    if not options.command.takes_profile:
        _refuse_profile(options, entry.name)
    return options


def options_of(entry: Entry | None) -> list[argparse.Action]:
    """Return the options and positional arguments of a command, in the order of its help; None: before it."""
    if entry is None:
        return _parser_before()[1].actions
    command = entry.load()
    if not command.actions:
        return _parser_of(entry.name, entry.summary, command)[1].actions
    parser = Parser()
    options = Options(parser)
    options.add("action", choices=[action.name for action in command.actions], help="what to do")
    found = {"action": options.actions[0]}
    for action in command.actions:
        for each in _parser_of(entry.name, action.summary, action.command)[1].actions:
            # What stands behind the action: an ID of one, a FILE of another. A file can be completed.
            key = each.option_strings[-1] if each.option_strings else "argument"
            if key not in found or (key == "argument" and each.metavar == "FILE"):
                found[key] = each
    return list(found.values())


def _parser_before() -> tuple[Parser, Options]:
    """Return the parser of what stands before the command's name."""
    parser = Parser(prog=PROGRAM)
    options = Options(parser)
    add_global_options(options)
    options.add("--version", action=_PrintVersion, nargs=0, help="print the version")
    return parser, options


def _no_such_command(word: str, names: list[str]) -> UsageError:
    meant = near(word, names)
    hint = f"Did you mean '{meant[0]}'?" if meant else f"Run '{PROGRAM} --help' to see the commands"
    return UsageError(f"there is no command '{clean(word, 40)}'", hint)


def _parse_action(argv: list[str], options: argparse.Namespace) -> list[str]:
    """
    Find the action behind the command's name; `options` then has its command.

    Returns:
        What follows the action.
    """
    name, actions = options.entry.name, options.command.actions
    parser = Parser(prog=f"{PROGRAM} {name}")
    parser.help_text = lambda: _help_of_actions(options.entry, options.command)
    known = Options(parser)
    add_global_options(known)
    index = _index_of_command(argv, known.names, name)
    parser.parse_args(argv[:index], options)
    see = f"Run '{PROGRAM} {name} --help'"
    names = [action.name for action in actions]
    if index == len(argv):
        raise UsageError(f"{name} takes one of {', '.join(names)}", see)
    action = next((action for action in actions if action.name == argv[index]), None)
    if action is None:
        meant = near(argv[index], names)
        hint = f"Did you mean '{name} {meant[0]}'?" if meant else see
        raise UsageError(f"there is no '{name} {clean(argv[index], 40)}'", hint)
    options.command = action.command
    options.word, options.summary = f"{name} {action.name}", action.summary
    return argv[index + 1 :]


def _parse_behind(argv: list[str], options: argparse.Namespace) -> None:
    """Parse what follows the command's name, and its action."""
    name = options.word
    parser, known = _parser_of(name, options.summary, options.command)
    own, child = _split_at_dashes(argv) if name == "exec" else (argv, None)
    _, unknown = parser.parse_known_args(own, options)
    if unknown:
        raise _unknown(unknown, name, known.names)
    if child is not None and len(vars(options).get("child") or ()) == 1:
        raise UsageError(
            f"'{clean(options.child[0], 40)}' stands before '--', where options stand",
            f"A profile is chosen with --profile NAME: '{PROGRAM} exec --profile NAME -- COMMAND'",
        )
    if child is not None:
        # A second "--" is the command's own.
        options.child = [*options.child, "--", *child] if options.child else child


def _refuse_profile(options: argparse.Namespace, word: str) -> None:
    """Refuse options before a command to which they mean nothing, rather than ignore them in silence."""
    for name in ("profile", "region"):
        if vars(options)[name] is not None:
            raise UsageError(f"{word} takes no --{name}", f"Run '{PROGRAM} {word} --help'")


def _parser_of(name: str, summary: str, command: Command) -> tuple[Parser, Options]:
    """Return the parser of what follows the *name* of a command, with its action, and its options."""
    parser = Parser(
        prog=f"{PROGRAM} {name}",
        usage=f"{PROGRAM} {name} [options]{command.arguments}",
        description=_description(summary, command.details),
        epilog=_example(command),
    )
    options = Options(parser)
    if command.add_options is not None:
        command.add_options(options)
    if command.takes_pool:
        from .pool_options import add_pool_options

        add_pool_options(options)
    add_global_options(options, takes_profile=command.takes_profile)
    return parser, options


def add_global_options(options: Options, *, takes_profile: bool = True) -> None:
    """Add the options that every command has; --profile and --region only where they mean something."""
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
    """Unlike argparse's own, it writes as every command does, to the process's terminal or pipe."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        Terminal.of_process().write(f"{PROGRAM} {__version__}\n")
        parser.exit()


def _index_of_command(argv: Sequence[str], known: Sequence[str], word: str | None = None) -> int:
    """
    Find the command's name: the first argument that is neither an option nor an option's value.

    Args:
        known: The options that may stand before it.
        word: The command whose action is looked for, in place of a command.
    """
    index = 0
    while index < len(argv) and argv[index].startswith("-"):
        if argv[index].partition("=")[0] not in known:
            raise _unknown([argv[index]], word, known)
        index += 2 if argv[index] in ("--profile", "--region") else 1
    return index


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
        hint = "A profile is chosen with --profile NAME; passwords are asked for, on the terminal"
        return UsageError("unexpected argument (not shown)", hint)
    if option is None:
        choose = "A profile is chosen with --profile NAME. " if "--profile" in known else ""
        return UsageError(f"unexpected argument '{clean(unknown[0], 40)}'", choose + see)
    if any(word in option.lower() for word in _TOKEN_WORDS):
        return UsageError(
            f"there is no option {clean(option, 40)}: other users can see a command line",
            "Write the token to a file and give --login PROVIDER=file:PATH",
        )
    if option == "--identity-pool-id" and option not in known and "--profile" in known:
        hint = "Name a profile of the pool with --profile, or set AWS_COGNITO_IDENTITY_POOL_ID"
        return UsageError(f"there is no option {option} here", hint)
    meant = _near_option(option, known)
    return UsageError(f"there is no option {clean(option, 40)}", f"Did you mean {meant}?" if meant else see)


def _near_option(option: str, known: Sequence[str]) -> str | None:
    if option == "-V" and "--version" in known:
        return "--version"
    words = option.lstrip("-").split("-")
    # --pool stands for --identity-pool-id, --role for --role-arn, whatever else has similar letters.
    parts = [name for name in known if all(word in name.lstrip("-").split("-") for word in words)]
    meant = parts[:1] or near(option, known)
    return meant[0] if meant else None


def _description(summary: str, details: str) -> str:
    first = summary[0].upper() + summary[1:] + "."
    return f"{first}\n\n{details.strip()}" if details else first


def _example(command: Command) -> str:
    lines = "".join(f"  {text}\n" for text in command.example.strip().splitlines())
    return f"example:\n{lines}"


def _help_of_actions(entry: Entry, command: Command) -> str:
    width = max(len(action.name) for action in command.actions)
    parts = [
        f"usage: {PROGRAM} {entry.name} ACTION …",
        "",
        _description(entry.summary, command.details),
        "",
        "actions:",
        *(f"  {action.name.ljust(width)}  {action.summary}" for action in command.actions),
        "",
        f"'{PROGRAM} {entry.name} ACTION --help' tells more about each. All take --profile, --region,",
        "--debug and --quiet.",
        "",
        _example(command),
    ]
    return "\n".join(parts)


def _help(commands: Sequence[Entry]) -> str:
    width = max(len(command.name) for command in commands)
    parts = [
        f"usage: {PROGRAM} [options] COMMAND …",
        "",
        _INTRODUCTION,
    ]
    group = ""
    for command in commands:
        if command.group != group:
            group = command.group
            parts += ["", f"{group}:"]
        parts.append(f"  {command.name.ljust(width)}  {command.summary}")
    parts += [
        "",
        f"'{PROGRAM} COMMAND --help' tells more about each. All take --debug and --quiet, and most take",
        "--profile NAME and --region REGION, before or behind their name. --version prints the version.",
    ]
    parts += ["", "exit codes:", *(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)]
    parts += [
        "",
        "example:",
        f"  $ {PROGRAM} demo",
        "  (an identity pool becomes AWS credentials, step by step, on this machine)",
    ]
    return "\n".join(parts) + "\n"
