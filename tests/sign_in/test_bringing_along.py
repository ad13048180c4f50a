"""Users who signed in elsewhere are brought along by their refresh token."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.emulator.pytest_plugin import emulator, emulator_keys
from cognito_credentials.errors import (
    CacheError,
    ConfigurationError,
    LoginRejectedError,
    LoginRequiredError,
    ServiceError,
)
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in import OidcLogin, SignedIn, UserPool
from tests.conftest import ManualClock

from .conftest import CLIENT_ID, PASSWORD, Person
from .emulated_pool import CLIENT as APP_CLIENT
from .emulated_pool import POOL, EmulatedPool
from .hostile_issuer import CLIENT, HostileIssuer, answer
from .own_stores import Entry

__all__ = ["emulator", "emulator_keys"]
POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000000"


def _pool(issuer: HostileIssuer, store: object = "memory", pool_id: str = POOL_ID) -> IdentityPool:
    login = OidcLogin(issuer.url, CLIENT, store=store)  # type: ignore[arg-type]
    return IdentityPool(pool_id, logins=login, cache="memory")


def _used(issuer: HostileIssuer) -> list[str]:
    return [form["refresh_token"] for _, _, form in issuer.requests if "refresh_token" in form]


@pytest.mark.quick
def test_it_is_redeemed_once_and_its_successor_kept(rotating: HostileIssuer) -> None:
    """The result says whose account it is, as after a password; the tokens that came serve at once."""
    rotating.claims = {"email": "ann@example.com", "preferred_username": "ann"}
    store = Entry()
    pool = _pool(rotating, store)

    account = pool.sign_in_with_refresh_token(Secret("CANARY-refresh-0"))

    assert account == SignedIn(
        subject="ann",
        username="ann",
        email="ann@example.com",
        name="ann@example.com",
        issuer=rotating.url,
        provider=rotating.url.partition("://")[2],
    )
    assert pool.status().signed_in_as == "ann@example.com"
    assert pool.tokens().id_token
    assert _used(rotating) == ["CANARY-refresh-0"]
    assert "CANARY-refresh-1" in (store.text or "")
    assert "CANARY-refresh-0" not in (store.text or "")


@pytest.mark.parametrize("rotates", [True, False])
def test_a_user_pools_token(user_pool: EmulatedPool, rotates: bool) -> None:
    """From an app's earlier library; where the pool does not rotate, the same token is kept."""
    user_pool.change(rotate_refresh_tokens=rotates)
    earlier = user_pool.new_refresh_token("ann")
    store = Entry()
    login = UserPool(POOL, APP_CLIENT, store=store)
    pool = IdentityPool(POOL_ID, logins=login, cache="memory")

    account = pool.sign_in_with_refresh_token(earlier)

    assert (account.subject, account.username) == ("sub-ann", "ann")
    assert (earlier in (store.text or "")) is not rotates
    assert UserPool(POOL, APP_CLIENT, store=Entry(store.text)).token()


def test_a_certified_provider(issuer: str, open_browser: Any) -> None:
    """A token that the provider gave to one app's store signs in at another; the first one's is used up."""
    store, other = Entry(), Entry()
    login = OidcLogin(issuer, CLIENT_ID, store=store)
    login.sign_in(Person(), open_browser=open_browser("ann"))
    place = login._place()
    with place.lock():
        token = login._sign_in()._exchange_of(login.account()).load().refresh_token  # type: ignore[arg-type]
    assert token is not None

    pool = IdentityPool(POOL_ID, logins=OidcLogin(issuer, CLIENT_ID, store=other), cache="memory")
    pool.sign_in_with_refresh_token(token)

    assert pool.tokens().access_token
    assert OidcLogin(issuer, CLIENT_ID, store=Entry(other.text)).tokens().id_token


@pytest.mark.writes_secrets
def test_it_can_be_kept_in_a_file(rotating: HostileIssuer) -> None:
    """The store may be said at the sign-in, as for every other way."""
    login = OidcLogin(rotating.url, CLIENT)
    pool = IdentityPool(POOL_ID, logins=login)

    pool.sign_in_with_refresh_token("CANARY-refresh-0", store="file")

    assert pool.status().login_store == "file"
    assert OidcLogin(rotating.url, CLIENT).token()


