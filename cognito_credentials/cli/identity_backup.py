"""
The identities of a cache as a file, and back: one JSON object a line.

Identity ids are no secrets, but the file says how many users there are, so it is its owner's alone.
Credentials are not in it: they end by themselves, and new ones can be had.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..cache import InDoubt, checked_key
from ..cache.records import IdentityRecord, Records, decode_identity, encode
from ..errors import CacheError, ConfigurationError, clean, replaced
from .cache_in_use import said

if TYPE_CHECKING:
    from ..cache.store import Store

_HEAD: Final = {"cognito-credentials": "identities", "version": 1}
_MEMBERS: Final = {
    "key": str,
    "identity_id": str,
    "identity_pool_id": str,
    "principal": str,
    "obtained_at": int,
}
_LINE_LIMIT: Final = 64 * 1024


class Restored(NamedTuple):
    """What `restore` did."""

    new: int
    same: int
    """Were there already."""
    different: int
    """Another identity is there, and stays, or was replaced where that was asked for."""
    unread: int
    """What is there cannot be read, and stays in any case."""


def backup(
    store: Store, records: Records, path: str, progress: Callable[[int], None], problems: list[str]
) -> int:
    """
    Write all identities to the new file *path*.

    Args:
        problems: What the store has warned of, whether it says so before or during the backup.

    Returns:
        How many.

    Raises:
        CacheError: An identity cannot be read; then there is no file.
        ConfigurationError: The file cannot be written.
    """
    # A key that cannot be read is none that is absent. Of two versions' records the later one counts.
    keys = sorted({*store.keys("identity"), *store.keys("identity-v1")})
    beside = f"{path}.{os.getpid()}.tmp"

    def failed(error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"{clean(path, 200)} cannot be written: {error.strerror}",
            hint="Name a new file that can be made",
            topic="E-BACKUP",
        )

    count = 0
    with replaced(OSError, by=failed):
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(json.dumps(_HEAD) + "\n")
                for count, record in enumerate(_readable(records, keys), 1):
                    file.write(json.dumps({name: getattr(record, name) for name in _MEMBERS}) + "\n")
                    if count % 1000 == 0:
                        progress(count)
                if problems:
                    raise CacheError(
                        f"{said(problems)}; nothing was written", hint="Correct that, then repeat the command"
                    )
                file.flush()
                os.fsync(file.fileno())
            os.link(beside, path)  # not over a file that is there
        finally:
            if os.path.lexists(beside):
                os.unlink(beside)
    return count


def _readable(records: Records, keys: Iterable[str]) -> Iterator[IdentityRecord]:
    for key in keys:
        try:
            record = records.identity(key)
        except InDoubt:
            record = None
            in_doubt = True
        else:
            in_doubt = False
        if in_doubt:
            raise CacheError(
                f"the identity of key {key[:8]}… in {records.store.location} cannot be read, so nothing was "
                "written",
                hint="Correct what the warning says, then repeat the command",
            )
        if record is not None:  # it may have been removed since
            yield record


def restore(
    store: Store, records: Records, path: str, progress: Callable[[int], None], *, replace: bool
) -> Restored:
    """
    Store the identities in the file *path*, each only where none or the same one is.

    Args:
        replace: Whether one that is different is written over.

    Raises:
        ConfigurationError: The file cannot be read, or is no backup; nothing was changed.
        CacheError: Something could not be stored.
    """
    backed_up = _read(path)
    new = same = different = unread = 0
    for count, record in enumerate(backed_up, 1):
        try:
            kept: IdentityRecord | None = records.identity_of_this_version(record.key)
        except InDoubt:
            unread += 1
            continue
        if kept is not None and kept.identity_id == record.identity_id:
            same += 1
            continue
        if kept is not None:
            different += 1
        else:
            new += 1
        if kept is None or replace:
            records.keep(record)
        if count % 1000 == 0:
            progress(count)
    problem = store.problem()
    if problem is not None:
        raise CacheError(f"{store.location}: {problem}", hint="Correct that, then repeat the command")
    return Restored(new, same, different, unread)


def _read(path: str) -> list[IdentityRecord]:
    def unreadable(error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"{clean(path, 200)} cannot be read: {error.strerror}", hint="Correct the path", topic="E-BACKUP"
        )

    with replaced(OSError, by=unreadable), open(path, encoding="utf-8", errors="replace") as file:
        lines = file.readlines()
    if not lines or _object(lines[0]) != _HEAD:
        raise ConfigurationError(
            f"{clean(path, 200)} is no backup of identities that this version reads",
            hint="'cognito-credentials cache backup' writes one",
            topic="E-BACKUP",
        )
    return [_record(path, number, line) for number, line in enumerate(lines[1:], 2)]


def _record(path: str, number: int, line: str) -> IdentityRecord:
    values = _object(line)
    if values is not None and {name: type(value) for name, value in values.items()} == _MEMBERS:
        record = IdentityRecord(**values)
        # As strict as with what is in the cache.
        if _is_key(record.key) and decode_identity(record.key, encode(record)) is not None:
            return record
    raise ConfigurationError(
        f"line {number} of {clean(path, 200)} is no identity; nothing was changed",
        hint="Restore from a file as 'cognito-credentials cache backup' writes it",
        topic="E-BACKUP",
    )


def _is_key(text: str) -> bool:
    try:
        return bool(checked_key(text))
    except ValueError:
        return False


def _object(line: str) -> dict[str, Any] | None:
    if len(line) > _LINE_LIMIT:
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
