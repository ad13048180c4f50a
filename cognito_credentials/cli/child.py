"""
The environment of a command that is run with credentials, and its start in our place.

Everything that would win over the credentials in an SDK's chain is removed first. No shell is involved:
the command is an argument list, and its signals and exit code are its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Final

from .failures import CommandError
from .hardening import restore
from .terminal import printable

SHADOWING: Final = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_CREDENTIAL_FILE", "AWS_CREDENTIAL_EXPIRATION"),
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SDK_LOAD_CONFIG", "AWS_ACCOUNT_ID"),
    *("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
)
"""Source: aws-vault's list, and the SDKs' credential chains (tools.md 2.4)."""
GUARD: Final = "COGNITO_CREDENTIALS_EXEC"
"""Id of the process that ``exec`` became; a command inside has it."""
PROFILE: Final = "COGNITO_CREDENTIALS_PROFILE"
"""Whose credentials they are, for prompts and scripts."""

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127


def child_environment(
    environ: Mapping[str, str], credentials: Mapping[str, str], *, profile: str, process_id: int
) -> dict[str, str]:
    """
    Return *environ* with *credentials* in it, and nothing that shadows them.

    Args:
        environ: Ours.
        credentials: Variables, see `formats.environment`.
        profile: Whose they are.
        process_id: Ours, which the command will have.
    """
    kept = {name: value for name, value in environ.items() if name not in SHADOWING}
    return {**kept, **credentials, PROFILE: profile, GUARD: str(process_id)}


def outer(environ: Mapping[str, str]) -> str | None:
    """
    Return the id of the ``exec`` that this process runs in, or None.

    A variable whose process has ended is left over (a terminal multiplexer keeps them), and is no nesting.
    """
    process_id = environ.get(GUARD)
    if not process_id:
        return None
    if not process_id.isdecimal() or len(process_id) > 9 or os.name == "nt":
        return process_id  # on Windows, os.kill asks nothing: it kills
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return None
    except OSError:
        return process_id  # it lives, and is somebody else's
    return process_id


def find(command: str, environ: Mapping[str, str]) -> str:
    """
    Find the file of *command*, as a shell would.

    Raises:
        CommandError: There is none, or it is no program.
    """
    path = shutil.which(command, path=environ.get("PATH", os.defpath))
    if path is not None:
        return path
    has_directory = os.path.dirname(command) != ""
    if has_directory and os.path.exists(command):
        raise CommandError(f"'{printable(command, 120)}' is not executable", _NOT_EXECUTABLE)
    where = "does not exist" if has_directory else "is not found in PATH"
    raise CommandError(f"'{printable(command, 120)}' {where}", _NOT_FOUND)


def replace_process(path: str, argv: list[str], environ: Mapping[str, str], *, core_limit: int | None) -> int:
    """
    Run the command in place of this process; on Windows, beside it.

    Args:
        path: Of the program.
        argv: With its name first.
        environ: Its environment.
        core_limit: What to set the limit of core dumps back to.

    Returns:
        On Windows, its exit code; elsewhere it does not return.

    Raises:
        CommandError: The system refuses to start it.
    """
    if os.name == "nt":
        return _run_beside(path, argv, environ)
    restore(core_limit)
    try:
        os.execve(path, argv, environ)  # noqa: S606  (no shell is wanted)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        gone = isinstance(error, FileNotFoundError)
        # A script whose interpreter is missing is "not found" too, to shells as to the system.
        raise CommandError(
            f"'{printable(argv[0], 120)}' cannot be started: {reason}",
            _NOT_FOUND if gone else _NOT_EXECUTABLE,
        ) from None


def _run_beside(path: str, argv: list[str], environ: Mapping[str, str]) -> int:
    import signal
    import subprocess

    # Ctrl-C reaches every process of the console: what to do about it is the command's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run([path, *argv[1:]], env=dict(environ), check=False).returncode
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CommandError(
            f"'{printable(argv[0], 120)}' cannot be started: {reason}", _NOT_EXECUTABLE
        ) from None
