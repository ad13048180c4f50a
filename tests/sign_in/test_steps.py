"""Signing in by steps from a form of an app: each returns the account, or says what is asked next."""

from __future__ import annotations

import copy
import logging
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import ChallengeRequired, IdentityPool
from cognito_credentials.errors import (
    CacheError,
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    RefusedError,
    ServiceError,
)
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in import OidcLogin, SignedIn, UserPool
from tests.conftest import locals_of

from .conftest import PASSWORD
from .emulated_pool import CLIENT, KEYS, POOL, PROVIDER, EmulatedPool
from .own_stores import Entry

POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000000"
NEW = "CANARY new horse"
pytestmark = pytest.mark.writes_secrets  # the plain store


def _pool(**options: Any) -> IdentityPool:
    return IdentityPool(POOL_ID, logins=UserPool(POOL, CLIENT, store="file", **options))


def _asked(attempt: Callable[[], object]) -> ChallengeRequired:
    with pytest.raises(ChallengeRequired) as caught:
        attempt()
    return caught.value


def _code(user_pool: EmulatedPool, challenge: str = "SOFTWARE_TOKEN_MFA") -> ChallengeRequired:
    """Return the question for eve's code."""
    user_pool.add("eve", PASSWORD, challenge)
    return _asked(lambda: _pool().sign_in_with_password("eve", PASSWORD))


def _sent(user_pool: EmulatedPool) -> list[str]:
    return [str(body.get("ChallengeName") or body.get("AuthFlow")) for _, body in user_pool.requests]


@pytest.mark.quick
@pytest.mark.parametrize("password", [PASSWORD, Secret(PASSWORD)])
def test_a_password_signs_in(user_pool: EmulatedPool, password: str | Secret) -> None:
    """The account is returned, from then on somebody is signed in, and the password was never sent."""
    pool = _pool()

    account = pool.sign_in_with_password(" ann ", password)

    assert isinstance(account, SignedIn)
    assert (account.subject, account.username, str(account)) == ("sub-ann", "ann", "ann")
    assert account.provider == f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
    assert pool.status().signed_in_as == "ann"
    assert _sent(user_pool) == ["USER_SRP_AUTH", "PASSWORD_VERIFIER"]
    assert "CANARY" not in str(user_pool.requests)


@pytest.mark.parametrize(("username", "password"), [("ann", "CANARY wrong"), ("nobody", PASSWORD)])
def test_a_wrong_password_is_tried_once(user_pool: EmulatedPool, username: str, password: str) -> None:
    """One attempt is one attempt at the pool, which locks the user out after five; nobody is signed in."""
    pool = _pool()

    with pytest.raises(LoginRejectedError, match=r"^the user name or the password is wrong"):
        pool.sign_in_with_password(username, password)

    assert _sent(user_pool).count("USER_SRP_AUTH") == 1
    assert _sent(user_pool).count("PASSWORD_VERIFIER") <= 1
    assert pool.status().signed_in_as is None


@pytest.mark.parametrize(
    ("challenge", "kind", "sent_to", "said"),
    [
        ("SMS_MFA", "sms", "+*******0123", "the code from the text message"),
        ("EMAIL_OTP", "email", "a***@e***", "the code from the e-mail"),
        ("SOFTWARE_TOKEN_MFA", "totp", None, "the code from the authenticator app"),
    ],
)
def test_a_code_is_asked_for(
    user_pool: EmulatedPool, challenge: str, kind: str, sent_to: str | None, said: str
) -> None:
    """The question names its kind and where the code went; a code may be typed in two groups."""
    question = _code(user_pool, challenge)

    assert (question.kind, question.sent_to, question.choices) == (kind, sent_to, ())
    assert said in str(question)
    assert question.is_open
    code = user_pool.code()
    assert question.answer(f" {code[:3]} {code[3:]} ").subject == "sub-eve"
    assert not question.is_open


@pytest.mark.parametrize("kind", ["sms", "totp"])
def test_a_factor_is_chosen(user_pool: EmulatedPool, kind: str) -> None:
    """The choices are kinds; the answer is one of them, and the next question is of that kind."""
    choice = _code(user_pool, "SELECT_MFA_TYPE")
    assert (choice.kind, choice.choices) == ("choice", ("sms", "totp"))

    code = _asked(lambda: choice.answer(kind))

    assert code.kind == kind
    assert code.answer(user_pool.code()).subject == "sub-eve"


