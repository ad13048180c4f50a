"""
The ways into botocore and boto3: a credential provider, a drop-in boto3 Session, `install`, and the errors.

For each signature botocore calls `IdentityPoolCredentials.get_frozen_credentials`, which asks the pool. The
pool has its own refresh policy; botocore's `RefreshableCredentials` is not used, since it raises when a
refresh fails although the credentials are still valid. Source:
https://github.com/boto/botocore/blob/develop/botocore/credentials.py

Only public API of botocore is used.
"""

from __future__ import annotations

import os
from collections import ChainMap
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.exceptions
import botocore.session
from botocore.configprovider import ChainProvider, ConstantProvider
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    ReadOnlyCredentials,
    create_credential_resolver,
)
from botocore.exceptions import CredentialRetrievalError

from .errors import CognitoCredentialsError, ConfigurationError, replaced
from .pool.logins import logins_of
from .pool.parts import load_for_refreshes
from .pool.pool import IdentityPool, pool_of
from .settings.aws_config import read_config
from .settings.load import NAMES, is_configured, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack  # of the type checker; typing has it since Python 3.11

    from .credentials import TemporaryCredentials
    from .settings.settings import Arguments

    class _SessionArguments(Arguments, total=False):
        aws_access_key_id: str | None
        aws_secret_access_key: str | None
        aws_session_token: str | None
        aws_account_id: str | None
        region_name: str | None
        botocore_session: botocore.session.Session | None
        profile_name: str | None


METHOD: Final = "cognito-identity-pool"
_OTHER_SOURCES: Final = frozenset(
    {"credential_process", "role_arn", "source_profile", "sso_session", "sso_start_url", "login_session"}
)
"""Profile keys by which botocore gets credentials in another way."""


def as_botocore_error(error: CognitoCredentialsError) -> CognitoCredentialsError:
    """
    Return *error* as an exception that is also botocore's `CredentialRetrievalError`.

    Both ``except BotoCoreError`` and ``except LoginRequiredError`` catch it. Newer botocores have
    `RefreshNonRecoverableError`, which their own retries let pass; an error that no retry can mend is one of
    those, too.
    """
    kinds: list[type] = [type(error), CredentialRetrievalError]
    final = getattr(botocore.exceptions, "RefreshNonRecoverableError", None)
    if final is not None and not error.retryable and not issubclass(CredentialRetrievalError, final):
        kinds.append(final)
    members = {
        "__init__": _init,
        "__reduce__": _reduce,
        "__str__": type(error).__str__,
        "_kind": type(error),
    }
    raised: CognitoCredentialsError = type(type(error).__name__, tuple(kinds), members)(error)
    return raised


def _init(self: Any, error: CognitoCredentialsError) -> None:
    CredentialRetrievalError.__init__(self, provider=METHOD, error_msg=error.message)
    CognitoCredentialsError.__init__(self, error.message, **_details(error))


def _reduce(self: Any) -> tuple[Any, ...]:
    # Each process makes its own class, which pickle would not find.
    return as_botocore_error, (self._kind(self.message, **_details(self)),)


def _details(error: CognitoCredentialsError) -> dict[str, Any]:
    return {name: getattr(error, name) for name in ("hint", "code", "request_id", "throttled")}


_BOTOCORES_ERRORS: Final = replaced(CognitoCredentialsError, by=as_botocore_error)
"""Made once, since each signature passes through it."""


class IdentityPoolCredentials(Credentials):  # type: ignore[misc]  # botocore has no types
    """
    What botocore signs with: always the pool's current credentials.

    It may be shared between threads and used after a fork. It never raises while credentials are valid.
    """

    # super().__init__() is not called: it sets, once, the four attributes that are properties here.
    def __init__(self, pool: IdentityPool) -> None:
        self.pool = pool
        self.method = METHOD
        self._signed_with: tuple[TemporaryCredentials | None, ReadOnlyCredentials] = (None, None)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """
        Return key, secret and token of one generation, for one signature.

        Raises:
            botocore.exceptions.CredentialRetrievalError: No credentials are valid, and new ones cannot be
                obtained. It is also a `CognitoCredentialsError`.
        """
        credentials = self._current()
        known, frozen = self._signed_with
        if known is not credentials:
            frozen = ReadOnlyCredentials(
                credentials.access_key_id,
                credentials.secret_access_key.reveal(),
                credentials.session_token.reveal(),
                credentials.account_id,
            )
            # One assignment of one tuple: another thread sees the old pair or the new one, never a mixture.
            self._signed_with = (credentials, frozen)
        return frozen

    @property
    def access_key(self) -> str:
        """The access key id; `get_frozen_credentials` returns it with the secret that belongs to it."""
        return str(self.get_frozen_credentials().access_key)

    @property
    def secret_key(self) -> str:
        """The secret access key."""
        return str(self.get_frozen_credentials().secret_key)

    @property
    def token(self) -> str:
        """The session token."""
        return str(self.get_frozen_credentials().token)

    @property
    def account_id(self) -> str | None:
        """The AWS account, where it is known."""
        return self._current().account_id

    def __reduce__(self) -> tuple[Any, ...]:
        return IdentityPoolCredentials, (self.pool,)

    def __repr__(self) -> str:
        return f"IdentityPoolCredentials({self.pool!r})"

    def _current(self) -> TemporaryCredentials:
        with _BOTOCORES_ERRORS:
            return self.pool.credentials()


