"""Emulators as processes, requests to them, and data files of any size, for the emulator's benchmark."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cognito_credentials.emulator.stored.state import State

START_SECONDS = 60
POOL = "us-east-1:00000000-0000-4000-8000-000000000001"
USER_POOL, APP_CLIENT, USER, PASSWORD = "us-east-1_Bench0001", "benchclient", "ann", "Correct-horse-1!"
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/cognito-identity/aws4_request, "
    "SignedHeaders=host, Signature=none",
    "X-Amz-Date": "20300101T000000Z",
}
IDENTITY, USER_POOLS = "AWSCognitoIdentityService", "AWSCognitoIdentityProviderService"
SRP_A = f"{pow(2, 3**150, 2**2048 - 2**1984 - 1):x}"
"""Any number that is no multiple of the group's prime: what a client sends first."""
READER = """
import http.client, sys
wire = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
wire.request("GET", "/_emulator/events")
answer = wire.getresponse()
print(answer.status, flush=True)
while answer.read1(65536):
    pass
"""


class FailedError(Exception):
    """The server itself has failed."""


@dataclass
class Server:
    """A server process, and requests to it."""

    process: subprocess.Popen[bytes]
    port: int
    started_in: float
    pool_id: str = ""
    client_id: str = APP_CLIENT
    is_ours: bool = True
    identities: list[str] = field(default_factory=list)

    def memory(self) -> float:
        """Return the resident memory, MB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that is kept."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(
        self, wire: http.client.HTTPConnection, operation: str, content: object, service: str = IDENTITY
    ) -> dict[str, str]:
        """Call an operation. Returns the members of the answer."""
        headers = {"X-Amz-Target": f"{service}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        wire.request("POST", "/", json.dumps(content), {**headers, **SIGNED})
        answer = wire.getresponse()
        body = answer.read()
        if answer.status == 500:
            raise FailedError(f"{operation}: {body[:200]!r}")
        if answer.status != 200:
            raise RuntimeError(f"{operation}: {answer.status} {body[:200]!r}")
        result: dict[str, str] = json.loads(body or b"{}")
        return result

    def prepare(self) -> None:
        """Make a pool with roles, and 100 identities."""
        with contextlib.closing(self.connect()) as wire:
            pool = {"IdentityPoolName": "bench", "AllowUnauthenticatedIdentities": True}
            self.pool_id = self.ask(wire, "CreateIdentityPool", pool)["IdentityPoolId"]
            roles = {"unauthenticated": "arn:aws:iam::123456789012:role/guest"}
            with contextlib.suppress(RuntimeError, FailedError):  # moto has no such operation
                self.ask(wire, "SetIdentityPoolRoles", {"IdentityPoolId": self.pool_id, "Roles": roles})
            self.identities = [
                self.ask(wire, "GetId", {"IdentityPoolId": self.pool_id})["IdentityId"] for _ in range(100)
            ]

    def prepare_users(self) -> None:
        """Make a user pool with a user who has a password, by the API where there is one."""
        with contextlib.closing(self.connect()) as wire:
            client = {"id": APP_CLIENT}
            pool = {"id": USER_POOL, "clients": [client], "users": [{"name": USER, "password": PASSWORD}]}
            wire.request("PUT", "/_emulator/user-pools", json.dumps([pool]))
            answer = wire.getresponse()
            answer.read()
            if answer.status == 200:
                return
        with contextlib.closing(self.connect()) as wire:

            def ask(operation: str, **content: object) -> Mapping[str, Mapping[str, str]]:
                return self.ask(wire, operation, content, USER_POOLS)  # type: ignore[return-value]

            pool_id = ask("CreateUserPool", PoolName="bench")["UserPool"]["Id"]
            flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
            made = ask("CreateUserPoolClient", UserPoolId=pool_id, ClientName="c", ExplicitAuthFlows=flows)
            self.client_id = made["UserPoolClient"]["ClientId"]
            ask("AdminCreateUser", UserPoolId=pool_id, Username=USER)
            ask("AdminSetUserPassword", UserPoolId=pool_id, Username=USER, Password=PASSWORD, Permanent=True)


@contextlib.contextmanager
def serving(
    arguments: list[str], port: int, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server until the block ends, and measure the seconds to its first answer."""
    began = time.perf_counter()
    process = subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    try:
        while True:
            wire = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                wire.request("POST", "/", b"{}", {"X-Amz-Target": f"{IDENTITY}.GetId"})
                wire.getresponse().read()
                break
            except (OSError, http.client.HTTPException):
                if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                    raise RuntimeError(f"{arguments[0]} does not answer") from None
                time.sleep(0.005)
            finally:
                wire.close()
        is_ours = "emulator" in arguments
        yield Server(process, port, time.perf_counter() - began, is_ours=is_ours)
    finally:
        process.terminate()
        process.wait()


