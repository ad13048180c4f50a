"""
The ``credential_process`` line that runs this installation, and how to recognise such a line.

It has an absolute path, since programs with windows have another PATH; and double quotes, the only ones that
botocore understands on every system.
"""

from __future__ import annotations

import os
import shlex
import sys
import sysconfig
from collections.abc import Iterable
from typing import Final

from .command import PROGRAM

_MODULE: Final = "cognito_credentials"
_SUBCOMMAND: Final = "credential-process"


def credential_process(profile: str) -> str:
    """Return the line for *profile*."""
    name = profile if profile.isascii() and profile.replace("-", "").isalnum() else _quoted(profile)
    return f"{_own_program()} {_SUBCOMMAND} --profile {name}"


def is_ours(line: str) -> bool:
    """Tell whether a ``credential_process`` runs this program, of whichever installation."""
    try:
        words = shlex.split(line, posix=os.name != "nt")
    except ValueError:
        return False
    if _SUBCOMMAND not in words:
        return False
    program = os.path.basename(words[0].strip('"').replace("\\", "/")).removesuffix(".exe")
    runs_file = any(word.strip('"').replace("\\", "/").endswith(_MODULE + "/__main__.py") for word in words)
    return program == PROGRAM or _MODULE in words or runs_file


def _own_program() -> str:
    for path in _candidates():
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return _quoted(path)
    # Run from a checkout: there is no script. Not `-m`, which would run a folder of the package's name in
    # the working directory of whoever wants credentials.
    program = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "__main__.py")
    return f"{_quoted(os.path.abspath(sys.executable))} {_quoted(program)}"


def _candidates() -> Iterable[str]:
    name = PROGRAM + (".exe" if os.name == "nt" else "")
    if os.path.basename(sys.argv[0]) in (name, PROGRAM):
        yield os.path.abspath(sys.argv[0])
    yield os.path.join(os.path.dirname(os.path.abspath(sys.executable)), name)
    scripts = sysconfig.get_path("scripts")
    if scripts:
        yield os.path.join(scripts, name)


def _quoted(text: str) -> str:
    escaped = text if os.name == "nt" else text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
