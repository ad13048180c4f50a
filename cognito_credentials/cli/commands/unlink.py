"""``unlink``: take one login off the identity."""

from __future__ import annotations

from ...logins.providers import check_provider
from ..command import Command, Invocation, Options
from ..confirmation import confirm
from ..pool_options import ORIGIN, open_pool
from ..terminal import printable


def add_options(options: Options) -> None:
    options.add(
        "provider", metavar="PROVIDER", help="login provider name, such as accounts.google.com or google"
    )
    options.add("--yes", action="store_true", help="do not ask")


def run(invocation: Invocation) -> int:
    """Ask, take it off, and say what follows."""
    from ...pool.pool import parts_of

    terminal = invocation.terminal
    name = check_provider(invocation.options.provider, ORIGIN)
    pool = open_pool(invocation)
    identity_id = pool.identity_id()
    confirm(
        invocation,
        f"take {printable(name)} off {identity_id}",
        "Without its last login an identity, and what is kept under it, is lost for ever.",
    )
    named = parts_of(pool).logins.providers
    pool.unlink(name)
    terminal.write(f"Took {printable(name)} off the identity {identity_id}.\n")
    if name not in named:
        terminal.notice("It is not among the logins here, so that nothing here links it again.")
    elif len(named) == 1:
        terminal.notice("It is the only login here: with its next use the user gets another identity.")
    else:
        terminal.notice("The profile still names it: the next use would link it again. Take it out there.")
    return 0


COMMAND = Command(
    details="""
An identity can have several logins, and any of them leads to it. A login that is taken off leads to
another identity from then on; an identity without any login is lost, with what is kept under it.""",
    example="""
$ cognito-credentials unlink google --profile app --yes
Took accounts.google.com off the identity us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3.""",
    arguments=" PROVIDER",
    run=run,
    doing="unlinking the login",
    add_options=add_options,
    takes_pool=True,
)
