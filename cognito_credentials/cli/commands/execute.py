"""
``exec``: run a command with the credentials in its environment, or with an endpoint that renews them.

Variables that would win over the credentials in an SDK's chain are removed. The command takes the place of
this process, without a shell, so its signals and its exit code are its own.

With ``--server``, this process serves the endpoint, and the command runs beside it (`cli/child.py`). So the
server ends with this process, however that ends. Were it the command's child, it would have to notice the
command's end by polling, and would outlive it at times.
"""

from __future__ import annotations

import argparse
import os

from ...errors import ConfigurationError, clean
from ..command import PROGRAM, Command, Invocation, Options
from ..failures import NOT_EXECUTABLE, NOT_FOUND, CommandError, cannot_start
from ..formats import environment, region_variables
from ..pool_options import (
    GETTING,
    facts_of,
    find_ready,
    first_credentials,
    get_ready,
    given_region,
    open_pool,
)
from ..process import hand_over
from ..terminal import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ...credentials import TemporaryCredentials

SHADOWING: Final = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_CREDENTIAL_FILE", "AWS_CREDENTIAL_EXPIRATION"),
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SDK_LOAD_CONFIG", "AWS_ACCOUNT_ID"),
    *("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
)
"""Variables that an SDK prefers to the credentials, or mixes with them. Source: the SDKs' credential chains;
https://github.com/99designs/aws-vault/blob/master/cli/exec.go"""
GUARD: Final = "COGNITO_CREDENTIALS_EXEC"
"""Variable with the id of the process that ``exec`` became, for what runs inside."""
PROFILE: Final = "COGNITO_CREDENTIALS_PROFILE"
"""Variable with the profile of the credentials, for prompts and scripts."""


def add_options(options: Options) -> None:
    options.add(
        "--server", action="store_true", help="give it an endpoint that renews the credentials, no keys"
    )
    options.add(
        "child", nargs=argparse.REMAINDER, metavar="CMD", help="the command and its arguments; else a shell"
    )


def answer(invocation: Invocation) -> int | None:
    """Become the command, with credentials that are in the cache."""
    _refuse_nesting(invocation.environ)
    # What is wrong is said before the service is asked.
    find(_child(invocation)[0], invocation.environ)
    given_region(invocation)
    ready = None if invocation.options.server else find_ready(invocation)
    return None if ready is None else _become(invocation, *ready)


def run(invocation: Invocation) -> int:
    """Become the command, or run it beside the server."""
    if invocation.options.server:
        return _serve(invocation)
    with invocation.terminal.working(GETTING):
        ready = get_ready(invocation)
    return _become(invocation, *ready)


def _serve(invocation: Invocation) -> int:
    from ...serve.server import serving
    from ..child import Child
    from ..precedence import what_wins_over_endpoint

    environ, argv = invocation.environ, _child(invocation)
    pool = open_pool(invocation)
    facts = facts_of(pool, environ)
    with serving(pool, environ, check=first_credentials(invocation)) as server:
        variables = child_environment(
            environ,
            {**server.variables, **region_variables(given_region(invocation) or facts["region"])},
            profile=facts["profile"] or facts["identity_pool_id"],
            process_id=os.getpid(),
        )
        for note in what_wins_over_endpoint(pool.settings, variables):
            invocation.terminal.notice(f"{PROGRAM}: {note}.")
        child = Child(find(argv[0], environ), argv, variables, core_limit=invocation.core_limit)
        with child, server.running():  # in this order: while the command is started, no other thread runs
            return child.wait()


def _child(invocation: Invocation) -> list[str]:
    return list(invocation.options.child) or _shell(invocation.environ)


def _become(invocation: Invocation, credentials: TemporaryCredentials, facts: dict[str, str]) -> int:
    argv = _child(invocation)
    variables = child_environment(
        invocation.environ,
        environment(credentials, given_region(invocation) or facts["region"]),
        profile=facts["profile"] or facts["identity_pool_id"],
        process_id=os.getpid(),
    )
    path = find(argv[0], invocation.environ)
    return replace_process(path, argv, variables, core_limit=invocation.core_limit)


