"""A pool on the emulator that boto3 in this process finds, and an AWS config file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.world import World


@pytest.fixture
def world(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(emulator, dict(os.environ))
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", emulator.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", emulator.url)
    return world


@pytest.fixture
def profile(world: World, isolation: Path) -> Any:
    """Write profiles into the AWS config file."""

    def write(text: str, name: str = "config") -> None:
        directory = isolation / ".aws"
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text.replace("POOL", world.pool_id))

    return write
