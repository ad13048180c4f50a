"""
What signing in to a user pool leaves: devices, grants with their refresh tokens, and sessions.

- A device is named by the pool at a sign-in, and is known once it was confirmed.
- A grant is one sign-in. Every token of it has its ``origin_jti``, and they are revoked together.
- A session is something short-lived that its holder proves by a token: a challenge, an authorization code,
  a browser's cookie. Only the digest of the token is stored.

All three are bounded, since strangers can make them: the oldest go.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.stored.state import State


@dataclass(frozen=True)
class Device:
    """
    A device of a user.

    Attributes:
        group_key: The device group key, which its SRP proofs contain.
        salt: Of its password, as a number in hexadecimal; empty before the device was confirmed.
        verifier: Of its password, in the same form.
        is_remembered: Whether it stands for a second factor.
    """

    key: str
    pool_id: str
    sub: str
    group_key: str
    name: str = ""
    salt: str = ""
    verifier: str = ""
    is_remembered: bool = False
    created_ms: int = 0
    modified_ms: int = 0
    last_used_ms: int = 0

    @property
    def is_confirmed(self) -> bool:
        """Whether ConfirmDevice was called for it."""
        return bool(self.verifier)


@dataclass(frozen=True)
class Grant:
    """
    One sign-in of a user by an app client.

    Attributes:
        origin_jti: The claim of that name in all its tokens.
        auth_time: When the user signed in, in seconds since the epoch.
        device_key: The device that its refresh tokens are bound to; None for none.
        scopes: The scopes of its access tokens.
        event_id: The claim of that name.
        expires_at: When its refresh tokens expire, in seconds since the epoch.
    """

    origin_jti: str
    pool_id: str
    sub: str
    client_id: str
    expires_at: float
    auth_time: int = 0
    device_key: str | None = None
    scopes: tuple[str, ...] = ()
    event_id: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """More claims of its ID tokens, such as nonce."""


@dataclass(frozen=True)
class Session:
    """What was stored under a session token."""

    digest: str
    content: dict[str, Any]
    expires_at: float


def save_device(state: State, device: Device) -> None:
    """Store *device* in place of what was stored of it. A user's oldest device makes room."""
    content = _json(device, "key", "pool_id", "sub")
    updated = state.execute("UPDATE user_pool_devices SET content = ? WHERE key = ?", content, device.key)
    if updated.rowcount:
        return
    state.execute(
        "INSERT INTO user_pool_devices (key, pool_id, sub, content) VALUES (?, ?, ?, ?)",
        device.key,
        device.pool_id,
        device.sub,
        content,
    )
    _drop_oldest(state, "user_pool_devices", device.pool_id, device.sub, assumed.MOST_DEVICES)


def find_device(state: State, pool_id: str, sub: str, key: str) -> Device | None:
    """The user's device with that key, confirmed or not."""
    row = state.row(
        "SELECT * FROM user_pool_devices WHERE key = ? AND pool_id = ? AND sub = ?", key, pool_id, sub
    )
    return _device(row) if row else None


def list_devices(state: State, pool_id: str, sub: str, last: int, limit: int) -> list[tuple[int, Device]]:
    """At most *limit* devices of a user after number *last*, each with its number."""
    rows = state.rows(
        "SELECT * FROM user_pool_devices WHERE pool_id = ? AND sub = ? AND number > ?"
        " ORDER BY number LIMIT ?",
        pool_id,
        sub,
        last,
        limit,
    )
    return [(row["number"], _device(row)) for row in rows]


def forget_device(state: State, key: str) -> None:
    """Delete the device. Refresh tokens that are bound to it are refused then."""
    state.execute("DELETE FROM user_pool_devices WHERE key = ?", key)


def add_grant(state: State, grant: Grant, now: float) -> None:
    """Store a new sign-in. Expired ones are deleted, and a user's oldest one makes room."""
    state.execute(
        "INSERT INTO user_pool_grants (origin_jti, pool_id, sub, client_id, content, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        grant.origin_jti,
        grant.pool_id,
        grant.sub,
        grant.client_id,
        _json(grant, "origin_jti", "pool_id", "sub", "client_id", "expires_at"),
        grant.expires_at,
    )
    state.execute(
        "DELETE FROM user_pool_grants WHERE expires_at < ?", now - assumed.KEPT_AFTER_EXPIRY_SECONDS
    )
    _drop_oldest(state, "user_pool_grants", grant.pool_id, grant.sub, assumed.MOST_GRANTS)


def find_grant(state: State, origin_jti: str) -> Grant | None:
    """The sign-in with that origin_jti; None if it was revoked."""
    row = state.row("SELECT * FROM user_pool_grants WHERE origin_jti = ? AND is_revoked = 0", origin_jti)
    if row is None:
        return None
    content = json.loads(row["content"])
    content["scopes"] = tuple(content["scopes"])
    names = ("origin_jti", "pool_id", "sub", "client_id", "expires_at")
    return Grant(**{name: row[name] for name in names}, **content)


def is_revoked(state: State, origin_jti: str) -> bool:
    """Whether a sign-in was revoked. It is remembered until it would have expired."""
    row = state.row("SELECT is_revoked FROM user_pool_grants WHERE origin_jti = ?", origin_jti)
    return bool(row and row["is_revoked"])


