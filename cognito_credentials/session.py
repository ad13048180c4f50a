"""
The ways into botocore and boto3: a credential provider, a drop-in boto3 Session, and `install`.

`botocore_credentials.py` has the credentials that they give, and the errors.
"""

from __future__ import annotations

import logging
import os
from collections import ChainMap
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.configprovider import ChainProvider, ConstantProvider
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    create_credential_resolver,
)
from botocore.exceptions import ConfigParseError

from .botocore_credentials import BOTOCORES_ERRORS, METHOD, IdentityPoolCredentials, as_botocore_error
from .cache.waiting import SingleFlight
from .errors import ConfigurationError, clean, replaced
from .exchange.interruption import drops_frames_on_error
from .pool.pool import IdentityPool
from .regions import is_pool_id
from .settings import checks
from .settings.aws_config import read_config
from .settings.load import NAMES, is_configured, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack  # of the type checker; typing has it since Python 3.11

    from .settings.settings import Arguments

    _Outage = tuple[type[BaseException], ...]

    class _SessionArguments(Arguments, total=False):
        aws_access_key_id: str | None
        aws_secret_access_key: str | None
        aws_session_token: str | None
        aws_account_id: str | None
        region_name: str | None
        botocore_session: botocore.session.Session | None
        profile_name: str | None
        pool: IdentityPool | None


