"""
The provider, and its place in the chain of a botocore session.

It serves botocore's sessions and those of aiobotocore, which are a subclass; `adapters/aiobotocore.py` has
what is different there.
"""

from __future__ import annotations

import logging
import os
from collections import ChainMap
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final

from botocore.configprovider import ChainProvider, ConstantProvider
from botocore.credentials import CredentialProvider, CredentialResolver

from .botocore_credentials import BOTOCORES_ERRORS, METHOD, IdentityPoolCredentials
from .cache.waiting import SingleFlight
from .errors import ConfigurationError, clean
from .pool.configured import OTHER_SOURCES, PROCESS, configured_pool
from .pool.pool import IdentityPool
from .settings import checks

if TYPE_CHECKING:
    from collections.abc import Mapping

    import botocore.session

    Outage = tuple[type[BaseException], ...]

_NEXT: Final = "custom-process"
"""Our place in botocore's chain is before this, so that no process starts for a profile that has both."""
_SOURCES_IN_ENVIRONMENT: Final = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")
"""Variables by which botocore finds credentials before it comes to us."""
_BOTO3: Final = (
    "Write cognito_credentials.Session(identity_pool_id=…) in place of boto3.Session(), or give the "
    "botocore.session.Session() that boto3.Session(botocore_session=…) is then made with"
)
_AIOBOTO3: Final = (
    "Give the aiobotocore.session.AioSession() that aioboto3.Session(botocore_session=…) is then made with"
)

_log = logging.getLogger(__name__)


