"""A user pool of a running emulator, as tests use it: users who sign in without a browser or a password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cognito_credentials.emulator.model.members import ControlError, json_value
from cognito_credentials.emulator.seed.entry import Entry, SeedError
from cognito_credentials.emulator.seed.user_pools import describe_user
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.user_pools import (
    AppClient,
    UserPool,
    find_client,
    find_user,
    find_user_pool,
    list_clients,
)
from cognito_credentials.emulator.user_pools.attempt import SignedIn
from cognito_credentials.emulator.user_pools.tokens import API_SCOPE, issue_tokens

PASSWORD = "Correct-horse-1!"  # noqa: S105 - of made-up users


class RunningUserPool:
    """
    A user pool of a running emulator.

    Its users may also sign in as real ones do: through the API of user pools, and on the sign-in pages.

    Args:
        pool_id: The id of a user pool that was described, by a seed or by `Emulator.create_user_pool`.
        client_id: One of its app clients; None is its only one.

    Attributes:
        id: The id of the user pool.
        client_id: The id of the app client.
        provider: The name of the pool in Logins.

    Raises:
        ControlError: There is no such user pool or app client.
    """

    def __init__(self, service: Service, pool_id: str, client_id: str | None = None) -> None:
        self._service = service
        self.id = pool_id
        clients = [client.id for client in list_clients(service.state, self._pool.id)]
        if client_id is None and len(clients) != 1:
            raise ControlError(f"client_id: expected one of {', '.join(clients) or 'no client'}")
        self.client_id = client_id or clients[0]
        if self.client_id not in clients:
            raise ControlError(f"client_id: '{client_id}' is no client of {pool_id}")
        self.provider = self._pool.issuer_url.removeprefix("https://")

    def __repr__(self) -> str:
        return f"<user pool {self.id}, client {self.client_id}>"

    def add_user(
        self,
        username: str,
        /,
        *,
        password: str = PASSWORD,
        groups: Sequence[str] = (),
        mfa: Sequence[str] = (),
        **attributes: str,
    ) -> str:
        """
        Add a user, or describe one again.

        Args:
            password: Any password. The policy of the pool holds for the passwords that users choose.
            groups: Names of groups, for the claim ``cognito:groups``.
            mfa: Second factors: ``totp``, ``sms``, ``email``. They have no effect in a pool whose ``mfa`` is
                ``off``.
            attributes: Such as ``email``; ``**{"custom:team": "red"}`` for names that are none in Python.

        Returns:
            The user's sub.

        Raises:
            ControlError: A member has a value that it cannot have.
        """
        members = {"name": username, "password": password, "attributes": attributes}
        content = json_value("add_user", {**members, "groups": list(groups), "mfa": list(mfa)})
        try:
            with self._service.state.transaction():
                return describe_user(self._service, Entry("", "add_user", content), self._pool).sub
        except SeedError as error:
            raise ControlError(str(error)) from None

    def sign_in(self, username: str, *, scopes: Sequence[str] = (API_SCOPE,)) -> Mapping[str, Any]:
        """
        Sign a user in, without a password or second factor.

        Args:
            scopes: The scopes of the access token.

        Returns:
            The AuthenticationResult of InitiateAuth, with ``IdToken``, ``AccessToken``, ``RefreshToken``,
            ``ExpiresIn`` in seconds and ``TokenType``.

        Raises:
            ControlError: There is no such user.
        """
        user = find_user(self._service.state, self.id, username)
        if user is None:
            raise ControlError(f"user pool {self.id} has no user '{username}'; add_user makes one")
        tokens = issue_tokens(self._service, SignedIn(self._pool, self._client, user), scopes=tuple(scopes))
        return {
            "IdToken": tokens.id_token,
            "AccessToken": tokens.access_token,
            "RefreshToken": tokens.refresh_token,
            "ExpiresIn": tokens.expires_in,
            "TokenType": "Bearer",
        }

    def logins(self, username: str) -> Mapping[str, str]:
        """
        The Logins of a user who signs in: ``{provider: ID token}``.

        Raises:
            ControlError: There is no such user.
        """
        return {self.provider: str(self.sign_in(username)["IdToken"])}

    @property
    def _pool(self) -> UserPool:
        """As it was described last."""
        pool = find_user_pool(self._service.state, self.id)
        if pool is None:
            raise ControlError(f"there is no user pool '{self.id}'; create_user_pool makes one")
        return pool

    @property
    def _client(self) -> AppClient:
        client = find_client(self._service.state, self.client_id)
        if client is None:
            raise ControlError(f"user pool {self.id} has no client '{self.client_id}' any more")
        return client
