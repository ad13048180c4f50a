"""Ctrl-C at any moment: no password, code or token is in the variables that a crash report would print."""

from __future__ import annotations

import _thread
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import ChallengeRequired, IdentityPool
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in import DeveloperLogin
from cognito_credentials.sign_in.sources import OidcLogin, UserPool

from ..conftest import locals_of
from .conftest import Person
from .emulated_pool import CLIENT as APP_CLIENT
from .emulated_pool import POOL, EmulatedPool
from .hostile_issuer import CLIENT, Answer, HostileIssuer, answer
from .test_attacks import Visit

pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own


class Impatient(Person):
    """Gives the prepared answers, and then presses Ctrl-C."""

    def ask(self, question: str) -> str:
        if not self.answers:
            raise KeyboardInterrupt
        return super().ask(question)


@pytest.fixture
def user_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    server = EmulatedPool(remembers=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


@pytest.fixture
def issuer() -> Iterator[HostileIssuer]:
    issuer = HostileIssuer()
    yield issuer
    issuer.close()


def _interrupted(function: Callable[[], object]) -> KeyboardInterrupt:
    with pytest.raises(KeyboardInterrupt) as caught:
        function()
    error = caught.value
    assert error.__context__ is None
    assert error.__cause__ is None
    return error


def _pressed() -> Answer:
    """Press Ctrl-C while the issuer is asked."""
    _thread.interrupt_main()
    return answer({}, 503)


@pytest.mark.parametrize(
    ("challenge", "answers"),
    [
        ("SOFTWARE_TOKEN_MFA", ["ann"]),
        ("SOFTWARE_TOKEN_MFA", ["ann", "CANARY password"]),
        ("NEW_PASSWORD_REQUIRED", ["ann", "CANARY password", "CANARY new"]),
        ("NEW_PASSWORD_REQUIRED", ["ann", "CANARY password", "CANARY new", "CANARY new"]),
    ],
)
def test_at_a_question(user_pool: EmulatedPool, challenge: str, answers: list[str]) -> None:
    """Nothing that was typed before is in the error."""
    user_pool.add("ann", "CANARY password", challenge)
    source = UserPool(POOL, APP_CLIENT, store="file", sign_in="password")

    error = _interrupted(lambda: source.sign_in(Impatient(*answers)))

    assert "CANARY" not in locals_of(error)
    assert source.account() is None


@pytest.mark.parametrize("operation", ["RespondToAuthChallenge", "ConfirmDevice"])
def test_while_the_user_pool_is_asked(user_pool: EmulatedPool, operation: str) -> None:
    """A code, an access token and a device's password are in variables then."""
    user_pool.add("ann", "CANARY password", "SOFTWARE_TOKEN_MFA")

    def pressed(name: str, body: dict[str, Any]) -> None:
        if name == operation:
            _thread.interrupt_main()

    user_pool.before = pressed
    source = UserPool(POOL, APP_CLIENT, store="file", sign_in="password")

    error = _interrupted(lambda: source.sign_in(Person("ann", "CANARY password", user_pool.code)))

    assert "CANARY" not in locals_of(error)
    assert user_pool.code() not in locals_of(error)


@pytest.mark.parametrize("challenge", ["PASSWORD_VERIFIER", "SOFTWARE_TOKEN_MFA"])
def test_while_a_form_waits_for_the_user_pool(user_pool: EmulatedPool, challenge: str) -> None:
    """What was typed into a form of an app is in no frame, whichever step is interrupted."""
    user_pool.add("ann", "CANARY password", "SOFTWARE_TOKEN_MFA")
    pool = IdentityPool(
        "us-east-1:00000000-0000-4000-8000-000000000000", logins=UserPool(POOL, APP_CLIENT, store="file")
    )

    def pressed(name: str, body: dict[str, Any]) -> None:
        if body.get("ChallengeName") == challenge:
            _thread.interrupt_main()

    user_pool.before = pressed

    def sign_in() -> None:
        with pytest.raises(ChallengeRequired) as caught:
            pool.sign_in_with_password("ann", "CANARY password")
        caught.value.answer(f"  {user_pool.code()}")

    error = _interrupted(sign_in)

    assert "CANARY" not in locals_of(error)
    assert user_pool.code() not in locals_of(error)


def test_while_a_refresh_token_is_used(issuer: HostileIssuer) -> None:
    """The refresh token is in the request's form in clear, which is in the frames."""
    source = OidcLogin(issuer.url, CLIENT, store="file")
    Visit(source, issuer).finish()
    issuer.answers["/token"] = _pressed

    error = _interrupted(OidcLogin(issuer.url, CLIENT, store="file").token)

    assert "CANARY" not in locals_of(error)
    assert source.account() is not None


def test_while_a_refresh_token_is_revoked(issuer: HostileIssuer) -> None:
    """The issuer may have revoked the token or not: nobody is signed in afterwards."""
    source = OidcLogin(issuer.url, CLIENT, store="file")
    Visit(source, issuer).finish()
    issuer.answers["/revoke"] = _pressed

    error = _interrupted(source.sign_out)

    assert "CANARY" not in locals_of(error)
    assert source.account() is None


@pytest.mark.parametrize("operation", ["InitiateAuth", "ForgetDevice", "RevokeToken"])
def test_while_a_device_is_forgotten(user_pool: EmulatedPool, operation: str, isolation: Path) -> None:
    """Forgetting a device may use up the refresh token, so signing out goes on to its end."""
    user_pool.add("ann", "CANARY password")
    source = UserPool(POOL, APP_CLIENT, store="file", sign_in="password")
    source.sign_in(Person("ann", "CANARY password"))

    def pressed(name: str, body: dict[str, Any]) -> None:
        if name == operation:
            _thread.interrupt_main()

    user_pool.before = pressed
    user_pool.lacks_new_refresh()

    error = _interrupted(source.sign_out)

    assert "CANARY" not in locals_of(error)
    assert (user_pool.users["ann"].devices, user_pool.refresh_tokens) == ({}, {})
    assert [path.name for path in isolation.rglob("*.json")] == []


def test_while_a_back_end_is_asked(issuer: HostileIssuer) -> None:
    """The headers identify the user, and are not in the error."""
    issuer.answers["/cognito-token"] = _pressed
    login = DeveloperLogin(f"{issuer.url}/cognito-token", headers={"Authorization": Secret("CANARY-session")})

    assert "CANARY" not in locals_of(_interrupted(login.token))
