"""Proxies: found as botocore finds them, and used without showing their password."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import botocore.utils
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_credentials.errors import ConfigurationError, ServiceError
from cognito_credentials.exchange.actions import Failure
from cognito_credentials.exchange.client import close_idle_connections
from cognito_credentials.exchange.connections import READ_SIZE
from cognito_credentials.exchange.proxies import Proxy, proxy_for
from cognito_credentials.secret import Secret

from .certificates import certificate
from .conftest import GOOGLE, Bench, RawServer, request_of

Serve = Callable[[Callable[[socket.socket, bytes], None]], tuple[RawServer, Bench]]

NAMES = ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "HTTP_PROXY", "ALL_PROXY", "Https_Proxy")
suffixes = st.sampled_from(
    ["a.example", ".example", "EXAMPLE", "example:443", "b", "*", "", " ", ".", "a.example:8443"]
)


@given(
    st.dictionaries(st.sampled_from(NAMES), st.just(""), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries(
            {
                name: st.lists(suffixes, max_size=3).map(",".join)
                if name.lower() == "no_proxy"
                else st.sampled_from(["", f"http://{name.replace('_', '-')}:1"])
                for name in names
            }
        )
    ),
    st.sampled_from(
        ["a.example", "a.example:443", "A.EXAMPLE:8443", "example", "xexample", "[::1]:443", "b"]
    ),
)
def test_the_environment_is_read_as_botocore_reads_it(environ: dict[str, str], netloc: str) -> None:
    """Both cases, exceptions by suffix and port, an empty one that switches another one off."""
    url = f"https://{netloc}/path"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        for name, value in environ.items():
            patch.setenv(name, value)
        expected = botocore.utils.get_environ_proxies(url).get("https", "").lower()
        found = proxy_for(url)
        assert (f"http://{found.host}:{found.port}" if found else "") == expected


@pytest.mark.parametrize(
    ("no_proxy", "is_direct"), [("*", True), ("a.example,b.example", True), ("b.example", False)]
)
def test_exceptions(monkeypatch: pytest.MonkeyPatch, no_proxy: str, is_direct: bool) -> None:
    """A star excepts every host; otherwise each host is named."""
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (proxy_for("https://a.example/") is None) is is_direct


@pytest.mark.parametrize("system", ["darwin", "win32"])
@pytest.mark.parametrize("is_excepted", [False, True])
def test_the_systems_own_settings_count(
    monkeypatch: pytest.MonkeyPatch, system: str, is_excepted: bool
) -> None:
    """macOS and Windows have settings for proxies, which the standard library reads."""
    asked = []
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "http://proxy:3128"})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: asked.append(host) or is_excepted)
    with monkeypatch.context() as patch:
        patch.setattr("sys.platform", system)
        found = proxy_for("https://a.example:8443/")
    assert found == (None if is_excepted else Proxy("http", "proxy", 3128, None))
    assert asked == ["a.example:8443"]


@pytest.mark.parametrize(
    ("address", "shown", "authorization"),
    [
        ("http://proxy:3128", "http://proxy:3128", None),
        ("proxy:3128", "http://proxy:3128", None),
        ("//proxy", "http://proxy:80", None),
        ("https://proxy", "https://proxy:443", None),
        ("http://proxy:3128/", "http://proxy:3128", None),
        ("http://me:CANARY%2Fx@proxy:1", "http://***:***@proxy:1", "me:CANARY/x"),
        ("http://[::1]:3128", "http://[::1]:3128", None),
        ("http://me:CANARY%40@proxy:1", "http://***:***@proxy:1", "me:CANARY@"),
        ("http://me@proxy:1", "http://proxy:1", None),
    ],
)
def test_what_a_proxy_address_says(
    monkeypatch: pytest.MonkeyPatch, address: str, shown: str, authorization: str | None
) -> None:
    """Scheme, host, port, and user name and password, which are not shown."""
    monkeypatch.setenv("https_proxy", address)
    monkeypatch.delenv("no_proxy", raising=False)
    proxy = proxy_for("https://a.example/")
    assert proxy is not None
    assert proxy.shown == shown
    assert "CANARY" not in repr(proxy)
    sent = None if proxy.authorization is None else proxy.authorization.reveal()
    assert sent == (authorization and "Basic " + base64.b64encode(authorization.encode()).decode())
    assert proxy == proxy_for("https://b.example/")
    assert hash(proxy) == hash(proxy_for("https://b.example/"))
    assert proxy != Proxy("http", "other", 1, Secret("x"))


@pytest.mark.parametrize(
    "address",
    [
        *("socks5://me:CANARY@proxy:1", "ftp://proxy", "http://", "http://proxy:x", "http://proxy:1/pac"),
        *(f"http://me:12345{sign}CANARY@proxy:80" for sign in "/?#"),
        *("me:CANARY", "me:CANARY/x@proxy:80", "http://[CANARY"),
    ],
)
def test_a_proxy_of_another_kind_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """One line that says which variable it is, and shows nothing of it: any part may be the password."""
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        proxy_for("https://a.example/")
    assert "CANARY" not in str(caught.value)
    assert "12345" not in str(caught.value)


def through(server: RawServer) -> Failure:
    """The failure of a call through a proxy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", server.url.replace("//", "//me:CANARY-password@"))
        client = Bench("").client(endpoint_url=None)
        with pytest.raises(Failure) as caught:
            client.get_id({GOOGLE: Secret("CANARY-login")})
    return caught.value


