"""
From arguments, environment and profile to the settings: each is found, and all are checked together.

An argument wins over the environment, and that over the profile, for each setting by itself. Every setting
keeps its origin, so that an error names the place to correct. Only the AWS config file is read.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from ..errors import CacheError, ConfigurationError, clean, near, replaced, shell_word
from ..home import CACHE_NAME, CACHE_VARIABLE, SIGN_INS_NAME, cache_directory, own_directory
from ..secret import Secret
from . import checks
from .aws_config import PROFILE_VARIABLES, about_comment, choose_profile, read_config
from .endpoints import checked_endpoint, configured_endpoint
from .settings import DEFAULT_SESSION_NAME, DEFAULT_USERS_IN_MEMORY, ConfiguredLogins, Settings
from .shared_cache import SharedCache, cache_key, redis_url, requests_per_second

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Names(NamedTuple):
    """The names of one setting; None where it cannot be set there."""

    environment: str | None
    profile_key: str | None


NAMES: Final[Mapping[str, Names]] = {
    "identity_pool_id": Names("AWS_COGNITO_IDENTITY_POOL_ID", "cognito_identity_pool_id"),
    "identity_id": Names("AWS_COGNITO_IDENTITY_ID", "cognito_identity_id"),
    "account_id": Names("AWS_ACCOUNT_ID", "aws_account_id"),
    "logins": Names(None, "cognito_logins"),
    "developer_headers": Names(None, "cognito_developer_headers"),
    "user": Names("AWS_COGNITO_USER", "cognito_user"),
    "flow": Names("AWS_COGNITO_FLOW", "cognito_flow"),
    "custom_role_arn": Names("AWS_COGNITO_CUSTOM_ROLE_ARN", "cognito_custom_role_arn"),
    "role_arn": Names("AWS_COGNITO_ROLE_ARN", "cognito_role_arn"),
    "role_session_name": Names("AWS_COGNITO_ROLE_SESSION_NAME", "cognito_role_session_name"),
    "duration_seconds": Names("AWS_COGNITO_DURATION_SECONDS", "cognito_duration_seconds"),
    "policy": Names("AWS_COGNITO_POLICY", "cognito_policy"),
    "cache": Names("AWS_COGNITO_CACHE", "cognito_cache"),
    "cache_key": Names("AWS_COGNITO_CACHE_KEY", "cognito_cache_key"),
    "requests_per_second": Names("AWS_COGNITO_REQUESTS_PER_SECOND", "cognito_requests_per_second"),
    "users_in_memory": Names("AWS_COGNITO_USERS_IN_MEMORY", "cognito_users_in_memory"),
    # A program's own. AWS_COGNITO_CACHE_DIR moves the cache alone.
    "directory": Names(None, None),
    # botocore's own names, which `endpoints` looks up.
    "endpoint_url": Names(None, None),
    "sts_endpoint_url": Names(None, None),
}
"""Every setting by the name of its argument."""

SIGN_IN_KEYS: Final = (
    *("cognito_user_pool_id", "cognito_client_id", "cognito_domain", "cognito_sign_in"),
    *("cognito_oidc_issuer", "cognito_oidc_client_id", "cognito_oidc_scopes", "cognito_redirect_ports"),
    *("cognito_oidc_client_secret", "cognito_login_provider", "cognito_login_store", "cognito_first_factor"),
)
"""Profile keys of signing in."""

PASSWORD_VARIABLE: Final = "AWS_COGNITO_CACHE_PASSWORD"  # noqa: S105  (its name)
"""The password of a Redis, where its URL has none."""
COMMAND_LINE: Final = "the command line"
"""The origin of what other users of the machine can read."""
URL_SOURCES: Final = ("file", "env", "command")
"""Schemes of the sources that a profile may name in place of the cache's URL."""

