"""Identity pools as rows of the state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.emulator.errors import pool_not_found
from cognito_credentials.emulator.model.names import ACCOUNT_ID, account_of_role, pool_arn, region_of
from cognito_credentials.emulator.stored.state import State


@dataclass(frozen=True)
class IdentityPool:
    """
    One identity pool.

    Attributes:
        settings: The members of CreateIdentityPool, without the tags.
        roles: ``authenticated`` and ``unauthenticated`` to role ARN.
        role_mappings: Provider to RoleMapping, including providers that have been removed from the pool.
        principal_tags: Provider to ``{"UseDefaults", "PrincipalTags"}``.
    """

    id: str
    settings: Mapping[str, Any]
    tags: Mapping[str, str]
    roles: Mapping[str, str] = field(default_factory=dict)
    role_mappings: Mapping[str, Any] = field(default_factory=dict)
    principal_tags: Mapping[str, Any] = field(default_factory=dict)

    @property
    def region(self) -> str:
        return region_of(self.id)

    @property
    def account(self) -> str:
        """The account of its roles: a seed may be of a real account. Without roles, that of the emulator."""
        accounts = (account_of_role(arn) for arn in self.roles.values())
        return next((account for account in accounts if account), ACCOUNT_ID)

    @property
    def allows_guests(self) -> bool:
        return bool(self.settings["AllowUnauthenticatedIdentities"])

    @property
    def developer_provider(self) -> str | None:
        return self.settings.get("DeveloperProviderName")

    @property
    def arn(self) -> str:
        return pool_arn(self.id)

    @property
    def user_pool_keys(self) -> frozenset[str]:
        """The keys of role mappings for the pool's user pools, one for each client."""
        entries = self.settings.get("CognitoIdentityProviders", ())
        return frozenset(
            f"{entry['ProviderName']}:{entry['ClientId']}" for entry in entries if "ClientId" in entry
        )

    @property
    def mapping_keys(self) -> frozenset[str]:
        """The keys that role mappings may have: the providers of the pool."""
        members = ("SupportedLoginProviders", "OpenIdConnectProviderARNs", "SamlProviderARNs")
        return self.user_pool_keys.union(*(self.settings.get(member, ()) for member in members))

    @property
    def used_role_mappings(self) -> Mapping[str, Any]:
        """The role mappings, without those of providers that have been removed from the pool."""
        if not self.role_mappings:
            return {}
        keys = self.mapping_keys
        return {key: mapping for key, mapping in self.role_mappings.items() if key in keys}

    def described(self) -> dict[str, Any]:
        """The IdentityPool structure of answers."""
        return {"IdentityPoolId": self.id, **self.settings, "IdentityPoolTags": dict(self.tags)}


_OWNED_TABLES = ("logins", "identities")  # a login before its identity: no login is ever without one


def insert_pool(state: State, pool: IdentityPool) -> None:
    """Store a new pool, without its roles and principal tags."""
    if state.row("SELECT 1 FROM deleted_pools WHERE id = ?", pool.id):
        _delete_identities(state, pool.id)  # A seed may use an id again. The identities do not return.
    state.execute(
        "INSERT INTO pools (id, region, settings, tags) VALUES (?, ?, ?, ?)",
        pool.id,
        pool.region,
        json.dumps(pool.settings),
        json.dumps(pool.tags),
    )


def load_pool(state: State, pool_id: str) -> IdentityPool:
    """
    The pool with *pool_id*.

    Raises:
        ServiceError: ResourceNotFoundException.
    """
    row = state.row("SELECT * FROM pools WHERE id = ?", pool_id)
    if row is None:
        raise pool_not_found(pool_id)
    return _pool(row)


def update_pool(state: State, pool: IdentityPool) -> None:
    """Store the settings and tags of an existing pool."""
    state.execute(
        "UPDATE pools SET settings = ?, tags = ? WHERE id = ?",
        json.dumps(pool.settings),
        json.dumps(pool.tags),
        pool.id,
    )


