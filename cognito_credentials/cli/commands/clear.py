"""``clear``: forget credentials; identities only when asked to, since nothing leads back to a guest's."""

from __future__ import annotations

from ...errors import LoginRequiredError
from .. import cache_directory
from ..command import PROGRAM, Command, Invocation, Options
from ..confirmation import confirm
from ..pool_options import open_pool, refuse_selection


def add_options(options: Options) -> None:
    options.add(
        "--all",
        action="store_true",
        help="those of every profile and pool, in the whole cache directory; and in the Redis that is in use",
    )
    options.add(
        "--identities",
        action="store_true",
        help="the identities too: a guest becomes another guest, for ever",
    )
    options.add(
        "--yes", action="store_true", help="with --identities, or --all and a Redis: do not ask first"
    )


def run(invocation: Invocation) -> int:
    """Remove records and say how many."""
    options = invocation.options
    if options.all:
        refuse_selection(options, "pool")
    if options.identities:
        whose = "every identity in the cache" if options.all else "the identity"
        confirm(
            invocation, f"forget {whose}", "Nothing leads back to a guest's identity: it is lost for ever."
        )
    removed = _clear_all(invocation) if options.all else _clear_one(invocation)
    invocation.terminal.write(f"Cleared {removed} {'entry' if removed == 1 else 'entries'}.\n")
    if not options.identities:
        invocation.terminal.notice("Identities are kept; --identities forgets them too.")
    return 0


def _clear_all(invocation: Invocation) -> int:
    """Clear the cache directory, and the Redis where one is in use: that is of all hosts, so ask."""
    from .. import cache_in_use

    environ, identities = invocation.environ, invocation.options.identities
    place = cache_in_use.shared_place(environ, None)
    removed = cache_directory.clear(environ, identities=identities)
    if place is None:
        return removed
    if not identities:  # else it was asked already
        confirm(
            invocation,
            f"forget the credentials of all users in {place}",
            "All hosts share them, and would ask AWS for all of them anew.",
        )
    return removed + cache_in_use.clear_shared(environ, None, identities=identities)


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
    doing="forgetting credentials",
    add_options=add_options,
    takes_pool=True,
)
