"""App clients as callers of the API: which one calls, and the proof that it knows its secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.user_pools import (
    AppClient,
    User,
    UserPool,
    find_user,
    find_user_pool,
)
from cognito_credentials.emulator.user_pools import refusals
from cognito_credentials.emulator.user_pools.sign_in import client_of


def pool_of(service: Service, client: AppClient) -> UserPool:
    """The user pool of an app client."""
    pool = find_user_pool(service.state, client.pool_id)
    if pool is None:
        raise refusals.client_not_found(client.id)
    return pool


def user_of(service: Service, client: AppClient, name: str) -> User:
    """
    The user of the client's pool.

    Raises:
        ServiceError: UserNotFoundException, whether or not the client hides users: the caller does.
    """
    user = find_user(service.state, client.pool_id, name)
    if user is None:
        raise refusals.user_not_found()
    return user


def calling_client(service: Service, request: Mapping[str, str]) -> AppClient:
    """The client of a request with ``ClientId``, ``Username`` and, where it has a secret, ``SecretHash``."""
    client = client_of(service, request["ClientId"])
    check_secret_hash(client, request.get("SecretHash"), request["Username"])
    return client


def check_secret_hash(client: AppClient, given: str | None, name: str) -> None:
    """
    Check the secret hash for a user name. One that a public client sends is not looked at.

    Raises:
        ServiceError: NotAuthorizedException.
    """
    if client.secret is None:
        return
    if not given:
        raise refusals.secret_hash_missing(client.id)
    if not proves_secret(client, given, name):
        raise refusals.wrong_secret_hash(client.id)


def proves_secret(client: AppClient, given: str, *names: str) -> bool:
    """Whether *given* is the secret hash for one of *names*."""
    return any(_is_same(given, secret_hash(client, name)) for name in names)


def secret_hash(client: AppClient, name: str) -> str:
    """The secret hash for a user name; reference/service.md#12.1.4."""
    message = f"{name}{client.id}".encode()
    return base64.b64encode(
        hmac.new((client.secret or "").encode(), message, hashlib.sha256).digest()
    ).decode()


def check_secret(client: AppClient, given: str | None) -> None:
    """
    Check the secret itself, as the calls about refresh tokens bring it.

    Raises:
        ServiceError: NotAuthorizedException.
    """
    if client.secret is not None and not _is_same(given or "", client.secret):
        raise assumed.wrong_client_secret(client.id)


def hidden(client: AppClient, error: ServiceError, instead: ServiceError) -> ServiceError:
    """The answer for a user who does not exist: *instead* where the client hides that."""
    return instead if client.hides_users and error.code == "UserNotFoundException" else error


def _is_same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
