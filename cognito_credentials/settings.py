"""
Which identity pool, which flow, who, and where to remember: resolved and checked once, then frozen.

Argument before environment before profile, for each setting on its own; each remembers where it came
from, so that whatever is said about it later can name the place to correct.

Imports `lookup`, `configuration`, `endpoints`, `shapes` and `logins`; reads no file and calls nobody.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from . import shapes
from .configuration import expand_user, home_directory
from .endpoints import checked_endpoint, configured_endpoint
from .errors import CacheError, ConfigurationError, clean
from .logins import Logins
from .logins.claims import digest
from .lookup import NAMES, SIGN_IN_KEYS, Given

DEFAULT_SESSION_NAME: Final = "cognito-credentials"
KEY_LENGTH: Final = 40
_KEY_SCHEMA: Final = "1"
_ROLE_SETTINGS: Final = {
    "enhanced": ("custom_role_arn",),
    "basic": ("role_arn", "role_session_name", "duration_seconds", "policy"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One identity pool and all that is needed to get credentials from it; make it with `resolve`."""

    identity_pool_id: str
    region: str
    """The pool's, from its id; the region of the user's own services may be another."""
    identity_id: str | None = None
    account_id: str | None = None
    logins: Logins = field(default_factory=Logins)
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

    def credentials_key(self, principal: str) -> str:
        """
        Name the cache entry of this principal's credentials; 40 hexadecimal characters.

        Whatever can make the service answer with other credentials is in it.

        Args:
            principal: Of `Logins.principal` or `ResolvedLogins.principal`.
        """
        providers = sorted(name or "" for name in self.logins.providers)
        return digest(
            *("credentials", _KEY_SCHEMA, self.endpoint_url, self.identity_pool_id, principal),
            *(digest(*providers), self.identity_id, self.account_id, self.flow, self.custom_role_arn),
            *(self.role_arn, self.role_session_name, self.policy, self.sts_endpoint_url),
            None if self.duration_seconds is None else str(self.duration_seconds),
        )[:KEY_LENGTH]


def resolve(
    arguments: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    config: Mapping[str, Any],
    profile: str | None = None,
    origin: str = "argument",
) -> Settings | None:
    """
    Resolve all settings, and check them.

    Args:
        arguments: Settings given explicitly, by the names in `NAMES`; None is not given.
        environ: The environment; an empty variable is not set.
        config: The AWS config, as `read_config` or a botocore session's ``full_config`` has it.
        profile: The profile asked for explicitly, if any.
        origin: What arguments are called in messages: "argument", "the command line".

    Returns:
        The settings; None when there is no identity pool id anywhere: then nobody asked for us.

    Raises:
        ConfigurationError: A setting is wrong, settings contradict each other, or the profile does not exist.
        CacheError: The file cache was asked for, and there is no directory to put it in.
    """
    given = Given(arguments, environ, config, profile, origin)
    return _settings(given) if given.find("identity_pool_id") else None


def require(
    arguments: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    config: Mapping[str, Any],
    profile: str | None = None,
    origin: str = "argument",
) -> Settings:
    """
    Resolve all settings where they are needed; the same as `resolve` but for its None.

    Raises:
        ConfigurationError: There is no identity pool id anywhere, or what `resolve` raises.
        CacheError: As in `resolve`.
    """
    given = Given(arguments, environ, config, profile, origin)
    if given.find("identity_pool_id"):
        return _settings(given)
    given.check_spelling()
    found = ((name, given.find(name)) for name in NAMES if name != "account_id")
    stray = next((f", though there is {name} from {one.origin}" for name, one in found if one), "")
    shown = f"profile '{clean(given.profile, 80)}'" if given.profile else "a profile"
    raise ConfigurationError(
        f"no identity pool is configured{stray}",
        hint=f"set AWS_COGNITO_IDENTITY_POOL_ID, cognito_identity_pool_id in {shown}, or --identity-pool-id",
    )


def cache_directory(environ: Mapping[str, str], *, is_windows: bool = os.name == "nt") -> str | None:
    """
    Say where records are kept: ``AWS_COGNITO_CACHE_DIR``, or a place under the user's home.

    Returns:
        An absolute path; None when *environ* names no home.
    """
    given = environ.get("AWS_COGNITO_CACHE_DIR")
    if given:
        return os.path.abspath(expand_user(given, environ))
    if is_windows:
        # Local, not roaming: credentials must not be copied to a server with the profile.
        local = environ.get("LOCALAPPDATA", "")
        return ntpath.join(local, "cognito-credentials", "cache") if ntpath.isabs(local) else None
    home = home_directory(environ)
    return os.path.join(home, ".aws", "cognito", "cache") if home else None


