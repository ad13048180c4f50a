"""A user pool's own sign-in pages, under its domain, in a real browser by real clicks."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="this needs selenium, of the extra 'test'")

from cognito_credentials.emulator import Emulator, Seed
from tests.cli.conftest import Cli
from tests.sign_in.hosted_ui import HostedUi, Proxy
from tests.sign_in.user_pool_server import CLIENT, POOL, UserPoolServer

from .conftest import Login
from .test_chromium import submit, text

pytestmark = pytest.mark.writes_secrets  # the plain store, and the browser's own files
PREFIX = "my-app"
DOMAIN = f"{PREFIX}.auth.us-east-1.amazoncognito.com"
PROVIDER = f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
PASSWORD = "correct horse"
PROFILE = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = {pool}
cognito_user_pool_id = {user_pool}
cognito_client_id = {client}
cognito_domain = {domain}
cognito_redirect_ports = {ports}
cognito_login_store = file
"""


@pytest.fixture
def ports() -> list[int]:
    """Two ports that are free now, below those that Linux gives to other tests' connections meanwhile."""
    free: list[int] = []
    while len(free) < 2:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            free.append(port)
    return free


@pytest.fixture
def pages(tmp_path: Path, ports: list[int]) -> Iterator[HostedUi]:
    """The pages of a pool with one user, and with both ports registered."""
    pool = UserPoolServer()
    pool.add("ann", PASSWORD)
    callbacks = [f"http://127.0.0.1:{port}/callback" for port in ports]
    made = HostedUi(pool, DOMAIN, callbacks, tmp_path)
    yield made
    made.close()
    pool.close()


@pytest.fixture
def more_flags(pages: HostedUi) -> tuple[str, ...]:
    """Options with which the browser reaches the pages by their host name."""
    return pages.browser_flags()


@pytest.fixture
def members(
    cli: Cli,
    pages: HostedUi,
    ports: list[int],
    config: Callable[[str], Path],
    emulator_keys: Any,
) -> Iterator[Cli]:
    """The command line with a profile for the pool's domain, and a proxy that leads to it."""
    proxy = Proxy(DOMAIN, pages.port)
    keys = f"{pages.pool.url}/{POOL}/.well-known/jwks.json"
    seed = Seed("test", {"issuers": [{"provider": PROVIDER, "jwks_uri": keys}]})
    with Emulator(seed=seed, keys=emulator_keys, marker=True) as running:
        pool_id = running.create_pool(
            AllowUnauthenticatedIdentities=False,
            CognitoIdentityProviders=[{"ProviderName": PROVIDER, "ClientId": CLIENT}],
        )
        shown = ",".join(map(str, ports))
        config(PROFILE.format(pool=pool_id, user_pool=POOL, client=CLIENT, domain=PREFIX, ports=shown))
        cli.environ |= {
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY": running.url,
            "AWS_ENDPOINT_URL_STS": running.url,
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": pages.pool.url,
            "HTTPS_PROXY": proxy.url,
            "AWS_CA_BUNDLE": str(pages.ca_bundle),
        }
        for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
            cli.environ.pop(name, None)
        yield cli
    proxy.close()


def _sign_in(chromium: Any, password: str) -> None:
    chromium.find_element("name", "username").send_keys("ann")
    chromium.find_element("name", "password").send_keys(password)
    submit(chromium)


def test_signing_in_at_the_pools_own_pages(
    members: Cli, login: Callable[..., Login], chromium: Any, pages: HostedUi, ports: list[int]
) -> None:
    """Signing in by clicks skips a port in use, and gives credentials that can be refreshed and revoked."""
    with socket.create_server(("127.0.0.1", ports[0])):
        running = login("--browser")
        chromium.get(running.address())
        assert chromium.current_url.startswith(f"https://{DOMAIN}/login?")
        _sign_in(chromium, "wrong")
        assert "Incorrect username or password." in text(chromium)
        _sign_in(chromium, PASSWORD)
        code, out, said = running.end()

    assert code == 0, said
    assert f"sign in at {DOMAIN}" in said
    assert "Signed in as ann" in out
    assert "You are signed in as ann" in text(chromium)
    assert chromium.current_url.startswith(f"http://127.0.0.1:{ports[1]}/callback?")
    assert pages.requests.count("/oauth2/token") == 1
    assert json.loads(members("credential-process", "--profile", "app").out)["AccessKeyId"].startswith("ASIA")
    assert members("refresh", "--profile", "app").code == 0
    assert "revoked and removed" in members("logout", "--profile", "app").out
    assert pages.pool.refresh_tokens == {}
    assert members("credential-process", "--profile", "app").code == 3


def test_a_port_that_is_not_registered(
    members: Cli, login: Callable[..., Login], chromium: Any, pages: HostedUi
) -> None:
    """If the port is not registered, the pool shows an error, Ctrl-C ends the wait, and nothing is stored."""
    pages.callbacks.clear()
    running = login("--browser")
    chromium.get(running.address())

    assert "redirect_mismatch" in text(chromium)
    assert running.process.poll() is None
    assert members("credential-process", "--profile", "app").code == 3
