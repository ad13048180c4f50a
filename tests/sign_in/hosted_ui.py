"""
A user pool's sign-in pages under a domain of Cognito's own, over TLS.

The domain does not lead here by itself: `Proxy` takes it here for programs that ask a proxy, and a browser is
told by `browser_flags`.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import html
import json
import secrets
import select
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .user_pool_server import CLIENT, UserPoolServer

PAGE = """<!doctype html><title>Signin</title><h1>Sign in with your username and password</h1><p>{said}</p>
<form name="cognitoSignInForm" method="post" action="/login?{query}">
<input name="username"><input name="password" type="password">
<input name="signInSubmitButton" type="submit" value="Sign in"></form>"""
SCOPES = {"openid", "email"}


class HostedUi:
    """
    The pages of *pool*.

    Args:
        pool: The user pool; it knows the users.
        domain: The host of the pages.
        callbacks: The registered callback URLs.
        directory: Where the certificate is written.
    """

    def __init__(self, pool: UserPoolServer, domain: str, callbacks: list[str], directory: Path) -> None:
        self.pool, self.domain, self.callbacks = pool, domain, callbacks
        self.requests: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, domain)
        self.ca_bundle = directory / "ca.pem"
        self.ca_bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private = directory / "key.pem"
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        public = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._pin = base64.b64encode(hashlib.sha256(public).digest()).decode()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_bundle, private)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = int(self._http.server_address[1])
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def browser_flags(self) -> tuple[str, ...]:
        """The options with which Chromium comes here for the domain and accepts the certificate."""
        return (
            f"--host-resolver-rules=MAP {self.domain}:443 127.0.0.1:{self.port}",
            f"--ignore-certificate-errors-spki-list={self._pin}",
        )

    def get(self, path: str, query: dict[str, str]) -> tuple[int, str]:
        """Answer a GET: a status, and a page or the address of a redirect."""
        if path == "/oauth2/authorize":
            problem = self._problem(query)
            return (302, f"/error?error={problem}") if problem else (302, f"/login?{urlencode(query)}")
        if path == "/login" and not self._problem(query):
            return 200, PAGE.format(query=html.escape(urlencode(query)), said="")
        if path == "/error":
            return 400, f"<h1>An error was encountered with the requested page.</h1>{query['error']}"
        return 404, ""

    def sign_in(self, query: dict[str, str], form: dict[str, str]) -> tuple[int, str]:
        """Answer the form: a status, and a page or the address of a redirect."""
        user = self.pool.users.get(form["username"])
        if self._problem(query) or user is None or not user.verifier.matches(form["password"]):
            said = "Incorrect username or password."
            return 200, PAGE.format(query=html.escape(urlencode(query)), said=said)
        code = secrets.token_hex(16)
        self._codes[code] = {**query, "user": user.name}
        return 302, f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_right = (
            asked is not None
            and form["grant_type"] == "authorization_code"
            and form["client_id"] == CLIENT
            and form["redirect_uri"] == asked["redirect_uri"]
            and challenge == asked["code_challenge"]
        )
        if asked is None or not is_right:
            return 400, {"error": "invalid_grant"}
        user = self.pool.users[asked["user"]]
        given = self.pool._result(user, with_refresh=True, nonce=asked["nonce"])["AuthenticationResult"]
        names = {"id_token": "IdToken", "access_token": "AccessToken", "refresh_token": "RefreshToken"}
        return 200, {**{name: given[key] for name, key in names.items()}, "token_type": "Bearer"}

    def _problem(self, query: dict[str, str]) -> str:
        """As Cognito names it."""
        if query.get("client_id") != CLIENT or query.get("response_type") != "code":
            return "invalid_request"
        if query.get("redirect_uri") not in self.callbacks:
            return "redirect_mismatch"
        if not set(query.get("scope", "").split()) <= SCOPES or "openid" not in query["scope"]:
            return "invalid_scope"
        is_whole = query.get("code_challenge_method") == "S256" and query.get("state") and query.get("nonce")
        return "" if is_whole else "invalid_request"


def _handler(ui: HostedUi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            ui.requests.append(path)
            self._page(*ui.get(path, dict(parse_qsl(query))))

        def do_POST(self) -> None:
            path, _, query = self.path.partition("?")
            ui.requests.append(path)
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            if path == "/oauth2/token":
                status, content = ui.token(form)
                self._send(status, json.dumps(content), {"Content-Type": "application/json"})
            else:
                self._page(*ui.sign_in(dict(parse_qsl(query)), form))

        def _page(self, status: int, content: str) -> None:
            if status == 302:
                self._send(status, "", {"Location": content})
            else:
                self._send(status, content, {"Content-Type": "text/html"})

        def _send(self, status: int, text: str, headers: dict[str, str]) -> None:
            body = text.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    return Handler


class Proxy:
    """Takes connections to one domain to a port of this machine, and refuses all others."""

    def __init__(self, domain: str, port: int) -> None:
        self._domain, self._port = domain, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._tunnel, args=(connection,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            if not head.startswith(f"CONNECT {self._domain}:443 ".encode()):
                client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                ends = {client: server, server: client}
                while True:
                    for end in select.select(list(ends), [], [])[0]:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[end].sendall(data)


def _certificate(key: ec.EllipticCurvePrivateKey, domain: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hosted UI")])
    now = dt.datetime.now(dt.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
