"""Signing in at a certified OpenID Connect provider, until the sign-in ends."""

from __future__ import annotations

import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cognito_credentials.errors import ConfigurationError, LoginRejectedError, LoginRequiredError
from cognito_credentials.logins import EnvironmentSource
from cognito_credentials.logins.claims import unverified_claims
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.sources import OidcLogin

from .conftest import CLIENT_ID, Person, last_page
from .hostile_issuer import HostileIssuer, answer
from .test_attacks import goal_of
from .web_browser import WebBrowser

pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own


def _source(issuer: str, **options: Any) -> OidcLogin:
    return OidcLogin(issuer, CLIENT_ID, **{"store": "file", "profile_name": "app", **options})


def test_signing_in_with_a_browser(issuer: str, open_browser: Any) -> None:
    """A person signs in, the page says so, and the user is known offline from then on."""
    person, source = Person(), _source(issuer)

    account = source.sign_in(person, open_browser=open_browser("ann"))

    assert (account.subject, account.name, account.store) == ("ann", "ann@example.com", "file")
    assert source.account() == account
    assert source.principal() == account.principal
    status, page = last_page(open_browser)
    assert status == 200
    assert "You are signed in as ann@example.com" in page
    assert "You can close this window" in page
    assert any("/start/" in text for text in person.shown)  # the address, where no browser opens
    assert any("sign in at 127.0.0.1" in text for text in person.shown)  # the issuer's


def test_the_sign_in_lasts(issuer: str, open_browser: Any) -> None:
    """Another process later gets a new ID token by the refresh token, without a person."""
    source, later = _source(issuer), _source(issuer)
    source.sign_in(Person(), open_browser=open_browser("ann"))
    at_rest = [source._place().read("secret")]

    first = later.token()
    at_rest.append(source._place().read("secret"))
    _source(issuer).token()
    at_rest.append(source._place().read("secret"))

    claims = unverified_claims(first.reveal())
    assert claims
    assert (claims["sub"], claims["aud"], claims["iss"]) == ("ann", CLIENT_ID, issuer)
    assert len(set(at_rest)) == 3  # the provider rotates: each refresh used what the one before was given
    assert later.token() == first  # from memory
    assert later.principal_of(first) == later.principal()


@pytest.fixture
def plain_issuer() -> Iterator[HostileIssuer]:
    """A well-behaved issuer whose metadata a test may change."""
    running = HostileIssuer()
    yield running
    running.close()


def _asked(issuer: HostileIssuer, person: Person, **options: Any) -> dict[str, str]:
    """Sign in with a browser, and return what the authorization request asked for."""
    asked: dict[str, str] = {}

    def opens(url: str) -> bool:
        asked.update(urllib.parse.parse_qsl(urllib.parse.urlsplit(goal_of(url)).query))
        issuer.nonce = asked["nonce"]
        answered = urllib.parse.urlencode({"code": "CANARY", "state": asked["state"]})
        back = f"{asked['redirect_uri']}?{answered}"
        threading.Thread(target=lambda: urllib.request.urlopen(back, timeout=20).close()).start()
        return True

    OidcLogin(issuer.url, CLIENT_ID, store="file", **options).sign_in(person, open_browser=opens)
    return asked


@pytest.mark.parametrize(
    ("scopes", "scope", "prompt", "access_type"),
    [
        (None, "openid email offline_access", "consent", None),
        (["openid", "offline_access"], "openid email offline_access", "consent", None),
        (["openid", "email", "profile"], "openid email", "consent", "offline"),
    ],
)
def test_how_refresh_tokens_are_asked_for(
    plain_issuer: HostileIssuer,
    scopes: list[str] | None,
    scope: str,
    prompt: str,
    access_type: str | None,
) -> None:
    """The scope is sent with the prompt that it needs; where it is unknown, Google's parameter is sent."""
    plain_issuer.metadata = {"scopes_supported": scopes}
    person = Person()

    asked = _asked(plain_issuer, person)

    assert (asked["scope"], asked.get("prompt"), asked.get("access_type")) == (scope, prompt, access_type)
    assert "refresh token" not in "\n".join(person.shown)


def test_who_wants_no_refresh_token_is_asked_for_no_consent(plain_issuer: HostileIssuer) -> None:
    """Without the scope, the request has neither the prompt nor Google's parameter."""
    plain_issuer.metadata = {"scopes_supported": ["openid"]}

    assert not {"prompt", "access_type"} & _asked(plain_issuer, Person(), scopes="openid").keys()


def test_a_sign_in_that_does_not_last_says_so(plain_issuer: HostileIssuer) -> None:
    """Without a refresh token, a message says when the sign-in ends."""
    given = plain_issuer.tokens
    plain_issuer.answers["/token"] = lambda: answer(
        {name: value for name, value in given().items() if name != "refresh_token"}
    )
    ends = int(time.time()) + 1800
    plain_issuer.claims = {"exp": ends}
    person = Person()

    _asked(plain_issuer, person)

    until = time.strftime("%H:%M", time.localtime(ends))
    assert person.shown[-1].startswith(f"The issuer gave no refresh token: this sign-in lasts until {until}")


def test_nobody_is_signed_in(issuer: str) -> None:
    """The error names what to do, in Python and on the command line; no request is sent."""
    source = _source(issuer)

    with pytest.raises(
        LoginRequiredError,
        match=r"(?i)nobody is signed in\. .*sign_in\(\).*'cognito-credentials login --profile app'",
    ):
        source.token()
    assert source.principal() is None
    assert source.account() is None


