"""The prompt of an app: what is wrong with it is said of it, and what it raises passes through."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cognito_credentials.errors import ConfigurationError, LoginRejectedError, LoginRequiredError
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.sources import OidcLogin, UserPool
from tests.conftest import locals_of

from .conftest import Person
from .emulated_pool import CLIENT, POOL, EmulatedPool

TOKENS = ("IdToken", "AccessToken", "RefreshToken")
PASSWORD = "CANARY correct horse"
pytestmark = pytest.mark.writes_secrets  # the plain store


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    server = EmulatedPool()
    server.add("ann", PASSWORD)
    server.add("eve", PASSWORD, "SOFTWARE_TOKEN_MFA")
    server.add("bob", PASSWORD, "SELECT_MFA_TYPE")
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


def _sign_in(prompt: Any, **options: Any) -> Any:
    return UserPool(POOL, CLIENT, store="file", sign_in="password").sign_in(prompt, **options)


class Form(Person):
    """A prompt that fills in what is in a form, however often it is asked."""

    def __init__(self, **fields: str | Callable[[], str]) -> None:
        super().__init__()
        self.fields = fields

    def ask(self, question: str) -> str:
        self.asked.append(question)
        field = self.fields[question.split(maxsplit=1)[0].lower()]
        return field if isinstance(field, str) else field()


class GivesText(Form):
    def ask_secret(self, question: str) -> Any:
        return self.ask(question)


class IsAsync(Form):
    async def ask_secret(self, question: str) -> Any:  # type: ignore[override]
        return Secret(self.ask(question))


class SaysLater(Form):
    async def say(self, text: str) -> None:  # type: ignore[override]
        self.shown.append(text)


class GivesBytes(Form):
    def ask(self, question: str) -> Any:
        return b"ann"


class HasAMethod(Form):
    def __init__(self, **fields: str) -> None:
        super().__init__(**fields)
        del self.can_ask

    def can_ask(self) -> bool:  # type: ignore[override]
        return False


class Lacking:
    can_ask = True

    def say(self, text: str) -> None: ...

    def ask(self, question: str) -> str:
        return "ann"


class NoMethod(Lacking):
    ask_secret = "CANARY"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (GivesText, r"GivesText\).*ask_secret\(\) returned str, not Secret\. Return Secret\(text\)"),
        (IsAsync, r"IsAsync\).*ask_secret\(\) is async"),
        (SaysLater, r"SaysLater\).*say\(\) is async"),
        (GivesBytes, r"GivesBytes\).*ask\(\) returned bytes, not str"),
        (HasAMethod, r"HasAMethod\).*can_ask is a method.*property"),
        (Lacking, r"Lacking\).*it has no ask_secret\. It needs can_ask, say"),
        (NoMethod, r"NoMethod\).*ask_secret is str, and no method"),
    ],
)
def test_a_prompt_that_does_not_work_is_named(pool: EmulatedPool, kind: type, said: str) -> None:
    """The error is about the prompt and not about the user pool, and has nothing in it that was typed."""
    name = "eve" if kind is SaysLater else "ann"
    prompt = kind() if issubclass(kind, Lacking) else kind(user=name, password=PASSWORD, code="0")

    with pytest.raises(ConfigurationError, match=said) as caught:
        _sign_in(prompt)

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "CANARY" not in "".join(shown.format())


class OwnError(Exception):
    """What an app raises where its window is closed."""


@pytest.mark.parametrize(
    "raised", [OwnError("closed"), AttributeError("no such widget"), ModuleNotFoundError("tk")]
)
@pytest.mark.parametrize("question", ["User name", "Password", "Code from your authenticator app"])
def test_what_a_prompt_raises_passes_through(pool: EmulatedPool, raised: Exception, question: str) -> None:
    """The app's own exception is not taken for an answer of the user pool."""

    class Raises(Form):
        def ask(self, asked: str) -> str:
            if asked == question:
                raise raised
            return super().ask(asked)

    with pytest.raises(type(raised)) as caught:
        _sign_in(Raises(user="eve", password=PASSWORD))
    assert caught.value is raised


