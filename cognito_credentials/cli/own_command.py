"""
The ``credential_process`` line that runs this installation, and how to recognise such a line.

On Windows it runs the program that the installer made. Elsewhere it names the interpreter and `SCRIPT`, a
file of ours that installers put beside their own ``cognito-credentials``, and change in nothing but its first
line. Theirs may take as long as a cache hit: that of pip in Python 3.10 imports ``re``. ``-E`` leaves
PYTHONPATH out, and the script leaves out the directory that it is in: other packages have files there, too.

Neither path has the version of Python or of this package in it, so the line holds when a virtual environment
is made anew. Both are absolute, since programs with windows have another PATH. A word that needs no quotes
has none, since some SDKs hand the line to a shell within quotes. Others have double quotes, the only ones
that botocore understands on every system.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import sysconfig
from collections.abc import Iterable
from typing import Final

from .command import PROGRAM

SCRIPT: Final = f"{PROGRAM}.py"
_MODULE: Final = "cognito_credentials"
_SUBCOMMAND: Final = "credential-process"
_PLAIN: Final = re.compile(r"[\w./@+:=-]+", re.ASCII)
"""A word that every shell and SDK takes as it is."""


def credential_process(profile: str) -> str:
    """Return the line for *profile*."""
    return " ".join(_quoted(word) for word in (*_own_program(), _SUBCOMMAND, "--profile", profile))


def is_ours(line: str) -> bool:
    """Tell whether a ``credential_process`` runs this program, of whichever installation and version."""
    try:
        words = shlex.split(line, posix=os.name != "nt")
    except ValueError:
        return False
    if _SUBCOMMAND not in words:
        return False
    before = words[: words.index(_SUBCOMMAND)]
    paths = [word.strip('"').replace("\\", "/").removesuffix(".exe") for word in before]
    names = {path.rpartition("/")[2] for path in paths}
    runs_package = any(path.endswith(f"{_MODULE}/__main__.py") for path in paths)
    return runs_package or not names.isdisjoint((PROGRAM, SCRIPT, _MODULE))


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
    if _PLAIN.fullmatch(text) and not (os.name == "nt" and "/" in text):
        return text
    escaped = text if os.name == "nt" else text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
