"""
What issuers and user pools say when they refuse, and what helps: one table, read from the top.

The same words come by three ways: the user pools API, the redirect of the sign-in pages, and the token
endpoint. The code names a class of refusals, and the words name the one that happened: a wrong password, a
locked user and a disabled one are all ``NotAuthorizedException``. So rows with words stand first.

Sources: Amazon Cognito user pools API Reference, "Errors" of InitiateAuth and RespondToAuthChallenge;
RFC 6749, 4.1.2.1 and 5.2; RFC 8628, 3.5. Words of user pools, as people met them:
https://github.com/aws-amplify/amplify-js/issues/1234 (attempts exceeded),
https://github.com/aws-amplify/amplify-js/issues/9844 (temporary password),
https://github.com/aws-amplify/amplify-js/issues/9976 (found an entry),
https://github.com/aws-amplify/amplify-js/issues/3778 (PreSignUp failed),
https://github.com/aws/aws-sdk-js-v3/issues/6201 (SAML response).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ...errors import (
    CognitoCredentialsError,
    ConfigurationError,
    LoginRejectedError,
    LoginRequiredError,
    RefusedError,
    ServiceError,
    clean,
)

_THROTTLES: Final = frozenset(
    ("TooManyRequestsException", "LimitExceededException", "ThrottlingException", "slow_down")
)
_WAIT: Final = "Wait a minute, then try again"
_AGAIN: Final = "Sign in again"
_CODE: Final = "Enter the newest code once more, or sign in again for another one"
_OWNER: Final = "Ask whoever runs the user pool"
_TRIGGER: Final = "That is a rule of their own there: do what it says, or ask whoever runs the sign-in"
_PASSWORD: Final = "Choose a new password that the user pool's policy allows"  # noqa: S105
_CLIENT: Final = "Check client id, grants, scopes and redirect addresses, or ask whoever runs the issuer"
_CORRECTABLE: Final = frozenset(
    ("CodeMismatchException", "InvalidPasswordException", "PasswordHistoryPolicyViolationException")
)
WRONG_PASSWORD: Final = "the user name or the password is wrong"  # noqa: S105


class Refusal(NamedTuple):
    """One row: the answers that it is for, and what the user sees."""

    code: str
    """The error code; empty for any."""
    words: str
    """A part of the message, in lower case; empty for any."""
    kind: type[CognitoCredentialsError]
    topic: str
    """The section of the page "When something goes wrong" that explains it."""
    remedy: str
    said: str = ""
    """What is said in place of the words of the issuer; empty for these."""


TABLE: Final = (
    # What a user pool says of a user.
    Refusal(
        "NotAuthorizedException",
        "password attempts exceeded",
        LoginRejectedError,
        "E-PASSWORD",
        # No ServiceError: whoever repeats the call by itself prolongs the lock. Source: Amazon Cognito
        # developer guide, "Lockout behavior for failed sign-in attempts".
        "Wait a quarter of an hour, then sign in again: each try before that makes the wait longer",
    ),
    Refusal(
        "NotAuthorizedException",
        "user is disabled",
        LoginRejectedError,
        "E-PASSWORD",
        "Ask whoever runs the user pool to enable the user",
    ),
    Refusal(
        "NotAuthorizedException",
        "temporary password has expired",
        LoginRejectedError,
        "E-PASSWORD",
        "Ask whoever runs the user pool for a new temporary password",
    ),
    Refusal(
        "NotAuthorizedException",
        "invalid session for the user",
        LoginRejectedError,
        "E-PASSWORD",
        # Source: Amazon Cognito user pools API Reference, CreateUserPoolClient, AuthSessionValidity.
        "Sign in again and answer faster: by default a user pool waits three minutes for each answer",
    ),
    Refusal(
        "NotAuthorizedException",
        "security reasons",
        LoginRejectedError,
        "E-PASSWORD",
        "The user pool takes this sign-in for a risk: ask whoever runs the user pool",
    ),
    Refusal(
        "NotAuthorizedException",
        "incorrect username",
        LoginRejectedError,
        "E-PASSWORD",
        _AGAIN,
        WRONG_PASSWORD,
    ),
    # The same words as above: they do not tell whether a user exists.
    Refusal("UserNotFoundException", "", LoginRejectedError, "E-PASSWORD", _AGAIN, WRONG_PASSWORD),
    Refusal(
        "UserNotConfirmedException",
        "",
        LoginRejectedError,
        "E-PASSWORD",
        "Enter the code from that message where you signed up, or ask whoever runs the user pool to confirm "
        "you; then sign in again",
        "this user has not confirmed the e-mail address or telephone number yet",
    ),
    Refusal(
        "PasswordResetRequiredException",
        "",
        LoginRejectedError,
        "E-PASSWORD",
        "Choose 'Forgot your password?' on the sign-in page, or ask whoever runs the user pool; then sign in "
        "again",
        "the password must be reset first",
    ),
    Refusal(
        "ExpiredCodeException",
        "already been used",
        LoginRejectedError,
        "E-PASSWORD",
        "Wait for the next code of the authenticator app, and enter that",
    ),
    Refusal(
        "ExpiredCodeException",
        "",
        LoginRejectedError,
        "E-PASSWORD",
        "Sign in again for a new code, and enter it soon",
        "the code has expired",
    ),
    Refusal("CodeMismatchException", "", LoginRejectedError, "E-PASSWORD", _CODE, "the code is wrong"),
    Refusal("InvalidPasswordException", "", LoginRejectedError, "E-PASSWORD", _PASSWORD),
    Refusal("PasswordHistoryPolicyViolationException", "", LoginRejectedError, "E-PASSWORD", _PASSWORD),
    Refusal(
        "AliasExistsException",
        "",
        LoginRejectedError,
        "E-ISSUER",
        "Sign in to that account, or ask whoever runs the user pool",
    ),
    Refusal(
        "",
        "already found an entry for username",
        LoginRejectedError,
        "E-ISSUER",
        "Sign in once more: the user pool has just linked two accounts of yours, and the next try works",
    ),
    # What a user pool says of itself: its triggers, the identity providers behind it, its app client.
    Refusal("", "failed with error", LoginRejectedError, "E-ISSUER", _TRIGGER),
    Refusal("UserLambdaValidationException", "", LoginRejectedError, "E-ISSUER", _TRIGGER),
    Refusal(
        "",
        "saml",
        LoginRejectedError,
        "E-ISSUER",
        "Ask whoever runs the sign-in: the answer of the identity provider behind it cannot be used",
    ),
    Refusal(
        "invalid_request",
        "attribute",
        LoginRejectedError,
        "E-ISSUER",
        "Ask whoever runs the sign-in: the attributes of the identity provider behind it do not fit",
    ),
    Refusal(
        "NotAuthorizedException",
        "secret",
        ConfigurationError,
        "E-SIGN-IN-SETTING",
        "Use an app client without a secret: programs that people install keep none",
    ),
    Refusal(
        "InvalidParameterException",
        "user_srp_auth",
        ConfigurationError,
        "E-SIGN-IN-SETTING",
        "Enable ALLOW_USER_SRP_AUTH for the app client; or, where it has ALLOW_USER_AUTH, set "
        "first_factor='password' (cognito_first_factor); or sign in with a browser",
    ),
    Refusal(
        "InvalidParameterException",
        "user_auth",
        ConfigurationError,
        "E-SIGN-IN-SETTING",
        "Enable ALLOW_USER_AUTH for the app client, or leave first_factor (cognito_first_factor) out",
    ),
    Refusal(
        "InvalidParameterException",
        "refresh_token_auth",
        ConfigurationError,
        "E-SIGN-IN-SETTING",
        "Enable ALLOW_REFRESH_TOKEN_AUTH for the app client",
    ),
    Refusal(
        "InvalidParameterException",
        "flow not enabled",
        ConfigurationError,
        "E-SIGN-IN-SETTING",
        "Enable ALLOW_USER_SRP_AUTH and ALLOW_REFRESH_TOKEN_AUTH for the app client",
    ),
    Refusal(
        "FeatureUnavailableInTierException",
        "",
        ConfigurationError,
        "E-SIGN-IN-SETTING",
        "Choice-based sign-in needs the feature plan Essentials or Plus: leave first_factor "
        "(cognito_first_factor) out, or ask whoever runs the user pool",
    ),
    Refusal("InvalidParameterException", "", ConfigurationError, "E-SIGN-IN-SETTING", "Correct that"),
    Refusal(
        "ResourceNotFoundException",
        "",
        ConfigurationError,
        "E-SIGN-IN-SETTING",
        "Check the ids of the user pool and of the app client",
    ),
    Refusal(
        "NotAuthorizedException",
        "",
        LoginRejectedError,
        "E-ISSUER",
        "Ask whoever runs the user pool",
    ),
    Refusal("TooManyRequestsException", "", ServiceError, "E-THROTTLED", _WAIT),
    Refusal("LimitExceededException", "", ServiceError, "E-THROTTLED", _WAIT),
    Refusal("ThrottlingException", "", ServiceError, "E-THROTTLED", _WAIT),
    Refusal("InternalErrorException", "", ServiceError, "E-SERVICE", _WAIT),
    # What every issuer says (OAuth 2.0).
    Refusal(
        # Keycloak: the page was open for too long.
        "temporarily_unavailable",
        "authentication_expired",
        LoginRejectedError,
        "E-BROWSER",
        "Sign in again and answer faster",
    ),
    Refusal("temporarily_unavailable", "", ServiceError, "E-SERVICE", _WAIT),
    Refusal("server_error", "", ServiceError, "E-SERVICE", _WAIT),
    Refusal("slow_down", "", ServiceError, "E-THROTTLED", _WAIT),
    Refusal(
        "access_denied", "", LoginRejectedError, "E-BROWSER", _AGAIN, "signing in was refused or cancelled"
    ),
    Refusal(
        "expired_token",
        "",
        LoginRequiredError,
        "E-DEVICE-CODE",
        "Sign in again for a new one",
        "the code was not used in time",
    ),
    *(
        Refusal(code, "", LoginRejectedError, "E-ISSUER", _CLIENT)
        for code in (
            *("invalid_client", "invalid_request", "invalid_scope", "redirect_mismatch"),
            *("unauthorized_client", "unsupported_grant_type", "unsupported_response_type"),
        )
    ),
)


def is_wrong_password(error: CognitoCredentialsError) -> bool:
    """Whether user name or password is wrong; a locked user has the same code."""
    return error.message == WRONG_PASSWORD


def may_be_corrected(error: CognitoCredentialsError) -> bool:
    """
    Whether the same question of a user pool may be answered once more, with another text.

    The session of the question stays valid then, until the pool says otherwise.
    """
    return error.code in _CORRECTABLE or (
        error.code == "ExpiredCodeException" and "already been used" in error.message
    )


def find(code: str, words: str) -> Refusal:
    """
    Find the row of an answer.

    Args:
        code: The error code of the user pools API, of OAuth 2.0, or an HTTP status where there was no code.
        words: The message; may be empty.
    """
    lower = words.lower()
    for row in TABLE:
        if row.code in ("", code) and row.words in lower:
            return row
    if code.isdigit() and (int(code) in (408, 429) or int(code) >= 500):
        return Refusal(code, "", ServiceError, "E-THROTTLED" if code == "429" else "E-SERVICE", _WAIT)
    if code.islower():
        return Refusal(
            code, "", LoginRejectedError, "E-ISSUER", "Sign in again, or ask whoever runs the issuer"
        )
    return Refusal(code, "", RefusedError, "E-REFUSED", _OWNER)


def explained(who: str, code: str, words: str) -> CognitoCredentialsError:
    """
    Return the error that users see: what was said, then what helps.

    Args:
        who: Whoever refused, for people.
        code: See `find`.
        words: The message, without the secrets of the request; may be empty.
    """
    row, code, words = find(code, words), clean(code, 60), clean(words, 200)
    is_oauth = code.islower()
    shown = row.said
    if not shown:
        shown = f"{who} refused"
        if row.kind is ServiceError:
            shown = f"{who} is {'asked too often' if code in _THROTTLES else 'not available'}"
        shown += f" ({code})" if is_oauth or not words else ""
    if words and (is_oauth or not row.said):
        shown += f": {words}"
    return row.kind(shown, hint=row.remedy, topic=row.topic, code=code, throttled=code in _THROTTLES)
