"""
A file and the service in, a plan out: what differs in each pool, and what is dangerous in it.

All pools are read before anything is refused or changed, several at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ...errors import ConfigurationError
from ..client import WORKERS, Clients, checked_region
from . import trust
from .dangers import warnings
from .file import PoolFile, Table, load
from .members import Members, providers, roles_of
from .merge import Change, changes, left_alone, merged
from .reading import listed, read_pool
from .shapes import Mistake, check_pool, check_whole, no_tag_provider, roles_of_account

CREATE: Final = "create"
CHANGE: Final = "change"
NOTHING: Final = "nothing"

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True)
class PoolPlan:
    """
    What is to be done with one pool.

    Attributes:
        pool_id: None for a pool that is to be made.
        region: Where it is, or will be.
        changes: Member by member.
        warnings: What is dangerous in the pool as it is to be.
        left_alone: Members that the pool has and the file does not name.
        table: What the file says.
        then: The pool as it is to be.
    """

    pool_id: str | None
    region: str
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    left_alone: tuple[str, ...]
    table: Table
    then: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The pool's name in the file."""
        return self.table.name

    @property
    def label(self) -> str:
        """The pool's name for messages: on one line, since a name may have line ends."""
        return "".join(" " if letter.isspace() else letter for letter in self.name)

    @property
    def action(self) -> str:
        """``create``, ``change`` or ``nothing``."""
        if self.pool_id is None:
            return CREATE
        return CHANGE if self.changes else NOTHING

    def __str__(self) -> str:
        whose = f"pool '{self.label}'"
        if self.pool_id is None:
            head = f"{whose}: to be made in {self.region}"
        elif self.changes:
            head = f"{whose} ({self.pool_id}): to be changed"
        else:
            head = f"{whose} ({self.pool_id}): as the file says"
        return "\n".join([head, *(f"  {change}" for change in self.changes)])


@dataclass(frozen=True)
class Plan:
    """
    What `apply` would do. ``str()`` of it is for people.

    Attributes:
        pools: In the order of the file.
        delete: Whether what the file does not name is dropped.
        notes: What could not be looked at.
        clients: Signs for `apply`, too.
    """

    pools: tuple[PoolPlan, ...]
    delete: bool
    notes: tuple[str, ...]
    clients: Clients = field(repr=False, compare=False)

    @property
    def has_changes(self) -> bool:
        """Whether `apply` would change anything."""
        return any(pool.action != NOTHING for pool in self.pools)

    def account(self) -> str | None:
        """Return the account that the pools are in; None where STS does not tell it."""
        return self.clients.account(self.pools[0].region) if self.pools else None

    def trust_policies(self) -> dict[str, dict[str, Any]]:
        """Return the trust policies that the pools' roles need: ARN to policy. New pools have no id yet."""
        return trust.trust_policies(
            (pool.pool_id, pool.then) for pool in self.pools if pool.pool_id is not None
        )

    def __str__(self) -> str:
        number = {
            action: sum(pool.action == action for pool in self.pools) for action in (CREATE, CHANGE, NOTHING)
        }
        last = f"{number[CREATE]} to make, {number[CHANGE]} to change, {number[NOTHING]} as the file says."
        return "\n".join([*(str(pool) for pool in self.pools), last])


def plan(
    source: str | os.PathLike[str] | Mapping[str, Any],
    session: Any = None,
    *,
    region: str | None = None,
    delete: bool = False,
) -> Plan:
    """
    Compare the pools of a TOML file with those of the account. Nothing is changed.

    A table is the pool of its ``IdentityPoolId``, else of its name in *region*.

    Args:
        source: Path of the file, or its content as `tomllib.load` returns it.
        session: Whose credentials sign: a `boto3.Session`, a botocore session, or None for boto3's settings.
        region: Of the pools without an id; the session's without it. A pool with an id is in that id's
            region, which must be this one where it is given.
        delete: Whether to drop what a pool has and the file does not name: providers, roles, role mappings,
            rules, principal tags and tags. Pools are never dropped.

    Raises:
        ConfigurationError: The file is wrong, has a role of another account, or wants what cannot be changed.
        IdentityNotFoundError: An id does not exist.
        RefusedError: The credentials may not; the action that is denied is named.
        ServiceError: The service cannot be reached.
    """
    file = load(source)
    given = None if region is None else checked_region(region, "the region")
    for table in file.tables:
        if given is not None and table.pool_id is not None and table.pool_id.partition(":")[0] != given:
            raise ConfigurationError(
                f"{table.place}: '{table.pool_id}' is a pool of another region than {given}",
                hint="Leave out --region: a pool with an id is in that id's region",
                topic="E-POOL-FILE",
            )
    return planned(file, Clients(session), given, delete=delete)


