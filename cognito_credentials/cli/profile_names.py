"""
The names of profiles that a shell may offer behind ``--profile``.

A shell asks at each Tab, so only the config file is parsed. What is wrong with it is not said here: the
command that is run in the end says it.
"""

from __future__ import annotations

from ..errors import ConfigurationError
from ..settings.aws_config import read_config
from .terminal import ClosedOutputError, Terminal, UnwritableOutputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_POOL_KEY: Final = "cognito_identity_pool_id"


def names(environ: Mapping[str, str]) -> list[str]:
    """
    Return the profiles with an identity pool whose names can be typed, sorted.

    A name that is not printable could hold escape sequences, which a shell would show on the screen. Behind
    ``--profile``, a name that begins with a dash is an option.

    Raises:
        ConfigurationError: The config file cannot be read.
    """
    profiles = read_config(environ)["profiles"]
    return sorted(
        name
        for name, values in profiles.items()
        if _POOL_KEY in values and name.isprintable() and not name.startswith("-")
    )


def print_names(environ: Mapping[str, str]) -> int:
    """Print the names, a line each; return the exit code."""
    try:
        Terminal.of_process().write("".join(f"{name}\n" for name in names(environ)))
    except ConfigurationError as error:
        return error.exit_code
    except (ClosedOutputError, UnwritableOutputError):
        return 1
    return 0
