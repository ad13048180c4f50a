"""Makes cache records older, so that tests have old credentials without waiting."""

from __future__ import annotations

from cognito_credentials.cache.file import FileStore
from cognito_credentials.cache.records import CredentialsRecord, Records
from cognito_credentials.clock import Clock, ServerTime
from cognito_credentials.credentials import TemporaryCredentials


def open_records(directory: str) -> Records:
    """Open the cache in *directory*."""
    return Records(FileStore(directory, explicit=True, warn=_complain), Clock())


def age(directory: str, seconds: int) -> None:
    """
    Make every credentials and state record in *directory* older by *seconds*.

    The credentials expire that much earlier; the service still accepts them.
    """
    records = open_records(directory)
    for key in records.store.keys("credentials"):
        record = records.credentials(key)
        assert record is not None
        records.keep(_older(record, seconds))
    for key in records.store.keys("state"):
        state = records.state(key)
        state.retry_at -= seconds
        state.noted_at -= seconds
        records.keep(state)


def leave(directory: str, seconds: int) -> None:
    """Age the only credentials in *directory* so that they expire in *seconds*."""
    records = open_records(directory)
    (key,) = records.store.keys("credentials")
    record = records.credentials(key)
    assert record is not None
    age(directory, round(record.credentials.expires_at - Clock().wall()) - seconds)


def _older(record: CredentialsRecord, seconds: int) -> CredentialsRecord:
    held, seen = record.credentials, record.seen
    return CredentialsRecord(
        key=record.key,
        identity_id=record.identity_id,
        credentials=TemporaryCredentials(
            held.access_key_id,
            held.secret_access_key,
            held.session_token,
            held.expires_at - seconds,
            held.account_id,
        ),
        issued_at=record.issued_at - seconds,
        refresh_at=record.refresh_at - seconds,
        seen=ServerTime(seen.wall - seconds, seen.elapsed_ms - seconds * 1000, seen.boot_id, seen.offset),
    )


def _complain(line: str) -> None:
    raise AssertionError(line)
