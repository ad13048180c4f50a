"""A server in this process, of a pool on the emulator with a clock that tests move."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.serve.server import Server, serving
from tests.world import World

__all__ = ["emulator", "emulator_keys"]  # fixtures, also where the package is not installed


class Got(NamedTuple):
    """An answer of the endpoint."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class Client:
    """Asks a server over HTTP, as an SDK does."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.url = variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        self.host = self.url.split("/")[2]
        self.path = "/" + self.url.split("/")[3]
        self.token = Path(variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).read_bytes().decode()

    def __call__(self, path: str = "", method: str = "GET", **headers: str | None) -> Got:
        """Send a request; a header that is None is left out."""
        sent = {"Host": self.host, "Authorization": self.token}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[misc]
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.putrequest(method, path or self.path, skip_host=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            text = answer.read()
            return Got(answer.status, json.loads(text), dict(answer.getheaders()))
        finally:
            connection.close()


@pytest.fixture
def world(emulator: Any) -> World:
    return World(emulator, dict(os.environ))


@pytest.fixture
def pool(world: World) -> IdentityPool:
    return world.pool()


@pytest.fixture
def server(pool: IdentityPool) -> Iterator[Server]:
    """A server that runs, except that nothing renews: tests call `Renewal.renew`."""
    with serving(pool, os.environ, check=IdentityPool.credentials) as opened, opened.running():
        yield opened


@pytest.fixture
def ask(server: Server) -> Client:
    return Client(dict(server.variables))
