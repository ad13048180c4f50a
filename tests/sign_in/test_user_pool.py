"""Signing in to a user pool, with SRP on the terminal and with its hosted UI; refresh and sign-out."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from cognito_credentials.errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    LoginRequiredError,
    RefusedError,
    ServiceError,
)
from cognito_credentials.logins.claims import unverified_claims
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.sources import UserPool
from cognito_credentials.sign_in.ways.srp import N, SrpProof

from ..conftest import locals_of
from .conftest import Person, last_page
from .emulated_pool import CLIENT, POOL, EmulatedPool

PASSWORD = "CANARY correct horse ✓"
pytestmark = pytest.mark.writes_secrets  # the plain store, since a keyring has tests of its own


HAS_ROTATION = (
    "GetTokensFromRefreshToken"
    in botocore.session.get_session().get_service_model("cognito-idp").operation_names
)
"""Not in the oldest botocore."""


@pytest.fixture(params=["rotating", "lasting"] if HAS_ROTATION else ["lasting"])
def user_pool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    server = EmulatedPool(rotates=request.param == "rotating")
    server.add("ann", PASSWORD)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


@pytest.fixture
def one_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedPool]:
    server = EmulatedPool()
    server.add("ann", PASSWORD)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)
    yield server
    server.close()


def _source(**options: Any) -> UserPool:
    return UserPool(POOL, CLIENT, **{"store": "file", "sign_in": "password", **options})


@pytest.mark.quick
def test_the_password_proves_itself_and_is_never_sent(user_pool: EmulatedPool) -> None:
    """A server that knows only the verifier accepts the proof; the password is not in any request."""
    account = _source().sign_in(Person("ann", PASSWORD))

    assert (account.subject, account.name) == ("sub-ann", "ann")
    assert account.issuer == f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
    assert PASSWORD not in str(user_pool.requests)
    assert [name for name, _ in user_pool.requests] == ["InitiateAuth", "RespondToAuthChallenge"]


def test_the_sign_in_lasts(user_pool: EmulatedPool) -> None:
    """The refresh token gives tokens, rotated or not; the provider name is the issuer's."""
    _source().sign_in(Person("ann", PASSWORD))

    for _ in range(3):
        source = _source()
        assert unverified_claims(source.token().reveal())["sub"] == "sub-ann"  # type: ignore[index]

    assert source.provider == f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
    assert source.principal() == source.principal_of(source.token())


def test_a_pool_without_the_newer_operation(one_pool: EmulatedPool) -> None:
    """Where the pool lacks GetTokensFromRefreshToken, InitiateAuth refreshes."""
    one_pool.lacks_new_refresh()
    _source().sign_in(Person("ann", PASSWORD))

    assert _source().token()
    assert one_pool.requests[-1][1]["AuthFlow"] == "REFRESH_TOKEN_AUTH"


def test_a_pool_that_refuses_to_refresh(one_pool: EmulatedPool) -> None:
    """A pool that rotates, without the operation for that: the error says what its app client lacks."""
    _source().sign_in(Person("ann", PASSWORD))
    one_pool.change(rotate_refresh_tokens=True)
    one_pool.lacks_new_refresh()

    with pytest.raises(ConfigurationError, match="Enable ALLOW_REFRESH_TOKEN_AUTH for the app client"):
        _source().token()


@pytest.mark.parametrize("result", ["CANARY", ["CANARY"], 7, True])
def test_a_refresh_whose_result_is_no_object(one_pool: EmulatedPool, result: object) -> None:
    """It has no tokens, so it is a refusal; the sign-in has not ended."""
    _source().sign_in(Person("ann", PASSWORD))
    for operation in ("InitiateAuth", "GetTokensFromRefreshToken"):
        one_pool.lies[operation] = lambda _: {"AuthenticationResult": result}
    source = _source()

    with pytest.raises(RefusedError, match="asks for more where it should give tokens"):
        source.token()
    assert not source.has_ended()


