"""
The command line: what people and other SDKs type.

    fast.py              answers ``credential-process`` from the cache, and imports next to nothing
    core_dumps.py        none of this process;  hardening.py  what more there is to protect memory
    commands/            one file a command; `commands.run` parses, runs and turns errors into exit codes
    command.py           what a command is
    parser.py            options, help, usage errors
    pool_options.py      the options that select an identity pool, and the pool they select
    ending.py            SIGTERM and SIGHUP as orderly as Ctrl-C
    terminal.py          the only place that writes; tables.py the only one that draws
    failures.py          the only place that words errors and chooses exit codes
    formats.py           credentials for shells;  child.py  credentials for a command
    config_text.py, config_file.py, profiles.py   editing ``~/.aws/config`` without harming it

Here: the dispatch, and nothing heavy at import. An SDK runs ``credential-process`` before each of the
user's commands, so a hit in the cache must cost hardly more than starting the interpreter.
"""

from __future__ import annotations

import os
import sys

from . import core_dumps


def main(argv: list[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        argv: The arguments without the program's name; None for those of this process, which is then
            also protected against core dumps.

    Returns:
        The exit code; design.md 4.3 lists them.
    """
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if arguments and arguments[0] == "credential-process":
            from .fast import answer

            if argv is None:
                core_dumps.forbid()
            line = answer(arguments, os.environ)
            if line is not None and _printed(line):
                return 0
        from .commands import run

        return run(arguments, own_process=argv is None)
    except KeyboardInterrupt:
        return 130


def _printed(line: str) -> bool:
    """Print the answer; where that fails, the slow path fails too and has the words for it."""
    try:
        if sys.stdout is None:
            return False
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True
