"""Threads and processes that want credentials at the same moment: one asks the service, and all go on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import CognitoCredentialsError, IdentityPool, LoginRequiredError, ServiceError
from cognito_credentials.clock import Clock
from cognito_credentials.pool.pool import parts_of
from cognito_credentials.refresh import policy
from tests.world import World

MINUTE = 60
PROVIDER = "login.example.com"


@pytest.fixture
def world(emulator: Any) -> World:
    return World(emulator, dict(os.environ))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for another thread or process ends after a moment."""
    monkeypatch.setattr(policy, "WAITER_BUDGET", 0.05)


class Task(threading.Thread):
    """A call in a thread of its own, and its outcome."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__()
        self.call = call
        self.outcome: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self.call()
        except CognitoCredentialsError as error:
            self.outcome = error


class Gate:
    """A login source that answers when it is open."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.is_open, self.is_asked = threading.Event(), threading.Event()
        self.is_open.set()

    def principal(self) -> str:
        return "ann"

    def token(self) -> str:
        if not self.is_open.is_set():
            self.is_asked.set()
            assert self.is_open.wait(20)
        return self._world.token("ann")


@pytest.fixture
def gate(world: World) -> Gate:
    return Gate(world)


@pytest.fixture
def gated(world: World, emulator: Any, gate: Gate) -> IdentityPool:
    """The pool of a user whose login is `gate`."""
    arn = f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"
    world.pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    return world.pool(logins={PROVIDER: gate})


@contextmanager
def refreshing(pool: IdentityPool, gate: Gate) -> Iterator[None]:
    """While the block runs, another thread of the pool is refreshing; at its end that thread succeeds."""
    gate.is_open.clear()
    task = Task(pool.refresh)
    assert gate.is_asked.wait(20)
    try:
        yield
    finally:
        gate.is_open.set()
        task.join()