_PROCESS: Final = "credential_process"
_NEXT: Final = "custom-process"
"""Our place in botocore's chain is before this, so that no process starts for a profile that has both."""
_OTHER_SOURCES: Final = frozenset(
    {_PROCESS, "role_arn", "source_profile", "sso_session", "sso_start_url", "login_session"}
)
"""Profile keys by which botocore gets credentials in another way."""
_SOURCES_IN_ENVIRONMENT: Final = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")
"""Variables by which botocore finds credentials before it comes to us."""
_BOTO3S: Final = (
    *("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
    *("region_name", "botocore_session", "profile_name", "aws_account_id"),
)
"""The arguments of boto3.Session, in its order."""

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

    def __init__(
        self,
        session: botocore.session.Session | None = None,
        *,
        pool: IdentityPool | None = None,
        outage: type[BaseException] | tuple[type[BaseException], ...] | None = None,
    ) -> None:
        if isinstance(session, IdentityPool):
            raise ConfigurationError(
                "IdentityPoolProvider got an identity pool as its session",
                hint="Write IdentityPoolProvider(pool=pool)",
            )
        if session is not None:
            _check_session(session, "IdentityPoolProvider")
        super().__init__(session)
        self.pool = _checked_pool(pool, {"outage": outage}, "IdentityPoolProvider")
        self._outage = checks.outage(outage, "outage from argument")
        self._finding = SingleFlight()
        self._found: tuple[str | None, IdentityPool | None] = (None, None)

    def load(self) -> IdentityPoolCredentials | None:
        """
        Return credentials; no network call is made before they are used.

        Returns:
            None when no identity pool is configured: the chain goes on.

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
        self._finding.enter(float("inf"))
        try:
            if _has_keys(self.session):
                return None
            profile = self.session.instance_variables().get("profile")
            found_for, pool = self._found
            if pool is None or found_for != profile:
                with BOTOCORES_ERRORS:
                    pool = _configured_pool(self.session, self._outage)
                self._found = profile, pool
            return pool
        finally:
            self._finding.leave()


class Session(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """
    A boto3 Session whose credentials come from an identity pool.

    With an identity pool among the arguments, credentials come from that pool alone. Without one, the profile
    or the environment may name a pool; access keys among the arguments win over it. Where nothing names a
    pool, this is boto3's own Session. Where no region is configured, the pool's is the default.

    Sessions share the cache on disk. With ``cache="memory"`` each session is another guest: make one
    session, and use it throughout. Like boto3's, a session needs no closing; ``identity_pool.close()`` closes
    idle connections to Cognito, and each client's ``close()`` its own.

    Args:
        args: boto3.Session's own arguments, in its order.
        kwargs: boto3.Session's own arguments; and either any setting of `IdentityPool`, or ``pool=`` with an
            `IdentityPool`, such as one user's of `IdentityPool.for_user`.

    Raises:
        ConfigurationError: An argument is missing or malformed, or stands in another one's place.
    """

    @drops_frames_on_error
    def __init__(self, *args: Any, **kwargs: Unpack[_SessionArguments]) -> None:
        others: dict[str, Any] = {**kwargs}
        settings = {name: others.pop(name) for name in (NAMES.keys() | {"outage"}) & others.keys()}
        pool = _checked_pool(others.pop("pool", None), settings, "Session")
        given, outage = _without_outage(settings)
        has_keys = _check_boto3s(args, others, has_pool=bool(given) or pool is not None)
        self.identity_pool: IdentityPool | None = None
        with replaced(ConfigParseError, by=_mistake_in_config):
            super().__init__(*args, **others)
            if given or pool is not None:
                self.identity_pool = _replace_chain(self._session, given, outage, pool).pool
            elif not has_keys:
                _extend_chain(self._session, outage)


def _mistake_in_config(error: ConfigParseError) -> Exception | None:
    """Say what is wrong in the config file, and in which line: botocore says only that it cannot parse it."""
    try:
        read_config(ChainMap({"AWS_CONFIG_FILE": str(error.kwargs.get("path") or "")}, os.environ))
    except ConfigurationError as mistake:
        return as_botocore_error(mistake)
    return None


@drops_frames_on_error
def install(
    session: botocore.session.Session, pool: IdentityPool | None = None, **settings: Unpack[Arguments]
) -> IdentityPoolProvider:
    """
    Put the provider into *session*'s chain; call it before the session's first use.

    Where no region is configured, the pool's is the default.

    Args:
        session: A botocore session; boto3's takes it as ``boto3.Session(botocore_session=session)``.
        pool: The pool, such as one user's of `IdentityPool.for_user`; then no setting may be given.
        settings: Settings of `IdentityPool`. With a pool, or any but ``outage``, that is the only source of
            credentials. With none, the provider reads profile and environment, and stands before
            ``credential_process`` in the chain.

    Returns:
        The provider.

    Raises:
        ConfigurationError: *session* or *pool* is of another kind, *session* has been used, or a setting is
            malformed.
    """
    _check_session(session, "install()")
    _checked_pool(pool, settings, "install()")
    given, outage = _without_outage(settings)
    if given or pool is not None:
        return _replace_chain(session, given, outage, pool)
    _check_unused(session, but=("explicit", METHOD))
    return _extend_chain(session, outage)


def _without_outage(settings: Mapping[str, Any]) -> tuple[dict[str, Any], _Outage]:
    """Return what is given of *settings*, and ``outage`` apart: it goes with any pool and names none."""
    given = {name: value for name, value in settings.items() if value is not None}
    return given, checks.outage(given.pop("outage", None), "outage from argument")


def _check_session(session: object, taker: str) -> None:
    """Refuse what is no botocore session, or one whose methods are coroutines, before it is half used."""
    inner = getattr(session, "_session", session)  # boto3's, and aioboto3's
    if iscoroutinefunction(getattr(inner, "get_credentials", None)):
        raise ConfigurationError(
            f"{taker} takes a blocking botocore session, and got an asynchronous one, {_kind(session)}",
            hint="Give that session a profile with the line 'credential_process = cognito-credentials "
            "credential-process --profile NAME'",
        )
    if isinstance(session, boto3.Session):
        raise ConfigurationError(
            f"{taker} takes a botocore session, and got boto3's",
            hint="Write cognito_credentials.Session(identity_pool_id=…) in place of boto3.Session(), or give "
            "the botocore.session.Session() that boto3.Session(botocore_session=…) is then made with",
        )
    # By its methods: the AWS CLI has a botocore of its own.
    if not hasattr(session, "lazy_register_component") or isinstance(session, type):
        raise ConfigurationError(
            f"{taker} takes a botocore session, and got {_kind(session)}",
            hint="Write install(botocore.session.Session(), identity_pool_id='us-east-1:…')",
        )


def _checked_pool(pool: object, settings: Mapping[str, Any], taker: str) -> IdentityPool | None:
    """Refuse what is no identity pool, and settings beside one, which has its own."""
    if pool is None:
        return None
    if not isinstance(pool, IdentityPool):
        raise ConfigurationError(
            f"pool of {taker} is {_kind(pool)}, not an IdentityPool",
            hint="Write pool=IdentityPool('us-east-1:…')",
        )
    given = sorted(name for name, value in settings.items() if value is not None)
    if given:
        raise ConfigurationError(
            f"{taker} got both a pool and {', '.join(given)}",
            hint="Give settings to IdentityPool(…), which makes the pool, or to its for_user(…)",
        )
    return pool


def _check_unused(session: botocore.session.Session, *, but: tuple[str, ...] = ()) -> None:
    """Refuse a session that has looked its credentials up already: it would go on with those."""
    found = getattr(session, "_credentials", None)  # asking for them by a public method looks them up
    if found is not None and found.method not in but:
        raise ConfigurationError(
            f"the botocore session has credentials already, from '{clean(found.method, 40)}'",
            hint="Name the identity pool right after the session is made, before it makes its first client",
        )


def _check_boto3s(args: tuple[Any, ...], kwargs: Mapping[str, Any], *, has_pool: bool) -> bool:
    """Check boto3.Session's own arguments for what stands in the wrong place; tell whether keys are given."""
    given = {**dict(zip(_BOTO3S, args, strict=False)), **kwargs}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, IdentityPool):
            raise ConfigurationError(
                f"{name} of Session is an IdentityPool",
                hint="Write Session(pool=…) for an IdentityPool",
            )
        if isinstance(value, str) and is_pool_id(value):
            first = "the first argument of Session, as of boto3's, is aws_access_key_id, and it"
            raise ConfigurationError(
                f"{name if name in kwargs else first} is the id of an identity pool: '{value}'",
                hint=f"Write Session(identity_pool_id='{value}')",
            )
    if "botocore_session" in given:
        _check_session(given["botocore_session"], "botocore_session of Session")
    keys = [name for name in _BOTO3S[:3] if name in given]
    if keys and has_pool:
        raise ConfigurationError(
            "both access keys and identity pool settings are given", hint="Give one or the other"
        )
    if keys and not {"aws_access_key_id", "aws_secret_access_key"} <= given.keys():
        raise ConfigurationError(
            f"{' and '.join(keys)} of Session {'is' if len(keys) == 1 else 'are'} not a whole access key",
            hint="Write identity_pool_id= for an identity pool, profile_name= for a profile, or give both "
            "aws_access_key_id and aws_secret_access_key",
        )
    if has_pool and "aws_account_id" in given:
        raise ConfigurationError(
            "aws_account_id of Session goes with access keys, and none are given",
            hint="Write account_id= for the account of an identity pool",
        )
    return bool(keys)


