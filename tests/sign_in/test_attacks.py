"""Attacks that must fail: answers and tokens of others, and unsafe issuers."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from cognito_credentials.errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    LoginRequiredError,
    ServiceError,
)
from cognito_credentials.exchange.http import Network
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.issuers.discovery import checked_issuer
from cognito_credentials.sign_in.issuers.id_token import verify
from cognito_credentials.sign_in.issuers.oidc import OidcIssuer
from cognito_credentials.sign_in.sources import OidcLogin
from cognito_credentials.sign_in.ways.authorization import AnswerRefused, Authorization, RedirectAnswer
from cognito_credentials.sign_in.ways.callback import CallbackServer

from .conftest import Person
from .hostile_issuer import CLIENT, HostileIssuer, answer


@pytest.fixture
def hostile() -> Iterator[HostileIssuer]:
    issuer = HostileIssuer()
    yield issuer
    issuer.close()


def _source(issuer: HostileIssuer, **options: Any) -> OidcLogin:
    return OidcLogin(issuer.url, CLIENT, **{"store": "file", "profile_name": "app", **options})


def _query(url: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def _get(address: str, query: dict[str, str] | str, **headers: str) -> tuple[int, str]:
    """One request to the loopback; a header of None is left out, ``method`` and ``path`` replace theirs."""
    parts = urllib.parse.urlsplit(address)
    text = query if isinstance(query, str) else urllib.parse.urlencode(query)
    method, path = headers.pop("method", "GET"), headers.pop("path", parts.path)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=20)
    try:
        connection.putrequest(method, f"{path}?{text}", skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def goal_of(start: str) -> str:
    """Return where the address that the browser is started with redirects to."""
    parts = urllib.parse.urlsplit(start)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=20)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        response.read()
        assert response.status == 302
        return str(response.headers["Location"])
    finally:
        connection.close()


class Visit:
    """A sign-in that waits for its answer; *knock* is called with it before the right answer comes."""

    def __init__(self, source: OidcLogin, issuer: HostileIssuer) -> None:
        self.url = ""
        self.result: Any = None
        self._issuer = issuer
        self._has_url = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(source,), daemon=True)
        self._thread.start()
        assert self._has_url.wait(20)
        asked = _query(self.url)
        self.redirect_uri, self.state, issuer.nonce = asked["redirect_uri"], asked["state"], asked["nonce"]

    def _run(self, source: OidcLogin) -> None:
        try:
            self.result = source.sign_in(Person(), open_browser=self._opened)
        except CognitoCredentialsError as error:
            self.result = error
            self._has_url.set()

    def _opened(self, url: str) -> bool:
        self.start = url
        self.url = goal_of(url)
        self._has_url.set()
        return True

    def knock(self, query: dict[str, str] | str, **headers: str) -> tuple[int, str]:
        return _get(self.redirect_uri, query, **headers)

    def finish(self) -> Any:
        """Send the right answer."""
        status, _ = self.knock({"code": "CANARY-code", "state": self.state})
        self._thread.join(20)
        assert status == 200
        return self.result


@pytest.mark.writes_secrets
@pytest.mark.parametrize(
    "query",
    [
        "code=evil",
        "code=evil&state=",
        "code=evil&state=wrong",
        "code=evil&state={state}x",
        "code=evil&state={state}&state={state}",
        "code=evil&code=evil&state={state}",
        "code=evil&state=wrong&state={state}",
        "error=access_denied&state=wrong",
        "code=evil&state={state}&iss=https%3A%2F%2Fanother.example",
        "code=evil&state={state}&iss=a&iss=b",
        "code=%ff&state=%ff",
        "code=evil&state={state}&" + "&".join(f"a{number}=1" for number in range(30)),
        "",
    ],
)
def test_answers_that_are_not_to_this_sign_in(hostile: HostileIssuer, query: str) -> None:
    """A missing, wrong or doubled state is ignored; the right answer still works."""
    visit = Visit(_source(hostile), hostile)

    status, page = visit.knock(query.format(state=visit.state))

    assert status == 400
    assert "not the answer to the sign-in" in page
    assert "evil" not in page
    assert [path for _, path, _ in hostile.requests] == ["/.well-known/openid-configuration"]
    assert visit.finish().subject == "ann"
    ((_, _, form),) = [request for request in hostile.requests if request[1] == "/token"]
    assert form["code"] == "CANARY-code"


@pytest.mark.quick
def test_a_replayed_answer(hostile: HostileIssuer) -> None:
    """An answer is accepted once, also when two come at the same moment."""
    issuer = OidcIssuer(Network(), hostile.url, CLIENT)
    authorization = Authorization(issuer, "http://127.0.0.1:1/callback", "openid")
    right = RedirectAnswer([Secret("CANARY")], {"state": [_query(authorization.url)["state"]]})

    assert authorization.accept(right)
    with pytest.raises(AnswerRefused, match="has had its answer"):
        authorization.accept(right)


@pytest.mark.writes_secrets
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Mode": "cors"}, 403),
        ({"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}, 403),
        ({"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, 403),
        ({"Sec_Purpose": "prefetch;prerender"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost:{port}"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"path": "/"}, 404),
        ({"path": "/callback/"}, 404),
        ({"path": "/favicon.ico"}, 404),
        ({"method": "POST"}, 405),
        ({"method": "HEAD"}, 405),
        ({"method": "OPTIONS"}, 405),
    ],
)
def test_who_else_calls_the_loopback(hostile: HostileIssuer, headers: dict[str, str], expected: int) -> None:
    """Pages, rebound names and prefetches are refused even with the right state, which stays valid."""
    visit = Visit(_source(hostile), hostile)
    port = str(urllib.parse.urlsplit(visit.redirect_uri).port)
    sent = {name: value.format(port=port) for name, value in headers.items()}

    status, page = visit.knock({"code": "evil", "state": visit.state}, **sent)

    assert status == expected
    assert "evil" not in page
    assert visit.finish().subject == "ann"


def test_the_loopback_takes_no_other_port_and_no_other_address() -> None:
    """It listens on 127.0.0.1 only, on the first free registered port; if none is free, the error says so."""
    with CallbackServer() as free:
        port = free.port
    with CallbackServer() as taken, CallbackServer((taken.port, port)) as second:
        assert second.redirect_uri == f"http://127.0.0.1:{port}/callback"
        assert second.server_address[0] == "127.0.0.1"
        with pytest.raises(
            ConfigurationError, match=f"ports for the sign-in are in use: {taken.port}, {port}"
        ):
            CallbackServer((taken.port, port))


def test_connections_that_say_nothing_hold_nobody_up(hostile: HostileIssuer) -> None:
    """A browser opens connections that it never uses; they do not hold up the answer."""
    visit = Visit(_source(hostile), hostile)
    port = urllib.parse.urlsplit(visit.redirect_uri).port
    silent = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(8)]
    for connection in silent:
        connection.connect()
    try:
        status, _ = visit.knock({"error": "access_denied", "state": visit.state})
    finally:
        for connection in silent:
            connection.close()

    assert status == 200
    visit._thread.join(20)
    assert isinstance(visit.result, LoginRejectedError)


@pytest.mark.quick
def test_nobody_signs_in(hostile: HostileIssuer) -> None:
    """The wait has a limit, and the port is free afterwards."""
    with CallbackServer() as server:
        server.listen(lambda _: pytest.fail("nobody answers"))
        port = server.port
        with pytest.raises(LoginRequiredError, match="nobody signed in"):
            server.wait(0.3)
    with CallbackServer((port,)):
        pass


def test_the_pasted_address_is_of_this_sign_in(hostile: HostileIssuer) -> None:
    """A code that an attacker dictates, or from a redirect to another port, is not redeemed."""
    lines: list[str] = []

    def answers() -> Iterator[str]:
        state = _query(re.findall(r"http://\S+/authorize\?\S+", "\n".join(person.shown))[0])["state"]
        yield f"http://127.0.0.1:8400/callback?code=evil&state={state}x"
        yield f"http://127.0.0.1:9999/callback?code=evil&state={state}"
        yield f"http://127.0.0.1:8400.evil.example/callback?code=evil&state={state}"

    person = Person()
    given: Iterator[str] | None = None

    def ask(question: str) -> str:
        nonlocal given
        given = given or answers()
        lines.append(question)
        return next(given)

    person.ask = ask  # type: ignore[method-assign]
    with pytest.raises(LoginRequiredError, match="no address was pasted"):
        _source(hostile).sign_in(person, way="no-browser")

    assert len(lines) == 3
    assert "/token" not in {path for _, path, _ in hostile.requests}
    assert "evil" not in "\n".join(person.shown)


@pytest.mark.writes_secrets
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alg none", "signed with none"),
        ("alg None", "signed with nOnE"),
        ("key confusion", "signed with HS256"),
        ("another's key", "signature is wrong"),
        ("unknown kid", "a key that the issuer does not publish"),
        ("RSA header, EC key", "a key that the issuer does not publish"),
        ("cut off", "signature is wrong"),
        ("not a token", "signature is wrong"),
        ("embedded key", "signature is wrong"),
    ],
)
def test_forged_tokens(hostile: HostileIssuer, name: str, said: str) -> None:
    """A signature must be by a published key with an asymmetric algorithm, whatever the metadata allows."""
    other = HostileIssuer()
    other.close()

    def confused(claims: dict[str, Any]) -> str:
        parts = [json.dumps({"alg": "HS256", "typ": "JWT", "kid": "rsa"}), json.dumps(claims)]
        signed = ".".join(jwt.utils.base64url_encode(part.encode()).decode() for part in parts)
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        return (
            f"{signed}.{jwt.utils.base64url_encode(_hmac(hostile.public_pem(), signed, signature)).decode()}"
        )

    forgeries: dict[str, Callable[[dict[str, Any]], str]] = {
        "alg none": lambda claims: jwt.encode(claims, None, "none"),
        "alg None": lambda claims: _with_header(jwt.encode(claims, None, "none"), {"alg": "nOnE"}),
        "key confusion": confused,
        "another's key": lambda claims: jwt.encode(claims, other.rsa, "RS256", {"kid": "rsa"}),
        "unknown kid": lambda claims: jwt.encode(claims, hostile.rsa, "RS256", {"kid": "x"}),
        "RSA header, EC key": lambda claims: jwt.encode(claims, hostile.rsa, "RS256", {"kid": "ec"}),
        "cut off": lambda claims: hostile.sign_well(claims)[:-9],
        "not a token": lambda _: "CANARY",
        "embedded key": lambda claims: jwt.encode(
            claims, other.rsa, "RS256", {"kid": "rsa", "jwk": other._jwk(other.rsa, "rsa")}
        ),
    }
    visit = Visit(_source(hostile), hostile)
    hostile.sign = forgeries[name]

    error = visit.finish()

    assert isinstance(error, LoginRejectedError)
    assert said in error.message
    assert _source(hostile).account() is None


def _hmac(key: bytes, signed: str, _: object) -> bytes:
    import hashlib
    import hmac

    return hmac.new(key, signed.encode(), hashlib.sha256).digest()


def _with_header(token: str, header: dict[str, str]) -> str:
    first = jwt.utils.base64url_encode(json.dumps(header).encode()).decode()
    return f"{first}.{token.partition('.')[2]}"


@pytest.mark.writes_secrets
@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"aud": "another"}, "aud"),
        ({"aud": [CLIENT, "another"]}, "azp"),
        ({"aud": [CLIENT], "azp": "another"}, "azp"),
        ({"aud": {"desktop": 1}}, "aud"),
        ({"iss": "https://another.example"}, "another issuer"),
        ({"iss": ["x"]}, "another issuer"),
        ({"exp": 1}, "expired"),
        ({"exp": True}, "no time"),
        ({"exp": 1e300}, "no time"),
        ({"exp": 253_402_300_800}, "no time"),  # the year 10000
        ({"iat": 4_000_000_000}, "future"),
        ({"nbf": 4_000_000_000}, "future"),
        ({"sub": 7}, "whom it is about"),
        ({"sub": "x" * 256}, "whom it is about"),
        ({"at_hash": "AAAA"}, "at_hash"),
        ({"at_hash": "\ud800"}, "at_hash"),
        ({"token_use": "access"}, "no ID token"),
    ],
)
def test_tokens_for_others(hostile: HostileIssuer, claims: dict[str, Any], said: str) -> None:
    """A code that was injected from another session has another nonce; the other claims are as strict."""
    visit = Visit(_source(hostile), hostile)
    hostile.claims = claims

    error = visit.finish()

    assert isinstance(error, LoginRejectedError)
    assert said in error.message
    assert "CANARY" not in str(error)


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_no_list_of_algorithms_makes_a_password_of_a_public_key(
    hostile: HostileIssuer, algorithm: str
) -> None:
    """Only asymmetric algorithms are accepted, whatever a caller allows."""
    key = "CANARY" * 8 if algorithm == "HS256" else None
    token = Secret(jwt.encode(hostile._own_claims(), key, algorithm))
    keys = {"keys": [{"kty": "oct", "k": "Q0FOQVJZ" * 8}]}

    with pytest.raises(LoginRejectedError, match=f"signed with {algorithm}"):
        verify(
            token,
            keys=keys,
            issuers=frozenset({hostile.url}),
            client_id=CLIENT,
            algorithms=frozenset({algorithm}),
            now=time.time(),
        )


@pytest.mark.parametrize("change", ["for encryption", "two that fit", "for another algorithm"])
def test_keys_that_did_not_sign_it(hostile: HostileIssuer, change: str) -> None:
    """Only one key for signatures may fit: not one for encryption, and not one of two that both fit."""
    right = hostile._jwk(hostile.rsa, "rsa")
    other = hostile._jwk(rsa.generate_private_key(public_exponent=65537, key_size=2048), "rsa") | {"kid": "x"}
    keys = {
        "for encryption": [{**right, "use": "enc"}],
        "two that fit": [right, other],
        "for another algorithm": [{**right, "alg": "PS256"}],
    }[change]
    token = Secret(jwt.encode(hostile._own_claims(), hostile.rsa, "RS256"))  # says not with which key

    def claims_by(published: list[Any]) -> dict[str, Any]:
        return verify(
            token,
            keys={"keys": published},
            issuers=frozenset({hostile.url}),
            client_id=CLIENT,
            algorithms=frozenset({"RS256"}),
            now=time.time(),
        )

    assert claims_by([right])["sub"] == "ann"
    with pytest.raises(LoginRejectedError, match="a key that the issuer does not publish"):
        claims_by(keys)


@pytest.mark.writes_secrets
@pytest.mark.quick
def test_an_elliptic_signature_is_as_good(hostile: HostileIssuer) -> None:
    """A token with ES256 and the right at_hash is accepted."""
    visit = Visit(_source(hostile), hostile)
    hostile.sign = lambda claims: jwt.encode(claims, hostile.ec, "ES256", {"kid": "ec"})

    assert visit.finish().subject == "ann"


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.com",
        "ftp://login.example.com",
        "https://user:password@login.example.com",
        "https://login.example.com?x=1",
        "https://login.example.com#x",
        "login.example.com",
        "https://",
        "http://127.0.0.1.evil.example",
    ],
)
def test_issuers_that_are_not_safe(issuer: str) -> None:
    """An issuer's address is https or on this machine, and has no password in it."""
    with pytest.raises(ConfigurationError):
        OidcLogin(issuer, CLIENT)


