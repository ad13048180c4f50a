"""``pool``: identity pools from a TOML file; what differs, and making it so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ..command import PROGRAM, Action, Command, Invocation, Options
from ..confirmation import confirm
from ..failures import CHANGES
from ..signing import signing_session
from ..tables import as_line, table

if TYPE_CHECKING:
    from ...administer import Plan


_LONGEST_LINE: Final = 50_000
"""More than 25 rules of the greatest length, before and after: what is not shown, nobody can agree to."""


def _add_file(options: Options) -> None:
    options.add("file", metavar="FILE", help="TOML file with [[pools]], as the emulator's seed")
    options.add(
        "--delete",
        action="store_true",
        help="drop what a pool has and FILE does not name: providers, roles, mappings, tags; never a pool",
    )
    options.add(
        "--roles",
        action="store_true",
        help="print the trust policies that the pools' roles need, as JSON; the rest goes to stderr",
    )


def _add_apply(options: Options) -> None:
    _add_file(options)
    options.add("--yes", action="store_true", help="do not ask first")


def _add_list(options: Options) -> None:
    options.add("--json", action="store_true", help="print JSON, one object a line, for programs")


def _add_id(options: Options) -> None:
    options.add("id", metavar="ID", help="the identity pool, REGION:GUID")


def _add_delete(options: Options) -> None:
    _add_id(options)
    options.add("--yes", action="store_true", help="do not ask first")


def _plan(invocation: Invocation) -> int:
    """Show what `apply` would do."""
    plan = _planned(invocation)
    if invocation.options.roles:
        _show_roles(invocation, plan)
    return CHANGES if plan.has_changes else 0


def _apply(invocation: Invocation) -> int:
    """Show the plan, ask, and do it."""
    from ...administer import apply

    options, terminal = invocation.options, invocation.terminal
    plan = _planned(invocation)
    done: list[str] = []
    if plan.has_changes:
        if not options.yes:
            _confirm(invocation, plan)

        def progress(step: str) -> None:
            done.append(step)
            _tell(invocation, f"{step}.")

        try:
            plan = apply(plan, progress=progress)
        except BaseException as error:
            # What the service refused was not done. What was stopped otherwise may be done as well.
            if done or not getattr(error, "is_answer", False):
                steps = (
                    f"{len(done)} step{'s are' if len(done) != 1 else ' is'} done"
                    if done
                    else "no step is done"
                )
                last = f", the last: {_shown(done[-1])}" if done else ", as far as is known"
                terminal.say(f"{PROGRAM}: stopped half-way: {steps}{last}. Run it again to end it.")
            raise
    if options.roles:
        _show_roles(invocation, plan)
    return 0


def _confirm(invocation: Invocation, plan: Plan) -> None:
    options, terminal = invocation.options, invocation.terminal
    if terminal.can_ask and not terminal.shows_results and not options.roles:
        terminal.say(_clean(str(plan)))  # stdout leads to a file or a pipe: nobody has seen the plan yet
    lost = "What is dropped is gone." if options.delete else "What the file does not name stays."
    account = plan.account() if terminal.can_ask else None
    where = f" in the account {account}" if account else ""
    confirm(invocation, f"change the pools{where} as shown", lost)


def _planned(invocation: Invocation) -> Plan:
    from ...administer import plan as planned

    options, terminal = invocation.options, invocation.terminal
    session = signing_session(invocation)
    plan = planned(options.file, session, region=options.region, delete=options.delete)
    _tell(invocation, str(plan))
    for pool in plan.pools:
        if pool.left_alone:
            names = ", ".join(pool.left_alone)
            said = f"pool '{pool.name}': not in the file, and left alone: {names}. --delete drops it."
            terminal.notice(_shown(said))
        for warning in pool.warnings:
            terminal.say(_shown(f"{PROGRAM}: warning: pool '{pool.name}': {warning}."))
    for note in plan.notes:
        terminal.notice(f"{note}.")
    return plan


def _tell(invocation: Invocation, text: str) -> None:
    """Print a result; where stdout has the trust policies alone, on stderr."""
    shown = _clean(text)
    if invocation.options.roles:
        invocation.terminal.say(shown)
    else:
        invocation.terminal.write(shown + "\n")


def _clean(text: str) -> str:
    return "\n".join(_shown(line) for line in text.split("\n"))


def _shown(line: str) -> str:
    from ..terminal import printable

    return printable(line, _LONGEST_LINE)


def _show_roles(invocation: Invocation, plan: Plan) -> None:
    invocation.terminal.write(json.dumps(plan.trust_policies(), indent=2) + "\n")
    new = [pool.name for pool in plan.pools if pool.pool_id is None]
    if new:
        names = ", ".join(f"'{name}'" for name in new)
        invocation.terminal.notice(
            f"The policies for {names} need the ids of the pools: use --roles again once they are made."
        )


def _list(invocation: Invocation) -> int:
    """List the pools of the region."""
    from ...administer import list_pools

    options, terminal = invocation.options, invocation.terminal
    found = list_pools(signing_session(invocation), region=options.region)
    if options.json:
        for pool in found:
            terminal.write(as_line({"IdentityPoolId": pool.pool_id, "IdentityPoolName": pool.name}))
        return 0
    rows = [(pool.pool_id, pool.name) for pool in found]
    if rows:
        terminal.write(table(("id", "name"), rows, terminal.look.width))
    else:
        terminal.notice("There are no identity pools in this region and account.")
    return 0


def _export(invocation: Invocation) -> int:
    """Print the file of a pool that exists."""
    from ...administer import export

    invocation.terminal.write(export(invocation.options.id, signing_session(invocation)))
    return 0


def _delete(invocation: Invocation) -> int:
    """Ask, and delete a pool."""
    from ...administer import delete_pool
    from ...administer.pools.deleting import name_of

    pool_id, session = invocation.options.id, signing_session(invocation)
    name = name_of(pool_id, session)
    confirm(
        invocation,
        f"delete the identity pool '{name}' ({pool_id})",
        "All its identities are lost for ever, and nobody can get credentials of it again.",
    )
    delete_pool(pool_id, session)
    invocation.terminal.write(f"Deleted pool '{_shown(name)}' ({pool_id}).\n")
    return 0


_ROLES_DETAILS = """
Who trusts whom is IAM's matter, and stays yours: give a policy that --roles prints to
'aws iam update-assume-role-policy'."""

COMMAND = Command(
    details="""
