"""Healthy homes, each made by `configure` and the emulator, in which `doctor` finds nothing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.request import urlopen

import pytest

from cognito_credentials.cli.own_command import credential_process
from cognito_credentials.pool.logins import logins_of
from cognito_credentials.secret import Secret
from cognito_credentials.settings.load import load
from cognito_credentials.sign_in.kept.account import Account
from cognito_credentials.sign_in.kept.stored_tokens import StoredTokens
from cognito_credentials.sign_in.kept.stores import PlainStore
from cognito_credentials.sign_in.source import SignInSource
from tests.cli.conftest import Done
from tests.logins import tokens

ISSUER = "https://login.example.com"
PROVIDER_ARN = "arn:aws:iam::123456789012:oidc-provider/login.example.com"

Call = Callable[..., Done]


@dataclass
class Home:
    """
    A home directory with a profile, in which everything is right; recipes break it.

    The profile is called ``guest``, its pool is on the emulator, and the environment is this process's.
    """

    path: Path
    pool_id: str
    emulator: Any
    call: Call
    monkeypatch: pytest.MonkeyPatch
    options: list[str] = field(default_factory=lambda: ["--profile", "guest"])
    """Of `doctor`."""
    secrets: list[str] = field(default_factory=list)
    """What must not be in a report: the identity's id."""
    opened: list[Path] = field(default_factory=list)
    closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What runs beside the home, and ends with it."""
    """Folders of `in_open_folder`, which are removed in the end."""

    @property
    def config(self) -> Path:
        return self.path / ".aws" / "config"

    @property
    def line(self) -> str:
        """The ``credential_process`` that ``configure`` has written, of the profile ``guest``."""
        return credential_process("guest")

    @property
    def token_file(self) -> Path:
        """The file of the login token, in a home of the kind ``login file``."""
        return self.path / "token"

    @property
    def cache(self) -> Path:
        return self.path / ".aws" / "cognito" / "cache"

    def edit(self, old: str, new: str) -> None:
        """Replace the one place of the config file that is *old*."""
        text = self.config.read_text()
        assert text.count(old) == 1, text
        self.config.write_text(text.replace(old, new))

    def add(self, text: str) -> None:
        """Add lines to the end of the config file, which is the end of the profile."""
        self.config.write_text(self.config.read_text() + text)

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Write a file below the home directory."""
        path = self.path / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def set(self, **variables: str) -> None:
        """Set environment variables."""
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def unset(self, *variables: str) -> None:
        """Remove environment variables."""
        for name in variables:
            self.monkeypatch.delenv(name)

    def in_open_folder(self, path: Path) -> Path:
        """Copy a file to where everybody can get at it and write it: below folders that all may pass."""
        self.opened.append(Path(tempfile.mkdtemp(dir="/tmp")))
        self.opened[-1].chmod(0o755)
        copied = self.opened[-1] / path.name
        copied.write_bytes(path.read_bytes())
        copied.chmod(0o666)
        return copied

    def kept(self) -> dict[str, tuple[int, bytes]]:
        """Return mode and content of every file below the home directory."""
        return {
            str(path): (path.lstat().st_mode, path.read_bytes())
            for path in self.path.rglob("*")
            if path.is_file()
        }

    def counts(self) -> dict[str, int]:
        """Return how often each operation was asked of the emulator."""
        with urlopen(f"{self.emulator.url}/_emulator/requests", timeout=10) as answer:
            return dict(json.load(answer))

    def identities(self) -> list[tuple[object, ...]]:
        """Return every identity of the service, with its logins and its dates."""
        state = self.emulator.service.state
        asked = "SELECT * FROM identities", "SELECT * FROM logins"
        return [tuple(row) for each in asked for row in state.rows(each)]

    def token(self) -> str:
        """Return a login token of the emulator's test issuer."""
        body = json.dumps({"provider": "login.example.com", "audience": "app", "subject": "ann"}).encode()
        with urlopen(f"{self.emulator.url}/_emulator/login-token", body, timeout=10) as answer:
            return str(json.load(answer)["token"])

    def sign_in_file(self, kind: str) -> Path:
        """Return the path of a file of the sign-in: ``sign-in``, ``secret``, ``ended``."""
        (account,) = (self.path / ".aws" / "cognito" / "sign-in").glob("sign-in-v1-*.json")
        return account.with_name(account.name.replace("sign-in", kind, 1))

    def keep_sign_in(self, refresh_token: str | None = None, id_token: str = "", expires_at: int = 0) -> None:
        """Write the files of a sign-in, as one that has just been made leaves them."""
        settings = load({}, environ=os.environ, profile="guest")
        ((_, source),) = logins_of(settings, os.environ).sources
        place = cast("SignInSource", source).files()
        account = Account(
            issuer=ISSUER,
            client_id="desktop",
            subject="ann",
            name="ann@example.com",
            store="file",
            signed_in_at=int(time.time()),
        )
        stored = StoredTokens(
            Secret(refresh_token) if refresh_token else None,
            Secret(id_token) if id_token else None,
            expires_at,
            account.principal,
        )
        PlainStore(place).store(stored.encode())
        place.write("sign-in", account.encode())

    def run(self, *argv: str) -> Done:
        """Run a command for the profile, which must succeed."""
        done = self.call(*argv, "--profile", "guest")
        assert done.code == 0, done
        return done

    def checks(self, *argv: str) -> list[dict[str, str]]:
        """Run ``doctor --json``, with the rules that hold for every report."""
        before, counts, identities = self.kept(), self.counts(), self.identities()
        done = self.call("doctor", "--json", *self.options, *argv)
        assert self.kept() == before  # it changes nothing
        after = self.counts()
        assert self.identities() == identities  # it makes none, and links no login to one
        assert "--offline" not in argv or after == counts
        for secret in ("CANARY", *self.emulator.minted_secrets(), *self.secrets):
            assert secret not in done.out
        report = json.loads(done.out)
        assert list(report) == ["checks"]
        for check in report["checks"]:
            assert list(check) == ["name", "status", "what", "fix"]
            assert check["what"]
            assert check["status"] in ("ok", "warning", "error", "skipped")
            assert bool(check["fix"]) == (check["status"] in ("warning", "error"))
        assert done.code == any(check["status"] == "error" for check in report["checks"])
        assert done.err == ""
        return list(report["checks"])

    def findings(self, *argv: str) -> list[dict[str, str]]:
        """Return the warnings and errors of a run."""
        return [check for check in self.checks(*argv) if check["status"] in ("warning", "error")]


