"""
Operating identity pools: the operations of the service that are signed with AWS credentials.

    from cognito_credentials import administer

    plan = administer.plan("pools.toml")     # reads the file and the pools; changes nothing
    print(plan)
    administer.apply(plan)                   # makes the pools as the file says

    for identity in administer.list_identities("us-east-1:…"):    # any number; one page at a time
        print(identity.identity_id, identity.logins)

Every function takes the caller's *session*, a `boto3.Session` or one of botocore, whose credentials sign.
Without one, boto3's own settings decide. Errors are those of this package: where the credentials may not, it
is a `RefusedError` that names the denied action.

    pools/         a TOML file <-> identity pools with their roles, role mappings and tags
    identities.py  a pool -> its identities; ids -> deleted, in batches
    developers.py  an app's own users: token, lookup, merge, unlink
    client.py      the caller's session and a region -> botocore's client, within the published quotas
    failures.py    botocore's errors -> those of this package

boto3 and botocore are imported when one of these names is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .developers import (
        DeveloperIdentity,
        Merge,
        developer_provider,
        developer_token,
        lookup_developer,
        merge_developers,
        plan_merge,
        unlink_developer,
    )
    from .identities import Identity, Unprocessed, delete_identities, describe_identity, list_identities
    from .pools import (
        Change,
        Plan,
        PoolPlan,
        PoolSummary,
        apply,
        delete_pool,
        export,
        list_pools,
        plan,
    )

__all__ = [
    "Change",
    "DeveloperIdentity",
    "Identity",
    "Merge",
    "Plan",
    "PoolPlan",
    "PoolSummary",
    "Unprocessed",
    "apply",
    "delete_identities",
    "delete_pool",
    "describe_identity",
    "developer_provider",
    "developer_token",
    "export",
    "list_identities",
    "list_pools",
    "lookup_developer",
    "merge_developers",
    "plan",
    "plan_merge",
    "unlink_developer",
]

_MODULES = ("identities", "developers")
_IDENTITIES = ("Identity", "Unprocessed", "delete_identities", "describe_identity", "list_identities")
_DEVELOPERS = (
    *("DeveloperIdentity", "Merge", "developer_provider", "developer_token", "lookup_developer"),
    *("merge_developers", "plan_merge", "unlink_developer"),
)
_HOME = {
    **dict.fromkeys(__all__, "pools"),
    **dict.fromkeys(_IDENTITIES, "identities"),
    **dict.fromkeys(_DEVELOPERS, "developers"),
    **{name: name for name in _MODULES},
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ..importing import IMPORTING

    with IMPORTING:
        from importlib import import_module

        home = import_module(f".{_HOME[name]}", __name__)
    return home if name in _MODULES else getattr(home, name)