def emulator_server(*options: str) -> contextlib.AbstractContextManager[Server]:
    """Start the emulator's command."""
    port = free_port()
    program = os.path.join(os.path.dirname(sys.executable), "cognito-credentials")
    return serving([program, "emulator", "--port", str(port), *options], port)


def moto_server(path: str) -> contextlib.AbstractContextManager[Server]:
    """Start moto_server."""
    port = free_port()
    return serving([path, "-H", "127.0.0.1", "-p", str(port)], port)


def ministack_server(path: str) -> contextlib.AbstractContextManager[Server]:
    """Start ministack on the loopback address alone, without its servers for other protocols."""
    port = free_port()
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    return serving([path], port, {**settings, "LOG_LEVEL": "WARNING"})


@contextlib.contextmanager
def page_open(server: Server) -> Iterator[None]:
    """Read the emulator's event stream in another process, as its page in a browser does."""
    reader = subprocess.Popen([sys.executable, "-c", READER, str(server.port)], stdout=subprocess.PIPE)
    assert reader.stdout is not None
    try:
        status = reader.stdout.readline()
        if status.strip() != b"200":
            raise RuntimeError(f"the event stream answers {status!r}")
        yield
    finally:
        reader.kill()
        reader.wait()
        reader.stdout.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def fill(file: str, count: int, users: int = 0) -> list[str]:
    """
    Write a data file with *count* identities, half of them signed in, and a user pool of *users*.

    Returns:
        The ids of up to 1,000 guests.
    """
    state = State(file)
    random_ = random.Random(count)
    ids = [f"us-east-1:{uuid.UUID(int=random_.getrandbits(128))}" for _ in range(count)]
    roles = json.dumps({"unauthenticated": "arn:aws:iam::123456789012:role/guest"})
    settings = json.dumps({"IdentityPoolName": "bench", "AllowUnauthenticatedIdentities": True})
    with state.transaction():
        state.remember("seeded", b"1")
        state.execute(
            "INSERT INTO pools (id, region, settings, roles) VALUES (?, 'us-east-1', ?, ?)",
            POOL,
            settings,
            roles,
        )
        for number, identity_id in enumerate(ids):
            state.execute(
                "INSERT INTO identities (id, pool_id, created_ms, modified_ms, authenticated)"
                " VALUES (?, ?, 0, 0, ?)",
                identity_id,
                POOL,
                number % 2,
            )
            if number % 2:
                state.execute(
                    "INSERT INTO logins (pool_id, provider, subject, developer, identity_id)"
                    " VALUES (?, 'accounts.google.com', ?, 0, ?)",
                    POOL,
                    str(number),
                    identity_id,
                )
        _fill_users(state, users)
    state.close()
    return random_.sample(ids[::2], min(1000, count // 2))


def _fill_users(state: State, count: int) -> None:
    from cognito_credentials.emulator.stored.user_pools import (
        AppClient,
        User,
        UserPool,
        add_user_to_pool,
        save_client,
        save_user_pool,
    )

    if not count:
        return
    save_user_pool(state, UserPool(USER_POOL))
    save_client(state, AppClient(APP_CLIENT, USER_POOL))
    for number in range(count):
        attributes = {"email": f"user-{number}@example.com", "email_verified": "true"}
        password = {"text": PASSWORD}
        sub = str(uuid.UUID(int=number))
        add_user_to_pool(state, User(USER_POOL, f"user-{number}", sub, password, attributes=attributes))
