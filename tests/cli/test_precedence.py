"""What other programs use in place of a profile's pool is said by `status` and `whoami`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli import own_command
from cognito_credentials.cli.precedence import what_wins_over_endpoint
from cognito_credentials.settings.load import load
from tests.cli.conftest import Done

Call = Callable[..., Done]

KEYS = "aws_access_key_id = AKIAAAAAAAAAAAAAAAAA\naws_secret_access_key = CANARY-secret\n"


def notes(call: Call, isolation: Path, profile: str = "", credentials: str = "") -> list[str]:
    """Add lines to the profile and to the credentials file; return the notes of `status`."""
    config = isolation / ".aws" / "config"
    config.write_text(config.read_text() + profile)
    if credentials:
        (isolation / ".aws" / "credentials").write_text(credentials)
    done = call("status", "--profile", "guest", "--json")
    assert done.code == 0
    found: list[str] = json.loads(done.out)["notes"]
    return found


@pytest.fixture
def process(isolation: Path) -> str:
    """A ``credential_process`` that is in order."""
    program = isolation / "bin" / "cognito-credentials"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    return f"credential_process = {program} credential-process --profile"


@pytest.mark.writes_secrets
def test_keys_in_the_credentials_file(call: Call, pool_id: str, isolation: Path, process: str) -> None:
    """Keys of another tool under the profile's name are used by everything; both commands name the file."""
    (note,) = notes(call, isolation, f"{process} guest\n", f"[guest]\n{KEYS}")

    path = isolation / ".aws" / "credentials"
    assert note.startswith(f"profile 'guest' has keys in {path}: boto3, the AWS CLI and other SDKs use those")
    assert f"Note           {note}.\n" in call("status", "--profile", "guest").out
    assert note in call("whoami", "--profile", "guest").err


@pytest.mark.writes_secrets
def test_keys_in_the_config_file(call: Call, pool_id: str, isolation: Path, process: str) -> None:
    """Some SDKs use keys of the config file before they run a program."""
    (note,) = notes(call, isolation, f"{process} guest\n{KEYS}")

    assert f"has keys in {isolation / '.aws' / 'config'}" in note


@pytest.mark.writes_secrets
def test_keys_of_another_profile_do_not_count(
    call: Call, pool_id: str, isolation: Path, process: str
) -> None:
    """A profile that is in order has no note."""
    assert notes(call, isolation, f"{process} guest\n", f"[default]\n{KEYS}") == []


def test_keys_in_the_environment(
    call: Call, pool_id: str, isolation: Path, process: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys in the environment win where no profile is given."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAAAAAAAAAAAAAAAA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY-secret")

    (note,) = notes(call, isolation, f"{process} guest\n")
    assert note.startswith("AWS_ACCESS_KEY_ID is set")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = other\n", "has role_arn: SDKs use"),
        ("sso_session = corp\n", "has sso_session: SDKs use"),
        ("login_session = arn:aws:iam::123456789012:user/ann\n", "has login_session: SDKs use"),
        ("region = us-est-1\n", "has the region 'us-est-1', which is none. Write us-west-1 or us-east-1"),
    ],
)
def test_other_sources_of_the_profile(
    call: Call, emulator: Any, isolation: Path, process: str, lines: str, said: str
) -> None:
    """A role or a single sign-on of the profile is used in place of the pool; a wrong region is named."""
    aws = isolation / ".aws"
    aws.mkdir(exist_ok=True)
    (aws / "config").write_text(f"[profile guest]\ncognito_identity_pool_id = {emulator.create_pool()}\n")

    (note,) = notes(call, isolation, f"{process} guest\n{lines}")
    assert said in note


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "has no credential_process: the AWS CLI and other SDKs do not use it"),
        ("credential_process = /opt/other credential-process --x\n", "runs another program"),
        (
            "credential_process = /nowhere/cognito-credentials credential-process --profile guest\n",
            "runs /nowhere/cognito-credentials, which is not there",
        ),
        ("PROCESS other\n", "gives the credentials of profile 'other', which does not exist"),
        ("PROCESS nothing\n\n[profile nothing]\n", "gives the credentials of profile 'nothing'. Run"),
    ],
)
def test_the_line_of_the_profile(
    call: Call, pool_id: str, isolation: Path, process: str, line: str, said: str
) -> None:
    """A credential_process that is missing, or that leads elsewhere, is said with what mends it."""
    (note,) = notes(call, isolation, line.replace("PROCESS", process))

    assert said in note
    assert note.endswith("Run 'cognito-credentials configure --profile guest'")


