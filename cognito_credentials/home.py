"""
The user's home directory, for the paths that are relative to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def home_directory(environ: Mapping[str, str]) -> str | None:
    """
    Find the user's home in *environ*, or in the user database when *environ* has no ``HOME``.

    Returns:
        An absolute path; None when there is none, or when *environ* names a relative path.
    """
    home = environ.get("USERPROFILE" if os.name == "nt" else "HOME")
    if home is None:
        home = _home_of_user()  # botocore looks there too: system services start without HOME
    return home if os.path.isabs(home) else None


def _home_of_user() -> str:
    if os.name == "nt":
        return ""
    import pwd  # does not exist on Windows

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""  # a container may run under a user id that no user has


def expand_user(path: str, environ: Mapping[str, str]) -> str:
    """Replace a leading ``~`` by the user's home; without a home, return *path* as it is."""
    home = home_directory(environ)
    if home and (path == "~" or path.startswith(("~/", "~" + os.sep))):
        return home + path[1:]
    return path
