"""
The AWS config file on disk: finding it, reading it, and replacing it as a whole.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping

from ..errors import ConfigurationError, clean
from ..home import expand_user, home_directory


def config_path(environ: Mapping[str, str], variable: str, name: str) -> str:
    """
    Return the path of a file of the AWS tools.

    Args:
        variable: ``AWS_CONFIG_FILE`` or ``AWS_SHARED_CREDENTIALS_FILE``.
        name: Name of the file in ``~/.aws`` where *variable* is not set.

    Raises:
        ConfigurationError: *variable* is not set, and no home directory is known.
    """
    given = environ.get(variable)
    if given:
        return os.path.abspath(expand_user(os.path.expandvars(given), environ))
    home = home_directory(environ)
    if home is None:
        raise ConfigurationError(
            "there is no home directory to look for .aws in", hint=f"Set {variable}", topic="E-PROFILE"
        )
    return os.path.join(home, ".aws", name)


def read(path: str) -> bytes | None:
    """
    Read the file; None when it does not exist.

    Raises:
        ConfigurationError: It is no regular file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ConfigurationError(
                f"{clean(path)} is not a regular file", hint="Point AWS_CONFIG_FILE at one", topic="E-PROFILE"
            )
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            f"{clean(path)} cannot be read: {why}", hint="Correct its permissions", topic="E-PROFILE"
        ) from None


def replace(path: str, data: bytes, *, before: bytes | None) -> None:
    """
    Write the file as a whole or not at all. It keeps its permissions; only its owner may read a new one.

    Args:
        path: A symbolic link stays one: the file it leads to is replaced.
        data: The new content.
        before: The content that the change was made from.

    Raises:
        ConfigurationError: Another program has changed it meanwhile, or it cannot be written.
    """
    target = os.path.realpath(path)
    if read(target) != before:
        raise ConfigurationError(
            f"{clean(path)} was changed meanwhile; nothing was written",
            hint="Run the command again",
            topic="E-PROFILE",
        )
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        _write(target, data)
    except OSError as error:
        raise ConfigurationError(
            f"{clean(path)} cannot be written: {error.strerror or type(error).__name__}",
            hint="Correct the permissions of its directory; the file is as it was",
            topic="E-PROFILE",
        ) from None


def _write(target: str, data: bytes) -> None:
    directory, name = os.path.split(target)
    # Beside the target: replacing is atomic only within one file system.
    temporary = os.path.join(directory, f".{name}.{os.getpid()}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o600)
    try:
        with open(descriptor, "wb") as file:
            _keep_owner_and_mode(descriptor, target)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_directory(directory)


def _keep_owner_and_mode(descriptor: int, target: str) -> None:
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return
    if hasattr(os, "fchown") and os.geteuid() == 0:
        os.fchown(descriptor, found.st_uid, found.st_gid)  # under sudo, the file stays its user's
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode))


def _sync_directory(directory: str) -> None:
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return  # Windows opens no directories
    try:
        os.fsync(descriptor)
    except OSError:
        return  # some file systems cannot
    finally:
        os.close(descriptor)
