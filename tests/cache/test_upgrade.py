"""What an upgrade finds of the version before, and what a downgrade finds again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cache.records import IdentityRecord, decode_json_identity
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


@pytest.mark.parametrize("identities", [False, True])
def test_clearing_a_pool_clears_the_old_records(world: World, cache: Path, identities: bool) -> None:
    """Credentials of the version before are secrets too; its identity goes only when that is asked for."""
    world.pool().credentials()
    downgrade(cache)
    removed = world.pool().clear(identities=identities)

    assert removed == (2 if identities else 1)
    assert not list(cache.glob("credentials-v1-*"))
    assert bool(list(cache.glob("identity-v1-*"))) != identities
