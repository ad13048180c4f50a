"""What issuers and user pools say when they refuse: the words decide what helps, by every way they come."""

from __future__ import annotations

import urllib.parse
from typing import Any

import pytest

from cognito_credentials.errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    LoginRequiredError,
    RefusedError,
    ServiceError,
)
from cognito_credentials.sign_in.issuers import refusals
from cognito_credentials.sign_in.issuers.user_pool_api import ApiError
from cognito_credentials.sign_in.sources import OidcLogin, UserPool

from .conftest import PASSWORD, Person
from .emulated_pool import CLIENT as APP_CLIENT
from .emulated_pool import POOL, EmulatedPool
from .hostile_issuer import CLIENT, HostileIssuer, answer
from .test_attacks import Visit

DENIED = "NotAuthorizedException"
BAD = "InvalidParameterException"
Case = tuple[str, str, type[CognitoCredentialsError], str, str]

CASES: list[Case] = [
    # code, words, error, what is said, what helps
    (
        DENIED,
        "Password attempts exceeded",
        LoginRejectedError,
        "attempts exceeded",
        "Wait a quarter of an hour",
    ),
    (DENIED, "User is disabled.", LoginRejectedError, "User is disabled", "to enable the user"),
    (
        *(
            DENIED,
            "Temporary password has expired and must be reset by an administrator.",
            LoginRejectedError,
        ),
        *("Temporary password has expired", "for a new temporary password"),
    ),
    (
        *(DENIED, "Invalid session for the user, session is expired.", LoginRejectedError),
        *("session is expired", "answer faster"),
    ),
    (DENIED, "Invalid session for the user.", LoginRejectedError, "Invalid session", "answer faster"),
    (DENIED, "Unable to login because of security reasons", LoginRejectedError, "security reasons", "a risk"),
    (DENIED, "Incorrect username or password.", LoginRejectedError, "or the password is wrong", "again"),
    (
        "UserNotFoundException",
        "User does not exist.",
        LoginRejectedError,
        "or the password is wrong",
        "again",
    ),
    (
        "UserNotConfirmedException",
        "User is not confirmed.",
        LoginRejectedError,
        "not confirmed",
        "Enter the code",
    ),
    (
        *("PasswordResetRequiredException", "Password reset required for the user", LoginRejectedError),
        *("must be reset", "Forgot your password"),
    ),
    (
        "CodeMismatchException",
        "Invalid code or auth state for the user.",
        LoginRejectedError,
        "is wrong",
        "again",
    ),
    (
        *("ExpiredCodeException", "Invalid code provided, please request a code again.", LoginRejectedError),
        *("the code has expired", "enter it soon"),
    ),
    (
        *("ExpiredCodeException", "Your software token has already been used once.", LoginRejectedError),
        *("already been used", "Wait for the next code"),
    ),
    (
        *("InvalidPasswordException", "Password does not conform to policy: Password not long enough"),
        *(LoginRejectedError, "not long enough", "Choose a new password"),
    ),
    (
        *("PasswordHistoryPolicyViolationException", "Password has previously been used", LoginRejectedError),
        *("previously been used", "Choose a new password"),
    ),
    (
        *("AliasExistsException", "An account with the email already exists.", LoginRejectedError),
        *("already exists", "Sign in to that account"),
    ),
    (
        *("invalid_request", "Already found an entry for username google_1029384756", LoginRejectedError),
        *("Already found an entry", "Sign in once more"),
    ),
    (
        *("invalid_request", "PreSignUp failed with error only staff may sign up. ", LoginRejectedError),
        *("only staff may sign up", "do what it says, or ask whoever runs the sign-in"),
    ),
    (
        *("UserLambdaValidationException", "PreAuthentication failed with error closed.", LoginRejectedError),
        *("PreAuthentication failed with error closed", "do what it says"),
    ),
    ("UserLambdaValidationException", "no", LoginRejectedError, "no", "do what it says"),
    (
        *("server_error", "Invalid SAML response received: SAML Assertion signature is invalid. "),
        *(LoginRejectedError, "signature is invalid", "the identity provider behind it"),
    ),
    (
        *("server_error", "Error in SAML response processing: Invalid user attributes: username: Attribute"),
        *(LoginRejectedError, "Invalid user attributes", "the identity provider behind it"),
    ),
    (
        *("invalid_request", "user.email: Attribute cannot be updated.\n ", LoginRejectedError),
        *("cannot be updated", "do not fit"),
    ),
    (
        *(DENIED, "Client x is configured with secret but SECRET_HASH was not received", ConfigurationError),
        *("SECRET_HASH was not received", "Use an app client without a secret"),
    ),
    (
        DENIED,
        "Unable to verify secret hash for client x",
        ConfigurationError,
        "secret hash",
        "without a secret",
    ),
    (
        BAD,
        "USER_SRP_AUTH is not enabled for the client.",
        ConfigurationError,
        "not enabled",
        "ALLOW_USER_SRP_AUTH",
    ),
    (
        *(BAD, "REFRESH_TOKEN_AUTH is not enabled for the client.", ConfigurationError),
        *("not enabled", "ALLOW_REFRESH_TOKEN_AUTH"),
    ),
    (
        *("FeatureUnavailableInTierException", "USER_AUTH needs another tier", ConfigurationError),
        *("another tier", "Essentials"),
    ),
    (
        *(BAD, "USER_AUTH is not enabled for the client.", ConfigurationError),
        *("not enabled", "ALLOW_USER_AUTH"),
    ),
    (BAD, "Auth flow not enabled for this client", ConfigurationError, "not enabled", "ALLOW_USER_SRP_AUTH"),
    (BAD, "Missing required parameter USERNAME", ConfigurationError, "Missing required", "Correct that"),
    (
        *("ResourceNotFoundException", "User pool client x does not exist.", ConfigurationError),
        *("does not exist", "Check the ids"),
    ),
    (
        DENIED,
        "Refresh Token has expired",
        LoginRejectedError,
        "has expired",
        "Ask whoever runs the user pool",
    ),
    (
        "TooManyRequestsException",
        "Rate exceeded",
        ServiceError,
        "asked too often: Rate exceeded",
        "Wait a minute",
    ),
    (
        *("LimitExceededException", "Attempt limit exceeded, please try after some time.", ServiceError),
        *("Attempt limit exceeded", "Wait a minute"),
    ),
    ("ThrottlingException", "Rate exceeded", ServiceError, "asked too often", "Wait a minute"),
    ("InternalErrorException", "", ServiceError, "not available", "Wait a minute"),
    ("503", "HTTP 503", ServiceError, "not available", "Wait a minute"),
    ("temporarily_unavailable", "", ServiceError, "not available", "Wait a minute"),
    ("temporarily_unavailable", "authentication_expired", LoginRejectedError, "expired", "answer faster"),
    ("server_error", "Exception processing", ServiceError, "not available", "Wait a minute"),
    ("slow_down", "", ServiceError, "asked too often", "Wait a minute"),
    (
        "access_denied",
        "User cancelled",
        LoginRejectedError,
        "refused or cancelled: User cancelled",
        "Sign in again",
    ),
    ("expired_token", "", LoginRequiredError, "not used in time", "Sign in again for a new one"),
    (
        "invalid_client",
        "invalid_client_secret",
        LoginRejectedError,
        "invalid_client_secret",
        "Check client id",
    ),
    ("unauthorized_client", "", LoginRejectedError, "(unauthorized_client)", "Check client id"),
    ("invalid_scope", "", LoginRejectedError, "(invalid_scope)", "scopes"),
    ("redirect_mismatch", "", LoginRejectedError, "(redirect_mismatch)", "redirect addresses"),
    ("invalid_request", "", LoginRejectedError, "(invalid_request)", "Check client id"),
    ("unsupported_grant_type", "", LoginRejectedError, "(unsupported_grant_type)", "grants"),
    ("unsupported_response_type", "", LoginRejectedError, "(unsupported_response_type)", "Check client id"),
    ("invalid_grant", "", LoginRejectedError, "(invalid_grant)", "Sign in again"),
    ("ForbiddenException", "Request not allowed due to WAF block.", RefusedError, "WAF", "Ask whoever runs"),
]


