"""Interruptions between sending a refresh token and storing the next one: the user stays signed in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.errors import LoginRequiredError, ServiceError
from cognito_credentials.exchange.actions import Failure
from cognito_credentials.exchange.deadline import with_deadline
from cognito_credentials.exchange.http import Network
from cognito_credentials.exchange.transport import READ_TIMEOUT
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.issuers.oidc import OidcIssuer
from cognito_credentials.sign_in.issuers.user_pool_api import UserPoolApi
from cognito_credentials.sign_in.kept.place import LOCK_BUDGET, Place
from cognito_credentials.sign_in.kept.sign_in import REFRESH_BUDGET, VERIFY_BUDGET
from cognito_credentials.sign_in.sources import OidcLogin
from tests.cli.conftest import Cli, cli, config

from .hostile_issuer import CLIENT, Answer, HostileIssuer, answer
from .test_attacks import Visit

__all__ = ["cli", "config"]
pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own
PROFILE = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70
cognito_oidc_issuer = {issuer}
cognito_oidc_client_id = {client}
cognito_login_store = file
"""


class SlowIssuer(HostileIssuer):
    """Accepts a refresh token at once, and answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.go_on = threading.Event(), threading.Event()
        self.answers["/token"] = self._slowly

    def _slowly(self) -> Answer:
        form = self.requests[-1][2]
        given = self._tokens(form)
        if form["grant_type"] == "refresh_token":
            self.taken.set()
            self.go_on.wait(20)
        return given


@pytest.fixture
def slow() -> Iterator[SlowIssuer]:
    """An issuer that accepts each refresh token once."""
    issuer = SlowIssuer()
    yield issuer
    issuer.go_on.set()
    issuer.close()


def _source(issuer: HostileIssuer) -> OidcLogin:
    return OidcLogin(issuer.url, CLIENT, store="file", profile_name="app")


def _signed_in(issuer: HostileIssuer) -> OidcLogin:
    source = _source(issuer)
    assert Visit(source, issuer).finish().subject == "ann"
    issuer.nonce = None
    return source


def _kept(source: OidcLogin) -> str:
    data = source._place().read("secret")
    assert data is not None
    return str(json.loads(data)["refresh_token"])


def _refreshed_with(issuer: HostileIssuer) -> list[str]:
    return [form["refresh_token"] for _, _, form in issuer.requests if "refresh_token" in form]


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_ended_in_between(
    slow: SlowIssuer, cli: Cli, config: Callable[[str], Path], number: signal.Signals
) -> None:
    """Ctrl-C, an SDK's timeout or a closed terminal ends the command only when the new token is stored."""
    source = _signed_in(slow)
    config(PROFILE.format(issuer=slow.url, client=CLIENT))

    process = cli.start("credential-process", "--profile", "app")
    assert slow.taken.wait(20)
    process.send_signal(number)
    process.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    slow.go_on.set()
    out, err = process.communicate(timeout=20)

    assert process.returncode == (130 if number is signal.SIGINT else -number)
    assert (out, err) == ("", "")
    assert _kept(source) == slow.refresh_tokens[-1]
    assert _source(slow).token()
    assert _refreshed_with(slow) == slow.refresh_tokens[1:3]


def test_a_program_that_ends_in_between(slow: SlowIssuer) -> None:
    """The interpreter waits at its end until another thread has stored the new token."""
    source = _signed_in(slow)
    code = textwrap.dedent(
        f"""
        import sys, threading
        from cognito_credentials.sign_in.sources import OidcLogin
        source = OidcLogin({slow.url!r}, {CLIENT!r}, store="file", profile_name="app")
        threading.Thread(target=source.token, daemon=True).start()
        sys.stdin.read()
        """
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert slow.taken.wait(20)
    threading.Timer(0.3, slow.go_on.set).start()

    _, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, b"")
    assert _kept(source) == slow.refresh_tokens[-1]


def test_a_caller_that_is_left_behind(slow: SlowIssuer) -> None:
    """After the caller has timed out, the answer is still stored, and others wait for it."""
    source = _signed_in(slow)

    with pytest.raises(Failure):
        with_deadline(_source(slow).token, 0.5)
    assert slow.taken.is_set()
    threading.Timer(0.3, slow.go_on.set).start()

    assert _source(slow).token()
    assert _kept(source) == slow.refresh_tokens[-1]
    assert _refreshed_with(slow) == slow.refresh_tokens[1:3]


def test_an_answer_that_is_late(slow: SlowIssuer) -> None:
    """The token endpoint gets more time than other requests: its late answer is used, once."""
    _signed_in(slow)
    source = _source(slow)
    threading.Timer(READ_TIMEOUT + 0.5, slow.go_on.set).start()

    assert source.token()
    assert _refreshed_with(slow) == slow.refresh_tokens[1:2]


