"""Each scope of signing out removes exactly its part, names it, and leaves the guest alone."""

from __future__ import annotations

import json
import re

import pytest

from .conftest import App

pytestmark = pytest.mark.writes_secrets  # the plain store
USER = "Signed out ann@example.com: the refresh token is revoked and removed."


def _kinds(app: App) -> set[str]:
    """Return the files that are kept, by the first word of their names."""
    names = {name.rpartition("/")[2] for name in app.kept()}
    return {kind for name in names for kind in re.findall(r"(.+)-v\d-", name)}


@pytest.mark.parametrize(
    ("scope", "left", "lines"),
    [
        ("credentials", {"identity", "sign-in", "secret", "process"}, ["Removed the credentials."]),
        ("login", {"identity"}, [USER, "Removed the credentials."]),
        ("identity", set(), [USER, "Removed the credentials.", "Forgot the identity {}."]),
    ],
)
def test_each_scope_removes_its_part(app: App, scope: str, left: set[str], lines: list[str]) -> None:
    """The scopes remove the credentials, the login too, and the identity too, and name what they remove."""
    app.login("ann")
    identity_id = json.loads(app("status", "--json").out)["identity_id"]
    assert _kinds(app) == {"identity", "credentials", "sign-in", "secret", "process"}

    done = app("logout", "--scope", scope)

    assert done.code == 0
    assert done.out.splitlines() == [line.format(identity_id) for line in lines]
    assert _kinds(app) == left
    assert app("credential-process").code == (0 if scope == "credentials" else 3)


def test_the_guest_is_untouched_by_a_login_that_does_not_link(app: App) -> None:
    """`login --no-link` and signing out leave the guest's identity and credentials as they were."""
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
