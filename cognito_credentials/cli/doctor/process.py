"""
The ``credential_process`` line: whether SDKs can run it from everywhere, and what for.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..own_command import files_of, is_ours, of_another_installation, read_differently
from ..precedence import process_problem
from ..terminal import printable
from ..words import command_line
from .check import Result, error, ok, skipped, warning

if TYPE_CHECKING:
    from .setup import Setup

_PATH_OF_CRON: Final = os.pathsep.join(("/usr/bin", "/bin"))
"""What cron has; desktops have little more. Source: crontab(5), and environment.d(5) of systemd."""


def credential_process(setup: Setup) -> Iterator[Result]:
    """The profile has a line, its files exist, and it names this profile."""
    line = _line(setup)
    for note in process_problem(setup.settings, setup.environ):
        is_missing = line is None or "names no profile" in note.what
        yield warning(*note) if is_missing else error(*note)
        return
    if line is None:
        yield skipped("the profile does not name the pool itself")
    elif not is_ours(line):
        yield skipped("it runs another program")
    else:
        yield ok("it runs this program for this profile")


def quoting(setup: Setup) -> Iterator[Result]:
    """Every SDK reads the same words in the line."""
    line = _line(setup)
    if line is None:
        yield skipped("there is no credential_process")
        return
    wrong = read_differently(line)
    name = printable(setup.profile or "", 80)
    if wrong is None:
        yield ok("every SDK reads the same words in it")
        return
    make = warning if "quotes" in wrong else error
    yield make(f"credential_process of profile '{name}' {wrong}", f"Run {command_line('configure', name)}")


def path(setup: Setup) -> Iterator[Result]:
    """Programs with windows and cron find the program, too: their PATH is not that of a shell."""
    line = _own_line(setup)
    if line is None:
        yield skipped("credential_process does not run this program")
        return
    program, found = files_of(line, setup.environ)[0]
    configure = command_line("configure", setup.profile)
    if os.path.isabs(program):
        yield ok("credential_process names its program with the whole path")
    elif os.path.dirname(program):
        yield error(
            f"credential_process names {printable(program)}, which is another program in each working "
            "directory",
            f"Run {configure}",
        )
    elif os.name != "nt" and shutil.which(program, path=_PATH_OF_CRON) is None:
        yield warning(
            f"credential_process names {printable(program)}, found here by PATH in "
            f"{printable(os.path.dirname(found or ''))}: cron and programs with windows have another PATH",
            f"Run {configure}, which writes the whole path",
        )
    else:
        yield ok("credential_process names a program that every PATH leads to")


def installation(setup: Setup) -> Iterator[Result]:
    """The line runs this installation and not another one, which may be older."""
    line = _own_line(setup)
    if line is None:
        yield skipped("credential_process does not run this program")
        return
    other = of_another_installation(line, setup.environ)
    if other is None:
        yield ok("credential_process runs this installation")
        return
    yield warning(
        f"credential_process runs another installation than this one: {printable(other)}",
        f"Run {command_line('configure', setup.profile)} to have it run this one",
    )


def _line(setup: Setup) -> str | None:
    """Return the profile's line; None where the pool is not the profile's own."""
    line = setup.settings.profile_settings.get("credential_process")
    return line if isinstance(line, str) else None


def _own_line(setup: Setup) -> str | None:
    line = _line(setup)
    return line if line is not None and is_ours(line) else None