def _other_users(issuer: HostileIssuer) -> None:
    issuer.claims = {"aud": "another"}


def _unsigned(issuer: HostileIssuer) -> None:
    issuer.sign = lambda claims: issuer.sign_well(claims)[:-8] + "AAAAAAAA"


def _no_id_token(issuer: HostileIssuer) -> None:
    usual = issuer.tokens
    issuer.tokens = lambda: {**usual(), "id_token": None}  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (_other_users, LoginRejectedError, "it is for another client"),
        (_unsigned, LoginRejectedError, "its signature is wrong"),
        (_no_id_token, LoginRequiredError, "gave no ID token"),
    ],
)
def test_what_comes_is_verified(
    rotating: HostileIssuer, spoil: Callable[[HostileIssuer], None], error: type[Exception], message: str
) -> None:
    """An answer that is not valid signs nobody in, and who was signed in still is."""
    store = Entry()
    pool = _pool(rotating, store)
    pool.sign_in_with_refresh_token("CANARY-refresh-0")
    kept = store.text
    spoil(rotating)

    with pytest.raises(error, match=message):
        pool.sign_in_with_refresh_token("CANARY-refresh-1")

    assert store.text == kept
    assert pool.status().signed_in_as == "ann"


def test_a_token_that_the_issuer_does_not_take(rotating: HostileIssuer) -> None:
    """One attempt, one clear error that names neither the token nor a retry."""
    pool = _pool(rotating)

    with pytest.raises(LoginRejectedError, match="does not take this refresh token") as caught:
        pool.sign_in_with_refresh_token("CANARY-of-another-client")

    assert not caught.value.retryable
    assert _used(rotating) == ["CANARY-of-another-client"]
    assert pool.status().signed_in_as is None


def test_keys_that_come_late(rotating: HostileIssuer) -> None:
    """The token is used up: so the keys are asked for again, and the successor is not lost."""
    answers = [answer({}, 503), answer({}, 503)]
    rotating.answers["/jwks"] = lambda: answers.pop() if answers else rotating.keys()
    clock = ManualClock(time.time())
    login = OidcLogin(rotating.url, CLIENT, store="memory", clock=clock)
    pool = IdentityPool(POOL_ID, logins=login, cache="memory")

    assert pool.sign_in_with_refresh_token("CANARY-refresh-0").subject == "ann"
    assert _used(rotating) == ["CANARY-refresh-0"]
    assert clock.slept == 1.5


def test_an_issuer_that_is_away(rotating: HostileIssuer) -> None:
    """An outage is no refusal: the app may try again with the same token."""
    rotating.answers["/.well-known/openid-configuration"] = lambda: answer({}, 503)
    pool = _pool(rotating)
    with pytest.raises(ServiceError):
        pool.sign_in_with_refresh_token("CANARY-refresh-0")
    assert not _used(rotating)
    del rotating.answers["/.well-known/openid-configuration"]

    assert pool.sign_in_with_refresh_token("CANARY-refresh-0")


def test_a_store_that_does_not_work_is_found_first(rotating: HostileIssuer) -> None:
    """The token is not used up for a sign-in that cannot be kept."""
    store = Entry()
    store.fails["load"] = OSError()
    pool = _pool(rotating, store)

    with pytest.raises(CacheError):
        pool.sign_in_with_refresh_token("CANARY-refresh-0")

    assert not _used(rotating)


