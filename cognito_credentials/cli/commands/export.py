"""``export``: print the credentials in the syntax of a shell, a file or another tool."""

from __future__ import annotations

from ...errors import clean
from ..command import PROGRAM, Command, Invocation, Options
from ..failures import UsageError
from ..formats import FORMATS, export, removal
from ..pool_options import open_pool, region_for, usable_credentials


def add_options(options: Options) -> None:
    options.add(
        "--format", choices=FORMATS, default="process", help="how to write them; process is the default"
    )
    options.add("--unset", action="store_true", help="print what removes them from the shell again")
    options.add("--print", action="store_true", help="print them even to a terminal")


def run(invocation: Invocation) -> int:
    """Print the credentials, or what removes them."""
    options, terminal = invocation.options, invocation.terminal
    if options.unset:
        lines = removal(options.format)
        if lines is None:
            raise UsageError(
                f"the format {options.format} sets nothing that could be removed",
                "Give --format env, fish, powershell or windows-cmd",
            )
        terminal.write(lines)
        return 0
    if terminal.shows_results and not options.print:
        raise UsageError(
            "stdout is a terminal, where others can read the credentials and scrollback keeps them",
            f'Use eval "$({PROGRAM} export --format env)" or a file, or add --print',
        )
    pool = open_pool(invocation)
    region = region_for(invocation, pool.settings)
    section = clean(pool.settings.profile or "default", 120)
    terminal.write(export(usable_credentials(pool), options.format, region=region, profile=section))
    return 0


COMMAND = Command(
    name="export",
    group="use the credentials",
    summary="print credentials for a shell, a file or another tool",
    details="""
They do not renew themselves there: after AWS_CREDENTIAL_EXPIRATION export them again. Every program started
from that shell inherits them. In Git Bash, set MSYS2_ENV_CONV_EXCL='*': values may begin with a slash.""",
    example="""
$ eval "$(cognito-credentials export --profile guest --format env)"
$ docker run --env-file <(cognito-credentials export --format env-no-export) example
PS> cognito-credentials export --format powershell | Out-String | Invoke-Expression
$ eval "$(cognito-credentials export --format env --unset)\"""",
    run=run,
    add_options=add_options,
    takes_pool=True,
)
