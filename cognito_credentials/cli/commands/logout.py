"""``logout``: end the sign-in, here and at the issuer, and say what was removed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from ...errors import ServiceError
from ..command import Command, Invocation
from ..pool_options import open_pool
from ..terminal import printable

if TYPE_CHECKING:
    from ...signing import SignedOut

_SCOPES: Final = ("credentials", "login", "identity")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    parser.add_argument(
        "--scope",
        choices=_SCOPES,
        default="login",
        help="credentials: forget these, stay signed in; login (default): end the sign-in, too; "
        "identity: forget who one was, too",
    )


def run(invocation: Invocation) -> int:
    """Sign out."""
    done = open_pool(invocation).sign_out(invocation.options.scope)
    for line in _lines(done):
        invocation.terminal.write(line + "\n")
    for problem in done.problems:
        invocation.terminal.say(
            f"The refresh token was removed here, but not revoked: {printable(problem)}. "
            "Whoever has a copy of it can use it until it ends."
        )
    for other in done.others:
        invocation.terminal.notice(f"The login from {printable(other)} is not kept here: end it there.")
    if done.had_credentials:
        invocation.terminal.notice("Credentials that were handed out stay valid until they expire.")
    # All is removed here; but who reads only the exit code shall know that a copy of the token still works.
    return ServiceError.exit_code if done.is_unreached else 0


def _lines(done: SignedOut) -> list[str]:
    revoked = "revoked and removed" if done.revoked else "removed"
    lines = [f"Signed out {printable(user)}: the refresh token is {revoked}." for user in done.users]
    if done.had_credentials:
        lines.append("Removed the credentials.")
    if done.identity_id is not None:
        lines.append(f"Forgot the identity {done.identity_id}.")
    return lines or ["Nobody was signed in, and there was nothing to remove."]


COMMAND = Command(
    name="logout",
    group="sign in and out",
    summary="end the sign-in, here and at the issuer",
    details="""
Has the issuer revoke the refresh token where it can, and removes it, who was signed in, and the
credentials. The identity is kept, so that the same user is known again offline; --scope identity forgets
it, too. For a guest that is for ever. Where the issuer cannot be told for now (no network, or it is asked
too often) all is removed here just the same, and the exit code is 6.""",
    example="""
$ cognito-credentials logout --profile app
Signed out ada@example.com: the refresh token is revoked and removed.
Removed the credentials.
Credentials that were handed out stay valid until they expire.""",
    run=run,
    add_options=add_options,
    takes_pool=True,
)
