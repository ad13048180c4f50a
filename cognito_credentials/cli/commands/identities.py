"""``identities``: list the identities of a pool, look at one, delete some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import RefusedError, ServiceError
from ..command import PROGRAM, Action, Command, Invocation, Options
from ..confirmation import confirm
from ..looks import columns_of
from ..signing import signing_session
from ..tables import NOTHING, as_line, indented, listing, moment
from ..terminal import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...administer import Identity, Unprocessed

_MOMENT_WIDTH = len("2026-11-30T09:00:00Z")
_INDENT = 4


def _add_json(options: Options) -> None:
    options.add("--json", action="store_true", help="print JSON, one object a line, for programs")


def _add_list(options: Options) -> None:
    options.add("pool", metavar="POOL", help="the identity pool, REGION:GUID")
    options.add("--hide-disabled", action="store_true", help="leave out identities that are disabled")
    _add_json(options)


def _add_show(options: Options) -> None:
    options.add("id", metavar="ID", help="the identity, REGION:GUID")
    _add_json(options)


def _add_delete(options: Options) -> None:
    options.add("ids", metavar="ID", nargs="+", help="identities, REGION:GUID, of any pools and regions")
    options.add("--yes", action="store_true", help="do not ask first")
    _add_json(options)


def _list(invocation: Invocation) -> int:
    """Print identities as they come in, page by page."""
    from ...administer import list_identities

    options, terminal = invocation.options, invocation.terminal
    found = list_identities(
        options.pool, signing_session(invocation, options.pool), hide_disabled=options.hide_disabled
    )
    count, width = 0, terminal.look.width
    for count, identity in enumerate(found, 1):
        if options.json:
            terminal.write(as_line(_members(identity)))
        else:
            terminal.write(_row(identity, width, heads=count == 1))
        terminal.progress(f"{count:,} so far")
    if not count:
        terminal.notice("There are no identities in this pool.")
    return 0


def _row(identity: Identity, width: int | None, *, heads: bool) -> str:
    """Write an identity; logins for which a line of *width* columns has no room stand on the next line."""
    logins = printable(", ".join(identity.logins), 2000) or NOTHING
    row = f"{printable(identity.identity_id)}  {moment(identity.created)}"
    if width is None or columns_of(f"{row}  {logins}") <= width:
        row += f"  {logins}\n"
    else:
        row += f"\n{' ' * _INDENT}{indented(logins, _INDENT, width)}\n"
    if not heads:
        return row
    width = len(identity.identity_id)  # that of all ids of a region
    return f"{'id'.ljust(width)}  {'created'.ljust(_MOMENT_WIDTH)}  logins\n{row}"


def _show(invocation: Invocation) -> int:
    """Describe one identity."""
    from ...administer import describe_identity

    identity = describe_identity(invocation.options.id, signing_session(invocation, invocation.options.id))
    if invocation.options.json:
        invocation.terminal.write(as_line(_members(identity)))
        return 0
    rows: list[tuple[str, object]] = [
        ("identity", identity.identity_id),
        ("created", moment(identity.created)),
        ("modified", moment(identity.modified)),
        ("logins", ", ".join(identity.logins) or "none: a guest, or disabled"),
    ]
    invocation.terminal.write(listing(rows, invocation.terminal.look.width))
    return 0


def _delete(invocation: Invocation) -> int:
    """Ask, and delete identities; name those that were not deleted."""
    from ...administer import delete_identities
    from ...administer.identities import region_of_identity

    options, terminal = invocation.options, invocation.terminal
    ids = list(dict.fromkeys(options.ids))
    for identity_id in ids:
        region_of_identity(identity_id)  # what is wrong is said before anybody is asked
    session = signing_session(invocation, *ids)
    what = f"the identity {ids[0]}" if len(ids) == 1 else f"{len(ids)} identities"
    confirm(
        invocation,
        f"delete {what}",
        "Nothing brings an identity back: its user gets another one, and what is stored under the old one "
        "is out of reach.",
    )
    deleted = 0

    def told(done: Sequence[str], left: Sequence[Unprocessed]) -> None:
        nonlocal deleted
        deleted += len(done)
        if options.json:
            for identity_id in done:
                terminal.write(as_line({"IdentityId": identity_id, "Deleted": True}))
            for each in left:
                terminal.write(
                    as_line({"IdentityId": each.identity_id, "Deleted": False, "ErrorCode": each.code})
                )
        for each in left:
            terminal.say(
                f"{PROGRAM}: not deleted: {printable(each.identity_id, 80)} ({printable(each.code, 80)})."
            )
        terminal.progress(f"{deleted:,} of {len(ids):,}")

    try:
        unprocessed = delete_identities(ids, session, deleting=told)
    except BaseException as error:
        # What the service refused was not done. What was stopped otherwise may be done as well.
        if deleted or not getattr(error, "is_answer", False):
            said = f"{deleted} of {len(ids)} identities are deleted, as far as is known"
            terminal.say(f"{PROGRAM}: stopped half-way: {said}. Run the command again to end it.")
        raise
    if not options.json:
        terminal.write(f"Deleted {deleted} {'identity' if deleted == 1 else 'identities'}.\n")
    if unprocessed:
        raise _not_deleted(unprocessed, len(ids))
    return 0


def _not_deleted(unprocessed: Sequence[Unprocessed], total: int) -> RefusedError | ServiceError:
    what = f"{len(unprocessed)} of {total} identities were not deleted"
    if any(each.code == "AccessDenied" for each in unprocessed):
        return RefusedError(
            f"{what}: cognito-identity:DeleteIdentities is denied on them, or they are of another account",
            hint="Allow it, or sign with other credentials (--profile)",
            code="AccessDenied",
            topic="E-DENIED",
        )
    return ServiceError(f"{what}: the service failed on them", hint="Run the command again")


def _members(identity: Identity) -> dict[str, Any]:
    return {
        "IdentityId": identity.identity_id,
        "Logins": list(identity.logins),
        "CreationDate": identity.created,
        "LastModifiedDate": identity.modified,
    }


COMMAND = Command(
    details="""
