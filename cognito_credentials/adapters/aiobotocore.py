"""
aiobotocore, and through its session aioboto3 and s3fs: the provider, and what it signs with.

`cognito_credentials.install` takes an aiobotocore session as it takes botocore's. The refresh policy is the
pool's, as in `botocore_credentials.py`, of which these are the coroutines: while credentials are fresh, no
thread is asked. Source: https://github.com/aio-libs/aiobotocore/blob/main/aiobotocore/credentials.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ..botocore_chain import IdentityPoolProvider
from ..botocore_credentials import BOTOCORES_ERRORS, IdentityPoolCredentials, as_botocore_error
from ..credentials import iso
from ..errors import CognitoCredentialsError
from ..pool.async_pool import AsyncIdentityPool
from ..pool.pool import IdentityPool
from .extra import needs

if TYPE_CHECKING:
    from aiobotocore.session import AioSession
    from botocore.credentials import ReadOnlyCredentials


with needs("aiobotocore", "aio"):
    from aiobotocore.credentials import AioCredentialResolver, AioDeferredRefreshableCredentials


class AioIdentityPoolCredentials(IdentityPoolCredentials, AioDeferredRefreshableCredentials):  # type: ignore[misc]
    """
    What aiobotocore signs with: always the pool's current credentials.

    Any number of tasks and event loops may share it. It never raises while credentials are valid.
    `get_frozen_credentials` and its like refresh when that is due by the pool's policy. `refresh_needed` and
    the end of the credentials tell what the pool holds in memory.

    Attributes:
        async_pool: The pool, such as for ``await credentials.async_pool.invalidate(access_key_id)``.
        pool: The same for threads.

    Args:
        pool: The pool.
    """

    def __init__(self, pool: IdentityPool | AsyncIdentityPool) -> None:
        self.async_pool = pool if isinstance(pool, AsyncIdentityPool) else AsyncIdentityPool.of(pool)
        super().__init__(self.async_pool.pool)

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """
        Return key, secret and token of one generation, for one signature.

        Raises:
            botocore.exceptions.CredentialRetrievalError: No credentials are valid, and new ones cannot be
                obtained. It is also a `CognitoCredentialsError`.
        """
        try:  # and no `with BOTOCORES_ERRORS`, which would double the cost of a signature
            credentials = await self.async_pool.credentials()
        except CognitoCredentialsError as error:
            failure = as_botocore_error(error)
        else:
            known, frozen = self._signed_with
            return frozen if known is credentials else self._frozen(credentials)
        raise failure

    async def get_access_key(self) -> str:
        """Return the access key id; `get_frozen_credentials` returns it with the secret that goes with it."""
        return str((await self.get_frozen_credentials()).access_key)

    async def get_secret_key(self) -> str:
        """Return the secret access key."""
        return str((await self.get_frozen_credentials()).secret_key)

    async def get_token(self) -> str:
        """Return the session token."""
        return str((await self.get_frozen_credentials()).token)

    async def get_account_id(self) -> str | None:
        """Return the AWS account, where it is known."""
        account_id: str | None = (await self.get_frozen_credentials()).account_id
        return account_id

    def _only_awaited(self) -> NoReturn:
        # As aiobotocore's own: a property cannot wait for a refresh.
        raise NotImplementedError("these credentials are asynchronous: await get_frozen_credentials()")

    access_key = secret_key = token = account_id = property(_only_awaited)

    async def _refresh(self) -> None:  # type: ignore[override]
        await self.get_frozen_credentials()

    async def _protected_refresh(self, is_mandatory: bool) -> None:  # type: ignore[override]  # noqa: ARG002
        """Get new credentials now: programs call it to force a refresh."""
        with BOTOCORES_ERRORS:
            await self.async_pool.refresh()

    async def _refresh_using(self) -> dict[str, str | None]:  # type: ignore[override]
        """Return what aiobotocore's other classes take from a refresh."""
        with BOTOCORES_ERRORS:
            credentials = await self.async_pool.credentials()
        return {**self._frozen(credentials)._asdict(), "expiry_time": iso(credentials.expires_at)}


class AioIdentityPoolProvider(IdentityPoolProvider):
    """
    `IdentityPoolProvider` for the chain of an aiobotocore session, whose `load` is awaited.

    Args:
        session: The aiobotocore session whose profile and environment name the pool.
        pool: The pool, where it is known; then *session* is not looked at.
        outage: `AsyncIdentityPool`'s *outage*, for the pool that *session* names.

    Raises:
        ConfigurationError: *session* is not aiobotocore's, *pool* no identity pool, or *outage* malformed.
    """

    is_async = True
    pool_classes = (AsyncIdentityPool, IdentityPool)
    chain_class: type[Any] = AioCredentialResolver

    def __init__(
        self,
        session: AioSession | None = None,
        *,
        pool: IdentityPool | AsyncIdentityPool | None = None,
        outage: type[BaseException] | tuple[type[BaseException], ...] | None = None,
    ) -> None:
        self._async_pool: AsyncIdentityPool | None = None
        if isinstance(pool, AsyncIdentityPool):
            self._async_pool, pool = pool, pool.pool
        super().__init__(session, pool=pool, outage=outage)

    async def load(self) -> AioIdentityPoolCredentials | None:  # type: ignore[override]
        """
        Return credentials; no network call is made before they are used.

        Returns:
            None when no identity pool is configured: the chain goes on.

        Raises:
            botocore.exceptions.CredentialRetrievalError: A pool is configured, but wrongly.
        """
        pool = self._async_pool or self.find_pool()
        return None if pool is None else AioIdentityPoolCredentials(pool)
