"""`directory`: where cache and sign-ins of a program with a place of its own lie."""

from __future__ import annotations

import os
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from cognito_credentials import IdentityPool, Session, install
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.errors import CacheError, ConfigurationError
from cognito_credentials.sign_in import OidcLogin
from tests.sign_in.hostile_issuer import CLIENT, HostileIssuer

__all__ = ["emulator", "emulator_keys"]
POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000000"


@pytest.fixture
def issuer() -> Iterator[HostileIssuer]:
    made = HostileIssuer()
    yield made
    made.close()


@pytest.fixture
def pool_id(emulator: Any, issuer: HostileIssuer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A pool that accepts this issuer's tokens, and guests."""
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    arn = f"arn:aws:iam::123456789012:oidc-provider/{issuer.url.partition('://')[2]}"
    return str(emulator.create_pool(OpenIdConnectProviderARNs=[arn]))


def _files(directory: Path) -> set[str]:
    return {path.relative_to(directory).parts[0] for path in directory.rglob("*") if path.is_file()}


@pytest.mark.writes_secrets
def test_everything_lies_there(
    pool_id: str, issuer: HostileIssuer, isolation: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Cache and sign-in are in it, only for their owner, and nowhere else: it wins over the variable."""
    own, other = tmp_path / "apps" / "own", tmp_path / "other"
    monkeypatch.setenv("AWS_COGNITO_CACHE_DIR", str(other))
    login = OidcLogin(issuer.url, CLIENT, store="file")
    pool = IdentityPool(pool_id, logins=login, directory=own)
    pool.sign_in_with_refresh_token(issuer.refresh_tokens[-1])
    held = pool.credentials()

    again = IdentityPool(pool_id, logins=OidcLogin(issuer.url, CLIENT, store="file"), directory=str(own))

    assert again.credentials().access_key_id == held.access_key_id
    assert _files(own) == {"cache", "sign-in"}
    assert not other.exists()
    assert not list(isolation.rglob(".aws"))
    for directory in (own, own / "cache", own / "sign-in"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert again.status().location == str(own / "cache")
    assert IdentityPool(pool_id, logins=login).status().signed_in_as is None  # elsewhere nobody is


@pytest.mark.writes_secrets
def test_a_login_may_have_its_own(pool_id: str, issuer: HostileIssuer, tmp_path: Path) -> None:
    """A login's directory counts for itself, and so it has the same sign-in with and without a pool."""
    login = OidcLogin(issuer.url, CLIENT, store="file", directory=tmp_path / "logins")
    pool = IdentityPool(pool_id, logins=login, directory=tmp_path / "pools")
    pool.sign_in_with_refresh_token(issuer.refresh_tokens[-1])
    pool.credentials()

    assert _files(tmp_path / "logins") == {"sign-in"}
    assert _files(tmp_path / "pools") == {"cache"}
    assert login.account() is not None


@pytest.mark.writes_secrets
def test_users_pickles_and_linked_logins_lie_there_too(
    pool_id: str, issuer: HostileIssuer, tmp_path: Path
) -> None:
    """Whatever is made of a pool keeps its directory."""
    pool = IdentityPool(pool_id, directory=tmp_path)
    login = OidcLogin(issuer.url, CLIENT, store="file")
    ann = pool.for_user("ann", logins=login)
    ann.sign_in_with_refresh_token(issuer.refresh_tokens[-1])

    guest = pickle.loads(pickle.dumps(pool))
    guest.identity_id()

    assert guest.settings.cache_dir == str(tmp_path / "cache")
    assert _files(tmp_path) == {"cache", "sign-in"}
    anns = ann.credentials().access_key_id
    assert pool.for_user("ann", logins=login).credentials().access_key_id == anns


def test_sessions_take_it(pool_id: str, tmp_path: Path) -> None:
    """`Session` and `install` have it as every other setting."""
    session = Session(identity_pool_id=pool_id, directory=tmp_path / "one")
    session.get_credentials().get_frozen_credentials()
    bare = botocore.session.Session()
    install(bare, identity_pool_id=pool_id, directory=tmp_path / "two")
    bare.get_credentials().get_frozen_credentials()

    assert _files(tmp_path / "one") == _files(tmp_path / "two") == {"cache"}


def test_home_is_named_by_a_tilde(pool_id: str, isolation: Path) -> None:
    """``~`` is the user's home, as in the variable."""
    assert IdentityPool(pool_id, directory="~/.app").settings.sign_in_dir == os.path.expanduser(
        "~/.app/sign-in"
    )


def test_no_home_is_needed(pool_id: str, tmp_path: Path) -> None:
    """A service without a home has its cache there, and no warning."""
    environ = {name: value for name, value in os.environ.items() if name != "HOME"} | {"HOME": ""}
    pool = IdentityPool(pool_id, directory=tmp_path / "own", environ=environ)

    assert pool.identity_id()
    assert _files(tmp_path / "own") == {"cache"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("cache", "directory from argument is not an absolute path: 'cache'"),
        ("", "directory from argument is not an absolute path: ''"),
        (Path("a/b"), "directory from argument is not an absolute path: 'a/b'"),
        (5, "directory from argument is int, not a path"),
        (b"/tmp", "directory from argument is bytes, not a path"),
        ("/tmp/\0", "directory from argument is not an absolute path"),
    ],
)
def test_what_is_no_directory(given: Any, message: str) -> None:
    """It is an error when the pool is made, by its name."""
    with pytest.raises(ConfigurationError, match=message):
        IdentityPool(POOL_ID, directory=given)
    with pytest.raises(ConfigurationError, match=message.replace(" from argument", "")):
        OidcLogin("http://127.0.0.1:1", CLIENT, directory=given)


def test_a_directory_that_cannot_be_used(pool_id: str, tmp_path: Path) -> None:
    """The program asked for it, so that it is an error, which names the path, and no request is made."""
    (tmp_path / "file").write_text("")
    pool = IdentityPool(pool_id, directory=tmp_path / "file")

    with pytest.raises(CacheError, match=str(tmp_path / "file" / "cache")):
        pool.credentials()
