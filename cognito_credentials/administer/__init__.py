"""
Operating identity pools: the operations of the service that are signed with AWS credentials.

    from cognito_credentials import administer

    plan = administer.plan("pools.toml")     # reads the file and the pools; changes nothing
    print(plan)
    administer.apply(plan)                   # makes the pools as the file says

Every function takes the caller's *session*, a `boto3.Session` or one of botocore, whose credentials sign.
Without one, boto3's own settings decide. Errors are those of this package: where the credentials may not, it
is a `RefusedError` that names the denied action.

    pools/       a TOML file <-> identity pools with their roles, role mappings and tags
    client.py    the caller's session and a region -> botocore's client, within the published quotas
    failures.py  botocore's errors -> those of this package

boto3 and botocore are imported when a function runs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    "Plan",
    "PoolPlan",
    "PoolSummary",
    "apply",
    "delete_pool",
    "export",
    "list_pools",
    "plan",
]

_HOME = dict.fromkeys(__all__, "pools")


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)