@pytest.mark.parametrize(("code", "words"), [(code, words) for code, words, *_ in CASES])
def test_what_may_be_answered_once_more_is_not_begun_anew(code: str, words: str) -> None:
    """While the question is open, the hint is about this answer: a form shows it beside its field."""
    error = refusals.explained("the user pool", code, words)

    assert not (refusals.may_be_corrected(error) and error.hint.startswith("Sign in"))
    assert not (refusals.may_be_corrected(error) and error.hint.endswith("sign in again"))


@pytest.mark.parametrize(("code", "words", "kind", "said", "helps"), CASES)
def test_each_refusal_says_what_was_said_and_what_helps(
    code: str, words: str, kind: type[CognitoCredentialsError], said: str, helps: str
) -> None:
    """The class of the error, its message and its hint follow from the words, and else from the code."""
    error = refusals.explained("the user pool", code, words)

    assert type(error) is kind
    assert said in error.message
    assert helps in error.hint
    assert error.code == code


def test_each_row_of_the_table_is_tested() -> None:
    """Every row is what some case finds: none is hidden behind another one."""
    found = {id(refusals.find(code, words)) for code, words, *_ in CASES}

    assert [row for row in refusals.TABLE if id(row) not in found] == []


@pytest.mark.parametrize(
    ("code", "words", "topic"),
    [
        (DENIED, "Incorrect username or password.", "E-PASSWORD"),
        ("UserNotFoundException", "User does not exist.", "E-PASSWORD"),
        (DENIED, "Password attempts exceeded", "E-PASSWORD"),
        ("CodeMismatchException", "Invalid code or auth state for the user.", "E-PASSWORD"),
        ("ExpiredCodeException", "Your software token has already been used once.", "E-PASSWORD"),
        ("UserLambdaValidationException", "PreAuthentication failed with error closed.", "E-ISSUER"),
        (BAD, "USER_SRP_AUTH is not enabled for the client.", "E-SIGN-IN-SETTING"),
        ("TooManyRequestsException", "Rate exceeded", "E-THROTTLED"),
        ("429", "HTTP 429", "E-THROTTLED"),
        ("503", "HTTP 503", "E-SERVICE"),
        ("access_denied", "User cancelled", "E-BROWSER"),
        ("expired_token", "", "E-DEVICE-CODE"),
        ("invalid_grant", "", "E-ISSUER"),
        ("invalid_client", "", "E-ISSUER"),
        ("ForbiddenException", "Request not allowed due to WAF block.", "E-REFUSED"),
    ],
)
def test_each_refusal_leads_to_its_section(code: str, words: str, topic: str) -> None:
    """The topic is that of the row, not of the class, whose section is about identity pools."""
    assert refusals.explained("the user pool", code, words).topic == topic


