"""The sign-in in a real keyring: gnome-keyring, over the Secret Service protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cli.login.conftest import App

secretstorage = pytest.importorskip("secretstorage", reason="this needs SecretStorage, which keyring brings")


@pytest.fixture
def collection(bus: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """The items of the desktop's keyring, as another program sees them."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    connection = secretstorage.dbus_init()
    yield lambda: secretstorage.get_default_collection(connection)
    connection.close()


@pytest.mark.quick
def test_the_sign_in_is_sealed_with_a_key_in_the_keyring(app: App, collection: Callable[[], Any]) -> None:
    """The keyring holds only a random key of 32 bytes, under a hash, and the stored token is encrypted."""
    done = app.login("ann")
    assert done.code == 0, done.err
    assert "the sign-in is kept in the keyring" in done.out

    items = list(collection().get_all_items())
    assert len(items) == 1
    assert len(items[0].get_secret()) == 44  # base64 of 32 bytes
    shown = items[0].get_label() + json.dumps(items[0].get_attributes())
    for private in ("ann", app.pool_id, app.issuer, "example.com"):
        assert private not in shown
    kept = app.kept()
    assert [name for name in kept if "/sealed-v1-" in name]
    assert not [name for name in kept if "/secret-v1-" in name]
    assert "ann@example.com, kept in the keyring" in app("status").out


def test_later_processes_refresh_with_it(app: App) -> None:
    """Each new process decrypts the token, refreshes, and encrypts the rotated one."""
    app.login("ann")
    sealed = [app.kept()]
    for _ in range(2):
        done = app("refresh")
        assert done.code == 0, done.err
        sealed.append(app.kept())

    texts = [next(text for name, text in each.items() if "/sealed-v1-" in name) for each in sealed]
    assert len(set(texts)) == 3


def test_logout_leaves_nothing_in_the_keyring(app: App, collection: Callable[[], Any]) -> None:
    """`logout` removes the key, the encrypted token and the account file, and revokes the token."""
    app.login("ann")

    done = app("logout")

    assert "revoked and removed" in done.out
    assert list(collection().get_all_items()) == []
    assert not [name for name in app.kept() if "sign-in" in name]
    assert app("credential-process").code == 3


def test_a_locked_keyring_takes_nothing_away(app: App, collection: Callable[[], Any]) -> None:
    """With a locked keyring, cached credentials are used, and a refresh fails in time, with the reason."""
    app.login("ann")
    app("credential-process")
    collection().lock()

    assert json.loads(app("credential-process").out)["AccessKeyId"]
    refused = app("refresh", timeout=30)
    assert refused.code == 7
    assert "the keyring cannot be used" in refused.line
    assert json.loads(app("credential-process").out)["AccessKeyId"]


def test_no_bus_at_all(app: App) -> None:
    """Without a keyring (SSH), `login` says so before anybody signs in, and how to choose a file instead."""
    done = app.login("ann", DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent")

    assert done.code == 7
    assert "--store file" in done.err
    assert not app.browser_was_opened
    assert app.login("ann", "--store", "file", DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent").code == 0


def test_from_file_to_keyring(app: App) -> None:
    """Signing in again with another store leaves nothing in the first."""
    app.login("ann", "--store", "file")
    assert [name for name in app.kept() if "/secret-v1-" in name]

    app.login("ann", "--store", "keyring")

    assert not [name for name in app.kept() if "/secret-v1-" in name]
