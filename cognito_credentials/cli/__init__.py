"""
The command line: what people type, and what SDKs run.

In come arguments, the environment and the config files; out go results on stdout, words for people on stderr,
and an exit code.

    fast.py              arguments and environment -> what ``credential-process`` prints, if the cache has it
    process.py           protects the memory of this process, spares the garbage collector, ends in order
    commands/            one file a command; ``commands.run`` parses, runs, and reports what went wrong
    command.py           what a command is made of
    parser.py            arguments -> options, or a usage error; help
    pool_options.py      options -> settings, identity pool, region, credentials
    confirmation.py      the question before something is lost for ever
    terminal.py          the only place that writes to stdout and stderr, or asks a question
    looks.py             what a stream can show -> colours, bars, lines that fit
    progress.py          one line on stderr that says what takes so long
    tables.py            rows -> tables, lists and JSON
    words.py             facts -> phrases that several commands use
    child.py             runs a command beside this process: its signals, its exit code
    formats.py           credentials -> variables, and their text for each shell
    failures.py          exceptions -> one line and an exit code
    logs.py              our log -> stderr
    cache_directory.py   everything in the cache directory -> rows for ``list``; clearing it
    config_text.py       text of a config file and changes to one profile -> the new text
    config_file.py       path of the config file -> its bytes, and back
    own_command.py       the ``credential_process`` line of this installation
    precedence.py        a profile -> what other programs use in place of its identity pool
    doctor/              the checks of ``doctor``: what they look at, what they find, what to do
    wizard.py            the questions of ``configure``
    completion/          all commands and options -> a script for a shell, which completes command lines
    profile_names.py     the AWS config file -> names that such a script offers

This file dispatches and imports nothing heavy: an SDK runs ``credential-process`` before each of the user's
commands, so an answer from the cache must cost hardly more than starting the interpreter.
"""

from __future__ import annotations

import os
import sys


def main(argv: list[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        argv: The arguments without the program's name; None for those of this process, which is then
            also protected against core dumps.

    Returns:
        The exit code, one of `failures.EXIT_CODES` or that of the command started by ``exec``.
    """
    if argv is not None:
        return _run(argv, own_process=False)
    from ..importing import IMPORTING
    from .process import collect_seldom, skip_last_collection

    IMPORTING.never_forks()
    collect_seldom()
    try:
        return _run(sys.argv[1:], own_process=True)
    finally:
        skip_last_collection()


def _run(argv: list[str], *, own_process: bool) -> int:
    try:
        if argv and argv[0] == "credential-process":
            from .fast import answer

            if own_process:
                from .process import forbid_core_dumps

                forbid_core_dumps()
            line = answer(argv, os.environ)
            if line is not None and _printed(line):
                return 0
        if argv == ["completion", "--profiles"]:  # a shell waits for it at each Tab
            from .profile_names import print_names

            return print_names(os.environ)
        from .commands import run

        return run(argv, own_process=own_process)
    except KeyboardInterrupt:
        return 130


def _printed(line: str) -> bool:
    """Print the answer; where that fails, the slow path fails too and words the error."""
    try:
        if sys.stdout is None:
            return False
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True
