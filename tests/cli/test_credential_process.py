"""`credential-process`: its output, its speed and its errors, as SDKs depend on them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from tests.cli.conftest import Cli, Done, python

ARGV = ("credential-process", "--profile", "guest")


def test_success_is_one_json_object_and_nothing_else(cli: Cli, emulator: Any, pool_id: str) -> None:
    """stdout is exactly one line of JSON in the documented form, short enough for every SDK."""
    done = cli(*ARGV)

    assert (done.code, done.err) == (0, "")
    assert done.out.count("\n") == 1
    assert len(done.out) < 8192
    answer = json.loads(done.out)
    assert set(answer) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert answer["Version"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["Expiration"])
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1}


def test_the_second_answer_is_the_first_and_asks_nobody(cli: Cli, emulator: Any, pool_id: str) -> None:
    """A second run prints the same credentials, by the shortcut and without a request."""
    first, before = cli(*ARGV), emulator.requests()
    second = cli(*ARGV)

    assert second == first
    assert emulator.requests() == before


def test_account_id_is_there_when_it_is_known(cli: Cli, pool_id: str) -> None:
    """`AccountId`, which account-based endpoints need, is printed only where the account is known."""
    done = cli(*ARGV, "--account-id", "210987654321")

    assert json.loads(done.out)["AccountId"] == "210987654321"


@pytest.mark.writes_secrets
def test_a_policy_file_that_changes_is_not_overlooked(
    cli: Cli, emulator: Any, pool_id: str, tmp_path: Path
) -> None:
    """When the file of the policy changes, the same command line gets other credentials."""
    policy = tmp_path / "policy.json"
    argv = (*ARGV, "--flow", "basic", "--role-arn", "arn:aws:iam::123456789012:role/unauthenticated")
    statement = {"Version": "2012-10-17", "Statement": []}
    policy.write_text(json.dumps(statement))
    first = cli(*argv, "--policy", f"file://{policy}")
    policy.write_text(json.dumps({**statement, "Id": "other"}))
    second = cli(*argv, "--policy", f"file://{policy}")

    assert first.code == second.code == 0
    assert json.loads(first.out)["AccessKeyId"] != json.loads(second.out)["AccessKeyId"]


@pytest.mark.writes_secrets
def test_a_login_given_by_file_signs_in(cli: Cli, emulator: Any, tmp_path: Path) -> None:
    """--login names where the token is; the identity is the signed-in user's."""
    pool = emulator.create_pool(
        AllowUnauthenticatedIdentities=False, SupportedLoginProviders={"accounts.google.com": "app"}
    )
    token = tmp_path / "token"
    token.write_text(emulator.login_token("accounts.google.com", audience="app"))
    env = {"AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url}

    done = cli(
        "credential-process",
        "--identity-pool-id",
        pool,
        "--login",
        f"accounts.google.com=file:{token}",
        env=env,
    )

    assert done.code == 0, done.err


@pytest.mark.parametrize("hours", [2, -2])
def test_a_wrong_clock_is_named_when_the_sdk_would_be_misled(
    cli: Cli, emulator: Any, pool_id: str, hours: int
) -> None:
    """
    With this machine's clock two hours ahead, the SDK would see credentials that have expired: say why.

    With it behind, they look longer-lived than they are, and are given out.
    """
    emulator.move_clock(-hours * 3600)

    done = cli(*ARGV)

    if hours > 0:
        assert (done.code, done.out) == (4, "")
        assert "clock is 120 min ahead of" in done.line or "clock is 2 h 0 min ahead of" in done.line
        assert "Set the clock" in done.line
    else:
        assert done.code == 0
        assert "clock" in done.err


def test_stdin_is_not_read_and_a_terminal_is_no_obstacle(cli: Cli, pool_id: str) -> None:
    """It neither prompts nor hangs: stdin stays unread, and on a terminal the output is the same."""
    pty = pytest.importorskip("pty")
    reading, writing = os.pipe()
    controller, terminal = pty.openpty()
    try:
        done = subprocess.run(
            python(*ARGV), env=cli.environ, stdin=reading, stdout=terminal, stderr=subprocess.PIPE, timeout=60
        )
        shown = os.read(controller, 8192)
    finally:
        for descriptor in (reading, writing, controller, terminal):
            os.close(descriptor)

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(shown)["Version"] == 1


def test_a_warning_is_not_in_the_way_of_the_one_line(
    cli: Cli, emulator: Any, pool_id: str, isolation: Path
) -> None:
    """When it fails, stderr has the error and no warning, since the SDK pastes stderr into its own error."""
    (isolation / ".aws" / "cognito").write_text("no directory")  # so that there is a warning each time
    warned = cli(*ARGV)
    emulator.plan_faults({"operation": "*", "times": -1, "code": "InternalErrorException"})
    failed = cli(*ARGV)

    assert warned.code == 0
    assert warned.line.startswith("cognito-credentials: warning: profile 'guest': cache directory ")
    assert cli(*ARGV, "--quiet").out == failed.out == ""
    assert failed.code == 6
    assert failed.line.startswith("cognito-credentials: profile 'guest': ")


def test_botocore_takes_it(
    cli: Cli, emulator: Any, pool_id: str, config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ProcessProvider of the real botocore runs it from a profile, and signs with what it prints."""
    command = " ".join(f'"{word}"' for word in python(*ARGV))
    path = config(f"[profile guest]\ncognito_identity_pool_id = {pool_id}\n")
    profile = f"[profile sdk]\nregion = us-east-1\ncredential_process = {command}\n"
    path.write_text(path.read_text() + profile)
    monkeypatch.setenv("PYTHONPATH", cli.environ["PYTHONPATH"])
    session = botocore.session.Session(profile="sdk")

    credentials = session.get_credentials()

    assert credentials.method == "custom-process"
    arn = session.create_client("sts", endpoint_url=emulator.url).get_caller_identity()["Arn"]
    assert arn.endswith("/CognitoIdentityCredentials")


def test_botocore_shows_our_line_when_it_fails(
    cli: Cli, config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error that an SDK's user reads names the profile, what is wrong and what to do."""
    command = " ".join(f'"{word}"' for word in python(*ARGV))
    config(f"[profile guest]\ncredential_process = {command}\n")
    monkeypatch.setenv("PYTHONPATH", cli.environ["PYTHONPATH"])

    with pytest.raises(botocore.exceptions.CredentialRetrievalError) as caught:
        botocore.session.Session(profile="guest").get_credentials()

    said = str(caught.value)
    assert "cognito-credentials: profile 'guest': no identity pool is configured" in said
    assert "Traceback" not in said


def test_the_process_is_protected_against_core_dumps(cli: Cli, call: Callable[..., Done]) -> None:
    """The process leaves no core file, and other processes of the user cannot read its memory."""
    resource = pytest.importorskip("resource")
    code = (
        "import resource, sys, cognito_credentials.cli as c; sys.argv[1:] = ['list']; c.main(); "
        "import ctypes; dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0); "
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0], dumpable)"
    )
    soft = resource.getrlimit(resource.RLIMIT_CORE)
    done = subprocess.run([python()[0], "-c", code], env=cli.environ, capture_output=True, text=True)
    call("list")

    assert done.stdout.splitlines()[-1] == "0 0", done.stderr
    assert resource.getrlimit(resource.RLIMIT_CORE) == soft, "a library call changed its host"


def test_a_hit_is_protected_against_core_dumps(cli: Cli, pool_id: str) -> None:
    """The process leaves no core file on the fast path either."""
    pytest.importorskip("resource")
    code = (
        "import resource, sys, cognito_credentials.cli as c; sys.argv[1:] = ['credential-process', "
        "'--profile', 'guest']; resource.setrlimit(resource.RLIMIT_CORE, (1, 1)); code = c.main(); "
        "slow = 'cognito_credentials.cli.commands' in sys.modules; "
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0], slow)"
    )
    for _ in range(2):
        done = subprocess.run([python()[0], "-c", code], env=cli.environ, capture_output=True, text=True)

    assert done.stdout.splitlines()[-1] == "0 False", done.stderr
