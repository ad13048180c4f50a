"""
The commands, one file each, and `run`: arguments in; output, an error in one line, and an exit code out.

    credential_process.py   print credentials for an SDK
    export.py               print them for a shell, a file or another tool
    execute.py              run a command with them (``exec``)
    serve.py                let programs ask for them over HTTP
    console.py              open the AWS console with them
    whoami.py               ask STS which role they are of
    status.py, listing.py   show what one profile, or all (``list``), has and keeps; offline
    doctor.py               find what is wrong with one profile and its surroundings
    login.py, logout.py     sign in and out
    unlink.py               take one login off the identity
    configure.py            write a profile
    pool.py                 make identity pools as a file says
    identities.py           list, show and delete the identities of a pool
    developer.py            the users of an app's own back end
    refresh.py, clear.py    renew credentials, forget them
    cache.py                write all identities to a file, and bring them back
    completion.py           print what shells complete command lines with
    demo.py, emulator.py    try it out on this machine
    helping.py              ``help``

Each has a `Command`: options, help, and a function from an `Invocation` to an exit code. Only the file of the
command that runs is loaded; `COMMANDS` has what the list of all of them shows.
"""

from __future__ import annotations

import os

from ..command import Entry, Invocation
from ..failures import StoppedError, profile_of, report
from ..parser import parse
from ..process import EndedBySignal, EndingInOrder, forbid_core_dumps, forbid_tracing
from ..terminal import Terminal

COMMANDS = (
    Entry(
        "credential-process",
        "credential_process",
        "use the credentials",
        "print credentials for a profile's credential_process",
    ),
    Entry("export", "export", "use the credentials", "print credentials for a shell, a file or another tool"),
    Entry("exec", "execute", "use the credentials", "run a command with credentials"),
    Entry(
        "serve", "serve", "use the credentials", "let programs on this machine ask for credentials over HTTP"
    ),
    Entry("console", "console", "use the credentials", "open the AWS console in the browser"),
    Entry("whoami", "whoami", "inspect", "ask STS whose credentials these are"),
    Entry("status", "status", "inspect", "show identity, time left and where they are kept; offline"),
    Entry("list", "listing", "inspect", "list the profiles with an identity pool, and what is kept; offline"),
    Entry("doctor", "doctor", "inspect", "find out what is wrong with a profile, and what to do"),
    Entry("login", "login", "sign in and out", "sign in to the user pool or issuer that the profile names"),
    Entry("logout", "logout", "sign in and out", "end the sign-in, here and at the issuer"),
    Entry("unlink", "unlink", "sign in and out", "take one login off the identity"),
    Entry("configure", "configure", "set up and clean up", "write a profile into the AWS config file"),
    Entry("refresh", "refresh", "set up and clean up", "get new credentials now"),
    Entry("clear", "clear", "set up and clean up", "forget credentials, keep identities"),
    Entry(
        "completion", "completion", "set up and clean up", "print a script that completes commands in a shell"
    ),
    Entry("cache", "cache", "operate", "back up all identities, and restore them"),
    Entry("pool", "pool", "operate", "make identity pools as a TOML file says; list, export, delete them"),
    Entry("identities", "identities", "operate", "list, show and delete the identities of a pool"),
    Entry("developer", "developer", "operate", "tokens and identities of the users of your own back end"),
    Entry(
        "demo",
        "demo",
        "try it out",
        "see an identity pool become AWS credentials, step by step, on this machine",
    ),
    Entry("emulator", "emulator", "try it out", "run Cognito Identity and STS on this machine"),
    Entry("help", "helping", "try it out", "show what a command does and takes"),
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
        core_limit = forbid_core_dumps() if own_process else None
        options = parse(argv, COMMANDS)
        terminal.quiet, debug = options.quiet, options.debug
        profile = profile_of(options.profile, os.environ)
        invocation = Invocation(argv, options, os.environ, terminal, core_limit=core_limit)
        command = options.command
        code = None if command.answer is None else command.answer(invocation)
        return _run(invocation, own_process=own_process) if code is None else int(code)
    except SystemExit as ended:  # argparse, after the help or the version
        return ended.code if isinstance(ended.code, int) else 0
    except EndedBySignal as ended:
        return ended.end_process()
    except EOFError:
        return report(StoppedError("no answer; nothing was changed"), terminal, profile=None, debug=debug)
    except BaseException as error:  # noqa: BLE001  (the one place where errors end)
        return report(error, terminal, profile=profile, debug=debug)


def _run(invocation: Invocation, *, own_process: bool) -> int:
    """Run the command with the library, whose log is shown."""
    import contextlib

    from ..logs import logging_to

    options = invocation.options
    if own_process:
        forbid_tracing()
    # An SDK shows our stderr as the error's text: a failure must print its one line and nothing else.
    profile = profile_of(options.profile, invocation.environ)
    hold = options.entry.name == "credential-process"
    terminal, doing = invocation.terminal, options.command.doing
    with (
        EndingInOrder() if own_process else contextlib.nullcontext(),
        logging_to(terminal, profile=profile, debug=options.debug, hold=hold),
        terminal.working(doing) if doing else contextlib.nullcontext(),
    ):
        return int(options.command.run(invocation))
