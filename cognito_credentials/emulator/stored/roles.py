"""
Roles as rows of the state.

A role that was deleted keeps its row: nobody can assume it. A role that nobody ever described is trusted by
default.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.emulator.stored.state import State

DEFAULT_MAX_SESSION_SECONDS = 3600
_ROLES = "SELECT * FROM roles LEFT JOIN role_details USING (arn)"


@dataclass(frozen=True)
class Role:
    """
    One role.

    Attributes:
        trust_policy: The trust policy, as JSON.
        details: What only IAM's operations read: Description, Tags, CreateDate, the role's policies.
    """

    arn: str
    trust_policy: str
    max_session_seconds: int = DEFAULT_MAX_SESSION_SECONDS
    details: Mapping[str, Any] = field(default_factory=dict)
    is_deleted: bool = False

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rpartition("/")[2]

    @property
    def path(self) -> str:
        """The path before the name: ``/``, or ``/`` and more that ends with ``/``."""
        return self.arn.partition(":role")[2].removesuffix(self.name)


def save_role(state: State, role: Role) -> None:
    """Store *role*, in place of one with its ARN."""
    state.execute(
        "INSERT OR REPLACE INTO roles VALUES (?, ?, ?)", role.arn, role.trust_policy, role.max_session_seconds
    )
    state.execute(
        "INSERT OR REPLACE INTO role_details VALUES (?, ?, ?)",
        role.arn,
        json.dumps(role.details),
        role.is_deleted,
    )


def find_role(state: State, arn: str) -> Role | None:
    """The role with *arn*, also a deleted one; None if nobody described it."""
    row = state.row(f"{_ROLES} WHERE arn = ?", arn)
    return _role(row) if row else None


def roles_of_account(state: State, partition: str, account: str) -> list[Role]:
    """The roles of an account, without deleted ones, in the order of their ARNs."""
    before = f"arn:{partition}:iam::{account}:role/"
    rows = state.rows(
        f"{_ROLES} WHERE arn >= ? AND arn < ? AND deleted IS NOT 1 ORDER BY arn", before, f"{before}\x7f"
    )
    return [_role(row) for row in rows]


def count_deleted_roles(state: State) -> int:
    """The number of rows that deleted roles have left."""
    row = state.row("SELECT count(*) AS n FROM role_details WHERE deleted")
    return int(row["n"]) if row else 0


def find_role_by_name(state: State, partition: str, account: str, name: str) -> Role | None:
    """The role of an account by its name, which is unique in any case and path; None if there is none."""
    for role in roles_of_account(state, partition, account):
        if role.name.lower() == name.lower():
            return role
    return None


def _role(row: sqlite3.Row) -> Role:
    return Role(
        arn=row["arn"],
        trust_policy=row["trust_policy"],
        max_session_seconds=row["max_session_seconds"],
        details=json.loads(row["details"] or "{}"),
        is_deleted=bool(row["deleted"]),
    )