_PREFIX: Final = "AWS_COGNITO_"
_ONE_LINE: Final = re.compile(r"[^\s:=]{1,128}\s*=\s*[a-z]+:.*")
"""A login provider name and a source; the one source without a name, ``developer:URL``, has a colon first."""
_ROLE_SETTINGS: Final = {
    "enhanced": ("custom_role_arn",),
    "basic": ("role_arn", "role_session_name", "duration_seconds", "policy"),
}
_CHECKS: Final[Mapping[str, Callable[[object, str], object]]] = {
    **checks.CHECKS,
    "endpoint_url": checked_endpoint,
    "sts_endpoint_url": checked_endpoint,
}


def load(
    arguments: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    profile: str | None = None,
    config: Mapping[str, Any] | None = None,
    origin: str = "argument",
) -> Settings:
    """
    Find all settings, and check them.

    Args:
        arguments: Settings given explicitly, by the names in `NAMES`; None is not given. ``logins`` are
            `ConfiguredLogins`; with anything else there, `Settings.logins` is None.
        environ: The environment; an empty variable is not set.
        profile: The profile asked for explicitly, if any.
        config: The AWS config, as `read_config` returns it; None to read it, and to warn of variables whose
            names resemble those of this package.
        origin: What arguments are called in messages: "argument", "the command line".

    Raises:
        ConfigurationError: There is no identity pool id anywhere, a setting is wrong, settings contradict
            each other, the profile does not exist, or the config file cannot be read.
        CacheError: The user set the file cache, and there is no directory to put it in.
    """
    if config is None:
        config = read_config(environ)
        for variable, meant in near_variables(environ):
            _log.warning("%s is not a setting; did you mean %s?", clean(variable, 60), meant)
    lookup = _Lookup(arguments, environ, config, profile, origin)
    lookup.check_spelling()
    if lookup.find("identity_pool_id") is None:
        raise _no_pool(lookup, origin)
    pool_id, identity_id = _ids(lookup)
    region = pool_id.partition(":")[0]
    flow = lookup.take("flow", checks.flow) or "enhanced"
    cache, cache_dir, sign_in_dir = _places(lookup)
    shared_cache = _shared_cache(lookup)
    settings = Settings(
        identity_pool_id=pool_id,
        region=region,
        identity_id=identity_id,
        account_id=lookup.take("account_id", checks.account_id),
        logins=_logins(lookup),
        user=lookup.take("user", checks.user),
        flow=flow,
        **_roles(lookup, flow, region),
        cache=cache,
        shared_cache=shared_cache,
        cache_dir=cache_dir,
        sign_in_dir=sign_in_dir,
        cache_is_explicit="cache" in lookup.origins or "cache_dir" in lookup.origins,
        users_in_memory=lookup.take("users_in_memory", checks.users_in_memory) or DEFAULT_USERS_IN_MEMORY,
        endpoint_url=_endpoint(lookup, "endpoint_url", "cognito_identity"),
        # The enhanced flow does not call STS, so a configured address of STS need not be acceptable.
        sts_endpoint_url=_endpoint(lookup, "sts_endpoint_url", "sts" if flow == "basic" else None),
        profile=lookup.profile,
        profile_settings=lookup.profile_settings,
        origins=lookup.origins,
    )
    place = cache_dir if cache == "file" else cache
    _log.debug("profile: %s; pool: %s; cache: %s", settings.profile, pool_id, place)
    for name, where in settings.origins.items():
        _log.debug("%s is set by %s", name, where)
    return settings


class ConfiguredCache(NamedTuple):
    """Where credentials and identities are kept, without the pool whose they are."""

    kind: str
    """``file``, ``memory``, or ``redis``."""
    directory: str | None
    """Of a file cache; None where there is no home directory."""
    shared: SharedCache | None


def configured_cache(*, environ: Mapping[str, str], profile: str | None = None) -> ConfiguredCache:
    """
    Find the cache that the environment or the profile names, also where neither names a pool.

    Args:
        environ: The environment; an empty variable is not set.
        profile: The profile asked for explicitly, if any.

    Raises:
        ConfigurationError: The profile does not exist, or a setting of the cache is wrong.
        CacheError: The URL or the key is wrong.
    """
    lookup = _Lookup({}, environ, read_config(environ), profile, "argument")
    kind, directory, _ = _places(lookup)
    return ConfiguredCache(kind, directory, _shared_cache(lookup))


