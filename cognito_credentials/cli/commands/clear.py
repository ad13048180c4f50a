"""``clear``: forget credentials; identities only when asked to, since a guest's cannot be had again."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ...errors import CacheError, LoginRequiredError
from ..command import PROGRAM, Command, Invocation
from ..failures import StoppedError, UsageError
from ..pool_options import open_pool, selecting_options


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    parser.add_argument(
        "--all", action="store_true", help="of every profile and pool, in the whole cache directory"
    )
    parser.add_argument(
        "--identities",
        action="store_true",
        help="the identities too: a guest becomes another one, for ever",
    )
    parser.add_argument("--yes", action="store_true", help="with --all --identities: do not ask first")


def run(invocation: Invocation) -> int:
    """Remove records and say how many."""
    options = invocation.options
    if options.all:
        _confirm(invocation)
    removed = (
        clear_all(invocation.environ, identities=options.identities)
        if options.all
        else _clear_one(invocation)
    )
    invocation.terminal.write(f"Cleared {removed} {'entry' if removed == 1 else 'entries'}.\n")
    if not options.identities:
        invocation.terminal.notice("Identities are kept; --identities forgets them too.")
    return 0


def _confirm(invocation: Invocation) -> None:
    options, terminal = invocation.options, invocation.terminal
    selected = selecting_options(options)
    if selected:
        raise UsageError(
            f"--all is of every pool, and {selected[0]} selects one",
            "give one of the two: --all, or the pool",
        )
    if options.identities and not options.yes and terminal.can_ask:
        question = "Forget every identity of this machine? Guests become others, for ever (y/n)"
        if terminal.ask(question, "n").lower() not in ("y", "yes"):
            raise StoppedError("nothing was cleared")


def _clear_one(invocation: Invocation) -> int:
    pool = open_pool(invocation)
    removed = pool.clear(identities=invocation.options.identities)
    settings = pool.settings
    is_findable = settings.logins.principal(settings.user) is not None
    if not is_findable and settings.cache == "file":
        # What is kept for a token from a program is found by the token alone, and asking for one is a login.
        raise LoginRequiredError(
            "only the login token could tell which entries are this profile's",
            hint=f"run '{PROGRAM} clear --all', or say who the user is with cognito_user",
        )
    return removed


def clear_all(environ: Mapping[str, str], *, identities: bool) -> int:
    """
    Remove what is kept of every pool; returns how many entries that were.

    Raises:
        CacheError: There is no cache directory, or something in it could not be removed.
    """
    from ...cache import KINDS
    from ...cache.file import FileStore
    from ...settings.settings import cache_directory

    directory = cache_directory(environ)
    if directory is None:
        raise CacheError(
            "there is no home directory, and so no cache directory", hint="set AWS_COGNITO_CACHE_DIR"
        )
    problems: list[str] = []
    store = FileStore(directory, strict=False, warn=problems.append)
    removed = 0
    for kind in KINDS:
        if kind == "identity" and not identities:
            continue
        gone = sum(store.delete(kind, key) for key in store.keys(kind))
        # What is noted of failures, and the shortcuts, are not entries that anybody knows of.
        removed += gone if kind in ("identity", "credentials") else 0
    # Interrupted writers' files too: they may hold credentials. Then the lock files that served nobody.
    store.sweep_all()
    store.prune(lambda _: False)
    if problems:
        raise CacheError(problems[0], hint="nothing else was removed")
    return removed


COMMAND = Command(
    name="clear",
    group="look after them",
    summary="forget credentials, keep identities",
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
