"""The ID and access tokens of a person who is signed in, for APIs that take them."""

from __future__ import annotations

import dataclasses
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jwt
import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.errors import ConfigurationError, LoginRequiredError
from cognito_credentials.logins.claims import unverified_claims
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in import LoginTokens, OidcLogin, UserPool
from tests.conftest import ManualClock

from .conftest import PASSWORD, Person
from .emulated_pool import CLIENT as APP_CLIENT
from .emulated_pool import POOL, EmulatedPool
from .hostile_issuer import CLIENT, HostileIssuer, answer
from .own_stores import Entry
from .test_attacks import Visit

POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000000"


@pytest.fixture
def issuer() -> Iterator[HostileIssuer]:
    made = HostileIssuer()
    yield made
    made.close()


def _numbered(issuer: HostileIssuer, **more: Any) -> None:
    """Have the issuer give access tokens that say which generation they are of."""
    usual = issuer.tokens

    def tokens() -> dict[str, Any]:
        issuer.claims = {**issuer.claims, "generation": len(issuer.refresh_tokens)}
        given = usual()
        return {**given, "access_token": f"CANARY-access-{issuer.claims['generation']}", **more}

    issuer.tokens = tokens  # type: ignore[method-assign]


def _signed_in(issuer: HostileIssuer, **options: Any) -> OidcLogin:
    login = OidcLogin(issuer.url, CLIENT, **{"store": Entry(), **options})
    Visit(login, issuer).finish()
    issuer.nonce = None
    return login


def _generations(tokens: LoginTokens) -> tuple[int, int]:
    claims = jwt.decode(tokens.id_token.reveal(), options={"verify_signature": False})
    return claims["generation"], int(tokens.access_token.reveal().rpartition("-")[2])


def _refreshes(issuer: HostileIssuer) -> int:
    return sum("refresh_token" in form for _, _, form in issuer.requests)


def test_both_are_of_one_generation(issuer: HostileIssuer) -> None:
    """However many threads renew them, the two tokens of one answer stay together."""
    _numbered(issuer)
    clock = ManualClock(time.time())
    login = _signed_in(issuer, clock=clock)
    seen = []
    for _ in range(4):
        with ThreadPoolExecutor(8) as threads:
            seen += list(threads.map(lambda _: login.tokens(), range(16)))
        login.reject(seen[-1].id_token)

    assert all(one == other for one, other in map(_generations, seen))
    assert len({_generations(tokens) for tokens in seen}) == 4
    assert _refreshes(issuer) == 3


@pytest.mark.quick
def test_they_come_from_memory_until_one_is_due(issuer: HostileIssuer) -> None:
    """An access token that ends before the ID token is renewed at its own end; `token` waits for its own."""
    _numbered(issuer, expires_in=300)
    clock = ManualClock(time.time())
    login = _signed_in(issuer, clock=clock)
    first = login.tokens()
    assert first.expiration.tzinfo is timezone.utc
    assert abs(first.expiration.timestamp() - time.time() - 300) < 10

    clock.advance(200)
    assert login.tokens() == first
    assert _refreshes(issuer) == 0
    clock.advance(70)  # less than the 30 s that are kept in hand
    assert login.token() == first.id_token
    second = login.tokens()

    assert second != first
    assert _refreshes(issuer) == 1


@pytest.mark.parametrize("expires_in", [None, "", -1, True, float("1e12")])
def test_an_end_that_the_issuer_does_not_say(issuer: HostileIssuer, expires_in: object) -> None:
    """Without a usable lifetime, the end is that of the ID token."""
    _numbered(issuer, expires_in=expires_in)
    login = _signed_in(issuer)

    left = login.tokens().expiration - datetime.now(timezone.utc)

    assert abs(left.total_seconds() - 3600) < 30


