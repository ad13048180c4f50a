"""examples/credential_process_profile/: its config and its script, unchanged, with the real AWS CLI."""

from __future__ import annotations

import subprocess

import pytest

from cognito_credentials.emulator import Emulator, Seed

from .conftest import EXAMPLES

FOLDER = EXAMPLES / "credential_process_profile"


@pytest.fixture
def emulator(emulator_keys):
    """An emulator that holds the pool of the example's config file."""
    with Emulator(seed=Seed.load(FOLDER / "pool.toml"), keys=emulator_keys, marker=True) as running:
        yield running


def test_one_profile_serves_the_aws_cli_and_boto3(emulator, environment: dict[str, str]) -> None:
    """Two programs that know nothing of us use one profile, and the service is asked once."""
    done = subprocess.run(
        [str(FOLDER / "show.sh")],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    by_cli, by_boto3, *status = done.stdout.splitlines()

    assert done.returncode == 0, done.stderr
    assert by_cli == by_boto3 == "arn:aws:sts::123456789012:assumed-role/guest/CognitoIdentityCredentials"
    assert any("us-east-1:" in line for line in status)
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 2}
