"""``clear``: forget credentials; identities only when asked to, since nothing leads back to a guest's."""

from __future__ import annotations

from ...errors import LoginRequiredError
from .. import cache_directory
from ..command import PROGRAM, Command, Invocation, Options
from ..confirmation import confirm
from ..pool_options import open_pool, refuse_selection


def add_options(options: Options) -> None:
    options.add(
        "--all", action="store_true", help="those of every profile and pool, in the whole cache directory"
    )
    options.add(
        "--identities",
        action="store_true",
        help="the identities too: a guest becomes another guest, for ever",
    )
    options.add("--yes", action="store_true", help="with --identities: do not ask first")


def run(invocation: Invocation) -> int:
    """Remove records and say how many."""
    options = invocation.options
    if options.all:
        refuse_selection(options, "pool")
    if options.identities:
        whose = "every identity of this machine" if options.all else "the identity"
        confirm(
            invocation, f"forget {whose}", "Nothing leads back to a guest's identity: it is lost for ever."
        )
    if options.all:
        removed = cache_directory.clear(invocation.environ, identities=options.identities)
    else:
        removed = _clear_one(invocation)
    invocation.terminal.write(f"Cleared {removed} {'entry' if removed == 1 else 'entries'}.\n")
    if not options.identities:
        invocation.terminal.notice("Identities are kept; --identities forgets them too.")
    return 0


def _clear_one(invocation: Invocation) -> int:
    from ...pool.pool import parts_of

    pool = open_pool(invocation)
    removed = pool.clear(identities=invocation.options.identities)
    is_findable = parts_of(pool).logins.principal() is not None
    if not is_findable and pool.settings.cache == "file":
        # Only the token leads to the entries of a login from a program, and asking for one is a login.
        raise LoginRequiredError(
            "only the login token could tell which entries are this profile's",
            hint=f"Run '{PROGRAM} clear --all', or say who the user is with cognito_user",
        )
    return removed


COMMAND = Command(
    details="""
Credentials that were handed out stay valid until they expire: nothing can take them back. Files in the
cache directory that are not ours are left alone.""",
    example="""
$ cognito-credentials clear --profile guest
Cleared 1 entry.
Identities are kept; --identities forgets them too.""",
    run=run,
    add_options=add_options,
    takes_pool=True,
)