def test_a_choice_that_is_none(user_pool: EmulatedPool) -> None:
    """An answer that is none of the choices is the app's mistake: it is not sent."""
    choice = _code(user_pool, "SELECT_MFA_TYPE")
    asked = len(user_pool.requests)

    with pytest.raises(ConfigurationError, match=r"none of the choices\. Give one of: sms, totp"):
        choice.answer("SMS_MFA")
    assert choice.is_open
    assert len(user_pool.requests) == asked


@pytest.mark.quick
def test_a_new_password_and_what_goes_with_it(user_pool: EmulatedPool) -> None:
    """The pool's policy is said and the password may be corrected; attributes are asked for beside it."""
    user = user_pool.add("eve", PASSWORD, "NEW_PASSWORD_REQUIRED")
    question = _asked(lambda: _pool().sign_in_with_password("eve", PASSWORD))
    assert (question.kind, question.attributes) == ("new_password", ("name",))

    with pytest.raises(LoginRejectedError, match=r"also asks for name.*attributes="):
        question.answer(NEW)
    with pytest.raises(LoginRejectedError, match="does not conform to policy: Password not long enough"):
        question.answer("x", attributes={"name": "Eve"})
    assert question.answer(NEW, attributes={"name": "Eve"}).subject == "sub-eve"
    assert user.stored.attributes == {"name": "Eve"}
    assert _pool().sign_in_with_password("eve", NEW).subject == "sub-eve"


@pytest.mark.parametrize("again", [False, True])
def test_a_wrong_code_may_be_corrected(user_pool: EmulatedPool, again: bool) -> None:
    """
    A wrong code is LoginRejectedError, and the same question is open.

    Where the pool asks again by a new session, a new question of the same kind takes its place.
    """
    user_pool.change(repeats_challenge=again)
    question = _code(user_pool)

    if again:
        newer = _asked(lambda: question.answer("000000"))
        assert (newer.kind, question.is_open) == ("totp", False)
        question = newer
    else:
        with pytest.raises(LoginRejectedError, match=r"^the code is wrong"):
            question.answer("000000")
    assert question.is_open
    assert question.answer(user_pool.code()).subject == "sub-eve"


def test_attributes_that_are_no_mapping(user_pool: EmulatedPool) -> None:
    """That is the app's mistake: neither message nor frames have them, and nothing is sent."""
    question = _code(user_pool)
    asked = len(user_pool.requests)
    given: Any = ["CANARY"]

    with pytest.raises(ConfigurationError, match="the attributes are list, and no mapping") as caught:
        question.answer(user_pool.code(), attributes=given)
    del given
    assert "CANARY" not in str(caught.value) + locals_of(caught.value)
    assert len(user_pool.requests) == asked
    assert question.is_open


def test_too_many_wrong_codes_end_the_session(user_pool: EmulatedPool) -> None:
    """When the pool has ended the session, the error says to sign in again, and the question is closed."""
    question = _code(user_pool)
    for _ in range(3):
        with pytest.raises(LoginRejectedError, match="the code is wrong"):
            question.answer("000000")

    with pytest.raises(LoginRejectedError, match=r"Invalid session for the user.*Sign in again"):
        question.answer(user_pool.code())
    assert not question.is_open
    with pytest.raises(ConfigurationError, match=r"answered already.*begin the sign-in anew"):
        question.answer(user_pool.code())


@pytest.mark.parametrize(("seconds", "is_too_late"), [(179, False), (181, True)])
def test_an_answer_that_comes_too_late(user_pool: EmulatedPool, seconds: float, is_too_late: bool) -> None:
    """A pool waits three minutes for an answer; after that the error says so, and the question is closed."""
    question = _code(user_pool)
    user_pool.wait(seconds)

    if not is_too_late:
        assert question.answer(user_pool.code()).subject == "sub-eve"
        return
    with pytest.raises(LoginRejectedError, match=r"session is expired.*answer faster.*three minutes"):
        question.answer(user_pool.code())
    assert not question.is_open


