"""Signing out by scope takes away exactly its part, and says what that was; the guest is left alone."""

from __future__ import annotations

import json

import pytest

from .conftest import App

pytestmark = pytest.mark.writes_secrets  # the plain store
USER = "Signed out ann@example.com: the refresh token is revoked and removed."


def _kinds(app: App) -> set[str]:
    """What is kept, by the first word of its file's name."""
    names = {name.rpartition("/")[2] for name in app.kept()}
    return {name.partition("-v1-")[0] for name in names if "-v1-" in name}


@pytest.mark.parametrize(
    ("scope", "left", "lines"),
    [
        ("credentials", {"identity", "sign-in", "secret"}, ["Removed the credentials."]),
        ("login", {"identity"}, [USER, "Removed the credentials."]),
        ("identity", set(), [USER, "Removed the credentials.", "Forgot the identity {}."]),
    ],
)
def test_each_scope_removes_its_part(app: App, scope: str, left: set[str], lines: list[str]) -> None:
    """Credentials; the login, too; the identity, too: each is gone from the disk and named, and no more."""
    app.login("ann")
    identity_id = json.loads(app("status", "--json").out)["identity_id"]
    assert _kinds(app) == {"identity", "credentials", "sign-in", "secret"}

    done = app("logout", "--scope", scope)

    assert done.code == 0
    assert done.out.splitlines() == [line.format(identity_id) for line in lines]
    assert _kinds(app) == left
    assert app("credential-process").code == (0 if scope == "credentials" else 3)


def test_the_guest_is_untouched_by_a_login_that_does_not_link(app: App) -> None:
    """After `login --no-link` the guest is who it was, with its credentials; after the sign-out, too."""
    before = json.loads(app.cli("credential-process", "--profile", "guest").out)
    guest = json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"]

    assert app.login("ann", "--no-link").code == 0
    user = json.loads(app("status", "--json").out)["identity_id"]
    during = json.loads(app.cli("credential-process", "--profile", "guest").out)
    app("logout", "--scope", "identity")
    after = json.loads(app.cli("credential-process", "--profile", "guest").out)

    assert before == during == after
    assert json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"] == guest != user
    assert app.cli("refresh", "--profile", "guest").code == 0  # at the service, too, it is a guest still
    assert json.loads(app.cli("status", "--json", "--profile", "guest").out)["identity_id"] == guest
    # Who was signed in does not become the guest by signing out.
    assert app("credential-process").code == 3