def test_no_refusal_of_an_issuer_is_told_as_one_of_an_identity_pool() -> None:
    """No row has the topic of a login that an identity pool refused."""
    assert "E-LOGIN-REFUSED" not in {row.topic for row in refusals.TABLE}


@pytest.fixture
def pool(user_pool: EmulatedPool) -> EmulatedPool:
    return user_pool


@pytest.fixture
def issuer(hostile_issuer: HostileIssuer) -> HostileIssuer:
    return hostile_issuer


def _user_pool() -> UserPool:
    return UserPool(POOL, APP_CLIENT, store="file", sign_in="password")


def _oidc(issuer: HostileIssuer) -> OidcLogin:
    return OidcLogin(issuer.url, CLIENT, store="file", profile_name="app")


@pytest.mark.parametrize("way", ["api", "redirect", "token endpoint"])
@pytest.mark.parametrize(
    ("words", "helps"),
    [
        ("PreSignUp failed with error only staff.", "do what it says"),
        ("Already found an entry for username google_1", "Sign in once more"),
    ],
)
def test_the_same_words_mean_the_same_by_every_way(
    pool: EmulatedPool, issuer: HostileIssuer, way: str, words: str, helps: str
) -> None:
    """The API, the redirect and the token endpoint give one advice."""
    if way == "api":
        pool.fail("InitiateAuth", "UserLambdaValidationException", words)
        with pytest.raises(LoginRejectedError) as caught:
            _user_pool().sign_in(Person("ann", PASSWORD))
        error: Any = caught.value
    else:
        visit = Visit(_oidc(issuer), issuer)
        refused = {"error": "invalid_request", "error_description": words}
        if way == "redirect":
            visit.knock({**refused, "state": visit.state})
        else:
            issuer.answers["/token"] = lambda: answer(refused, 400)
            visit.knock({"code": "CANARY-code", "state": visit.state})
        visit._thread.join(20)
        error = visit.result

    assert isinstance(error, LoginRejectedError)
    assert words.rstrip(".") in error.message
    assert helps in error.hint


