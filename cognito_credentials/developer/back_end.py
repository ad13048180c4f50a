"""
The back end's half of developer authenticated identities, for the app's own web service.

The service knows who its user is. It asks Cognito, with its own AWS credentials, for a token of that user's
identity, and passes both on; the app trades them for AWS credentials (`DeveloperLogin`). A whole service:
``examples/developer_back_end``.

Imports `exchange` for what failures mean; botocore comes with the client that is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..errors import CognitoCredentialsError, ConfigurationError, RefusedError
from ..exchange.failures import classify
from ..exchange.silence import silence
from ..secret import Secret

OPERATION: Final = "GetOpenIdTokenForDeveloperIdentity"
LONGEST_DURATION: Final = 86_400
"""Seconds. Source: Cognito Identity API, TokenDuration."""
_TAKEN: Final = ("DeveloperUserAlreadyRegisteredException", "ResourceConflictException")
_GONE: Final = ("ResourceNotFoundException", "NotAuthorizedException")


class DeveloperToken(NamedTuple):
    """A user's identity, and a token by which Cognito vouches for it."""

    identity_id: str
    token: Secret

    def to_json(self) -> dict[str, str]:
        """Return the answer that `DeveloperLogin` expects; send it to that user only, and keep no copy."""
        return {"IdentityId": self.identity_id, "Token": self.token.reveal()}


def developer_token(
    client: Any,
    identity_pool_id: str,
    user: str,
    *,
    provider: str,
    guest_identity_id: str | None = None,
    logins: Mapping[str, str | Secret] | None = None,
    principal_tags: Mapping[str, str] | None = None,
    duration_seconds: int | None = None,
) -> DeveloperToken:
    """
    Get the identity of one of the app's own users, and a token for it.

    Args:
        client: boto3's ``cognito-identity`` client, in the pool's region, with credentials that may call
            GetOpenIdTokenForDeveloperIdentity, and DescribeIdentity for guests; safe to share.
        identity_pool_id: The identity pool.
        user: Whom the app has authenticated: its own lasting name for the user, never one from the request.
        provider: The developer provider name of the pool.
        guest_identity_id: The identity the app's user had as a guest. It becomes the user's own, unless the
            user has one, or it is no guest's: anybody could send the id of somebody else.
        logins: Public logins to be linked, too: login provider name to token.
        principal_tags: Session tags, for attribute-based access control.
        duration_seconds: How long the token lasts, 1 to 86400; None for 15 minutes. Longer ones cannot be
            taken back.

    Raises:
        RefusedError: Cognito or IAM refused.
        ConfigurationError: An argument is malformed, or there are no AWS credentials.
        ServiceError: The service cannot be reached.

    Source: Cognito Identity API, GetOpenIdTokenForDeveloperIdentity.
    """
    _check(user, provider, duration_seconds)
    if provider in (logins or {}):
        # It would take the place of the user whom the app has authenticated.
        raise ConfigurationError(
            "logins hold the developer provider's own name",
            hint="Give public logins only; `user` says who it is",
        )
    request: dict[str, Any] = {
        "IdentityPoolId": identity_pool_id,
        "Logins": {provider: user, **{name: _text(token) for name, token in (logins or {}).items()}},
        **({"PrincipalTags": dict(principal_tags)} if principal_tags else {}),
        **({} if duration_seconds is None else {"TokenDuration": duration_seconds}),
    }
    outcome = _ask_for_user(client, request, guest_identity_id)
    # In two steps, so that the request, which may have tokens in it, is in no frame of the error.
    del request
    if isinstance(outcome, CognitoCredentialsError):
        raise outcome
    return outcome


def _ask_for_user(
    client: Any, request: dict[str, Any], guest_identity_id: str | None
) -> DeveloperToken | CognitoCredentialsError:
    """Ask for the user's identity: the guest's, where it can become that, otherwise the user's own."""
    if guest_identity_id is not None and _is_guest(client, guest_identity_id):
        outcome = _ask(client, {**request, "IdentityId": guest_identity_id})
        # Refused for this: the user has an identity already, or the guest's is gone.
        if not (isinstance(outcome, CognitoCredentialsError) and outcome.code in (*_TAKEN, *_GONE)):
            return outcome
    return _ask(client, request)


def _ask(client: Any, request: dict[str, Any]) -> DeveloperToken | CognitoCredentialsError:
    """Call the operation; a failure is returned, so that no frame with a token in it is in its traceback."""
    try:
        with silence():
            answer = client.get_open_id_token_for_developer_identity(**request)
        return DeveloperToken(str(answer["IdentityId"]), Secret(answer["Token"]))
    except Exception as error:  # noqa: BLE001  (botocore's parser meets bytes from anywhere: any type can come)
        return _classified(error, request["IdentityPoolId"])


def _classified(error: Exception, pool_id: str) -> CognitoCredentialsError:
    if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return ConfigurationError(
            "the back end has no AWS credentials", hint="Give its service a role, or set AWS_PROFILE for it"
        )
    told = classify(OPERATION, error, is_guest=False, facts={"pool": pool_id}).error
    if told.code in ("AccessDeniedException", "AccessDenied"):
        return RefusedError(
            f"the back end's role may not get tokens of identity pool {pool_id}",
            hint="Allow it cognito-identity:GetOpenIdTokenForDeveloperIdentity on that pool",
            code=told.code,
            request_id=told.request_id,
        )
    return told


def _is_guest(client: Any, identity_id: str) -> bool:
    """Tell whether nobody has signed in as *identity_id*; False where that cannot be told."""
    failure = None
    try:
        with silence():
            return not client.describe_identity(IdentityId=identity_id).get("Logins")
    except Exception as error:  # noqa: BLE001  (as above)
        failure = classify("DescribeIdentity", error, is_guest=False).error
    if failure.retryable:
        raise failure
    return False


def _check(user: str, provider: str, duration_seconds: int | None) -> None:
    if not user or not provider:
        raise ConfigurationError(
            f"the {'user' if not user else 'developer provider name'} is empty",
            hint="Give the app's own lasting name of an authenticated user, and the pool's provider name",
        )
    if duration_seconds is not None and not 1 <= duration_seconds <= LONGEST_DURATION:
        raise ConfigurationError(
            f"duration_seconds is {duration_seconds}", hint=f"Give 1 to {LONGEST_DURATION} seconds, or None"
        )


def _text(token: str | Secret) -> str:
    return token.reveal() if isinstance(token, Secret) else token
