"""A process that is killed while it keeps a sign-in: nothing torn, and no refresh token left about."""

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
    """A hundred killed anywhere: the secret is whole, the lock free, nothing astray after the next lock."""
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
    """Every kind of file, of this sign-in alone: another one's may be at work right now."""
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
    """Where the file system cannot lock, only what is a minute old is taken for a dead writer's."""
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
