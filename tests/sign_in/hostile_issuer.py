"""An issuer on this machine that misbehaves as a test says: wrong tokens, addresses, endless answers."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Answer = tuple[int, dict[str, str], bytes]
CLIENT = "desktop"


def answer(content: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON answer."""
    return status, {"Content-Type": "application/json", **headers}, json.dumps(content).encode()


class HostileIssuer:
    """
    Well-behaved until a test changes `metadata`, `claims`, `sign`, `tokens` or `answers`.
    """

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.answers: dict[str, Callable[[], Answer]] = {}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.nonce: str | None = None
        self.sign: Callable[[dict[str, Any]], str] = self.sign_well
        self.refresh_tokens = ["CANARY-refresh-0"]
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def sign_well(self, claims: dict[str, Any]) -> str:
        # As bytes: jwt.encode itself refuses some claims that must be refused on the other side.
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.rsa, "RS256", {"kid": "rsa"})

    def public_pem(self) -> bytes:
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.rsa.public_key().public_bytes(encoding, form)

    def respond(self, method: str, target: str, form: dict[str, str]) -> Answer:
        path = target.partition("?")[0]
        self.requests.append((method, path, form))
        if path in self.answers:
            return self.answers[path]()
        if path == "/.well-known/openid-configuration":
            return answer({**self._own_metadata(), **self.metadata})
        if path == "/jwks":
            return self.keys()
        if path == "/token":
            return self._tokens(form)
        return answer({}, 404)

    def keys(self) -> Answer:
        """The keys that it publishes."""
        return answer({"keys": [self._jwk(self.rsa, "rsa"), self._jwk(self.ec, "ec")]})

    def tokens(self) -> dict[str, Any]:
        """The answer of the token endpoint."""
        self.refresh_tokens.append(f"CANARY-refresh-{len(self.refresh_tokens)}")
        return {
            "id_token": self.sign(self._own_claims()),
            "access_token": "CANARY-access",
            "refresh_token": self.refresh_tokens[-1],
            "token_type": "Bearer",
        }

    def _tokens(self, form: dict[str, str]) -> Answer:
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh_tokens[-1]:
            return answer({"error": "invalid_grant", "error_description": 'used "twice"\n'}, 400)
        return answer(self.tokens())

    def _own_claims(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": "ann", "iat": now, "exp": now + 3600}
        return {**claims, **({"nonce": self.nonce} if self.nonce else {}), **self.claims}

    def _own_metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint": f"{self.url}/token",
            "authorization_endpoint": f"{self.url}/authorize",
            "device_authorization_endpoint": f"{self.url}/device",
            "revocation_endpoint": f"{self.url}/revoke",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        }

    def _jwk(self, key: Any, kid: str) -> dict[str, Any]:
        algorithm = jwt.algorithms.RSAAlgorithm if kid == "rsa" else jwt.algorithms.ECAlgorithm
        return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


def _handler(issuer: HostileIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(issuer.respond("GET", self.path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(issuer.respond("POST", self.path, dict(urllib.parse.parse_qsl(body))))

        def _answer(self, given: Answer) -> None:
            status, headers, body = given
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                if "X-Slow" in headers:
                    for byte in body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(0.3)
                else:
                    self.wfile.write(body)
            except OSError:
                return

        def log_message(self, *_: Any) -> None: ...

    return Handler
