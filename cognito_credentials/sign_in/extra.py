"""
The libraries of the extra ``login``: they are imported only when they are needed, and one error says that
they are missing, and how to install them.

A cache hit of a profile that signs in loads this file, so that what only the error needs is imported there.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Any, Final

from ..errors import ConfigurationError, clean, replaced

_PACKAGE: Final = "cognito-credentials"
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
        f"signing in needs {listed} not installed", hint=f"Run: {install_command(sys.executable)}"
    )


def install_command(python: str, *, has_pip: bool | None = None) -> str:
    """
    Return the command that adds the extra to the installation of *python*.

    pip takes the package that is installed for the one that is meant, whatever it was installed from: an
    index, a checkout or a file. uv looks for it once more, so it is told where it came from.
    """
    if find_spec("pip") is not None if has_pip is None else has_pip:
        return _line([python, "-m", "pip", "install", f"{_PACKAGE}[login]"])
    return _line(["uv", "pip", "install", "--python", python, *_origin()])


def _origin() -> list[str]:
    """Return where the package was installed from, as arguments of ``install``; the record is PEP 610's."""
    import json
    from importlib import metadata
    from urllib.parse import unquote, urlsplit

    try:
        found: dict[str, Any] = json.loads(
            metadata.distribution(_PACKAGE).read_text("direct_url.json") or "{}"
        )
    except (metadata.PackageNotFoundError, ValueError):
        found = {}
    url, directory, vcs = found.get("url"), found.get("dir_info"), found.get("vcs_info")
    if not url:
        return [f"{_PACKAGE}[login]"]
    if directory is not None:
        path = unquote(urlsplit(url).path)
        path = path.lstrip("/") if os.name == "nt" else path
        return [*(["--editable"] if directory.get("editable") else []), f"{path}[login]"]
    if vcs is not None:
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    return [f"{_PACKAGE}[login] @ {url}"]


def _line(words: list[str]) -> str:
    """Quote a command for the shell that the person types it in."""
    import shlex

    if os.name == "nt":
        return " ".join(f'"{word}"' if set(word) & set(" []@") else word for word in words)
    return shlex.join(words)
