"""A user pool's own sign-in pages, under its domain, in a real browser by real clicks."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="this needs selenium, of the extra 'test'")

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cognito_credentials.emulator import Emulator
from tests.cli.conftest import Cli
from tests.sign_in.emulated_pool import CLIENT, POOL, PROVIDER, EmulatedPool

from .conftest import Login
from .test_chromium import submit, text
from .tunnel import Proxy

pytestmark = pytest.mark.writes_secrets  # the plain store, and the browser's own files
PREFIX = "my-app"
DOMAIN = f"{PREFIX}.auth.us-east-1.amazoncognito.com"
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
def pages(tmp_path: Path, ports: list[int], emulator_keys: Any) -> Iterator[EmulatedPool]:
    """A pool with one user and both ports registered; its pages are at a domain of Cognito's, over TLS."""
    with Emulator(
        tls_names=[DOMAIN], certificate_file=tmp_path / "ca.pem", keys=emulator_keys, marker=True
    ) as at:
        pool = EmulatedPool(at)
        pool.add("ann", PASSWORD)
        pool.change_client(callback_urls=[f"http://127.0.0.1:{port}/callback" for port in ports])
        yield pool


@pytest.fixture
def more_flags(pages: EmulatedPool) -> tuple[str, ...]:
    """Options with which the browser reaches the pages by their host name, and accepts their certificate."""
    assert pages.emulator.certificate
    certificate = x509.load_pem_x509_certificate(Path(pages.emulator.certificate).read_bytes())
    public = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pin = base64.b64encode(hashlib.sha256(public).digest()).decode()
    return (
        f"--host-resolver-rules=MAP {DOMAIN}:443 127.0.0.1:{_port(pages)}",
        f"--ignore-certificate-errors-spki-list={pin}",
    )


def _port(pages: EmulatedPool) -> int:
    return int(pages.url.rpartition(":")[2])


@pytest.fixture
def members(cli: Cli, pages: EmulatedPool, ports: list[int], config: Callable[[str], Path]) -> Iterator[Cli]:
    """The command line with a profile for the pool's domain, and a proxy that leads to it."""
    proxy = Proxy(DOMAIN, _port(pages))
    pool_id = pages.emulator.create_pool(
        AllowUnauthenticatedIdentities=False,
        CognitoIdentityProviders=[{"ProviderName": PROVIDER, "ClientId": CLIENT}],
    )
    shown = ",".join(map(str, ports))
    config(PROFILE.format(pool=pool_id, user_pool=POOL, client=CLIENT, domain=PREFIX, ports=shown))
    for service in ("COGNITO_IDENTITY", "STS", "COGNITO_IDENTITY_PROVIDER"):
        cli.environ[f"AWS_ENDPOINT_URL_{service}"] = pages.url
    assert pages.emulator.certificate
    cli.environ |= {
        "HTTPS_PROXY": proxy.url,
        "NO_PROXY": "127.0.0.1",
        "AWS_CA_BUNDLE": pages.emulator.certificate,
    }
    for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
        cli.environ.pop(name, None)
    yield cli
    proxy.close()


def _sign_in(chromium: Any, password: str) -> None:
    name = chromium.find_element("name", "username")
    name.clear()  # after a wrong password it is filled in
    name.send_keys("ann")
    chromium.find_element("name", "password").send_keys(password)
    submit(chromium)


def test_signing_in_at_the_pools_own_pages(
    members: Cli, login: Callable[..., Login], chromium: Any, pages: EmulatedPool, ports: list[int]
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
    asked = [request["name"] for request in pages.emulator.history()]
    assert asked.count("POST /oauth2/token") == 1
    assert json.loads(members("credential-process", "--profile", "app").out)["AccessKeyId"].startswith("ASIA")
    assert members("refresh", "--profile", "app").code == 0
    assert "revoked and removed" in members("logout", "--profile", "app").out
    assert pages.refresh_tokens == {}
    assert members("credential-process", "--profile", "app").code == 3


def test_a_port_that_is_not_registered(
    members: Cli, login: Callable[..., Login], chromium: Any, pages: EmulatedPool
) -> None:
    """If the port is not registered, the pool shows an error, Ctrl-C ends the wait, and nothing is stored."""
    pages.change_client(callback_urls=[])
    running = login("--browser")
    chromium.get(running.address())

    assert "redirect_mismatch" in text(chromium)
    assert running.process.poll() is None
    assert members("credential-process", "--profile", "app").code == 3