def test_a_token_is_not_sent_when_time_is_short(slow: SlowIssuer) -> None:
    """With too little time for an answer the refresh token is not sent, and stays valid."""
    issuer = OidcIssuer(Network(), slow.url, CLIENT)

    with pytest.raises(ServiceError, match="answers too slowly"):
        with_deadline(lambda: issuer.refresh(Secret("CANARY-refresh-0")), 5)

    assert _refreshed_with(slow) == []


def test_an_issuer_that_is_slow_in_everything(slow: SlowIssuer) -> None:
    """A whole refresh has one deadline; tokens that came before it are stored."""
    source = _signed_in(slow)
    slow.answers["/jwks"] = lambda: (200, {"X-Slow": "yes"}, slow.keys()[2])
    threading.Timer(8, slow.go_on.set).start()
    began = time.monotonic()

    with pytest.raises(ServiceError, match="no complete answer within"):
        _source(slow).token()

    assert time.monotonic() - began < 16
    assert _kept(source) == slow.refresh_tokens[-1]


def test_the_times_fit_together() -> None:
    """The wait for the lock is longer than a refresh; with 2 s to start, a command takes 16 s at most."""
    assert REFRESH_BUDGET - VERIFY_BUDGET < LOCK_BUDGET <= REFRESH_BUDGET <= 14


def test_the_keys_are_fetched_without_the_lock(slow: SlowIssuer) -> None:
    """The lock is free by then, since the new token is on the disk: others do not wait for slow keys."""
    source = _signed_in(slow)
    slow.go_on.set()
    place = source._place()
    free: list[str] = []

    def keys() -> Answer:
        with Place(place.directory, place.key).lock(0):
            free.append(_kept(source))
        return slow.keys()

    slow.answers["/jwks"] = keys

    assert _source(slow).token()
    assert free == slow.refresh_tokens[-1:]


def _meanwhile(issuer: SlowIssuer, path: str, act: Callable[[], None]) -> None:
    """Do *act* without the lock while a request to *path* is answered."""
    before = issuer.answers.get(path, issuer.keys)

    def answers() -> Answer:
        act()
        return before()

    issuer.answers[path] = answers
    issuer.go_on.set()


def _sign_out_without_a_lock(source: OidcLogin) -> None:
    for kind in ("sign-in", "secret"):
        source._place().remove(kind)


def test_a_sign_out_that_no_lock_kept_out(slow: SlowIssuer) -> None:
    """Nobody is signed in afterwards: no token is handed out or stored, and the new one is revoked."""
    source = _signed_in(slow)
    slow.answers["/revoke"] = lambda: answer({})
    _meanwhile(slow, "/token", lambda: _sign_out_without_a_lock(source))

    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        _source(slow).token()

    assert [source._place().read(kind) for kind in ("sign-in", "secret")] == [None, None]
    assert [form["token"] for _, path, form in slow.requests if path == "/revoke"] == slow.refresh_tokens[-1:]


def test_a_sign_in_that_no_lock_kept_out(slow: SlowIssuer) -> None:
    """The other user's secret is not overwritten, and ann's new token is revoked."""
    source = _signed_in(slow)
    slow.answers["/revoke"] = lambda: answer({})
    place = source._place()

    def bob_signs_in() -> None:
        for kind in ("secret", "sign-in"):
            data = place.read(kind)
            assert data is not None
            place.write(kind, data.replace(b'"ann"', b'"bob"').replace(b"refresh-1", b"of-bob"))

    _meanwhile(slow, "/token", bob_signs_in)

    with pytest.raises(ServiceError, match="somebody has signed in meanwhile"):
        _source(slow).token()

    assert _kept(source) == "CANARY-of-bob"
    assert [form["token"] for _, path, form in slow.requests if path == "/revoke"] == slow.refresh_tokens[-1:]


def test_a_sign_out_while_the_keys_are_fetched(slow: SlowIssuer) -> None:
    """After the last request it is checked once more who is signed in."""
    source = _signed_in(slow)
    _meanwhile(slow, "/jwks", lambda: _sign_out_without_a_lock(source))

    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        _source(slow).token()


@pytest.fixture
def silent() -> Iterator[Any]:
    """A user pool that accepts a request and closes the connection."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.close_connection = True

        def log_message(self, *_: Any) -> None: ...

    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = asked  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("is_taken_once", "times"), [(True, 1), (False, 3)])
def test_a_user_pool_is_not_sent_a_token_twice(silent: Any, is_taken_once: bool, times: int) -> None:
    """If only the answer was lost, a rotated refresh token is invalid by now; it is not sent again."""
    url = f"http://127.0.0.1:{silent.server_address[1]}"
    api = UserPoolApi(Network(region="us-east-1", endpoint_url=url))
    sent = {
        "AuthFlow": "REFRESH_TOKEN_AUTH",  # which botocore of any age has
        "AuthParameters": {"REFRESH_TOKEN": Secret("CANARY-refresh")},
        "ClientId": "4example23456789",
    }

    with pytest.raises(ServiceError, match="cannot be reached"):
        api.call("InitiateAuth", sent, is_taken_once=is_taken_once)

    assert len(silent.asked) == times