@pytest.mark.parametrize("at", ["remembers devices", "Code from your authenticator app"])
def test_what_a_prompt_raises_takes_no_secret_along(pool: EmulatedPool, at: str) -> None:
    """An app's crash report shows our frames: no token and no session of the user pool is in them."""
    secrets: list[str] = []
    pool.change(devices="always")
    pool.fail("ConfirmDevice", "LimitExceededException", "too many devices")

    def noted(given: dict[str, Any]) -> dict[str, Any]:
        found = {**given, **given.get("AuthenticationResult", {})}
        secrets.extend(found[name] for name in ("Session", *TOKENS) if name in found)
        return given

    pool.lies = {"InitiateAuth": noted, "RespondToAuthChallenge": noted}

    class Raises(Form):
        def say(self, text: str) -> None:
            self.ask_or_raise(text)

        def ask(self, asked: str) -> str:
            self.ask_or_raise(asked)
            return super().ask(asked)

        def ask_or_raise(self, text: str) -> None:
            if at in text:
                raise OwnError

    with pytest.raises(OwnError) as caught:
        _sign_in(Raises(user="eve", password=PASSWORD, code=pool.code))

    assert secrets
    shown = locals_of(caught.value)
    assert "sign_in_at_prompt" in shown
    assert not [secret for secret in secrets if secret in shown]


def test_an_attribute_that_raises_is_not_a_missing_one(pool: EmulatedPool) -> None:
    """A property of the prompt that fails with AttributeError is the app's fault, shown as it is."""

    class Broken(Form):
        @property
        def can_ask(self) -> bool:
            return self.window.is_open  # type: ignore[attr-defined,no-any-return]

        @can_ask.setter
        def can_ask(self, value: bool) -> None: ...

    with pytest.raises(AttributeError, match="window"):
        _sign_in(Broken())


@pytest.mark.parametrize("raises", ["say", "open_browser"])
def test_a_browser_sign_in_passes_through_too(pool: EmulatedPool, raises: str) -> None:
    """The prompt's and the browser function's own exceptions pass through there as well."""

    class Raises(Person):
        def say(self, text: str) -> None:
            if raises == "say":
                raise OwnError

    def opens(url: str) -> bool:
        if raises == "open_browser":
            raise OwnError
        return True

    source = UserPool(POOL, CLIENT, store="file", redirect_ports=[48131])
    with pytest.raises(OwnError):
        source.sign_in(Raises(), way="browser", open_browser=opens)


def test_a_function_that_opens_a_browser_is_not_async(pool: EmulatedPool) -> None:
    """An async function has opened nothing: the error comes at once and not after five minutes."""

    async def opens(url: str) -> bool:
        return True

    source = UserPool(POOL, CLIENT, store="file", redirect_ports=[48132])
    with pytest.raises(ConfigurationError, match="open_browser is async"):
        source.sign_in(Person(), way="browser", open_browser=opens)  # type: ignore[arg-type]


@pytest.mark.quick
def test_a_form_tries_a_wrong_password_once(pool: EmulatedPool) -> None:
    """A form that gives the same password again asks nobody: the pool, which counts tries, is asked once."""
    with pytest.raises(LoginRejectedError, match=r"^the user name or the password is wrong"):
        _sign_in(Form(user="ann", password="CANARY wrong"))

    assert [name for name, _ in pool.requests] == ["InitiateAuth", "RespondToAuthChallenge"]


def test_a_form_tries_a_wrong_code_once(pool: EmulatedPool) -> None:
    """The same code is not sent again; another one is."""
    with pytest.raises(LoginRejectedError, match="the code is wrong"):
        _sign_in(Form(user="eve", password=PASSWORD, code="000000"))
    assert len(pool.requests) == 3

    assert _sign_in(Person("eve", PASSWORD, "0", "0", pool.code)).subject == "sub-eve"


def test_the_same_password_of_another_user_is_tried(pool: EmulatedPool) -> None:
    """What was refused is user name and password together: a mistyped name is corrected."""
    assert _sign_in(Person("anne", PASSWORD, "ann", PASSWORD)).subject == "sub-ann"


def test_a_choice_is_asked_for_three_times(pool: EmulatedPool) -> None:
    """A prompt that never chooses a second factor does not go on for ever."""
    with pytest.raises(LoginRequiredError, match="given up"):
        _sign_in(Form(user="bob", password=PASSWORD, how="neither"))


def test_a_device_code_takes_a_prompt_that_only_speaks() -> None:
    """What a way to sign in does not use, a prompt need not have."""

    class Speaks:
        def say(self, text: str) -> None:
            raise OwnError(text)

    source = OidcLogin("http://127.0.0.1:9", CLIENT, store="file")
    with pytest.raises(Exception, match="cannot be reached"):
        source.sign_in(Speaks(), way="device")  # type: ignore[arg-type]