def delete_pool(state: State, pool_id: str) -> None:
    """
    Delete the pool. Its identities are not found any more.

    To delete the rows of many identities takes seconds. `delete_rest` does that in slices.
    """
    state.execute("DELETE FROM role_uses WHERE pool_id = ?", pool_id)
    state.execute("DELETE FROM pools WHERE id = ?", pool_id)
    state.execute("INSERT INTO deleted_pools VALUES (?)", pool_id)


def delete_rest(state: State, limit: int) -> bool:
    """
    Delete at most *limit* rows that deleted pools have left.

    Returns:
        Whether there may be more.
    """
    with state.alone():
        if state.row("SELECT 1 FROM deleted_pools") is None:
            return False  # without a transaction, which would write to the file
    with state.transaction():
        row = state.row("SELECT id FROM deleted_pools LIMIT 1")
        if row is None:  # another emulator on the file was quicker
            return False
        for table in _OWNED_TABLES:
            statement = (
                f"DELETE FROM {table} WHERE number IN"  # noqa: S608 - names above
                f" (SELECT number FROM {table} WHERE pool_id = ? LIMIT ?)"
            )
            if state.execute(statement, row["id"], limit).rowcount:
                return True
        state.execute("DELETE FROM deleted_pools WHERE id = ?", row["id"])
        return True


def _delete_identities(state: State, pool_id: str) -> None:
    for table in _OWNED_TABLES:
        state.execute(f"DELETE FROM {table} WHERE pool_id = ?", pool_id)  # noqa: S608 - names above
    state.execute("DELETE FROM deleted_pools WHERE id = ?", pool_id)


def count_pools(state: State, region: str) -> int:
    """The number of pools in *region*."""
    row = state.row("SELECT count(*) AS n FROM pools WHERE region = ?", region)
    return int(row["n"]) if row else 0


def list_pools(state: State, region: str, last: int, limit: int) -> list[tuple[int, IdentityPool]]:
    """At most *limit* pools of *region* after number *last*, each with its number."""
    rows = state.rows(
        "SELECT * FROM pools WHERE region = ? AND number > ? ORDER BY number LIMIT ?", region, last, limit
    )
    return [(row["number"], _pool(row)) for row in rows]


def save_tags(state: State, pool_id: str, tags: Mapping[str, str]) -> None:
    """Replace the tags of the pool."""
    state.execute("UPDATE pools SET tags = ? WHERE id = ?", json.dumps(tags), pool_id)


def save_principal_tags(state: State, pool_id: str, maps: Mapping[str, Any]) -> None:
    """Replace the maps of principal tags of the pool."""
    state.execute("UPDATE pools SET principal_tags = ? WHERE id = ?", json.dumps(maps), pool_id)


def save_roles(
    state: State, pool_id: str, roles: Mapping[str, str], role_mappings: Mapping[str, Any]
) -> None:
    """Replace roles and role mappings of the pool, and the index of which pools use a role."""
    state.execute(
        "UPDATE pools SET roles = ?, role_mappings = ? WHERE id = ?",
        json.dumps(roles),
        json.dumps(role_mappings),
        pool_id,
    )
    state.execute("DELETE FROM role_uses WHERE pool_id = ?", pool_id)
    uses = {(arn, use) for use, arn in roles.items()}
    for mapping in role_mappings.values():
        rules = mapping.get("RulesConfiguration", {}).get("Rules", ())
        uses.update((rule["RoleARN"], "authenticated") for rule in rules)
    for arn, use in uses:
        state.execute("INSERT INTO role_uses VALUES (?, ?, ?)", arn, pool_id, use)


def _pool(row: sqlite3.Row) -> IdentityPool:
    return IdentityPool(
        id=row["id"],
        settings=json.loads(row["settings"]),
        tags=json.loads(row["tags"]),
        roles=json.loads(row["roles"]),
        role_mappings=json.loads(row["role_mappings"]),
        principal_tags=json.loads(row["principal_tags"]),
    )
