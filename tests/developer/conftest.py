"""A pool with a developer provider on the emulator, and back ends of every kind that answer for it."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.emulator.wire.certificates import CertificateFiles
from tests.world import World

__all__ = ["emulator", "emulator_keys"]

PROVIDER = "login.app"
SERVICE = Path(__file__).parent.parent.parent / "examples" / "developer_back_end"
SESSIONS = {
    "CANARY-session-of-ann": {"name": "ann", "team": "blue"},
    "CANARY-session-of-bob": {"name": "bob", "team": "red"},
}


def bearer(name: str) -> dict[str, str]:
    """What the app sends for one of its users."""
    return {"Authorization": f"Bearer CANARY-session-of-{name}"}


@pytest.fixture
def world(emulator: Any, isolation: Path) -> World:
    """The emulator with a pool that has a developer provider."""
    made = World(emulator, dict(os.environ))
    made.pool_id = emulator.create_pool(DeveloperProviderName=PROVIDER)
    return made


@pytest.fixture
def client(world: World) -> Iterator[Any]:
    """The back end's boto3 client, as the account's developer."""
    made = boto3.client(
        "cognito-identity",
        region_name="us-east-1",
        endpoint_url=world.emulator.url,
        aws_access_key_id="AKIADEVELOPERDEVELOP",
        aws_secret_access_key="developer",
    )
    yield made
    made.close()


@dataclass
class Service:
    """The example's web service, running."""

    url: str
    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)


@pytest.fixture
def service(world: World, tmp_path: Path) -> Iterator[Service]:
    """The example's web service as its reader starts it: uvicorn, with AWS credentials of its own."""
    sessions = tmp_path / "cache" / "sessions.json"
    sessions.parent.mkdir()
    sessions.write_text(json.dumps(SESSIONS))
    environ = {
        **world.environ,
        "AWS_COGNITO_IDENTITY_POOL_ID": world.pool_id,
        "AWS_ACCESS_KEY_ID": "AKIADEVELOPERDEVELOP",
        "AWS_SECRET_ACCESS_KEY": "developer",
        "APP_DEVELOPER_PROVIDER": PROVIDER,
        "APP_SESSIONS": str(sessions),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--port", "0", "--app-dir", str(SERVICE), "service:app"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    log: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if "running on" in line:
            break
    else:
        pytest.fail("".join(log))
    address = log[-1].split("running on ")[1].split()[0]
    drain = threading.Thread(target=lambda: log.extend(process.stderr or ()))
    drain.start()
    yield Service(f"{address}/cognito-token", process, log)
    process.kill()
    process.wait()
    drain.join()
    process.stderr.close()


@dataclass
class BackEnd:
    """A back end that answers as a test says, and keeps what it was asked."""

    url: str
    status: int = 200
    body: Any = b"{}"
    """Bytes, or a function of the request's body."""
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def back_end() -> Iterator[Callable[[], BackEnd]]:
    """Start back ends on loopback ports, with a certificate for TLS."""
    running: list[tuple[HTTPServer, threading.Thread]] = []

    def start(certificate: CertificateFiles | None = None) -> BackEnd:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                made.asked.append((self.path, dict(self.headers), sent))
                body = made.body(sent) if callable(made.body) else made.body
                self.send_response(made.status)
                for name, value in made.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    return  # the client had enough: that is what some tests are about

            do_GET = do_POST  # noqa: N815  (the name is the base class's)

            def log_message(self, *args: object) -> None:
                """Say nothing on stderr."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        made = BackEnd(f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}/cognito-token")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        running.append((server, thread))
        return made

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()
