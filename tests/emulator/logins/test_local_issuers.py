"""An issuer on this machine, with plain http. AWS could not reach it."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from cognito_credentials import IdentityPool
from cognito_credentials.errors import LoginRejectedError
from tests.world import World

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def published() -> dict[str, Any]:
    """The keys that the issuer publishes: kid to key."""
    return {"k": KEY}


@pytest.fixture
def host(published: dict[str, Any]) -> Iterator[str]:
    """The host and port of an issuer on 127.0.0.1 that publishes keys."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            jwks = {kid: json.loads(RSAAlgorithm.to_jwk(key.public_key())) for kid, key in published.items()}
            keys = {"keys": [{**jwk, "kid": kid, "use": "sig"} for kid, jwk in jwks.items()]}
            about = {"issuer": f"http://{name}", "jwks_uri": f"http://{name}/keys"}
            body = json.dumps(keys if self.path == "/keys" else about).encode()
            self.send_response(302 if self.path.startswith("/to/") else 200)
            if self.path.startswith("/to/"):
                self.send_header("Location", f"http://{self.path[4:]}:{server.server_port}/keys")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing on stderr."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    name = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield name
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def pool(emulator: Any, host: str, isolation: Any) -> Any:
    """A function that makes pools with this issuer as a provider."""
    world = World(emulator, {"HOME": str(isolation)})
    arn = f"arn:aws:iam::123456789012:oidc-provider/{host}"
    world.pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[arn])

    def of(issuer: str, key: Any = KEY) -> IdentityPool:
        now = int(world.clock.wall())
        claims = {"iss": issuer, "sub": "CANARY-ann", "aud": "app", "iat": now, "exp": now + 600}
        return world.pool(logins={host: jwt.encode(claims, key, "RS256", {"kid": "k"})})

    return of


def test_its_keys_are_fetched_over_http(pool: Any, host: str) -> None:
    """Its discovery document and keys are fetched over http, from this machine only."""
    assert pool(f"http://{host}").credentials().access_key_id.startswith("ASIA")


def test_another_key_does_not_verify(pool: Any, host: str) -> None:
    """A token with another signature is refused, although its issuer is on this machine."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    with pytest.raises(LoginRejectedError, match="does not verify"):
        pool(f"http://{host}", other).credentials()


@pytest.fixture
def babbler() -> Iterator[str]:
    """The host and port of a server on 127.0.0.1 whose answers are not HTTP."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"CANARY is not HTTP\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def ask(api: Any, host: str, key: Any = KEY, kid: str = "k") -> Any:
    """GetId with a login of an issuer, as raw HTTP."""
    arn = f"arn:aws:iam::123456789012:oidc-provider/{host}"
    pool_id = api.emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    claims = {"iss": f"http://{host}", "sub": "CANARY-ann", "aud": "app", "exp": 4_000_000_000}
    login = {host: jwt.encode(claims, key, "RS256", {"kid": kid})}
    return api.post("GetId", {"IdentityPoolId": pool_id, "Logins": login})


def test_an_issuer_that_speaks_no_http(api: Any, babbler: str) -> None:
    """An issuer with garbage instead of keys is an ExternalServiceException."""
    assert ask(api, babbler).json["__type"] == "ExternalServiceException"


def test_an_unexpected_exception_while_fetching(api: Any, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception while fetching is answered as an InternalErrorException."""
    monkeypatch.setattr("cognito_credentials.emulator.logins.fetching.fetch_keys", lambda *of: {}[of])

    answer = ask(api, host)

    assert (answer.status, answer.json["__type"]) == (500, "InternalErrorException")


def test_a_request_that_fetches_keys_counts_once(api: Any, host: str) -> None:
    """A request counts once for the quota, however often it starts again."""
    api.control("PUT", "settings", {"throttle": {"GetId": 0.001}})

    assert ask(api, host).status == 200


@pytest.mark.parametrize(("place", "status"), [("127.0.0.1", 200), ("localhost", 200), ("127.1", 400)])
def test_an_issuer_that_sends_elsewhere(api: Any, host: str, place: str, status: int) -> None:
    """A redirect is followed only to an address that keys may be fetched from."""
    api.emulator.service.state.execute(
        "INSERT INTO issuers VALUES (?, '[]', NULL, ?)", host, f"http://{host}/to/{place}"
    )

    answer = ask(api, host)

    assert answer.status == status
    assert status == 200 or answer.json["__type"] == "ExternalServiceException"


def test_an_issuer_with_a_new_key(
    api: Any, host: str, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cached keys are fetched again for an unknown kid, at most every two seconds, and after an hour."""
    clock = api.emulator.service.clock
    monkeypatch.setattr(clock, "now", lambda: 1_900_000_000.0 + clock.passed)
    new = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert ask(api, host).status == 200

    early = ask(api, host, new, "new")
    published["new"] = new
    at_once = ask(api, host, new, "new")
    api.emulator.move_clock(2.5)
    later = ask(api, host, new, "new")
    published["k"] = new
    api.emulator.move_clock(3000)
    kept = ask(api, host)
    api.emulator.move_clock(700)
    old = ask(api, host)

    text = "Invalid login token. Couldn't verify signed token."
    assert [early.json.get("message"), at_once.json.get("message")] == [text, text]
    assert [later.status, kept.status, old.json.get("message")] == [200, 200, text]
