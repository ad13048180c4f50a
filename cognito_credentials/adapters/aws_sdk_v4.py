"""
The AWS SDK for Python v4 (packages ``aws-sdk-…``): a resolver of credentials over the pool.

The SDK needs Python 3.12, and its interface may change until its version 1.0. Its test lists what is used of
it, here and in `aws_sdk_v4_chain.py`, by which a profile with a pool works without a line of code.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import CognitoCredentialsError, ConfigurationError, clean, replaced
from ..pool.async_pool import AsyncIdentityPool
from ..pool.configured import configured_pool
from ..pool.pool import IdentityPool
from ..settings.aws_config import read_config
from .extra import needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..credentials import TemporaryCredentials

if sys.hexversion < 0x030C0000:
    raise ConfigurationError(
        "the AWS SDK for Python v4 needs Python 3.12 or newer",
        hint="Use boto3, or aiobotocore on an event loop: `install` and `Session` serve both",
        topic="E-NOT-INSTALLED",
    )
with needs("smithy_aws_core", "sdk-v4"):
    from smithy_aws_core.identity import AWSCredentialsIdentity
    from smithy_core.exceptions import SmithyIdentityError


class IdentityPoolResolver:
    """
    A resolver for a client's config: always the pool's current credentials.

    ``await AsyncSQSConfig.resolve(aws_credentials_identity_resolver=IdentityPoolResolver(pool))``

    Attributes:
        pool: The pool.

    Args:
        pool: The pool. An `IdentityPool` shares what it holds with the threads that use it.
    """

    def __init__(self, pool: IdentityPool | AsyncIdentityPool) -> None:
        self.pool = pool if isinstance(pool, AsyncIdentityPool) else AsyncIdentityPool.of(pool)
        self._resolved: tuple[TemporaryCredentials, AWSCredentialsIdentity] | None = None

    async def get_identity(self, *, properties: Mapping[str, Any]) -> AWSCredentialsIdentity:  # noqa: ARG002
        """
        Return credentials that are valid now. The SDK asks before each request, and keeps none.

        Raises:
            smithy_core.exceptions.SmithyIdentityError: No credentials are valid, and new ones cannot be
                obtained. Its cause is the error of this package.
        """
        with _SMITHYS_ERRORS:
            credentials = await self.pool.credentials()
        resolved = self._resolved
        if resolved is None or resolved[0] is not credentials:
            resolved = self._resolved = (credentials, _identity_of(credentials))
        return resolved[1]

    async def invalidate(self) -> None:
        """Report that a service rejected what was returned last."""
        resolved = self._resolved
        if resolved is not None:
            await self.pool.invalidate(resolved[0].access_key_id)


class _Identity(AWSCredentialsIdentity):  # type: ignore[misc]  # without the SDK, its class is unknown
    """Credentials as the SDK signs with them, which do not show their secrets."""

    def __repr__(self) -> str:
        return f"AWSCredentialsIdentity(access_key_id={self.access_key_id!r}, …)"


class _Misconfigured:
    """
    Stands in the chain for a pool that is named wrongly: each request says what is wrong.

    An error while the chain is built would leave the client without one, and its connections open.
    """

    def __init__(self, error: CognitoCredentialsError) -> None:
        self._error = error

    async def get_identity(self, *, properties: Mapping[str, Any]) -> NoReturn:  # noqa: ARG002
        """
        Say what is wrong.

        Raises:
            smithy_core.exceptions.SmithyIdentityError: Always.
        """
        raise _as_identity_error(self._error)

    async def invalidate(self) -> None:
        """Do nothing."""


def resolver_of(profile: str | None, pool_id: str | None) -> IdentityPoolResolver | _Misconfigured | None:
    """
    Return a resolver for the pool of *profile* and the environment; None where another source comes first.

    Args:
        profile: The client's, where it exists.
        pool_id: The pool that it names, as the SDK has read it.
    """
    try:
        _check_file(profile, pool_id)
        # A view of the environment, not a copy: a login in a variable is read at each refresh.
        pool = configured_pool(environ=os.environ, profile=profile)
    except CognitoCredentialsError as error:
        return _Misconfigured(error.with_traceback(None))
    return None if pool is None else IdentityPoolResolver(pool)


def _check_file(profile: str | None, pool_id: str | None) -> None:
    """Refuse a pool in a config file that is not the environment's: its other settings would not be found."""
    if profile is None or not pool_id:
        return
    found = read_config(os.environ)["profiles"].get(profile, {}).get("cognito_identity_pool_id")
    if found != pool_id:
        raise ConfigurationError(
            f"the identity pool of profile '{clean(profile, 80)}' is in a config file that was given to this "
            "client alone",
            hint="Name the file in AWS_CONFIG_FILE, or give the client's config "
            "aws_credentials_identity_resolver=IdentityPoolResolver(pool)",
            topic="E-ARGUMENT",
        )


def _identity_of(credentials: TemporaryCredentials) -> AWSCredentialsIdentity:
    return _Identity(
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key.reveal(),
        session_token=credentials.session_token.reveal(),
        expiration=credentials.expiration,
        account_id=credentials.account_id,
    )


def _as_identity_error(error: CognitoCredentialsError) -> SmithyIdentityError:
    """Return *error* as the SDK's, which carries it as its cause, without its frames."""
    raised = SmithyIdentityError(str(error))
    raised.__cause__ = error.with_traceback(None)
    return raised


_SMITHYS_ERRORS = replaced(CognitoCredentialsError, by=_as_identity_error)
