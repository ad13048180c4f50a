"""The command that SDKs run, many at once: ``cognito-credentials credential-process``."""

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
    """Commands that start at once on an empty cache print the same credentials, from one exchange."""
    answers = commands(machine.environ(), MANY)
    assert {(answer.returncode, answer.stderr) for answer in answers} == {(0, "")}
    assert len({answer.stdout for answer in answers}) == 1
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_commands_in_an_outage_cost_one_request(machine: Machine) -> None:
    """With 14 minutes left and no service every command prints what is valid, and only one asks."""
    (before,) = commands(machine.environ(), 1)
    leave(machine.cache, 14 * 60)
    machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    answers = commands(machine.environ(), MANY)
    assert {answer.returncode for answer in answers} == {0}
    assert {key_of(answer) for answer in answers} == {key_of(before)}
    said = [answer.stderr.count("\n") for answer in answers]
    assert max(said) == 1, "one line from those that know of the outage; the others saw a refresh under way"
    assert machine.requests()["GetCredentialsForIdentity"] == 2


def test_commands_over_a_whole_outage_make_three_requests(machine: Machine) -> None:
    """Commands run each minute of an outage, from 14 minutes before the end, ask at most three times."""
    commands(machine.environ(), 1)
    leave(machine.cache, 14 * 60)
    machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    for _ in range(14):
        (answer,) = commands(machine.environ(), 1)
        assert answer.returncode == 0, answer.stderr
        age(machine.cache, 59)
    assert machine.requests()["GetCredentialsForIdentity"] - 1 <= 3


def test_cold_commands_in_an_outage_fail_alike(machine: Machine) -> None:
    """Without credentials and service every command says so in one line, exit code 6, without a storm."""
    machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    answers = commands(machine.environ(), MANY)
    assert {(answer.returncode, answer.stdout) for answer in answers} == {(6, "")}
    assert {answer.stderr.count("\n") for answer in answers} == {1}
    assert sum(machine.requests().values()) <= 12


@pytest.mark.parametrize("lifetime", [2700, 3600, 43200])
def test_botocore_runs_the_command_once(
    machine: Machine, lifetime: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand signings with credentials of 45 minutes or more start one process."""
    for name, value in machine.environ().items():
        monkeypatch.setenv(name, value)
    machine.emulator.service.settings.credential_lifetime = lifetime
    commands(machine.environ(), 1)
    leave(machine.cache, window_of(machine) + 5)  # about to be refreshed: the oldest that is printed
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
    """Return how long before its end the credentials in the cache are to be refreshed, seconds."""
    records = open_records(machine.cache)
    (key,) = records.store.keys("credentials")
    record = records.credentials(key)
    assert record is not None
    return record.credentials.expires_at - record.refresh_at


def key_of(answer: subprocess.CompletedProcess[str]) -> str:
    """Return the access key id that a command printed."""
    return str(json.loads(answer.stdout)["AccessKeyId"])
