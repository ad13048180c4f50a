"""
Exceptions to one line on stderr and an exit code; nothing else decides either.

It is one line because an SDK pastes it into its own error: the profile, what is wrong, what to do.
"""

from __future__ import annotations

import os
import sys

from ..errors import CognitoCredentialsError, clean, sentences
from .command import PROGRAM
from .terminal import ClosedOutputError, Terminal, UnwritableOutputError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

UNEXPECTED: Final = 1
USAGE: Final = 2
CHANGES: Final = 8
NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
INTERRUPTED: Final = 130
CLOSED_OUTPUT: Final = 141
"""What a shell reports for a program that SIGPIPE ended."""

EXIT_CODES: Final = (
    (0, "ok"),
    (UNEXPECTED, "unexpected: a bug, or standard output cannot be written; doctor: something is wrong"),
    (USAGE, "usage: no command, option or combination of ours"),
    (3, "login required"),
    (4, "configuration: the value of a setting, or a file that an option or argument names"),
    (5, "Cognito or STS refused"),
    (6, "network, or throttled: try again"),
    (
        7,
        "the storage that was asked for is unavailable: keyring, or cache (also its URL, password or key)",
    ),
    (CHANGES, "pool plan: there are changes"),
    (NOT_EXECUTABLE, "exec: the command is not executable"),
    (NOT_FOUND, "exec: the command is not found"),
    (INTERRUPTED, "Ctrl-C, or answered with no; serve and emulator end with 0"),
    (CLOSED_OUTPUT, "standard output is a pipe that nobody reads any more"),
)
"""Code and meaning, for the help; 3 to 7 are those of the classes in `cognito_credentials.errors`."""

_NEXT: Final = {
    3: "Sign in again, then repeat the command",
    4: "Correct the setting, then repeat the command",
    5: f"see '{PROGRAM} status' for what was sent, and ask the owner of the identity pool",
    6: "Try again in a moment",
    7: "Correct the cache directory (AWS_COGNITO_CACHE_DIR), or the keyring",
}
"""What to do, where the error itself does not say."""


class UsageError(Exception):
    """The command line is malformed; the hint says what to type instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(clean(message))
        self.hint = clean(hint)


class StoppedError(Exception):
    """The user answered a question with no, or not at all."""


class CommandError(Exception):
    """
    ``exec`` cannot start the command.

    Args:
        exit_code: 126 or 127, as shells have it.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(printable(message))
        self.exit_code = exit_code


def cannot_start(command: str, error: OSError) -> CommandError:
    """Make the error for a *command* that the system refuses to start."""
    # A script whose interpreter is missing is "not found" too, to shells as to the system.
    code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    reason = error.strerror or type(error).__name__
    return CommandError(f"'{printable(command, 120)}' cannot be started: {reason}", code)


_ORDINARY: Final = (
    *(CognitoCredentialsError, UsageError, StoppedError, CommandError),
    *(ClosedOutputError, UnwritableOutputError),
)
"""Errors that are no bugs: a traceback would add nothing."""


def report(error: BaseException, terminal: Terminal, *, profile: str | None, debug: bool) -> int:
    """
    Say what stopped a command, in one line.

    Args:
        profile: The profile concerned, if any.
        debug: Whether to show the traceback of a bug.

    Returns:
        The exit code.
    """
    if debug and isinstance(error, Exception) and not isinstance(error, _ORDINARY):
        _show_traceback(error, terminal)
    if isinstance(error, CognitoCredentialsError):
        hint = error.hint or _NEXT.get(error.exit_code, "")
        terminal.say(line(error.message, hint, profile, topic=error.topic))
        return error.exit_code
    if isinstance(error, UsageError):
        terminal.say(line(str(error), error.hint, topic="E-USAGE"))
        return USAGE
    if isinstance(error, CommandError):
        terminal.say(line(str(error), "", topic="E-EXEC"))
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, StoppedError):
        terminal.say(line(str(error), ""))
        return INTERRUPTED
    if isinstance(error, ClosedOutputError):
        _silence_stdout()
        return CLOSED_OUTPUT
    if isinstance(error, UnwritableOutputError):
        _silence_stdout()
        terminal.say(line(f"standard output cannot be written: {error}", "", topic="E-OUTPUT"))
        return UNEXPECTED
    # Its type only: the text of an unknown exception may hold a secret.
    what = f"unexpected {type(error).__name__}; this is a bug"
    terminal.say(
        line(what, "Run the command again with --debug and report what it prints", profile, topic="E-BUG")
    )
    return UNEXPECTED


def line(what: str, hint: str, profile: str | None = None, *, topic: str = "") -> str:
    """Word an error: ``cognito-credentials: profile 'guest': <what>. <what to run> (see E-NO-POOL).``"""
    said = sentences(what, hint)
    if topic:
        said = f"{said.removesuffix('.')} (see {topic})"
    return f"{PROGRAM}: {whose(what, profile)}{said}" + ("" if said.endswith((".", "?", "!", "…")) else ".")


def whose(what: str, profile: str | None) -> str:
    """Word whose *what* is: ``profile 'guest': ``; empty where there is no profile, or *what* names it."""
    name = clean(profile, 80) if profile else ""
    return f"profile '{name}': " if name and f"profile '{name}'" not in what else ""


def profile_of(profile: str | None, environ: Mapping[str, str]) -> str | None:
    """Name the profile that an error concerns: *profile* if it is given, or that of the environment."""
    return profile or environ.get("AWS_PROFILE") or None


def _show_traceback(error: BaseException, terminal: Terminal) -> None:
    import traceback

    for text in traceback.format_exception(error):
        for each in text.splitlines():
            # A traceback has source lines and messages, but no values of variables. Keys in it are masked.
            is_place = each.lstrip().startswith("File ")
            indent = each[: len(each) - len(each.lstrip())]
            terminal.say(printable(each) if is_place else indent + clean(each, 500))


def _silence_stdout() -> None:
    """Keep the interpreter from complaining at exit that it cannot flush stdout."""
    if sys.stdout is not sys.__stdout__ or sys.stdout is None:
        return  # it belongs to a test, or to the program that calls us
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
        os.close(descriptor)
    except (OSError, ValueError):
        return  # it is closed already