def test_a_question_is_answered_once(user_pool: EmulatedPool) -> None:
    """What was accepted is not sent again; an earlier question is not answered after a later."""
    choice = _code(user_pool, "SELECT_MFA_TYPE")
    code = _asked(lambda: choice.answer("totp"))
    asked = len(user_pool.requests)

    with pytest.raises(ConfigurationError, match=r"answered already.*newest ChallengeRequired"):
        choice.answer("totp")
    assert len(user_pool.requests) == asked
    code.answer(user_pool.code())
    with pytest.raises(ConfigurationError, match="answered already"):
        code.answer(user_pool.code())


def test_two_threads_answer(user_pool: EmulatedPool) -> None:
    """Another thread may answer; a second answer at the same moment is refused, and not sent."""
    question = _code(user_pool)
    arrived, go_on = threading.Event(), threading.Event()

    def waits(name: str, body: dict[str, Any]) -> None:
        arrived.set()
        assert go_on.wait(20)

    user_pool.before = waits
    accounts: list[SignedIn] = []
    thread = threading.Thread(target=lambda: accounts.append(question.answer(user_pool.code())))
    thread.start()
    assert arrived.wait(20)

    with pytest.raises(ConfigurationError, match="being answered already"):
        question.answer(user_pool.code())
    go_on.set()
    thread.join(20)

    assert [account.subject for account in accounts] == ["sub-eve"]


@pytest.mark.parametrize(
    ("username", "password", "said"),
    [
        ("", PASSWORD, "the user name is empty"),
        ("  ", PASSWORD, "the user name"),
        ("ann", "", "the password"),
        ("ann\udc80", PASSWORD, "the user name is not valid Unicode text"),
        ("ann", "CANARY\udc80", "the password is not valid Unicode text"),
    ],
)
def test_a_field_with_no_text_is_not_sent(
    user_pool: EmulatedPool, username: str, password: str, said: str
) -> None:
    """What is empty, or bytes that are no text, is the person's to type again, and no attempt."""
    with pytest.raises(LoginRejectedError, match=said):
        _pool().sign_in_with_password(username, password)
    assert user_pool.requests == []


@pytest.mark.parametrize("text", ["", " \t"])
def test_an_empty_answer_is_not_sent(user_pool: EmulatedPool, text: str) -> None:
    """The same of an answer: the question stays open."""
    question = _code(user_pool)
    asked = len(user_pool.requests)

    with pytest.raises(LoginRejectedError, match=r"the answer is empty\. Fill it in"):
        question.answer(text)
    assert len(user_pool.requests) == asked
    assert question.is_open


@pytest.mark.parametrize("value", [b"CANARY", 5, ["CANARY"], object()])
def test_what_is_no_text_is_not_repeated(user_pool: EmulatedPool, value: Any) -> None:
    """A password or an answer of another type is the app's mistake; neither message nor frames have it."""
    question = _code(user_pool)
    for attempt in (
        lambda: _pool().sign_in_with_password("ann", value),
        lambda: _pool().sign_in_with_password(value),
        lambda: question.answer(value),
    ):
        with pytest.raises(ConfigurationError, match=f"is {type(value).__name__}, and no text") as caught:
            attempt()
        assert "CANARY" not in str(caught.value) + locals_of(caught.value)


@pytest.mark.parametrize(
    ("code", "words", "kind", "said"),
    [
        ("UserNotConfirmedException", "x", LoginRejectedError, "has not confirmed"),
        ("PasswordResetRequiredException", "x", LoginRejectedError, "must be reset"),
        ("NotAuthorizedException", "Password attempts exceeded", LoginRejectedError, "quarter of an hour"),
        ("TooManyRequestsException", "Rate exceeded", ServiceError, "Wait a minute"),
    ],
)
def test_a_refusal_at_once(
    user_pool: EmulatedPool, code: str, words: str, kind: type[CognitoCredentialsError], said: str
) -> None:
    """What keeps the user out is said in words for the person."""
    user_pool.fail("InitiateAuth", code, words)

    with pytest.raises(kind, match=said):
        _pool().sign_in_with_password("ann", PASSWORD)


