"""``logout``: end the sign-in, here and at the issuer, and say what was removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import CacheError, ServiceError
from ...logins.signed_out import SignedOut
from .. import cache_directory
from ..command import PROGRAM, Command, Invocation, Options
from ..confirmation import confirm
from ..failures import UsageError
from ..pool_options import open_pool, refuse_selection
from ..terminal import Terminal, printable

if TYPE_CHECKING:
    from ...pool.pool import IdentityPool

_SCOPES: Final = ("credentials", "login", "identity")
_NOTHING: Final = "Nobody was signed in, and there was nothing to remove."


def add_options(options: Options) -> None:
    options.add(
        "--scope",
        choices=_SCOPES,
        help="credentials: forget these, stay signed in; login (default): end the sign-in, too; "
        "identity: forget the identity, too",
    )
    options.add("--yes", action="store_true", help="do not ask before a guest's identity is lost for ever")
    options.add(
        "--all",
        action="store_true",
        help="every sign-in of yours on this machine, of every profile, and all credentials",
    )


def run(invocation: Invocation) -> int:
    """Sign out."""
    if invocation.options.all:
        return _run_all(invocation)
    pool = open_pool(invocation)
    scope = invocation.options.scope or "login"
    if scope == "identity":
        _confirm(invocation, pool)
    done = pool.sign_out(scope)
    for line in _lines(done):
        invocation.terminal.write(line + "\n")
    _say_problems(invocation.terminal, done)
    for kept in done.kept:
        invocation.terminal.say(f"{printable(kept)}.")
    for other in done.others:
        invocation.terminal.notice(f"The login from {printable(other)} is not kept here: end it there.")
    if done.had_credentials:
        invocation.terminal.notice("Credentials that were handed out stay valid until they expire.")
    # All is removed here. The exit code says whether a copy of the refresh token may still work.
    return CacheError.exit_code if done.left else ServiceError.exit_code if done.is_unreached else 0


def _confirm(invocation: Invocation, pool: IdentityPool) -> None:
    """Ask before a guest's identity is lost; a user finds the way back by the login."""
    from ...pool.linking import guest_identity
    from ...pool.pool import parts_of

    parts = parts_of(pool)
    guest = guest_identity(parts) if parts.logins.is_guest else None
    if guest is not None:
        warning = "Nothing leads back to a guest's identity: it, and what is kept under it, is lost for ever."
        confirm(invocation, f"forget the guest {guest}", warning)


def _run_all(invocation: Invocation) -> int:
    """End every sign-in, also those that no profile leads to since its issuer or client was changed."""
    from ...sign_in.sign_out_all import sign_out_all

    options, terminal = invocation.options, invocation.terminal
    refuse_selection(options, "sign-in")
    if options.scope is not None:
        raise UsageError(
            "--all ends sign-ins, whatever --scope says", f"For what is cached: '{PROGRAM} clear --all'"
        )

    def warn(problem: str) -> None:
        terminal.say(f"{printable(problem)}. What it signed in to is ended without its settings.")

    ended, problem = sign_out_all(invocation.environ, warn)
    had_credentials = cache_directory.clear(invocation.environ, identities=False) > 0
    _say_what_is_ended(terminal, ended, had_credentials=had_credentials)
    if problem is not None:
        raise problem
    if any(done.left for done in ended):
        return CacheError.exit_code
    # Every token that was not revoked counts: after --all, nothing on this machine leads to it any more.
    return ServiceError.exit_code if any(done.problems for done in ended) else 0


def _say_what_is_ended(terminal: Terminal, ended: list[SignedOut], *, had_credentials: bool) -> None:
    for done in ended:
        for user in done.users:
            terminal.write(_line(printable(user), revoked=done.revoked) + "\n")
    left = sum(not done.users for done in ended)
    if left:
        what = "an earlier sign-in" if left == 1 else f"{left} earlier sign-ins"
        terminal.write(f"Removed what was left of {what}.\n")
    if had_credentials:
        terminal.write("Removed the credentials.\n")
    elif not ended:
        terminal.write(_NOTHING + "\n")
    _say_problems(terminal, sum(ended, start=SignedOut()))


def _say_problems(terminal: Terminal, done: SignedOut) -> None:
    for problem in done.problems:
        terminal.say(
            f"The refresh token was removed here, but not revoked: {printable(problem)}. "
            "Whoever has a copy of it can use it until it ends."
        )
    for problem in done.left:
        terminal.say(
            f"A key is left in the keyring: {printable(problem)}. What it opened is removed: "
            "it opens nothing any more."
        )


def _line(user: str, *, revoked: bool) -> str:
    return f"Signed out {user}: the refresh token is {'revoked and removed' if revoked else 'removed'}."


def _lines(done: SignedOut) -> list[str]:
    lines = [_line(printable(user), revoked=done.revoked) for user in done.users]
    if done.had_credentials:
        lines.append("Removed the credentials.")
    if done.identity_id is not None:
        lines.append(f"Forgot the identity {done.identity_id}.")
    return lines or [_NOTHING]


COMMAND = Command(
    details="""
Asks the issuer to revoke the refresh token, and removes the token, the name of the user and the
credentials. The identity is kept, so that the same user is known again offline; --scope identity forgets
it, too. A guest's identity would be lost for ever, so it asks first. If the issuer cannot be reached, or is
asked too often, all is removed here all the same, and the exit code is 6. If the keyring cannot be used, the
refresh token cannot be read and revoked, and the exit code is 7. A sign-in at another issuer or client, from
before the profile was changed, is ended as well. --all ends every sign-in, of every profile, and exits with
6 if any refresh token was not revoked.""",
    example="""
$ cognito-credentials logout --profile app
Signed out ada@example.com: the refresh token is revoked and removed.
Removed the credentials.
Credentials that were handed out stay valid until they expire.
$ cognito-credentials logout --all    (before the machine is given away)""",
    run=run,
    doing="signing out",
    add_options=add_options,
    takes_pool=True,
)
