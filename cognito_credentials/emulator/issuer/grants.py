"""
What the issuer stores: grants, and the browsers that somebody is signed in in.

A grant is one permission of one user for one client. It begins with an authorization code or with a device's
code, and ends when it is revoked or expires. The number of both is limited, since anybody may begin one: the
oldest ones make room.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, fields
from typing import Any

from cognito_credentials.emulator.stored.state import State

PENDING = "pending"
DENIED = "denied"
APPROVED = "approved"
REDEEMED = "redeemed"

MOST_SESSIONS = 1_000
MOST_PENDING = 1_000
MOST_GRANTS = 10_000
_REMEMBERED_SECONDS = 600
"""An expired grant is kept for this long, so that a device learns that its code has expired."""


@dataclass(frozen=True)
class Grant:
    """
    One permission.

    Attributes:
        id: Random, and in every access token of the grant: knowing it permits nothing.
        state: ``pending`` until somebody answers on the device page, then ``denied``, or ``approved``;
            ``redeemed`` once the first tokens were given out.
        scope: Scopes, separated by spaces.
        subject: The user; empty while nobody has signed in.
        auth_time: When the user signed in, in seconds since the epoch.
        redirect_uri: Where the code was sent; empty for a device.
        challenge: The PKCE challenge; empty for a device.
        user_code: What the person types in; None for a grant that began in a browser.
        interval: Seconds that a device must wait between two polls.
        polled_at: When the device polled last.
        generation: How often the refresh token was exchanged for a new one.
        expires_at: When the code expires, or, once redeemed, the refresh token.
    """

    id: str
    client_id: str
    state: str
    scope: str
    expires_at: float
    subject: str = ""
    auth_time: int = 0
    nonce: str | None = None
    redirect_uri: str = ""
    challenge: str = ""
    user_code: str | None = None
    interval: float = 0.0
    polled_at: float = 0.0
    generation: int = 0


@dataclass(frozen=True)
class BrowserSession:
    """A user who is signed in in a browser."""

    id: str
    subject: str
    auth_time: int
    expires_at: float


_COLUMNS = ", ".join(field.name for field in fields(Grant))
_PLACES = ", ".join("?" for _ in fields(Grant))


class Grants:
    """The stored grants and browser sessions."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, grant: Grant, now: float) -> None:
        """Store a new grant."""
        with self._state.transaction():
            self._make_room(now)
            self._state.execute(
                f"INSERT INTO issuer_grants ({_COLUMNS}) VALUES ({_PLACES})",  # noqa: S608 - names of fields
                *asdict(grant).values(),
            )

    def find(self, grant_id: str) -> Grant | None:
        """The grant with that id, which may have expired."""
        return _grant(self._state.row(f"SELECT {_COLUMNS} FROM issuer_grants WHERE id = ?", grant_id))  # noqa: S608

    def find_pending(self, user_code: str, now: float) -> Grant | None:
        """The grant of a device that waits for *user_code* to be typed in."""
        return _grant(
            self._state.row(
                f"SELECT {_COLUMNS} FROM issuer_grants WHERE user_code = ? AND state = ? AND expires_at > ?",  # noqa: S608
                user_code,
                PENDING,
                now,
            )
        )

    def update(self, grant: Grant) -> None:
        """Store *grant* in place of the one with its id."""
        names = ", ".join(f"{field.name} = ?" for field in fields(Grant))
        self._state.execute(
            f"UPDATE issuer_grants SET {names} WHERE id = ?",  # noqa: S608 - names of fields
            *asdict(grant).values(),
            grant.id,
        )

    def delete(self, grant_id: str) -> None:
        """Revoke a grant."""
        self._state.execute("DELETE FROM issuer_grants WHERE id = ?", grant_id)

    def add_session(self, session: BrowserSession, now: float) -> None:
        """Store a new browser session."""
        with self._state.transaction():
            self._state.execute("DELETE FROM issuer_sessions WHERE expires_at <= ?", now)
            self._keep("issuer_sessions", "1", MOST_SESSIONS)
            self._state.execute(
                "INSERT INTO issuer_sessions (id, subject, auth_time, expires_at) VALUES (?, ?, ?, ?)",
                session.id,
                session.subject,
                session.auth_time,
                session.expires_at,
            )

    def find_session(self, session_id: str, now: float) -> BrowserSession | None:
        """The session with that id that has not expired."""
        row = self._state.row(
            "SELECT id, subject, auth_time, expires_at FROM issuer_sessions WHERE id = ? AND expires_at > ?",
            session_id,
            now,
        )
        return BrowserSession(**dict(row)) if row else None

    def delete_session(self, session_id: str) -> None:
        """Sign out in one browser."""
        self._state.execute("DELETE FROM issuer_sessions WHERE id = ?", session_id)

    def _make_room(self, now: float) -> None:
        self._state.execute("DELETE FROM issuer_grants WHERE expires_at <= ?", now - _REMEMBERED_SECONDS)
        self._keep("issuer_grants", f"state = '{PENDING}'", MOST_PENDING)
        self._keep("issuer_grants", f"state <> '{PENDING}'", MOST_GRANTS)

    def _keep(self, table: str, which: str, most: int) -> None:
        """Leave room for one more of at most *most* rows."""
        self._state.execute(
            f"DELETE FROM {table} WHERE {which} AND number <= "  # noqa: S608 - constants of this file
            f"(SELECT number FROM {table} WHERE {which} ORDER BY number DESC LIMIT 1 OFFSET ?)",
            most - 1,
        )


def new_id() -> str:
    """A random id that cannot be guessed."""
    return secrets.token_urlsafe(24)


def _grant(row: Any) -> Grant | None:
    return Grant(**dict(row)) if row else None