@pytest.mark.parametrize(
    "status", [b"407 Proxy Authentication Required", b"403 No", b"502 Bad", b"302 Found"]
)
def test_a_proxy_that_refuses_is_named(serve: Serve, status: bytes) -> None:
    """It gets name and password, and nothing of the request; the message has neither."""
    server, _ = serve(lambda c, _: c.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"))
    failure = through(server)
    assert type(failure.error) is (ConfigurationError if b"407" in status else ServiceError)
    assert failure.error.code == "ProxyConnectionError"
    assert f"***:***@127.0.0.1:{server.url.rpartition(':')[2]}" in failure.error.message
    assert f"HTTP {status[:3].decode()}" in failure.error.message
    assert b"Proxy-Authorization: Basic " in server.heads[0]
    assert b"CANARY" not in b"".join(server.heads)
    assert "CANARY" not in str(failure.error)


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"]
)
def test_a_proxy_that_speaks_nonsense_is_named(serve: Serve, answer: bytes) -> None:
    """An answer that is none opens no way."""
    server, _ = serve(lambda c, _: c.sendall(answer))
    assert through(server).error.code == "ProxyConnectionError"


class Tunnel:
    """
    A proxy that opens tunnels to *port*, whatever it is asked for.

    Args:
        pem: Certificate and key, for a proxy that is spoken to over TLS.
    """

    def __init__(self, port: int, pem: str | None = None) -> None:
        self._port = port
        self._context = None
        if pem is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(pem)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.asked: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
            self.asked.append(client.recv(65536))
            with client, socket.create_connection(("127.0.0.1", self._port)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                back.start()
                self._pump(client, server)
                back.join(5)
        except OSError:
            pass

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


HOST = "cognito-identity.us-east-1.amazonaws.com"
IDENTITY = b'{"IdentityId": "us-east-1:00000000-0000-4000-8000-0000000000aa"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(IDENTITY) + IDENTITY


def twice(connection: socket.socket, _: bytes) -> None:
    """Answer two requests on one connection."""
    connection.sendall(ANSWER)
    if request_of(connection):
        connection.sendall(ANSWER)


@contextlib.contextmanager
def tunnelled(
    tmp_path: Path, script: Callable[[socket.socket, bytes], None], *, is_secure: bool
) -> Iterator[tuple[Tunnel, Bench]]:
    """A service over TLS behind a proxy, which is spoken to over TLS where that *is_secure*."""
    pem, service = tmp_path / "proxy.pem", tmp_path / "service.pem"
    pem.write_bytes(certificate("127.0.0.1"))
    service.write_bytes(certificate(HOST))
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(service.read_bytes() + pem.read_bytes())
    server = RawServer(script, pem=service)
    tunnel = Tunnel(server.port, str(pem) if is_secure else None)
    bench = Bench("")
    bench.environ["AWS_CA_BUNDLE"] = str(bundle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", f"{'https' if is_secure else 'http'}://127.0.0.1:{tunnel.port}")
        yield tunnel, bench
    close_idle_connections()
    tunnel.close()
    server.close()


@pytest.mark.parametrize("is_secure", [False, True], ids=["http proxy", "https proxy"])
def test_a_tunnel_is_used_again(tmp_path: Path, is_secure: bool) -> None:
    """Two calls go through one tunnel, TLS to the service inside, also within the TLS of a proxy."""
    if is_secure and sys.implementation.name == "pypy":
        pytest.skip("the proxy of this test meets a fault of PyPy's ssl: string() of a NULL")
    with tunnelled(tmp_path, twice, is_secure=is_secure) as (tunnel, bench):
        client = bench.client(endpoint_url=None)
        assert client.get_id({})
        assert client.get_id({})

        assert len(tunnel.asked) == 1
        assert tunnel.asked[0].startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode())


@pytest.mark.parametrize("is_secure", [False, True], ids=["http proxy", "https proxy"])
def test_a_second_answer_is_no_other_users(tmp_path: Path, is_secure: bool) -> None:
    """A service that sends each answer twice gives no user the identity of the one before."""
    users = iter(range(1, 9))

    def script(connection: socket.socket, _: bytes) -> None:
        while True:
            identity = IDENTITY.replace(b"aa", b"%02d" % next(users))
            answer = ANSWER.replace(IDENTITY, identity)
            padding = b"x" * (READ_SIZE - len(answer) - 5)  # the first reading ends with it
            connection.sendall(answer.replace(b"\r\n\r\n", b"\r\nX: " + padding + b"\r\n\r\n") + answer)
            if not request_of(connection):
                return

    with tunnelled(tmp_path, script, is_secure=is_secure) as (_, bench):
        found = [bench.client(endpoint_url=None).get_id({})[-2:] for _ in range(4)]

    assert found == ["01", "02", "03", "04"]


def test_a_proxy_over_tls_is_verified(tmp_path: Path) -> None:
    """A proxy with a certificate that nobody trusts is not given the password."""
    pem = tmp_path / "proxy.pem"
    pem.write_bytes(certificate("127.0.0.1"))
    tunnel = Tunnel(9, str(pem))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", f"https://me:CANARY@127.0.0.1:{tunnel.port}")
        with pytest.raises(Failure) as caught:
            Bench("").client(endpoint_url=None).get_id({})
    assert caught.value.error.code == "SSLError"
    assert "CANARY" not in str(caught.value.error)
    tunnel.close()
