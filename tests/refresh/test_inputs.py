"""Whom a failure is told: only what the service said goes to others, and never to another input."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRequiredError,
    RefusedError,
    ServiceError,
)
from cognito_credentials.exchange import faults, transport
from cognito_credentials.logins import EnvironmentSource, FileSource
from cognito_credentials.pool.pool import parts_of
from tests.world import World

PROVIDER = "accounts.google.com"
TESTS = Path(__file__).parent.parent


@pytest.fixture
def world(emulator: Any) -> World:
    """A pool for guests and users; its clocks stand still, so no back-off ends by itself."""
    made = World(emulator, dict(os.environ))
    made.pool_id = emulator.create_pool(SupportedLoginProviders={PROVIDER: "app"})
    return made


def good(world: World) -> str:
    return world.token("ann", PROVIDER)


def refused(world: World) -> str:
    return world.token("ann", PROVIDER, audience="another")


def asked(world: World) -> int:
    return sum(world.counts().values())


@pytest.mark.writes_secrets
@pytest.mark.parametrize("user", [None, "ann"])
@pytest.mark.parametrize("process", ["the same", "another"])
def test_a_token_file_that_is_rewritten(world: World, tmp_path: Path, user: str | None, process: str) -> None:
    """A new token is tried at once; as long as it is the old one, nobody asks the service again."""
    path = tmp_path / "token"
    path.write_text(refused(world))
    first, other = (world.pool(logins={PROVIDER: FileSource(path)}, user=user) for _ in range(2))
    with pytest.raises(RefusedError):
        first.credentials()
    before = asked(world)
    for pool in (first, other):
        with pytest.raises(RefusedError):
            pool.credentials()
    assert asked(world) == before

    path.write_text(good(world))

    assert (first if process == "the same" else other).credentials()


@pytest.mark.parametrize("user", [None, "ann"])
def test_a_variable_that_is_set(world: World, user: str | None) -> None:
    """A variable that was missing counts as soon as it is set, in this process and in others."""
    environ: dict[str, str] = {}
    other = world.pool(logins={PROVIDER: EnvironmentSource("TOKEN", {"TOKEN": good(world)})}, user=user)
    pool = world.pool(logins={PROVIDER: EnvironmentSource("TOKEN", environ)}, user=user)
    for _ in range(2):
        with pytest.raises(LoginRequiredError, match="TOKEN"):
            pool.credentials()
    assert asked(world) == 0

    assert other.credentials()
    environ["TOKEN"] = good(world)
    assert pool.credentials()


def test_another_token_of_the_same_user(world: World) -> None:
    """What was refused for one token of a user is told to who has the same token, and to nobody else."""
    bad = refused(world)
    first, same, third = (world.pool(logins={PROVIDER: one}, user="ann") for one in (bad, bad, good(world)))
    with pytest.raises(RefusedError):
        first.credentials()
    before = asked(world)
    with pytest.raises(RefusedError, match="tried 0 s ago"):
        same.credentials()
    assert asked(world) == before

    assert third.credentials()
    assert third.identity_id()


@pytest.mark.parametrize("cache", ["file", "memory"])
def test_a_refused_token_of_a_stranger_leaves_no_record(world: World, cache: str) -> None:
    """Where the key is made of the token, its refusal stays in the pool object, which does not ask again."""
    pool = world.pool(cache=cache, logins={PROVIDER: refused(world)})
    for _ in range(2):
        with pytest.raises(RefusedError):
            pool.credentials()
        with pytest.raises(RefusedError):
            pool.identity_id()
    assert parts_of(pool).store.keys("state") == []
    assert world.counts() == {"GetId": 1}

    world.outage()
    with pytest.raises(ServiceError):
        world.pool(cache=cache, logins={PROVIDER: good(world)}).credentials()


def test_refused_users_do_not_stay_in_memory(world: World) -> None:
    """A day later nothing is left of users who sent a bad token and never came back."""
    pool = world.pool(cache="memory")
    for name in ("a", "b", "c"):
        with pytest.raises(RefusedError):
            pool.for_user(name, logins={PROVIDER: refused(world)}).credentials()
    states = parts_of(pool).store.keys("state")
    assert len(states) == 3

    world.move(24 * 3600 + 1)
    with pytest.raises(RefusedError):
        pool.for_user("d", logins={PROVIDER: refused(world)}).credentials()

    (left,) = parts_of(pool).store.keys("state")
    assert left not in states


def test_a_function_has_an_input_of_its_own(world: World) -> None:
    """What was refused for the token of a function is not told to another one: nobody knows what it gives."""
    bad, fine = refused(world), good(world)
    first, other = (world.pool(logins={PROVIDER: lambda one=one: one}, user="ann") for one in (bad, fine))
    with pytest.raises(RefusedError):
        first.credentials()

    assert other.credentials()


def test_an_outage_concerns_everybody(world: World) -> None:
    """That the service fails is told to all processes, whatever token they have."""
    first = world.pool(logins={PROVIDER: good(world)}, user="ann")
    world.outage()
    with pytest.raises(ServiceError):
        first.credentials()
    before = asked(world)

    with pytest.raises(ServiceError, match="tried 0 s ago"):
        world.pool(logins={PROVIDER: good(world)}, user="ann").credentials()

    assert asked(world) == before


LOCAL = {
    "CA bundle": (ConfigurationError("the CA bundle 'x' does not exist"), ConfigurationError, "CA bundle"),
    "proxy": (faults.ProxyConnectionError("http://dead:1"), ServiceError, "proxy"),
    "no connection": (faults.EndpointConnectionError("https://x"), ServiceError, "cannot be reached"),
    "timeout": (faults.ReadTimeoutError("https://x"), ServiceError, "did not answer"),
    "bug": (None, CognitoCredentialsError, "was not sent: unexpected TypeError; this is a bug"),
    "package": (
        AttributeError("x"),
        ConfigurationError,
        f"the package tests, in {TESTS}, failed with Attrib",
    ),
}


@pytest.mark.parametrize("name", LOCAL)
def test_a_fault_of_one_process_is_its_own(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What no service has said is told again by the process that had it, and by no other."""
    raised, kind, said = LOCAL[name]

    def fails(*_: object) -> Any:
        raise raised

    pool = world.pool()
    with monkeypatch.context() as patch:
        if raised is None:
            patch.setattr(transport, "proxy_for", None)
        else:
            patch.setattr(transport.Transport, "_target", fails)
        patch.setattr("cognito_credentials.exchange.retries.time.sleep", lambda _: None)
        with pytest.raises(kind, match=said) as caught:
            pool.credentials()
        assert "captive portal" not in str(caught.value)
        assert caught.value.exit_code == {"bug": 1, "package": 4, "CA bundle": 4}.get(name, 6)
        assert caught.value.__context__ is None
    with pytest.raises(kind, match=said):
        pool.credentials()

    assert world.pool().credentials()
    assert world.pool().status().last_error is None


