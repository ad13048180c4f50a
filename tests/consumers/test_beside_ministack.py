"""Beside a larger emulator: the user pool is ministack's, the identity pool is ours, and S3 is moto's."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from cognito_credentials import RefusedError, Session
from cognito_credentials.emulator import Emulator
from tests.real_parts import missing

from .storage import Storage
from .table import ROOT

POOL_ID = "us-east-1:0b8d4f1c-0000-4000-8000-000000000002"
GUIDE = ROOT / ".github" / "docs" / "reference" / "emulator.md"


@pytest.fixture
def ministack(tmp_path, moto_application):
    """The address of ministack, with only its user pools, on this machine alone; beside moto."""
    program = shutil.which(os.environ.get("MINISTACK", "ministack"))
    if program is None:
        missing("ministack (PyPI) is not here; MINISTACK names the program where it is not on the PATH")
    home = tmp_path / "ministack"
    home.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "cognito-idp"}
    with subprocess.Popen(
        [program],
        env={**environment, **settings},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            line = ""
            while "Running on" not in line:
                line = running.stdout.readline()
                assert line, running.wait()
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            with contextlib.suppress(ValueError):
                running.communicate(timeout=20)


def recipe(address, folder):
    """Run the recipe of the guide, which makes a user, signs her in, and writes a seed."""
    (code,) = (
        block
        for block in re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
        if "LARGER" in block
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", code],
        env={**os.environ, "LARGER": address, "PATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.writes_secrets
def test_user_pool_of_ministack(ministack, moto_application, emulator_keys, tmp_path, isolation, monkeypatch):
    """A user of ministack's pool reads and writes moto's bucket with keys of our identity pool."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    folder = tmp_path / "app"
    folder.mkdir()
    recipe(ministack, folder)
    token = (folder / "token").read_text()
    provider = re.search(r'^provider = "(.*)"', (folder / "pools.toml").read_text(), re.M)[1]

    with (
        Emulator(seed=folder / "pools.toml", keys=emulator_keys, strict_auth=True, offline=True) as emulator,
        Storage(emulator, moto_application) as storage,
    ):
        for service in ("COGNITO_IDENTITY", "STS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
        session = Session(identity_pool_id=POOL_ID, logins={provider: token}, user="ann")
        s3 = session.client("s3", endpoint_url=storage.url)
        s3.put_object(Bucket=storage.bucket, Key="one", Body=b"21.5")
        assert s3.get_object(Bucket=storage.bucket, Key="one")["Body"].read() == b"21.5"
        key = session.get_credentials().get_frozen_credentials().access_key
        owner = emulator.whose_key(key)
        stranger = boto3.client(
            "s3", endpoint_url=storage.url, aws_access_key_id="AKIAx", aws_secret_access_key="x"
        )
        with pytest.raises(stranger.exceptions.ClientError):
            stranger.get_object(Bucket=storage.bucket, Key="one")

    assert owner.authentication_provider.startswith(f"{provider},{provider}:CognitoSignIn:")
    assert owner.identity_pool_id == POOL_ID


@pytest.mark.writes_secrets
def test_token_that_ministack_did_not_sign(ministack, emulator_keys, tmp_path, isolation, monkeypatch):
    """A token of the same user with another signature is refused: the keys are really ministack's."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    folder = tmp_path / "app"
    folder.mkdir()
    recipe(ministack, folder)
    provider = re.search(r'^provider = "(.*)"', (folder / "pools.toml").read_text(), re.M)[1]
    head, claims, signature = (folder / "token").read_text().split(".")
    forged = f"{head}.{claims}.{signature[:-8]}AAAAAAAA"

    with Emulator(seed=folder / "pools.toml", keys=emulator_keys) as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", emulator.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", emulator.url)
        session = Session(identity_pool_id=POOL_ID, logins={provider: forged}, user="ann")
        with pytest.raises(RefusedError):
            session.client("sts").get_caller_identity()