The requests are signed with boto3's own credentials; --profile names whose.""",
    example="""
$ cognito-credentials identities list us-east-1:0b8d4f1c-0000-4000-8000-000000000001
$ cognito-credentials identities show us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3
$ cognito-credentials identities delete us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3""",
    actions=(
        Action(
            "list",
            "list the identities of a pool",
            Command(
                details="""
They come in pages of 60 and are printed as they come in; the service allows about 300 identities a second.
POOL is an id: 'cognito-credentials pool list' shows them. Guests have no logins.""",
                example="""
$ cognito-credentials identities list us-east-1:0b8d4f1c-0000-4000-8000-000000000001
id                                              created               logins
us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3  2026-11-30T09:00:00Z  accounts.google.com""",
                arguments=" POOL",
                run=_list,
                doing="listing identities",
                add_options=_add_list,
            ),
        ),
        Action(
            "show",
            "show the logins and dates of an identity",
            Command(
                example="""
$ cognito-credentials identities show us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3
identity  us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3
created   2026-11-30T09:00:00Z
modified  2026-11-30T09:00:00Z
logins    accounts.google.com""",
                arguments=" ID",
                run=_show,
                doing="asking for the identity",
                add_options=_add_show,
            ),
        ),
        Action(
            "delete",
            "delete identities, for ever",
            Command(
                details="""
They are deleted 60 at a time. It is safe to run twice: one that is gone counts as deleted. Whose deletion the
service refuses is named.""",
                example="""
$ cognito-credentials identities delete us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3 --yes
Deleted 1 identity.""",
                arguments=" ID…",
                run=_delete,
                doing="deleting identities",
                add_options=_add_delete,
            ),
        ),
    ),
)