class LimitError(RuntimeError):
    """The soft time limit of a task."""


@pytest.fixture
def limited() -> Iterator[None]:
    """A program whose signal handler raises `LimitError`."""

    def handler(*_: object) -> None:
        raise LimitError("time is up")

    before = signal.signal(signal.SIGUSR1, handler)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize("where", ["login", "start of a thread", "request"])
def test_a_time_limit_of_the_program_passes(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """What the program's own signal handler raises passes, and is no failure: the next call works."""

    def interrupted(*_: object) -> Any:
        signal.raise_signal(signal.SIGUSR1)

    def cannot_start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        login = {"fetch": interrupted if where == "login" else good}
        if where == "start of a thread":
            patch.setattr(threading.Thread, "start", interrupted)
        elif where == "request":
            patch.setattr(threading.Thread, "start", cannot_start)  # so that it is sent by this thread
            patch.setattr(transport.Transport, "_target", interrupted)
        pool = world.pool(logins={PROVIDER: lambda: login["fetch"](world)}, user="ann")
        with pytest.raises(LimitError, match="time is up"):
            pool.credentials()
    assert asked(world) == 0

    login["fetch"] = good
    assert pool.credentials()
    assert world.pool(logins={PROVIDER: good(world)}, user="ann").credentials()


def test_a_package_of_another_version_is_named(tmp_path: Path, world: World) -> None:
    """Where another botocore is first on PYTHONPATH, the error names it and its folder; exit code 4."""
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "__init__.py").write_text("__version__ = '1.12'")
    pool_id = world.pool_id.replace("us-east-1", "us-isof-east-1")  # its endpoint is asked of botocore
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "AWS_USE_DUALSTACK_ENDPOINT": "true"}
    command = ["-m", "cognito_credentials", "credential-process", "--identity-pool-id", pool_id]

    done = subprocess.run(
        [sys.executable, *command], env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 4
    assert f"the package botocore, in {tmp_path}/botocore, failed with ModuleNotFoundError" in done.stderr
    assert "captive portal" not in done.stderr
    assert done.stderr.count("\n") == 1
