"""Identities and their logins as rows of the state. ``operations.linking`` has the rules that join them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator.errors import identity_not_found
from cognito_credentials.emulator.model.names import new_id, region_of
from cognito_credentials.emulator.stored.state import State


@dataclass(frozen=True)
class LinkedLogin:
    """
    One user of one login provider, linked to an identity.

    Attributes:
        developer: True for a developer user. An identity may have several of these.
    """

    provider: str
    subject: str
    developer: bool = False


@dataclass(frozen=True)
class Identity:
    """
    One identity.

    Attributes:
        enabled: False after a merge into another identity, or after its last login was unlinked.
        authenticated: True from its first login on. It never becomes a guest's identity again.
        logins: In the order in which they were linked.
    """

    id: str
    pool_id: str
    created_ms: int
    modified_ms: int
    enabled: bool
    authenticated: bool
    logins: tuple[LinkedLogin, ...]

    def described(self) -> dict[str, Any]:
        """The IdentityDescription structure of answers."""
        description: dict[str, Any] = {"IdentityId": self.id}
        providers = list(dict.fromkeys(login.provider for login in self.logins))
        if providers:
            description["Logins"] = providers
        description["CreationDate"] = self.created_ms / 1000
        description["LastModifiedDate"] = self.modified_ms / 1000
        return description


def create_identity(state: State, pool_id: str, now_ms: int) -> Identity:
    """Store a new guest identity of *pool_id*."""
    identity_id = new_id(region_of(pool_id))
    state.execute(
        "INSERT INTO identities (id, pool_id, created_ms, modified_ms) VALUES (?, ?, ?, ?)",
        identity_id,
        pool_id,
        now_ms,
        now_ms,
    )
    return Identity(identity_id, pool_id, now_ms, now_ms, True, False, ())


def load_identity(state: State, identity_id: str) -> Identity:
    """
    The identity with *identity_id*.

    Raises:
        ServiceError: ResourceNotFoundException.
    """
    # The rows of a deleted pool's identities go later than the pool.
    row = state.row(
        "SELECT identities.* FROM identities JOIN pools ON pools.id = pool_id WHERE identities.id = ?",
        identity_id,
    )
    if row is None:
        raise identity_not_found(identity_id)
    return _identity(state, row)


def list_identities(
    state: State, pool_id: str, last: int, limit: int, hide_disabled: bool
) -> list[tuple[int, Identity]]:
    """At most *limit* identities of a pool after number *last*, each with its number."""
    rows = state.rows(
        "SELECT * FROM identities WHERE pool_id = ? AND number > ? AND enabled >= ? ORDER BY number LIMIT ?",
        pool_id,
        last,
        int(hide_disabled),
        limit,
    )
    return [(row["number"], _identity(state, row)) for row in rows]


def list_developer_users(state: State, identity_id: str, last: int, limit: int) -> list[tuple[int, str]]:
    """At most *limit* developer users of an identity after number *last*, each with its number."""
    rows = state.rows(
        "SELECT number, subject FROM logins WHERE identity_id = ? AND developer = 1 AND number > ?"
        " ORDER BY number LIMIT ?",
        identity_id,
        last,
        limit,
    )
    return [(row["number"], row["subject"]) for row in rows]


def owner_of(state: State, pool_id: str, login: LinkedLogin) -> Identity | None:
    """The identity that *login* is linked to, if any."""
    row = state.row(
        "SELECT identities.* FROM logins JOIN identities ON identities.id = logins.identity_id"
        " WHERE logins.pool_id = ? AND provider = ? AND subject = ?",
        pool_id,
        login.provider,
        login.subject,
    )
    return _identity(state, row) if row else None


def link_login(state: State, identity: Identity, login: LinkedLogin, now_ms: int) -> None:
    """Link *login* to *identity*. No identity may have the login yet."""
    state.execute(
        "INSERT INTO logins (pool_id, provider, subject, developer, identity_id) VALUES (?, ?, ?, ?, ?)",
        identity.pool_id,
        login.provider,
        login.subject,
        login.developer,
        identity.id,
    )
    state.execute(
        "UPDATE identities SET authenticated = 1, modified_ms = ? WHERE id = ?", now_ms, identity.id
    )


def move_logins(state: State, source: Identity, destination: Identity, now_ms: int) -> None:
    """Move all logins of *source* to *destination*, and disable *source*."""
    state.execute("UPDATE logins SET identity_id = ? WHERE identity_id = ?", destination.id, source.id)
    state.execute(
        "UPDATE identities SET authenticated = 1, modified_ms = ? WHERE id = ?",
        now_ms,
        destination.id,
    )
    disable_identity(state, source.id, now_ms)


def disable_identity(state: State, identity_id: str, now_ms: int) -> None:
    """Disable the identity: nobody gets tokens or credentials for it any more."""
    state.execute("UPDATE identities SET enabled = 0, modified_ms = ? WHERE id = ?", now_ms, identity_id)


def unlink_logins(state: State, identity: Identity, removed: Sequence[LinkedLogin], now_ms: int) -> None:
    """Unlink the *removed* logins; without its last login the identity is disabled."""
    if not removed:
        return  # a guest's identity has no login to lose
    for login in removed:
        state.execute(
            "DELETE FROM logins WHERE pool_id = ? AND provider = ? AND subject = ?",
            identity.pool_id,
            login.provider,
            login.subject,
        )
    state.execute("UPDATE identities SET modified_ms = ? WHERE id = ?", now_ms, identity.id)
    if state.row("SELECT 1 FROM logins WHERE identity_id = ?", identity.id) is None:
        disable_identity(state, identity.id, now_ms)


def delete_identity(state: State, identity_id: str) -> None:
    """Delete the identity. Its logins can be linked to another one then."""
    state.execute("DELETE FROM logins WHERE identity_id = ?", identity_id)
    state.execute("DELETE FROM identities WHERE id = ?", identity_id)


def _identity(state: State, row: sqlite3.Row) -> Identity:
    logins: tuple[LinkedLogin, ...] = ()
    if row["authenticated"]:
        logins = tuple(
            LinkedLogin(login["provider"], login["subject"], bool(login["developer"]))
            for login in state.rows("SELECT * FROM logins WHERE identity_id = ? ORDER BY number", row["id"])
        )
    return Identity(
        id=row["id"],
        pool_id=row["pool_id"],
        created_ms=row["created_ms"],
        modified_ms=row["modified_ms"],
        enabled=bool(row["enabled"]),
        authenticated=bool(row["authenticated"]),
        logins=logins,
    )
