"""
The stored things in pages, for people who look: the newest first, however many there are.

Each function takes the number or name that the last page ended with, and finds the next page by an index.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator.stored.state import State

_BEFORE_ALL = 2**62
_NUMBER = re.compile("[0-9]{1,18}")  # an integer of SQLite


@dataclass(frozen=True)
class Page:
    """
    One page of a list.

    Attributes:
        next: Where the next page begins; None after the last page.
        total: The length of the list; None where only what was searched for is in it.
    """

    items: Sequence[dict[str, Any]]
    next: str | None
    total: int | None


@dataclass(frozen=True)
class Wanted:
    """
    Which page of a list is wanted.

    Attributes:
        after: `Page.next` of the page before; empty for the first page.
        find: Only things with this text in their names; empty for all.
        owner: Only things of this pool; empty for all.
    """

    after: str = ""
    find: str = ""
    owner: str = ""
    limit: int = 50

    @property
    def pattern(self) -> str:
        """The text to find, for LIKE with the escape character ``\\``."""
        escaped = self.find.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"%{escaped}%"

    @property
    def before(self) -> int:
        """The number that the page before ended with."""
        return int(self.after) if _NUMBER.fullmatch(self.after) else _BEFORE_ALL


def list_pools(state: State, wanted: Wanted) -> Page:
    """Identity pools, each with the number of its identities."""
    rows = state.rows(
        "SELECT *, (SELECT count(*) FROM identities WHERE pool_id = pools.id) AS identities FROM pools"
        " WHERE number < ? AND (id LIKE ? ESCAPE '\\' OR settings LIKE ? ESCAPE '\\')"
        " ORDER BY number DESC LIMIT ?",
        wanted.before,
        wanted.pattern,
        wanted.pattern,
        wanted.limit + 1,
    )
    return _page(rows, wanted, _pool, lambda: _count(state, "SELECT count(*) FROM pools"))


def list_identities(state: State, wanted: Wanted) -> Page:
    """Identities with their logins. *wanted.find* is in an id, a provider or a subject."""
    owned, owner = (
        ("pool_id = ?", [wanted.owner]) if wanted.owner else ("pool_id IN (SELECT id FROM pools)", [])
    )
    like = "LIKE ? ESCAPE '\\'"
    named = f"SELECT identity_id FROM logins WHERE {owned} AND (subject {like} OR provider {like})"  # noqa: S608
    found, names = "1", []
    if wanted.find:
        found = f"(id {like} OR id IN ({named}))"
        names = [wanted.pattern, *owner, wanted.pattern, wanted.pattern]
    rows = state.rows(
        f"SELECT * FROM identities WHERE {owned} AND number < ? AND {found} ORDER BY number DESC LIMIT ?",  # noqa: S608
        *owner,
        wanted.before,
        *names,
        wanted.limit + 1,
    )
    total = f"SELECT count(*) FROM identities WHERE {owned}"  # noqa: S608
    return _page(rows, wanted, lambda row: _identity(state, row), lambda: _count(state, total, *owner))


def list_roles(state: State, wanted: Wanted) -> Page:
    """Roles that were described or that pools use, by ARN. A deleted one is in it: nobody may assume it."""
    every = (
        "(SELECT arn FROM roles WHERE arn NOT IN (SELECT arn FROM role_details WHERE deleted)"
        " UNION SELECT role_arn FROM role_uses)"
    )
    rows = state.rows(
        "SELECT every.arn AS number, trust_policy, max_session_seconds, deleted"  # noqa: S608
        f" FROM {every} AS every LEFT JOIN roles ON roles.arn = every.arn"
        " LEFT JOIN role_details ON role_details.arn = every.arn"
        " WHERE every.arn > ? AND every.arn LIKE ? ESCAPE '\\' ORDER BY every.arn LIMIT ?",
        wanted.after,
        wanted.pattern,
        wanted.limit + 1,
    )
    total = f"SELECT count(*) FROM {every}"  # noqa: S608
    return _page(rows, wanted, lambda row: _role(state, row), lambda: _count(state, total))


def list_users(state: State, wanted: Wanted) -> Page:
    """Users of user pools. *wanted.find* is in a name."""
    owned, owner = ("pool_id = ?", [wanted.owner]) if wanted.owner else ("1", [])
    rows = state.rows(
        f"SELECT * FROM user_pool_users WHERE {owned} AND number < ?"  # noqa: S608
        " AND folded_name LIKE ? ESCAPE '\\' ORDER BY number DESC LIMIT ?",
        *owner,
        wanted.before,
        wanted.pattern,
        wanted.limit + 1,
    )
    total = f"SELECT count(*) FROM user_pool_users WHERE {owned}"  # noqa: S608
    return _page(rows, wanted, _user, lambda: _count(state, total, *owner))


def _page(
    rows: Sequence[sqlite3.Row],
    wanted: Wanted,
    described: Callable[[sqlite3.Row], dict[str, Any]],
    total: Callable[[], int],
) -> Page:
    shown = rows[: wanted.limit]
    following = str(shown[-1]["number"]) if len(rows) > wanted.limit else None
    return Page(list(map(described, shown)), following, None if wanted.find else total())


def _count(state: State, statement: str, *values: object) -> int:
    row = state.row(statement, *values)
    return int(row[0]) if row else 0


def _pool(row: sqlite3.Row) -> dict[str, Any]:
    settings = json.loads(row["settings"])
    for provider, app in settings.get("SupportedLoginProviders", {}).items():
        settings["SupportedLoginProviders"][provider] = app.partition(";")[0]  # Twitter's is "key;secret"
    return {
        "id": row["id"],
        "name": settings.get("IdentityPoolName", ""),
        "settings": settings,
        "roles": json.loads(row["roles"]),
        "role_mappings": json.loads(row["role_mappings"]),
        "identities": row["identities"],
    }


def _identity(state: State, row: sqlite3.Row) -> dict[str, Any]:
    logins = state.rows("SELECT * FROM logins WHERE identity_id = ? ORDER BY number", row["id"])
    return {
        "id": row["id"],
        "pool": row["pool_id"],
        "created": row["created_ms"] / 1000,
        "modified": row["modified_ms"] / 1000,
        "enabled": bool(row["enabled"]),
        "authenticated": bool(row["authenticated"]),
        "logins": [
            {
                "provider": login["provider"],
                "subject": login["subject"],
                "developer": bool(login["developer"]),
            }
            for login in logins
        ],
    }


def _role(state: State, row: sqlite3.Row) -> dict[str, Any]:
    uses = state.rows("SELECT pool_id, state FROM role_uses WHERE role_arn = ?", row["number"])
    policy = row["trust_policy"]
    return {
        "arn": row["number"],
        "trust_policy": json.loads(policy) if policy is not None else None,
        "max_session_seconds": row["max_session_seconds"],
        "deleted": bool(row["deleted"]),
        "uses": [{"pool": use["pool_id"], "as": use["state"]} for use in uses],
    }


def _user(row: sqlite3.Row) -> dict[str, Any]:
    content = json.loads(row["content"])
    members = ("name", "status", "enabled", "attributes", "groups", "mfa")
    return {
        "user_pool": row["pool_id"],
        "sub": row["sub"],
        **{name: content[name] for name in members if name in content},
    }