def test_a_throttled_answer_may_be_given_again(user_pool: EmulatedPool) -> None:
    """A pool that is asked too often has not taken the answer: the question stays open."""
    question = _code(user_pool)
    user_pool.fail("RespondToAuthChallenge", "TooManyRequestsException", "Rate exceeded")
    with pytest.raises(ServiceError, match="asked too often"):
        question.answer(user_pool.code())

    user_pool.mend()
    assert question.answer(user_pool.code()).subject == "sub-eve"


def test_a_network_that_is_lost_between_steps(user_pool: EmulatedPool) -> None:
    """Where no answer comes, the same question may be answered once more; by itself it is sent only once."""
    question = _code(user_pool)
    asked = len(user_pool.requests)
    user_pool.drop("RespondToAuthChallenge")
    with pytest.raises(ServiceError, match="cannot be reached"):
        question.answer(user_pool.code())
    assert question.is_open
    assert [name for name, _ in user_pool.requests[asked:]] == ["RespondToAuthChallenge"]

    user_pool.mend()
    assert question.answer(user_pool.code()).subject == "sub-eve"


def test_keys_that_cannot_be_fetched(user_pool: EmulatedPool) -> None:
    """Tokens that came are verified at the next answer; the code, which is used up, is not sent again."""
    question = _code(user_pool)
    user_pool.documents[KEYS] = (503, {})
    with pytest.raises(ServiceError):
        question.answer(user_pool.code())
    sent = len(user_pool.requests)

    user_pool.documents.clear()
    assert question.answer(user_pool.code()).subject == "sub-eve"
    assert len(user_pool.requests) == sent


@pytest.mark.quick
def test_a_question_keeps_nothing_to_read(user_pool: EmulatedPool) -> None:
    """Neither text, attributes nor frames of a question hold password or session, and it is not pickled."""
    question = _code(user_pool)
    sessions = user_pool.emulator.minted_secrets()

    assert sessions
    shown = str(question) + repr(question) + repr(vars(question)) + locals_of(question)
    assert not [secret for secret in (PASSWORD, "CANARY", *sessions) if secret in shown]
    assert question.__context__ is None
    for refused in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="refuses to be pickled"):
            refused(question)  # type: ignore[operator]


def test_a_pool_that_repeats_what_was_typed(user_pool: EmulatedPool) -> None:
    """A trigger of the pool that says the new password in its refusal: the words come without it."""
    user_pool.add("eve", PASSWORD, "NEW_PASSWORD_REQUIRED")
    question = _asked(lambda: _pool().sign_in_with_password("eve", PASSWORD))
    user_pool.fail("RespondToAuthChallenge", "UserLambdaValidationException", f"no: '{NEW}' is bad")

    with pytest.raises(LoginRejectedError, match=r"no: .*is bad") as caught:
        question.answer(NEW, attributes={"name": "Eve"})
    assert "horse" not in str(caught.value)


def test_a_device_is_remembered_and_signs_in_without_a_code(
    user_pool: EmulatedPool, caplog: pytest.LogCaptureFixture
) -> None:
    """The device that a pool names is confirmed; the next sign-in of the user needs no code."""
    user_pool.change(devices="always")
    assert _code(user_pool).answer(user_pool.code()).subject == "sub-eve"
    (key,) = user_pool.users["eve"].devices

    assert _pool().sign_in_with_password("eve", PASSWORD).subject == "sub-eve"
    assert list(user_pool.users["eve"].devices) == [key]

    user_pool.users["eve"].forget_devices()
    user_pool.fail("ConfirmDevice", "NotAuthorizedException", "no scope")
    question = _asked(lambda: _pool().sign_in_with_password("eve", PASSWORD))
    with caplog.at_level(logging.WARNING):
        assert question.answer(user_pool.code()).subject == "sub-eve"
    assert "remembers devices, but not this one" in caplog.text


def test_a_question_leaves_everything_as_it_was(user_pool: EmulatedPool, isolation: Path) -> None:
    """Until the last answer the user before is signed in, and nothing of the new one is stored."""
    pool = _pool()
    pool.sign_in_with_password("ann", PASSWORD)
    before = {path: path.read_bytes() for path in isolation.rglob("*.json")}
    user_pool.add("eve", PASSWORD, "SOFTWARE_TOKEN_MFA")

    question = _asked(lambda: pool.sign_in_with_password("eve", PASSWORD))

    assert pool.status().signed_in_as == "ann"
    assert {path: path.read_bytes() for path in isolation.rglob("*.json")} == before
    question.answer(user_pool.code())
    assert pool.status().signed_in_as == "eve"


