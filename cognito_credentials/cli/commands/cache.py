"""``cache``: write all identities to a file, and bring them back."""

from __future__ import annotations

from ..command import Action, Command, Invocation, Options
from ..failures import profile_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...cache.records import Records
    from ...cache.store import Store


def _add_backup(options: Options) -> None:
    options.add("file", metavar="FILE", help="a new file, which will be readable by you alone")


def _add_restore(options: Options) -> None:
    options.add("file", metavar="FILE", help="a file that 'cache backup' wrote")
    options.add("--replace", action="store_true", help="write over identities that differ from those in FILE")


def _open(invocation: Invocation, problems: list[str]) -> tuple[Store, Records]:
    from ...cache.records import Records
    from ...clock import Clock
    from ..cache_in_use import open_cache

    profile = profile_of(invocation.options.profile, {})
    store = open_cache(invocation.environ, profile, problems.append)
    return store, Records(store, Clock())


def _raise_first(problems: list[str]) -> None:
    from ...errors import CacheError
    from ..cache_in_use import said

    if problems:
        raise CacheError(said(problems), hint="Correct that, then repeat the command")


def _backup(invocation: Invocation) -> int:
    """Write the identities, all or none."""
    from .. import identity_backup

    problems: list[str] = []
    terminal, path = invocation.terminal, invocation.options.file
    store, records = _open(invocation, problems)
    store.load("state", "0" * 40)  # what a person has to mend is said now
    _raise_first(problems)
    count = identity_backup.backup(
        store, records, path, lambda done: terminal.progress(f"{done:,} so far"), problems
    )
    identities = "1 identity" if count == 1 else f"{count} identities"
    terminal.write(f"Backed up {identities} of {store.location} in {path}.\n")
    return 0


def _restore(invocation: Invocation) -> int:
    """Store identities that are not there, and say of how many others are."""
    from .. import identity_backup

    problems: list[str] = []
    options, terminal = invocation.options, invocation.terminal
    store, records = _open(invocation, problems)
    done = identity_backup.restore(
        store,
        records,
        options.file,
        lambda count: terminal.progress(f"{count:,} so far"),
        replace=options.replace,
    )
    _raise_first(problems)
    identities = "1 identity" if done.new == 1 else f"{done.new} identities"
    terminal.write(f"Restored {identities} to {store.location}; {done.same} were there already.\n")
    if done.different and options.replace:
        terminal.write(f"Replaced {done.different} that differed.\n")
    elif done.different:
        terminal.notice(f"{done.different} differ from those in the file and stay; --replace replaces them.")
    if done.unread:
        terminal.notice(
            f"{done.unread} that are kept cannot be read and stay: a later version may have written them."
        )
    return 0


COMMAND = Command(
    details="""
The cache is the one that the environment or the profile names: a directory of this machine, or a Redis that
hosts share. A guest's identity is lost for ever with its record, so back a Redis up as you do a database.""",
    example="""
$ cognito-credentials cache backup identities.jsonl
$ cognito-credentials cache restore identities.jsonl""",
    actions=(
        Action(
            "backup",
            "write all identities to a file",
            Command(
                details="""
If one of them cannot be read, nothing is written. Credentials are not in the file. With a new and an old
cache_key, every identity is sealed with the new one afterwards.""",
                example="""
$ cognito-credentials cache backup identities.jsonl
Backed up 2 identities of redis://127.0.0.1:6379 in identities.jsonl.""",
                arguments=" FILE",
                run=_backup,
                doing="backing identities up",
                add_options=_add_backup,
            ),
        ),
        Action(
            "restore",
            "bring identities back from a file",
            Command(
                details="""
Where another identity is kept by now, it stays. It is safe to run twice.""",
                example="""
$ cognito-credentials cache restore identities.jsonl
Restored 2 identities to redis://127.0.0.1:6379; 0 were there already.""",
                arguments=" FILE",
                run=_restore,
                doing="restoring identities",
                add_options=_add_restore,
            ),
        ),
    ),
)
