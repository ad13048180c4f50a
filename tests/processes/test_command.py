"""Many ``cognito-credentials credential-process`` commands at once, as SDKs run them."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any

import botocore.credentials
import pytest

from .aging import age, leave, open_records
from .conftest import Machine
from .crowd import COMMAND, commands

MANY = 16


def test_cold_commands_are_one_exchange(machine: Machine) -> None:
    """Commands that start at once on an empty cache make one exchange and print the same credentials."""
    answers = commands(machine.environ(), MANY)
    assert {(answer.returncode, answer.stderr) for answer in answers} == {(0, "")}
    assert len({answer.stdout for answer in answers}) == 1
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_commands_in_an_outage_cost_one_request(machine: Machine) -> None:
    """In an outage with 14 minutes left, every command prints the valid credentials, and only one asks."""
    (before,) = commands(machine.environ(), 1)
    leave(machine.cache, 14 * 60)
    machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    answers = commands(machine.environ(), MANY)
    assert {answer.returncode for answer in answers} == {0}
    assert {key_of(answer) for answer in answers} == {key_of(before)}
    lines = [answer.stderr.count("\n") for answer in answers]
    assert max(lines) == 1, "a command that meets the outage prints one line; others see a refresh under way"
    assert machine.requests()["GetCredentialsForIdentity"] == 2


def test_commands_over_a_whole_outage_make_three_requests(machine: Machine) -> None:
    """Commands that run each minute of the last 14 minutes, all in an outage, ask at most three times."""
    commands(machine.environ(), 1)
    leave(machine.cache, 14 * 60)
    machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    for _ in range(14):
        (answer,) = commands(machine.environ(), 1)
        assert answer.returncode == 0, answer.stderr
        age(machine.cache, 59)
    assert machine.requests()["GetCredentialsForIdentity"] - 1 <= 3


def test_cold_commands_in_an_outage_fail_alike(machine: Machine) -> None:
    """In an outage with an empty cache, each command fails with one line and exit code 6, without a storm."""
    machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    answers = commands(machine.environ(), MANY)
    assert {(answer.returncode, answer.stdout) for answer in answers} == {(6, "")}
    assert {answer.stderr.count("\n") for answer in answers} == {1}
    assert sum(machine.requests().values()) <= 12


@pytest.mark.parametrize("lifetime", [2700, 3600, 43200])
def test_botocore_runs_the_command_once(
    machine: Machine, lifetime: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore starts one process for 1,000 signatures with credentials that last 45 minutes or more."""
    for name, value in machine.environ().items():
        monkeypatch.setenv(name, value)
    machine.emulator.service.settings.credential_lifetime = lifetime
    commands(machine.environ(), 1)
    leave(machine.cache, window_of(machine) + 5)  # the oldest that the command prints without a refresh
    started: list[Any] = []

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(arguments)
        return subprocess.Popen(*arguments, **options)

    profile = {"profiles": {"app": {"credential_process": shlex.join(COMMAND)}}}
    provider = botocore.credentials.ProcessProvider("app", lambda: profile, popen=popen)
    credentials = provider.load()
    for _ in range(1000):
        credentials.get_frozen_credentials()
    assert len(started) == 1


def window_of(machine: Machine) -> int:
    """Return the seconds from the refresh of the credentials in the cache to their expiration."""
    records = open_records(machine.cache)
    (key,) = records.store.keys("credentials")
    record = records.credentials(key)
    assert record is not None
    return record.credentials.expires_at - record.refresh_at


def key_of(answer: subprocess.CompletedProcess[str]) -> str:
    """Return the access key id that a command printed."""
    return str(json.loads(answer.stdout)["AccessKeyId"])
