"""
Identity pools from a TOML file.

    planning.py     a file and the pools -> what differs, what is dangerous, and what would be done
    applying.py     a plan -> the pools as the file says; what was done, also where it stops half-way
    merge.py        a pool as it is, and as the file has it -> as it is to be, change by change
    dangers.py      a pool as it is to be -> warnings
    trust.py        pools -> the trust policies of their roles; a role's trust policy -> what is wrong with it
    reading.py      the service -> pools as they are; lists, one pool, names to ids
    file.py         a TOML file -> its pools, each checked before any request
    members.py      one form of a pool's members, for the file and the service
    written.py      a pool -> TOML
    deleting.py     one pool -> gone

A pool is a mapping with the members of CreateIdentityPool, `Roles` and `RoleMappings` of
SetIdentityPoolRoles, and `PrincipalTags`: provider to ``{"UseDefaults", "PrincipalTags"}`` of
SetPrincipalTagAttributeMap.
"""

from __future__ import annotations

from .applying import apply
from .deleting import delete_pool
from .merge import Change
from .planning import Plan, PoolPlan, plan
from .reading import PoolSummary, export, list_pools

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