@pytest.mark.parametrize("code", ["temporarily_unavailable", "server_error"])
def test_an_outage_is_an_outage_everywhere(issuer: HostileIssuer, code: str) -> None:
    """An issuer that calls itself unavailable has refused nobody: not in a redirect, not at its endpoint."""
    visit = Visit(_oidc(issuer), issuer)
    visit.knock({"error": code, "state": visit.state})
    visit._thread.join(20)
    assert isinstance(visit.result, ServiceError)

    visit = Visit(_oidc(issuer), issuer)
    issuer.answers["/token"] = lambda: answer({"error": code}, 400)
    visit.knock({"code": "CANARY-code", "state": visit.state})
    visit._thread.join(20)
    assert isinstance(visit.result, ServiceError)


@pytest.mark.writes_secrets
@pytest.mark.parametrize(
    "words", ["User is disabled.", "Client x is configured with secret but secret was not received"]
)
def test_what_may_be_mended_does_not_end_a_sign_in(pool: EmulatedPool, words: str) -> None:
    """A disabled user and a client that has a secret now are not the end: the sign-in goes on later."""
    _user_pool().sign_in(Person("ann", PASSWORD))
    pool.fail("GetTokensFromRefreshToken", DENIED, words)

    with pytest.raises((LoginRejectedError, ConfigurationError), match=words.rstrip(".")) as caught:
        _user_pool().token()
    assert not isinstance(caught.value, LoginRequiredError)
    assert not _user_pool().has_ended()

    pool.mend("GetTokensFromRefreshToken")
    assert _user_pool().token()


@pytest.mark.writes_secrets
def test_a_refusal_to_revoke_is_not_taken_for_a_revocation(pool: EmulatedPool) -> None:
    """Where the pool takes no request of this client, signing out says that the token is still valid."""
    _user_pool().sign_in(Person("ann", PASSWORD))
    pool.fail("RevokeToken", DENIED, "Client x is configured with secret but secret was not received")

    out = _user_pool().sign_out()

    assert not out.revoked
    assert "configured with secret" in out.problems[0]


def test_no_word_of_a_refusal_is_unsafe_to_show() -> None:
    """Attack: an escape in the words of an issuer reaches no terminal, and they are cut."""
    error = refusals.explained("the issuer", "invalid_grant\x1b[2J", "\x1b[31m" + "x" * 5000)

    assert "\x1b" not in str(error)
    assert len(error.message) <= 300


def test_a_locked_user_is_not_asked_again() -> None:
    """A lock is not taken for a wrong password, since each further try makes it longer."""
    assert not ApiError(DENIED, "Password attempts exceeded").is_wrong_password
    assert ApiError(DENIED, "Incorrect username or password.").is_wrong_password


def test_the_redirect_is_read_as_text(issuer: HostileIssuer) -> None:
    """What the sign-in pages report is shown in the browser without markup."""
    visit = Visit(_oidc(issuer), issuer)
    query = urllib.parse.urlencode(
        {"error": "access_denied", "error_description": "<script>x</script>", "state": visit.state}
    )

    _, shown = visit.knock(query)
    assert "<script>" not in shown
