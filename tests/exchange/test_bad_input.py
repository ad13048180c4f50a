"""
What networks, proxies, files and services may do wrong, through the command line.

Each ends in one line that names the host, and the exit code that the documentation has. The identity and the
credentials that were there before are there afterwards.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli import main
from cognito_credentials.errors import clean
from cognito_credentials.exchange import connections, endpoints, transport
from cognito_credentials.regions import KNOWN_REGIONS, user_pool_issuer

from .certificates import certificate
from .conftest import RawServer, request_of

POOL = "us-east-1:00000000-0000-4000-8000-00000000000a"
IDENTITY = "us-east-1:00000000-0000-4000-8000-0000000000aa"
HOST = "cognito-identity.us-east-1.amazonaws.com"


def http(body: bytes, *headers: bytes) -> bytes:
    """An answer with its length."""
    head = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(head)


def good(head: bytes) -> bytes:
    """What the service answers."""
    answer: dict[str, Any] = {"IdentityId": IDENTITY}
    if b"GetCredentialsForIdentity" in head:
        keys = {"AccessKeyId": "ASIA" + "A" * 16, "SecretKey": "s" * 40, "SessionToken": "t" * 200}
        answer["Credentials"] = {**keys, "Expiration": int(time.time()) + 3600}
    return http(json.dumps(answer).encode())


class World:
    """The service under its real name, a guest who knows it, and what the command line says to him."""

    def __init__(self, directory: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.answer: Callable[[bytes], bytes] = good
        self.bundle = directory / "bundle.pem"
        self._capture = capture
        pem = directory / "service.pem"
        pem.write_bytes(certificate(HOST, "127.0.0.1", "::1"))
        self.bundle.write_bytes(pem.read_bytes())
        self.server = RawServer(self._serve, pem=pem)

    def _serve(self, connection: socket.socket, head: bytes) -> None:
        while head:
            connection.sendall(self.answer(head))
            if self.answer is not good:
                return
            head = request_of(connection)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command; return its exit code, and what it prints to stdout and stderr."""
        code = main([*arguments])
        printed = self._capture.readouterr()
        return code, printed.out, printed.err

    def identity(self) -> str | None:
        """The identity that this machine knows."""
        found: str | None = json.loads(self.run("status", "--identity-pool-id", POOL, "--json")[1])[
            "identity_id"
        ]
        return found


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[World]:
    made = World(tmp_path, capsys)
    resolve = socket.getaddrinfo

    def resolved(host: str, *rest: Any, **options: Any) -> Any:
        if host == HOST:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", made.server.port))]
        return resolve(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(made.bundle))
    code, _, told = made.run("credential-process", "--identity-pool-id", POOL)
    assert code == 0, told
    yield made
    transport.close_idle()
    made.server.close()


