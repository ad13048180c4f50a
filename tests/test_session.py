"""The ways into botocore and boto3, against the emulator."""

from __future__ import annotations

import pytest

from cognito_credentials import Session


@pytest.fixture
def pool_id(emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", emulator.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", emulator.url)
    return emulator.create_pool()


def test_one_line_makes_a_guest(pool_id: str) -> None:
    """A script that names only the pool is somebody, with no region, profile or key anywhere."""
    arn = Session(identity_pool_id=pool_id).client("sts").get_caller_identity()["Arn"]

    assert arn.endswith("/CognitoIdentityCredentials")
    assert ":assumed-role/" in arn
