"""Connections: which are opened, shared, kept and dropped, and whom they trust."""

from __future__ import annotations

import contextlib
import contextvars
import errno
import http.client
import importlib.util
import os
import select
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.errors import ConfigurationError, ServiceError
from cognito_credentials.exchange import connections, deadline, tls, transport
from cognito_credentials.exchange.actions import Failure
from cognito_credentials.exchange.client import CognitoClient
from cognito_credentials.exchange.connections import HEAD_LIMIT, Target, dial
from cognito_credentials.secret import Secret

from .certificates import certificate
from .conftest import GOOGLE, Bench, EmulatorBench, RawServer, request_of

Serve = Callable[[Callable[[socket.socket, bytes], None]], tuple[RawServer, Bench]]

IDENTITY = b'{"IdentityId": "us-east-1:00000000-0000-4000-8000-0000000000aa"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(IDENTITY) + IDENTITY
TOKENS = {GOOGLE: Secret("CANARY-login")}


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """No idle connection of an earlier test."""
    transport.close_idle()
    yield
    transport.close_idle()


def forever(connection: socket.socket, _: bytes) -> None:
    """Answer every request of a connection."""
    connection.sendall(ANSWER)
    while request_of(connection):
        connection.sendall(ANSWER)


@pytest.fixture
def kept(serve: Serve) -> tuple[RawServer, Bench]:
    """A server that keeps connections open; it counts them by `heads`."""
    return serve(forever)


def failure_of(client: CognitoClient) -> Failure:
    """What a call ends in."""
    with pytest.raises(Failure) as caught:
        client.get_id(TOKENS)
    assert "CANARY" not in str(caught.value)
    return caught.value


def test_all_pools_share_a_connection(kept: tuple[RawServer, Bench]) -> None:
    """Ten clients, ten calls, one connection."""
    server, bench = kept
    for _ in range(10):
        assert bench.client().get_id({})
    assert len(server.heads) == 1


