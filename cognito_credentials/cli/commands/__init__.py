"""
The commands, one file each, and `run`: arguments in; output, an error in one line, and an exit code out.

    credential_process.py   print credentials for an SDK
    export.py               print them for a shell, a file or another tool
    execute.py              run a command with them (``exec``)
    whoami.py               ask STS which role they are of
    status.py, listing.py   show what one profile, or all (``list``), has and keeps; offline
    login.py, logout.py     sign in and out
    unlink.py               take one login off the identity
    configure.py            write a profile
    refresh.py, clear.py    renew credentials, forget them
    demo.py, emulator.py    try it out on this machine
    helping.py              ``help``

Each has a `Command`: name, options, help, and a function from an `Invocation` to an exit code.
"""

from __future__ import annotations

import contextlib
import os

from ..command import Command, Invocation
from ..failures import StoppedError, profile_of, report
from ..logs import logging_to
from ..parser import parse
from ..process import EndedBySignal, EndingInOrder, protect_memory
from ..terminal import Terminal
from . import (
    clear,
    configure,
    credential_process,
    demo,
    emulator,
    execute,
    export,
    helping,
    listing,
    login,
    logout,
    refresh,
    status,
    unlink,
    whoami,
)

COMMANDS: tuple[Command, ...] = (
    credential_process.COMMAND,
    export.COMMAND,
    execute.COMMAND,
    whoami.COMMAND,
    status.COMMAND,
    listing.COMMAND,
    login.COMMAND,
    logout.COMMAND,
    unlink.COMMAND,
    configure.COMMAND,
    refresh.COMMAND,
    clear.COMMAND,
    demo.COMMAND,
    emulator.COMMAND,
    helping.COMMAND,
)
"""In the order of the help."""


def run(argv: list[str], *, own_process: bool = False) -> int:
    """
    Run one command line.

    Args:
        argv: Without the program's name.
        own_process: Whether this process runs nothing else, so that its memory and signals are ours.

    Returns:
        The exit code.
    """
    terminal = Terminal.of_process()
    profile, debug = None, "--debug" in argv
    try:
        core_limit = protect_memory() if own_process else None
        options = parse(argv, COMMANDS)
        terminal.quiet, debug = options.quiet, options.debug
        profile = profile_of(options.profile, os.environ)
        invocation = Invocation(argv, options, os.environ, terminal, core_limit)
        # An SDK shows our stderr as the error's text: a failure must print its one line and nothing else.
        hold = options.command is credential_process.COMMAND
        in_order = EndingInOrder() if own_process else contextlib.nullcontext()
        with in_order, logging_to(terminal, debug=debug, hold=hold):
            return int(options.command.run(invocation))
    except SystemExit as ended:  # argparse, after the help or the version
        return ended.code if isinstance(ended.code, int) else 0
    except EndedBySignal as ended:
        return ended.end_process()
    except EOFError:
        return report(StoppedError("no answer; nothing was changed"), terminal, profile=None, debug=debug)
    except BaseException as error:  # noqa: BLE001  (the one place where errors end)
        return report(error, terminal, profile=profile, debug=debug)