def test_signing_out_revokes(user_pool: EmulatedPool) -> None:
    """RevokeToken ends the sign-in at the pool, and the files are gone."""
    source = _source()
    source.sign_in(Person("ann", PASSWORD))

    out = source.sign_out()

    assert out.revoked
    assert not user_pool.refresh_tokens
    assert source.principal() is None


def test_the_end_of_a_sign_in(user_pool: EmulatedPool) -> None:
    """After a revocation elsewhere the error names the command, and the user is still known for the cache."""
    source = _source(profile_name="my app")
    source.sign_in(Person("ann", PASSWORD))
    user_pool.revoke_all()

    with pytest.raises(
        LoginRequiredError, match=r"has ended: Refresh Token has been revoked.*login --profile my\\ app"
    ):
        _source(profile_name="my app").token()
    assert source.principal() is not None


@pytest.mark.parametrize("answers", [("ann", "CANARY wrong"), ("nobody", PASSWORD)])
def test_a_wrong_password_and_an_unknown_user_are_told_alike(
    one_pool: EmulatedPool, answers: tuple[str, str]
) -> None:
    """The error does not tell whether a user exists; there are three tries."""
    person = Person(*answers * 3, "ann", PASSWORD)

    with pytest.raises(LoginRejectedError, match=r"^the user name or the password is wrong"):
        _source().sign_in(person)
    assert _source().account() is None
    assert person.shown == ["The user name or the password is wrong; try again."] * 2
    assert person.answers == ["ann", PASSWORD]


@pytest.mark.parametrize("username", [None, "ann"])
def test_a_wrong_password_is_asked_for_again(one_pool: EmulatedPool, username: str | None) -> None:
    """A wrong password is asked for again, and the user name too unless it was given."""
    name = [] if username else ["ann"]
    person = Person(*name, "CANARY wrong", *name, PASSWORD)

    assert _source().sign_in(person, username=username).subject == "sub-ann"
    assert person.answers == []


def test_a_user_name_is_asked_for_until_there_is_one(one_pool: EmulatedPool) -> None:
    """An empty user name is not sent to the pool; after three of them the sign-in is given up."""
    assert _source().sign_in(Person("", "  ", "ann", PASSWORD)).subject == "sub-ann"

    asked = len(one_pool.requests)
    with pytest.raises(LoginRequiredError, match="given up"):
        _source().sign_in(Person("", "", "", "ann", PASSWORD))
    assert len(one_pool.requests) == asked


@pytest.mark.parametrize("way", ["browser", "no-browser", None])
def test_a_user_name_without_a_password(one_pool: EmulatedPool, way: str | None) -> None:
    """A user name with another way than password is refused before anything is done."""
    source = _source(sign_in="browser", redirect_ports=[8400])

    with pytest.raises(ConfigurationError, match=r"goes with a password.*browser.*--password"):
        source.sign_in(Person(), way=way, username="ann")
    assert one_pool.requests == []


@pytest.mark.quick
@pytest.mark.parametrize("challenge", ["SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA"])
def test_a_second_factor(one_pool: EmulatedPool, challenge: str) -> None:
    """A code is asked for, and asked for again when it was wrong."""
    one_pool.add("eve", PASSWORD, challenge)
    person = Person("eve", PASSWORD, "000000", one_pool.code)

    assert _source().sign_in(person).subject == "sub-eve"
    assert "That code is wrong; try again." in person.shown


def test_a_second_factor_that_stays_wrong(one_pool: EmulatedPool) -> None:
    """Three wrong codes end the sign-in."""
    one_pool.add("eve", PASSWORD, "SOFTWARE_TOKEN_MFA")

    with pytest.raises(LoginRejectedError, match="the code is wrong"):
        _source().sign_in(Person("eve", PASSWORD, "1", "2", "3", one_pool.code))


