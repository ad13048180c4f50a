"""
User pools, their app clients and their users as rows of the state.

A pool and a client are as they were described; a user changes by signing up, by new passwords and by factors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from cognito_credentials.emulator.model.names import user_pool_issuer
from cognito_credentials.emulator.stored.sign_ins import revoke_grants_of_user
from cognito_credentials.emulator.stored.state import State

Status = Literal["CONFIRMED", "UNCONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"]


@dataclass(frozen=True)
class UserPool:
    """
    One user pool.

    Attributes:
        issuer: ``original`` or ``updated``: the name in the iss claim of its tokens.
        mfa: ``off``, ``optional`` or ``on``.
        devices: ``off``, ``always`` or ``ask``: whether a device is remembered, and whether the user says so.
        first_factors: What USER_AUTH offers: PASSWORD, EMAIL_OTP, SMS_OTP.
        sign_up: Whether anybody may sign up.
        shortest_password: Letters that a password must have.
        password_needs: Of ``lowercase``, ``uppercase``, ``numbers`` and ``symbols``.
        required_attributes: Names of attributes that a user must have.
        groups: Group name to ``{"role", "precedence"}``, both optional.
        session_minutes: The lifetime of challenge sessions.
        repeats_challenge: Whether a wrong code is answered by the challenge again, as custom flows do, and
            not by an error.
    """

    id: str
    issuer: str = "original"
    mfa: str = "off"
    devices: str = "off"
    rotate_refresh_tokens: bool = False
    rotation_grace_seconds: int = 0
    id_token_minutes: int = 60
    access_token_minutes: int = 60
    refresh_token_days: int = 30
    session_minutes: int = 3
    repeats_challenge: bool = False
    first_factors: Sequence[str] = ("PASSWORD",)
    sign_up: bool = True
    shortest_password: int = 8
    password_needs: Sequence[str] = ("lowercase", "uppercase", "numbers", "symbols")
    required_attributes: Sequence[str] = ()
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The region, which its id begins with."""
        return self.id.partition("_")[0]

    @property
    def group_name(self) -> str:
        """The part of the id after the region: SRP proofs contain it."""
        return self.id.partition("_")[2]

    @property
    def issuer_url(self) -> str:
        """The iss claim of its tokens."""
        return user_pool_issuer(self.id, updated=self.issuer == "updated")


@dataclass(frozen=True)
class AppClient:
    """
    One app client of a user pool.

    Attributes:
        secret: None for a public client.
        flows: The AuthFlow values that it may use.
        scopes: The scopes that it may ask for.
        callback_urls: Where the sign-in pages may lead back to; the first is the default.
        logout_urls: Where signing out may lead to.
        hides_users: PreventUserExistenceErrors: an unknown user is answered as a wrong password.
    """

    id: str
    pool_id: str
    secret: str | None = None
    flows: Sequence[str] = ()
    scopes: Sequence[str] = ()
    callback_urls: Sequence[str] = ()
    logout_urls: Sequence[str] = ()
    hides_users: bool = True


@dataclass(frozen=True)
class User:
    """
    One user of a user pool.

    Attributes:
        name: The user name as it was given. Names that differ in case alone are one user.
        password: ``{"text"}`` as the seed gave it, ``{"salt", "verifier"}`` in hexadecimal once it was
            needed, or empty: the user has no password.
        attributes: Without sub.
        mfa: The user's second factors: ``totp``, ``sms``, ``email``.
        preferred_mfa: One of *mfa*, which is asked for first; None asks for a choice.
        totp_secret: In base32; empty if the user has no authenticator app.
        totp_step: The number of the last time step whose code was used.
        wrong_passwords: In a row.
        locked_until: Seconds since the epoch by the emulator's clock.
        codes: Purpose (``confirm``, ``reset``, ``attribute``) to ``{"code", "until", "wrong"}``.
    """

    pool_id: str
    name: str
    sub: str
    password: Mapping[str, str] = field(default_factory=dict)
    status: Status = "CONFIRMED"
    enabled: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[str] = ()
    mfa: Sequence[str] = ()
    preferred_mfa: str | None = None
    totp_secret: str = ""
    totp_step: int = 0
    wrong_passwords: int = 0
    locked_until: float = 0.0
    codes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    created_ms: int = 0
    modified_ms: int = 0


def save_user_pool(state: State, pool: UserPool) -> None:
    """Store *pool* in place of its earlier description."""
    state.execute("INSERT OR REPLACE INTO user_pools VALUES (?, ?)", pool.id, _without_keys(pool, "id"))


def find_user_pool(state: State, pool_id: str) -> UserPool | None:
    """The user pool with that id, if it was described."""
    row = state.row("SELECT settings FROM user_pools WHERE id = ?", pool_id)
    return UserPool(id=pool_id, **json.loads(row["settings"])) if row else None


