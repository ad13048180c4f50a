"""``exec``: a command with the credentials in its environment, and nothing there that shadows them."""

from __future__ import annotations

import argparse
import os

from ...errors import ConfigurationError, clean
from ..child import GUARD, PROFILE, child_environment, find, outer, replace_process
from ..command import PROGRAM, Command, Invocation
from ..formats import environment
from ..pool_options import open_pool, region_for, usable_credentials


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    parser.add_argument(
        "child", nargs=argparse.REMAINDER, metavar="CMD", help="the command and its arguments; else a shell"
    )


def run(invocation: Invocation) -> int:
    """Become the command."""
    _refuse_nesting(invocation)
    argv = list(invocation.options.child) or _shell(invocation)
    path = find(argv[0], invocation.environ)
    pool = open_pool(invocation)
    settings = pool.settings
    variables = child_environment(
        invocation.environ,
        environment(usable_credentials(pool), region_for(invocation, settings)),
        profile=settings.profile or settings.identity_pool_id,
        process_id=os.getpid(),
    )
    return replace_process(path, argv, variables, core_limit=invocation.core_limit)


def _refuse_nesting(invocation: Invocation) -> None:
    environ = invocation.environ
    process_id = outer(environ)
    if process_id is None:
        return
    whose = clean(environ.get(PROFILE, ""), 80)
    leave = f"set {GUARD}=" if os.name == "nt" else f"unset {GUARD}"
    raise ConfigurationError(
        f"this is inside '{PROGRAM} exec' for '{whose}' already (process {clean(process_id, 20)})",
        hint=f"leave that with 'exit', or run '{leave}' to nest all the same",
    )


def _shell(invocation: Invocation) -> list[str]:
    variable = "COMSPEC" if os.name == "nt" else "SHELL"
    shell = invocation.environ.get(variable)
    if not shell:
        raise ConfigurationError(
            f"no command is given, and {variable} names no shell to start instead",
            hint=f"run '{PROGRAM} exec -- COMMAND'",
        )
    return [shell]


COMMAND = Command(
    name="exec",
    group="use the credentials",
    summary="run a command with credentials",
    details="""
Without a command it starts your shell. No shell is involved otherwise: for pipes and aliases give one,
as in: exec -- sh -c 'aws s3 ls | head'. Signals and the exit code are the command's own.

The credentials do not renew themselves there. COGNITO_CREDENTIALS_PROFILE says whose they are.""",
    example="""
$ cognito-credentials exec --profile guest -- aws sts get-caller-identity
{
    "Account": "123456789012",
    …""",
    arguments=" [--] [CMD …]",
    run=run,
    add_options=add_options,
    takes_pool=True,
)
