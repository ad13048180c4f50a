"""Cache directories that are read-only, of another user, or cleared and deleted while in use."""

from __future__ import annotations

import os
import shutil
import threading

import pytest

from .conftest import Machine
from .crowd import Crowd, crowd, storm

NOBODY = 65534
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)


def as_nobody(environ: dict[str, str], count: int, *arguments: str) -> Crowd:
    """Return a crowd of another system user. Each makes one exchange to load, which no test counts."""
    return crowd(environ, count, "--user", str(NOBODY), *arguments)


def gained(machine: Machine, before: dict[str, int]) -> dict[str, int]:
    """Return the number of requests since *before*, by operation."""
    return {name: count - before.get(name, 0) for name, count in machine.requests().items()}


@needs_root
def test_read_only_home(machine: Machine) -> None:
    """Processes with a read-only home share nothing and warn once; they have no error."""
    os.chmod(machine.home, 0o555)
    with as_nobody(machine.environ(), 4, "--reads", "5") as processes:
        before = machine.requests()
        processes.go()
        answers = processes.answers()
    assert [answer.errors for answer in answers] == [[]] * 4
    assert gained(machine, before) == {"GetId": 4, "GetCredentialsForIdentity": 4}
    assert [answer.stderr.count("\n") for answer in answers] == [1] * 4
    assert os.listdir(machine.home) == []


@pytest.mark.parametrize("home", ["/dev/null/home", "/proc/home", "relative", ""])
def test_no_home(machine: Machine, home: str) -> None:
    """A process without a home gets its credentials and warns once."""
    (answer,) = storm(machine.environ(HOME=home), 1, "--reads", "5")
    assert answer.errors == []
    assert answer.stderr.count("\n") == 1
    if not os.path.isabs(home):
        assert (
            "a guest is another one with each start and each session; set AWS_COGNITO_CACHE_DIR"
            in answer.stderr
        )


@needs_root
def test_two_system_users_with_one_directory_never_share(machine: Machine) -> None:
    """A configured directory of another user is an error that names it, and nothing is read from it."""
    os.chmod(machine.home, 0o755)
    shared = machine.environ(AWS_COGNITO_CACHE_DIR=os.path.join(machine.home, "shared"))
    (owner,) = storm(shared, 1)
    with as_nobody(shared, 1) as others:
        before = machine.requests()
        others.go()
        (other,) = others.answers()
    assert owner.errors == []
    (error,) = other.errors
    assert error.startswith("CacheError: ")
    assert "shared" in error
    assert other.generations == {}
    assert gained(machine, before) == {"GetId": 0, "GetCredentialsForIdentity": 0}


@needs_root
def test_two_system_users_with_homes_of_their_own(machine: Machine) -> None:
    """Two users of one machine, each with a home, have two guest identities."""
    os.chmod(machine.home, 0o755)
    homes = [os.path.join(machine.home, name) for name in ("root", "nobody")]
    for home in homes:
        os.mkdir(home)
    os.chown(homes[1], NOBODY, NOBODY)
    (ours,) = storm(machine.environ(HOME=homes[0]), 1, "--identity")
    with as_nobody(machine.environ(HOME=homes[1]), 3, "--identity") as others:
        before = machine.requests()
        others.go()
        theirs = others.answers()
    assert [answer.errors for answer in [ours, *theirs]] == [[]] * 4
    assert len({answer.identity_id for answer in theirs}) == 1
    assert ours.identity_id not in {answer.identity_id for answer in theirs}
    assert gained(machine, before) == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_clear_while_others_get(machine: Machine) -> None:
    """While one process clears 200 times, twelve get credentials without any error."""
    storm(machine.environ(), 1)
    with (
        crowd(machine.environ(), 12, "--reads", "50") as users,
        crowd(machine.environ(), 1, "--clear", "--reads", "200") as cleaner,
    ):
        cleaner.go()
        users.go()
        answers = users.answers() + cleaner.answers()
    assert [answer.errors for answer in answers] == [[]] * 13
    assert machine.requests()["GetId"] == 1, "clearing credentials keeps the identity"
    assert {answer.stderr for answer in answers} == {""}


def test_directory_deleted_while_in_use(machine: Machine) -> None:
    """Deleting the whole cache again and again under twelve processes gives no error."""
    done = threading.Event()

    def delete() -> None:
        while not done.is_set():
            shutil.rmtree(machine.cache, ignore_errors=True)
            done.wait(0.01)

    thread = threading.Thread(target=delete)
    with crowd(machine.environ(), 12, "--reads", "20") as users:
        thread.start()
        try:
            users.go()
            answers = users.answers()
        finally:
            done.set()
            thread.join()
    assert [answer.errors for answer in answers] == [[]] * 12
    assert max(answer.stderr.count("\n") for answer in answers) <= 1, (
        "said once, where it was lost twice in a row"
    )
    (after,) = storm(machine.environ(), 1)
    assert after.errors == []
    assert [name for name in machine.names if name.endswith(".tmp")] == []