def _settings(given: Given) -> Settings:
    """Build the settings; there is a pool id."""
    given.check_spelling()
    pool_id, identity_id = _ids(given)
    region = pool_id.partition(":")[0]
    flow = given.take("flow", shapes.flow) or "enhanced"
    cache, cache_dir = _cache(given)
    return Settings(
        identity_pool_id=pool_id,
        region=region,
        identity_id=identity_id,
        account_id=given.take("account_id", shapes.account_id),
        logins=_logins(given),
        user=given.take("user", shapes.user),
        flow=flow,
        **_roles(given, flow, region),
        cache=cache,
        cache_dir=cache_dir,
        cache_is_explicit="cache" in given.origins or "cache_dir" in given.origins,
        endpoint_url=_endpoint(given, "endpoint_url", "cognito_identity"),
        # The enhanced flow does not call STS: an address meant for others is not ours to judge.
        sts_endpoint_url=_endpoint(given, "sts_endpoint_url", "sts" if flow == "basic" else None),
        profile=given.profile,
        profile_settings=given.profile_settings,
        origins=given.origins,
    )


def _ids(given: Given) -> tuple[str, str | None]:
    """Take the ids of pool and identity, of one region."""
    pool_id = given.take("identity_pool_id", shapes.pool_id)
    assert pool_id is not None  # noqa: S101  (for the type checker; the callers have looked)
    identity_id = given.take("identity_id", shapes.pool_id)
    region = pool_id.partition(":")[0]
    if identity_id is not None and identity_id.partition(":")[0] != region:
        raise ConfigurationError(
            f"{given.where('identity_id')} is in {identity_id.partition(':')[0]}, "
            f"but {given.where('identity_pool_id')} is in {region}",
            hint="an identity is in the region of its pool: correct one, or leave identity_id out",
        )
    return pool_id, identity_id


def _logins(given: Given) -> Logins:
    found = given.find("logins")
    if found is None:
        sign_in = next((key for key in SIGN_IN_KEYS if key in given.profile_settings), None)
        if sign_in:
            # Going on would be as a guest, and this profile is of a user.
            raise ConfigurationError(
                f"{sign_in} from {given.profile_origin}: signing in is not available in this version",
                hint="set cognito_logins, or remove the key for guest access",
            )
        return Logins()
    given.origins["logins"] = found.origin
    if found.is_argument:
        return found.value if isinstance(found.value, Logins) else Logins.of(found.value, origin=found.origin)
    # The process's own environment is looked up anew each time, and is no part of a pickle.
    environ = None if given.environ is os.environ else given.environ
    return Logins.parse(found.value, origin=found.origin, environ=environ)


def _roles(given: Given, flow: str, region: str) -> dict[str, Any]:
    """Take the settings of either flow, and refuse those of the other."""
    other = "enhanced" if flow == "basic" else "basic"
    for name in _ROLE_SETTINGS[other]:
        found = given.find(name)
        if found is not None:
            instead = "role_arn" if flow == "basic" else "custom_role_arn"
            or_use = f", use {instead}" if name.endswith("role_arn") else ""
            raise ConfigurationError(
                f"{name} from {found.origin} is of the {other} flow, and the flow here is {flow}",
                hint=f"set flow={other}{or_use}, or remove {name}",
            )

    def arn(value: object, where: str) -> str:
        return shapes.role_arn(value, where, region)

    role_arn = given.take("role_arn", arn)
    if flow == "basic" and role_arn is None:
        raise ConfigurationError(
            f"{given.where('flow')} is basic, which needs role_arn",
            hint="set role_arn to the ARN of the role to assume, or leave flow out",
        )
    return {
        "custom_role_arn": given.take("custom_role_arn", arn),
        "role_arn": role_arn,
        "role_session_name": given.take("role_session_name", shapes.role_session_name)
        or DEFAULT_SESSION_NAME,
        "duration_seconds": given.take("duration_seconds", shapes.duration_seconds),
        "policy": given.take("policy", shapes.policy),
    }


def _cache(given: Given) -> tuple[str, str | None]:
    cache = given.take("cache", shapes.cache)
    directory = cache_directory(given.environ)
    if given.environ.get("AWS_COGNITO_CACHE_DIR"):
        given.origins["cache_dir"] = "AWS_COGNITO_CACHE_DIR"
    if cache == "file" and directory is None:
        raise CacheError(
            f"{given.where('cache')} is 'file', but there is no home directory to put it in",
            hint="set AWS_COGNITO_CACHE_DIR, or use cache=memory",
        )
    return cache or "file", directory


def _endpoint(given: Given, name: str, service: str | None) -> str | None:
    """Take an endpoint: the argument, or what is configured for *service*."""
    argument = given.find(name)
    found: tuple[object, str] | None = None
    if argument is not None:
        found = argument.value, argument.origin
    elif service is not None:
        found = configured_endpoint(
            service,
            environ=given.environ,
            config=given.config,
            profile=given.profile,
            profile_settings=given.profile_settings,
        )
    if found is None:
        return None
    given.origins[name] = found[1]
    return checked_endpoint(found[0], given.where(name))