class IdentityPoolProvider(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """
    A credential provider for botocore's chain.

    Args:
        session: The botocore session whose profile and environment name the pool.
        pool: The pool, where it is known; then *session* is not looked at.
    """

    METHOD = METHOD
    CANONICAL_NAME = "customCognitoIdentityPool"

    def __init__(
        self, session: botocore.session.Session | None = None, *, pool: IdentityPool | None = None
    ) -> None:
        super().__init__(session)
        self.pool = pool

    def load(self) -> IdentityPoolCredentials | None:
        """
        Return credentials; no network call is made before they are used.

        Returns:
            None when no identity pool is configured: the chain goes on.

        Raises:
            botocore.exceptions.CredentialRetrievalError: A pool is configured, but wrongly.
        """
        if self.pool is not None:
            return IdentityPoolCredentials(self.pool)
        if self.session is None or _has_keys(self.session):
            return None
        with _BOTOCORES_ERRORS:
            pool = _configured_pool(self.session)
        return None if pool is None else IdentityPoolCredentials(pool)


class Session(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """
    A boto3 Session whose credentials come from an identity pool.

    With an identity pool among the arguments, credentials come from that pool alone. Without one, the profile
    or the environment may name a pool; access keys among the arguments win over it. Where nothing names a
    pool, this is boto3's own Session.

    Sessions share the cache on disk. With ``cache="memory"`` each session is another guest: make one
    session, and use it throughout. Like boto3's, a session needs no closing; ``identity_pool.close()`` closes
    idle connections to Cognito, and each client's ``close()`` its own.

    Args:
        args: boto3.Session's own arguments, in its order.
        kwargs: boto3.Session's own arguments, and any setting of `IdentityPool`.

    Raises:
        ConfigurationError: An argument is missing or malformed.
    """

    def __init__(self, *args: Any, **kwargs: Unpack[_SessionArguments]) -> None:
        others: dict[str, Any] = {**kwargs}
        settings = {name: others.pop(name) for name in NAMES.keys() & others.keys()}
        given = {name: value for name, value in settings.items() if value is not None}
        access_key_id = args[0] if args else others.get("aws_access_key_id")
        if access_key_id is not None and given:
            raise ConfigurationError(
                "both access keys and identity pool settings are given",
                hint="Give one or the other",
            )
        super().__init__(*args, **others)
        self.identity_pool: IdentityPool | None = None
        if given:
            self.identity_pool = _replace_chain(self._session, given).pool
        elif access_key_id is None:
            _extend_chain(self._session)


def install(session: botocore.session.Session, **settings: Unpack[Arguments]) -> IdentityPoolProvider:
    """
    Put the provider into *session*'s chain; call it before the session's first use.

    Args:
        settings: Settings of `IdentityPool`. With any, the pool is the only source of credentials. With none,
            the provider reads profile and environment, and stands before ``credential_process`` in the chain.

    Returns:
        The provider.

    Raises:
        ConfigurationError: A setting is malformed.
    """
    return _replace_chain(session, {**settings}) if settings else _extend_chain(session)


def _configured_pool(session: botocore.session.Session) -> IdentityPool | None:
    """Return the pool that *session*'s profile and the environment name; None where they name none."""
    files = {
        "AWS_CONFIG_FILE": session.get_config_variable("config_file") or "",
        "AWS_SHARED_CREDENTIALS_FILE": session.get_config_variable("credentials_file") or "",
    }
    # A view of the process's environment, not a copy: a login in a variable is read at each refresh.
    environ = ChainMap(files, os.environ)
    profile = session.instance_variables().get("profile")
    config = read_config(environ)
    if not is_configured(environ=environ, config=config, profile=profile):
        return None
    settings = load({}, environ=environ, config=config, profile=profile)
    if settings.origins.get("identity_pool_id") in os.environ:
        # A pool that only the environment names does not replace the source that the profile itself names.
        own = _OTHER_SOURCES.intersection(settings.profile_settings)
        if own and "cognito_identity_pool_id" not in settings.profile_settings:
            return None
    load_for_refreshes()
    return pool_of(settings, logins=logins_of(settings, environ))


def _has_keys(session: botocore.session.Session) -> bool:
    """Tell whether the profile in effect has access keys, which then win."""
    name = session.get_config_variable("profile") or "default"
    return "aws_access_key_id" in session.full_config.get("profiles", {}).get(name, {})


def _replace_chain(session: botocore.session.Session, settings: Mapping[str, Any]) -> IdentityPoolProvider:
    pool = IdentityPool(profile_name=session.instance_variables().get("profile"), **settings)
    provider = IdentityPoolProvider(pool=pool)
    session.register_component("credential_provider", CredentialResolver([provider]))
    _default_region(session, pool)
    return provider


def _extend_chain(session: botocore.session.Session) -> IdentityPoolProvider:
    provider = IdentityPoolProvider(session)

    def resolver() -> CredentialResolver:
        region = getattr(session, "_last_client_region_used", None)
        chain = create_credential_resolver(session, region_name=region)
        # Before custom-process, so that no process starts for a profile that has both.
        chain.insert_before("custom-process", provider)
        return chain

    # Lazily: boto3 sets the session's profile later, and a chain built now would be that of another profile.
    session.lazy_register_component("credential_provider", resolver)
    return provider


def _default_region(session: botocore.session.Session, pool: IdentityPool) -> None:
    """Make the pool's region the default of *session*; a configured region wins."""
    configured = session.get_component("config_store")
    configured.set_config_provider(
        "region",
        ChainProvider([configured.get_config_provider("region"), _PoolRegion(pool)]),
    )


class _PoolRegion(ConstantProvider):  # type: ignore[misc]  # botocore has no types
    def __init__(self, pool: IdentityPool) -> None:
        super().__init__(None)
        self._pool = pool

    def provide(self) -> str:
        return self._pool.settings.region

    def __deepcopy__(self, memo: object) -> _PoolRegion:
        return self
