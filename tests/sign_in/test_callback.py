"""The callback server: who may connect, for how long, and what it answers."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import struct
import subprocess
import sys
import textwrap
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.ways import callback
from cognito_credentials.sign_in.ways.callback import CallbackServer
from cognito_credentials.sign_in.ways.peer import is_own

from .hostile_issuer import HostileIssuer
from .test_attacks import Visit, _query, _source, goal_of

GOAL = "https://login.example.com/authorize?state=CANARY-state"
NOBODY = 65534
needs_root = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0 or not sys.platform.startswith("linux"),
    reason="this needs root on Linux, to be two users",
)


@pytest.fixture
def hostile() -> Iterator[HostileIssuer]:
    issuer = HostileIssuer()
    yield issuer
    issuer.close()


@pytest.fixture
def server() -> Iterator[CallbackServer]:
    """A server that accepts any answer."""
    with CallbackServer() as server:
        server.listen(lambda _: Secret("CANARY-code"), GOAL)
        server.finish("the end")
        yield server


def _get(port: int, path: str, **headers: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status, response.headers["Location"]


@pytest.mark.writes_secrets
def test_the_browser_is_started_without_what_others_may_not_read(hostile: HostileIssuer) -> None:
    """Attack: every user can read a command line; the browser's has no state in it."""
    visit = Visit(_source(hostile), hostile)

    asked = _query(visit.url)
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    for name in ("state", "nonce", "code_challenge"):
        assert asked[name] not in visit.start
    assert goal_of(visit.start) == visit.url  # a browser that is opened once more goes there once more
    assert visit.finish().subject == "ann"


@pytest.mark.parametrize("path", ["/start/", "/start", "/start/guessed", "/start/%s/", "/start/%sx"])
def test_only_the_random_address_leads_to_the_issuer(server: CallbackServer, path: str) -> None:
    """Without the random address, nothing at the port leads to the issuer."""
    token = server.start_url.rpartition("/")[2]
    path = path.replace("%s", token)

    assert _get(server.port, path) == (404, None)
    assert len(token) == 43  # 256 bits
    assert _get(server.port, f"/start/{token}") == (302, GOAL)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Dest": "iframe"}, 403),
        ({"Sec-Purpose": "prefetch"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
def test_a_page_cannot_read_where_it_leads(
    server: CallbackServer, headers: dict[str, str], status: int
) -> None:
    """Attack: pages and rebound names get nothing from the start address."""
    path = urllib.parse.urlsplit(server.start_url).path

    assert _get(server.port, path, **headers) == (status, None)


def test_after_the_answer_it_leads_nowhere(server: CallbackServer) -> None:
    """After the answer, the start address leads nowhere."""
    server.take_answer("code=CANARY&state=x")

    assert _get(server.port, urllib.parse.urlsplit(server.start_url).path) == (404, None)


OTHER = """
    import encodings.idna, os, socket, struct, sys
    os.setgid({user}); os.setuid({user})
    connection = socket.create_connection(("127.0.0.1", {port}), 20)
    connection.sendall(b"GET {path} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n")
    if {how!r} == "hangs up":
        connection.close()
    elif {how!r} == "resets":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    else:
        sys.stdout.write(connection.makefile("rb").read().decode())
    """


def _as_another(server_port: int, path: str, how: str = "", user: int = NOBODY) -> str:
    code = textwrap.dedent(OTHER.format(user=user, port=server_port, path=path, how=how))
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd="/"
    )
    return done.stdout


@needs_root
@pytest.mark.writes_secrets
def test_another_user_of_the_machine(hostile: HostileIssuer) -> None:
    """Attack: another user who knows state and port cannot have their own answer accepted."""
    visit = Visit(_source(hostile), hostile)
    parts = urllib.parse.urlsplit(visit.redirect_uri)
    assert parts.port

    for path in (f"/callback?code=evil&state={visit.state}", urllib.parse.urlsplit(visit.start).path):
        answer = _as_another(parts.port, path)
        assert answer.startswith("HTTP/1.0 403")
        assert "Another user of this machine began this sign-in" in answer
        assert visit.state not in answer
        for how in ("hangs up", "resets"):  # then the kernel lists nobody, or root
            assert _as_another(parts.port, path, how) == ""

    assert visit.finish().subject == "ann"
    ((_, _, form),) = [request for request in hostile.requests if request[1] == "/token"]
    assert form["code"] == "CANARY-code"


LISTED = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000  {user}        0 21563 1 0000000
"""


def _listed(address: str, port: int, *, mapped: bool = False) -> str:
    word = socket.inet_aton(address)
    words = [b"\0" * 4, b"\0" * 4, b"\0\0\xff\xff", word] if mapped else [word]
    return "".join(f"{struct.unpack('=I', word)[0]:08X}" for word in words) + f":{port:04X}"


@pytest.mark.parametrize(
    ("user", "state", "port", "mapped", "expected"),
    [
        (1000, "01", 50000, False, True),
        (1000, "01", 50000, True, True),
        (0, "01", 50000, False, True),  # root may do it anyway; and it forwards ports
        (1001, "01", 50000, False, False),
        (1001, "01", 50000, True, False),
        (65534, "01", 50000, False, False),
        (0, "06", 50000, False, False),  # TIME_WAIT, FIN_WAIT2, CLOSE: whose it was is not listed any more
        (0, "05", 50000, False, False),
        (1000, "07", 50000, False, False),
        (1000, "01", 50001, False, False),  # somebody else's connection
    ],
)
def test_whose_connection_it_is(user: int, state: str, port: int, mapped: bool, expected: bool) -> None:
    """A connection is accepted if the kernel lists it as established, by this user or root."""
    remote = _listed("127.0.0.1", 8400, mapped=mapped)
    row = LISTED.format(
        local=_listed("127.0.0.1", port, mapped=mapped), remote=remote, state=state, user=user
    )
    tables = {"/proc/net/tcp": "" if mapped else row, "/proc/net/tcp6": row if mapped else ""}
    answer = is_own(
        ("127.0.0.1", 50000),
        ("127.0.0.1", 8400),
        read=tables.__getitem__,
        release=lambda: "6.1.0",
        user=lambda: 1000,
    )

    assert answer is expected


@pytest.mark.parametrize(
    ("release", "user", "readable"),
    [("5.15.0-microsoft-standard-WSL2", 1000, True), ("10", None, True), ("14.1-RELEASE", 1000, False)],
)
def test_where_nobody_can_tell_nobody_is_refused(release: str, user: int | None, readable: bool) -> None:
    """Where the kernel has no list (WSL, Windows, BSD), every connection is accepted."""

    def read(path: str) -> str:
        if not readable:
            raise FileNotFoundError(path)
        return LISTED

    assert is_own(("127.0.0.1", 1), ("127.0.0.1", 2), read=read, release=lambda: release, user=lambda: user)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this needs Linux's list of connections")
def test_the_kernel_lists_us() -> None:
    """The kernel's real list has our own connection, and none to a port that nobody connected to."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        assert is_own(client.getsockname(), listener.getsockname(), release=lambda: "6.1.0")
        assert not is_own(("127.0.0.1", 1), listener.getsockname(), release=lambda: "6.1.0")


@pytest.fixture
def drips() -> Iterator[list[socket.socket]]:
    """Connections that send a byte now and then, and never finish."""
    connections: list[socket.socket] = []
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.05):
            for connection in tuple(connections):
                with contextlib.suppress(OSError):
                    connection.send(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    yield connections
    ended.set()
    thread.join()
    for connection in connections:
        connection.close()


def _begin(server: CallbackServer) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), 20)
    connection.sendall(b"GET /callback?")
    return connection


