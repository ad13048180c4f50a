"""awscrt's own provider and signer over our pool: what they get, when they wait, and what a failure shows."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import ConfigurationError
from cognito_credentials.logins import EnvironmentSource, FileSource
from cognito_credentials.refresh.refresher import Refresher
from tests.world import World

if sys.implementation.name != "cpython":
    pytest.skip("awscrt has nothing for PyPy", allow_module_level=True)

from awscrt import auth, http

from cognito_credentials.adapters.awscrt import credentials_provider

PROVIDER = "accounts.google.com"


@pytest.fixture
def world(emulator: Any) -> World:
    return World(emulator, dict(os.environ))


@pytest.fixture
def ignored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Python prints of exceptions that awscrt swallows."""
    lines: list[str] = []
    monkeypatch.setattr(
        sys, "unraisablehook", lambda found: lines.append(f"{found.object!r}: {found.exc_value}")
    )
    return lines


def key(provider: Any) -> str:
    return str(provider.get_credentials().result(20).access_key_id)


def renewed() -> None:
    """Wait until no thread renews."""
    for thread in threading.enumerate():
        if thread.name == "cognito-credentials-renewal":
            thread.join(20)


def test_awscrt_gets_the_pools_credentials(world: World) -> None:
    """Key, secret, token and end are the pool's; asking again costs no request."""
    pool = world.pool()
    provider = credentials_provider(pool)
    found, again = (provider.get_credentials().result(20) for _ in range(2))
    held = pool.credentials()

    assert found.access_key_id == again.access_key_id == held.access_key_id
    assert found.secret_access_key == held.secret_access_key.reveal()
    assert found.session_token == held.session_token.reveal()
    assert found.expiration == held.expiration
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_awscrt_signs_with_them(world: World) -> None:
    """awscrt's signer takes key and session token of the pool."""
    pool = world.pool()
    request = http.HttpRequest("GET", "/", http.HttpHeaders([("Host", "s3.us-east-1.amazonaws.com")]))
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=credentials_provider(pool),
        region="us-east-1",
        service="s3",
        date=datetime.fromtimestamp(world.clock.wall(), timezone.utc),
    )
    signed = auth.aws_sign_request(request, config).result(20)
    headers = {name.lower(): value for name, value in signed.headers}

    assert f"Credential={pool.credentials().access_key_id}/" in headers["authorization"]
    assert headers["x-amz-security-token"] == pool.credentials().session_token.reveal()


def test_who_has_valid_credentials_never_waits(world: World) -> None:
    """Credentials that are due are returned at once, while another thread renews them."""
    may_answer, asked = threading.Event(), []
    world.pool_id = world.emulator.create_pool(SupportedLoginProviders={PROVIDER: "app"})

    def token() -> str:
        asked.append(threading.current_thread())
        assert may_answer.wait(20)
        return world.token("ann", PROVIDER)

    may_answer.set()
    provider = credentials_provider(world.pool(user="ann", logins={PROVIDER: token}))
    before = key(provider)
    asked.clear()
    may_answer.clear()
    for seconds in (3600 - 14 * 60, 13 * 60 + 30):  # due; and in the last minute, in which others wait
        world.move(seconds)
        assert key(provider) == before
    may_answer.set()
    renewed()

    assert key(provider) != before
    assert asked
    assert threading.current_thread() not in asked
    assert world.counts()["GetCredentialsForIdentity"] == 2