class IdentityPoolProvider(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """
    A credential provider for botocore's chain.

    Args:
        session: The botocore session whose profile and environment name the pool.
        pool: The pool, where it is known; then *session* is not looked at.
        outage: `IdentityPool`'s *outage*, for the pool that *session* names.

    Raises:
        ConfigurationError: *session* is no botocore session, *pool* no identity pool, or *outage* malformed.
    """

    METHOD = METHOD
    CANONICAL_NAME = "customCognitoIdentityPool"

    is_async = False
    """Whether it is for a session whose methods are coroutines."""
    pool_classes: tuple[type[Any], ...] = (IdentityPool,)
    """The kinds of pool that it takes."""
    chain_class: type[Any] = CredentialResolver
    """botocore's chain, of which it is a link."""

    def __init__(
        self,
        session: botocore.session.Session | None = None,
        *,
        pool: IdentityPool | None = None,
        outage: type[BaseException] | tuple[type[BaseException], ...] | None = None,
    ) -> None:
        name = type(self).__name__
        if isinstance(session, self.pool_classes):
            raise ConfigurationError(
                f"{name} got an identity pool as its session",
                hint=f"Write {name}(pool=pool)",
                topic="E-ARGUMENT",
            )
        if session is not None:
            check_session(session, name, is_async=self.is_async)
        super().__init__(session)
        self.pool: IdentityPool | None = checked_pool(pool, {"outage": outage}, name, type(self))
        self._outage = checks.outage(outage, "outage from argument")
        self._finding = SingleFlight()
        self._found: tuple[str | None, IdentityPool | None] = (None, None)

    def load(self) -> IdentityPoolCredentials | None:
        """
        Return credentials; no network call is made before they are used.

        Returns:
            None when no identity pool is configured, so that the chain goes on.

        Raises:
            botocore.exceptions.CredentialRetrievalError: A pool is configured, but wrongly.
        """
        pool = self.find_pool()
        return None if pool is None else IdentityPoolCredentials(pool)

    def find_pool(self) -> IdentityPool | None:
        """
        Return the pool that was given, or the one that the session's profile and environment name.

        None where the profile has access keys, which win. Threads that use a session for the first time
        together, and the session's region, get the same pool.

        Raises:
            botocore.exceptions.CredentialRetrievalError: A pool is configured, but wrongly.
        """
        if self.pool is not None or self.session is None:
            return self.pool
        with self._finding.turn(float("inf")):
            if _has_keys(self.session):
                return None
            profile = self.session.instance_variables().get("profile")
            found_for, pool = self._found
            if pool is None or found_for != profile:
                with BOTOCORES_ERRORS:
                    pool = _configured_pool(self.session, self._outage)
                self._found = profile, pool
            return pool


def check_session(session: object, taker: str, *, is_async: bool | None = None) -> None:
    """
    Refuse what is no botocore session, before it is half used.

    Args:
        session: What was given.
        taker: Who got it, for messages.
        is_async: Whether the session's methods must be coroutines, as aiobotocore's are; None for either.
    """
    modules = {kind.__module__.partition(".")[0] for kind in type(session).__mro__}
    if "boto3" in modules:
        raise ConfigurationError(
            f"{taker} takes a botocore session, and got {kind_of(session).partition(' ')[0]}",
            hint=_AIOBOTO3 if is_asynchronous(getattr(session, "_session", None)) else _BOTO3,
            topic="E-ARGUMENT",
        )
    got_async = is_asynchronous(session)
    # By its methods: the AWS CLI has a botocore of its own.
    is_one = hasattr(session, "lazy_register_component") and not isinstance(session, type)
    if not is_one or (got_async and "aiobotocore" not in modules):
        raise ConfigurationError(
            f"{taker} takes a botocore session, and got {kind_of(session)}",
            hint="Write install(botocore.session.Session(), identity_pool_id='us-east-1:…')",
            topic="E-ARGUMENT",
        )
    if is_async is not None and is_async != got_async:
        wanted, got = ("an asynchronous", "a blocking") if is_async else ("a blocking", "an asynchronous")
        raise ConfigurationError(
            f"{taker} takes {wanted} botocore session, and got {got} one, {kind_of(session)}",
            hint="Write install(session, …), which takes both; give an asynchronous session to "
            "aioboto3.Session(botocore_session=…), a blocking one to boto3.Session(botocore_session=…)",
            topic="E-ARGUMENT",
        )


def is_asynchronous(session: object) -> bool:
    """Tell whether *session* is a botocore session whose methods are coroutines, as aiobotocore's are."""
    return iscoroutinefunction(getattr(session, "get_credentials", None))


def checked_pool(
    pool: object, settings: Mapping[str, Any], taker: str, provider: type[IdentityPoolProvider]
) -> Any:
    """Refuse what is no identity pool that *provider* takes, and settings beside one, which has its own."""
    if pool is None:
        return None
    if not isinstance(pool, provider.pool_classes):
        name = provider.pool_classes[0].__name__
        is_async = isinstance(getattr(pool, "pool", None), provider.pool_classes)
        raise ConfigurationError(
            f"pool of {taker} is {kind_of(pool)}, not an {name}",
            hint="Give its attribute `pool`, the same pool for threads"
            if is_async
            else f"Write pool={name}('us-east-1:…')",
            topic="E-ARGUMENT",
        )
    given = sorted(name for name, value in settings.items() if value is not None)
    if given:
        raise ConfigurationError(
            f"{taker} got both a pool and {', '.join(given)}",
            hint="Give settings to IdentityPool(…), which makes the pool, or to its for_user(…)",
            topic="E-ARGUMENT",
        )
    return pool


def kind_of(value: object) -> str:
    """Name what was given, and not its value: it may be a secret."""
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    return f"{type(value).__module__.partition('.')[0]}'s {type(value).__qualname__}".removeprefix(
        "builtins's "
    )


def check_unused(session: botocore.session.Session, *, but: tuple[str, ...] = ()) -> None:
    """Refuse a session that has looked its credentials up already: it would go on with those."""
    found = getattr(session, "_credentials", None)  # asking for them by a public method looks them up
    if found is not None and found.method not in but:
        raise ConfigurationError(
            f"the botocore session has credentials already, from '{clean(found.method, 40)}'",
            hint="Name the identity pool right after the session is made, before it makes its first client",
            topic="E-ARGUMENT",
        )


def replace_chain(
    session: botocore.session.Session,
    kind: type[IdentityPoolProvider],
    settings: Mapping[str, Any],
    outage: Outage,
    pool: IdentityPool | None,
) -> IdentityPoolProvider:
    """
    Make *pool* the only source of *session*'s credentials.

    Args:
        session: Not used yet.
        kind: The provider.
        settings: Of the pool, where *pool* is None.
        outage: The same.
        pool: Checked.
    """
    check_unused(session)
    if pool is None:
        profile = session.instance_variables().get("profile")
        pool = IdentityPool(profile_name=profile, outage=outage, **settings)
    provider = kind(pool=pool)
    session.register_component("credential_provider", kind.chain_class([provider]))
    _default_region(session, provider)
    return provider


def extend_chain(
    session: botocore.session.Session, kind: type[IdentityPoolProvider], outage: Outage
) -> IdentityPoolProvider:
    """Put a provider that reads profile and environment into *session*'s chain, before `_NEXT`."""
    provider = kind(session, outage=outage)

    def extended(chain: CredentialResolver) -> CredentialResolver:
        if any(one.METHOD == _NEXT for one in chain.providers):
            chain.insert_before(_NEXT, provider)
            _warn_of_keys(session)
        return chain

    # A chain that is built already is the program's: it may have got a cache, or a provider of its own.
    # There is no public way to ask for it without building one, nor to have the session build its own.
    built = getattr(getattr(session, "_components", None), "_components", {}).get("credential_provider")
    if built is not None:
        extended(built)
    else:
        # Lazily: boto3 sets the session's profile later, and a chain built now would be another profile's.
        build = session._create_credential_resolver  # noqa: SLF001  (botocore has no public way)
        session.lazy_register_component("credential_provider", lambda: extended(build()))
    _default_region(session, provider)
    return provider


def _configured_pool(session: botocore.session.Session, outage: Outage) -> IdentityPool | None:
    """Return the pool that *session*'s profile and the environment name; None where they name none."""
    files = {
        "AWS_CONFIG_FILE": session.get_config_variable("config_file") or "",
        "AWS_SHARED_CREDENTIALS_FILE": session.get_config_variable("credentials_file") or "",
    }
    # A view of the process's environment, not a copy: a login in a variable is read at each refresh.
    environ = ChainMap(files, os.environ)
    profile = session.instance_variables().get("profile")
    return configured_pool(environ=environ, profile=profile, outage=outage)


def _profile_in_effect(session: botocore.session.Session) -> tuple[str, Mapping[str, Any]]:
    name = session.get_config_variable("profile") or "default"
    return name, session.full_config.get("profiles", {}).get(name, {})


def _has_keys(session: botocore.session.Session) -> bool:
    """Tell whether the profile in effect has access keys, which then win."""
    return "aws_access_key_id" in _profile_in_effect(session)[1]


def _warn_of_keys(session: botocore.session.Session) -> None:
    """Say that a profile's identity pool is not used, since the same profile has access keys."""
    name, values = _profile_in_effect(session)
    if {"aws_access_key_id", "cognito_identity_pool_id"} <= values.keys():
        _log.warning(
            "profile '%s' has an access key beside its identity pool: the key is used, the pool is not; "
            "remove aws_access_key_id from the profile in the AWS config and credentials files",
            clean(name, 80),
        )


def _default_region(session: botocore.session.Session, provider: IdentityPoolProvider) -> None:
    """Make the pool's region the default of *session*; a configured region wins."""
    configured = session.get_component("config_store")
    configured.set_config_provider(
        "region",
        ChainProvider([configured.get_config_provider("region"), _PoolRegion(provider)]),
    )


class _PoolRegion(ConstantProvider):  # type: ignore[misc]  # botocore has no types
    """The region of the provider's pool, where credentials are going to come from that."""

    def __init__(self, provider: IdentityPoolProvider) -> None:
        super().__init__(None)
        self._provider = provider

    def provide(self) -> str | None:
        session = self._provider.session
        if session is not None:
            # Found in the environment or a profile: other sources of credentials come first.
            is_environment_read = session.instance_variables().get("profile") is None
            if is_environment_read and any(os.environ.get(name) for name in _SOURCES_IN_ENVIRONMENT):
                return None
            if OTHER_SOURCES.difference({PROCESS}).intersection(_profile_in_effect(session)[1]):
                return None
        pool = self._provider.find_pool()
        return None if pool is None else pool.settings.region

    def __deepcopy__(self, memo: object) -> _PoolRegion:
        return self
