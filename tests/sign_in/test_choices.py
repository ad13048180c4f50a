"""Choice-based sign-in (USER_AUTH): a code or a password first, as the app prefers or the person chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cognito_credentials import ChallengeRequired, IdentityPool
from cognito_credentials.errors import ConfigurationError, LoginRejectedError, RefusedError
from cognito_credentials.sign_in import UserPool

from .conftest import PASSWORD, Person
from .emulated_pool import CLIENT, POOL, EmulatedPool, PoolUser

POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000000"
ALL = ["PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]
CODE = "the code that came"
pytestmark = pytest.mark.writes_secrets  # the plain store


@pytest.fixture
def ann(user_pool: EmulatedPool) -> PoolUser:
    """A user with every first factor, at an app client that allows USER_AUTH alone."""
    user_pool.change_client(flows=["USER_AUTH", "REFRESH_TOKEN_AUTH"])
    user_pool.users["ann"].offer(*ALL)
    return user_pool.users["ann"]


def _pool(**options: Any) -> IdentityPool:
    return IdentityPool(POOL_ID, logins=UserPool(POOL, CLIENT, store="file", sign_in="password", **options))


def test_a_mistyped_option_is_guessed() -> None:
    """An option that does not exist is an error of the caller's, which names the one that was meant."""
    with pytest.raises(TypeError, match="there is no option 'stor'; did you mean 'store'"):
        UserPool(POOL, CLIENT, stor="file")  # type: ignore[misc]


def _asked(attempt: Callable[[], object]) -> ChallengeRequired:
    with pytest.raises(ChallengeRequired) as caught:
        attempt()
    return caught.value


def _sent(user_pool: EmulatedPool) -> list[dict[str, Any]]:
    return [body for name, body in user_pool.requests if "Auth" in name]


@pytest.mark.parametrize(("factor", "preferred"), [("sms", "SMS_OTP"), ("email", "EMAIL_OTP")])
def test_a_code_alone_signs_in(user_pool: EmulatedPool, ann: PoolUser, factor: str, preferred: str) -> None:
    """Without a password, the preferred code is asked for at once, and it is the whole sign-in."""
    question = _asked(lambda: _pool().sign_in_with_password("ann", first_factor=factor))

    sent_to = {"sms": "+*******0123", "email": "a***@e***"}[factor]
    assert (question.kind, question.sent_to) == (factor, sent_to)
    assert _sent(user_pool)[0]["AuthParameters"]["PREFERRED_CHALLENGE"] == preferred
    assert question.answer(user_pool.code()).subject == "sub-ann"
    assert [body.get("ChallengeName") for body in _sent(user_pool)] == [None, preferred]


@pytest.mark.quick
def test_the_person_chooses(user_pool: EmulatedPool, ann: PoolUser) -> None:
    """Without a preference the pool's offer is the question: each kind once, and no passkey."""
    choice = _asked(lambda: _pool().sign_in_with_password("ann"))
    assert (choice.kind, choice.choices) == ("choice", ("password", "email", "sms"))

    code = _asked(lambda: choice.answer("email"))

    assert code.kind == "email"
    assert code.answer(user_pool.code()).subject == "sub-ann"


@pytest.mark.quick
def test_a_password_that_is_chosen(user_pool: EmulatedPool, ann: PoolUser) -> None:
    """The password is asked for before the pool hears of the choice, and is proven and never sent."""
    choice = _asked(lambda: _pool().sign_in_with_password("ann"))
    asked = len(user_pool.requests)
    question = _asked(lambda: choice.answer("password"))
    assert question.kind == "password"
    assert len(user_pool.requests) == asked

    assert question.answer(PASSWORD).subject == "sub-ann"
    assert "CANARY" not in str(user_pool.requests)


def test_a_wrong_password_that_is_chosen(user_pool: EmulatedPool, ann: PoolUser) -> None:
    """It is one attempt, and ends the sign-in."""
    choice = _asked(lambda: _pool().sign_in_with_password("ann"))
    question = _asked(lambda: choice.answer("password"))

    with pytest.raises(LoginRejectedError, match="the password is wrong"):
        question.answer("CANARY wrong")
    assert not question.is_open


@pytest.mark.parametrize("factor", ["password", "sms", "choice"])
def test_a_password_that_is_given_is_the_first_factor(
    user_pool: EmulatedPool, ann: PoolUser, factor: str
) -> None:
    """A password in hand is proven at once, whatever the setting prefers without one."""
    assert _pool(first_factor=factor).sign_in_with_password("ann", PASSWORD).subject == "sub-ann"
    parameters = _sent(user_pool)[0]["AuthParameters"]
    assert parameters["PREFERRED_CHALLENGE"] == "PASSWORD_SRP"
    assert len(_sent(user_pool)) == 2


def test_a_password_as_the_setting(user_pool: EmulatedPool, ann: PoolUser) -> None:
    """Where a password is preferred and none is given, it is asked for before anything is sent."""
    question = _asked(lambda: _pool(first_factor="password").sign_in_with_password("ann"))
    assert question.kind == "password"
    assert user_pool.requests == []

    assert question.answer(PASSWORD).subject == "sub-ann"