def planned(file: PoolFile, clients: Clients, region: str | None, *, delete: bool) -> Plan:
    without_id = [table for table in file.tables if table.pool_id is None]
    here = (region or clients.region()) if without_id else ""
    for table in without_id:
        _checked(table, lambda table=table: check_pool(table.members, here))  # type: ignore[misc]
    regions = {table.pool_id.partition(":")[0] if table.pool_id else here for table in file.tables}
    _check_accounts(file, clients, sorted(regions))
    ids = ids_of_names(without_id, clients, here)
    found = [(table, table.pool_id or ids.get(table.name)) for table in file.tables]
    _refuse_same_pool(found)
    for each in sorted(regions):
        clients.of(each)  # botocore makes clients in one thread
    pools = tuple(at_once(lambda pair: _pool_plan(pair[0], pair[1], clients, here, delete=delete), found))
    return _with_trust(Plan(pools, delete, (), clients), file.trust)


def _pool_plan(table: Table, pool_id: str | None, clients: Clients, here: str, *, delete: bool) -> PoolPlan:
    now: Members = {}
    if pool_id is not None:
        now = read_pool(
            clients, pool_id, lambda found: tag_providers(found, table, delete=delete), table.place
        )
    then = to_be(table, now, delete=delete)
    return PoolPlan(
        pool_id,
        pool_id.partition(":")[0] if pool_id else here,
        changes(now, then),
        tuple(warnings(then)),
        () if delete or not now else tuple(left_alone(now, table.members)),
        table,
        then,
    )


def tag_providers(found: Mapping[str, Any], table: Table, *, delete: bool) -> set[str]:
    """
    Name the providers of a pool whose principal tags matter: those that the file names, or with *delete* all.

    One that the file names and the pool does not have yet has none.
    """
    return providers(found) if delete else set(table.members.get("PrincipalTags", ())) & providers(found)


def to_be(table: Table, now: Mapping[str, Any], *, delete: bool) -> Members:
    """
    Return the pool as it is to be.

    Raises:
        ConfigurationError: The file wants what cannot be.
    """
    fixed, wanted = now.get("DeveloperProviderName"), table.members.get("DeveloperProviderName")
    if fixed is not None and wanted is not None and fixed != wanted:
        raise ConfigurationError(
            f"{table.place}.DeveloperProviderName: it is '{fixed}', and can never be changed to '{wanted}'",
            hint="Keep the name, or describe a new pool",
            topic="E-POOL-FILE",
        )
    then = merged(now, table.members, delete=delete)

    def check() -> None:
        check_whole(then, table.members.get("RoleMappings", ()))
        known = providers(then)
        for provider in table.members.get("PrincipalTags", ()):
            if provider not in known:
                raise no_tag_provider(provider, known)

    _checked(table, check)
    return then


def at_once(function: Callable[[_In], _Out], values: Iterable[_In]) -> Iterator[_Out]:
    """Call *function* for each value, for several at the same time; the results are in their order."""
    executor = ThreadPoolExecutor(WORKERS)
    try:
        yield from executor.map(function, values)
    finally:
        # After an error or Ctrl-C, what has not begun is never asked.
        executor.shutdown(cancel_futures=True)


def _checked(table: Table, check: Callable[[], None]) -> None:
    try:
        check()
    except Mistake as error:
        raise ConfigurationError(
            f"{table.place}.{error.member}: {error.what}",
            hint=error.hint or "Correct the file",
            topic="E-POOL-FILE",
        ) from None


