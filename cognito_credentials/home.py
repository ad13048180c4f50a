"""
The user's home directory, the paths that are relative to it, and the directory of the file cache.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Mapping

from .errors import ConfigurationError, clean

CACHE_VARIABLE = "AWS_COGNITO_CACHE_DIR"
CACHE_NAME, SIGN_INS_NAME = "cache", "sign-in"
"""
The directories of the file cache and of the sign-ins, in ours under the user's home and in a program's own.
"""


def home_directory(environ: Mapping[str, str]) -> str | None:
    """
    Find the user's home in *environ*, or in the user database when *environ* has no ``HOME``.

    Returns:
        An absolute path; None if the user has no home, or *environ* names a relative path.
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


def cache_directory(environ: Mapping[str, str], *, is_windows: bool = os.name == "nt") -> str | None:
    """
    Return the directory of the file cache: ``AWS_COGNITO_CACHE_DIR``, or a place under the user's home.

    Returns:
        An absolute path; None when *environ* names no home.

    Raises:
        ConfigurationError: The variable has a relative path. Each working directory would be another cache,
            and a foreign one could hold what looks like ours.
    """
    given = environ.get(CACHE_VARIABLE)
    if given:
        path = expand_user(given, environ)
        if not os.path.isabs(path):
            raise ConfigurationError(
                f"{CACHE_VARIABLE} is not an absolute path: '{clean(path)}'",
                hint="Give the whole path, from / or ~",
                topic="E-CACHE",
            )
        return os.path.abspath(path)
    if is_windows:
        # Local, not roaming: credentials must not be copied to a server with the profile.
        local = environ.get("LOCALAPPDATA", "")
        return ntpath.join(local, "cognito-credentials", CACHE_NAME) if ntpath.isabs(local) else None
    home = home_directory(environ)
    return os.path.join(home, ".aws", "cognito", CACHE_NAME) if home else None


def own_directory(value: object, where: str, environ: Mapping[str, str]) -> str:
    """
    Take the directory of a program's own, which has the file cache and the sign-ins in it.

    Args:
        value: A path as text or `os.PathLike`, absolute or from ``~``.
        where: Name and origin, for messages.

    Raises:
        ConfigurationError: It is no path, or a relative one, which would be another place in each working
            directory.
    """
    given = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(given, str):
        raise ConfigurationError(
            f"{where} is {type(given).__name__}, not a path", hint="Give a str or a Path", topic="E-CACHE"
        )
    path = expand_user(given, environ)
    if not os.path.isabs(path) or "\0" in path:
        raise ConfigurationError(
            f"{where} is not an absolute path: '{clean(path)}'",
            hint="Give the whole path, from / or ~",
            topic="E-CACHE",
        )
    return os.path.abspath(path)
