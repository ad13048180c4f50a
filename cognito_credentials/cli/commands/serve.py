"""``serve``: let programs on this machine ask for the credentials over HTTP, until a signal ends it."""

from __future__ import annotations

import shlex

from ..command import PROGRAM, Command, Invocation, Options
from ..formats import region_variables
from ..parser import port_number
from ..pool_options import facts_of, first_credentials, given_region, open_pool
from ..process import EndedBySignal


def add_options(options: Options) -> None:
    options.add("--port", type=port_number, default=0, help="port to listen on; by default a free one")
    options.add(
        "--env-file",
        metavar="FILE",
        help="also write the variables and the region there, as NAME=VALUE; removed in the end",
    )


def run(invocation: Invocation) -> int:
    """Serve until a signal comes."""
    from ...serve.server import serving
    from ..precedence import what_wins_over_endpoint

    options, environ = invocation.options, invocation.environ
    given = given_region(invocation)
    pool = open_pool(invocation)
    with serving(
        pool,
        environ,
        check=first_credentials(invocation),
        port=options.port,
        env_file=options.env_file,
        region=region_variables(given or facts_of(pool, environ)["region"]),
    ) as server:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in server.variables.items()]
        try:
            for note in what_wins_over_endpoint(pool.settings, environ):
                invocation.terminal.notice(f"{PROGRAM}: {note}.")
            invocation.terminal.write("\n".join([f"listening on {server.url}", *lines]) + "\n")
            server.run()
        except (KeyboardInterrupt, EndedBySignal):
            pass  # that is how it is meant to end
    return 0


COMMAND = Command(
    details="""
SDKs of every language, the AWS CLI and Terraform ask it for credentials, where the variables that it prints
are set.
It answers on 127.0.0.1 alone, who has the token, and renews the credentials in the background. Ctrl-C ends
it.""",
    example="""
$ cognito-credentials serve --profile guest
listening on http://127.0.0.1:40123/credentials
export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:40123/credentials
…""",
    run=run,
    add_options=add_options,
    takes_pool=True,
)
