"""
The back end's half of developer authenticated identities, for the app's own web service.

The service has authenticated its user. With its own AWS credentials it asks Cognito for the user's identity
id and a token of it, and passes both on to the app, which exchanges them for AWS credentials
(`DeveloperLogin`). A whole service: ``examples/developer_back_end``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ..errors import CognitoCredentialsError, ConfigurationError, RefusedError, replaced
from ..exchange.failures import classify
from ..exchange.interruption import drops_frames_on_error
from ..secret import Secret
from .silence import silence

OPERATION: Final = "GetOpenIdTokenForDeveloperIdentity"
LONGEST_DURATION: Final = 86_400
"""Seconds. Source: Cognito Identity API, TokenDuration."""
_TAKEN: Final = ("DeveloperUserAlreadyRegisteredException", "ResourceConflictException")
_GONE: Final = ("ResourceNotFoundException", "NotAuthorizedException")


class DeveloperToken(NamedTuple):
    """A user's identity, and a token by which Cognito vouches for it."""

    identity_id: str
    """The user's identity, ``region:guid``."""
    token: Secret
    """The login token for the app."""

    def to_json(self) -> dict[str, str]:
        """Return the answer that `DeveloperLogin` expects. Send it to that user only, and keep no copy."""
        return {"IdentityId": self.identity_id, "Token": self.token.reveal()}


@drops_frames_on_error
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
            GetOpenIdTokenForDeveloperIdentity, and DescribeIdentity for guests. Threads may share it.
        identity_pool_id: ``region:guid``.
        user: The app's own lasting name of the authenticated user, never one from the request.
        provider: The developer provider name of the pool.
        guest_identity_id: The identity id of the same user as a guest. It becomes the user's, unless the user
            has an identity, or it is no guest's: a request can name anybody's identity id.
        logins: Public logins that are linked, too: login provider name to token.
        principal_tags: Session tags, for attribute-based access control.
        duration_seconds: Lifetime of the token, 1 to 86400; None for 15 minutes. A token cannot be revoked.

    Raises:
        RefusedError: Cognito or IAM refused.
        ConfigurationError: An argument is malformed, or there are no AWS credentials.
        ServiceError: The service cannot be reached.

    Source: Cognito Identity API, GetOpenIdTokenForDeveloperIdentity.
    """
    _check(user, provider, duration_seconds)
    if provider in (logins or {}):
        # It would replace the authenticated user.
        raise ConfigurationError(
            "logins hold the developer provider's own name",
            hint="Give public logins only; `user` says who it is",
            topic="E-DEVELOPER",
        )
    return _ask_for_user(
        client,
        guest_identity_id,
        IdentityPoolId=identity_pool_id,
        Logins={provider: user, **{name: _text(token) for name, token in (logins or {}).items()}},
        **({"PrincipalTags": dict(principal_tags)} if principal_tags else {}),
        **({} if duration_seconds is None else {"TokenDuration": duration_seconds}),
    )


def _ask_for_user(client: Any, guest_identity_id: str | None, **request: Any) -> DeveloperToken:
    """Ask for the guest's identity, where it can become the user's; otherwise for the user's own."""
    if guest_identity_id is not None and _is_guest(client, guest_identity_id):
        try:
            return _ask(client, IdentityId=guest_identity_id, **request)
        except CognitoCredentialsError as error:
            if error.code not in (*_TAKEN, *_GONE):
                raise
    return _ask(client, **request)


def _ask(client: Any, **request: Any) -> DeveloperToken:
    # botocore's parser fails in any way on bytes that no service sends.
    with replaced(Exception, by=lambda error: _classified(error, request["IdentityPoolId"])), silence():
        answer = client.get_open_id_token_for_developer_identity(**request)
        return DeveloperToken(str(answer["IdentityId"]), Secret(answer["Token"]))


def _classified(error: Exception, pool_id: str) -> CognitoCredentialsError:
    if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return ConfigurationError(
            "the back end has no AWS credentials",
            hint="Give its service a role, or set AWS_PROFILE for it",
            topic="E-SIGNER",
        )
    known = classify(OPERATION, error, is_guest=False, facts={"pool": pool_id}).error
    if known.code in ("AccessDeniedException", "AccessDenied"):
        return RefusedError(
            f"the back end's role may not get tokens of identity pool {pool_id}",
            hint="Allow it cognito-identity:GetOpenIdTokenForDeveloperIdentity on that pool",
            code=known.code,
            request_id=known.request_id,
            topic="E-DENIED",
        )
    return known


def _is_guest(client: Any, identity_id: str) -> bool:
    """Tell whether *identity_id* has no logins; False where it cannot be described."""
    try:
        with silence():
            return not client.describe_identity(IdentityId=identity_id).get("Logins")
    except Exception as error:  # noqa: BLE001  (botocore's parser fails in any way)
        failure = classify("DescribeIdentity", error, is_guest=False).error
    if failure.retryable:
        raise failure
    return False


def _check(user: str, provider: str, duration_seconds: int | None) -> None:
    if not user or not provider:
        raise ConfigurationError(
            f"the {'user' if not user else 'developer provider name'} is empty",
            hint="Give the app's own lasting name of an authenticated user, and the pool's provider name",
            topic="E-DEVELOPER",
        )
    if duration_seconds is not None and not 1 <= duration_seconds <= LONGEST_DURATION:
        raise ConfigurationError(
            f"duration_seconds is {duration_seconds}",
            hint=f"Give 1 to {LONGEST_DURATION} seconds, or None",
            topic="E-DEVELOPER",
        )


def _text(token: str | Secret) -> str:
    return token.reveal() if isinstance(token, Secret) else token
