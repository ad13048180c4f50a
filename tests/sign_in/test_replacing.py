"""Signing in over a sign-in, giving up, and signing out with failures: no sign-in is lost."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.errors import CacheError, LoginRequiredError
from cognito_credentials.exchange.interruption import drops_frames_on_interrupt
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.sources import OidcLogin

from .hostile_issuer import CLIENT, HostileIssuer
from .test_attacks import Visit

pytestmark = pytest.mark.writes_secrets
BACKENDS = "tests.sign_in.keyring_backends"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HostileIssuer]:
    """A well-behaved issuer, and a keyring that works until a test breaks it."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Works")
    issuer = HostileIssuer()
    yield issuer
    issuer.close()


def _source(issuer: HostileIssuer, store: str = "file") -> OidcLogin:
    return OidcLogin(issuer.url, CLIENT, store=store, profile_name="app")


def _signed_in(issuer: HostileIssuer, store: str = "file", subject: str = "ann") -> OidcLogin:
    source = _source(issuer, store)
    issuer.claims = {"sub": subject}
    assert Visit(source, issuer).finish().subject == subject
    issuer.nonce = None
    return source


def _break_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Locked")


def test_leaving_a_broken_keyring(
    issuer: HostileIssuer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With a broken keyring, a sign-in with a plain file works, and logs a warning."""
    _signed_in(issuer, "keyring")
    _break_keyring(monkeypatch)

    with caplog.at_level(logging.WARNING):
        _signed_in(issuer, "file")

    assert _source(issuer).token()
    assert "kept in the keyring could not be removed" in caplog.text


def _give_up(source: OidcLogin) -> None:
    def interrupt(_: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.sign_in(open_browser=interrupt)


@pytest.mark.parametrize("backend", ["Works", "SilentOnce", "Silent", "Locked"])
def test_giving_up_changes_nothing(
    issuer: HostileIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backend: str
) -> None:
    """Whatever the keyring answers to a login that is given up, the sign-in before works; no key is added."""
    _signed_in(issuer, "keyring")
    keyring = tmp_path / "keyring.json"
    kept = keyring.read_text()
    (tmp_path / "keyring.hidden").write_text(kept)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.{backend}")
    if backend == "Locked":
        with pytest.raises(CacheError):
            _source(issuer, "keyring").sign_in(open_browser=lambda _: False)
    else:
        _give_up(_source(issuer, "keyring"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Works")

    assert _source(issuer, "keyring").token()
    assert keyring.read_text() == kept


def test_a_key_that_the_keyring_does_not_give_is_not_replaced(
    issuer: HostileIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A login beside a silent keyring has a key of its own; after the sign-out, no key is left."""
    _signed_in(issuer, "keyring")
    keyring = tmp_path / "keyring.json"
    before = json.loads(keyring.read_text())
    (tmp_path / "keyring.hidden").write_text(json.dumps(before))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Silent")

    _signed_in(issuer, "keyring", "bob")

    assert before.items() < json.loads(keyring.read_text()).items()
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Works")
    source = _source(issuer, "keyring")
    assert source.token()
    assert source.account().subject == "bob"  # type: ignore[union-attr]
    assert source.sign_out(revoke=False).left == ()
    assert json.loads(keyring.read_text()) == {}


@pytest.mark.parametrize(("before", "after"), [("keyring", "file"), ("file", "keyring")])
def test_giving_up_a_change_of_the_store(issuer: HostileIssuer, before: str, after: str) -> None:
    """A login to the other store that is given up leaves the sign-in where it is."""
    _signed_in(issuer, before)

    _give_up(_source(issuer, after))

    assert _source(issuer).account().store == before  # type: ignore[union-attr]
    assert _source(issuer, before).token()


def test_a_failure_beside_a_silent_keyring(
    issuer: HostileIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """If the new sign-in cannot be written while the keyring is silent, the one before works afterwards."""
    ann = _signed_in(issuer, "keyring")
    kept = (tmp_path / "keyring.json").read_text()
    (tmp_path / "keyring.hidden").write_text(kept)
    bob = _verified(issuer, "bob")
    replace = os.replace

    def fails(source: str, target: str, **options: Any) -> None:
        if os.path.basename(target).startswith("sign-in-v1-"):
            raise OSError(errno.ENOSPC, "full")
        replace(source, target, **options)

    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Silent")
    with monkeypatch.context() as full:
        full.setattr(os, "replace", fails)
        with pytest.raises(CacheError), ann._sign_in().begin("keyring", 5) as keep:
            keep(bob)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{BACKENDS}.Works")

    account = ann.account()
    assert account is not None
    assert ann._sign_in()._exchange_of(account).load().refresh_token == Secret("CANARY-refresh-1")
    assert (tmp_path / "keyring.json").read_text() == kept


def test_giving_up_beside_a_login_that_succeeds(issuer: HostileIssuer) -> None:
    """Ctrl-C in one terminal does not remove the sign-in that another terminal has just made."""
    source = _source(issuer)

    def interrupt(_: str) -> bool:
        _signed_in(issuer)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.sign_in(open_browser=interrupt)

    assert _source(issuer).token()


@pytest.mark.parametrize("failing", ["secret", "sign-in"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_the_earlier_sign_in_outlives_a_failure(
    issuer: HostileIssuer, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    """If either file of the new sign-in cannot be written, the user of before is still signed in."""
    ann = _signed_in(issuer)
    place, replace = ann._place(), os.replace
    kept = place.read("secret")
    failures = [error]

    def fails_once(source: str, target: str, **options: Any) -> None:
        if os.path.basename(target).startswith(f"{failing}-v1-") and failures:
            raise failures.pop()
        replace(source, target, **options)

    monkeypatch.setattr(os, "replace", fails_once)
    bob = _verified(issuer, "bob")

    @drops_frames_on_interrupt  # as the source has it
    def keeps() -> None:
        with ann._sign_in().begin("file", 5) as keep:
            keep(bob)

    with pytest.raises((CacheError, KeyboardInterrupt)):
        keeps()

    assert not failures
    assert ann.account().subject == "ann"  # type: ignore[union-attr]
    assert place.read("secret") == kept


def test_a_crash_between_the_two_writes(issuer: HostileIssuer) -> None:
    """One user's account with another user's secret counts as signed out."""
    ann = _signed_in(issuer)
    place = ann._place()
    secret = json.loads(place.read("secret") or b"")
    place.write("secret", json.dumps({**secret, "principal": "subject:bob"}).encode())

    with pytest.raises(LoginRequiredError, match="the sign-in of ann is gone"):
        _source(issuer).token()


@pytest.mark.parametrize(("subject", "count"), [("bob", 1), ("ann", 0)])
def test_signing_in_over_somebody(issuer: HostileIssuer, subject: str, count: int) -> None:
    """Another user's old refresh token is revoked; the same user's is not: the grant may be the same."""
    _signed_in(issuer)

    _signed_in(issuer, subject=subject)

    revoked = [form["token"] for _, path, form in issuer.requests if path == "/revoke"]
    assert revoked == ["CANARY-refresh-1"] * count  # refused with 404, which stops nobody
    assert _source(issuer).account().subject == subject  # type: ignore[union-attr]


@pytest.mark.quick
def test_signing_out_with_a_broken_keyring(issuer: HostileIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of either store is left, and the keyring's error is in the result."""
    source = _signed_in(issuer, "keyring")
    place = source._place()
    place.write("secret", b"CANARY left over")
    _break_keyring(monkeypatch)

    done = source.sign_out(revoke=False)

    assert done.users == ("ann",)
    assert "KeyringLocked" in done.left[0]
    assert [place.read(kind) for kind in ("sign-in", "sealed", "secret")] == [None, None, None]


def _verified(issuer: HostileIssuer, subject: str) -> Any:
    """Return verified tokens of *subject*."""
    from cognito_credentials.sign_in.issuers.tokens import Tokens

    issuer.claims = {"sub": subject}
    given = issuer.tokens()
    now = float(issuer._own_claims()["iat"])
    tokens = Tokens(Secret(given["id_token"]), Secret(given["refresh_token"]), None, now)
    return _source(issuer)._issuer().verified(tokens)
