"""
Which identity pool, which flow, who, and where to remember: resolved and checked once, then frozen.

Argument before environment before profile, for each setting on its own; each remembers where it came
from, so that whatever is said about it later can name the place to correct.

Only `load` reads a file, and nothing here asks for a login token.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..digest import digest
from ..errors import ConfigurationError, clean
from . import checks
from .aws_config import PROFILE_VARIABLES, read_config
from .endpoints import checked_endpoint
from .lookup import NAMES, SIGN_IN_KEYS, Given, near_variables
from .resolution import (
    DEFAULT_SESSION_NAME,
    ConfiguredLogins,
    cache_directory,
    take_cache,
    take_endpoint,
    take_ids,
    take_logins,
    take_roles,
)

__all__ = [
    "NAMES",
    "SIGN_IN_KEYS",
    "ConfiguredLogins",
    "Settings",
    "cache_directory",
    "check_arguments",
    "is_configured",
    "load",
]

_log = logging.getLogger(__name__)
KEY_LENGTH: Final = 40
_KEY_SCHEMA: Final = "1"
_ENDPOINTS: Final = ("endpoint_url", "sts_endpoint_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One identity pool and all that is needed to get credentials from it; make it with `load`."""

    identity_pool_id: str
    region: str
    """The pool's, from its id; the region of the user's own services may be another."""
    identity_id: str | None = None
    account_id: str | None = None
    logins: ConfiguredLogins | None = field(default_factory=ConfiguredLogins, repr=False)
    """What the profile or the command line says of the logins; None where a program gives its own."""
    user: str | None = None
    flow: str = "enhanced"
    custom_role_arn: str | None = None
    role_arn: str | None = None
    """Set exactly when the flow is basic; the three that follow are the basic flow's too."""
    role_session_name: str = DEFAULT_SESSION_NAME
    duration_seconds: int | None = None
    """None for what the service takes: an hour."""
    policy: str | None = None
    cache: str = "file"
    cache_dir: str | None = None
    """Absolute; None when there is no place on disk, then memory has to do."""
    cache_is_explicit: bool = False
    """Whether somebody asked for this cache or directory, so that it must not be replaced in silence."""
    endpoint_url: str | None = None
    """Cognito Identity's; None for AWS's own."""
    sts_endpoint_url: str | None = None
    profile: str | None = None
    """The profile in effect; None when there is none."""
    profile_settings: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """All of its keys but AWS keys, for what botocore's own client takes from a profile."""
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Setting to where it was set, in words; those left at their default are not in it."""

    def identity_key(self, principal: str) -> str:
        """
        Name the cache entry of this principal's identity id; 40 hexadecimal characters.

        The account is not in it: a pool has one, and learning it later must not orphan an identity. Neither
        are partition and region: the pool id begins with them.

        Args:
            principal: Of `Logins.principal` or `ResolvedLogins.principal`.
        """
        parts = ("identity", _KEY_SCHEMA, self.endpoint_url, self.identity_pool_id, principal)
        return digest(*parts)[:KEY_LENGTH]

    def credentials_key(self, principal: str, providers: Iterable[str | None] = ()) -> str:
        """
        Name the cache entry of this principal's credentials; 40 hexadecimal characters.

        Whatever can make the service answer with other credentials is in it.

        Args:
            principal: Of `Logins.principal` or `ResolvedLogins.principal`.
            providers: The login provider names, in any order; None for "as the token says".
        """
        names = digest(*sorted(name or "" for name in providers))
        return digest(
            *("credentials", _KEY_SCHEMA, self.endpoint_url, self.identity_pool_id, principal),
            *(names, self.identity_id, self.account_id, self.flow, self.custom_role_arn),
            *(self.role_arn, self.role_session_name, self.policy, self.sts_endpoint_url),
            None if self.duration_seconds is None else str(self.duration_seconds),
        )[:KEY_LENGTH]


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
        config: The AWS config, as `read_config` returns it; None to read it.
        origin: What arguments are called in messages: "argument", "the command line".

    Raises:
        ConfigurationError: There is no identity pool id anywhere, a setting is wrong, settings contradict
            each other, the profile does not exist, or the config file cannot be read.
        CacheError: The file cache was asked for, and there is no directory to put it in.
    """
    if config is None:
        config = read_config(environ)
        for variable, meant in near_variables(environ):
            _log.warning("%s is not a setting; did you mean %s?", clean(variable, 60), meant)
    given = Given(arguments, environ, config, profile, origin)
    if given.find("identity_pool_id"):
        return _settings(given)
    given.check_spelling()
    found = ((name, given.find(name)) for name in NAMES if name != "account_id")
    stray = next((f", though there is {name} from {one.origin}" for name, one in found if one), "")
    raise ConfigurationError(
        f"no identity pool is configured{stray}", hint=_how_to_name_a_pool(given, origin)
    )