def refused(world: World, code: int, *said: str) -> None:
    """A refresh ends with *code* and one line that says all of *said*; nothing is lost."""
    found, printed, told = world.run("refresh", "--identity-pool-id", POOL)
    assert found == code, told
    assert printed == ""
    assert told.count("\n") == 1, told
    for part in said:
        assert part in told, told
    assert "***" not in told.replace("***:***@", "")
    assert "Traceback" not in told
    assert world.identity() == IDENTITY
    code, printed, told = world.run("credential-process", "--identity-pool-id", POOL)
    assert code == 0, told
    assert json.loads(printed)["SecretAccessKey"] == "s" * 40


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http('{"IdentityId": "é"}'.encode("utf-16")), "not a JSON object in UTF-8"),
        (http('{"IdentityId": "é"}'.encode("latin-1")), "not a JSON object in UTF-8"),
        (http(b'{"IdentityId": "a:1", "IdentityId": "b:2"}'), "not a JSON object"),
        (http(b'{"Credentials": {"Expiration": NaN}}'), "not a JSON object"),
        (http(b'{"IdentityId": "x"}', b"X: " + b"y" * 1_000_000), "bytes of headers"),
        (http(b'{"IdentityId": "x"}')[:-5], "did not answer it whole"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\r\n", "did not answer it whole"),
        (http(b"<html>Please sign in</html>"), "captive portal"),
        (http(b"x", b"Content-Encoding: gzip"), "compressed"),
    ],
    ids=["utf-16", "latin-1", "names twice", "NaN", "headers", "half", "half a chunk", "portal", "gzip"],
)
def test_an_answer_that_is_wrong(world: World, answer: bytes, said: str) -> None:
    """The host is named, and a later try may succeed (exit code 6)."""
    world.answer = lambda _: answer
    transport.close_idle()
    refused(world, 6, HOST, said)


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<AssumeRoleWithWebIdentityResponse>&lol;</AssumeRoleWithWebIdentityResponse>",
    ],
    ids=["entities", "a file", "an unknown entity"],
)
def test_xml_with_entities(world: World, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """No document type is read in an answer of STS."""
    token = http(json.dumps({"IdentityId": IDENTITY, "Token": "t.t.t"}).encode())
    plain = RawServer(
        lambda connection, head: connection.sendall(http(body) if b"AssumeRole" in head else token)
    )
    for variable in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{variable}", plain.url)
    monkeypatch.setenv("AWS_COGNITO_ROLE_ARN", "arn:aws:iam::123456789012:role/mine")
    monkeypatch.setenv("AWS_COGNITO_FLOW", "basic")
    code, _, told = world.run("refresh", "--identity-pool-id", POOL)
    port = plain.port
    plain.close()
    assert code == 6
    assert told.count("\n") == 1
    assert f"127.0.0.1:{port} is not one of" in told
    assert "not XML in UTF-8 without a document type" in told


@pytest.mark.quick
@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (b"403 Forbidden", 6, "(HTTP 403)"),
        (b"407 Proxy Authentication Required", 4, "USER:PASSWORD@HOST:PORT"),
        (b"200 OK\r\nX: " + b"y" * 1_000_000, 6, "(no HTTP answer)"),
    ],
    ids=["refuses", "asks for a password", "headers"],
)
def test_a_proxy_that_does_not_let_through(
    world: World, monkeypatch: pytest.MonkeyPatch, status: bytes, code: int, said: str
) -> None:
    """The proxy is named, without its password."""
    proxy = RawServer(lambda c, _: c.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:CANARY-password@127.0.0.1:{proxy.port}")
    try:
        refused(world, code, f"http://***:***@127.0.0.1:{proxy.port}", said)
    finally:
        proxy.close()


def test_a_proxy_that_is_not_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is the proxy's, not the service's."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    refused(world, 6, "http://127.0.0.1:9", "HTTPS_PROXY")


def test_a_bundle_that_holds_no_certificate(world: World) -> None:
    """The file and the variable are named; a person has to correct them."""
    whole = world.bundle.read_bytes()
    world.bundle.write_bytes(b"not a certificate")
    try:
        refused(world, 4, str(world.bundle), "AWS_CA_BUNDLE", "holds no certificates")
    finally:
        world.bundle.write_bytes(whole)


def test_a_certificate_of_another_host(world: World, tmp_path: Path) -> None:
    """Nothing is sent to it."""
    pem = tmp_path / "other.pem"
    pem.write_bytes(certificate("other.example"))
    other, service = RawServer(lambda *_: None, pem=pem), world.server
    world.bundle.write_bytes(world.bundle.read_bytes() + pem.read_bytes())
    world.server = other
    transport.close_idle()
    try:
        refused(world, 6, f"https://{HOST}/", "Hostname mismatch")
        assert other.heads == []
    finally:
        world.server = service
        other.close()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (socket.gaierror(-2, "Name or service not known"), "cannot be reached"),
        (UnicodeError("label too long"), "cannot be reached"),
        ([], "cannot be reached"),
        ([(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.8.{i}", 9)) for i in range(10)], "cannot be"),
    ],
    ids=["no such name", "no name", "no address", "ten that refuse"],
)
def test_a_host_that_leads_nowhere(
    world: World, monkeypatch: pytest.MonkeyPatch, found: Any, said: str
) -> None:
    """The host is named."""

    def resolved(*_: object, **__: object) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    transport.close_idle()
    refused(world, 6, HOST, said)


def test_an_unknown_region(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The region that was meant is named; with the host, where it may be a new region."""

    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for region, expected, host in (
        ("us-east-9", 6, "cognito-identity.us-east-9.amazonaws.com"),
        ("us-esat-1", 4, ""),
    ):
        code, _, told = world.run("refresh", "--identity-pool-id", POOL.replace("us-east-1", region))
        assert code == expected
        assert told.count("\n") == 1
        assert region in told
        assert host in told
        assert "us-east-1" in told
    assert world.identity() == IDENTITY


@pytest.mark.parametrize("place", ["127.0.0.1:{}/some/path", "127.0.0.1:{}/", "[::1]:{}"])
def test_endpoints_that_are_odd_and_right(world: World, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """A path is kept, and a version 6 address needs its brackets."""
    if "::1" in place:
        world.server.close()
        world.server = RawServer(world._serve, pem=world.bundle, address="::1")
    url = f"https://{place.format(world.server.port)}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", url)
    monkeypatch.setenv("AWS_COGNITO_CACHE", "memory")
    code, printed, told = world.run("credential-process", "--identity-pool-id", POOL)
    assert code == 0, told
    assert json.loads(printed)["AccessKeyId"].startswith("ASIA")
    path = b"/some/path" if "path" in place else b"/"
    assert world.server.heads[-1].startswith(b"POST " + path + b" HTTP/1.1\r\n")


def test_nine_dead_addresses_of_ten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenth answers."""
    monkeypatch.setattr(connections, "STAGGER", 0.02)
    dead = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.8.{i}", 9)) for i in range(1, 10)]
    alive = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", world.server.port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*dead, alive])
    transport.close_idle()
    assert world.run("refresh", "--identity-pool-id", POOL)[0] == 0


@pytest.mark.quick
def test_hosts_are_never_masked() -> None:
    """Every endpoint of AWS, and user pools with names of any length, are in messages as they are."""
    hosts = {
        endpoints.endpoint(service, region, fips=fips, dual_stack=dual)
        for service in ("cognito-identity", "cognito-idp", "sts")
        for region in KNOWN_REGIONS
        for fips in (False, True)
        for dual in (False, True)
    }
    pools = {f"eu-central-1_{name}" for name in ("AbCdEfGhI", "a1B2c3D4e", "9zYxW8vUt", "x" * 42, "X" * 42)}
    for shown in (*hosts, *(user_pool_issuer(pool) for pool in pools)):
        for text in (shown, f'"{shown}/"', shown.partition("://")[2], f"({shown}:8443)", f"{shown}: no"):
            assert clean(text) == text
    host = "https://cognito-idp.eu-central-1.amazonaws.com"
    assert clean(f"{host}/{'a1B2c3D4e5' * 5}.x/y") == f"{host}/***.x/y", "nor with a token in their path"