def _check_accounts(file: PoolFile, clients: Clients, regions: list[str]) -> None:
    """Refuse roles of another account than the credentials', before any request about pools."""
    with_roles = [table for table in file.tables if roles_of(table.members)]
    account = clients.account(regions[0]) if with_roles else None
    if account is None:
        return
    for table in with_roles:
        _checked(
            table,
            lambda table=table: roles_of_account(table.members, account, "these credentials"),  # type: ignore[misc]
        )


def ids_of_names(tables: list[Table], clients: Clients, region: str) -> dict[str, str]:
    """
    Find the ids of the pools of tables by their names, with one list of all pools.

    Raises:
        ConfigurationError: Several pools have one of the names.
    """
    if not tables:
        return {}
    wanted = {table.name: table for table in tables}
    found: dict[str, list[str]] = {}
    for pool in listed(clients, region):
        if pool.name in wanted:
            found.setdefault(pool.name, []).append(pool.pool_id)
    for name, ids in found.items():
        if len(ids) > 1:
            raise ConfigurationError(
                f"{wanted[name].place}: {len(ids)} pools are called '{name}': {', '.join(ids[:3])}",
                hint="Say which one by IdentityPoolId",
                topic="E-POOL-FILE",
            )
    return {name: ids[0] for name, ids in found.items()}


def _refuse_same_pool(found: list[tuple[Table, str | None]]) -> None:
    """Refuse a pool that one table names by its id and another by its name."""
    seen: dict[str, Table] = {}
    for table, pool_id in found:
        if pool_id is not None and pool_id in seen:
            raise ConfigurationError(
                f"{table.place}: it is '{pool_id}', as {seen[pool_id].place.rpartition(' ')[2]} is",
                hint="One table describes one pool",
                topic="E-POOL-FILE",
            )
        if pool_id is not None:
            seen[pool_id] = table


def _with_trust(found: Plan, known: Mapping[str, Mapping[str, Any]]) -> Plan:
    """Add warnings of roles that are trusted by too many, and a note where IAM does not tell."""
    wanted = {arn: pool.region for pool in found.pools for arn in roles_of(pool.then)}
    policies = dict(known)
    unknown = [(arn, region) for arn, region in wanted.items() if arn not in policies]
    told, missing = _asked(unknown, found.clients)
    policies.update(told)
    pools = tuple(
        replace(
            pool,
            warnings=(
                *pool.warnings,
                *(
                    f"the role {arn} {mistake}. 'pool plan --roles' prints the trust policy it needs"
                    for arn in roles_of(pool.then)
                    if arn in policies
                    and (mistake := trust.trust_mistake(policies[arn], pool.region, pool.pool_id)) is not None
                ),
            ),
        )
        for pool in found.pools
    )
    unseen = [arn for arn in wanted if arn not in policies and arn not in missing]
    prints = "'pool plan --roles' prints what the trust policy must be"
    notes = []
    if missing:
        many = f"{len(missing)} roles do" if len(missing) > 1 else "1 role does"
        notes.append(f"{many} not exist yet: {', '.join(missing)}. {prints}")
    if unseen:
        many = f"{len(unseen)} role{'s' * (len(unseen) != 1)}"
        why = "iam:GetRole does not answer these credentials"
        notes.append(f"nothing tells who trusts {many}: {why}. {prints}")
    return replace(found, pools=pools, notes=tuple(notes))


def _asked(roles: list[tuple[str, str]], clients: Clients) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Ask IAM for the trust policies of roles. Returns those that it tells, and the roles that it has not."""
    found: dict[str, Mapping[str, Any]] = {}
    missing: list[str] = []
    iam: Any = clients.beside("iam", roles[0][1]) if roles else None
    for arn, _ in roles if iam is not None else []:
        try:
            answer = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchEntity":
                missing.append(arn)
                continue
            break  # it answers none of them
        except BotoCoreError:
            break
        policy = trust.readable(answer.get("AssumeRolePolicyDocument"))
        if policy is not None and answer.get("Arn") == arn:
            found[arn] = policy
    return found, missing