def make_home(path: Path, emulator: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a home directory as a user does: ``configure``, then the first credentials."""
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[PROVIDER_ARN])
    home = Home(path, pool_id, emulator, call, monkeypatch)
    home.run("configure", "--identity-pool-id", home.pool_id, "--region", "us-east-1", "--yes")
    home.run("refresh")
    home.secrets.append(json.loads(home.run("status", "--json").out)["identity_id"])
    return home


def login_file(home: Home) -> None:
    """A token in a file, which another program keeps fresh."""
    home.write("token", home.token())
    home.run("configure", "--login", f"login.example.com=file:{home.token_file}", "--yes")
    home.run("refresh")


def sign_in(home: Home) -> None:
    """Somebody is signed in, and the refresh token is in a plain file, as the profile says."""
    keys = {"oidc_issuer": ISSUER, "oidc_client_id": "desktop", "login_store": "file"}
    home.add("".join(f"cognito_{name} = {value}\n" for name, value in keys.items()))
    home.keep_sign_in(refresh_token="CANARY-refresh")


def memory(home: Home) -> None:
    """The profile keeps nothing on the disk."""
    home.run("configure", "--cache", "memory", "--yes")


def read_only(home: Home) -> None:
    """Nothing in the home directory can be written, and the cache is elsewhere."""
    elsewhere = home.path.parent / "elsewhere" / "cache"
    home.set(AWS_COGNITO_CACHE_DIR=str(elsewhere))
    home.run("refresh")
    for path in (home.config, home.path / ".aws", home.path):
        path.chmod(0o500)


def by_environment(home: Home) -> None:
    """The environment names the pool, and there is no config file."""
    home.set(AWS_COGNITO_IDENTITY_POOL_ID=home.pool_id)
    home.config.unlink()
    home.options = []


KINDS: Mapping[str, Callable[[Home], None]] = {
    "guest": lambda _: None,
    "login file": login_file,
    "sign-in": sign_in,
    "memory cache": memory,
    "read-only home": read_only,
    "environment": by_environment,
}
"""The kinds of healthy homes: each makes one of the home of a guest."""


@pytest.fixture
def home(
    request: pytest.FixtureRequest,
    isolation: Path,
    emulator: Any,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Home]:
    """A healthy home of the kind that the test's recipe names, or of the one that it is given itself."""
    recipe = getattr(request.node, "callspec", None) and request.node.callspec.params.get("recipe")
    kind = getattr(request, "param", recipe.kind if recipe else "guest")
    made = make_home(isolation, emulator, call, monkeypatch)
    KINDS[kind](made)
    with made.closing:
        yield made
    for folder in made.opened:
        shutil.rmtree(folder)


def jwt(**claims: Any) -> str:
    """Make an ID token of `ISSUER`; *claims* change it, and None removes one."""
    return tokens.jwt(**{"iss": ISSUER, "exp": 4_000_000_000, **claims})


def closed_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