@pytest.mark.parametrize("lost", ["cognito-credentials.py", "python"])
def test_the_line_that_configure_writes(
    call: Call, pool_id: str, isolation: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """Of `python -E …/cognito-credentials.py` each file is looked for; a missing one is named."""
    folder = isolation / "an installation"
    folder.mkdir()
    (folder / "cognito-credentials.py").touch()
    (folder / "python").symlink_to(sys.executable)
    monkeypatch.setattr(own_command, "_beside", lambda name: [str(folder / name)])
    monkeypatch.setattr(own_command, "_interpreter", lambda: str(folder / "python"))
    line = own_command.credential_process("guest")
    assert notes(call, isolation, f"credential_process = {line}\n") == []
    (folder / lost).unlink()

    (note,) = notes(call, isolation)
    assert f"runs {folder / lost}, which is not there. Run 'cognito-credentials configure" in note


@pytest.mark.parametrize("change", ["the file is gone", "PATH is another"])
def test_a_program_that_is_gone_is_said_on_the_quick_way_too(
    call: Call, pool_id: str, isolation: Path, process: str, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Whether the program is there is looked at each time, and not taken from an earlier `status`."""
    program = isolation / "bin" / "cognito-credentials"
    if change == "PATH is another":
        process = process.replace(str(program), program.name)
        monkeypatch.setenv("PATH", str(program.parent))
    assert notes(call, isolation, f"{process} guest\n") == []
    call("credential-process", "--profile", "guest")
    assert [notes(call, isolation) for _ in range(2)] == [[], []]
    if change == "PATH is another":
        monkeypatch.setenv("PATH", "/nowhere")
    else:
        program.unlink()

    assert [len(notes(call, isolation)) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    "named", [[], ["--identity-pool-id", "us-east-1:00000000-0000-4000-8000-000000000000"]]
)
def test_a_line_without_a_profile(
    call: Call, pool_id: str, isolation: Path, process: str, named: list[str]
) -> None:
    """Without `--profile` the line is the default profile's, if it does not name a pool itself."""
    line = " ".join([process.removesuffix(" --profile"), *named])
    found = notes(call, isolation, f"{line}\n")

    assert len(found) == (0 if named else 1)
    assert all("names no profile: a program that is given this one gets" in note for note in found)


def test_keys_beside_a_pool_of_the_environment(
    call: Call, pool_id: str, config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys in the environment or the profile in effect win over a pool of the environment, as in boto3."""
    config("[default]\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", pool_id)
    assert json.loads(call("status", "--json").out)["notes"] == []
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAAAAAAAAAAAAAAAA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY-secret")

    (note,) = json.loads(call("status", "--json").out)["notes"]
    assert note.startswith("AWS_ACCESS_KEY_ID is set: programs that are not told a profile use that key")
    assert note in call("whoami").err
    config("")
    assert json.loads(call("status", "--json").out)["notes"] == [note]


@pytest.mark.writes_secrets
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (KEYS, "profile 'default' has keys in"),
        ("sso_session = corp\n", "profile 'default' has sso_session"),
        ("credential_process = /opt/other --x\n", "runs another program"),
    ],
)
def test_what_the_default_profile_has_beside_a_pool_of_the_environment(
    call: Call,
    pool_id: str,
    config: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    lines: str,
    said: str,
) -> None:
    """A source of the profile in effect wins over a pool of the environment."""
    config(f"[default]\n{lines}")
    monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", pool_id)

    (note,) = json.loads(call("status", "--json").out)["notes"]
    assert said in note


def test_without_a_profile_there_is_nothing_to_say(call: Call, pool_id: str) -> None:
    """A pool that is named on the command line stands for itself."""
    done = call("status", "--identity-pool-id", pool_id, "--json")

    assert json.loads(done.out)["notes"] == []


@pytest.mark.writes_secrets
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (f"[default]\n{KEYS}", "profile 'default' has keys in "),
        ("[default]\nrole_arn = r\nsource_profile = base\n", "profile 'default' has source_profile: "),
        ("[default]\nweb_identity_token_file = /t\n", "profile 'default' has web_identity_token_file: "),
        ("[default]\nsso_session = corp\n", "profile 'default' has sso_session: "),
        ("[default]\ncredential_process = /opt/other\n", "profile 'default' has credential_process: "),
        ("[default]\nPROCESS default\n", "profile 'default' has credential_process: "),
        ("[default]\nregion = us-east-1\n", ""),
        (f"[profile other]\n{KEYS}", ""),
    ],
)
def test_what_sdks_prefer_to_an_endpoint(
    pool_id: str, config: Callable[[str], Path], isolation: Path, process: str, lines: str, said: str
) -> None:
    """SDKs look at the files before they ask an endpoint: what the default profile has there is named."""
    text = lines.replace("PROCESS", process)
    config(f"[profile guest]\ncognito_identity_pool_id = {pool_id}\n{text}")
    settings = load({}, environ=os.environ, profile="guest")

    found = what_wins_over_endpoint(settings, os.environ)

    assert len(found) == bool(said)
    assert all(note.startswith(said) and "not the endpoint. Remove" in note for note in found)


def test_an_own_process_for_the_same_profile_hurts_no_endpoint(
    pool_id: str, config: Callable[[str], Path], process: str
) -> None:
    """Of a profile that gives the endpoint's own credentials there is nothing to say."""
    config(f"[profile guest]\ncognito_identity_pool_id = {pool_id}\n{process} guest\n")
    settings = load({}, environ=os.environ, profile="guest")

    assert what_wins_over_endpoint(settings, {**os.environ, "AWS_PROFILE": "guest"}) == []


@pytest.mark.parametrize(
    ("variables", "said", "fix"),
    [
        (
            {"AWS_ACCESS_KEY_ID": "AKIAAAAAAAAAAAAAAAAA", "AWS_SECRET_ACCESS_KEY": "CANARY-secret"},
            "AWS_ACCESS_KEY_ID is set: SDKs use that key",
            "Unset it",
        ),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/Other"},
            "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are set: SDKs use that role",
            "Unset both",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x"},
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is set: SDKs use the container's role",
            "Unset it",
        ),
    ],
)
def test_what_of_the_environment_wins_over_an_endpoint(
    pool_id: str, config: Callable[[str], Path], variables: dict[str, str], said: str, fix: str
) -> None:
    """What is in the environment of `serve` is probably in that of its clients, too."""
    config(f"[profile guest]\ncognito_identity_pool_id = {pool_id}\n")
    settings = load({}, environ=os.environ, profile="guest")

    assert what_wins_over_endpoint(settings, {**os.environ, **variables}) == [
        f"{said} and not the endpoint. {fix}"
    ]
