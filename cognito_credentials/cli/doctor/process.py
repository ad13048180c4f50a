"""
The ``credential_process`` line: whether every SDK can run it, and whether it is for this profile.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
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
    """
    The line is there, and every SDK can run it, from everywhere, and gets credentials of this profile.

    ``configure`` mends whatever is wrong with it, so the first thing that is found suffices.
    """
    line = setup.settings.profile_settings.get("credential_process")
    configure = f"Run {command_line('configure', setup.profile)}"
    for note in process_problem(setup.settings, setup.environ):
        is_used = isinstance(line, str) and "names no profile" not in note.what
        yield error(*note) if is_used else warning(*note)
        return
    if not isinstance(line, str):
        yield skipped("there is no profile that names a pool")
    elif not is_ours(line):
        yield skipped("it runs another program")
    else:
        name = f"credential_process of profile '{printable(setup.profile or '', 80)}'"
        problem = _quoting(line, name, configure) or _path(line, name, configure, setup.environ)
        problem = problem or _installation(line, name, configure, setup.environ)
        yield problem or ok("SDKs can run it from everywhere, and get credentials of this profile")


def _quoting(line: str, name: str, configure: str) -> Result | None:
    """Find what SDKs read differently."""
    wrong = read_differently(line)
    if wrong is None:
        return None
    return (warning if "quotes" in wrong else error)(f"{name} {wrong}", configure)


def _path(line: str, name: str, configure: str, environ: Mapping[str, str]) -> Result | None:
    """Find a program that cron, or a program with windows, does not find: their PATH is not a shell's."""
    program, found = files_of(line, environ)[0]
    if os.path.isabs(program):
        return None
    shown = printable(program)
    if os.path.dirname(program):
        return error(f"{name} runs {shown}, which is another program in each working directory", configure)
    if os.name == "nt" or shutil.which(program, path=_PATH_OF_CRON) is not None:
        return None
    return warning(
        f"{name} runs {shown}, found here by PATH in {printable(os.path.dirname(found or ''))}: cron and "
        "programs with windows have another PATH",
        f"{configure}, which writes the whole path",
    )


def _installation(line: str, name: str, configure: str, environ: Mapping[str, str]) -> Result | None:
    """Find an installation that is not this one, and that may be older."""
    other = of_another_installation(line, environ)
    if other is None:
        return None
    what = f"{name} runs another installation than this one: {printable(other)}"
    return warning(what, f"{configure} to have it run this one")
