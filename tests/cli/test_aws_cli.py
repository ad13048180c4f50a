"""The real AWS CLI with a profile that `configure` wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

AWS = Path(sys.executable).parent / "aws"

pytestmark = pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed beside this Python")


def _aws(cli: Cli, *argv: str) -> subprocess.CompletedProcess[str]:
    environ = {**cli.environ, "AWS_PAGER": ""}
    return subprocess.run(
        [sys.executable, str(AWS), *argv],
        env=environ,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_aws_sts_get_caller_identity(cli: Cli, emulator: Any, pool_id: str, isolation: Path) -> None:
    """After `configure`, `aws sts get-caller-identity` shows the guest's role; two runs make one exchange."""
    (isolation / ".aws" / "config").unlink()
    written = cli("configure", "--profile", "guest", "--identity-pool-id", pool_id, "--yes")
    assert written.code == 0, written.err

    first = _aws(cli, "sts", "get-caller-identity", "--profile", "guest")
    second = _aws(cli, "sts", "get-caller-identity", "--profile", "guest")

    assert (first.returncode, first.stderr) == (0, "")
    assert json.loads(first.stdout)["Arn"].endswith("/CognitoIdentityCredentials")
    assert second.stdout == first.stdout
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 2}


@pytest.mark.thorough
def test_the_aws_cli_shows_our_line(cli: Cli, emulator: Any, pool_id: str, isolation: Path) -> None:
    """When the pool refuses guests, the AWS CLI shows why, and what to do."""
    cli("configure", "--profile", "guest", "--identity-pool-id", pool_id, "--yes")
    emulator.plan_faults(
        {
            "operation": "GetId",
            "times": -1,
            "code": "NotAuthorizedException",
            "message": "Unauthenticated access is not supported for this identity pool.",
        }
    )

    done = _aws(cli, "sts", "get-caller-identity", "--profile", "guest")

    assert done.returncode != 0
    assert "cognito-credentials: profile 'guest': " in done.stderr
    assert "Unauthenticated access is not supported" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.thorough
def test_exec_is_an_aws_cli_with_no_profile(cli: Cli, pool_id: str) -> None:
    """`exec -- aws …` uses our credentials, even if the environment names others."""
    done = cli(
        *("exec", "--profile", "guest", "--", sys.executable, str(AWS), "sts", "get-caller-identity"),
        env={"AWS_PROFILE": "guest", "AWS_PAGER": "", "PATH": os.defpath},
    )

    assert done.code == 0, done.err
    assert json.loads(done.out)["Arn"].endswith("/CognitoIdentityCredentials")
