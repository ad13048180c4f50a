"""
Botocore's errors in, errors of this package out: which action is denied, what is not there, what to do.
"""

from __future__ import annotations

import re
from typing import Any, Final

from botocore import exceptions as b
from botocore.exceptions import BotoCoreError, ClientError

from ..errors import (
    CognitoCredentialsError,
    ConfigurationError,
    IdentityNotFoundError,
    LoginRequiredError,
    RefusedError,
    ServiceError,
    clean,
)
from ..exchange.failures import nothing_listens

CONCURRENT: Final = "ConcurrentModificationException"
THROTTLED: Final = frozenset(
    (
        *("TooManyRequestsException", "LimitExceededException", "Throttling", "ThrottlingException"),
        *("RequestLimitExceeded", "SlowDown", "429"),
    )
)
_DENIED: Final = frozenset(("AccessDeniedException", "AccessDenied"))
_NOT_THE_KEYS: Final = frozenset(
    (
        *("UnrecognizedClientException", "InvalidSignatureException", "InvalidClientTokenId"),
        *("SignatureDoesNotMatch", "ExpiredTokenException", "ExpiredToken", "IncompleteSignature"),
        *("MissingAuthenticationTokenException", "MissingAuthenticationToken"),
    )
)
_WHO: Final = re.compile(r"User: (\S+) is not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?")
_ROLE: Final = re.compile(r"Access to Role '([^']*)' is forbidden")
_LIMIT_OF_ACCOUNT: Final = "LimitExceededException"


def code_of(error: BaseException) -> str:
    """Return the service's code for *error*; empty where no service answered."""
    response = getattr(error, "response", None)
    return str((response or {}).get("Error", {}).get("Code", ""))


def worded(error: BaseException) -> BaseException | None:
    """
    Make the error that a caller gets of one of botocore's; None for what is not botocore's.

    For `errors.replaced`: botocore's errors hold the request.
    """
    if isinstance(error, CognitoCredentialsError):
        return None  # our own, which may be one of botocore's as well
    if isinstance(error, ClientError):
        return _answered(error)
    return _unanswered(error) if isinstance(error, BotoCoreError) else None


def _answered(error: Any) -> CognitoCredentialsError:
    code, operation = code_of(error), str(error.operation_name)
    text = str(error.response.get("Error", {}).get("Message", ""))
    metadata = error.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode") or 0)
    details = {"code": code or None, "request_id": metadata.get("RequestId")}
    made = _denied(code, operation, text, details) or _known(code, operation, text, status, details)
    if made is None:
        said = f"{operation}: the service answered {code or status}: {clean(text)}"
        hint = "Correct what it names, then repeat the command"
        made = RefusedError(said, hint=hint, **details)
    made.is_answer = True
    return made


def _denied(code: str, operation: str, text: str, details: dict[str, Any]) -> CognitoCredentialsError | None:
    """Return the error for credentials that may not; it names the action."""
    role = _ROLE.search(text)
    if role is not None:
        return RefusedError(
            f"the role '{role[1]}' may not be given to the pool: iam:PassRole is denied, or it is not a role "
            "of the pool's account",
            hint="Allow iam:PassRole on it to these credentials, or correct the role",
            topic="E-DENIED",
            **details,
        )
    who = _WHO.search(text)
    if code not in _DENIED and who is None:
        return None
    action = who[2] if who is not None else f"cognito-identity:{operation}"
    whose = f" to {who[1]}" if who is not None else ""
    on = f" on {who[3]}" if who is not None and who[3] else ""
    by = text.partition(" with an explicit deny ")[2]
    reason = f" ({clean(by)})" if by else ""
    return RefusedError(
        f"{action} is denied{whose}{on}{reason}",
        hint=f"Allow {action}, or sign with other credentials (--profile)",
        topic="E-DENIED",
        **details,
    )


def _known(
    code: str, operation: str, text: str, status: int, details: dict[str, Any]
) -> CognitoCredentialsError | None:
    if code in _NOT_THE_KEYS:
        return RefusedError(
            f"{operation}: the credentials that sign are not valid: {clean(text)}",
            hint="Renew them, or sign with other credentials (--profile)",
            topic="E-SIGNER",
            **details,
        )
    if code == "ResourceNotFoundException":
        return IdentityNotFoundError(
            f"{operation}: {clean(text)}", hint="Check the id, the region and the account", **details
        )
    if code == CONCURRENT:
        return ServiceError(
            f"{operation}: somebody else changes the pool at the same time",
            hint="Run it again",
            topic="E-POOL-CHANGED",
            **details,
        )
    if code == _LIMIT_OF_ACCOUNT and operation == "CreateIdentityPool":
        return RefusedError(
            f"{operation}: {clean(text)}", hint="Ask AWS for a higher quota, or delete pools", **details
        )
    if code in THROTTLED or status == 429:
        return ServiceError(
            f"{operation}: the service is being asked too often ({code})",
            hint="Run it again in a moment",
            topic="E-THROTTLED",
            throttled=True,
            **details,
        )
    if status >= 500:
        return ServiceError(
            f"{operation}: the service failed: {code or status}", hint="Run it again", **details
        )
    return None


def _unanswered(error: Any) -> CognitoCredentialsError:
    text = clean(str(error))
    if isinstance(error, (b.NoCredentialsError, b.PartialCredentialsError)):
        return ConfigurationError(
            f"there are no AWS credentials to sign with: {text}",
            hint="Choose a profile with credentials (--profile), or set AWS_PROFILE",
            topic="E-SIGNER",
        )
    if isinstance(error, (b.UnauthorizedSSOTokenError, b.SSOError, b.TokenRetrievalError)):
        return LoginRequiredError(
            text, hint="Sign in with 'aws sso login', then repeat the command", topic="E-SIGNER"
        )
    if isinstance(error, (b.HTTPClientError, b.ConnectionError, b.IncompleteReadError)):
        local = nothing_listens(error)
        return ServiceError(
            f"the service cannot be reached: {text}",
            hint=local.hint if local else "Check network and endpoint, then try again",
            topic=local.topic if local else "E-NETWORK",
        )
    if isinstance(error, b.CredentialRetrievalError):
        if error.kwargs.get("provider") == "custom-process":
            # Its text is what that program has printed on stderr, and sign-in tools print tokens there.
            return RefusedError(
                "the credential_process of the profile that signs gave no credentials",
                hint="Run its line in a terminal to see why, or choose another profile (--profile)",
                topic="E-SIGNER",
            )
        return RefusedError(
            text, hint="Correct the profile's credentials, or choose another (--profile)", topic="E-SIGNER"
        )
    return ConfigurationError(text)
