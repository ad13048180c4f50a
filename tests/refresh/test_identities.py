"""Which identity a principal has, and what is said when it changes."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import boto3
import pytest

from cognito_credentials import ConfigurationError, IdentityPool, ServiceError
from cognito_credentials.cache import InDoubt
from cognito_credentials.cache.memory import MemoryStore
from cognito_credentials.cache.records import IdentityRecord, Records
from cognito_credentials.refresh.identities import Identities, IdentityChange, Principal
from cognito_credentials.settings.load import load
from cognito_credentials.settings.settings import Settings
from tests.conftest import ManualClock
from tests.logins.tokens import jwt
from tests.world import World

POOL = "us-east-1:00000000-0000-4000-8000-000000000001"
ONE, OTHER, THIRD = (f"us-east-1:00000000-0000-4000-8000-00000000000{n}" for n in "abc")
ANN = Principal("subject:ann", "a" * 40, "b" * 40, None)
BOB = Principal("subject:bob", "c" * 40, "d" * 40, None)
GUEST = Principal("guest", "a" * 40, "b" * 40, None, is_guest=True)


@pytest.fixture
def settings() -> Settings:
    return load({"identity_pool_id": POOL, "cache": "memory"}, environ={}, config={})


@pytest.fixture
def identities(settings: Settings, clock: ManualClock) -> Identities:
    return Identities(settings, Records(MemoryStore(), clock), clock)


def test_each_change_has_its_reason(identities: Identities) -> None:
    """Each change is announced with its reason, and an unchanged identity is not announced."""
    identities.adopt(ANN, ONE)
    identities.adopt(ANN, ONE)
    identities.adopt(ANN, OTHER, refused=ONE)
    identities.adopt(ANN, THIRD)
    identities.adopt(BOB, ONE)

    assert list(identities.changes) == [
        IdentityChange(None, ONE, "created"),
        IdentityChange(ONE, OTHER, "recovered"),
        IdentityChange(OTHER, THIRD, "adopted"),
        IdentityChange(THIRD, ONE, "switched"),
    ]


def test_another_person_with_the_same_identity_is_no_change(identities: Identities) -> None:
    """A guest who has become a user keeps the identity, and nothing is announced."""
    identities.adopt(ANN, ONE)
    identities.changes.clear()

    identities.adopt(BOB, ONE)

    assert list(identities.changes) == [IdentityChange(None, ONE, "created")]
    identities.changes.clear()
    identities.propose(ANN, ONE)
    identities.adopt(ANN, ONE)
    assert not identities.changes


def test_a_proposed_identity_is_taken_back(identities: Identities) -> None:
    """An identity that the service did not confirm is not the user's afterwards."""
    identities.propose(ANN, ONE)
    assert identities.known(ANN) == ONE

    identities.withdraw(ANN)
    assert identities.known(ANN) is None


def test_a_confirmed_identity_is_not_taken_back(identities: Identities) -> None:
    """Once the service has answered with an identity, no later failure makes it forgotten."""
    identities.propose(ANN, ONE)
    identities.adopt(ANN, ONE)

    identities.withdraw(ANN)

    assert identities.known(ANN) == ONE


def test_an_identity_that_another_process_replaced_is_taken(settings: Settings, clock: ManualClock) -> None:
    """Who learns that its identity is gone looks whether another process has a new one already."""
    records = Records(MemoryStore(), clock)
    here, there = (Identities(settings, records, clock) for _ in range(2))
    here.adopt(ANN, ONE)
    there.adopt(ANN, OTHER, refused=ONE)

    assert here.replace(ANN, ONE) == OTHER
    assert here.known(ANN) == OTHER
    assert here.replace(ANN, OTHER) is None
    assert here.known(ANN) is None


def test_a_guests_record_is_replaced_only_by_what_the_service_says(
    settings: Settings, clock: ManualClock
) -> None:
    """A guest that was made while the record could not be read does not take its place, now or later."""
    records = Records(MemoryStore(), clock)
    here, there, third = (Identities(settings, records, clock) for _ in range(3))

    def kept() -> str | None:
        record = records.identity(GUEST.identity_key)
        return None if record is None else record.identity_id

    here.adopt(GUEST, ONE)
    there.adopt(GUEST, OTHER)  # GetId, after a read that failed
    there.adopt(GUEST, OTHER, asked=OTHER)
    assert (there.known(GUEST), kept()) == (OTHER, ONE)
    third.adopt(GUEST, THIRD, asked=ONE)
    assert kept() == THIRD
    assert third.replace(GUEST, THIRD) is None
    records.keep(
        IdentityRecord(
            key="a" * 40, identity_id=THIRD, identity_pool_id=POOL, principal="guest", obtained_at=0
        )
    )  # it could not be removed
    third.adopt(GUEST, ONE, refused=THIRD)

    assert kept() == ONE


