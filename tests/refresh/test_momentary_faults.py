"""A fault of the disk that lasts a moment costs nobody an identity."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import CognitoCredentialsError
from cognito_credentials.cache.records import decode_identity
from tests.cache.children import in_child, needs_fork
from tests.cache.faults import ERRORS, calls_of, failing
from tests.world import World

errors = pytest.mark.parametrize("error", ERRORS, ids=[errno.errorcode[error] for error in ERRORS])


@pytest.fixture
def world(emulator: Any, isolation: Path) -> World:
    return World(emulator, {"HOME": str(isolation)})


@pytest.fixture
def cache(isolation: Path) -> Path:
    return isolation / ".aws/cognito/cache"


def stored_identity(cache: Path) -> str:
    (path,) = cache.glob("identity-v2-*.txt")
    record = decode_identity(path.stem[-40:], path.read_bytes())
    assert record is not None
    return record.identity_id


def use(world: World) -> None:
    """Use the pool as a new process does whose credentials are due."""
    pool = world.pool()
    try:
        pool.refresh()
        pool.credentials()
        pool.identity_id()
    except CognitoCredentialsError:
        pass  # it may fail, with an error of ours


@pytest.mark.thorough
@errors
@pytest.mark.parametrize("is_due", [False, True], ids=["with credentials", "with the identity alone"])
def test_a_guest_survives_any_one_fault(world: World, cache: Path, error: int, is_due: bool) -> None:
    """Whichever call of the read and write path fails once: all later processes are the same guest."""
    guest = world.pool()
    guest.credentials()
    identity_id = guest.identity_id()

    def prepare() -> None:
        for path in cache.glob("credentials-v2-*.txt") if is_due else ():
            path.unlink()
        for path in cache.glob("state-v2-*.txt"):
            path.unlink()

    prepare()
    count = len(calls_of(lambda: use(world)))
    assert count > 20
    for number in range(1, count + 1):
        prepare()
        with failing(error, at=number):
            use(world)

        assert stored_identity(cache) == identity_id, number
        later = world.pool()
        later.credentials()
        assert later.identity_id() == identity_id, number
    assert list(cache.glob("*.aside")) == []


@errors
def test_a_guest_survives_faults_that_go_on(world: World, cache: Path, error: int) -> None:
    """While every call fails, a process has an identity of its own or none; nobody else notices."""
    guest = world.pool()
    guest.credentials()
    with failing(error):
        use(world)

    assert stored_identity(cache) == guest.identity_id()
    later = world.pool()
    later.credentials()
    assert later.identity_id() == guest.identity_id()


@needs_fork
@pytest.mark.parametrize("free", range(6))
def test_a_guest_survives_a_limit_of_descriptors(world: World, cache: Path, free: int) -> None:
    """A process that is out of descriptors neither loses the guest nor shares another one."""
    guest = world.pool()
    guest.credentials()

    def without_descriptors() -> bool:
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, highest + 1))
        used: list[int] = []
        with contextlib.suppress(OSError):
            while True:
                used.append(os.dup(0))
        for descriptor in used[:free]:
            os.close(descriptor)
        use(world)
        return True

    assert in_child(without_descriptors)
    assert stored_identity(cache) == guest.identity_id()
    later = world.pool()
    later.refresh()
    assert later.identity_id() == guest.identity_id()
