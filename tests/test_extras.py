"""The command that adds an extra is for this installation: its Python, and what it was installed from."""

from __future__ import annotations

import json
import shlex
import sys
from importlib import metadata
from typing import Any

import pytest

from cognito_credentials.extras import install_command


@pytest.mark.parametrize("extra", ["login", "emulator", "emulator,saml"])
def test_the_command_names_the_python_that_runs(extra: str) -> None:
    """A bare ``pip`` could be another Python's; the command names this one, and the extra."""
    words = shlex.split(install_command(extra))

    assert sys.executable in words
    assert words[-1].partition(" @ ")[0].endswith(f"[{extra}]")


def test_the_command_is_for_this_python() -> None:
    """pip takes what is installed, from a checkout too, for the package that is meant."""
    words = shlex.split(install_command("login", "/opt/my app/bin/python", has_pip=True))

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

    words = shlex.split(install_command("login", "/opt/python", has_pip=False))
    assert words == ["uv", "pip", "install", "--python", "/opt/python", *expected]


def test_the_record_of_this_installation_is_read() -> None:
    """The real record, which pip or uv wrote, is understood."""
    words = shlex.split(install_command("login", "python", has_pip=False))

    assert words[-1].endswith("[login]") or "[login] @ " in words[-1]


def test_an_unreadable_installation_is_taken_for_one_from_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without metadata, the plain name is all that can be said."""

    def missing(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert install_command("login", "python", has_pip=False).endswith("'cognito-credentials[login]'")
