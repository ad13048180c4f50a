"""Without the extra ``login``: one error, before anything else, with the command that installs it here."""

from __future__ import annotations

import sys

import pytest

from cognito_credentials.errors import ConfigurationError
from cognito_credentials.extras import install_command
from cognito_credentials.sign_in.extra import needs_extra
from cognito_credentials.sign_in.sources import OidcLogin, UserPool

from .conftest import Person


@pytest.mark.parametrize("way", ["browser", "no-browser", "password", None])
@pytest.mark.parametrize("libraries", [["authlib"], ["authlib", "jwt", "cryptography"]])
def test_what_is_missing_is_said_first_and_whole(
    monkeypatch: pytest.MonkeyPatch, way: str | None, libraries: list[str]
) -> None:
    """Browser, keyring and ports are not looked at before; nobody is told or asked anything."""
    for name in libraries:
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    person = Person("ann", "CANARY", can_ask=False)
    source = UserPool("us-east-1_Ab1Cd2Ef3", "client", environ={"HOME": "/nonexistent"})

    with pytest.raises(ConfigurationError) as caught:
        source.sign_in(person, way=way)

    assert all(f"'{name}'" in caught.value.message for name in libraries)
    assert caught.value.hint == f"Run: {install_command('login')}"
    assert "\n" not in str(caught.value)
    assert (person.shown, person.asked) == ([], [])


def test_a_device_code_needs_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library for QR codes is missed where it is needed, and only there."""
    monkeypatch.setitem(sys.modules, "segno", None)

    with pytest.raises(ConfigurationError, match="'segno', which is not installed"):
        OidcLogin("http://127.0.0.1:9", "client", store="file").sign_in(Person(), way="device")
    with pytest.raises(Exception, match="cannot be reached"):
        OidcLogin("http://127.0.0.1:9", "client", store="file").sign_in(Person(), way="browser")


def test_a_module_of_the_app_is_not_ours_to_install() -> None:
    """A prompt or function that lacks a module of its own: its error passes through."""
    with pytest.raises(ModuleNotFoundError), needs_extra():
        raise ModuleNotFoundError("No module named 'tkinter'", name="tkinter")
    with pytest.raises(ConfigurationError, match="'jwt'"), needs_extra():
        raise ModuleNotFoundError("No module named 'jwt.algorithms'", name="jwt.algorithms")
