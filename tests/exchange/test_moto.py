"""Under moto, version 4 and 5: no request of ours leaves this machine. `.ci/run` installs both."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import boto3
import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.emulator import Emulator
from cognito_credentials.errors import ConfigurationError

from .conftest import RawServer

moto = pytest.importorskip("moto", reason="moto is not installed; .ci/run runs this with versions 4 and 5")

POOL = "us-east-1:00000000-0000-4000-8000-00000000000a"


@pytest.fixture
def mock() -> Any:
    """The mock of identity pools: moto 5 has one for all services."""
    return moto.mock_aws if hasattr(moto, "mock_aws") else moto.mock_cognitoidentity


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Where requests to AWS would arrive."""
    server = RawServer(lambda *_: None)
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    yield server
    server.close()


def test_nothing_is_sent_to_aws(mock: Any, proxy: RawServer) -> None:
    """moto answers boto3, and our request is refused, with what to use in its place, until the mock ends."""
    pool = IdentityPool(POOL, cache="memory")
    with mock():
        made = boto3.client("cognito-identity", "us-east-1").create_identity_pool(
            IdentityPoolName="x", AllowUnauthenticatedIdentities=True
        )
        with pytest.raises(ConfigurationError, match="moto is active") as caught:
            IdentityPool(made["IdentityPoolId"], cache="memory").credentials()
        assert "emulator_environment, emulator_pool and emulator" in caught.value.hint
        assert "cognito-identity.us-east-1.amazonaws.com" in caught.value.message
    assert proxy.heads == []
    with pytest.raises(Exception, match="proxy"):
        pool.credentials()
    assert len(proxy.heads) > 0


def test_a_child_process_sends_nothing_either(mock: Any, proxy: RawServer) -> None:
    """A test may start programs, which have no mock but moto's keys."""
    command = [sys.executable, "-m", "cognito_credentials", "credential-process", "--identity-pool-id", POOL]
    with mock():
        environ = {**os.environ, "AWS_COGNITO_CACHE": "memory"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 4, done.stderr
    assert "moto is active" in done.stderr
    assert proxy.heads == []


def test_the_emulator_goes_on_answering(mock: Any, emulator: Emulator) -> None:
    """Endpoints on this machine are no AWS: the emulator, or moto's own server."""
    with mock():
        pool = IdentityPool(emulator.create_pool(), cache="memory", endpoint_url=emulator.url)
        assert pool.credentials().access_key_id.startswith("ASIA")


def test_users_of_the_emulator_beside_the_mocks(
    mock: Any, emulator_user_pool: Any, emulator_pool: str
) -> None:
    """Inside a mock, users sign in at the emulator and get its credentials; moto answers for the rest."""
    emulator_user_pool.add_user("ann", email="ann@example.com")
    notifications = mock if hasattr(moto, "mock_aws") else moto.mock_sns

    with mock(), notifications():
        logins = dict(emulator_user_pool.logins("ann"))
        client = boto3.client("cognito-identity")
        identity = client.get_id(IdentityPoolId=emulator_pool, Logins=logins)["IdentityId"]
        keys = client.get_credentials_for_identity(IdentityId=identity, Logins=logins)["Credentials"]
        topic = boto3.client(
            "sns",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretKey"],
            aws_session_token=keys["SessionToken"],
        ).create_topic(Name="made")

    assert topic["TopicArn"].endswith(":made")