def _refuse_nesting(environ: Mapping[str, str]) -> None:
    process_id = outer(environ)
    if process_id is None:
        return
    whose = clean(environ.get(PROFILE, ""), 80)
    leave = f"set {GUARD}=" if os.name == "nt" else f"unset {GUARD}"
    raise ConfigurationError(
        f"this is inside '{PROGRAM} exec' for '{whose}' already (process {clean(process_id, 20)})",
        hint=f"Leave that with 'exit', or run '{leave}' to nest all the same",
        topic="E-EXEC",
    )


def _shell(environ: Mapping[str, str]) -> list[str]:
    variable = "COMSPEC" if os.name == "nt" else "SHELL"
    shell = environ.get(variable)
    if not shell:
        raise ConfigurationError(
            f"no command is given, and {variable} names no shell to start instead",
            hint=f"Run '{PROGRAM} exec -- COMMAND'",
            topic="E-EXEC",
        )
    return [shell]


def child_environment(
    environ: Mapping[str, str], credentials: Mapping[str, str], *, profile: str, process_id: int
) -> dict[str, str]:
    """
    Return *environ* with *credentials* in it, and without `SHADOWING`.

    Args:
        credentials: Variables, as of `formats.environment`.
        profile: Their profile.
        process_id: The id of this process, which the command keeps.
    """
    kept = {name: value for name, value in environ.items() if name not in SHADOWING}
    return {**kept, **credentials, PROFILE: profile, GUARD: str(process_id)}


def outer(environ: Mapping[str, str]) -> str | None:
    """
    Return the id of the ``exec`` that this process runs in, or None.

    The variable may be left over from a process that has ended: a terminal multiplexer keeps its environment.
    """
    process_id = environ.get(GUARD)
    if not process_id:
        return None
    if not process_id.isdecimal() or len(process_id) > 9 or os.name == "nt":
        return process_id  # on Windows, os.kill ends the process
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return None
    except OSError:
        return process_id  # it runs as another user
    return process_id


def find(command: str, environ: Mapping[str, str]) -> str:
    """
    Return the path of *command*, as a shell would find it.

    Raises:
        CommandError: It does not exist, or is not executable.
    """
    import shutil

    path: str | None = shutil.which(command, path=environ.get("PATH", os.defpath))
    if path is not None:
        return path
    has_directory = os.path.dirname(command) != ""
    if has_directory and os.path.exists(command):
        raise CommandError(f"'{printable(command, 120)}' is not executable", NOT_EXECUTABLE)
    where = "does not exist" if has_directory else "is not found in PATH"
    raise CommandError(f"'{printable(command, 120)}' {where}", NOT_FOUND)


def replace_process(path: str, argv: list[str], environ: Mapping[str, str], *, core_limit: int | None) -> int:
    """
    Run the command in place of this process; on Windows, beside it.

    Args:
        argv: The program's name, then its arguments.
        core_limit: As `process.hand_over` takes it.

    Returns:
        On Windows, its exit code; elsewhere it does not return.

    Raises:
        CommandError: The system refuses to start it.
    """
    if os.name == "nt":
        from ..child import Child

        with Child(path, argv, environ, core_limit=None) as child:
            return child.wait()
    hand_over(core_limit)
    try:
        os.execve(path, argv, environ)  # noqa: S606  (no shell is wanted)
    except OSError as error:
        raise cannot_start(argv[0], error) from None


COMMAND = Command(
    details="""
Without a command it starts your shell. A command is run without a shell: for pipes and aliases give one,
as in: exec -- sh -c 'aws s3 ls | head'. Signals and the exit code are the command's own.

The credentials do not renew themselves there, unless --server gives the command an endpoint in place of keys:
SDKs of every language ask it for credentials, for as long as the command runs. Their profile is in
COGNITO_CREDENTIALS_PROFILE.""",
    example="""
$ cognito-credentials exec --profile guest -- aws sts get-caller-identity
{
    "Account": "123456789012",
    …""",
    arguments=" [--] [CMD …]",
    answer=answer,
    run=run,
    add_options=add_options,
    takes_pool=True,
)
