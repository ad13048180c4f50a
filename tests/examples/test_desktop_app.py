"""examples/desktop_app.py, with an emulator and a token endpoint such as an OpenID Connect provider has."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import boto3
import pytest

from .conftest import Running

PROVIDER = "login.example.com"


class TokenEndpoint:
    """Answers a refresh token with an ID token, until the sign-in is ended."""

    def __init__(self, mint: Callable[[], str]) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.signed_in = True
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                endpoint.asked.append(parse_qs(form))
                body = json.dumps({"id_token": mint()} if endpoint.signed_in else {"error": "invalid_grant"})
                self.send_response(200 if endpoint.signed_in else 400)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args: object) -> None:
                """Say nothing on stderr."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token"


@pytest.fixture
def endpoint(emulator) -> Iterator[TokenEndpoint]:
    made = TokenEndpoint(lambda: emulator.login_token(PROVIDER))
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def app(emulator, endpoint: TokenEndpoint, run) -> Running:
    """The app, on its first sync."""
    return _start(emulator, endpoint, run)


def _start(emulator, endpoint: TokenEndpoint, run) -> Running:
    provider = f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"
    running: Running = run(
        "desktop_app.py",
        AWS_COGNITO_IDENTITY_POOL_ID=emulator.create_pool(OpenIdConnectProviderARNs=[provider]),
        APP_TOKEN_URL=endpoint.url,
        APP_CLIENT_ID="app",
        APP_REFRESH_TOKEN="CANARY-refresh-token",
    )
    running.press_enter()
    return running


def test_the_app_signs_in_once_and_goes_on(emulator, endpoint: TokenEndpoint, app) -> None:
    """Three syncs of one signed-in user cost one ID token, one identity and one set of credentials."""
    created, first = app.line(), app.line()
    app.press_enter()
    app.press_enter()
    out, errors = app.end()

    assert created.startswith("identity created: None -> us-east-1:")
    assert first.startswith("synced as us-east-1:")
    assert first.endswith("(authenticated)")
    assert out == 2 * f"{first}\n"
    assert errors == ""
    assert len(endpoint.asked) == 1
    assert endpoint.asked[0]["refresh_token"] == ["CANARY-refresh-token"]
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 3}


def test_the_app_lives_through_a_deleted_identity(emulator, endpoint: TokenEndpoint, app) -> None:
    """Revoked keys of an identity that is gone: the next sync is as another one, and the app hears of it."""
    app.line()
    old = app.line().split()[2]
    boto3.client(
        "cognito-identity",
        "us-east-1",
        endpoint_url=emulator.url,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    ).delete_identities(IdentityIdsToDelete=[old])
    emulator.plan_faults({"operation": "GetCallerIdentity", "times": 1, "code": "ExpiredToken"})
    app.press_enter()
    refused = app.line()
    app.press_enter()
    changed, synced = app.line(), app.line()
    _, errors = app.end()
    new = synced.split()[2]

    assert refused.startswith("not synced: ")
    assert changed == f"identity recovered: {old} -> {new}"
    assert new != old
    assert errors == ""


def test_an_ended_sign_in_takes_nothing_away(emulator, endpoint: TokenEndpoint, app) -> None:
    """While credentials are good nobody is asked to sign in, until a service rejects them."""
    app.line()
    app.line()
    endpoint.signed_in = False
    app.press_enter()
    good = app.line()
    emulator.plan_faults({"operation": "GetCallerIdentity", "times": 1, "code": "ExpiredToken"})
    app.press_enter()
    rejected = app.line()
    app.press_enter()
    asked = app.line()
    app.end()

    assert good.startswith("synced as ")
    assert rejected.startswith("not synced: ")
    assert asked.startswith("please sign in: ")
    assert len(endpoint.asked) > 1


def test_no_network_is_no_reason_to_sign_in(endpoint: TokenEndpoint, run, emulator) -> None:
    """Where the issuer cannot be reached, the user is offline, not signed out."""
    provider = f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"
    running: Running = run(
        "desktop_app.py",
        AWS_COGNITO_IDENTITY_POOL_ID=emulator.create_pool(OpenIdConnectProviderARNs=[provider]),
        APP_TOKEN_URL="http://127.0.0.1:9/token",
        APP_CLIENT_ID="app",
        APP_REFRESH_TOKEN="CANARY-refresh-token",
    )
    running.press_enter()
    said = running.line()
    running.end()

    assert said.startswith("not synced, will try again: the login source get_id_token() could not reach")


def test_what_is_missing_is_said_in_one_line(run) -> None:
    """Started without its variables, the app names them."""
    process = run("desktop_app.py", APP_CLIENT_ID="app").process
    _, errors = process.communicate()

    assert process.returncode == 1
    assert errors == "set AWS_COGNITO_IDENTITY_POOL_ID, APP_TOKEN_URL, APP_REFRESH_TOKEN\n"


def test_the_app_asks_for_a_sign_in_when_it_has_nothing(endpoint: TokenEndpoint, run, emulator) -> None:
    """Without credentials and a sign-in the app asks for a sign-in, and then goes on without a restart."""
    endpoint.signed_in = False
    running = _start(emulator, endpoint, run)
    asked = running.line()
    endpoint.signed_in = True
    running.press_enter()
    while (created := running.line()).startswith("please sign in: "):
        running.press_enter()  # a refusal is remembered for a few seconds
    synced = running.line()
    running.end()

    assert asked.startswith("please sign in: ")
    assert asked.endswith("Sign in again (see E-SIGN-IN)")
    assert created.startswith("identity created: ")
    assert synced.startswith("synced as ")
    assert emulator.requests()["GetId"] == 1
