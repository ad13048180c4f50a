"""What an upgrade finds of the version before, and what a downgrade finds again."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import RefusedError
from cognito_credentials.cache.directory import Directory
from cognito_credentials.cache.records import IdentityRecord, decode_identity, decode_json_identity
from tests.cache.earlier_version import downgrade, json_identity
from tests.cache.test_records import JSON_IDENTITY, KEY
from tests.world import World


@pytest.fixture
def world(emulator: Any, isolation: Path) -> World:
    return World(emulator, dict(os.environ))


@pytest.fixture
def cache(isolation: Path) -> Path:
    return isolation / ".aws" / "cognito" / "cache"


def test_the_form_of_the_version_before() -> None:
    """These tests write what that version wrote."""
    record = decode_json_identity(KEY, JSON_IDENTITY)

    assert isinstance(record, IdentityRecord)
    assert json_identity(record) == JSON_IDENTITY


def test_a_guest_stays_the_same_guest(world: World, cache: Path) -> None:
    """After an upgrade the guest has its identity, and after a downgrade the old records are as they were."""
    before = world.pool()
    before.credentials()
    old = downgrade(cache)
    after = world.pool()
    after.refresh()

    assert after.identity_id() == before.identity_id()
    assert {name: (cache / name).read_bytes() for name in old} == old
    assert world.counts()["GetId"] == 1
    assert list(cache.glob("credentials-v2-*"))
    assert not list(cache.glob("identity-v2-*")), "one record is enough, so that both versions share it"


def test_an_identity_that_is_gone_is_replaced_once(world: World, cache: Path) -> None:
    """What the service refuses is not read again from the old record."""
    world.pool().credentials()
    downgrade(cache)
    gone = world.pool().identity_id()
    assert gone is not None
    world.delete_identity(gone)
    pool = world.pool()
    pool.refresh()
    again = world.pool()
    again.refresh()

    assert gone != pool.identity_id() == again.identity_id()
    assert world.counts()["GetId"] == 2
    assert not list(cache.glob("identity-v1-*"))


def two_guests(world: World, cache: Path) -> tuple[str, str]:
    """The guest of the version before and the one of this version, where both have written a record."""
    first = world.pool()
    first.credentials()
    earlier = downgrade(cache)
    (cache / next(name for name in earlier if name.startswith("identity"))).rename(cache / "aside")
    second = world.pool()
    second.credentials()
    (cache / "aside").rename(cache / next(name for name in earlier if name.startswith("identity")))
    return first.identity_id(), second.identity_id()


def kept(cache: Path) -> str:
    """The identity id in the record of this version."""
    (path,) = cache.glob("identity-v2-*.txt")
    record = decode_identity(path.stem[-40:], path.read_bytes())
    assert record is not None
    return record.identity_id


@pytest.mark.parametrize("reads", ["x", "xx", "xxx", "xxxxxx", "x.x.x.x", ".x.x.x.x", "..x..x..x"])
def test_reads_that_fail_do_not_replace_a_guest(
    world: World, cache: Path, reads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever this process does without its record, the earlier version's guest is not written over it."""
    earlier, current = two_guests(world, cache)
    left = list(reads)
    read = Directory.read

    def failing(directory: Directory, name: str, *, tighten: bool = False) -> bytes | None:
        if name.startswith("credentials"):
            return None
        if name.startswith("identity-v2-") and left and left.pop(0) == "x":
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return read(directory, name, tighten=tighten)

    monkeypatch.setattr(Directory, "read", failing)
    pool = world.pool()
    for _ in range(4):
        pool.refresh()
    monkeypatch.undo()

    assert pool.identity_id() != earlier
    assert kept(cache) == current
    for _ in range(2):
        world.pool().credentials()  # of the other guest, until they expire
        world.pool().refresh()
    assert kept(cache) == current


def test_the_earlier_versions_guest_does_not_come_back(world: World, cache: Path) -> None:
    """While a refused identity is replaced no process takes the earlier one's; the change names both."""
    earlier, current = two_guests(world, cache)
    world.delete_identity(current)
    for path in cache.glob("credentials-v2-*"):
        path.unlink()
    news: list[tuple[str | None, str, str]] = []
    pool = world.pool()
    pool.on_identity_changed(lambda *change: news.append(change))
    world.faults({"operation": "GetId", "code": "NotAuthorizedException", "message": "Access denied"})
    with pytest.raises(RefusedError):
        pool.refresh()
    assert world.pool().identity_id() == current, "not the earlier one's"
    pool.refresh()

    assert news == [(current, pool.identity_id(), "recovered")]
    assert kept(cache) == world.pool().identity_id() == pool.identity_id() != earlier
    assert list(cache.glob("identity-v1-*"))


@pytest.mark.parametrize("identities", [False, True])
def test_clearing_a_pool_clears_the_old_records(world: World, cache: Path, identities: bool) -> None:
    """Credentials of the version before are secrets too; its identity goes only when that is asked for."""
    world.pool().credentials()
    downgrade(cache)
    removed = world.pool().clear(identities=identities)

    assert removed == (2 if identities else 1)
    assert not list(cache.glob("credentials-v1-*"))
    assert bool(list(cache.glob("identity-v1-*"))) != identities
