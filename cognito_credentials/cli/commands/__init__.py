"""
The commands, one file each, and the run of one: parse, do, word what went wrong.
"""

from __future__ import annotations

import contextlib
import os

from ..command import Command, Invocation
from ..ending import EndedBySignal, ending_in_order
from ..failures import StoppedError, profile_of, report
from ..hardening import protect_memory
from ..logs import logging_to
from ..parser import parse
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
        own_process: Whether this process is ours alone, so that it may be protected.

    Returns:
        The exit code.
    """
    terminal = Terminal.of_process()
    profile, debug = None, "--debug" in argv
    try:
        core_limit = protect_memory() if own_process else None
        options = parse(argv, COMMANDS)
        terminal.quiet = getattr(options, "quiet", False)
        debug = getattr(options, "debug", False)
        profile = profile_of(getattr(options, "profile", None), os.environ)
        invocation = Invocation(argv, options, os.environ, terminal, core_limit)
        # An SDK shows our stderr as the error's text: of a failure it must be the one line alone.
        hold = options.command is credential_process.COMMAND
        in_order = ending_in_order() if own_process else contextlib.nullcontext()
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
