"""Without the extra ``login``: one error, before anything else, with the command that installs it here."""

from __future__ import annotations

import json
import shlex
import sys
from importlib import metadata
from typing import Any

import pytest

from cognito_credentials.errors import ConfigurationError
from cognito_credentials.sign_in.extra import install_command, needs_extra
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
    assert caught.value.hint == f"Run: {install_command(sys.executable)}"
    assert "\n" not in str(caught.value)
    assert (person.shown, person.asked) == ([], [])


def test_a_device_code_needs_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library for QR codes is missed where it is needed, and only there."""
    monkeypatch.setitem(sys.modules, "segno", None)

    with pytest.raises(ConfigurationError, match="'segno', which is not installed"):
        OidcLogin("http://127.0.0.1:9", "client", store="file").sign_in(Person(), way="device")
    with pytest.raises(Exception, match="cannot be reached"):
        OidcLogin("http://127.0.0.1:9", "client", store="file").sign_in(Person(), way="browser")


def test_the_command_is_for_this_python() -> None:
    """pip takes what is installed, from a checkout too, for the package that is meant."""
    words = shlex.split(install_command("/opt/my app/bin/python", has_pip=True))

    assert words == ["/opt/my app/bin/python", "-m", "pip", "install", "cognito-credentials[login]"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (None, ["cognito-credentials[login]"]),
        ({"url": "file:///src/a%20b", "dir_info": {}}, ["/src/a b[login]"]),
        ({"url": "file:///src/app", "dir_info": {"editable": True}}, ["--editable", "/src/app[login]"]),
        (
            {"url": "https://git.example/app", "vcs_info": {"vcs": "git", "commit_id": "abc123"}},
            ["cognito-credentials[login] @ git+https://git.example/app@abc123"],
        ),
        (
            {"url": "file:///tmp/app.whl", "archive_info": {}},
            ["cognito-credentials[login] @ file:///tmp/app.whl"],
        ),
    ],
)
def test_uv_is_told_where_the_package_came_from(
    monkeypatch: pytest.MonkeyPatch, record: dict[str, Any] | None, expected: list[str]
) -> None:
    """Where there is no pip, the command names the checkout, the repository, the file or the index."""

    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return None if record is None else json.dumps(record)

    monkeypatch.setattr(metadata, "distribution", lambda _: Installed())

    words = shlex.split(install_command("/opt/python", has_pip=False))
    assert words == ["uv", "pip", "install", "--python", "/opt/python", *expected]


def test_the_record_of_this_installation_is_read() -> None:
    """The real record, which pip or uv wrote, is understood."""
    words = shlex.split(install_command("python", has_pip=False))

    assert words[-1].endswith("[login]") or "[login] @ " in words[-1]


def test_an_unreadable_installation_is_taken_for_one_from_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without metadata, the plain name is all that can be said."""

    def missing(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert install_command("python", has_pip=False).endswith("'cognito-credentials[login]'")


def test_a_module_of_the_app_is_not_ours_to_install() -> None:
    """A prompt or function that lacks a module of its own: its error passes through."""
    with pytest.raises(ModuleNotFoundError), needs_extra():
        raise ModuleNotFoundError("No module named 'tkinter'", name="tkinter")
    with pytest.raises(ConfigurationError, match="'jwt'"), needs_extra():
        raise ModuleNotFoundError("No module named 'jwt.algorithms'", name="jwt.algorithms")