def test_an_old_connection_is_dropped_at_the_next_use(
    kept: tuple[RawServer, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time the next call opens another one, and the old one is closed."""
    server, bench = kept
    assert bench.client().get_id({})
    monkeypatch.setattr(transport, "IDLE_SECONDS", -1.0)
    assert bench.client().get_id({})
    assert len(server.heads) == 2
    assert server.ended.acquire(timeout=5)


def test_no_connection_is_used_shortly_before_the_service_closes_it(
    kept: tuple[RawServer, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service closes one that is idle for a minute: one that is idle for 50 s is used no more."""
    server, bench = kept
    now = 0.0
    monkeypatch.setattr(transport, "_now", lambda: now)
    for now, opened in ((0.0, 1), (10.0, 1), (60.0, 2)):  # noqa: B007  (`_now` returns it)
        assert bench.client().get_id({})
        assert len(server.heads) == opened


@pytest.mark.parametrize("moment", ["old", "fresh", "dropped", "closed"])
def test_a_connection_that_cannot_be_closed_disturbs_no_request(
    kept: tuple[RawServer, Bench], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The answer comes, and each place is free again."""
    _, bench = kept
    assert bench.client().get_id({})
    closed: list[object] = []
    close = http.client.HTTPConnection.close

    def fails(connection: http.client.HTTPConnection) -> None:
        closed.append(connection)
        close(connection)
        raise OSError(errno.EIO, "cannot close")

    with monkeypatch.context() as patch:
        patch.setattr(http.client.HTTPConnection, "close", fails)
        if moment == "old":
            patch.setattr(transport, "IDLE_SECONDS", -1.0)
        if moment == "dropped":
            patch.setattr(transport, "IDLE_LIMIT", 0)
        client = bench.client(attempts=1)
        with client.sparing() if moment == "fresh" else contextlib.nullcontext():
            assert client.get_id({})
        if moment == "closed":
            transport.close_idle()
    assert closed
    assert transport._shared._in_use == {}


@pytest.mark.parametrize("has_poll", [True, False])
def test_a_connection_that_the_service_closed_is_not_used(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, has_poll: bool
) -> None:
    """The next call finds that out before it sends anything, also on Windows, which has no poll."""
    if not has_poll:
        monkeypatch.delattr(select, "poll")
    server, bench = serve(lambda connection, _: connection.sendall(ANSWER))
    for number in range(1, 4):
        assert bench.client(attempts=1).get_id({})
        assert server.ended.acquire(timeout=5)
        assert len(server.heads) == number


@pytest.mark.parametrize("answer", [ANSWER.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), ANSWER[:-1]])
def test_a_connection_that_is_not_whole_is_not_kept(serve: Serve, answer: bytes) -> None:
    """Neither one that the service ends, nor one with an answer that is read in part."""
    _, bench = serve(lambda connection, _: connection.sendall(answer))
    with contextlib.suppress(Failure):
        bench.client(attempts=1).get_id({})
    assert transport._shared._idle == []
    assert transport._shared._in_use == {}


def test_what_is_sent_once_gets_a_fresh_connection(kept: tuple[RawServer, Bench]) -> None:
    """One that ends at this moment would cost the only attempt."""
    server, bench = kept
    client = bench.client()
    assert client.get_id({})
    with client.sparing():
        assert client.get_id({})
    assert len(server.heads) == 2


def test_connections_of_one_way_are_limited(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen threads with a limit of three: never more than three at once, and all get an answer."""
    monkeypatch.setattr(transport, "CONNECTIONS_LIMIT", 3)
    lock, now, most = threading.Lock(), 0, 0

    def script(connection: socket.socket, _: bytes) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.02)
        with lock:
            now -= 1
        connection.sendall(ANSWER.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    _, bench = serve(script)
    clients = [bench.client() for _ in range(16)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda one=client: found.append(one.get_id({}))) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 16
    assert most <= 3


def test_whoever_waits_too_long_for_a_place_is_told(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that never becomes free is a service that does not answer."""
    monkeypatch.setattr(transport, "CONNECTIONS_LIMIT", 1)
    monkeypatch.setattr(transport, "_LONGEST_WAIT", 0.1)

    def hang(*_: object) -> None:
        server.stopped(2)

    server, bench = serve(hang)
    stuck = threading.Thread(target=lambda: failure_of(bench.client(attempts=1)))
    monkeypatch.setattr(transport, "READ_TIMEOUT", 1.0)
    stuck.start()
    while not server.heads:
        time.sleep(0.01)
    told = failure_of(bench.client(attempts=1)).error
    assert told.code == "DeadlineExceeded"
    assert "1 other requests to 127.0.0.1 did not end in time" in told.message
    stuck.join(10)


def test_a_second_try_goes_by_a_fresh_connection(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a sleep of this machine all idle connections are dead, and none of them says so."""
    monkeypatch.setattr(transport, "READ_TIMEOUT", 0.2)
    together = threading.Barrier(2)

    def script(connection: socket.socket, _: bytes) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(5)
        connection.sendall(ANSWER)
        request_of(connection)
        server.stopped(5)

    server, bench = serve(script)
    users = [threading.Thread(target=bench.client().get_id, args=({},)) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join(5)
    assert len(transport._shared._idle) == 2
    together.abort()
    assert bench.client(attempts=2).get_id({})


def test_fresh_connections_do_not_add_up(kept: tuple[RawServer, Bench]) -> None:
    """Requests that are sent once each open a connection of their own, and leave one idle in all."""
    _, bench = kept
    client = bench.client()
    for _ in range(4):
        with client.sparing():
            client.get_id({})
    assert len(transport._shared._idle) == 1


def test_an_interim_answer_is_not_taken_for_the_answer(serve: Serve) -> None:
    """What follows one would be read as the answer to the next request, of another user perhaps."""
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
    server, bench = serve(lambda connection, _: connection.sendall(interim + ANSWER))
    assert failure_of(bench.client(attempts=1)).error.code == "HTTPClientError"
    assert transport._shared._idle == []
    assert len(server.heads) == 1


@pytest.fixture
def dead() -> Iterator[list[Any]]:
    """Nine addresses that never answer: their queues are full."""
    stack = contextlib.ExitStack()
    addresses = []
    for index in range(9):
        listener = stack.enter_context(socket.socket())
        listener.bind((f"127.0.9.{index + 1}", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        addresses.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname()))
    with stack:
        yield addresses


def test_nine_dead_addresses_do_not_hide_the_tenth(
    dead: list[Any], kept: tuple[RawServer, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gets a quarter of a second before the next is tried as well; the tenth answers."""
    server, bench = kept
    monkeypatch.setattr(connections, "STAGGER", 0.05)
    alive = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*dead, alive])
    began = time.monotonic()
    assert bench.client(attempts=1).get_id({})
    assert time.monotonic() - began < 2


def test_addresses_that_refuse_are_passed_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is an answer: the next address is tried without waiting."""
    monkeypatch.setattr(connections, "STAGGER", 30.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.8.{i}", 9)) for i in range(1, 5)]
        alive = (socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())
        with dial([*refusing, alive], 5) as connected:
            assert connected.getpeername() == listener.getsockname()


@pytest.mark.parametrize("stagger", [0.01, 30.0])
def test_addresses_that_are_all_dead_are_a_timeout(
    dead: list[Any], monkeypatch: pytest.MonkeyPatch, stagger: float
) -> None:
    """All of them are given up, tried together or one after the other, and none is left open."""
    monkeypatch.setattr(connections, "STAGGER", stagger)
    with pytest.raises(TimeoutError):
        dial(dead[:2], 0.1)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (OSError("no such name"), "EndpointConnectionError"),
        (UnicodeError("label too long"), "EndpointConnectionError"),
        ([(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.8.8", 9))], "EndpointConnectionError"),
        ([(999, socket.SOCK_STREAM, 6, "", ("127.0.8.8", 9))], "EndpointConnectionError"),
        # A broadcast address is refused before anything is sent.
        ([(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("255.255.255.255", 9))], "EndpointConnectionError"),
    ],
)
def test_a_host_that_leads_nowhere_is_named(
    monkeypatch: pytest.MonkeyPatch, found: object, code: str
) -> None:
    """No address, or none that answers: one line with the host."""

    def resolve(*_: object, **__: object) -> object:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    failure = failure_of(Bench("https://nowhere.example").client(attempts=1))
    assert failure.error.code == code
    assert "nowhere.example" in failure.error.message


@pytest.mark.parametrize("is_here_too", [False, True])
def test_plain_http_goes_to_addresses_of_this_machine_only(
    kept: tuple[RawServer, Bench], monkeypatch: pytest.MonkeyPatch, is_here_too: bool
) -> None:
    """DNS may lead localhost to another machine: no connection is opened there, and no token sent."""
    server, _ = kept
    elsewhere = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", server.port))
    here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
    asked = []
    begun = connections._begun
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [elsewhere, *([here] if is_here_too else [])])
    monkeypatch.setattr(connections, "_begun", lambda address: (asked.append(address), begun(address))[1])
    client = Bench(f"http://localhost:{server.port}").client()

    if is_here_too:
        assert client.get_id(TOKENS)
    else:
        told = failure_of(client)
        assert isinstance(told.error, ConfigurationError)
        assert told.error.message.startswith("localhost leads to another machine here: refusing")
    assert asked == ([here] if is_here_too else [])


def test_no_connection_is_begun_after_the_deadline(kept: tuple[RawServer, Bench]) -> None:
    """A deadline that has passed leaves no time to connect."""
    server, _ = kept
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))

    def late() -> None:
        deadline._DEADLINE.set((time.monotonic() - 1, 5.0))
        dial([address], 5)

    with pytest.raises(ServiceError, match="within 5 s"):
        contextvars.copy_context().run(late)
    assert server.heads == []


def test_what_a_fork_inherited_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets that are open and those that are closed already: none stays open, and none is an error."""
    opened, closed = socket.socket(), socket.socket()
    closed.close()
    descriptor = opened.fileno()
    monkeypatch.setattr(connections, "_open", weakref.WeakSet([opened, closed]))
    connections.close_inherited()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert len(connections._open) == 0


def test_both_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one family leads nowhere, the second address is of the other one."""
    six = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", i)) for i in range(3)]
    four = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", i)) for i in range(2)]
    tried: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*six, *four])
    monkeypatch.setattr(connections, "_begun", lambda address: (tried.append(address), (None, None))[1])
    assert failure_of(Bench("http://localhost").client(attempts=1)).error.code == "EndpointConnectionError"
    assert tried == [six[0], four[0], six[1], four[1], six[2]]


def test_a_connection_that_is_lost_is_not_opened_anew() -> None:
    """http.client would open one of its own: without TLS, time limit, proxy and check of the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        opened = connections.connect(Target("http", host, port, f"http://{host}", None, None), 5)
        opened.close()
        with pytest.raises(http.client.NotConnected):
            opened.request("POST", "/")


def test_an_address_of_version_six(monkeypatch: pytest.MonkeyPatch) -> None:
    """A literal in brackets is connected to and named in the Host header."""
    server = RawServer(forever, address="::1")
    assert Bench(f"http://[::1]:{server.port}").client().get_id({})
    assert f"\r\nHost: [::1]:{server.port}\r\n".encode() in server.heads[0]
    transport.close_idle()
    server.close()


@pytest.mark.parametrize(
    ("url", "name", "host"),
    [
        ("https://[fe80::1%25eth0]", "fe80::1", "[fe80::1]"),
        ("https://service.example.", "service.example", "service.example."),
        ("https://service.example", "service.example", "service.example"),
        ("https://127.0.0.9", "127.0.0.9", "127.0.0.9"),
    ],
)
def test_the_name_in_the_certificate(
    monkeypatch: pytest.MonkeyPatch,
    secure: Callable[..., tuple[RawServer, Bench]],
    url: str,
    name: str,
    host: str,
) -> None:
    """It has no zone and no final dot. Only names are told to the server, which has none for an address."""
    server, bench = secure(name)
    wanted, told = [], []
    assert server._context is not None
    server._context.sni_callback = lambda _, name, __: told.append(name)

    def resolve(host: str, *_: object, **__: object) -> object:
        wanted.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert bench.client(endpoint_url=f"{url}:{server.port}").get_id({})
    assert wanted == [url[8:].strip("[]").replace("%25", "%")]
    assert f"\r\nHost: {host}:{server.port}\r\n".encode() in server.heads[0]
    assert told == [name if name.startswith("service") else None]


def test_what_tls_has_read_ahead_is_not_the_next_answer(
    secure: Callable[..., tuple[RawServer, Bench]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that sends more than its answer gets no second request on that connection."""
    server, bench = secure("127.0.0.1")
    monkeypatch.setattr(server, "_script", lambda connection, _: forever(_Talkative(connection), b""))
    for number in range(1, 3):
        assert bench.client().get_id({})
        assert len(server.heads) == number


class _Talkative:
    """Sends each answer with 12 kB after it, which TLS sends and receives as one piece."""

    def __init__(self, connection: socket.socket) -> None:
        self.recv = connection.recv
        self.sendall = lambda data: connection.sendall(data + ANSWER + b" " * 12_000)


def test_a_long_answer_in_one_piece_is_not_taken_for_a_long_head(serve: Serve) -> None:
    """However much Python reads at once (128 kB from 3.14 on), the body does not count as head."""
    answer = IDENTITY.ljust(transport.BODY_LIMIT)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX: %s\r\n\r\n" % (len(answer), b"y" * 2000)
    _, bench = serve(lambda connection, _: connection.sendall(head + answer))
    assert bench.client(attempts=1).get_id({})


def test_an_endpoint_with_a_path(kept: tuple[RawServer, Bench]) -> None:
    """The path is kept, as botocore keeps it."""
    server, _ = kept
    assert Bench(f"{server.url}/some/path").client().get_id({})
    assert server.heads[0].startswith(b"POST /some/path HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "head",
    [b"X: y\r\n" * 150, b"X: " + b"y" * (1 << 20) + b"\r\n", (b"X: " + b"y" * 3000 + b"\r\n") * 40],
    ids=["many", "one of a megabyte", "long ones"],
)
def test_too_much_head_is_refused(serve: Serve, head: bytes) -> None:
    """A megabyte of headers ends at the limit; the host is named."""
    _, bench = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n"))
    failure = failure_of(bench.client(attempts=3))
    assert f"127.0.0.1 sent more than {HEAD_LIMIT} bytes of headers" in failure.error.message
    assert type(failure.error) is ServiceError


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Callable[..., tuple[RawServer, Bench]]]:
    """Start a TLS server with a certificate of given names, and a bench that trusts it."""
    servers: list[RawServer] = []

    def start(*names: str) -> tuple[RawServer, Bench]:
        pem = tmp_path / "server.pem"
        pem.write_bytes(certificate(*names))
        servers.append(RawServer(forever, pem=pem))
        bench = Bench(servers[-1].url)
        bench.environ["AWS_CA_BUNDLE"] = str(pem)
        return servers[-1], bench

    yield start
    transport.close_idle()
    for server in servers:
        server.close()


def test_tls_connections_are_shared_too(secure: Callable[..., tuple[RawServer, Bench]]) -> None:
    """Five calls, one handshake."""
    server, bench = secure("127.0.0.1")
    for _ in range(5):
        assert bench.client().get_id({})
    assert len(server.heads) == 1


def test_a_certificate_of_another_host_is_refused(secure: Callable[..., tuple[RawServer, Bench]]) -> None:
    """Nothing is sent, and the message names the host and what is wrong."""
    server, bench = secure("other.example", "127.0.0.2")
    failure = failure_of(bench.client(attempts=1))
    assert failure.error.code == "SSLError"
    assert f"https://127.0.0.1:{server.port}/" in failure.error.message
    assert server.heads == []


def test_the_common_name_does_not_count(
    secure: Callable[..., tuple[RawServer, Bench]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that has the host only there is of another host."""
    _, bench = secure("localhost")
    made = tls.context(tls.ca_bundle(bench.settings(), bench.environ))
    assert made.hostname_checks_common_name is False
    assert made.check_hostname is True
    assert made.verify_mode.name == "CERT_REQUIRED"
    assert made.minimum_version.name == "TLSv1_2"


@pytest.mark.parametrize(
    ("content", "problem"), [(b"not a certificate", "holds no certificates"), (b"", "holds no certificates")]
)
def test_a_bundle_without_certificates_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    """The file and the setting that names it; it is for a person to correct."""
    path = tmp_path / "bundle.pem"
    path.write_bytes(content)
    bench = Bench("https://nowhere.example")
    bench.environ["AWS_CA_BUNDLE"] = str(path)
    failure = failure_of(bench.client())
    assert isinstance(failure.error, ConfigurationError)
    assert f"'{path}' from AWS_CA_BUNDLE {problem}" in failure.error.message


def test_a_bundle_that_is_a_directory_is_named(tmp_path: Path) -> None:
    """As botocore, it takes a file."""
    bench = Bench("https://nowhere.example")
    failure = failure_of(bench.client(profile="app", profile_settings={"ca_bundle": str(tmp_path)}))
    assert "from profile 'app' cannot be read" in failure.error.message


def test_a_bundle_that_is_replaced_counts_at_once(secure: Callable[..., tuple[RawServer, Bench]]) -> None:
    """A program that runs for months needs no restart when its CA does."""
    server, bench = secure("127.0.0.1")
    assert bench.client().get_id({})
    Path(bench.environ["AWS_CA_BUNDLE"]).write_bytes(certificate("127.0.0.1") + b"\n")
    assert failure_of(bench.client(attempts=1)).error.code == "SSLError"
    assert len(server.heads) == 1


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy's ssl does not say that it cannot write")
def test_a_log_of_keys_that_cannot_be_written_is_named(
    secure: Callable[..., tuple[RawServer, Bench]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The variable is named: the service has nothing to do with it."""
    _, bench = secure("127.0.0.1")
    path = tmp_path / "missing" / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(path))
    error = failure_of(bench.client()).error
    assert isinstance(error, ConfigurationError)
    assert f"the file '{path}' from SSLKEYLOGFILE cannot be written" in error.message


def test_a_log_of_keys_is_written(
    secure: Callable[..., tuple[RawServer, Bench]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever debugs this process can decrypt its traffic, as that of every TLS library."""
    _, bench = secure("127.0.0.1")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert bench.client().get_id({})
    assert "CLIENT_" in (tmp_path / "keys").read_text()


@pytest.mark.parametrize("is_link", [False, True])
def test_the_roots_are_certifis_before_it_is_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_link: bool
) -> None:
    """Its file is taken without importing it; where a distribution has put a link, certifi is asked."""
    package = tmp_path / "certifi"
    package.mkdir()
    (package / "__init__.py").write_text("def where():\n    return __file__\n")
    (package / "real.pem").touch()
    if is_link:
        (package / "cacert.pem").symlink_to(package / "real.pem")
    else:
        (package / "cacert.pem").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "certifi", None)  # so that the one before comes back
    monkeypatch.delitem(sys.modules, "certifi")
    found = tls.ca_bundle(Bench("").settings(), {}).path
    assert found == str(package / ("__init__.py" if is_link else "cacert.pem"))
    assert ("certifi" in sys.modules) is is_link


def test_the_usual_roots_are_botocores() -> None:
    """The file that botocore verifies against."""
    from botocore.httpsession import get_cert_path

    found = tls.ca_bundle(Bench("").settings(), {})
    assert Path(found.path).samefile(get_cert_path(True))


def test_without_certifi_the_roots_are_those_in_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore brings a bundle for that case."""
    from botocore.httpsession import DEFAULT_CA_BUNDLE

    monkeypatch.setattr("importlib.util.find_spec", _none_of("certifi"))
    monkeypatch.delitem(sys.modules, "certifi", raising=False)
    assert Path(tls.ca_bundle(Bench("").settings(), {}).path).samefile(DEFAULT_CA_BUNDLE)


def _none_of(name: str) -> Callable[[str], Any]:
    found = importlib.util.find_spec
    return lambda wanted: None if wanted == name else found(wanted)


def test_contexts_do_not_pile_up(tmp_path: Path) -> None:
    """A few are remembered."""
    for index in range(12):
        path = tmp_path / f"{index}.pem"
        path.write_bytes(certificate("a.example"))
        tls.context(tls.ca_bundle(Bench("").settings(), {"AWS_CA_BUNDLE": str(path)}))
    assert len(tls._contexts) <= 8


def test_debugging_of_the_standard_library_shows_nothing(
    bench: EmulatorBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program may have set ``http.client``'s switch, which prints requests with their tokens."""
    monkeypatch.setattr("http.client.HTTPConnection.debuglevel", 9)
    assert bench.client(bench.pool()).get_id(bench.login())
    assert capsys.readouterr().out == ""
