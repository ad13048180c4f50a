"""A guest keeps its identity through restarts, offline starts, outages and throttling."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import IdentityPool, ServiceError
from cognito_credentials.emulator import Emulator, operations
from cognito_credentials.emulator.service import DEVELOPER

from .aging import leave, open_records
from .conftest import Machine
from .crowd import Crowd, environment, storm

FAILURES: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503},
    {"code": "InternalErrorException"},
    {"drop": True},
    {"drop": "after"},
    {"status": 200, "body": "<html>captive portal</html>"},
    {"code": "TooManyRequestsException"},
    {"status": 429},
]
"""Failures of the service that mean nothing for the identity."""


def forget_all_but_the_identity(machine: Machine) -> None:
    """Delete all records but the identity, as after a long time."""
    records = open_records(machine.cache)
    for kind in ("credentials", "state"):
        for key in records.store.keys(kind):
            records.store.delete(kind, key)


def forget_failures(machine: Machine) -> None:
    """End the back-off."""
    records = open_records(machine.cache)
    for key in records.store.keys("state"):
        records.store.delete("state", key)


def pool_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> IdentityPool:
    """Return a new pool object, as in a program that has just started."""
    for name, value in machine.environ().items():
        monkeypatch.setenv(name, value)
    return IdentityPool()


@pytest.mark.quick
def test_restart_keeps_the_identity(machine: Machine) -> None:
    """A program that starts again asks for no new identity, with or without its credentials."""
    (first,) = storm(machine.environ(), 1, "--identity")
    (second,) = storm(machine.environ(), 1, "--identity")
    forget_all_but_the_identity(machine)
    (third,) = storm(machine.environ(), 1, "--identity")
    assert first.identity_id is not None
    assert {second.identity_id, third.identity_id} == {first.identity_id}
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 2}


def test_offline_start_keeps_the_identity(machine: Machine, tmp_path: Path) -> None:
    """A device that starts offline has its identity and valid credentials, and keeps the identity online."""
    data, keys = tmp_path / "emulator.sqlite", machine.emulator.service.keys
    with Emulator(data=data, keys=keys) as service:
        port = int(service.url.rpartition(":")[2])
        environ = environment(machine.home, service.url, service.create_pool())
        (online,) = storm(environ, 1, "--identity")
    leave(machine.cache, 14 * 60)
    (offline,) = storm(environ, 1, "--identity", "--reads", "3")
    assert offline.errors == []
    assert offline.access_key_ids == online.access_key_ids
    forget_all_but_the_identity(machine)
    (cold,) = storm(environ, 1, "--identity")
    assert [error.partition(":")[0] for error in cold.errors] == ["ServiceError"]
    forget_all_but_the_identity(machine)
    with Emulator(port=port, data=data, keys=keys) as service:
        (back,) = storm(environ, 1, "--identity")
        assert service.requests() == {"GetCredentialsForIdentity": 1}
    assert online.identity_id is not None
    assert {answer.identity_id for answer in (offline, cold, back)} == {online.identity_id}


def test_failing_cold_starts_keep_the_identity(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the service fails, a start without credentials asks for no new identity."""
    identity_id = pool_on(machine, monkeypatch).identity_id()
    for fault in FAILURES:
        machine.emulator.plan_faults({"operation": "*", "times": -1, **fault})
        with pytest.raises(ServiceError):
            pool_on(machine, monkeypatch).credentials()
        forget_all_but_the_identity(machine)
    machine.emulator.plan_faults()
    pool_on(machine, monkeypatch).credentials()
    assert pool_on(machine, monkeypatch).identity_id() == identity_id
    assert machine.requests()["GetId"] == 1


def test_hundred_failed_refreshes_keep_the_identity(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred failed refreshes return the valid credentials each time, and ask for no new identity."""
    identity_id = pool_on(machine, monkeypatch).identity_id()
    held = pool_on(machine, monkeypatch).credentials()
    leave(machine.cache, 10 * 60)
    for number in range(100):
        machine.emulator.plan_faults({"operation": "*", "times": -1, **FAILURES[number % len(FAILURES)]})
        assert pool_on(machine, monkeypatch).credentials().access_key_id == held.access_key_id
        forget_failures(machine)
    assert pool_on(machine, monkeypatch).identity_id() == identity_id
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 101}


def test_refused_identity_is_replaced_once_for_all(machine: Machine) -> None:
    """When the service has deleted a guest's identity, twenty processes at once agree on one new one."""
    (before,) = storm(machine.environ(), 1, "--identity")
    assert before.identity_id is not None
    delete = operations.find("DeleteIdentities")
    request = {"IdentityIdsToDelete": [before.identity_id]}
    operations.call(machine.emulator.service, delete, request, DEVELOPER)
    leave(machine.cache, -5)
    asked = machine.requests()
    answers = storm(machine.environ(), 20, "--identity")
    assert [answer.errors for answer in answers] == [[]] * 20
    (after,) = {answer.identity_id for answer in answers}
    assert after != before.identity_id
    assert machine.requests()["GetId"] - asked["GetId"] == 1
    assert machine.requests()["GetCredentialsForIdentity"] - asked["GetCredentialsForIdentity"] == 2


def test_two_people_never_share(machine: Machine, tmp_path: Path) -> None:
    """Two people with token files in one home have two identities, and neither gets the other's keys."""
    provider = "accounts.google.com"
    pool_id = machine.emulator.create_pool(SupportedLoginProviders={provider: "app"})
    environs = []
    for name in ("ada", "bob"):
        token = os.path.join(machine.home, f"{name}.token")
        with open(token, "w") as file:
            file.write(machine.emulator.login_token(provider, subject=name))
        config = os.path.join(machine.home, f"{name}.config")
        with open(config, "w") as file:
            file.write(f"[default]\ncognito_logins =\n  {provider} = file:{token}\n")
        more = {"AWS_CONFIG_FILE": config, "AWS_COGNITO_IDENTITY_POOL_ID": pool_id}
        environs += [machine.environ(**more)] * 8
    guest = machine.environ(AWS_COGNITO_IDENTITY_POOL_ID=pool_id)
    with Crowd([*environs, *[guest] * 8], "--identity") as everybody:
        everybody.go()
        answers = everybody.answers()
    assert [answer.errors for answer in answers] == [[]] * 24
    people = [
        {(*a.access_key_ids, a.identity_id) for a in answers[begin : begin + 8]} for begin in (0, 8, 16)
    ]
    assert [len(person) for person in people] == [1, 1, 1]
    assert len(set.union(*people)) == 3
    assert machine.requests() == {"GetId": 3, "GetCredentialsForIdentity": 3}