@pytest.mark.writes_secrets
def test_who_signs_in_is_looked_up_without_a_wait(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a token file, awscrt's thread reads that once a second; another one asks the service."""
    world.pool_id = world.emulator.create_pool(SupportedLoginProviders={PROVIDER: "app"})
    (tmp_path / "token").write_text(world.token("ann", PROVIDER))
    provider = credentials_provider(world.pool(logins={PROVIDER: FileSource(str(tmp_path / "token"))}))
    before, asked = key(provider), []
    exchange = Refresher._exchange

    def noting(*arguments: Any) -> Any:
        asked.append(threading.current_thread())
        return exchange(*arguments)

    monkeypatch.setattr(Refresher, "_exchange", noting)
    world.move(3600 - 14 * 60)
    assert key(provider) == before
    renewed()

    assert key(provider) != before
    assert asked
    assert threading.current_thread() not in asked


@pytest.mark.writes_secrets
def test_credentials_of_the_person_before_are_not_given(world: World, tmp_path: Path) -> None:
    """Who has signed in since gets credentials of their own, also where those that are held are only due."""
    world.pool_id = world.emulator.create_pool(SupportedLoginProviders={PROVIDER: "app"})
    file = tmp_path / "token"
    file.write_text(world.token("ann", PROVIDER))
    provider = credentials_provider(world.pool(logins={PROVIDER: FileSource(str(file))}))
    anns = key(provider)
    world.move(3600 - 14 * 60)
    file.write_text(world.token("bob", PROVIDER))

    assert key(provider) != anns


def test_in_the_last_seconds_it_waits(world: World) -> None:
    """Who signs with the last ten seconds of a key may come too late at AWS, and gets a new one."""
    provider = credentials_provider(world.pool())
    before = key(provider)
    world.move(3600 - 9)

    assert key(provider) != before


def test_in_an_outage_valid_credentials_are_used_to_their_end(
    world: World, ignored: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """While they are valid nobody notices; then awscrt fails, and log and stderr say why."""
    provider = credentials_provider(world.pool())
    before = key(provider)
    world.outage()
    world.move(3600 - 14 * 60)
    for _ in range(50):
        assert key(provider) == before
        renewed()
        world.move(1)
    assert world.counts()["GetCredentialsForIdentity"] <= 1 + 3
    assert ignored == []
    world.move(14 * 60)
    caplog.clear()
    with pytest.raises(RuntimeError, match="AWS_AUTH_CREDENTIALS_PROVIDER_DELEGATE_FAILURE"):
        key(provider)

    (said,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert said.name == "cognito_credentials.adapters.awscrt"
    assert said.getMessage().startswith("awscrt gets no credentials: credentials expired at ")
    (line,) = ignored
    assert line.startswith(
        f"<awscrt's provider for IdentityPool('{world.pool_id}')>: credentials expired at "
    )

    world.recover()
    world.move(60)
    assert key(provider) != before


def test_a_login_that_is_missing_is_said(
    world: World, ignored: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever looks for awscrt's error finds ours in the log, with what to do."""
    provider = credentials_provider(world.pool(logins={PROVIDER: EnvironmentSource("MISSING")}))
    with pytest.raises(RuntimeError, match="6167"):
        key(provider)

    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert said.startswith("awscrt gets no credentials: ")
    assert "MISSING" in said
    assert said.removeprefix("awscrt gets no credentials") in ignored[0]


def test_64_threads_get_one_generation_at_a_time(world: World) -> None:
    """Of 64 threads over ten renewals, each gets whole sets of credentials; a renewal is one request."""
    pool = world.pool()
    provider = credentials_provider(pool)
    seen = set()

    def ask(_: int) -> tuple[str, str, str]:
        found = provider.get_credentials().result(20)
        return found.access_key_id, found.secret_access_key, found.session_token

    with ThreadPoolExecutor(64) as threads:
        for _ in range(10):
            seen |= set(threads.map(ask, range(256)))
            renewed()
            now = set(threads.map(ask, range(64)))
            assert {access for access, _, _ in now} == {pool.credentials().access_key_id}
            seen |= now
            world.move(3600 - 14 * 60)

    assert len(seen) == len({access for access, _, _ in seen}) == 10
    assert world.counts() == {"GetId": 1, "GetCredentialsForIdentity": 10}


def test_where_no_thread_can_start_valid_credentials_are_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its end the interpreter refuses new threads; awscrt then gets the credentials that are held."""
    provider = credentials_provider(world.pool())
    before = key(provider)
    world.move(3600 - 14 * 60)

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert key(provider) == before


def test_the_provider_keeps_the_pool(world: World) -> None:
    """The pool lives as long as the provider and no longer."""
    pool = world.pool()
    left = weakref.ref(pool)
    provider = credentials_provider(pool)
    del pool
    gc.collect()
    assert key(provider)
    del provider
    gc.collect()

    assert left() is None


def test_another_object_is_refused_in_one_line(world: World) -> None:
    """What is no pool is an error at once, and not at the first signature in a thread of awscrt."""
    with pytest.raises(ConfigurationError, match="needs an IdentityPool, not str"):
        credentials_provider(world.pool_id)  # type: ignore[arg-type]


ENDS = """
import sys, threading, time
from cognito_credentials import IdentityPool
from cognito_credentials.adapters.awscrt import credentials_provider

class Clock(__import__("cognito_credentials.clock", fromlist=["Clock"]).Clock):
    ahead = 0
    def wall(self): return super().wall() + self.ahead
    def elapsed(self): return super().elapsed() + self.ahead

clock = Clock()
provider = credentials_provider(IdentityPool(sys.argv[1], clock=clock))
provider.get_credentials().result(20)
clock.ahead = 3000
provider.get_credentials().result(20)
assert any(t.name == "cognito-credentials-renewal" for t in threading.enumerate())
def ask():
    while True:
        provider.get_credentials()
for _ in range(8):
    threading.Thread(target=ask, daemon=True).start()
time.sleep(0.05)
print("over")
"""


@pytest.mark.thorough
def test_a_program_ends_while_it_renews_and_signs(world: World, tmp_path: Path) -> None:
    """At the end of the program nothing is waited for and nothing crashes, whatever awscrt's threads do."""
    (tmp_path / "run.py").write_text(ENDS)
    world.faults(
        {"operation": "GetCredentialsForIdentity", "times": 1, "delay": 0},
        {"operation": "GetCredentialsForIdentity", "times": -1, "delay": 60},
    )
    # Not measured: at the end coverage writes a database, for which it waits hundreds of times until eight
    # busy threads let go of the interpreter.
    environ = {name: value for name, value in world.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py", world.pool_id],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")
