"""``export``: print the credentials in the syntax of a shell, a file or another tool."""

from __future__ import annotations

from ...errors import clean, shell_word
from ..command import PROGRAM, Command, Invocation, Options
from ..failures import UsageError
from ..formats import FORMATS, export, removal
from ..pool_options import GETTING, find_ready, get_ready, given_region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...credentials import TemporaryCredentials


def add_options(options: Options) -> None:
    options.add(
        "--format", choices=FORMATS, default="process", help="how to write them; process is the default"
    )
    options.add("--unset", action="store_true", help="print what removes them from the shell again")
    options.add("--print", action="store_true", help="print them even to a terminal")


def answer(invocation: Invocation) -> int | None:
    """Print what removes the credentials, or those that are in the cache."""
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
        profile = f" --profile {shell_word(options.profile)}" if options.profile else ""
        raise UsageError(
            "stdout is a terminal, where others can read the credentials and scrollback keeps them",
            f'Use eval "$({PROGRAM} export{profile} --format env)" or a file, or add --print',
        )
    given_region(invocation)  # what is wrong is said before the service is asked
    ready = find_ready(invocation)
    return None if ready is None else _export(invocation, *ready)


def run(invocation: Invocation) -> int:
    """Print the credentials."""
    return _export(invocation, *get_ready(invocation))


def _export(invocation: Invocation, credentials: TemporaryCredentials, facts: dict[str, str]) -> int:
    region = given_region(invocation) or facts["region"]
    section = clean(facts["profile"] or "default", 120)
    text = export(credentials, invocation.options.format, region=region, profile=section)
    invocation.terminal.write(text)
    return 0


COMMAND = Command(
    details="""
They do not renew themselves there: after AWS_CREDENTIAL_EXPIRATION export them again. Every program started
from that shell inherits them. In Git Bash, set MSYS2_ENV_CONV_EXCL='*': values may begin with a slash.""",
    example="""
$ eval "$(cognito-credentials export --profile guest --format env)"
$ docker run --env-file <(cognito-credentials export --format env-no-export) example
PS> cognito-credentials export --format powershell | Out-String | Invoke-Expression
$ eval "$(cognito-credentials export --format env --unset)\"""",
    answer=answer,
    run=run,
    doing=GETTING,
    add_options=add_options,
    takes_pool=True,
)
