"""
The store, in records instead of bytes: what the refresh policy remembers with.

Whatever cannot be decoded is a miss. Nothing here raises for a bad cache; a store may refuse to work at
all (`CacheError`) only when the user asked for exactly that store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cognito_credentials import errors

from .record import (
    CredentialsRecord,
    IdentityRecord,
    StateRecord,
    decode_credentials,
    decode_identity,
    decode_state,
    encode,
)

if TYPE_CHECKING:
    from cognito_credentials.clock import Clock

    from .store import Lock, Store

LONGEST_RETRY_SECONDS = 700
"""A retry moment further ahead than any back-off was written by a clock that has since been set back."""
FORGIVEN_SECONDS = 600
"""After this long, earlier failures no longer count as "in a row"."""
DROPPED_AFTER_SECONDS = 24 * 3600
"""Expired credentials are of no use to anybody; a day keeps them for a look by a person."""


class Records:
    """
    Identity, credentials and state records in *store*.

    Args:
        store: Where the bytes are.
        clock: For the plausibility of moments in records.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def credentials(self, key: str) -> CredentialsRecord | None:
        """Load the credentials of *key*; None when there are none that can be trusted."""
        data = self.store.load("credentials", key)
        record = None if data is None else decode_credentials(key, data)
        return None if record is None or record.seen.is_from_the_future(self.clock) else record

    def identity(self, key: str) -> IdentityRecord | None:
        """Load the identity of *key*."""
        data = self.store.load("identity", key)
        return None if data is None else decode_identity(key, data)

    def state(self, key: str) -> StateRecord:
        """Load the state of *key*; a blank one when there is none, or none that makes sense now."""
        data = self.store.load("state", key)
        record = None if data is None else decode_state(key, data)
        now = self.clock.wall()
        if record is None or record.noted_at > now + 60 or record.noted_at < now - FORGIVEN_SECONDS:
            rejected = "" if record is None else record.rejected_access_key_id
            return StateRecord(key=key, rejected_access_key_id=rejected)
        if record.retry_at > now + LONGEST_RETRY_SECONDS:
            record.retry_at = 0
        return record

    def keep(self, record: CredentialsRecord | IdentityRecord | StateRecord) -> None:
        """Store *record*."""
        self.store.store(record.kind, record.key, encode(record))

    def drop_credentials(self, key: str) -> bool:
        """Forget the credentials of *key*, and its past failures; True when there were credentials."""
        self.drop_state(key)
        return self.store.delete("credentials", key)

    def drop_identity(self, key: str) -> bool:
        """Forget the identity of *key*; True when there was one."""
        return self.store.delete("identity", key)

    def drop_state(self, key: str) -> None:
        """Forget past failures of *key*."""
        self.store.delete("state", key)

    def lock(self, key: str) -> Lock:
        """Return a handle of the lock of *key*."""
        return self.store.lock(key)

    def tidy(self, *keys: str) -> None:
        """Remove what writers of *keys* that died left behind, and what nobody needs any more."""
        for key in keys:
            self.store.sweep(key)
        horizon = self.clock.wall() - DROPPED_AFTER_SECONDS

        def is_expired(data: bytes) -> bool:
            # The key is read from the data itself: pruning needs to know when, not whose.
            _, _, rest = data.partition(b'"key":"')
            record = decode_credentials(rest[:40].decode("ascii", "replace"), data)
            return record is None or record.credentials.expires_at < horizon

        self.store.prune(is_expired)


def remembered_error(state: StateRecord, now: float) -> errors.CognitoCredentialsError:
    """
    Make the error that *state* remembers, so that everyone is told the cause without asking again.

    Args:
        state: With an error.
        now: Seconds since the epoch, this machine's clock.
    """
    kind = getattr(errors, state.error, None)
    if not (isinstance(kind, type) and issubclass(kind, errors.CognitoCredentialsError)):
        kind = errors.ServiceError
    ago = max(0, round(now - state.noted_at))
    return kind(
        f"{state.message} (tried {ago} s ago, next try in {max(1, round(state.retry_at - now))} s)",
        hint=state.hint,
    )