def test_the_choice_of_a_second_factor(one_pool: EmulatedPool) -> None:
    """With several factors the person chooses; an invalid choice is asked for again."""
    one_pool.add("eve", PASSWORD, "SELECT_MFA_TYPE")

    account = _source().sign_in(Person("eve", PASSWORD, "7", "", "2", one_pool.code))

    assert account.subject == "sub-eve"
    assert one_pool.requests[-1][1]["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


def test_a_new_password(one_pool: EmulatedPool) -> None:
    """A first sign-in sets a password and the attributes that the pool requires."""
    user = one_pool.add("eve", PASSWORD, "NEW_PASSWORD_REQUIRED")

    with pytest.raises(LoginRejectedError, match="the two new passwords differ"):
        _source().sign_in(Person("eve", PASSWORD, *["CANARY one", "CANARY two"] * 3))
    person = Person("eve", PASSWORD, "CANARY one", "CANARY two", "CANARY new", "CANARY new", "Eve")
    _source().sign_in(person)
    assert "The two new passwords differ; try again." in person.shown

    assert user.stored.attributes == {"name": "Eve"}
    assert _source().sign_in(Person("eve", "CANARY new")).subject == "sub-eve"


@pytest.mark.parametrize("name", ["SRP_B", "SALT", "SECRET_BLOCK"])
@pytest.mark.parametrize(
    "value", ["", "0", "-1", "zz", "0x10", " 5 ", "1_0", "é", "!!", "a", "-", "\ud800", "f" * 20_000]
)
def test_any_half_of_the_server_is_proven_to_or_refused(name: str, value: str) -> None:
    """Whatever the pool sends, the result is a proof or one error, without the password in its frames."""
    right = {"SRP_B": "ab" * 100, "SALT": "ab", "SECRET_BLOCK": "eA=="}
    proof = SrpProof("Ab1Cd2Ef3", Secret("CANARY"))

    problem: RefusedError | None = None
    proven: dict[str, str] = {}
    try:
        proven = proof.answer("ann", {**right, name: value}, 0)
    except RefusedError as error:
        problem = error

    assert (problem is None) is ("PASSWORD_CLAIM_SIGNATURE" in proven)
    assert "CANARY" not in locals_of(problem)


@pytest.mark.parametrize("value", [0, N, 2 * N])
def test_a_server_that_would_learn_the_password(one_pool: EmulatedPool, value: int) -> None:
    """Attack: with a public value of 0 the key would not depend on the password."""

    def wrong_value(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "ChallengeParameters": {**answer["ChallengeParameters"], "SRP_B": f"{value:x}"}}

    one_pool.lies["InitiateAuth"] = wrong_value

    with pytest.raises(RefusedError, match="half of the password proof is wrong"):
        _source().sign_in(Person("ann", PASSWORD))
    assert [name for name, _ in one_pool.requests] == ["InitiateAuth"]


@pytest.mark.parametrize(
    ("code", "message", "kind", "said"),
    [
        ("UserNotConfirmedException", "x", LoginRejectedError, "has not confirmed"),
        ("PasswordResetRequiredException", "x", LoginRejectedError, "must be reset"),
        ("NotAuthorizedException", "User is disabled.", LoginRejectedError, "User is disabled"),
        (
            "NotAuthorizedException",
            "Client x is configured with secret but SECRET_HASH was not received",
            ConfigurationError,
            "(?i)use an app client without a secret",
        ),
        (
            "InvalidParameterException",
            "USER_SRP_AUTH is not enabled for the client.",
            ConfigurationError,
            "ALLOW_",
        ),
        (
            "ResourceNotFoundException",
            "User pool client x does not exist.",
            ConfigurationError,
            "Check the ids",
        ),
        ("TooManyRequestsException", "Rate exceeded", ServiceError, "(?i)wait a minute"),
        ("UserLambdaValidationException", "no\x1b[31m", RefusedError, r"no\?\[31m"),
    ],
)
def test_what_the_pool_says(
    one_pool: EmulatedPool, code: str, message: str, kind: type[CognitoCredentialsError], said: str
) -> None:
    """Each refusal says what to do, and has no terminal escape in it."""
    one_pool.fail("InitiateAuth", code, message)

    with pytest.raises(kind, match=said):
        _source().sign_in(Person("ann", PASSWORD))


@pytest.mark.parametrize(
    ("challenge", "answers"),
    [("NEW_PASSWORD_REQUIRED", ["new", "new", "Eve"]), ("SOFTWARE_TOKEN_MFA", ["code"])],
)
def test_an_outage_shows_nothing_that_was_typed(
    one_pool: EmulatedPool, challenge: str, answers: list[str]
) -> None:
    """When the pool is gone, the error's variables have nothing that was typed."""
    one_pool.add("eve", PASSWORD, challenge)

    class Leaving(Person):
        def ask(self, question: str) -> str:
            answer = super().ask(question)
            if len(self.asked) == 2 + len(answers):
                one_pool.close()
            return f"CANARY-{answer}" if len(self.asked) > 2 else answer

    with pytest.raises(ServiceError) as caught:
        _source().sign_in(Leaving("eve", PASSWORD, *answers))

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "CANARY-" not in "".join(shown.format())


@pytest.mark.parametrize(
    ("challenge", "has_domain", "said"),
    [
        (
            "MFA_SETUP",
            True,
            "asks for MFA_SETUP.*Sign in with a browser: way='browser' in Python, --browser on",
        ),
        ("MFA_SETUP", False, "asks for MFA_SETUP.*The user pool has no sign-in pages"),
        ("CUSTOM_CHALLENGE", True, "asks for CUSTOM_CHALLENGE.*No sign-in page of Cognito knows"),
    ],
)
def test_a_challenge_that_is_not_for_terminals(
    one_pool: EmulatedPool, challenge: str, has_domain: bool, said: str
) -> None:
    """A challenge that cannot be answered here is named; the hint is a browser only where that helps."""
    one_pool.add("eve", PASSWORD, challenge)
    if not has_domain:
        one_pool.lacks_pages()

    with pytest.raises(RefusedError, match=said):
        _source().sign_in(Person("eve", PASSWORD))


def test_a_password_is_asked_for_on_a_terminal_only(one_pool: EmulatedPool) -> None:
    """Without a terminal, nothing is asked for and nothing is sent."""
    with pytest.raises(LoginRequiredError, match="no terminal"):
        _source().sign_in(Person("ann", PASSWORD, can_ask=False))
    assert one_pool.requests == []


def test_giving_up_leaves_nothing(one_pool: EmulatedPool) -> None:
    """Ctrl-D at a question ends the sign-in, and nobody is signed in."""
    with pytest.raises(LoginRequiredError, match="given up"):
        _source().sign_in(Person("ann"))
    assert _source().account() is None


def test_the_hosted_ui(user_pool: EmulatedPool, open_browser: Any) -> None:
    """The pool's domain is found in its discovery document; its tokens are refreshed by the API."""
    source = _source(sign_in="browser", redirect_ports=(48124, 48125))

    account = source.sign_in(Person(), open_browser=open_browser("ann", PASSWORD))

    assert account.subject == "sub-ann"
    assert "You are signed in as ann" in last_page(open_browser)[1]
    assert _source().token()


def test_the_hosted_ui_needs_ports_that_are_registered(one_pool: EmulatedPool) -> None:
    """Without registered ports, the error names the addresses to register."""
    with pytest.raises(ConfigurationError, match=r"register http://127\.0\.0\.1:8400/callback"):
        _source(sign_in="browser").sign_in(Person(), open_browser=lambda _: True)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"},
        {"token_use": "access"},
        {"exp": 1_000_000_000},
        {"sub": ""},
    ],
)
def test_tokens_of_others_are_not_believed(one_pool: EmulatedPool, changes: dict[str, Any]) -> None:
    """A well-signed token must also be an ID token, of this pool, for this client, and valid now."""
    one_pool.token_changes = changes

    with pytest.raises(LoginRejectedError, match="the ID token is not valid"):
        _source().sign_in(Person("ann", PASSWORD))
    assert _source().account() is None


def test_a_refresh_that_gives_another_user(one_pool: EmulatedPool) -> None:
    """One user's sign-in never turns into another's."""
    _source().sign_in(Person("ann", PASSWORD))
    one_pool.token_changes = {"sub": "sub-bob"}

    with pytest.raises(LoginRejectedError, match="another user's token"):
        _source().token()