def test_signing_out(issuer: str, open_browser: Any) -> None:
    """The refresh token is revoked at the issuer, and nothing of the sign-in is left."""
    source = _source(issuer)
    source.sign_in(Person(), open_browser=open_browser("ann"))
    secret = source._place().read("secret")

    account = source.account()

    out = source.sign_out()

    assert account is not None
    assert account.subject == "ann"
    assert (out.users, out.revoked, out.problems) == (("ann@example.com",), True, ())
    assert source.account() is None
    with pytest.raises(LoginRequiredError):
        source.token()
    # Even who kept a copy of it has nothing.
    source._place().write("sign-in", account.encode())
    assert secret is not None
    source._place().write("secret", secret)
    with pytest.raises(LoginRequiredError, match=r"the sign-in of ann@example\.com has ended"):
        _source(issuer).token()
    assert source.sign_out().users == ("ann@example.com",)
    assert source.sign_out().users == ()


def test_two_users_of_two_profiles(issuer: str, open_browser: Any) -> None:
    """Each profile has its own sign-in; signing in again replaces the user of one profile."""
    one, other = _source(issuer), _source(issuer, profile_name="other")
    one.sign_in(Person(), open_browser=open_browser("ann"))
    other.sign_in(Person(), open_browser=open_browser("bob"))
    anns = one.token()

    again = _source(issuer)
    again.sign_in(Person(), open_browser=open_browser("cyd"))

    assert other.account().subject == "bob"
    assert one.principal() == again.principal() != other.principal()
    cyds = one.token()  # the same object as before, and another user since
    assert cyds != anns
    assert unverified_claims(cyds.reveal())["sub"] == "cyd"


def test_without_a_browser_here(issuer: str) -> None:
    """The person copies the address away and the redirect back; a wrong one is asked for again."""
    other_machine = WebBrowser()
    person = Person(can_ask=True)

    def ask_secret(question: str) -> Any:
        if not person.asked:
            person.asked.append(question)
            return Secret("https://evil.example/callback?code=x&state=y")
        url = re.search(r"^http://\S+/auth\?\S+$", "\n".join(person.shown), re.MULTILINE)
        assert url
        with pytest.raises(OSError, match="refused"):  # nothing listens: the browser shows an error there
            other_machine.sign_in(url[0], "ann")
        return Secret(other_machine.redirected_to)

    person.ask_secret = ask_secret  # type: ignore[method-assign]
    source = _source(issuer, redirect_ports=(48123,))

    account = source.sign_in(person, way="no-browser")

    assert account.subject == "ann"
    assert "it does not begin with http://127.0.0.1:48123/callback" in "\n".join(person.shown)


def _with_telephone(source: OidcLogin, name: str) -> tuple[Any, str]:
    """Sign in with a code that *name* types in elsewhere; return the principal, and what was shown."""
    person = Person()
    waiting = threading.Event()
    say = person.say

    def saying(text: str) -> None:
        say(text)
        waiting.set()

    person.say = saying  # type: ignore[method-assign]
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(source.sign_in(person, way="device")))
    thread.start()
    assert waiting.wait(20)
    (text,) = person.shown
    code = re.search(r"^    (\w{4}-\w{4})$", text, re.MULTILINE)
    assert code
    telephone = WebBrowser()
    telephone.open(f"{source.issuer}/device?user_code={code[1]}")
    status, page = telephone.sign_in(f"{source.issuer}/device?user_code={code[1]}", name)
    thread.join(30)
    assert status == 200, page
    return done[0], text


@pytest.mark.thorough  # it polls, which takes five seconds
def test_signing_in_on_another_device(issuer: str) -> None:
    """A code and a QR code are shown; once the code is typed in elsewhere, this machine is signed in."""
    source = _source(issuer)

    account, text = _with_telephone(source, "dan")

    assert account.subject == "dan"
    assert "▀" in text or "█" in text
    assert unverified_claims(source.token().reveal())["sub"] == "dan"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
@pytest.mark.thorough
def test_a_client_with_a_secret(
    start_issuer: Callable[..., str], open_browser: Any, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client authenticates at code, device, refresh and sign-out; its secret is read each time."""
    issuer = start_issuer(authMethods=["none", method])
    monkeypatch.setenv("CLIENT_SECRET", "CANARY%2B+/:secret")
    source = OidcLogin(
        issuer, f"with:{method}", client_secret=EnvironmentSource("CLIENT_SECRET"), store="file"
    )

    assert source.sign_in(Person(), open_browser=open_browser("ann")).subject == "ann"
    assert unverified_claims(source.token().reveal())["sub"] == "ann"
    assert source.sign_out().revoked
    assert _with_telephone(source, "dan")[0].subject == "dan"
    monkeypatch.setenv("CLIENT_SECRET", "CANARY-another")
    source.reject(source.token())
    with pytest.raises(LoginRejectedError, match="invalid_client"):
        source.token()


def test_a_secret_that_is_not_there_ends_no_sign_in(
    start_issuer: Callable[..., str], open_browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the secret the error names the setting; with the secret the sign-in goes on."""
    issuer = start_issuer(authMethods=["none", "client_secret_post"])
    monkeypatch.setenv("CLIENT_SECRET", "CANARY%2B+/:secret")
    secret = EnvironmentSource("CLIENT_SECRET")
    source = OidcLogin(issuer, "with:client_secret_post", client_secret=secret, store="file")
    source.sign_in(Person(), open_browser=open_browser("ann"))
    source.reject(source.token())
    monkeypatch.delenv("CLIENT_SECRET")

    with pytest.raises(
        ConfigurationError, match=r"secret of the client.*CLIENT_SECRET.*cognito_oidc_client_"
    ):
        source.token()

    monkeypatch.setenv("CLIENT_SECRET", "CANARY%2B+/:secret")
    assert source.token()
