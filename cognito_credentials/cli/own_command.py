"""
The ``credential_process`` line that runs this installation, and how to recognise such a line.

On Windows it runs the program that the installer made. Elsewhere it names the interpreter and `SCRIPT`, a
file of ours that installers put beside their own ``cognito-credentials``, and change in nothing but its first
line. Theirs may take as long as a cache hit: that of pip in Python 3.10 imports ``re``. ``-E`` leaves
PYTHONPATH out, and the script leaves out the directory that it is in: other packages have files there, too.

Neither path has the version of Python or of this package in it, so the line holds when a virtual environment
is made anew. Both are absolute, since programs with windows have another PATH.

botocore splits the line itself; the other SDKs give it to a shell; and some of their INI parsers drop what
is in quotes. So on POSIX special characters have a backslash (`shell_word`). On Windows quotes are double,
and never stand around the last word, where older Go SDKs drop them.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from typing import Final

from ..errors import shell_word
from .command import PROGRAM

SCRIPT: Final = f"{PROGRAM}.py"
_MODULE: Final = "cognito_credentials"
_SUBCOMMAND: Final = "credential-process"
_OF_SHELLS: Final = "$`;|&<>(){}[]*?!#"
"""Characters that a shell changes, or may change, where no backslash stands before them."""
_PLAIN: Final = re.compile(r"[\w.@+:=-]+", re.ASCII)
"""A word that Windows and the SDKs there take as it is."""


def credential_process(profile: str) -> str:
    """Return the line for *profile*."""
    if os.name != "nt":
        return " ".join(shell_word(word) for word in (*_own_program(), _SUBCOMMAND, "--profile", profile))
    program, name = [_quoted(word) for word in _own_program()], _quoted(profile)
    selected = (_SUBCOMMAND, "--profile", name) if name == profile else ("--profile", name, _SUBCOMMAND)
    return " ".join((*program, *selected))


def is_ours(line: str) -> bool:
    """Tell whether a ``credential_process`` runs this program, of whichever installation and version."""
    return any(_names_us(word) for word in _before_subcommand(line))


def files_of(line: str, environ: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """
    Find the files that a ``credential_process`` of ours runs: its program, and our script or package.

    Args:
        environ: Its ``PATH`` is searched for a program without a folder.

    Returns:
        The word and the path of each file; no path where the file is not there.
    """
    program, *words = [os.path.expanduser(word) for word in _before_subcommand(line)]
    of_ours = [word for word in words if os.path.dirname(word) and _names_us(word)]
    return [
        (program, shutil.which(program, path=environ.get("PATH", os.defpath))),
        *((word, word if os.path.isfile(word) else None) for word in of_ours),
    ]


def of_another_installation(line: str, environ: Mapping[str, str]) -> str | None:
    """
    Find out whether a ``credential_process`` of ours runs another installation than this one.

    Returns:
        The path of its script or program; None where that is of this installation.
    """
    found = [path for _, path in files_of(line, environ) if path is not None]
    if not found:
        return None
    last = found[-1]  # our script or package; the program alone where an installer made that
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    scripts = sysconfig.get_path("scripts") or package
    own = {os.path.realpath(path) for path in (package, scripts, os.path.dirname(sys.executable))}
    # It may lie in a folder of links, as ~/.local/bin is.
    places = {os.path.realpath(os.path.dirname(last)), os.path.dirname(os.path.realpath(last))}
    return None if places & own else last


def read_differently(line: str) -> str | None:
    """
    Find what SDKs read differently in a ``credential_process``: botocore uses no shell, the others do.

    Returns:
        What it is, for people; None where all read the same words. On Windows nothing is looked at.
    """
    if os.name == "nt":
        return None
    try:
        shlex.split(line)
    except ValueError:
        return "has a quote or a backslash without an end"
    bare = re.sub(r"\\.", "", line)  # without what stands behind a backslash
    if "'" in bare or '"' in bare:
        return "has quotes: Terraform and older Go SDKs drop what is in quotes"
    if re.search(r"(?:^|\s)~", bare):
        return "has a ~, which botocore does not take for the home directory"
    special = next((one for one in bare if one in _OF_SHELLS), None)
    if special is not None:
        return f"has a {special} without a backslash, which shells change and botocore does not"
    return None


def _before_subcommand(line: str) -> list[str]:
    """Return the words that start the program of *line*; none where it has not our subcommand."""
    try:
        words = shlex.split(line, posix=os.name != "nt")
    except ValueError:
        return []
    before = words[: words.index(_SUBCOMMAND)] if _SUBCOMMAND in words else []
    return [word.strip('"') for word in before]


def _names_us(word: str) -> bool:
    path = word.replace("\\", "/").removesuffix(".exe")
    name = path.rpartition("/")[2]
    return path.endswith(f"{_MODULE}/__main__.py") or name in (PROGRAM, SCRIPT, _MODULE)


def _own_program() -> list[str]:
    python = _interpreter()
    if os.name != "nt":
        for path in _beside(SCRIPT):
            if os.path.isfile(path):
                return [python, "-E", path]
    for path in _beside(PROGRAM + (".exe" if os.name == "nt" else "")):
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return [path]
    # Run from a checkout: there is no script. Not `-m`, which would run a folder of the package's name in
    # the working directory of whoever wants credentials.
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return [python, "-E", os.path.join(package, "__main__.py")]


def _interpreter() -> str:
    """Return the path of this interpreter; in a virtual environment, the one without a version."""
    path = os.path.abspath(sys.executable)
    plain = os.path.join(os.path.dirname(path), "python")
    is_same = sys.prefix != sys.base_prefix and os.path.exists(plain) and os.path.samefile(plain, path)
    return plain if is_same else path


def _beside(name: str) -> Iterable[str]:
    """Name the places where an installer may have put our file *name*, the likeliest first."""
    started = os.path.basename(sys.argv[0]).removesuffix(".exe")
    if started in (PROGRAM, SCRIPT):
        yield os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), name)
    yield os.path.join(os.path.dirname(os.path.abspath(sys.executable)), name)
    scripts = sysconfig.get_path("scripts")
    if scripts:
        yield os.path.join(scripts, name)


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else f'"{text}"'
