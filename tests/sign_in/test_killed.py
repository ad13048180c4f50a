"""A process that is killed while it writes a sign-in tears no file, and leaves no refresh token."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import pytest

from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.kept.place import Place
from cognito_credentials.sign_in.sources import OidcLogin
from tests.cache.children import needs_fork
from tests.campaigns import kill_sign_in

pytestmark = pytest.mark.writes_secrets


@needs_fork
def test_killed_writers(tmp_path: Path) -> None:
    """After a hundred killed writers the secret is whole, the lock free, and no stray file is left."""
    outcome = kill_sign_in.campaign(str(tmp_path / "sign-in"), 100, seed=1)

    assert outcome.is_good, outcome
    assert outcome.kills == 100


@needs_fork
def test_killing_notices_strays(tmp_path: Path) -> None:
    """Without sweeping, the same run finds what killed writers left behind."""
    with mock.patch("cognito_credentials.cache.directory.Directory.sweep"):
        outcome = kill_sign_in.campaign(str(tmp_path / "sign-in"), 20, seed=1)

    assert outcome.strays_after_next_write > 0


def _half_written(place: Place, kind: str, key: str) -> Path:
    path = Path(place.directory) / f".{kind}-v1-{key}.json.4711.0123456789abcdef.tmp"
    path.write_text("CANARY")
    return path


@pytest.mark.parametrize("kind", ["secret", "sealed", "sign-in"])
def test_signing_out_removes_what_was_half_written(isolation: Path, kind: str) -> None:
    """Half-written files of every kind are removed, but only of this sign-in: another may be writing now."""
    source = OidcLogin("https://issuer.example", "desktop", store="file", profile_name="app")
    place = source._place()
    place.write("secret", Secret("CANARY").reveal().encode())
    ours, others = _half_written(place, kind, place.key), _half_written(place, kind, "0" * 40)

    source.sign_out(revoke=False)

    assert not ours.exists()
    assert others.exists()
    assert place.read("secret") is None


def test_without_a_working_lock_a_writer_may_be_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without locks, only half-written files older than a minute are removed."""
    place = Place(str(tmp_path / "sign-in"), "1" * 40)
    with place.lock():
        pass
    young, old = _half_written(place, "secret", place.key), _half_written(place, "sealed", place.key)
    os.utime(old, (0, 0))

    def cannot_lock(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("filelock.FileLock.acquire", cannot_lock)
    with place.lock():
        assert (young.exists(), old.exists()) == (True, False)