def is_configured(
    *, environ: Mapping[str, str], config: Mapping[str, Any], profile: str | None = None
) -> bool:
    """
    Tell whether the environment or the profile names an identity pool.

    Args:
        environ: The environment; an empty variable is not set.
        config: The AWS config, as `read_config` returns it.
        profile: The profile asked for explicitly, if any.

    Raises:
        ConfigurationError: The profile does not exist.
    """
    return _Lookup({}, environ, config, profile, "argument").find("identity_pool_id") is not None


def check_arguments(
    arguments: Mapping[str, object], *, environ: Mapping[str, str], origin: str = "argument"
) -> dict[str, object]:
    """
    Check each argument by itself, without reading any file; `load` finds contradictions.

    Args:
        arguments: Settings by the names in `NAMES`; None is not given. ``logins`` are not looked at.
        environ: May hold the pool id, on which the partition of a role depends.
        origin: What arguments are called in messages.

    Returns:
        Those that were given.

    Raises:
        ConfigurationError: One is malformed.
        TypeError: No setting has that name.
    """
    no_profile = dict.fromkeys(PROFILE_VARIABLES, "")
    lookup = _Lookup(arguments, {**environ, **no_profile}, {}, None, origin)
    pool_id = lookup.take("identity_pool_id", checks.pool_id)
    region = pool_id.partition(":")[0] if pool_id else None
    given = {name: value for name, value in arguments.items() if value is not None}
    for name, value in given.items():
        where = f"{name} from {origin}"
        if name.endswith("role_arn"):
            checks.role_arn(value, where, region)
        elif name == "directory":
            own_directory(value, where, environ)
        elif name in _CHECKS:
            _CHECKS[name](value, where)
    return given


class _Setting(NamedTuple):
    """A setting as it was given, unchecked."""

    value: object
    origin: str
    """In words: "argument", "AWS_COGNITO_FLOW", "profile 'app'"."""
    is_argument: bool


