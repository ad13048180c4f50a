"""The text of a source, as a profile has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cognito_credentials.errors import ConfigurationError
from cognito_credentials.logins import CommandSource, EnvironmentSource, FileSource, parse_source
from cognito_credentials.logins.schemes import names_source

from .tokens import jwt


def test_each_scheme_makes_its_source(place: Path) -> None:
    """file:, env: and command: name the three sources, with the home and environment given."""
    (place / "token").write_text("CANARY-1")
    environ = {"HOME": str(place), "USERPROFILE": str(place), "T": "CANARY-2"}

    file = parse_source("file:~/token", origin="x", environ=environ)
    variable = parse_source(" env: T ", origin="x", environ=environ)

    assert isinstance(file, FileSource)
    assert file.token().reveal() == "CANARY-1"
    assert isinstance(variable, EnvironmentSource)
    assert variable.token().reveal() == "CANARY-2"
    assert isinstance(parse_source("command:get-token --audience app", origin="x"), CommandSource)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (jwt(), "is no login source"),
        ("CANARY", "is no login source"),
        ("https://CANARY", "is no login source"),
        ("", "is no login source"),
        ("FILE:/x", "is no login source"),
        ("file:", "file: names nothing"),
        ("env: ", "env: names nothing"),
        ("command:", "command: names nothing"),
        ("env:$TOKEN", "no name of an environment variable"),
        ("env:A=CANARY", "no name of an environment variable"),
        ("file:token", "file:token is not an absolute path"),
        ("file:../token", "is not an absolute path"),
        ("file:~other/token", "is not an absolute path"),
        ("command:get 'CANARY", "an open quote or no program"),
        ("command:'' x", "an open quote or no program"),
        ("keyring:app/ann", "is no login source"),
        ("developer:https://CANARY", "is no login source"),  # whose maker is in `pool/logins.py`
    ],
)
def test_a_bad_source_is_one_clear_line(text: str, what: str) -> None:
    """The error names the setting and the profile, says what to write, and never repeats the value."""
    with pytest.raises(ConfigurationError) as caught:
        parse_source(text, origin="profile 'app'", environ={})

    message = str(caught.value)
    assert message.startswith("cognito_logins from profile 'app'")
    assert what in message
    assert caught.value.hint
    assert "CANARY" not in message
    assert "eyJ" not in message


def test_tokens_do_not_look_like_sources() -> None:
    """No kind of token is taken for the text of a source."""
    assert names_source("command:rm -rf /")
    for token in (jwt(), "Atza|IwEB", "token;secret", "PHNhbWw+", "file", "filer:x", ""):
        assert not names_source(token)
