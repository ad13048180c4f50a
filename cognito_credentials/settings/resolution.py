"""
Settings that depend on one another or on the machine: found, checked, and checked against each other.

Imports `lookup`, `configuration`, `endpoints`, `shapes` and `logins`.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import CacheError, ConfigurationError
from ..home import expand_user, home_directory
from . import checks
from .endpoints import checked_endpoint, configured_endpoint
from .lookup import Found, Given

DEFAULT_SESSION_NAME: Final = "cognito-credentials"
_ROLE_SETTINGS: Final = {
    "enhanced": ("custom_role_arn",),
    "basic": ("role_arn", "role_session_name", "duration_seconds", "policy"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredLogins:
    """What a profile or the command line says of the logins: texts, which `pool.logins` makes sources of."""

    origin: str = "nowhere"
    """Where it was written, for messages."""
    sources: Mapping[str | None, str] = field(default_factory=dict, repr=False)
    """Login provider name to the text of a source; None for a name is "as the token says"."""
    developer_headers: tuple[str, str] | None = field(default=None, repr=False)
    """The text of the source that has the headers for ``developer:URL``, and where it was written."""
    sign_in: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The profile's keys of `SIGN_IN_KEYS`; none where it signs in to nothing."""
    user_pools_endpoint: tuple[str, str] | None = None
    """Address of the user pools API where it is not AWS's, and where it was set."""

    @property
    def is_guest(self) -> bool:
        """Whether there are no logins at all."""
        return not self.sources and not self.sign_in


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


def take_ids(given: Given) -> tuple[str, str | None]:
    """Take the ids of pool and identity, of one region."""
    pool_id = given.take("identity_pool_id", checks.pool_id)
    assert pool_id is not None  # noqa: S101  (for the type checker; the callers have looked)
    identity_id = given.take("identity_id", checks.pool_id)
    region = pool_id.partition(":")[0]
    if identity_id is not None and identity_id.partition(":")[0] != region:
        raise ConfigurationError(
            f"{given.where('identity_id')} is in {identity_id.partition(':')[0]}, "
            f"but {given.where('identity_pool_id')} is in {region}",
            hint="An identity is in the region of its pool: correct one, or leave identity_id out",
        )
    return pool_id, identity_id


def take_logins(given: Given) -> ConfiguredLogins | None:
    """Take what is said of the logins: by the command line, or by the profile and its sign-in keys."""
    found = given.find("logins")
    if found is not None and found.is_argument:
        given.origins["logins"] = found.origin
        return found.value if isinstance(found.value, ConfiguredLogins) else None
    sign_in = given.sign_in_settings()
    if found is None and not sign_in:
        return ConfiguredLogins()
    given.origins["logins"] = given.profile_origin
    headers = given.find("developer_headers")
    return ConfiguredLogins(
        origin=given.profile_origin,
        sources={} if found is None else _source_texts(found),
        developer_headers=None if headers is None else (str(headers.value), headers.origin),
        sign_in=sign_in,
        user_pools_endpoint=_user_pools_endpoint(given) if sign_in else None,
    )


def _source_texts(found: Found) -> dict[str | None, str]:
    value = {None: found.value} if isinstance(found.value, str) and found.value.strip() else found.value
    if not isinstance(value, Mapping) or not value:
        raise ConfigurationError(
            f"cognito_logins from {found.origin} is empty",
            hint="Write '  accounts.google.com = file:/path' below it, or remove it for guest access",
        )
    return {name: str(text) for name, text in value.items()}


def _user_pools_endpoint(given: Given) -> tuple[str, str] | None:
    return configured_endpoint(
        "cognito_identity_provider",
        environ=given.environ,
        config=given.config,
        profile=given.profile,
        profile_settings=given.profile_settings,
    )


def take_roles(given: Given, flow: str, region: str) -> dict[str, Any]:
    """Take the settings of either flow, and refuse those of the other."""
    other = "enhanced" if flow == "basic" else "basic"
    for name in _ROLE_SETTINGS[other]:
        found = given.find(name)
        if found is not None:
            instead = "role_arn" if flow == "basic" else "custom_role_arn"
            or_use = f", use {instead}" if name.endswith("role_arn") else ""
            raise ConfigurationError(
                f"{name} from {found.origin} is of the {other} flow, and the flow here is {flow}",
                hint=f"Set flow={other}{or_use}, or remove {name}",
            )

    def arn(value: object, where: str) -> str:
        return checks.role_arn(value, where, region)

    role_arn = given.take("role_arn", arn)
    if flow == "basic" and role_arn is None:
        raise ConfigurationError(
            f"{given.where('flow')} is basic, which needs role_arn",
            hint="Set role_arn to the ARN of the role to assume, or leave flow out",
        )
    return {
        "custom_role_arn": given.take("custom_role_arn", arn),
        "role_arn": role_arn,
        "role_session_name": given.take("role_session_name", checks.role_session_name)
        or DEFAULT_SESSION_NAME,
        "duration_seconds": given.take("duration_seconds", checks.duration_seconds),
        "policy": given.take("policy", checks.policy),
    }


def take_cache(given: Given) -> tuple[str, str | None]:
    cache = given.take("cache", checks.cache)
    directory = cache_directory(given.environ)
    if given.environ.get("AWS_COGNITO_CACHE_DIR"):
        given.origins["cache_dir"] = "AWS_COGNITO_CACHE_DIR"
    if cache == "file" and directory is None:
        raise CacheError(
            f"{given.where('cache')} is 'file', but there is no home directory to put it in",
            hint="Set AWS_COGNITO_CACHE_DIR, or use cache=memory",
        )
    return cache or "file", directory


def take_endpoint(given: Given, name: str, service: str | None) -> str | None:
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