@pytest.mark.parametrize("what", ["save", "keys"])
def test_what_came_is_held_until_it_is_stored(rotating: HostileIssuer, what: str) -> None:
    """A disk that is full, or keys that cannot be had, after the token is used up: the next call goes on."""
    store = Entry()
    login = OidcLogin(rotating.url, CLIENT, store=store, clock=ManualClock())
    pool = IdentityPool(POOL_ID, logins=login, cache="memory")
    if what == "save":
        store.fails["save"] = OSError("CANARY: no space left on device")
    else:
        rotating.answers["/jwks"] = lambda: answer({}, 503)
    for _ in range(2):
        with pytest.raises(CacheError if what == "save" else ServiceError):
            pool.sign_in_with_refresh_token("CANARY-refresh-0")
    assert store.text is None
    assert pool.status().signed_in_as is None

    store.fails.clear()
    rotating.answers.clear()
    assert pool.sign_in_with_refresh_token("CANARY-refresh-0").subject == "ann"

    assert _used(rotating) == ["CANARY-refresh-0"]
    assert "CANARY-refresh-1" in (store.text or "")
    with pytest.raises(LoginRejectedError):
        pool.sign_in_with_refresh_token("CANARY-refresh-0")  # nothing of it is held any more


def test_what_came_and_is_not_valid_is_not_held(rotating: HostileIssuer) -> None:
    """After a refusal the issuer is asked again."""
    pool = _pool(rotating)
    rotating.claims = {"aud": "another"}
    with pytest.raises(LoginRejectedError, match="another client"):
        pool.sign_in_with_refresh_token("CANARY-refresh-0")

    with pytest.raises(LoginRejectedError, match="does not take this refresh token"):
        pool.sign_in_with_refresh_token("CANARY-refresh-0")
    assert len(_used(rotating)) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "token from argument is empty"),
        ("  ", "token from argument is empty"),
        (Secret(""), "token from argument is empty"),
        ("CANARY\udc80", "token from argument is not valid Unicode text"),
        (None, "token from argument is NoneType, and no token"),
        (b"CANARY", "token from argument is bytes, and no token"),
    ],
)
def test_what_is_no_token(rotating: HostileIssuer, given: Any, message: str) -> None:
    """It is an error before anybody is asked."""
    with pytest.raises(ConfigurationError, match=message):
        _pool(rotating).sign_in_with_refresh_token(given)
    assert not rotating.requests


def test_of_several_logins_one_is_named(rotating: HostileIssuer, user_pool: EmulatedPool) -> None:
    """The token goes to the login of *provider*, and to no other issuer."""
    logins = {
        "login.example.com": OidcLogin(
            rotating.url, CLIENT, store="memory", login_provider="login.example.com"
        ),
        "cognito-idp.us-east-1.amazonaws.com/" + POOL: UserPool(POOL, APP_CLIENT, store="memory"),
    }
    pool = IdentityPool(POOL_ID, logins=logins, cache="memory")
    with pytest.raises(ConfigurationError, match="several logins"):
        pool.sign_in_with_refresh_token("CANARY-refresh-0")

    account = pool.sign_in_with_refresh_token("CANARY-refresh-0", provider="login.example.com")

    assert account.provider == "login.example.com"
    assert not user_pool.requests
    assert pool.tokens("login.example.com").id_token


def test_the_guest_becomes_the_user(
    emulator: Any, rotating: HostileIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `link_guest` the identity of the guest is the user's from then on."""
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    arn = f"arn:aws:iam::123456789012:oidc-provider/{rotating.url.partition('://')[2]}"
    pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    guest = IdentityPool(pool_id).identity_id()
    pool = IdentityPool(pool_id, logins=OidcLogin(rotating.url, CLIENT, store="memory"))

    pool.sign_in_with_refresh_token("CANARY-refresh-0", link_guest=True)

    assert pool.identity_id() == guest


def test_a_password_sign_in_can_be_brought_along(user_pool: EmulatedPool) -> None:
    """The next person signs in over the one before, whose refresh token is revoked."""
    user_pool.add("bob", PASSWORD)
    login = UserPool(POOL, APP_CLIENT, sign_in="password", store="memory")
    pool = IdentityPool(POOL_ID, logins=login, cache="memory")
    pool.sign_in(prompt=Person(PASSWORD), username="ann")
    anns = next(token for token, name in user_pool.refresh_tokens.items() if name == "ann")

    pool.sign_in_with_refresh_token(user_pool.new_refresh_token("bob"))

    assert pool.status().signed_in_as == "bob"
    assert anns not in user_pool.refresh_tokens
