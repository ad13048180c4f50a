"""Many processes at once make one refresh: cold, at the refresh moment, and in an outage."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .aging import leave
from .conftest import Machine
from .crowd import Crowd, storm

SOME = 24
"""Number of processes; the benchmark runs 200."""
FEW = 10


def test_cold_start_is_one_exchange(machine: Machine) -> None:
    """Processes that start at once on an empty cache make one GetId and one GetCredentialsForIdentity."""
    answers = storm(machine.environ(), SOME)
    assert [answer.errors for answer in answers] == [[]] * SOME
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1}
    assert len({generation for answer in answers for generation in answer.generations}) == 1
    assert {answer.stderr for answer in answers} == {""}


def test_cold_start_of_the_basic_flow_is_one_exchange(machine: Machine) -> None:
    """In the basic flow they make one GetId, one GetOpenIdToken and one AssumeRoleWithWebIdentity."""
    role = "arn:aws:iam::123456789012:role/unauthenticated"
    environ = machine.environ(AWS_COGNITO_FLOW="basic", AWS_COGNITO_ROLE_ARN=role)
    answers = storm(environ, FEW)
    assert [answer.errors for answer in answers] == [[]] * FEW
    assert machine.requests() == {"GetId": 1, "GetOpenIdToken": 1, "AssumeRoleWithWebIdentity": 1}
    assert len({generation for answer in answers for generation in answer.generations}) == 1


def test_four_users_at_once_are_four_exchanges(machine: Machine) -> None:
    """Four users that start at once make four exchanges, and never get each other's credentials."""
    environs = [machine.environ(AWS_COGNITO_USER=f"user-{number % 4}") for number in range(SOME)]
    with Crowd(environs, "--identity") as many:
        many.go()
        answers = many.answers()
    assert [answer.errors for answer in answers] == [[]] * SOME
    assert machine.requests() == {"GetId": 4, "GetCredentialsForIdentity": 4}
    kept = [{(*a.access_key_ids, a.identity_id) for a in answers[number::4]} for number in range(4)]
    assert [len(mine) for mine in kept] == [1] * 4
    assert len(set.union(*kept)) == 4


@pytest.mark.quick
def test_threads_in_processes_are_one_exchange(machine: Machine) -> None:
    """Ten processes of eight threads, cold, make one exchange."""
    answers = storm(machine.environ(), FEW, "--threads", "8", "--reads", "20")
    assert [answer.errors for answer in answers] == [[]] * FEW
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1}
    assert len({generation for answer in answers for generation in answer.generations}) == 1


def test_refresh_edge_is_one_refresh_and_nobody_waits(machine: Machine) -> None:
    """When running processes pass the refresh moment, one refreshes and the others do not wait."""
    storm(machine.environ(), 1)
    service_takes = 2.0
    machine.emulator.plan_faults({"operation": "*", "times": -1, "delay": service_takes})
    machine.emulator.move_clock(46 * 60)
    answers = storm(machine.environ(), SOME, "--reads", "50", "--jump", str(46 * 60))
    assert [answer.errors for answer in answers] == [[]] * SOME
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 2}
    waited = [answer for answer in answers if answer.slowest >= service_takes]
    assert len(waited) == 1, "only the process that refreshes waits"
    assert len(waited[0].generations) == 2


@pytest.mark.quick
def test_a_refresh_imports_nothing(machine: Machine) -> None:
    """A program whose first credentials came from the cache imports nothing for its later refresh."""
    storm(machine.environ(), 1)
    code = (
        "import sys\n"
        "from cognito_credentials import IdentityPool\n"
        "from tests.processes.worker import MovedClock\n"
        "pool = IdentityPool(clock=(clock := MovedClock(0, 1)))\n"
        "pool.credentials()\n"
        "before = set(sys.modules)\n"
        "clock.ahead = 46 * 60\n"
        "pool.credentials()\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    program = [sys.executable, "-c", code]
    done = subprocess.run(program, env=machine.environ(), capture_output=True, text=True, check=True)
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 2}
    assert done.stdout.split() == []


def test_all_expired_is_one_refresh(machine: Machine) -> None:
    """Processes that start with expired credentials make one request, with the known identity."""
    storm(machine.environ(), 1)
    leave(machine.cache, -5)
    answers = storm(machine.environ(), SOME)
    assert [answer.errors for answer in answers] == [[]] * SOME
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 2}
    assert len({generation for answer in answers for generation in answer.generations}) == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"code": "TooManyRequestsException"}])
def test_outage_with_valid_credentials_costs_one_request(machine: Machine, fault: dict[str, object]) -> None:
    """In an outage with 14 minutes left, one process asks once, and all get the valid credentials."""
    storm(machine.environ(), 1)
    leave(machine.cache, 14 * 60)
    before = machine.requests()
    machine.emulator.plan_faults({"operation": "*", "times": -1, **fault})
    answers = storm(machine.environ(), FEW, "--reads", "20")
    late = storm(machine.environ(), 3, "--reads", "20")
    assert [answer.errors for answer in answers + late] == [[]] * (FEW + 3)
    assert machine.requests()["GetCredentialsForIdentity"] - before["GetCredentialsForIdentity"] == 1
    assert machine.requests()["GetId"] == before["GetId"]


def test_a_cut_connection_costs_each_process_one_request_at_most(machine: Machine) -> None:
    """No process tells others of a cut connection: each asks once at most, and uses what is valid."""
    storm(machine.environ(), 1)
    leave(machine.cache, 14 * 60)
    before = machine.requests()
    machine.emulator.plan_faults({"operation": "*", "times": -1, "drop": True})
    answers = storm(machine.environ(), FEW, "--reads", "20")
    assert [answer.errors for answer in answers] == [[]] * FEW
    asked = machine.requests()["GetCredentialsForIdentity"] - before["GetCredentialsForIdentity"]
    assert 1 <= asked <= FEW
    assert machine.requests()["GetId"] == before["GetId"]


def test_cold_start_in_an_outage_fails_alike(machine: Machine) -> None:
    """In an outage with an empty cache, all processes raise ServiceError soon, after few requests."""
    machine.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    answers = storm(machine.environ(), SOME)
    assert all(len(answer.errors) == 1 for answer in answers)
    assert {answer.errors[0].partition(":")[0] for answer in answers} == {"ServiceError"}
    assert max(answer.seconds for answer in answers) < 16
    assert sum(machine.requests().values()) <= 12
    assert machine.requests().keys() == {"GetId"}


def test_recovery_is_one_refresh_that_all_adopt(machine: Machine) -> None:
    """After the back-off, one process refreshes and all get its credentials."""
    storm(machine.environ(), 1)
    leave(machine.cache, 14 * 60)
    machine.emulator.plan_faults({"operation": "*", "times": 1, "status": 503})
    storm(machine.environ(), 2)
    asked = machine.requests()["GetCredentialsForIdentity"]
    assert asked == 2
    leave(machine.cache, 3 * 60)  # eleven minutes later: longer than any back-off
    answers = storm(machine.environ(), FEW, "--reads", "5")
    assert machine.requests()["GetCredentialsForIdentity"] == asked + 1
    again = storm(machine.environ(), FEW)
    assert machine.requests()["GetCredentialsForIdentity"] == asked + 1
    assert [answer.errors for answer in answers + again] == [[]] * FEW * 2
    assert len({generation for answer in again for generation in answer.generations}) == 1
