"""Connections: half requests, many at once, clients that go away."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable

import pytest

from cognito_credentials.errors import ConfigurationError
from cognito_credentials.serve.endpoint import _MOST_CONNECTIONS, Endpoint
from tests.serve.conftest import Client


@pytest.fixture
def connect(ask: Client) -> Callable[[], socket.socket]:
    host, port = ask.host.split(":")
    return lambda: socket.create_connection((host, int(port)), timeout=10)


def request(ask: Client, *more: str) -> bytes:
    lines = [f"GET {ask.path} HTTP/1.1", f"Host: {ask.host}", f"Authorization: {ask.token}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def statuses(connection: socket.socket) -> list[str]:
    """Read to the end of the connection; return the status of each answer."""
    with connection, connection.makefile("rb") as file:
        return re.findall(r"HTTP/1\.1 (\d+)", file.read().decode())


def test_several_requests_on_one_connection(ask: Client, connect: Callable[[], socket.socket]) -> None:
    """A connection takes one request after the other, also those that come in one piece."""
    connection = connect()
    connection.sendall(request(ask) * 2)
    connection.sendall(request(ask) + request(ask, "Connection: close"))

    assert statuses(connection) == ["200"] * 4


def test_a_request_in_pieces(ask: Client, connect: Callable[[], socket.socket]) -> None:
    """A request may come byte by byte."""
    connection = connect()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in request(ask, "Connection: close"):
        connection.sendall(bytes([byte]))

    assert statuses(connection) == ["200"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /credentials HTTP/1.1\r\nX: " + b"x" * 16 * 1024,
        b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_answered_and_closed(connect: Callable[[], socket.socket], sent: bytes) -> None:
    """After something else than a request, also an endless one, nothing more is read from the connection."""
    connection = connect()
    connection.sendall(sent)

    assert statuses(connection) == ["400"]


def test_a_body_is_not_taken_for_the_next_request(ask: Client, connect: Callable[[], socket.socket]) -> None:
    """The answer to a request with a body is the last one, and it arrives although the body is not read."""
    connection = connect()
    connection.sendall(request(ask, "Content-Length: 100000") + request(ask) * 50)

    assert statuses(connection) == ["200"]


def test_those_who_wait_are_not_in_the_way(ask: Client, connect: Callable[[], socket.socket]) -> None:
    """However many connections send half a request and wait, a client is answered; the oldest are closed."""
    waiting = []
    for _ in range(_MOST_CONNECTIONS + 20):
        waiting.append(connect())
        waiting[-1].sendall(b"GET /credentials HTTP/1.1\r\n")

    assert ask().status == 200
    assert waiting[0].recv(1) == b""
    for connection in waiting:
        connection.close()


def test_a_connection_in_use_is_not_the_one_that_goes(
    ask: Client, connect: Callable[[], socket.socket]
) -> None:
    """Of too many connections the one that has been silent for longest is closed, and not the oldest."""
    first = connect()
    waiting = [connect() for _ in range(_MOST_CONNECTIONS - 1)]
    first.sendall(request(ask))
    assert first.recv(12) == b"HTTP/1.1 200"
    waiting += [connect() for _ in range(10)]
    assert waiting[0].recv(1) == b""

    first.sendall(request(ask, "Connection: close"))
    assert statuses(first) == ["200"]
    for connection in waiting:
        connection.close()


def test_a_client_that_goes_away_hurts_nobody(ask: Client, connect: Callable[[], socket.socket]) -> None:
    """A client may reset its connection at any time, also with the answer on the way."""
    for sent in (b"", b"GET", request(ask)):
        connection = connect()
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()

    assert ask().status == 200


def test_a_client_that_reads_nothing_is_dropped(ask: Client, connect: Callable[[], socket.socket]) -> None:
    """A client that asks on and on and reads no answer is left, and keeps nobody waiting."""
    connection = connect()
    connection.setblocking(False)
    with pytest.raises(OSError):  # noqa: PT011  (the buffers are full, or it is reset already)
        connection.sendall(request(ask) * 100_000)

    assert ask().status == 200
    connection.close()


def test_without_descriptors_the_oldest_connection_goes(
    ask: Client, connect: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the process may open no more files, a client takes the place of the oldest connection."""
    idle = connect()
    ask()
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    clients = [socket.socket() for _ in range(2)]
    highest = os.dup(0)
    os.close(highest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
    try:
        for client in clients:
            client.settimeout(10)
            client.connect(idle.getpeername())
            client.sendall(request(ask, "Connection: close"))
            answer = client.recv(12)
            assert answer == b"HTTP/1.1 200"
            client.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        idle.close()


def test_a_port_in_use_is_one_line() -> None:
    """A port that another program uses is an error that names it and says what to do."""
    with Endpoint() as endpoint, pytest.raises(ConfigurationError) as caught:
        Endpoint(endpoint.port)

    assert f"port {endpoint.port}: Address already in use" in str(caught.value)
    assert "--port" in caught.value.hint


def test_it_listens_on_this_machine_alone(ask: Client) -> None:
    """The address is 127.0.0.1: no other machine can connect."""
    assert ask.host.startswith("127.0.0.1:")


def test_a_port_can_be_used_again_at_once(ask: Client) -> None:
    """A server that is started again has its port at once, although old connections still end."""
    with Endpoint() as endpoint:
        port = endpoint.port
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = endpoint._listener.accept()
        accepted.close()  # first: the connection waits for a while on this side
        client.close()

    with Endpoint(port) as again:
        assert again.port == port
