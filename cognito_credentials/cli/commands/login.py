"""``login``: sign in to the user pool or issuer that the profile names, and get credentials for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import CognitoCredentialsError
from ..command import Command, Invocation, Options
from ..pool_options import open_pool
from ..tables import moment
from ..terminal import printable
from ..words import command_line, sign_in_place

if TYPE_CHECKING:
    from ...credentials import TemporaryCredentials
    from ...pool.pool import IdentityPool
    from ...secret import Secret
    from ..terminal import Terminal

_WAYS: Final = (
    ("browser", "in the browser of this machine"),
    ("no-browser", "in a browser elsewhere: copy an address there, and paste one back"),
    ("device", "with a code that you type in on another device; not with user pools, which cannot do it"),
    ("password", "here, with user name and password, or with a code (cognito_first_factor); user pools only"),
)


def add_options(options: Options) -> None:
    ways = options.exclusive()
    for way, text in _WAYS:
        ways.add(f"--{way}", dest="way", action="store_const", const=way, help=text)
    options.add("--username", metavar="NAME", help="user name for --password; otherwise it is asked for")
    options.add(
        "--store",
        metavar="WHERE",
        help="where the sign-in is kept: keyring, or file for a plain file that only you can read",
    )
    link = options.exclusive()
    link.add(
        "--link",
        dest="link",
        action="store_true",
        default=None,
        help="the guest of this machine becomes this user: same identity, if the user has none yet",
    )
    link.add("--no-link", dest="link", action="store_false", help="leave the guest alone, and do not ask")


def run(invocation: Invocation) -> int:
    """Sign in, and get credentials."""
    from ...pool.linking import guest_identity
    from ...pool.pool import parts_of
    from ...pool.signing_in import source_to_sign_in
    from ...sign_in.extra import check_extra

    options, terminal = invocation.options, invocation.terminal
    pool = open_pool(invocation)
    parts = parts_of(pool)
    source = source_to_sign_in(parts)
    check_extra(options.way or source.way)
    before = source.account()
    if before is not None:
        terminal.notice(f"Signed in now: {printable(before.shown)}. This sign-in takes that one's place.")
    guest = guest_identity(parts)
    link_guest = _wants_link(invocation, guest)
    try:
        name = pool.sign_in(
            link_guest=link_guest,
            prompt=_Prompt(terminal),
            way=options.way,
            store=options.store,
            username=options.username,
        )
    except (KeyboardInterrupt, EOFError):
        is_in = source.account() not in (None, before)
        terminal.say(
            "\nYou are signed in; nothing else was done." if is_in else "\nGiven up; nothing was changed."
        )
        raise KeyboardInterrupt from None
    except CognitoCredentialsError:
        if source.account() not in (None, before):
            terminal.say("You are signed in, but:")
        raise
    account = source.account()
    where = sign_in_place(None if account is None else account.store)
    terminal.write(f"Signed in as {printable(name)}; the sign-in is kept in {where}.\n")
    credentials = _credentials(invocation, pool)
    lasts = "from now on they renew themselves" if source.ends_at is None else "then you must sign in again"
    terminal.write(
        f"Identity {pool.identity_id()}, credentials until {moment(credentials.expiration)}; {lasts}.\n"
    )
    if link_guest and guest != pool.identity_id():
        terminal.say(f"You had this identity before, and keep it; that of the guest, {guest}, is gone.")
    return 0


class _Prompt:
    """The terminal as every sign-in uses it, on which the progress makes room for what is said and asked."""

    def __init__(self, terminal: Terminal) -> None:
        from ...sign_in.ways.prompt import TerminalPrompt

        self._terminal = terminal
        self._prompt = TerminalPrompt()
        self.can_ask = self._prompt.can_ask
        self.can_draw = self._prompt.can_draw

    def say(self, text: str) -> None:
        with self._terminal.aside():
            self._prompt.say(text)

    def ask(self, question: str) -> str:
        with self._terminal.aside():
            return self._prompt.ask(question)

    def ask_secret(self, question: str) -> Secret:
        with self._terminal.aside():
            return self._prompt.ask_secret(question)


def _credentials(invocation: Invocation, pool: IdentityPool) -> TemporaryCredentials:
    """Get credentials; where that fails, say that the user is signed in nevertheless."""
    try:
        return pool.credentials()
    except CognitoCredentialsError:
        logout = command_line("logout", pool.settings.profile)
        invocation.terminal.say(f"The sign-in stands ({logout} ends it), but it leads to no credentials:")
        raise


def _wants_link(invocation: Invocation, guest: str | None) -> bool:
    """Find out whether the *guest* becomes the user, and say what that means."""
    given: bool | None = invocation.options.link
    terminal = invocation.terminal
    if guest is None:
        if given:
            terminal.notice("This machine has no guest identity in this pool: there is nothing to link.")
        return False
    if given is not None:
        return given
    if not terminal.can_ask:
        terminal.notice(
            f"This machine's guest {guest} stays a guest; --link would make its identity, and what is kept "
            "under it, this user's."
        )
        return False
    terminal.say(
        f"This machine has been the guest {guest} in this pool. It can become the user who signs in "
        "now, whoever that will be: a new user keeps its identity and all that is kept under it; a user with "
        "an identity keeps that one, and the guest's is lost. Either way the next guest here is another one."
    )
    return terminal.agrees("Make the guest this user")


COMMAND = Command(
    details="""
The profile's cognito_sign_in says how; the browser is the default. If none can be opened (SSH, WSL, no
display), an address is printed, and you paste back the one that the browser ends at. A password is asked
for on the terminal, and is never sent (SRP). The issuer decides how long the sign-in lasts. Until then
credentials renew themselves; after that a command exits with 3 and says so. Ctrl-C leaves all as it was.""",
    example="""
$ cognito-credentials configure --profile app --yes \\
    --identity-pool-id us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70 \\
    --user-pool-id us-east-1_Ab1Cd2Ef3 --client-id 4example23456789 --redirect-ports 8400,8401
$ cognito-credentials login --profile app
Waiting for you to sign in there (Ctrl-C to give up).
Signed in as ada@example.com; the sign-in is kept in the keyring.
Identity us-east-1:7c0d…, credentials until 2026-01-31T12:00:00Z; from now on they renew themselves.
$ cognito-credentials login --profile app --device --store file    (on a machine without a browser)""",
    run=run,
    doing="signing in",
    add_options=add_options,
    takes_pool=True,
)