def test_an_apps_own_store_that_fails_at_the_last_step(user_pool: EmulatedPool) -> None:
    """The code is used up by then: the next answer stores the sign-in, and sends nothing."""
    store = Entry()
    user_pool.add("eve", PASSWORD, "SOFTWARE_TOKEN_MFA")
    pool = IdentityPool(POOL_ID, logins=UserPool(POOL, CLIENT, store=store))
    question = _asked(lambda: pool.sign_in_with_password("eve", PASSWORD))
    assert store.text is None
    store.fails["save"] = RuntimeError("CANARY: the database is locked")
    with pytest.raises(CacheError, match="RuntimeError"):
        question.answer(user_pool.code())
    assert (question.is_open, store.text) == (True, None)
    sent = len(user_pool.requests)

    store.fails.clear()
    assert question.answer(user_pool.code()).subject == "sub-eve"
    assert store.text
    assert len(user_pool.requests) == sent
    assert pool.status().signed_in_as == "eve"


def test_a_guest_becomes_the_user(user_pool: EmulatedPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last answer links the guest; from then on the credentials are the user's."""
    user_pool.add("eve", PASSWORD, "SOFTWARE_TOKEN_MFA")
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", user_pool.url)
    identity_pool = user_pool.emulator.create_pool(
        CognitoIdentityProviders=[{"ProviderName": PROVIDER, "ClientId": CLIENT}]
    )
    guest = IdentityPool(identity_pool).credentials()
    identity = IdentityPool(identity_pool).identity_id()
    pool = IdentityPool(identity_pool, logins=UserPool(POOL, CLIENT, store="file"))
    question = _asked(lambda: pool.sign_in_with_password("eve", PASSWORD, link_guest=True))

    assert question.answer(user_pool.code()).subject == "sub-eve"

    assert pool.identity_id() == identity
    assert pool.credentials().access_key_id != guest.access_key_id
    assert IdentityPool(identity_pool).identity_id() != identity
    held = pool.current()
    _asked(lambda: pool.sign_in_with_password("eve", PASSWORD))
    assert pool.current() is held is not None


def test_a_form_is_for_user_pools() -> None:
    """The other issuers take no password: the error names the ways that there are."""
    pool = IdentityPool(POOL_ID, logins=OidcLogin("https://login.example.com", CLIENT, store="file"))

    with pytest.raises(ConfigurationError, match=r"user pools only.*browser, device"):
        pool.sign_in_with_password("ann", PASSWORD)


@pytest.mark.parametrize(
    ("challenge", "said"), [("MFA_SETUP", "MFA_SETUP, which cannot be done here"), ("WEB_AUTHN", "a passkey")]
)
def test_what_a_form_cannot_answer(user_pool: EmulatedPool, challenge: str, said: str) -> None:
    """A passkey, or a factor that is to be set up, needs a browser: the error names the way."""
    user_pool.add("eve", PASSWORD, challenge)

    with pytest.raises(RefusedError, match=rf"{said}.*Sign in with a browser: way='browser'"):
        _pool().sign_in_with_password("eve", PASSWORD)


@pytest.mark.quick
def test_the_guides_form(user_pool: EmulatedPool) -> None:
    """The guide's form runs: a wrong password, a wrong code, and the account in the end."""
    guide = (Path(__file__).parents[2] / ".github" / "docs" / "guides" / "signing-in.md").read_text("utf-8")
    code = guide.partition("## A form of your own")[2].partition("```python\n")[2].partition("```")[0]
    assert '"4example23456789"' in code
    names: dict[str, Any] = {}
    exec(code.replace('"4example23456789"', f'"{CLIENT}", store="file"'), names)
    submit = names["submit"]
    user_pool.add("eve", PASSWORD, "SOFTWARE_TOKEN_MFA")

    fields = {"username": "eve", "password": "CANARY wrong"}
    assert submit(fields) is None
    assert "password is wrong" in fields["problem"]
    question = submit({"username": "eve", "password": PASSWORD})
    assert submit({"answer": "000000"}, question) is question
    assert submit({"answer": user_pool.code()}, question).subject == "sub-eve"
