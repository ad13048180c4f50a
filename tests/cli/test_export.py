"""`export`: every format, read by the shell or program that it is for."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli.formats import FORMATS, VARIABLES, export, removal
from cognito_credentials.credentials import TemporaryCredentials
from tests.cli.conftest import Cli, python

CREDENTIALS = TemporaryCredentials(
    "ASIAIOSFODNN7EXAMPLE", "wJalr/XUtn+EMI=CANARY", "token/with+all=CANARY&|<>%^;*?!#~(){}[]", 1_800_000_000
)
EXPECTED = {
    "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalr/XUtn+EMI=CANARY",
    "AWS_SESSION_TOKEN": "token/with+all=CANARY&|<>%^;*?!#~(){}[]",
    "AWS_CREDENTIAL_EXPIRATION": "2027-01-15T08:00:00Z",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
DUMP = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('AWS_')}))"


def _lines(style: str) -> str:
    return export(CREDENTIALS, style, region="eu-west-1", profile="guest")


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "ksh"])
def test_env_means_to_a_shell_what_it_says(shell: str) -> None:
    """Every character of a value survives the shell; --unset removes the variables."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    dump = f'{python()[0]} -c "{DUMP}"'
    script = f"{_lines('env')}{dump}\n{removal('env')}{dump}\n"
    done = subprocess.run(
        [shell, "-eu"], input=script, capture_output=True, text=True, env={"PATH": os.defpath}
    )

    set_, unset = (json.loads(line) for line in done.stdout.splitlines())
    assert set_ == EXPECTED
    assert unset == {}


@pytest.mark.parametrize(("shell", "style"), [("fish", "fish"), ("pwsh", "powershell")])
def test_other_shells_understand_theirs(shell: str, style: str) -> None:
    """Every character survives fish and PowerShell, where they are installed."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    dump = f'& {python()[0]} -c "{DUMP}"' if shell == "pwsh" else f'{python()[0]} -c "{DUMP}"'
    script = f"{_lines(style)}{dump}\n{removal(style)}{dump}\n"
    argv = ["pwsh", "-NoProfile", "-Command", "-"] if shell == "pwsh" else ["fish"]
    done = subprocess.run(argv, input=script, capture_output=True, text=True)

    set_, unset = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    assert {name: set_[name] for name in EXPECTED} == EXPECTED
    assert not EXPECTED.keys() & unset.keys()


def test_lines_are_those_of_the_aws_cli() -> None:
    """The output equals that of `aws configure export-credentials`."""
    first = {style: _lines(style).splitlines()[0] for style in FORMATS}

    assert first["env"] == "export AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE"
    assert first["env-no-export"] == "AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE"
    assert first["fish"] == "set -gx AWS_ACCESS_KEY_ID 'ASIAIOSFODNN7EXAMPLE'"
    assert first["powershell"] == '$Env:AWS_ACCESS_KEY_ID="ASIAIOSFODNN7EXAMPLE"'
    assert first["windows-cmd"] == "set AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE"
    assert json.loads(first["process"])["Version"] == 1


def test_what_cmd_would_obey_is_quoted() -> None:
    """An ampersand in a value must not become a command."""
    line = _lines("windows-cmd").splitlines()[2]

    assert line == f'set "AWS_SESSION_TOKEN={EXPECTED["AWS_SESSION_TOKEN"]}"'


def test_a_file_for_docker_has_the_values_as_they_are() -> None:
    """`docker run --env-file` reads lines verbatim: quotes would become part of the key."""
    read = dict(line.split("=", 1) for line in _lines("env-no-export").splitlines())

    assert read == EXPECTED


def test_ini_is_read_by_the_aws_tools() -> None:
    """Both spellings of the expiration are there, under the profile's name."""
    parser = configparser.RawConfigParser()
    parser.read_string(_lines("ini"))

    section = dict(parser["guest"])
    assert section["aws_secret_access_key"] == EXPECTED["AWS_SECRET_ACCESS_KEY"]
    assert section["region"] == "eu-west-1"
    assert (
        section["x_security_token_expires"] == section["aws_credential_expiration"] == "2027-01-15T08:00:00Z"
    )


@pytest.mark.parametrize("style", FORMATS)
def test_line_ends_are_line_feeds_and_the_removal_names_all_variables(style: str) -> None:
    """A carriage return would become part of a secret key: https://github.com/aws/aws-cli/issues/8187."""
    text = _lines(style)

    assert "\r" not in text
    assert text.endswith("\n")
    lines = removal(style)
    if lines is not None:
        assert [name for name in VARIABLES if name in lines] == list(VARIABLES)


def test_the_account_goes_with_them_when_it_is_known() -> None:
    """AWS_ACCOUNT_ID is set only where the account is known."""
    known = TemporaryCredentials("ASIAIOSFODNN7EXAMPLE", "s", "t", 1_800_000_000, "210987654321")

    assert "AWS_ACCOUNT_ID=210987654321\n" in export(known, "env-no-export", region=None, profile="p")
    assert "AWS_REGION" not in export(known, "env-no-export", region=None, profile="p")
    assert "AWS_ACCOUNT_ID" not in _lines("env-no-export")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("argv", "env", "region"),
    [
        ([], {}, "eu-west-1"),
        (["--region", "ap-south-1"], {"AWS_REGION": "us-west-2"}, "ap-south-1"),
        ([], {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-east-2"}, "us-west-2"),
        ([], {"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        ([], {"AWS_REGION": "x; rm -rf /"}, "eu-west-1"),
    ],
)
def test_region_is_option_environment_profile_pool(
    cli: Cli, pool_id: str, argv: list[str], env: dict[str, str], region: str
) -> None:
    """The region for the user's services may differ from the pool's; a malformed one is not passed on."""
    done = cli("export", "--profile", "guest", "--format", "env-no-export", *argv, env=env)

    assert (done.code, done.err) == (0, "")
    assert f"AWS_REGION={region}\nAWS_DEFAULT_REGION={region}\n" in done.out


def test_without_any_region_it_is_the_pools(cli: Cli, emulator: Any, pool_id: str) -> None:
    """Without any other region, the pool's is exported."""
    done = cli("export", "--identity-pool-id", pool_id, "--format", "env-no-export")

    assert "AWS_REGION=us-east-1\n" in done.out


@pytest.mark.parametrize(("extra", "code"), [([], 2), (["--print"], 0)])
def test_a_terminal_gets_no_credentials_unless_it_asks(
    cli: Cli, pool_id: str, extra: list[str], code: int
) -> None:
    """Without --print nothing is shown on a terminal, where others may look and scrollback keeps it."""
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    try:
        done = subprocess.run(
            python("export", "--profile", "guest", "--format", "env", *extra),
            env=cli.environ,
            stdout=terminal,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
        )
        os.write(terminal, b"END")
        shown = os.read(controller, 8192).decode()
    finally:
        os.close(controller)
        os.close(terminal)

    assert done.returncode == code
    assert ("ASIA" in shown) is (code == 0)
    assert ("--print" in done.stderr) is (code == 2)


@pytest.mark.writes_secrets
def test_the_real_thing_in_a_real_shell(cli: Cli, emulator: Any, pool_id: str, tmp_path: Path) -> None:
    """After `eval "$(cognito-credentials export …)"`, boto3 without a profile uses these credentials."""
    run = " ".join(python("export", "--profile", "guest", "--format", "env"))
    who = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    done = subprocess.run(
        ["sh", "-euc", f'eval "$({run})"; unset HOME; exec {python()[0]} -c "{who}"'],
        env=cli.environ, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip

    assert done.stdout.strip().endswith("/CognitoIdentityCredentials"), done.stderr
