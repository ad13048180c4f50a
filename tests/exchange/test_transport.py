"""Servers that send too much, too slowly, to the wrong place, or nonsense."""

from __future__ import annotations

import json
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from cognito_credentials.errors import ConfigurationError, ServiceError
from cognito_credentials.exchange import transport
from cognito_credentials.exchange.actions import Action, Failure
from cognito_credentials.exchange.deadline import with_deadline
from cognito_credentials.exchange.flows import Flows
from cognito_credentials.exchange.transport import BODY_LIMIT, check_target
from cognito_credentials.secret import Secret

from .conftest import GOOGLE, Bench, EmulatorBench, RawServer

Serve = Callable[[Callable[[socket.socket, bytes], None]], tuple[RawServer, Bench]]

TOKENS = {GOOGLE: Secret("CANARY-login")}
IDENTITY = "us-east-1:00000000-0000-4000-8000-0000000000aa"


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """An HTTP answer with its Content-Length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


def failure_of(call: Callable[[], object]) -> Failure:
    """The failure of *call*; its action must be WAIT, and its error a `ServiceError`."""
    with pytest.raises(Failure) as caught:
        call()
    assert caught.value.action is Action.WAIT
    assert type(caught.value.error) is ServiceError
    return caught.value


def exchange_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "cognito-credentials-exchange"]


def test_a_dripping_body_ends_with_the_deadline(serve: Serve) -> None:
    """A body of one byte every 50 ms passes every read timeout, but ends at the deadline with its thread."""

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        while not server.stopped(0.05):
            connection.sendall(b" ")

    server, bench = serve(script)
    client = bench.client()
    began = time.monotonic()

    failure = failure_of(lambda: with_deadline(lambda: client.get_id({}), 0.4))

    assert 0.4 <= time.monotonic() - began < 1.5
    assert "0 s" in failure.error.message
    assert server.ended.acquire(timeout=3), "the abandoned thread went on reading"
    for thread in exchange_threads():
        thread.join(3)
        assert not thread.is_alive()


def test_a_dripping_head_does_not_hold_the_caller(serve: Serve) -> None:
    """A server whose headers never end holds the caller no longer than the deadline."""

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not server.stopped(0.05):
            connection.sendall(b"x")

    server, bench = serve(script)
    client = bench.client()
    began = time.monotonic()

    failure_of(lambda: with_deadline(lambda: client.get_id({}), 0.3))

    assert time.monotonic() - began < 1.5


def test_a_claimed_gigabyte_is_refused_unread(serve: Serve) -> None:
    """A Content-Length beyond the limit ends the call at once, without waiting for the body."""

    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        server.stopped(20)

    server, bench = serve(script)

    failure = failure_of(lambda: bench.client(attempts=3).get_id({}))

    assert f"more than {BODY_LIMIT} bytes" in failure.error.message
    assert len(server.heads) == 1, "it was asked again"


@pytest.mark.parametrize("framing", [b"Transfer-Encoding: chunked", b"Connection: close"])
def test_a_streamed_gigabyte_stops_at_the_limit(serve: Serve, framing: bytes) -> None:
    """A body without a length is read up to the limit, in little memory."""
    sent = 0

    def script(connection: socket.socket, _: bytes) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        piece = b"4000\r\n" + b"x" * 0x4000 + b"\r\n" if b"chunked" in framing else b"x" * 0x4000
        while sent < 1 << 30:
            connection.sendall(piece)
            sent += 0x4000

    server, bench = serve(script)
    client = bench.client(attempts=3)
    tracemalloc = pytest.importorskip("tracemalloc")  # PyPy has none
    tracemalloc.start()

    failure = failure_of(lambda: client.get_id({}))

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f"more than {BODY_LIMIT} bytes" in failure.error.message
    assert len(server.heads) == 1
    assert server.ended.acquire(timeout=5)
    assert sent < 16 << 20, "only what socket buffers swallow"
    assert peak < 5 << 20


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate, gzip", b"br"])
def test_a_compressed_answer_is_refused(serve: Serve, encoding: bytes) -> None:
    """A compressed answer is refused without decompressing it, since the request asked for none."""
    server, bench = serve(lambda c, _: c.sendall(answer(b"\x1f\x8b" * 30, b"Content-Encoding: " + encoding)))

    failure = failure_of(lambda: bench.client(attempts=3).get_id({}))

    assert "compressed" in failure.error.message
    assert len(server.heads) == 1
    assert b"\r\naccept-encoding: identity\r\n" in server.heads[0].lower()


@pytest.mark.parametrize(
    "status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 T", b"308 P", b"304 N"]
)
def test_a_redirect_is_not_followed(serve: Serve, status: bytes) -> None:
    """A redirect is not followed, so that the login token goes to no other host."""
    thief, _ = serve(lambda c, _: c.sendall(answer(b'{"IdentityId": "x:0"}')))
    location = b"Location: " + thief.url.encode()
    server, bench = serve(lambda c, _: c.sendall(answer(b"", location, status=status)))

    failure = failure_of(lambda: bench.client(attempts=3).get_id(TOKENS))

    assert "redirect" in failure.error.message
    assert len(server.heads) == 1
    assert thief.heads == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Welcome to the airport! CANARY</body></html>",
        b"",
        b"\xff\xfe\x00CANARY",
        b'{"IdentityId": "us-east-1:0000',
        b"[" * 20_000,
        b"[]",
        b"null",
        b"5",
        b'{"IdentityId": null}',
        b'{"IdentityId": 5}',
        b'{"IdentityId": {}}',
        b'{"IdentityId": "../../etc"}',
        b'{"IdentityId": "us-east-1:' + b"0" * 60 + b'"}',
        b'{"IdentityId": "us-east-1:00\\n"}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_an_answer_that_is_not_cognitos(serve: Serve, body: bytes) -> None:
    """A captive portal's page, or other nonsense with status 200, is a `ServiceError` with action WAIT."""
    _, bench = serve(lambda c, _: c.sendall(answer(body)))

    failure = failure_of(lambda: bench.client().get_id({}))

    assert "not one of Cognito's" in failure.error.message
    assert "portal" in failure.error.hint