def list_user_pools(state: State) -> list[UserPool]:
    """All user pools that were described, by id."""
    rows = state.rows("SELECT id, settings FROM user_pools ORDER BY id")
    return [UserPool(id=row["id"], **json.loads(row["settings"])) for row in rows]


def save_client(state: State, client: AppClient) -> None:
    """Store *client*. No other pool may have a client of that id."""
    state.execute(
        "INSERT OR REPLACE INTO user_pool_clients VALUES (?, ?, ?)",
        client.id,
        client.pool_id,
        _without_keys(client, "id", "pool_id"),
    )


def find_client(state: State, client_id: str) -> AppClient | None:
    """The app client with that id."""
    row = state.row("SELECT * FROM user_pool_clients WHERE id = ?", client_id)
    return AppClient(row["id"], row["pool_id"], **json.loads(row["settings"])) if row else None


def list_clients(state: State, pool_id: str) -> list[AppClient]:
    """The app clients of a user pool, by id."""
    rows = state.rows("SELECT * FROM user_pool_clients WHERE pool_id = ? ORDER BY id", pool_id)
    return [AppClient(row["id"], row["pool_id"], **json.loads(row["settings"])) for row in rows]


def keep_only_clients(state: State, pool_id: str, kept: Sequence[str]) -> None:
    """Delete the clients of a user pool that are not among *kept*."""
    for client in list_clients(state, pool_id):
        if client.id not in kept:
            state.execute("DELETE FROM user_pool_clients WHERE id = ?", client.id)


def add_user_to_pool(state: State, user: User) -> None:
    """Store a new user. No user of the pool may have the name or the sub."""
    state.execute(
        "INSERT INTO user_pool_users (pool_id, folded_name, sub, content) VALUES (?, ?, ?, ?)",
        user.pool_id,
        folded(user.name),
        user.sub,
        _without_keys(user, "pool_id", "sub"),
    )


def save_user(state: State, user: User, now_ms: int | None = None) -> User:
    """Store what changed of *user*; *now_ms* if it is a change of the user's own data. Returns the user."""
    if now_ms is not None:
        user = replace(user, modified_ms=now_ms)
    state.execute(
        "UPDATE user_pool_users SET content = ? WHERE pool_id = ? AND sub = ?",
        _without_keys(user, "pool_id", "sub"),
        user.pool_id,
        user.sub,
    )
    return user


def find_user(state: State, pool_id: str, name: str) -> User | None:
    """The user of a pool by user name, in any case, or by sub."""
    row = state.row(
        "SELECT * FROM user_pool_users WHERE pool_id = ? AND folded_name = ?", pool_id, folded(name)
    )
    return _user(row) if row else find_user_by_sub(state, pool_id, name)


def find_user_by_sub(state: State, pool_id: str, sub: str) -> User | None:
    """The user of a pool by sub."""
    row = state.row("SELECT * FROM user_pool_users WHERE pool_id = ? AND sub = ?", pool_id, sub)
    return _user(row) if row else None


def list_users(state: State, pool_id: str, last: int, limit: int) -> list[tuple[int, User]]:
    """At most *limit* users of a pool after number *last*, each with its number."""
    rows = state.rows(
        "SELECT * FROM user_pool_users WHERE pool_id = ? AND number > ? ORDER BY number LIMIT ?",
        pool_id,
        last,
        limit,
    )
    return [(row["number"], _user(row)) for row in rows]


def count_users(state: State, pool_id: str) -> int:
    """The number of users of a pool."""
    row = state.row("SELECT count(*) AS n FROM user_pool_users WHERE pool_id = ?", pool_id)
    return int(row["n"]) if row else 0


def delete_user(state: State, user: User) -> None:
    """Delete the user with the devices, and revoke the sign-ins."""
    revoke_grants_of_user(state, user.pool_id, user.sub)
    state.execute("DELETE FROM user_pool_devices WHERE pool_id = ? AND sub = ?", user.pool_id, user.sub)
    state.execute("DELETE FROM user_pool_users WHERE pool_id = ? AND sub = ?", user.pool_id, user.sub)


def folded(name: str) -> str:
    """*name* for comparisons: names that differ in case alone are one user; reference/service.md#12.1."""
    return name.casefold()


def _user(row: Any) -> User:
    return User(pool_id=row["pool_id"], sub=row["sub"], **json.loads(row["content"]))


def _without_keys(record: UserPool | AppClient | User, *keys: str) -> str:
    """The members of *record* as JSON, without those that are columns."""
    return json.dumps({name: value for name, value in asdict(record).items() if name not in keys})