def is_configured(
    *, environ: Mapping[str, str], config: Mapping[str, Any], profile: str | None = None
) -> bool:
    """
    Tell whether the environment or the profile names an identity pool; otherwise nobody asked for us.

    Args:
        environ: As for `load`.
        config: The AWS config, as `read_config` returns it.
        profile: The profile asked for explicitly, if any.

    Raises:
        ConfigurationError: The profile does not exist.
    """
    return Given({}, environ, config, profile, "argument").find("identity_pool_id") is not None


def _how_to_name_a_pool(given: Given, origin: str) -> str:
    """Say what was probably meant, in the words of Python or of the command line."""
    mistyped = near_variables(given.environ)
    if mistyped:
        return f"Did you mean {mistyped[0][1]} by {mistyped[0][0]}?"
    in_python = origin == "argument"
    others = given.profiles_with_a_pool()
    if others:
        names = [f"'{clean(name, 60)}'" for name in others[:3]]
        shown = ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]
        choose = f"profile_name={others[0]!r}" if in_python else f"--profile '{clean(others[0], 60)}'"
        if len(others) == 1:
            return f"Profile {shown} has one: choose it with {choose}"
        return f"Profiles {shown} have one: choose one, as with {choose}"
    profile = f"profile '{clean(given.profile, 80)}'" if given.profile else "a profile"
    last = "give identity_pool_id" if in_python else "give --identity-pool-id"
    return f"Set AWS_COGNITO_IDENTITY_POOL_ID, cognito_identity_pool_id in {profile}, or {last}"


def check_arguments(arguments: Mapping[str, object], *, environ: Mapping[str, str]) -> dict[str, object]:
    """
    Check each argument by itself, without reading any file; `load` finds contradictions.

    Args:
        arguments: Settings by the names in `NAMES`; None is not given.
        environ: Where the pool id may be, on which the partition of a role depends.

    Returns:
        Those that were given.

    Raises:
        ConfigurationError: One is malformed. ``logins`` are not looked at.
    """
    no_profile = dict.fromkeys(PROFILE_VARIABLES, "")
    given = Given(arguments, {**environ, **no_profile}, {}, None, "argument")
    pool_id = given.take("identity_pool_id", checks.pool_id)
    region = pool_id.partition(":")[0] if pool_id else None
    for name, value in arguments.items():
        if value is None:
            continue
        where = f"{name} from argument"
        if name in _ENDPOINTS:
            checked_endpoint(value, where)
        elif name.endswith("role_arn"):
            checks.role_arn(value, where, region)
        elif name in checks.CHECKS:
            checks.CHECKS[name](value, where)
    return {name: value for name, value in arguments.items() if value is not None}


def _settings(given: Given) -> Settings:
    """Build the settings; there is a pool id."""
    given.check_spelling()
    pool_id, identity_id = take_ids(given)
    region = pool_id.partition(":")[0]
    flow = given.take("flow", checks.flow) or "enhanced"
    cache, cache_dir = take_cache(given)
    settings = Settings(
        identity_pool_id=pool_id,
        region=region,
        identity_id=identity_id,
        account_id=given.take("account_id", checks.account_id),
        logins=take_logins(given),
        user=given.take("user", checks.user),
        flow=flow,
        **take_roles(given, flow, region),
        cache=cache,
        cache_dir=cache_dir,
        cache_is_explicit="cache" in given.origins or "cache_dir" in given.origins,
        endpoint_url=take_endpoint(given, "endpoint_url", "cognito_identity"),
        # The enhanced flow does not call STS: an address meant for others is not ours to judge.
        sts_endpoint_url=take_endpoint(given, "sts_endpoint_url", "sts" if flow == "basic" else None),
        profile=given.profile,
        profile_settings=given.profile_settings,
        origins=given.origins,
    )
    where = cache_dir if cache == "file" else cache
    _log.debug("profile: %s; pool: %s; cache: %s", settings.profile, pool_id, where)
    for name, origin in settings.origins.items():
        _log.debug("%s is set by %s", name, origin)
    return settings