class _Lookup:
    """
    Finds settings in all their places, and notes the origin of each.

    Args:
        arguments: By the names in `NAMES`; None is not given.
        environ: An empty variable is not set.
        profile: The profile asked for explicitly, if any.
        origin: What arguments are called in messages.

    Raises:
        ConfigurationError: The profile does not exist.
        TypeError: No setting has that name.
    """

    def __init__(
        self,
        arguments: Mapping[str, object],
        environ: Mapping[str, str],
        config: Mapping[str, Any],
        profile: str | None,
        origin: str,
    ) -> None:
        unknown = sorted(set(arguments) - set(NAMES))
        if unknown:
            raise TypeError(f"there is no setting {unknown[0]!r}")
        self.environ = environ
        self.config = config
        self._arguments = arguments
        self._origin = origin
        # A program that names its pool itself needs no profile, whatever AWS_PROFILE is for.
        may_be_missing = arguments.get("identity_pool_id") is not None
        self.profile, self.profile_settings = choose_profile(
            config, environ, profile, may_be_missing=may_be_missing
        )
        self.profile_origin = f"profile '{clean(self.profile or '', 80)}'"
        self.origins: dict[str, str] = {}
        # The logins, user and roles of one pool are not for another: a script that names its own pool under
        # somebody's AWS_PROFILE must not send it the login of that profile.
        self._is_of_another_pool = False
        chosen = self.find("identity_pool_id")
        in_profile = self.profile_settings.get("cognito_identity_pool_id")
        if chosen is not None and in_profile is not None:
            self._is_of_another_pool = chosen.value != in_profile

    def find(self, name: str) -> _Setting | None:
        """Find a setting in the first place that has it."""
        names = NAMES[name]
        if self._arguments.get(name) is not None:
            return _Setting(self._arguments[name], self._origin, True)
        if names.environment and self.environ.get(names.environment, "").strip():
            return _Setting(self.environ[names.environment].strip(), names.environment, False)
        key = names.profile_key
        is_of_another_pool = self._is_of_another_pool and (key or "").startswith("cognito_")
        if key and key in self.profile_settings and not is_of_another_pool:
            return _Setting(self.profile_settings[key], self.profile_origin, False)
        return None

    def take(self, name: str, check: Callable[[object, str], T]) -> T | None:
        """Find a setting, note its origin, and check it; None when it was not given."""
        found = self.find(name)
        if found is None:
            return None
        self.origins[name] = found.origin
        written = found.value if found.origin == self.profile_origin else None
        with replaced(ConfigurationError, by=lambda error: about_comment(error, written)):
            return check(found.value, self.where(name))

    def where(self, name: str) -> str:
        """Name a setting that was found, and its origin."""
        return f"{name} from {self.origins[name]}"

    def sign_in(self) -> dict[str, str]:
        """Return the profile's keys of signing in; none where another pool was chosen than the profile's."""
        if self._is_of_another_pool:
            return {}
        return {
            key: str(self.profile_settings[key]).strip()
            for key in SIGN_IN_KEYS
            if key in self.profile_settings
        }

    def endpoint(self, service: str) -> tuple[str, str] | None:
        """Return the address that is configured for *service*, and its origin; None for AWS's own."""
        return configured_endpoint(
            service,
            environ=self.environ,
            config=self.config,
            profile=self.profile,
            profile_settings=self.profile_settings,
        )

    def check_spelling(self) -> None:
        """Refuse a mistyped profile key: without ``cognito_logins`` a user would be a guest."""
        for key in self.profile_settings:
            meant = meant_key(key)
            if meant is not None:
                raise ConfigurationError(
                    f"{clean(key, 60)} from {self.profile_origin} is not a setting",
                    hint=f"Did you mean {meant}?",
                )


def meant_key(key: str) -> str | None:
    """Return the profile key that *key* was probably meant to be; None where it is right, or not ours."""
    ours = {names.profile_key for names in NAMES.values() if names.profile_key} | set(SIGN_IN_KEYS)
    if key in ours or not key.startswith("cognito"):
        return None
    meant = near(key, ours, cutoff=0.8)
    return meant[0] if meant else None


def _no_pool(lookup: _Lookup, origin: str) -> ConfigurationError:
    found = ((name, lookup.find(name)) for name in NAMES if name != "account_id")
    stray = next((f", though there is {name} from {one.origin}" for name, one in found if one), "")
    hint = _how_to_name_a_pool(lookup, in_python=origin == "argument")
    return ConfigurationError(f"no identity pool is configured{stray}", hint=hint, topic="E-NO-POOL")


def _how_to_name_a_pool(lookup: _Lookup, *, in_python: bool) -> str:
    """Say what was probably meant, in the words of Python or of the command line."""
    mistyped = near_variables(lookup.environ)
    if mistyped:
        return f"Did you mean {mistyped[0][1]} by {mistyped[0][0]}?"
    profiles = lookup.config.get("profiles") or {}
    others = sorted(name for name, values in profiles.items() if "cognito_identity_pool_id" in values)
    if others:
        names = [f"'{clean(name, 60)}'" for name in others[:3]]
        shown = ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]
        choose = f"profile_name={others[0]!r}" if in_python else f"--profile {shell_word(others[0])}"
        if len(others) == 1:
            return f"Profile {shown} has one: choose it with {choose}"
        return f"Profiles {shown} have one: choose one, as with {choose}"
    profile = f"profile '{clean(lookup.profile, 80)}'" if lookup.profile else "a profile"
    last = "give identity_pool_id" if in_python else "give --identity-pool-id"
    return f"Set AWS_COGNITO_IDENTITY_POOL_ID, cognito_identity_pool_id in {profile}, or {last}"