GOOD = {"AccessKeyId": "ASIA" + "A" * 16, "SecretKey": "x" * 40, "SessionToken": "y" * 400, "Expiration": 0}


@pytest.mark.thorough
@pytest.mark.parametrize("field", GOOD)
@pytest.mark.parametrize("value", [None, 5, "", [], {}, "a b", "a\n", "x" * 20_000, True, "é", "a\0b", 1e300])
def test_credentials_with_a_wrong_part(serve: Serve, field: str, value: object) -> None:
    """Credentials with one part of a wrong type, missing, too long or with odd characters are refused."""
    credentials = {**GOOD, "Expiration": time.time() + 3600, field: value}
    body = json.dumps({"IdentityId": IDENTITY, "Credentials": credentials}).encode()
    _, bench = serve(lambda c, _: c.sendall(answer(body)))

    failure_of(lambda: Flows(bench.client(), bench.settings()).credentials(IDENTITY, {}, lambda _: None))


def test_mutated_answers_are_typed_failures(serve: Serve) -> None:
    """An answer with changed bytes gives credentials or an error of this package."""
    rng = random.Random(7)
    good = json.dumps(
        {"IdentityId": IDENTITY, "Credentials": {**GOOD, "Expiration": int(time.time()) + 3600}}
    ).encode()
    outcomes = {True: 0, False: 0}

    def script(connection: socket.socket, _: bytes) -> None:
        body = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(body))
            choice = rng.randrange(3)
            if choice == 0:
                body[place] = rng.randrange(256)
            elif choice == 1:
                del body[place : place + rng.randint(1, 40)]
            else:
                body[place:place] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 9)))
        connection.sendall(answer(bytes(body)))

    _, bench = serve(script)
    client, settings = bench.client(), bench.settings()
    for _ in range(200):
        outcomes[_is_refused(lambda: Flows(client, settings).credentials(IDENTITY, {}, lambda _: None))] += 1

    assert outcomes[True] > 50


