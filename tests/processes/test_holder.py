"""The process that refreshes is killed, is stopped, or forks, while other processes need credentials."""

from __future__ import annotations

import os
import signal
import time

import pytest

from .aging import leave
from .conftest import Machine
from .crowd import Crowd, crowd, storm

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def until_asked(machine: Machine, operation: str, times: int = 1) -> None:
    """Wait until the emulator has been asked for *operation* *times* times."""
    give_up_at = time.monotonic() + 30
    while machine.requests().get(operation, 0) < times:
        assert time.monotonic() < give_up_at, f"nobody asked for {operation}"
        time.sleep(0.002)


def hanging_holder(machine: Machine) -> Crowd:
    """Start a process whose first request is never answered, so that it keeps the lock."""
    machine.emulator.plan_faults({"operation": "*", "times": 1, "delay": 600})
    holder = crowd(machine.environ(), 1)
    holder.go()
    return holder


@pytest.mark.parametrize("_again", range(3))
def test_killed_holder_frees_the_others(machine: Machine, _again: int) -> None:
    """When the process that refreshes is killed, a waiting process goes on at once."""
    with crowd(machine.environ(), 4) as waiters, hanging_holder(machine) as holder:
        until_asked(machine, "GetId")
        waiters.go()
        holder.processes[0].send_signal(signal.SIGKILL)
        answers = waiters.answers()
    assert [answer.errors for answer in answers] == [[]] * 4
    assert machine.requests() == {"GetId": 2, "GetCredentialsForIdentity": 1}
    assert max(answer.seconds for answer in answers) < 10, "they waited for a dead process"


@pytest.mark.quick
def test_killed_holder_of_a_refresh_costs_nobody_anything(machine: Machine) -> None:
    """When the process that refreshes stale credentials is killed, the next one refreshes."""
    storm(machine.environ(), 1)
    leave(machine.cache, 10 * 60)
    with hanging_holder(machine) as holder:
        until_asked(machine, "GetCredentialsForIdentity", 2)
        holder.processes[0].send_signal(signal.SIGKILL)
        holder.processes[0].wait()
    (answer,) = storm(machine.environ(), 1)
    assert answer.errors == []
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 3}


def test_stopped_holder_does_not_stop_those_with_valid_credentials(machine: Machine) -> None:
    """While the process that refreshes is stopped, the others use the valid credentials without waiting."""
    storm(machine.environ(), 1)
    leave(machine.cache, 10 * 60)
    with crowd(machine.environ(), 4, "--reads", "5") as others, hanging_holder(machine) as holder:
        until_asked(machine, "GetCredentialsForIdentity", 2)
        holder.processes[0].send_signal(signal.SIGSTOP)
        others.go()
        answers = others.answers()
    assert [answer.errors for answer in answers] == [[]] * 4
    assert machine.requests()["GetCredentialsForIdentity"] == 2
    assert max(answer.slowest for answer in answers) < 2, "they waited for a stopped process"


def test_stopped_holder_is_passed_by_those_without_credentials(machine: Machine) -> None:
    """Processes without credentials wait 20 s of their own clock for a stopped holder, then go on."""
    with (
        crowd(machine.environ(), 3, "--speed", "20") as others,
        hanging_holder(machine) as holder,
    ):
        until_asked(machine, "GetId")
        holder.processes[0].send_signal(signal.SIGSTOP)
        others.go()
        answers = others.answers()
    assert [answer.errors for answer in answers] == [[]] * 3
    assert machine.requests()["GetCredentialsForIdentity"] <= 3
    # The first process that goes on prints this. The others may find its credentials before their 20 s end.
    assert any("for too long" in answer.stderr for answer in answers)


def test_removed_lock_file_costs_at_most_another_exchange(machine: Machine) -> None:
    """Deleting a lock file that is held costs one more exchange, and no error."""
    machine.emulator.plan_faults({"operation": "*", "times": 2, "delay": 1})
    with crowd(machine.environ(), 8) as others, crowd(machine.environ(), 1) as holder:
        holder.go()
        until_asked(machine, "GetId")
        for name in machine.names:
            if name.endswith(".lock"):
                os.unlink(os.path.join(machine.cache, name))
        others.go()
        answers = holder.answers() + others.answers()
    assert [answer.errors for answer in answers] == [[]] * 9
    assert machine.requests()["GetCredentialsForIdentity"] <= 2
    locks = [name for name in machine.names if name.endswith(".lock")]
    assert [os.stat(os.path.join(machine.cache, name)).st_size for name in locks] == [0]


def test_lock_file_is_left_empty_and_private(machine: Machine) -> None:
    """After a refresh the lock file exists, is empty, and only its owner can open it."""
    storm(machine.environ(), 2)
    locks = [os.stat(os.path.join(machine.cache, name)) for name in machine.names if name.endswith(".lock")]
    assert [(lock.st_size, lock.st_mode & 0o777) for lock in locks] == [(0, 0o600)]


def test_child_forked_during_a_refresh_gets_credentials(machine: Machine) -> None:
    """A child that is forked while a thread of its parent refreshes gets credentials."""
    machine.emulator.plan_faults({"operation": "GetCredentialsForIdentity", "times": 1, "delay": 3})
    with Crowd([machine.environ()], module="tests.processes.forker") as parents:
        parents.go()
        (answer,) = parents.answers()
    assert answer.errors == []
    assert answer.status == 0, answer.stderr
    assert len(answer.generations) == 1, "the child waited for its parent's lock and took its record"
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_child_of_a_dead_holder_does_not_keep_its_lock(machine: Machine) -> None:
    """When the process that refreshes dies, its lock is free, although a child that it forked still runs."""
    machine.emulator.plan_faults({"operation": "GetCredentialsForIdentity", "times": 1, "delay": 600})
    with (
        crowd(machine.environ(), 2) as others,
        Crowd([machine.environ()], "--idle", module="tests.processes.forker") as parents,
    ):
        parents.go()
        (parent,) = parents.processes
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            until_asked(machine, "GetCredentialsForIdentity")
            parent.send_signal(signal.SIGKILL)
            others.go()
            answers = others.answers()
        finally:
            os.kill(child, signal.SIGKILL)
    assert [answer.errors for answer in answers] == [[]] * 2
    assert machine.requests() == {"GetId": 1, "GetCredentialsForIdentity": 2}
    assert max(answer.seconds for answer in answers) < 10, "they waited for a dead process"
