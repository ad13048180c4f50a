"""A pool on the emulator, with a clock that a test moves for the service and the client together."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

import boto3

from cognito_credentials import IdentityPool
from tests.conftest import ManualClock


class World:
    """
    The emulator, one pool in it, and the clock of both.

    Args:
        emulator: Running.
        environ: Environment for the pools made here; endpoints are added.
    """

    def __init__(self, emulator: Any, environ: dict[str, str]) -> None:
        self.emulator = emulator
        self.clock = ManualClock(wall=float(int(time.time())))
        self.pool_id = emulator.create_pool()
        self.environ = {
            **environ,
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url,
            "AWS_ENDPOINT_URL_STS": emulator.url,
        }
        self._passed = 0.0

    def pool(self, **arguments: Any) -> IdentityPool:
        """A new pool object, as a new process makes it."""
        arguments.setdefault("clock", self.clock)
        return IdentityPool(self.pool_id, environ=self.environ, **arguments)

    def move(self, seconds: float) -> None:
        """Let time pass, here and at the service."""
        self.clock.advance(seconds)
        self._passed += seconds
        self.settings(clock_offset=self._passed)

    def settings(self, **settings: Any) -> None:
        """Change the emulator's settings."""
        self._call("PUT", "settings", settings)

    def faults(self, *faults: dict[str, Any]) -> None:
        """Plan faults for coming requests."""
        self._call("PUT", "faults", list(faults))

    def outage(self) -> None:
        """Let every request to Cognito fail until `recover`."""
        self.faults({"operation": "*", "times": -1, "status": 503})

    def recover(self) -> None:
        """End all faults."""
        self.faults()

    def counts(self) -> dict[str, int]:
        """The number of requests for each operation so far."""
        return dict(self._call("GET", "requests"))

    def token(self, subject: str = "user-1", provider: str = "login.example.com", **more: Any) -> str:
        """A login token of the emulator's test issuer."""
        request = {"provider": provider, "audience": "app", "subject": subject, **more}
        return str(self._call("POST", "login-token", request)["token"])

    def delete_identity(self, identity_id: str) -> None:
        """Delete an identity, as the account's owner."""
        client = boto3.client(
            "cognito-identity",
            region_name="us-east-1",
            endpoint_url=self.emulator.url,
            aws_access_key_id="AKIAOWNEROWNEROWNER1",
            aws_secret_access_key="owner",
        )
        client.delete_identities(IdentityIdsToDelete=[identity_id])
        client.close()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.emulator.url}/_emulator/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None