@pytest.fixture
def no_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login source has no time of its own beside the wait."""
    monkeypatch.setattr("cognito_credentials.refresh.exchanger.LOGIN_BUDGET", 0.0)


@pytest.mark.usefixtures("impatient", "no_slack")
class TestThreads:
    def test_without_credentials_the_wait_has_an_end(
        self, gated: IdentityPool, gate: Gate, world: World
    ) -> None:
        """A thread without credentials waits for the one that refreshes, for a limited time."""
        with refreshing(gated, gate), pytest.raises(ServiceError, match="another thread is still waiting"):
            gated.credentials()

    def test_in_the_last_minute_the_wait_ends_with_what_is_valid(
        self, gated: IdentityPool, gate: Gate, world: World
    ) -> None:
        """Credentials with seconds left are returned when waiting for newer ones takes too long."""
        first = gated.credentials()
        world.move(first.expires_at - world.clock.wall() - 30)

        with refreshing(gated, gate):
            assert gated.credentials() == first

    @pytest.mark.parametrize(
        "call", [IdentityPool.refresh, IdentityPool.identity_id, IdentityPool.open_id_token]
    )
    def test_who_must_be_alone_waits_no_longer(
        self, gated: IdentityPool, gate: Gate, world: World, call: Callable[[IdentityPool], Any]
    ) -> None:
        """Every call that must not run beside a refresh ends with the same error."""
        with refreshing(gated, gate), pytest.raises(ServiceError, match="another thread is still waiting"):
            call(gated)

    def test_a_rejection_during_a_refresh_needs_no_other(
        self, gated: IdentityPool, gate: Gate, world: World
    ) -> None:
        """Credentials that are rejected while they are being replaced are replaced once."""
        first = gated.credentials()
        with refreshing(gated, gate):
            gated.invalidate(first.access_key_id)
        second = gated.credentials()

        assert second != first
        assert world.counts()["GetCredentialsForIdentity"] == 2

    def test_what_is_on_disk_is_forgotten_beside_a_refresh(
        self, gated: IdentityPool, gate: Gate, world: World
    ) -> None:
        """`clear` removes the records although a thread hangs, and says that this process still has some."""
        gated.credentials()
        cache = Path(world.environ["HOME"], ".aws", "cognito", "cache")
        with refreshing(gated, gate):
            with pytest.raises(ServiceError, match="another thread is still waiting"):
                gated.clear(identities=True)
            kept = [path.name for path in cache.iterdir() if path.name.startswith(("cred", "identity"))]

        assert kept == []

    def test_of_many_threads_one_refreshes(self, world: World) -> None:
        """Threads that wait for the first credentials of a process share them."""
        pool = world.pool(clock=Clock())
        world.faults({"operation": "GetId", "delay": 0.5})
        pool_tasks = [Task(pool.credentials) for _ in range(8)]
        for task in pool_tasks:
            task.join(20)

        assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


class TestProcesses:
    """Two pools that share nothing but the cache, as two processes do."""

    @pytest.fixture
    def two(self, world: World) -> tuple[IdentityPool, IdentityPool]:
        return world.pool(clock=Clock()), world.pool(clock=Clock())

    def _one_after_the_other(self, world: World, operation: str, *calls: Callable[[], Any]) -> list[Any]:
        """Start the second call while the first one waits for the service; return their outcomes."""
        tasks = [Task(calls[0])]
        give_up_at = time.monotonic() + 20
        while not world.counts().get(operation) and time.monotonic() < give_up_at:
            pass
        tasks += [Task(call) for call in calls[1:]]
        for task in tasks:
            task.join(30)
        return [task.outcome for task in tasks]

    def test_the_waiter_takes_what_the_holder_wrote(
        self, world: World, two: tuple[IdentityPool, IdentityPool]
    ) -> None:
        """A process that waits for the lock finds the credentials on disk, and asks nobody."""
        world.faults({"operation": "GetId", "delay": 0.5})

        first, second = self._one_after_the_other(world, "GetId", two[0].credentials, two[1].credentials)

        assert first == second
        assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}

    @pytest.mark.thorough
    def test_the_waiter_takes_the_failure_of_the_holder(
        self, world: World, two: tuple[IdentityPool, IdentityPool]
    ) -> None:
        """A process that waits for the lock learns that the service failed, and does not ask it itself."""
        world.faults({"operation": "*", "times": -1, "status": 503, "delay": 0.3})

        outcomes = self._one_after_the_other(world, "GetId", two[0].credentials, two[1].credentials)

        assert [type(outcome) for outcome in outcomes] == [ServiceError, ServiceError]
        assert "next try in" in str(outcomes[1])
        assert world.counts()["GetId"] == 3

    def test_the_waiter_takes_the_identity_of_the_holder(
        self, world: World, two: tuple[IdentityPool, IdentityPool]
    ) -> None:
        """Two processes that ask for the identity at once are one guest."""
        world.faults({"operation": "GetId", "delay": 0.5})

        outcomes = self._one_after_the_other(world, "GetId", two[0].identity_id, two[1].identity_id)

        assert len(set(outcomes)) == 1
        assert world.counts() == {"GetId": 1}

    @pytest.mark.thorough
    def test_the_waiter_for_an_identity_takes_the_failure(
        self, world: World, two: tuple[IdentityPool, IdentityPool]
    ) -> None:
        """A process that waits for the identity learns that the service failed."""
        world.faults({"operation": "*", "times": -1, "status": 503, "delay": 0.3})

        outcomes = self._one_after_the_other(world, "GetId", two[0].identity_id, two[1].identity_id)

        assert [type(outcome) for outcome in outcomes] == [ServiceError, ServiceError]
        assert world.counts()["GetId"] == 3

    def test_stale_credentials_are_not_waited_for(self, world: World) -> None:
        """While another process holds the lock, credentials with minutes left are returned at once."""
        pool = world.pool()
        first = pool.credentials()
        world.move(45 * MINUTE)
        principal = parts_of(pool).refresher.principal()
        assert principal is not None
        lock = parts_of(pool).store.lock(principal.identity_key)
        assert lock.acquire()
        slept = world.clock.slept

        assert pool.credentials() == first

        assert world.clock.slept == slept
        lock.release()

    def test_a_refresh_that_was_waited_for_is_not_made_twice(self, world: World) -> None:
        """Who gets the lock after another process refreshed takes that process's credentials."""
        pool, other = world.pool(), world.pool()
        first = pool.credentials()
        other.credentials()
        world.move(first.expires_at - world.clock.wall() - 30)
        principal = parts_of(pool).refresher.principal()
        assert principal is not None
        lock = parts_of(pool).store.lock(principal.identity_key)
        assert lock.acquire()
        refreshed = threading.Event()
        sleep = world.clock.sleep

        def meanwhile(seconds: float) -> None:
            sleep(seconds)
            if not refreshed.is_set():
                refreshed.set()
                lock.release()
                renewed.append(other.refresh())

        renewed: list[Any] = []
        world.clock.sleep = meanwhile  # type: ignore[method-assign]

        assert pool.credentials() == renewed[0]
        assert world.counts()["GetCredentialsForIdentity"] == 2


def test_nobody_waits_for_a_lock_once_there_are_fresh_credentials(world: World) -> None:
    """A process that waits takes new credentials from the disk although the lock is still held."""
    pool, other = world.pool(), world.pool()
    first = pool.credentials()
    other.credentials()
    world.move(first.expires_at - world.clock.wall() - 50)
    principal = parts_of(pool).refresher.principal()
    assert principal is not None
    lock = parts_of(pool).store.lock(principal.identity_key)
    assert lock.acquire()
    sleep, renewed = world.clock.sleep, list[Any]()

    def meanwhile(seconds: float) -> None:
        sleep(seconds)
        if not renewed:
            renewed.append(None)
            renewed[0] = other.refresh()  # goes on without the lock after 20 seconds, as the clock says

    world.clock.sleep = meanwhile  # type: ignore[method-assign]

    assert pool.credentials() == renewed[0] != first

    lock.release()


def test_a_token_that_is_missing_when_it_is_due_takes_nothing_away(world: World, emulator: Any) -> None:
    """A login that only its token names may fail while credentials are valid: it is asked again later."""
    arn = f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"
    world.pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    tokens = [world.token()]
    asked: list[int] = []

    def login() -> str | None:
        asked.append(1)
        return tokens[0] if tokens else None

    pool = world.pool(logins={PROVIDER: login})
    first = pool.credentials()
    world.move(45 * MINUTE)
    tokens.clear()
    before = len(asked)

    assert [pool.credentials() for _ in range(100)] == [first] * 100

    assert len(asked) == before + 1
    world.move(20 * MINUTE)
    with pytest.raises(LoginRequiredError):
        pool.credentials()
