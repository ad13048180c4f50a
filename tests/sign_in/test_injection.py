"""An attacker's code with the right state: a certified provider and a user pool refuse it."""

from __future__ import annotations

import socket
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from cognito_credentials.errors import CognitoCredentialsError, LoginRejectedError
from cognito_credentials.exchange.http import Network
from cognito_credentials.sign_in.issuers.oidc import OidcIssuer
from cognito_credentials.sign_in.source import SignInSource
from cognito_credentials.sign_in.sources import OidcLogin, UserPool
from cognito_credentials.sign_in.ways.authorization import Authorization
from cognito_credentials.sign_in.ways.callback import CallbackServer

from .conftest import CLIENT_ID, Person
from .emulated_pool import CLIENT, POOL, EmulatedPool
from .test_attacks import _get, goal_of
from .web_browser import WebBrowser

PASSWORD = "CANARY correct horse"
pytestmark = pytest.mark.writes_secrets  # the plain store


class Waiting:
    """A sign-in that waits for its answer; the attacker knows its state and port."""

    def __init__(self, source: SignInSource) -> None:
        self.result: object = None
        self._url = ""
        self._has_url = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(source,), daemon=True)
        self._thread.start()
        assert self._has_url.wait(20)
        self.url = goal_of(self._url)
        asked = _query(self.url)
        self.redirect_uri, self.state = asked["redirect_uri"], asked["state"]

    def _run(self, source: SignInSource) -> None:
        try:
            self.result = source.sign_in(Person(), open_browser=self._opened)
        except CognitoCredentialsError as error:
            self.result = error
        self._has_url.set()

    def _opened(self, url: str) -> bool:
        self._url = url
        self._has_url.set()
        return True

    def inject(self, code: str, **more: str) -> object:
        """Send *code* with the right state; return the error of the sign-in, or None."""
        status, page = _get(self.redirect_uri, {"code": code, "state": self.state, **more})
        self._thread.join(20)
        assert status == 200  # its state was right: this is for the issuer to see
        assert code not in page
        return self.result


def _query(url: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def _code_of(url: str, login: str, password: str = "irrelevant") -> str:
    """Sign in at *url* in a browser that stops before it sends the code to the callback server."""
    browser = WebBrowser()
    browser.stop_at = _query(url)["redirect_uri"]
    browser.sign_in(url, login, password)
    return _query(browser.redirected_to)["code"]


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_code_of_another_session(issuer: str) -> None:
    """Attack: the attacker's own code, brought with the right state, is not bound to our verifier (PKCE)."""
    source = OidcLogin(issuer, CLIENT_ID, store="file")
    waiting = Waiting(source)
    # With the victim's redirect address, so that nothing but the verifier tells the two apart.
    attackers = Authorization(OidcIssuer(Network(), issuer, CLIENT_ID), waiting.redirect_uri, "openid")

    error = waiting.inject(_code_of(attackers.url, "mallory"), iss=issuer)

    assert isinstance(error, LoginRejectedError)
    assert error.code == "invalid_grant"
    assert source.account() is None


def test_a_redirect_to_another_port(issuer: str, free_port: int) -> None:
    """Attack: the code of our own request, answered at another program's port, is refused."""
    source = OidcLogin(issuer, CLIENT_ID, store="file")
    waiting = Waiting(source)
    elsewhere = f"http://127.0.0.1:{free_port}/callback"
    changed = waiting.url.replace(
        urllib.parse.quote(waiting.redirect_uri, safe=""), urllib.parse.quote(elsewhere, safe="")
    )
    assert changed != waiting.url

    error = waiting.inject(_code_of(changed, "mallory"), iss=issuer)

    assert isinstance(error, LoginRejectedError)
    assert error.code == "invalid_grant"
    assert source.account() is None


@pytest.fixture
def user_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    server = EmulatedPool()
    server.add("ann", PASSWORD)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


def test_a_code_of_another_session_of_a_user_pool(user_pool: EmulatedPool) -> None:
    """Attack: the same at a user pool's hosted UI."""
    with CallbackServer() as free:
        port = free.port
    user_pool.change_client(callback_urls=[f"http://127.0.0.1:{port}/callback"])
    source = UserPool(POOL, CLIENT, store="file", redirect_ports=[port])
    waiting = Waiting(source)
    place, _, _ = waiting.url.partition("?")
    asked = {**_query(waiting.url), "code_challenge": f"{'attackers':-<43}", "state": "attackers"}

    error = waiting.inject(_code_of(f"{place}?{urllib.parse.urlencode(asked)}", "ann", PASSWORD))

    assert isinstance(error, LoginRejectedError)
    assert error.code == "invalid_grant"
    assert source.account() is None


def test_the_same_code_is_good_without_an_attacker(issuer: str) -> None:
    """Without the attacker's change, the same steps sign in."""
    source = OidcLogin(issuer, CLIENT_ID, store="file")
    waiting = Waiting(source)

    account: Any = waiting.inject(_code_of(waiting.url, "ann"), iss=issuer)

    assert account.subject == "ann"
