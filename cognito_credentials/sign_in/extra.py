"""
The libraries of the extra ``login``: they are imported only when they are needed, and one error says that
they are missing, and how to install them.

A cache hit of a profile that signs in loads this file, so that what only the error needs is imported there.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from ..errors import ConfigurationError, clean, replaced
from ..extras import install_command

_ALWAYS: Final = ("authlib", "jwt", "cryptography")
_DEVICE: Final = ("segno",)


def check_extra(way: str) -> None:
    """
    Make sure that a sign-in has its libraries, before a person is told or asked anything.

    The extra has ``keyring``, too. Where that alone is missing, the keyring's store says so: it knows what
    else can be chosen.

    Raises:
        ConfigurationError: A library is not installed.
    """
    needed = (*_ALWAYS, *(_DEVICE if way == "device" else ()))
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise _missing(missing)


def needs_extra() -> replaced:
    """
    Return a context in which a library of the extra that is not installed is an error that names the extra.

    Raises:
        ConfigurationError: A library is not installed.
    """
    return replaced(ModuleNotFoundError, by=_explained)


def _explained(error: ModuleNotFoundError) -> ConfigurationError | None:
    """Let an error about another module pass: it is of the app's prompt or function."""
    library = (error.name or "").partition(".")[0]
    return _missing([library]) if library in (*_ALWAYS, *_DEVICE) else None


def _missing(names: list[str]) -> ConfigurationError:
    *first, last = (f"'{clean(name, 40)}'" for name in names)
    listed = f"{', '.join(first)} and {last}, which are" if first else f"{last}, which is"
    return ConfigurationError(
        f"signing in needs {listed} not installed",
        hint=f"Run: {install_command('login')}",
        topic="E-NOT-INSTALLED",
    )
