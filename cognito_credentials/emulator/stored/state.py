"""
The state of the emulator: one SQLite database, in memory or in a file.

Every call of an operation is one transaction, so a call that fails changes nothing. Everything that is
committed is in the one file, so a copy of the file is complete. SQLite's journal is beside it only while a
call writes, and after a kill at such a moment.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

SCHEMA_VERSION = 3
_TAKEN_OVER = 2
"""A file of this format gets the tables that it has not, and is one of the current format then."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pools (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    region TEXT NOT NULL,
    settings TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '{}',
    roles TEXT NOT NULL DEFAULT '{}',
    role_mappings TEXT NOT NULL DEFAULT '{}',
    principal_tags TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS deleted_pools (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS role_uses (
    role_arn TEXT NOT NULL,
    pool_id TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (role_arn, pool_id, state)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    pool_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    modified_ms INTEGER NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1,
    authenticated INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS identities_of_pool ON identities (pool_id, number);
CREATE TABLE IF NOT EXISTS logins (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    pool_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    developer INTEGER NOT NULL,
    identity_id TEXT NOT NULL,
    UNIQUE (pool_id, provider, subject)
);
CREATE INDEX IF NOT EXISTS logins_of_identity ON logins (identity_id, number);
CREATE TABLE IF NOT EXISTS roles (
    arn TEXT PRIMARY KEY,
    trust_policy TEXT NOT NULL,
    max_session_seconds INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS role_details (
    arn TEXT PRIMARY KEY,
    details TEXT NOT NULL,
    deleted INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issuers (
    provider TEXT PRIMARY KEY,
    client_ids TEXT NOT NULL,
    jwks TEXT,
    jwks_uri TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS saml_providers (
    arn TEXT PRIMARY KEY,
    entity_id TEXT NOT NULL,
    certificates TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS users (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    opaque_token TEXT,
    app_id TEXT,
    claims TEXT NOT NULL DEFAULT '{}',
    signed_out INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS developers (
    access_key_id TEXT PRIMARY KEY,
    secret_access_key TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS users_by_token ON users (provider, opaque_token);
CREATE TABLE IF NOT EXISTS issuer_grants (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    state TEXT NOT NULL,
    scope TEXT NOT NULL,
    expires_at REAL NOT NULL,
    subject TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    nonce TEXT,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    user_code TEXT UNIQUE,
    interval REAL NOT NULL,
    polled_at REAL NOT NULL,
    generation INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS issuer_sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    expires_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS user_pools (id TEXT PRIMARY KEY, settings TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS user_pool_clients (
    id TEXT PRIMARY KEY,
    pool_id TEXT NOT NULL,
    settings TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS clients_of_user_pool ON user_pool_clients (pool_id);
CREATE TABLE IF NOT EXISTS user_pool_users (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    pool_id TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    sub TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (pool_id, folded_name),
    UNIQUE (pool_id, sub)
);
CREATE TABLE IF NOT EXISTS user_pool_devices (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    pool_id TEXT NOT NULL,
    sub TEXT NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS devices_of_user ON user_pool_devices (pool_id, sub, number);
CREATE TABLE IF NOT EXISTS user_pool_grants (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    origin_jti TEXT NOT NULL UNIQUE,
    pool_id TEXT NOT NULL,
    sub TEXT NOT NULL,
    client_id TEXT NOT NULL,
    content TEXT NOT NULL,
    expires_at REAL NOT NULL,
    is_revoked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS grants_of_user ON user_pool_grants (pool_id, sub, number);
CREATE INDEX IF NOT EXISTS grants_by_expiry ON user_pool_grants (expires_at);
CREATE TABLE IF NOT EXISTS user_pool_refresh_tokens (
    digest TEXT PRIMARY KEY,
    origin_jti TEXT NOT NULL REFERENCES user_pool_grants (origin_jti) ON DELETE CASCADE,
    replaced_at REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refresh_tokens_of_grant ON user_pool_refresh_tokens (origin_jti);
CREATE TABLE IF NOT EXISTS user_pool_sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    expires_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_by_kind ON user_pool_sessions (kind, number);
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON user_pool_sessions (expires_at);
"""

_TABLES_OF_RESET = (
    "pools",
    "deleted_pools",
    "role_uses",
    "identities",
    "logins",
    "roles",
    "role_details",
    "issuers",
    "saml_providers",
    "users",
    "developers",
    "issuer_grants",
    "issuer_sessions",
    "user_pools",
    "user_pool_clients",
    "user_pool_users",
    "user_pool_devices",
    "user_pool_grants",
    "user_pool_refresh_tokens",
    "user_pool_sessions",
)


class DataFileError(Exception):
    """The file of ``--data`` cannot be used. The text says why."""


class State:
    """
    The database, its lock, and its transactions.

    Args:
        path: A file, or None for memory.

    Raises:
        DataFileError: The file cannot be opened, or is not an emulator's.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        # An absolute path cannot be mistaken for ":memory:" or a "file:" URI.
        self._path = os.path.abspath(os.fspath(path)) if path is not None else None
        self._lock = threading.RLock()
        self._depth = 0
        try:
            self._connection = self._open()
        except OSError as error:
            raise DataFileError(f"cannot use data file {self._path}: {error.strerror}") from None
        except sqlite3.Error as error:
            is_writable = os.access(os.path.dirname(self._path or ""), os.W_OK)
            reason = error if is_writable else f"{error}; its directory cannot be written to"
            raise DataFileError(f"cannot use data file {self._path}: {reason}") from None

    def _open(self) -> sqlite3.Connection:
        if self._path is not None:
            # The file holds signing keys: it must be private from the moment that it exists.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self._path or ":memory:", check_same_thread=False, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            # A statement that has rows left stays open on PyPy, and then no transaction can commit.
            connection.execute("PRAGMA busy_timeout=5000").fetchall()
            connection.execute("PRAGMA foreign_keys=ON").fetchall()
            self._ensure_schema(connection)
            if self._path is not None:
                # After _ensure_schema: this writes to the file, which must be known to be an emulator's.
                connection.execute("PRAGMA journal_mode=DELETE").fetchall()
                # Data that the kernel has survives a kill. To survive a power cut takes ten times as long.
                connection.execute("PRAGMA synchronous=OFF")
                # Fails here, and not at the first call, if no journal can be made in the directory.
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('opened', X'')")
        except BaseException:
            connection.close()
            raise
        return connection

    def _ensure_schema(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")  # two emulators may be started with one new file
        ((version,),) = connection.execute("PRAGMA user_version").fetchall()
        if version != SCHEMA_VERSION:
            ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            if (version or tables) and version != _TAKEN_OVER:
                raise DataFileError(
                    f"cannot use data file {self._path}: it has format {version}, "
                    f"this emulator writes {SCHEMA_VERSION}"
                )
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction. Inside another transaction it is part of that one."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # After some errors SQLite has rolled back already; after a failed commit it has not.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other thread is in a transaction meanwhile: what is read has been committed."""
        with self._lock:
            yield

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Execute *statement*."""
        return self._connection.execute(statement, values)

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row of the result of *statement*, or None."""
        with closing(self._connection.execute(statement, values)) as cursor:
            row: sqlite3.Row | None = cursor.fetchone()
        return row

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """All rows of the result of *statement*."""
        return self._connection.execute(statement, values).fetchall()

    def remembered(self, name: str) -> bytes | None:
        """The value that was stored under *name*; it survives a reset."""
        row = self.row("SELECT value FROM meta WHERE name = ?", name)
        return bytes(row["value"]) if row else None

    def remember(self, name: str, value: bytes) -> None:
        """Store *value* under *name*."""
        self.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, value)

    def session_key(self) -> bytes:
        """The key that authenticates session tokens. It survives a reset, and so do issued credentials."""
        with self.transaction():
            key = self.remembered("session-key")
            if key is None:
                key = secrets.token_bytes(32)
                self.remember("session-key", key)
            return key

    def reset(self) -> None:
        """Delete everything but the keys."""
        with self.transaction():
            for table in _TABLES_OF_RESET:
                self.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the tuple above

    def close(self) -> None:
        """Close the database. No other method may be called afterwards."""
        with self._lock:
            self._connection.close()