def test_a_preference_that_the_user_does_not_have(user_pool: EmulatedPool, ann: PoolUser) -> None:
    """The pool answers with what it offers instead: with a choice, or at once where there is only one."""
    ann.offer("PASSWORD_SRP", "EMAIL_OTP")
    choice = _asked(lambda: _pool().sign_in_with_password("ann", first_factor="sms"))
    assert choice.choices == ("password", "email")

    ann.offer("EMAIL_OTP", "WEB_AUTHN")
    assert _asked(lambda: _pool().sign_in_with_password("ann", first_factor="sms")).kind == "email"
    assert _asked(lambda: _pool(first_factor="choice").sign_in_with_password("ann", PASSWORD)).kind == "email"


@pytest.mark.parametrize(("has_domain", "hint"), [(True, "way='browser'"), (False, "no sign-in pages")])
def test_a_user_with_a_passkey_alone(
    user_pool: EmulatedPool, ann: PoolUser, has_domain: bool, hint: str
) -> None:
    """A passkey is a browser's: the error says so, and whether the pool has pages for it."""
    ann.offer("WEB_AUTHN")
    if not has_domain:
        user_pool.lacks_pages()

    with pytest.raises(RefusedError, match=rf"WEB_AUTHN \(a passkey\), which only a browser can do.*{hint}"):
        _pool().sign_in_with_password("ann")


def test_a_second_factor_after_a_chosen_password(user_pool: EmulatedPool, ann: PoolUser) -> None:
    """What follows the first factor is asked as after any password."""
    ann.ask_for("SOFTWARE_TOKEN_MFA")
    question = _asked(lambda: _pool(first_factor="password").sign_in_with_password("ann", PASSWORD))

    assert question.kind == "totp"
    assert question.answer(user_pool.code()).subject == "sub-ann"


def test_a_client_that_allows_another_flow(user_pool: EmulatedPool, ann: PoolUser) -> None:
    """The error says what to enable, and the setting that goes with the client as it is."""
    with pytest.raises(ConfigurationError, match=r"ALLOW_USER_SRP_AUTH.*first_factor='password'"):
        _pool().sign_in_with_password("ann", PASSWORD)

    user_pool.change_client(flows=["USER_SRP_AUTH"])
    with pytest.raises(ConfigurationError, match="ALLOW_USER_AUTH"):
        _pool().sign_in_with_password("ann", first_factor="sms")


@pytest.mark.parametrize("factor", ["passkey", "SMS_OTP", "", 5])
def test_a_first_factor_that_is_none(factor: Any) -> None:
    """A misspelt first factor is named with those that there are."""
    with pytest.raises(ConfigurationError, match=r"first_factor"):
        _pool(first_factor=factor)
    with pytest.raises(ConfigurationError, match=r"first_factor"):
        _pool().sign_in_with_password("ann", first_factor=factor)


@pytest.mark.parametrize(
    ("factor", "answers"),
    [
        ("password", ["ann", PASSWORD]),
        ("sms", ["ann", CODE]),
        ("email", ["ann", "000000", CODE]),
        ("choice", ["ann", "2", CODE]),
        ("choice", ["ann", "9", "sms", CODE]),
        ("choice", ["ann", "1", "CANARY wrong", PASSWORD]),
    ],
)
def test_a_terminal_asks_the_same(
    user_pool: EmulatedPool, ann: PoolUser, factor: str, answers: list[str]
) -> None:
    """`login --password` has the person choose and type the same, with three tries for each."""
    person = Person(*(user_pool.code if text == CODE else text for text in answers))

    assert _pool(first_factor=factor).sign_in(prompt=person) == "a.ann@example.com"  # as the token has it
    assert person.answers == []


@pytest.mark.parametrize("by_code", [False, True])
def test_a_device_that_the_pool_has_forgotten(user_pool: EmulatedPool, ann: PoolUser, by_code: bool) -> None:
    """Signing in begins again without the device, by the same flow: what was chosen is not asked again."""
    user_pool.change(devices="always")
    ann.ask_for(*([] if by_code else ["SOFTWARE_TOKEN_MFA"]))

    def code() -> ChallengeRequired:
        choice = _asked(lambda: _pool().sign_in_with_password("ann"))
        question = _asked(lambda: choice.answer("sms" if by_code else "password"))
        return question if by_code else _asked(lambda: question.answer(PASSWORD))

    code().answer(user_pool.code())
    (old,) = ann.devices
    ann.forget_devices()
    question = code()
    if by_code:  # a user pool looks for the device when the code is right, which is used up then
        question = _asked(lambda: question.answer(user_pool.code()))
    assert question.answer(user_pool.code()).subject == "sub-ann"

    assert {*ann.devices} - {old}
    assert {body["AuthFlow"] for name, body in user_pool.requests if name == "InitiateAuth"} == {"USER_AUTH"}