def test_nothing_is_written_over_an_identity_in_doubt(
    settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's identity is written when the record can be read again."""
    records = Records(MemoryStore(), clock)
    Identities(settings, records, clock).adopt(ANN, ONE)
    here = Identities(settings, records, clock)
    with monkeypatch.context() as patch:
        load = MemoryStore.load

        def failing(store: MemoryStore, kind: str, key: str) -> bytes | None:
            if kind == "identity":
                raise InDoubt
            return load(store, kind, key)

        patch.setattr(MemoryStore, "load", failing)
        here.adopt(ANN, OTHER)
        assert here.replace(BOB, ONE) is None
    assert Identities(settings, records, clock).known(ANN) == ONE

    here.adopt(ANN, OTHER, asked=OTHER)

    assert Identities(settings, records, clock).known(ANN) == OTHER


def test_a_fixed_identity_stays(settings: Settings, clock: ManualClock) -> None:
    """Whatever the service or another process says, the identity of the settings is the one that is used."""
    fixed = dataclasses.replace(settings, identity_id=ONE)
    identities = Identities(fixed, Records(MemoryStore(), clock), clock)

    identities.adopt(ANN, OTHER)
    identities.adopt_from_others(ANN, THIRD, None)

    assert identities.known(ANN) == ONE
    assert not identities.changes


def test_the_identity_of_another_processs_credentials(identities: Identities) -> None:
    """It is taken, and announced only where this process knew another one."""
    identities.adopt_from_others(ANN, ONE, None)
    assert not identities.changes

    identities.adopt_from_others(ANN, OTHER, None)

    assert identities.known(ANN) == OTHER
    assert list(identities.changes) == [IdentityChange(ONE, OTHER, "adopted")]


def test_a_forgotten_identity_is_forgotten_in_the_store_too(settings: Settings, clock: ManualClock) -> None:
    """`forget` says whether there was one, here or in the store."""
    records = Records(MemoryStore(), clock)
    here = Identities(settings, records, clock)
    here.adopt(ANN, ONE)

    assert Identities(settings, records, clock).forget(ANN)
    assert here.forget(ANN)
    assert not here.forget(ANN)


def developer_token(emulator: Any) -> tuple[World, dict[str, str]]:
    """A pool with developer users, and the back end's answer for one of them."""
    world = World(emulator, dict(os.environ))
    world.pool_id = emulator.create_pool(DeveloperProviderName="app.example.com")
    client = boto3.client(
        "cognito-identity",
        "us-east-1",
        endpoint_url=emulator.url,
        aws_access_key_id="AKIAOWNEROWNEROWNER1",
        aws_secret_access_key="owner",
    )
    answer = client.get_open_id_token_for_developer_identity(
        IdentityPoolId=world.pool_id, Logins={"app.example.com": "ann"}
    )
    client.close()
    return world, answer


def test_a_developer_token_is_for_the_identity_that_it_names(emulator: Any) -> None:
    """The identity is known from the back end's token alone: no GetId is made."""
    world, answer = developer_token(emulator)
    pool = world.pool(logins={"cognito-identity.amazonaws.com": answer["Token"]})

    assert pool.identity_id() == answer["IdentityId"]
    assert pool.credentials()
    assert "GetId" not in world.counts()


def test_the_identity_that_a_developer_token_names_is_kept(emulator: Any) -> None:
    """It is announced once; then neither this process nor the next asks the back end, or the service."""
    world, answer = developer_token(emulator)
    asked: list[int] = []
    news: list[tuple[str | None, str, str]] = []

    def token() -> str:
        asked.append(1)
        return answer["Token"]

    def pool() -> IdentityPool:
        pool = world.pool(logins={"cognito-identity.amazonaws.com": token}, user="ann")
        pool.on_identity_changed(lambda *change: news.append(change))
        return pool

    first = pool()
    assert first.identity_id() == answer["IdentityId"]
    world.outage()
    assert first.identity_id() == pool().identity_id() == answer["IdentityId"]

    assert len(asked) == 1
    assert news == [(None, answer["IdentityId"], "created")]


@pytest.mark.parametrize("use", ["identity_id", "credentials", "open_id_token"])
def test_a_developer_token_of_another_region_is_refused(emulator: Any, use: str) -> None:
    """The identity in such a token cannot be the pool's: nothing is sent, and nothing is kept."""
    world = World(emulator, dict(os.environ))
    token = jwt(
        iss="https://cognito-identity.amazonaws.com",
        sub="eu-west-1:00000000-0000-4000-8000-00000000000a",
        exp=world.clock.wall() + 600,
    )
    pool = world.pool(logins={"cognito-identity.amazonaws.com": token}, user="ann")

    with pytest.raises(ConfigurationError, match="an identity in eu-west-1, and the identity pool is in us-"):
        getattr(pool, use)()

    assert world.counts() == {}
    assert pool.status().identity_id is None


def test_an_answer_of_another_region_leaves_the_record(emulator: Any) -> None:
    """A guest keeps the identity when an answer names one of another region."""
    world = World(emulator, dict(os.environ))
    identity_id = world.pool().identity_id()
    answer = {
        "IdentityId": "eu-west-1:00000000-0000-4000-8000-00000000000a",
        "Credentials": {
            "AccessKeyId": "ASIAEXAMPLEEXAMPLE12",
            "SecretKey": "s",
            "SessionToken": "t",
            "Expiration": world.clock.wall() + 3600,
        },
    }
    world.faults({"operation": "*", "times": 1, "status": 200, "body": json.dumps(answer)})

    with pytest.raises(ServiceError, match="another region"):
        world.pool().credentials()

    assert world.pool().identity_id() == identity_id
