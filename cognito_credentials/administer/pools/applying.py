"""
A plan in, the pools as the file says out.

Each pool is read once more before it is changed, and what was read is written back with the changes, since
UpdateIdentityPool and SetIdentityPoolRoles replace everything. Somebody else may change the pool meanwhile:
then the service says so, and the pool is read and compared anew. A pool is changed in steps, each of which
can be repeated. So whatever stops it half-way, running it again ends it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ...errors import ServiceError, replaced
from ..client import Clients
from ..failures import CONCURRENT, code_of, worded
from .members import SETTINGS, Members, live_mappings
from .merge import REMOVED, Change, changes
from .planning import NOTHING, Plan, PoolPlan, ids_of_names, plan, tag_providers, to_be
from .reading import arn_of, read_pool, tags_of

_TRIES: Final = 6
"""How often a pool is read anew after somebody else changed it, and how often its making is throttled."""
_FIRST_WAIT: Final = 0.5
"""Seconds; it doubles."""

Progress = Callable[[str], None]


def apply(
    source: Plan | str | os.PathLike[str] | Mapping[str, Any],
    session: Any = None,
    *,
    region: str | None = None,
    delete: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """
    Make identity pools as a TOML file says. Nobody is asked; it is safe to run twice.

    Args:
        source: What `plan` returned; or what it takes, as *session*, *region* and *delete*.
        progress: Called with a sentence for each step that was done.

    Returns:
        The plan as it was, with the ids of new pools.

    Raises:
        CognitoCredentialsError: As `plan` does. What was done before stays done; running it again ends it.
    """
    wanted = source if isinstance(source, Plan) else plan(source, session, region=region, delete=delete)
    say = progress or (lambda _: None)
    new = [pool for pool in wanted.pools if pool.pool_id is None]
    # Somebody may have made one since the plan was shown.
    made = ids_of_names([pool.table for pool in new], wanted.clients, new[0].region) if new else {}
    return replace(
        wanted,
        pools=tuple(
            pool
            if pool.action == NOTHING
            else _applied(
                pool, pool.pool_id or made.get(pool.name), wanted.clients, say, delete=wanted.delete
            )
            for pool in wanted.pools
        ),
    )


def _applied(
    pool: PoolPlan, pool_id: str | None, clients: Clients, say: Progress, *, delete: bool
) -> PoolPlan:
    if pool_id is None:
        pool_id = _make(pool, clients)
        say(f"pool '{pool.label}': made as {pool_id}")
    wait = _FIRST_WAIT
    for attempt in range(1, _TRIES + 1):
        now = read_pool(
            clients, pool_id, lambda found: tag_providers(found, pool.table, delete=delete), pool.table.place
        )
        then = to_be(pool.table, now, delete=delete)
        _refuse_unseen(pool, changes(now, then))
        try:
            for done in _steps(pool_id, now, then, clients):
                say(f"pool '{pool.label}': {done}")
        except _ChangedMeanwhile:
            if attempt == _TRIES:
                break
            clients.sleep(wait)
            wait *= 2
            continue
        return replace(pool, pool_id=pool_id, then=then)
    raise ServiceError(
        f"pool '{pool.label}': somebody else goes on changing it",
        hint="Run it again",
        code=CONCURRENT,
        topic="E-POOL-CHANGED",
    )


def _refuse_unseen(pool: PoolPlan, now: Iterable[Change]) -> None:
    """Refuse to drop what somebody added after the plan was shown: nobody has agreed to that."""
    shown = {change.member for change in pool.changes}
    unseen = [change.member for change in now if change.kind == REMOVED and change.member not in shown]
    if unseen:
        raise ServiceError(
            f"pool '{pool.label}': {unseen[0]} was added after the plan was made, and is not dropped",
            hint="Run it again to see it in the plan",
            topic="E-POOL-CHANGED",
        )


class _ChangedMeanwhile(Exception):  # noqa: N818  (it is no failure yet)
    """The service refuses a step because another request changes the pool."""


def _changed_or_worded(error: Exception) -> BaseException | None:
    return _ChangedMeanwhile() if code_of(error) == CONCURRENT else worded(error)


def _make(pool: PoolPlan, clients: Clients) -> str:
    """
    Make a pool with its settings and tags.

    The request is sent once only: where the answer to the first was lost, a second would make a second pool.
    """
    client = clients.of(pool.region, once=True)
    request = {**_settings(pool.then), "IdentityPoolTags": pool.then.get("IdentityPoolTags", {})}
    wait = _FIRST_WAIT
    for attempt in range(1, _TRIES + 1):
        try:
            with replaced(Exception, by=worded):
                return str(client.create_identity_pool(**request)["IdentityPoolId"])
        except ServiceError as error:
            # Only what is throttled has certainly not been done.
            if not error.throttled or attempt == _TRIES:
                raise
        clients.sleep(wait)
        wait *= 2
    raise AssertionError("the last attempt returns or raises")


def _steps(pool_id: str, now: Members, then: Members, clients: Clients) -> Iterator[str]:
    """Do what makes *then* of *now*, and yield what was done after each step."""
    client = clients.of(pool_id.partition(":")[0])
    before, after = now.get("PrincipalTags", {}), then.get("PrincipalTags", {})
    going = sorted(before.keys() - after.keys())
    for provider in going:  # first: the service knows no map of a provider that the pool has no more
        _set_tag_map(client, pool_id, provider, {"UseDefaults": False, "PrincipalTags": {}})
        yield f"principal tags of {provider} removed"
    tags = dict(now.get("IdentityPoolTags", {}))
    if _settings(now) != _settings(then):
        with replaced(Exception, by=_changed_or_worded):
            answer = client.update_identity_pool(IdentityPoolId=pool_id, **_settings(then))
        tags = tags_of(answer, clients, pool_id)
        yield "settings and providers written"
    roles, mappings = then.get("Roles", {}), then.get("RoleMappings", {})
    if (now.get("Roles", {}), now.get("RoleMappings", {})) != (roles, mappings):
        with replaced(Exception, by=_changed_or_worded):
            client.set_identity_pool_roles(
                IdentityPoolId=pool_id, Roles=roles, RoleMappings=live_mappings(then)
            )
        yield "roles and role mappings written"
    for provider in sorted(after):
        if after[provider] != before.get(provider):
            _set_tag_map(client, pool_id, provider, after[provider])
            yield f"principal tags of {provider} written"
    yield from _tag(client, clients, pool_id, tags, then.get("IdentityPoolTags", {}))


def _tag(
    client: Any, clients: Clients, pool_id: str, now: Mapping[str, str], then: Mapping[str, str]
) -> Iterator[str]:
    going = sorted(now.keys() - then.keys())
    coming = {key: value for key, value in then.items() if now.get(key) != value}
    if not going and not coming:
        return
    arn = arn_of(clients, pool_id)
    if going:
        with replaced(Exception, by=_changed_or_worded):
            client.untag_resource(ResourceArn=arn, TagKeys=going)
        yield "tags removed"
    if coming:
        with replaced(Exception, by=_changed_or_worded):
            client.tag_resource(ResourceArn=arn, Tags=coming)
        yield "tags written"


def _set_tag_map(client: Any, pool_id: str, provider: str, tags: Mapping[str, Any]) -> None:
    with replaced(Exception, by=_changed_or_worded):
        client.set_principal_tag_attribute_map(IdentityPoolId=pool_id, IdentityProviderName=provider, **tags)


def _settings(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: members[name] for name in SETTINGS if name in members}