def _is_refused(call: Callable[[], object]) -> bool:
    """Return whether *call* ends in a service error; any other error fails the test."""
    try:
        call()
    except Failure as failure:
        if type(failure.error) is not ServiceError:
            raise
        return True
    return False


def test_a_truncated_answer_is_asked_for_again(serve: Serve) -> None:
    """An answer with fewer bytes than its Content-Length is a lost connection, and is asked for again."""
    body = b'{"IdentityId": "%s"}' % IDENTITY.encode()

    def script(connection: socket.socket, _: bytes) -> None:
        whole = answer(body)
        connection.sendall(whole if len(server.heads) > 1 else whole[:-4])

    server, bench = serve(script)

    assert bench.client(attempts=3).get_id(TOKENS) == IDENTITY
    assert len(server.heads) == 2


def test_a_dropped_connection_is_tried_again(bench: EmulatorBench) -> None:
    """A request whose connection is lost before or after the operation is retried, three attempts at most."""
    pool = bench.pool()
    bench.fault(drop=True, times=2)
    assert bench.client(pool, attempts=3).get_id(bench.login())

    bench.fault(drop="after", times=2)
    assert bench.client(pool, attempts=3).get_id(bench.login())

    bench.fault(drop=True, times=3)
    with pytest.raises(Failure):
        bench.client(pool, attempts=3).get_id(bench.login())
    assert bench.emulator.requests()["GetId"] == 9


def test_a_guest_identity_is_not_asked_for_a_third_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guest's GetId that times out is retried once only: each attempt may have made an identity."""
    monkeypatch.setattr(transport, "READ_TIMEOUT", 0.1)
    server, bench = serve(lambda *_: server.stopped(20) and None)

    failure = failure_of(lambda: bench.client(attempts=3).get_id({}))

    assert len(server.heads) == 2
    assert "did not answer, twice" in failure.error.message
    assert failure.__context__ is None

    failure_of(lambda: bench.client(attempts=3).get_id(TOKENS))
    assert len(server.heads) == 5, "a signed-in identity is the same however often it is asked for"


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://cognito-identity.us-east-1.amazonaws.com/", True),
        ("http://127.0.0.1:8080/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]:8080/", True),
        ("http://localhost/", True),
        ("http://127.0.0.1.example.com/", False),
        ("http://localhost.example.com/", False),
        ("http://cognito-identity.us-east-1.amazonaws.com/", False),
        ("http://10.0.0.1/", False),
        ("http://[::ffff:127.0.0.1]/", False),  # Python versions disagree on it
        ("http://[::1%25eth0]/", False),
        ("http://0x7f000001/", False),
        ("http://127.0.0.1@example.com/", False),
        ("ftp://127.0.0.1/", False),
        ("//127.0.0.1/", False),
    ],
)
def test_tokens_go_over_https_or_to_this_machine(url: str, is_safe: bool) -> None:
    """Plain http is accepted only for loopback addresses, and no name is looked up to decide."""
    if is_safe:
        check_target(url)
    else:
        with pytest.raises(ConfigurationError, match="refusing to send login tokens"):
            check_target(url)


@pytest.mark.parametrize("sign", ["stubber", "keys"])
def test_under_a_mock_of_moto_only_this_machine_is_asked(monkeypatch: pytest.MonkeyPatch, sign: str) -> None:
    """moto says so in its module; to a child process, by its keys. `test_moto.py` has the real one."""
    stubber = SimpleNamespace(enabled=False)
    monkeypatch.setitem(sys.modules, "moto.core.models", SimpleNamespace(botocore_stubber=stubber))
    check_target("https://cognito-identity.us-east-1.amazonaws.com/")
    if sign == "stubber":
        stubber.enabled = True
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FOOBARKEY")
    check_target("https://127.0.0.1:8080/")
    with pytest.raises(ConfigurationError, match="moto is active"):
        check_target("https://cognito-identity.us-east-1.amazonaws.com/")
