"""``console``: open the AWS console with the credentials, or print the address that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import ConfigurationError
from ..command import PROGRAM, Command, Invocation, Options
from ..pool_options import given_region, open_pool, usable_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...pool.pool import IdentityPool
    from ...secret import Secret

_BROWSER_SECONDS: Final = 60.0
"""For a browser to start and to come for the address."""
_PRINT: Final = "Run it again with --url, which prints the address"


def add_options(options: Options) -> None:
    options.add("--url", action="store_true", help="print the address, a secret, and open no browser")
    options.add("--destination", metavar="URL", help="page of the console to open; otherwise its home")


def run(invocation: Invocation) -> int:
    """Get the address, and print or open it."""
    from ..federation import console_address, federation

    options, terminal, environ = invocation.options, invocation.terminal, invocation.environ
    pool = open_pool(invocation)
    settings = pool.settings
    where = federation(settings, given_region(invocation), options.destination, environ)
    if not options.url:
        _check_browser(invocation)
    credentials = usable_credentials(pool)
    for note in _limits(pool):
        terminal.say(f"{PROGRAM}: warning: {note}.")
    address = console_address(credentials, where, settings, environ)
    if options.url:
        terminal.write(address.reveal() + "\n")
        terminal.notice(
            "The address holds a sign-in token: for 15 minutes it signs in whoever opens it, as this role."
        )
    else:
        _open(invocation, address)
    return 0


def _limits(pool: IdentityPool) -> Iterator[str]:
    """Say what limits a session, where AWS gives one all the same."""
    from ...pool.pool import parts_of

    settings = pool.settings
    if parts_of(pool).logins.is_guest and settings.flow == "enhanced":
        yield (
            "AWS limits guests to a few services by a session policy, whatever their role allows; most pages "
            "of the console will be refused"
        )
    if settings.policy:
        yield (
            f"the session policy from {settings.origins.get('policy', 'the settings')} limits what the "
            "console may do, too"
        )


def _check_browser(invocation: Invocation) -> None:
    from ...sign_in.ways.browser import why_no_browser

    why = why_no_browser(invocation.environ)
    if why is not None:
        raise ConfigurationError(f"no browser can be opened, because {why}", hint=_PRINT, topic="E-CONSOLE")


def _open(invocation: Invocation, address: Secret) -> None:
    """
    Let the browser fetch the address from this process.

    Every user of the machine can read the arguments that the browser is started with, so they must not have
    the sign-in token in them.
    """
    from ...sign_in.ways.authorization import AnswerRefused
    from ...sign_in.ways.browser import open_default_browser
    from ...sign_in.ways.callback import CallbackServer

    def refuse(_: object) -> Secret:
        raise AnswerRefused("no sign-in waits for one")

    terminal = invocation.terminal
    with CallbackServer() as server:
        server.listen(refuse, address.reveal())
        if not open_default_browser(server.start_url):
            raise ConfigurationError("no browser can be opened", hint=_PRINT, topic="E-CONSOLE")
        terminal.notice(f"If no browser opens, open this address on this machine:\n\n{server.start_url}\n")
        if not server.wait_for_redirect(_BROWSER_SECONDS):
            raise ConfigurationError(
                f"no browser came for the address within {_BROWSER_SECONDS:.0f} seconds",
                hint=_PRINT,
                topic="E-CONSOLE",
            )
    terminal.notice("The console opens in the browser. Its session ends with the credentials.")


COMMAND = Command(
    details="""
For users whose role may do something there. The session ends with the credentials, mostly after an hour. AWS
limits guests by a session policy, so that most pages are refused to them.""",
    example="""
$ cognito-credentials console --profile app
$ cognito-credentials console --profile app --url --destination https://console.aws.amazon.com/s3/home""",
    run=run,
    doing="asking for a sign-in address",
    add_options=add_options,
    takes_pool=True,
)