def _kind(value: object) -> str:
    """Name what was given, and not its value: it may be a secret."""
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    return f"{type(value).__module__.partition('.')[0]}'s {type(value).__qualname__}".removeprefix(
        "builtins's "
    )


def _configured_pool(session: botocore.session.Session, outage: _Outage) -> IdentityPool | None:
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
    pool = IdentityPool(profile_name=profile, environ=environ, outage=outage)
    _ = pool.settings  # what is wrong is said now
    return pool


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


def _replace_chain(
    session: botocore.session.Session,
    settings: Mapping[str, Any],
    outage: _Outage,
    pool: IdentityPool | None,
) -> IdentityPoolProvider:
    _check_unused(session)
    if pool is None:
        profile = session.instance_variables().get("profile")
        pool = IdentityPool(profile_name=profile, outage=outage, **settings)
    provider = IdentityPoolProvider(pool=pool)
    session.register_component("credential_provider", CredentialResolver([provider]))
    _default_region(session, provider)
    return provider


def _extend_chain(session: botocore.session.Session, outage: _Outage) -> IdentityPoolProvider:
    provider = IdentityPoolProvider(session, outage=outage)

    def extended(chain: CredentialResolver) -> CredentialResolver:
        if any(one.METHOD == _NEXT for one in chain.providers):
            chain.insert_before(_NEXT, provider)
            _warn_of_keys(session)
        return chain

    def resolver() -> CredentialResolver:
        region = getattr(session, "_last_client_region_used", None)
        return extended(create_credential_resolver(session, region_name=region))

    # A chain that is built already is the program's: it may have got a cache, or a provider of its own.
    # There is no public way to ask for it without building one.
    built = getattr(getattr(session, "_components", None), "_components", {}).get("credential_provider")
    if built is not None:
        extended(built)
    else:
        # Lazily: boto3 sets the session's profile later, and a chain built now would be another profile's.
        session.lazy_register_component("credential_provider", resolver)
    _default_region(session, provider)
    return provider


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
            if _OTHER_SOURCES.difference({_PROCESS}).intersection(_profile_in_effect(session)[1]):
                return None
        pool = self._provider.find_pool()
        return None if pool is None else pool.settings.region

    def __deepcopy__(self, memo: object) -> _PoolRegion:
        return self