def near_variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """
    Find environment variables whose names resemble those of this package.

    Returns:
        Each with the one that was probably meant. It may belong to another program
        (``AWS_COGNITO_USER_POOL_ID``), so that it is no error.
    """
    ours = {names.environment for names in NAMES.values() if names.environment}
    ours |= {CACHE_VARIABLE, PASSWORD_VARIABLE}
    tails = {name.removeprefix(_PREFIX): name for name in ours if name.startswith(_PREFIX)}
    found = []
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in ours and environ[name].strip():
            meant = near(name.removeprefix(_PREFIX), tails, cutoff=0.8)
            found += [(name, tails[word]) for word in meant]
    return found


def _ids(lookup: _Lookup) -> tuple[str, str | None]:
    """Take the ids of pool and identity, which must be of one region."""
    pool_id = lookup.take("identity_pool_id", checks.pool_id)
    assert pool_id is not None  # noqa: S101  (for the type checker; `load` has found it)
    identity_id = lookup.take("identity_id", checks.pool_id)
    region = pool_id.partition(":")[0]
    if identity_id is not None and identity_id.partition(":")[0] != region:
        raise ConfigurationError(
            f"{lookup.where('identity_id')} is in {identity_id.partition(':')[0]}, "
            f"but {lookup.where('identity_pool_id')} is in {region}",
            hint="An identity is in the region of its pool: correct one, or leave identity_id out",
            topic="E-IDENTITY-ID",
        )
    return pool_id, identity_id


def _logins(lookup: _Lookup) -> ConfiguredLogins | None:
    """Take what the command line, or else the profile with its sign-in keys, says of the logins."""
    found = lookup.find("logins")
    if found is not None and found.is_argument:
        lookup.origins["logins"] = found.origin
        return found.value if isinstance(found.value, ConfiguredLogins) else None
    sign_in = lookup.sign_in()
    if found is None and not sign_in:
        return ConfiguredLogins()
    lookup.origins["logins"] = lookup.profile_origin
    headers = lookup.find("developer_headers")
    return ConfiguredLogins(
        origin=lookup.profile_origin,
        sources={} if found is None else _source_texts(found),
        developer_headers=None if headers is None else (str(headers.value), headers.origin),
        sign_in=sign_in,
        user_pools_endpoint=lookup.endpoint("cognito_identity_provider") if sign_in else None,
    )


def _source_texts(found: _Setting) -> dict[str | None, str]:
    value = {None: found.value} if isinstance(found.value, str) and found.value.strip() else found.value
    if not isinstance(value, Mapping) or not value:
        raise ConfigurationError(
            f"cognito_logins from {found.origin} is empty",
            hint="Write '  accounts.google.com = file:/path' below it, or remove it for guest access",
            topic="E-LOGIN-SOURCE",
        )
    if isinstance(found.value, str) and _ONE_LINE.fullmatch(found.value.strip()):
        raise ConfigurationError(
            f"cognito_logins from {found.origin} has its login on the same line",
            hint="Write each login below it, on an indented line: '  PROVIDER = SOURCE'",
            topic="E-LOGIN-SOURCE",
        )
    return {name: str(text) for name, text in value.items()}


def _roles(lookup: _Lookup, flow: str, region: str) -> dict[str, Any]:
    """Take the settings of *flow*, and refuse those of the other one."""
    other = "enhanced" if flow == "basic" else "basic"
    for name in _ROLE_SETTINGS[other]:
        found = lookup.find(name)
        if found is not None:
            instead = "role_arn" if flow == "basic" else "custom_role_arn"
            or_use = f", use {instead}" if name.endswith("role_arn") else ""
            raise ConfigurationError(
                f"{name} from {found.origin} is of the {other} flow, and the flow here is {flow}",
                hint=f"Set flow={other}{or_use}, or remove {name}",
                topic="E-FLOW",
            )

    def arn(value: object, where: str) -> str:
        return checks.role_arn(value, where, region)

    role_arn = lookup.take("role_arn", arn)
    if flow == "basic" and role_arn is None:
        raise ConfigurationError(
            f"{lookup.where('flow')} is basic, which needs role_arn",
            hint="Set role_arn to the ARN of the role to assume, or leave flow out",
            topic="E-FLOW",
        )
    session_name = lookup.take("role_session_name", checks.role_session_name)
    return {
        "custom_role_arn": lookup.take("custom_role_arn", arn),
        "role_arn": role_arn,
        "role_session_name": session_name or DEFAULT_SESSION_NAME,
        "duration_seconds": lookup.take("duration_seconds", checks.duration_seconds),
        "policy": lookup.take("policy", checks.policy),
    }


