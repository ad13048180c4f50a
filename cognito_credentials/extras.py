"""
The command that adds an extra to this installation, for the messages about a library that is missing.

It is the one file that the emulator shares: it is about this installation, and not about the service. A cache
hit of a profile that signs in loads this file, so that what only the message needs is imported there.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PACKAGE = "cognito-credentials"


def install_command(extra: str, python: str = sys.executable, *, has_pip: bool | None = None) -> str:
    """
    Return the command that adds *extra*, such as ``emulator,saml``, to the installation of *python*.

    pip takes the package that is installed for the one that is meant, whatever it was installed from: an
    index, a checkout or a file. uv looks for it once more, so it is told where it came from.
    """
    if find_spec("pip") is not None if has_pip is None else has_pip:
        return _line([python, "-m", "pip", "install", f"{_PACKAGE}[{extra}]"])
    return _line(["uv", "pip", "install", "--python", python, *_origin(extra)])


def _origin(extra: str) -> list[str]:
    """
    Return where the package was installed from, as arguments of ``install``.

    Source: direct_url.json, https://peps.python.org/pep-0610/.
    """
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
        return [f"{_PACKAGE}[{extra}]"]
    if directory is not None:
        path = unquote(urlsplit(url).path)
        path = path.lstrip("/") if os.name == "nt" else path
        return [*(["--editable"] if directory.get("editable") else []), f"{path}[{extra}]"]
    if vcs is not None:
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    return [f"{_PACKAGE}[{extra}] @ {url}"]


def _line(words: list[str]) -> str:
    """Quote a command for the shell that the person types it in."""
    import shlex

    if os.name == "nt":
        return " ".join(f'"{word}"' if set(word) & set(" []@") else word for word in words)
    return shlex.join(words)