@pytest.mark.quick
def test_they_show_nothing(issuer: HostileIssuer) -> None:
    """They are frozen, hide themselves when printed, and refuse to be pickled."""
    tokens = _signed_in(issuer).tokens()

    assert "CANARY" not in f"{tokens} {tokens!r}"
    assert tokens.id_token.reveal() not in repr(tokens)
    with pytest.raises(dataclasses.FrozenInstanceError):
        tokens.id_token = Secret("")  # type: ignore[misc]
    with pytest.raises(TypeError, match="refuses to be pickled"):
        pickle.dumps(tokens)


@pytest.mark.writes_secrets
@pytest.mark.parametrize("store", ["file", "app"])
def test_an_access_token_is_nowhere_but_in_memory(issuer: HostileIssuer, isolation: Path, store: str) -> None:
    """Neither our files nor the app's text hold one; a new process gets its own by one refresh."""
    _numbered(issuer)
    entry = Entry()
    place = {"store": entry if store == "app" else "file"}
    login = _signed_in(issuer, **place)
    access = login.tokens().access_token.reveal()

    again = OidcLogin(issuer.url, CLIENT, **place)
    again.tokens()

    texts = [path.read_bytes().decode("latin-1") for path in isolation.rglob("*") if path.is_file()]
    assert not any(access in text or "CANARY-access" in text for text in (*texts, entry.text or ""))
    assert _refreshes(issuer) == 1


@pytest.mark.writes_secrets
def test_a_sign_in_without_a_refresh_token(issuer: HostileIssuer) -> None:
    """Its tokens are this process's; another one has the ID token, and says what is missing."""
    usual = issuer.tokens
    issuer.answers["/token"] = lambda: answer(
        {name: value for name, value in usual().items() if name != "refresh_token"}
    )
    entry = Entry()
    login = _signed_in(issuer, store=entry)

    assert login.tokens().access_token == Secret("CANARY-access")
    again = OidcLogin(issuer.url, CLIENT, store=Entry(entry.text))
    assert again.token() == login.token()
    with pytest.raises(LoginRequiredError, match="ann has no access token in this process"):
        again.tokens()


def test_an_issuer_that_gives_no_access_token(issuer: HostileIssuer) -> None:
    """OAuth demands one. Without it the ID token serves as ever, and `tokens` says so."""
    _numbered(issuer)
    numbered = issuer.tokens
    login = _signed_in(issuer)
    login.reject(login.token())
    issuer.tokens = lambda: {**numbered(), "access_token": ""}  # type: ignore[method-assign]

    assert login.token()
    with pytest.raises(LoginRequiredError, match="has no access token in this process"):
        login.tokens()


def test_nobody_is_signed_in(issuer: HostileIssuer) -> None:
    """The error is that of `token`; no request is made."""
    with pytest.raises(LoginRequiredError, match="nobody is signed in"):
        OidcLogin(issuer.url, CLIENT, store="memory").tokens()
    assert not issuer.requests


def test_a_pools_tokens_are_what_it_holds(user_pool: EmulatedPool) -> None:
    """`IdentityPool.tokens` needs no second refresh; a user pool takes the access token."""
    login = UserPool(POOL, APP_CLIENT, sign_in="password", store="memory")
    pool = IdentityPool(POOL_ID, logins=login, cache="memory")
    pool.sign_in(prompt=Person(PASSWORD), username="ann")

    tokens = pool.tokens()

    claims = unverified_claims(tokens.access_token.reveal())
    assert claims
    assert (claims["token_use"], claims["username"]) == ("access", "ann")
    assert not [name for name, _ in user_pool.requests if name == "GetTokensFromRefreshToken"]
    assert login.tokens().access_token != tokens.access_token  # the login's own, by a refresh of its own


def test_a_pool_without_a_sign_in() -> None:
    """A guest's pool has nobody to sign in; the error names first what a Python program gives."""
    pool = IdentityPool(POOL_ID)
    for act in (pool.tokens, pool.sign_in, lambda: pool.sign_in_with_password("ann", "secret")):
        with pytest.raises(ConfigurationError, match="names nothing to sign in to") as raised:
            act()
        assert str(raised.value.hint).startswith("Give logins=UserPool(…) or logins=OidcLogin(…) in Python")
