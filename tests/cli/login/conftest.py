"""A profile that people sign in to, with a real issuer, the emulator's identity pool and our command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Cli, Done, cli, config, emulator, emulator_keys
from tests.sign_in.conftest import CLIENT_ID, issuer, issuer_packages, start_issuer

__all__ = [
    "cli",
    "config",
    "emulator",
    "emulator_keys",
    "issuer",
    "issuer_packages",
    "start_issuer",
]

BROWSE = Path(__file__).parent / "browse.py"
PROFILES = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = {pool}
cognito_oidc_issuer = {issuer}
cognito_oidc_client_id = {client}
cognito_login_store = {store}

[profile guest]
region = us-east-1
cognito_identity_pool_id = {pool}
"""


@dataclass
class App:
    """The profile 'app', its issuer and its identity pool."""

    cli: Cli
    home: Path
    issuer: str
    pool_id: str
    emulator: Any

    def person(self, name: str) -> dict[str, str]:
        """Return environment variables for a browser in which *name* signs in."""
        browser = f"{sys.executable} {BROWSE} %s &"
        return {"BROWSER": browser, "PERSON": name, "BROWSER_WAS_HERE": str(self.home / "browser-was-here")}

    @property
    def browser_was_opened(self) -> bool:
        """Whether the browser has been opened."""
        return (self.home / "browser-was-here").exists()

    def login(self, name: str, *options: str, **env: str) -> Done:
        """Sign in as *name*."""
        return self("login", *options, env={**self.person(name), **env})

    def __call__(self, *argv: str, **options: Any) -> Done:
        """Run a command for the profile."""
        return self.cli(*argv, "--profile", "app", **options)

    def kept(self) -> dict[str, str]:
        """Return the content of every file under the home directory that is not empty, by name."""
        return {
            str(path.relative_to(self.home)): path.read_text("utf-8", "replace")
            for path in self.home.rglob("*")
            if path.is_file() and path.stat().st_size and path.name not in ("config", "CACHEDIR.TAG")
        }

    def refresh_token(self) -> str:
        """Return the refresh token in the plain store."""
        found = [text for name, text in self.kept().items() if "/secret-v1-" in name]
        return str(json.loads(found[0])["refresh_token"])

    def end_at_issuer(self) -> None:
        """Have the issuer end the sign-in, as its administrator might."""
        form = {"token": self.refresh_token(), "client_id": CLIENT_ID}
        with urlopen(f"{self.issuer}/token/revocation", urlencode(form).encode(), timeout=10) as answer:
            assert answer.status == 200


@pytest.fixture
def app(cli: Cli, emulator: Any, issuer: str, config: Callable[[str], Path], isolation: Path) -> App:
    """The profile, with the plain store."""
    return make_app(cli, emulator, issuer, config, isolation, "file")


def make_app(
    cli: Cli, emulator: Any, issuer: str, config: Callable[[str], Path], home: Path, store: str
) -> App:
    """Write the profile for *issuer*, and make an identity pool that takes its tokens."""
    host = issuer.partition("://")[2]
    arn = f"arn:aws:iam::123456789012:oidc-provider/{host}"
    pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    for service in ("COGNITO_IDENTITY", "STS"):
        cli.environ[f"AWS_ENDPOINT_URL_{service}"] = emulator.url
    for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        cli.environ.pop(name, None)
    config(PROFILES.format(pool=pool_id, issuer=issuer, client=CLIENT_ID, store=store))
    return App(cli, home, issuer, pool_id, emulator)


class OwnIssuer:
    """A provider that a test may stop."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            ["node", "server.mjs", "{}"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def stop(self) -> None:
        """End it; it can be called twice."""
        with self.process:
            self.process.terminate()


@pytest.fixture
def own_issuer(issuer_packages: Path) -> Iterator[OwnIssuer]:
    """A provider for one test."""
    made = OwnIssuer(issuer_packages)
    yield made
    made.stop()