def test_an_issuer_is_kept_to_the_letter() -> None:
    """The same address with and without a slash at its end is two issuers."""
    assert checked_issuer("https://login.example.com/", "x") == "https://login.example.com/"
    assert checked_issuer("https://login.example.com", "x") == "https://login.example.com"


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"issuer": "https://login.example.com"}, "calls itself https://login.example.com"),
        ({"issuer": None}, "calls itself nothing"),
        ({"token_endpoint": "http://evil.example/token"}, "plain http to another machine"),
        ({"jwks_uri": "file:///etc/passwd"}, "not the URL of a service"),
        ({"jwks_uri": None}, "names no jwks_uri"),
        ({"authorization_endpoint": 7}, "not text"),
    ],
)
def test_metadata_that_leads_elsewhere(hostile: HostileIssuer, metadata: dict[str, Any], said: str) -> None:
    """Attack (mix-up): a document of another issuer, or with an unsafe address, is refused."""
    hostile.metadata = metadata

    with pytest.raises(ConfigurationError, match=re.escape(said)):
        _source(hostile).sign_in(Person(), open_browser=lambda _: True)


@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "device_authorization_endpoint",
             "revocation_endpoint"]
)  # fmt: skip
@pytest.mark.parametrize(
    "end", ["?x#\x1b]52;c;eA==\x07", "?x=\u202e", "#x", "?a b", "?a'", "?$(id)", "/`id`"]
)
def test_addresses_that_a_terminal_or_a_shell_obeys(hostile: HostileIssuer, name: str, end: str) -> None:
    """Attack: no address of the metadata brings escapes to the terminal, or quotes to a browser's command."""
    hostile.metadata = {name: f"{hostile.url}/authorize{end}"}
    person = Person()

    with pytest.raises(ConfigurationError, match=f"{name} of the issuer"):
        _source(hostile).sign_in(person, open_browser=lambda url: pytest.fail(f"opened {url!r}"))

    assert person.shown == []