def _places(lookup: _Lookup) -> tuple[str, str | None, str | None]:
    """
    Take the kind of cache, and the directories of a file cache and, where a program has one, of its sign-ins.
    """
    found = lookup.find("cache")
    if found is not None and _is_source(found, lookup):
        lookup.origins["cache"] = found.origin
        cache: str | None = "redis"
    else:
        cache = lookup.take("cache", checks.cache)
    own = lookup.take("directory", lambda value, where: own_directory(value, where, lookup.environ))
    if own is not None:
        lookup.origins["cache_dir"] = lookup.origins["directory"]
        return cache or "file", os.path.join(own, CACHE_NAME), os.path.join(own, SIGN_INS_NAME)
    directory = cache_directory(lookup.environ)
    if lookup.environ.get(CACHE_VARIABLE):
        lookup.origins["cache_dir"] = CACHE_VARIABLE
    if cache == "file" and directory is None:
        raise CacheError(
            f"{lookup.where('cache')} is 'file', but there is no home directory to put it in",
            hint=f"Set {CACHE_VARIABLE}, or use cache=memory",
        )
    return cache or "file", directory, None


def _shared_cache(lookup: _Lookup) -> SharedCache | None:
    """Take the settings of a cache in Redis or Valkey; None where the cache is another one."""
    found = lookup.find("cache")
    rates = lookup.take("requests_per_second", requests_per_second) or {}
    key = lookup.find("cache_key")
    key_is_source = key is not None and key.origin == lookup.profile_origin
    if not key_is_source:
        lookup.take("cache_key", cache_key)
    if found is None or found.value in checks.CACHES:
        return None
    if key is not None:
        lookup.origins["cache_key"] = key.origin
    url = _secret(found.value)
    is_source = _is_source(found, lookup)
    if found.is_argument and found.origin == COMMAND_LINE and redis_url(url, "").password is not None:
        raise CacheError(
            f"{lookup.where('cache')} has a password in it, which other users of this machine can read",
            hint=f"Set {PASSWORD_VARIABLE}, or give the URL in AWS_COGNITO_CACHE",
            topic="E-REDIS",
        )
    password = lookup.environ.get(PASSWORD_VARIABLE)
    return SharedCache(
        url=url,
        url_where=lookup.where("cache"),
        url_is_source=is_source,
        password=Secret(password) if password else None,
        key=None if key is None else _secret(key.value) if key_is_source else cache_key(key.value, ""),
        key_where="" if key is None else lookup.where("cache_key"),
        key_is_source=key_is_source,
        requests_per_second=rates,
    )


def _secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value))


def _is_source(found: _Setting, lookup: _Lookup) -> bool:
    """Tell whether a profile names a source of the URL, which may hold a password, in place of the URL."""
    scheme, colon, _ = str(found.value).partition(":")
    return found.origin == lookup.profile_origin and bool(colon) and scheme in URL_SOURCES


def _endpoint(lookup: _Lookup, name: str, service: str | None) -> str | None:
    """Take an endpoint: the argument, or what is configured for *service*."""
    argument = lookup.find(name)
    if argument is not None:
        value, origin = argument.value, argument.origin
    else:
        configured = None if service is None else lookup.endpoint(service)
        if configured is None:
            return None
        value, origin = configured
    lookup.origins[name] = origin
    return checked_endpoint(value, lookup.where(name))
