"""Operating pools on the emulator, through real botocore, and through the command as users have it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from tests.cli.conftest import Cli, Done, call, cli, config

__all__ = [
    "Done",
    "call",
    "cli",
    "config",
    "emulator",
    "emulator_keys",
]  # fixtures, also where the package is not installed

ACCOUNT = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIADEVELOPERDEVELOP", "AWS_SECRET_ACCESS_KEY": "developer"}


def role(name: str, account: str = ACCOUNT) -> str:
    """Return the ARN of a role."""
    return f"arn:aws:iam::{account}:role/{name}"


@pytest.fixture
def signed(emulator: Any, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line with a developer's keys and the emulator's address, here and in child processes."""
    variables = {"AWS_ENDPOINT_URL": emulator.url, "AWS_DEFAULT_REGION": "us-east-1", **KEYS}
    for service in ("COGNITO_IDENTITY", "STS"):
        cli.environ.pop(f"AWS_ENDPOINT_URL_{service}", None)
        monkeypatch.delenv(f"AWS_ENDPOINT_URL_{service}", raising=False)
    for name, value in variables.items():
        cli.environ[name] = value
        monkeypatch.setenv(name, value)
    return cli


@pytest.fixture
def session(signed: Cli) -> Any:
    """A session whose credentials sign."""
    return boto3.Session()


@pytest.fixture
def client(session: Any) -> Any:
    """Botocore's own client, to look at what is there and to change it behind our back."""
    made = session.client("cognito-identity", region_name="us-east-1")
    yield made
    made.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that writes a TOML file, and returns its path."""

    def file(text: str, name: str = "pools.toml") -> str:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return str(path)

    return file