def test_an_address_with_a_query(hostile: HostileIssuer) -> None:
    """A query in an issuer's address is kept."""
    hostile.metadata = {"authorization_endpoint": f"{hostile.url}/authorize?p=B2C_1_sign%20in"}
    issuer = OidcIssuer(Network(), hostile.url, CLIENT)

    url = Authorization(issuer, "http://127.0.0.1:1/callback", "openid").url

    assert url.startswith(f"{hostile.url}/authorize?p=B2C_1_sign")
    assert _query(url)["p"] == "B2C_1_sign in"


def test_a_public_issuer_does_not_lead_to_this_machine() -> None:
    """Attack: metadata of an https issuer cannot have a code posted to a program on this machine."""
    from cognito_credentials.sign_in.issuers.discovery import read_metadata

    issuer = "https://login.example.com"
    document = {"issuer": issuer, "jwks_uri": issuer, "token_endpoint": "http://127.0.0.1:1/token"}

    with pytest.raises(ConfigurationError, match="plain http"):
        read_metadata(document, issuer)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: answer({}, 302, Location="https://evil.example/"), "redirect"),
        (lambda: answer({"x": "y" * 100_000}), "more than 65536 bytes"),
        (lambda: (200, {"Content-Length": "9999999999"}, b"{"), "more than 65536 bytes"),
        (lambda: (200, {}, b"\x1f\x8b not json"), "no JSON object"),
        (lambda: (200, {}, b"[1]"), "no JSON object"),
        (lambda: (200, {}, b"[" * 60_000), "no JSON object"),
        (lambda: answer({}, 500), "HTTP 500"),
        (lambda: (200, {"X-Slow": "1"}, b" " * 300), "no complete answer within"),
    ],
)
@pytest.mark.parametrize("place", ["/.well-known/openid-configuration", "/jwks", "/token"])
@pytest.mark.writes_secrets
def test_answers_without_end_or_sense(hostile: HostileIssuer, given: Any, said: str, place: str) -> None:
    """Each request has limits: no redirects, 64 KiB, and a time for the whole answer."""
    hostile.answers[place] = given
    issuer = OidcIssuer(Network(budget=1.0, token_budget=1.0), hostile.url, CLIENT)

    with pytest.raises(ServiceError, match=said) as caught:
        Authorization(issuer, "http://127.0.0.1:1/callback", "openid").redeem(Secret("CANARY"))

    assert "Cognito" not in str(caught.value)  # who is at fault is the issuer


def test_pkce_and_nonce_are_fresh_and_strong(hostile: HostileIssuer) -> None:
    """State and nonce have 256 bits and are never the same twice; PKCE uses S256."""
    issuer = OidcIssuer(Network(), hostile.url, CLIENT)
    asked = [_query(Authorization(issuer, "http://127.0.0.1:1/callback", "openid").url) for _ in range(5)]

    for name in ("state", "nonce", "code_challenge"):
        assert len({one[name] for one in asked}) == 5
        assert all(len(one[name]) == 43 for one in asked)
    assert {one["code_challenge_method"] for one in asked} == {"S256"}
    assert {one["response_type"] for one in asked} == {"code"}
