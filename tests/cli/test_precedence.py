"""What other programs use in place of a profile's pool is said by `status` and `whoami`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


def test_without_a_profile_there_is_nothing_to_say(call: Call, pool_id: str) -> None:
    """A pool that is named on the command line stands for itself."""
    done = call("status", "--identity-pool-id", pool_id, "--json")

    assert json.loads(done.out)["notes"] == []