def _is_cut(connection: socket.socket) -> bool:
    """Wait for the other end to close the connection."""
    with contextlib.suppress(ConnectionError):
        return connection.recv(1) == b""
    return True


def test_a_request_that_drips_is_cut_off(
    server: CallbackServer, drips: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: the time limit is for the whole request, however often a byte comes."""
    monkeypatch.setattr(callback, "_REQUEST_SECONDS", 0.5)
    drips.append(_begin(server))
    started = time.monotonic()

    assert _is_cut(drips[0])
    assert time.monotonic() - started < 5


@pytest.mark.thorough
def test_connections_that_hold_all_places(
    server: CallbackServer, drips: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: a new connection replaces the oldest without a request, so the answer gets through."""
    monkeypatch.setattr(callback, "_REQUEST_SECONDS", 60.0)
    drips += [_begin(server) for _ in range(callback._MOST_CONNECTIONS * 2)]

    assert _get(server.port, "/callback?code=CANARY&state=x") == (200, None)
    assert server.wait(5) == Secret("CANARY-code")
    for connection in drips:
        connection.settimeout(10)
    assert all(_is_cut(connection) for connection in drips[: callback._MOST_CONNECTIONS])


@pytest.mark.thorough
def test_the_browser_that_brought_the_answer_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete request waits for its page as long as the issuer takes, whoever else connects."""
    monkeypatch.setattr(callback, "_REQUEST_SECONDS", 0.3)
    pages: list[Any] = []
    with CallbackServer() as server:
        server.listen(lambda answer: answer.codes[0])
        browser = threading.Thread(
            target=lambda: pages.append(_get(server.port, "/callback?code=CANARY&state=x"))
        )
        browser.start()
        server.wait(10)
        late = [_begin(server) for _ in range(callback._MOST_CONNECTIONS + 1)]
        assert all(_is_cut(connection) for connection in late)
        server.finish("the end")
        browser.join(20)
    for connection in late:
        connection.close()

    assert pages == [(200, None)]