def revoke_grant(state: State, origin_jti: str) -> None:
    """Revoke a sign-in with its refresh tokens."""
    _revoke(state, state.rows("SELECT origin_jti FROM user_pool_grants WHERE origin_jti = ?", origin_jti))


def revoke_grants_of_user(state: State, pool_id: str, sub: str) -> None:
    """Revoke every sign-in of a user."""
    _revoke(
        state,
        state.rows(
            "SELECT origin_jti FROM user_pool_grants WHERE pool_id = ? AND sub = ? AND is_revoked = 0",
            pool_id,
            sub,
        ),
    )


def _revoke(state: State, grants: Sequence[sqlite3.Row]) -> None:
    for row in grants:
        origin_jti = row["origin_jti"]
        state.execute("UPDATE user_pool_grants SET is_revoked = 1 WHERE origin_jti = ?", origin_jti)
        state.execute("DELETE FROM user_pool_refresh_tokens WHERE origin_jti = ?", origin_jti)


def add_refresh_token(state: State, token: str, origin_jti: str) -> None:
    """Store a refresh token of a sign-in. Rotated ones make room when they are many."""
    state.execute("INSERT INTO user_pool_refresh_tokens VALUES (?, ?, NULL)", digest_of(token), origin_jti)
    state.execute(
        "DELETE FROM user_pool_refresh_tokens WHERE digest IN (SELECT digest FROM user_pool_refresh_tokens"
        " WHERE origin_jti = ? AND replaced_at IS NOT NULL ORDER BY replaced_at DESC LIMIT -1 OFFSET ?)",
        origin_jti,
        assumed.MOST_ROTATED,
    )


def find_refresh_token(state: State, token: str) -> tuple[str, float | None] | None:
    """The origin_jti of a refresh token, and when another one took its place; None if it is unknown."""
    row = state.row("SELECT * FROM user_pool_refresh_tokens WHERE digest = ?", digest_of(token))
    return (row["origin_jti"], row["replaced_at"]) if row else None


def mark_replaced(state: State, token: str, now: float) -> None:
    """Note that another refresh token has taken the place of this one."""
    state.execute(
        "UPDATE user_pool_refresh_tokens SET replaced_at = ? WHERE digest = ? AND replaced_at IS NULL",
        now,
        digest_of(token),
    )


def open_session(
    state: State, kind: str, token: str, content: Mapping[str, Any], expires_at: float, now: float
) -> None:
    """
    Store *content* under *token*. Expired sessions are deleted, and the oldest of the kind makes room.

    Args:
        kind: ``challenge``, or a name of the caller's own: a token of one kind opens no session of another.
    """
    state.execute(
        "INSERT OR REPLACE INTO user_pool_sessions (digest, kind, content, expires_at) VALUES (?, ?, ?, ?)",
        digest_of(token),
        kind,
        json.dumps(content),
        expires_at,
    )
    state.execute(
        "DELETE FROM user_pool_sessions WHERE expires_at < ?", now - assumed.KEPT_AFTER_EXPIRY_SECONDS
    )
    state.execute(
        "DELETE FROM user_pool_sessions WHERE kind = ? AND number <= (SELECT number FROM user_pool_sessions"
        " WHERE kind = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
        kind,
        kind,
        assumed.MOST_SESSIONS,
    )


def find_session(state: State, kind: str, token: str) -> Session | None:
    """What is stored under *token*, also if it has expired since; None if nothing is."""
    row = state.row("SELECT * FROM user_pool_sessions WHERE digest = ? AND kind = ?", digest_of(token), kind)
    return Session(row["digest"], json.loads(row["content"]), row["expires_at"]) if row else None


def change_session(state: State, session: Session, content: Mapping[str, Any]) -> None:
    """Store *content* in place of what the session has."""
    state.execute(
        "UPDATE user_pool_sessions SET content = ? WHERE digest = ?", json.dumps(content), session.digest
    )


def close_session(state: State, session: Session) -> None:
    """Delete the session."""
    state.execute("DELETE FROM user_pool_sessions WHERE digest = ?", session.digest)


def digest_of(token: str) -> str:
    """What is stored of a token: a copy of the data file opens no session."""
    return hashlib.sha256(token.encode()).hexdigest()


def _device(row: sqlite3.Row) -> Device:
    return Device(key=row["key"], pool_id=row["pool_id"], sub=row["sub"], **json.loads(row["content"]))


def _drop_oldest(state: State, table: str, pool_id: str, sub: str, most: int) -> None:
    """Delete the user's rows of *table* but the last *most*."""
    state.execute(
        f"DELETE FROM {table} WHERE pool_id = ? AND sub = ? AND number <= (SELECT number FROM {table}"  # noqa: S608 - names of this file
        " WHERE pool_id = ? AND sub = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
        *(pool_id, sub, pool_id, sub, most),
    )


def _json(record: Device | Grant, *keys: str) -> str:
    """The members of *record* as JSON, without those that are columns."""
    return json.dumps({name: value for name, value in asdict(record).items() if name not in keys})
