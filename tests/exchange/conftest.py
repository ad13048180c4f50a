"""A bench with the emulator on it, and servers that misbehave."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.clock import Clock
from cognito_credentials.emulator import Emulator
from cognito_credentials.exchange.client import CognitoClient, close_idle_connections
from cognito_credentials.exchange.transport import close_idle
from cognito_credentials.secret import Secret
from cognito_credentials.settings.settings import Settings

POOL = "us-east-1:00000000-0000-4000-8000-00000000000a"
GOOGLE = "accounts.google.com"


class Bench:
    """Makes clients of one endpoint, and closes them at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock: Clock = Clock()
        self.environ: dict[str, str] = {}

    def settings(self, pool: str = POOL, **settings: Any) -> Settings:
        """Settings of *pool* at this bench's endpoint."""
        usual = {"endpoint_url": self.url, "sts_endpoint_url": self.url, "region": "us-east-1"}
        return Settings(identity_pool_id=pool, **{**usual, **settings})

    def client(self, pool: str = POOL, *, attempts: int = 1, **settings: Any) -> CognitoClient:
        """A client that by default does not retry, so that one fault is one failure."""
        return CognitoClient(
            self.settings(pool, **settings),
            self.clock,
            self.environ,
            rng=random.Random(1),
            attempts=attempts,
        )


class SlowClock(Clock):
    """A clock that moves by *step* seconds each time it is read."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.mono = 0.0
        self.step = step

    def elapsed(self) -> float:
        self.mono += self.step
        return self.mono


class EmulatorBench(Bench):
    """A bench whose endpoint is the emulator."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator.url)
        self.emulator = emulator

    def pool(self, **settings: Any) -> str:
        """An identity pool that takes guests and Google logins for the client ``app``."""
        return self.emulator.create_pool(**{"SupportedLoginProviders": {GOOGLE: "app"}, **settings})

    def login(self, provider: str = GOOGLE, **token: Any) -> dict[str, Secret]:
        """A login of the emulator's test issuer."""
        return {provider: Secret(self.emulator.login_token(provider, **token))}

    def fault(self, **fault: Any) -> None:
        """Plan a fault for the next request."""
        self.emulator.plan_faults({"operation": "*", **fault})


@pytest.fixture
def bench(emulator: Emulator) -> Iterator[EmulatorBench]:
    yield EmulatorBench(emulator)
    close_idle_connections()


class RawServer:
    """
    A server that runs *script* for each connection, and can send it any bytes.

    Args:
        script: Called with the connection and the head of the request, once the head has arrived.
        pem: Path of certificate and key, for TLS.
        address: Where it listens.
    """

    def __init__(
        self,
        script: Callable[[socket.socket, bytes], None],
        *,
        pem: Path | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self._script = script
        self._context = None
        if pem is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(pem)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self._listener.settimeout(0.05)
        self._stop = threading.Event()
        self.heads: list[bytes] = []
        self.ended = threading.Semaphore(0)
        """Released once for each connection whose script has ended."""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'http' if self._context is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        found: int = self._listener.getsockname()[1]
        return found

    def stopped(self, seconds: float) -> bool:
        """Wait this long, or until the test ends; return whether it has ended."""
        return self._stop.wait(seconds)

    def close(self) -> None:
        close_idle()  # its threads wait for the next request
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            try:
                if self._context is not None:
                    connection = stack.enter_context(self._context.wrap_socket(connection, server_side=True))
                head = request_of(connection)
                self.heads.append(head)
                self._script(connection, head)
            except OSError:
                pass  # the client has closed the connection, as most of these scripts provoke
        self.ended.release()


def request_of(connection: socket.socket) -> bytes:
    """Read one request, head and body; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket, bytes], None]], tuple[RawServer, Bench]]]:
    """Start a raw server with a script; return it and a bench at its address."""
    servers: list[RawServer] = []

    def start(script: Callable[[socket.socket, bytes], None]) -> tuple[RawServer, Bench]:
        server = RawServer(script)
        servers.append(server)
        return server, Bench(server.url)

    yield start
    close_idle_connections()
    for server in servers:
        server.close()