The file is the emulator's seed: one file describes a pool for both. The requests are signed with boto3's own
credentials; --profile names whose.""",
    example="""
$ cognito-credentials pool export us-east-1:0b8d4f1c-0000-4000-8000-000000000001 >pools.toml
$ cognito-credentials pool plan pools.toml
$ cognito-credentials pool apply pools.toml""",
    actions=(
        Action(
            "plan",
            "show what would be changed, and what is dangerous",
            Command(
                details=f"""
Exits with {CHANGES} if there are changes, and makes none. A table is the pool of its IdentityPoolId, else of
its name; two pools of that name are an error. Where there is no pool of that name, it is to be made.
{_ROLES_DETAILS}""",
                example="""
$ cognito-credentials pool plan pools.toml
pool 'app' (us-east-1:0b8d4f1c-0000-4000-8000-000000000001): to be changed
  ~ AllowClassicFlow: true -> false
  + IdentityPoolTags.team: "red"
0 to make, 1 to change, 0 as the file says.""",
                arguments=" FILE",
                run=_plan,
                doing="comparing the pools",
                add_options=_add_file,
            ),
        ),
        Action(
            "apply",
            "make the pools as the file says, after asking",
            Command(
                details=f"""
Shows the plan first. What the file does not name stays as it is, unless --delete is given. It is safe to run
twice; where it stops half-way, it says what was done, and running it again ends it.
{_ROLES_DETAILS}""",
                example="""
$ cognito-credentials pool apply pools.toml --yes
pool 'app': to be made in us-east-1
  + IdentityPoolName: "app"
  + AllowUnauthenticatedIdentities: false
1 to make, 0 to change, 0 as the file says.
pool 'app': made as us-east-1:0b8d4f1c-0000-4000-8000-000000000001.""",
                arguments=" FILE",
                run=_apply,
                doing="working on the pools",
                add_options=_add_apply,
            ),
        ),
        Action(
            "list",
            "list the pools of a region",
            Command(
                example="""
$ cognito-credentials pool list --region us-east-1
id                                              name
us-east-1:0b8d4f1c-0000-4000-8000-000000000001  app""",
                run=_list,
                doing="listing pools",
                add_options=_add_list,
            ),
        ),
        Action(
            "export",
            "print the file that describes a pool",
            Command(
                details="""
'pool plan' of that file shows no change, and the emulator takes it as a seed.""",
                example="""
$ cognito-credentials pool export us-east-1:0b8d4f1c-0000-4000-8000-000000000001
[[pools]]
IdentityPoolId = "us-east-1:0b8d4f1c-0000-4000-8000-000000000001"
IdentityPoolName = "app"
AllowUnauthenticatedIdentities = false""",
                arguments=" ID",
                run=_export,
                doing="reading the pool",
                add_options=_add_id,
            ),
        ),
        Action(
            "delete",
            "delete a pool and all its identities",
            Command(
                example="""
$ cognito-credentials pool delete us-east-1:0b8d4f1c-0000-4000-8000-000000000001 --yes
Deleted pool 'app' (us-east-1:0b8d4f1c-0000-4000-8000-000000000001).""",
                arguments=" ID",
                run=_delete,
                doing="deleting the pool",
                add_options=_add_delete,
            ),
        ),
    ),
)
