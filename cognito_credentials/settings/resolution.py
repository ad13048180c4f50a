"""
Settings that depend on one another or on the machine: found, checked, and checked against each other.

Imports `lookup`, `configuration`, `endpoints`, `shapes` and `logins`.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..errors import CacheError, ConfigurationError
from ..home import expand_user, home_directory
from ..logins import Logins, LoginSource, parse_source
from . import checks
from .endpoints import checked_endpoint, configured_endpoint
from .lookup import Found, Given

DEFAULT_SESSION_NAME: Final = "cognito-credentials"
_ROLE_SETTINGS: Final = {
    "enhanced": ("custom_role_arn",),
    "basic": ("role_arn", "role_session_name", "duration_seconds", "policy"),
}


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


def take_logins(given: Given) -> Logins:
    """Take the logins: an argument; or what the profile names, and the sign-in that it describes."""
    found = given.find("logins")
    if found is not None and found.is_argument:
        given.origins["logins"] = found.origin
        return found.value if isinstance(found.value, Logins) else Logins.of(found.value, origin=found.origin)
    # The process's own environment is looked up anew each time, and is no part of a pickle.
    environ = None if given.environ is os.environ else given.environ
    sign_in = _take_sign_in(given, environ)
    if found is None and sign_in is None:
        return Logins()
    given.origins["logins"] = given.profile_origin
    signed_in = Logins() if sign_in is None else Logins.of(sign_in, origin=given.profile_origin)
    return signed_in if found is None else _parsed(given, found, environ).joined(signed_in)


def _take_sign_in(given: Given, environ: Mapping[str, str] | None) -> LoginSource | None:
    """Take the sign-in that a profile describes; None where it describes none."""
    settings = given.sign_in_settings()
    if not settings:
        return None
    from ..sign_in.profile import source_of_profile  # a guest's start does not pay for it

    endpoint = configured_endpoint(
        "cognito_identity_provider",
        environ=given.environ,
        config=given.config,
        profile=given.profile,
        profile_settings=given.profile_settings,
    )
    return source_of_profile(
        settings,
        origin=given.profile_origin,
        profile_name=given.profile,
        profile_settings=given.profile_settings,
        endpoint=endpoint,
        environ=environ,
    )


def _parsed(given: Given, found: Found, environ: Mapping[str, str] | None) -> Logins:
    headers = given.find("developer_headers")
    makers = {"developer": developer_maker(headers, environ, given.profile, given.profile_settings)}
    return Logins.parse(found.value, origin=found.origin, environ=environ, others=makers)


def developer_maker(
    headers: Found | None,
    environ: Mapping[str, str] | None,
    profile: str | None = None,
    profile_settings: Mapping[str, Any] | None = None,
) -> Callable[[str], LoginSource]:
    """Return what makes the source of ``developer:URL``; its headers are a source of their own."""
    # For the CA bundle: a back end in a company's network is behind the same authority as its proxy.
    of_profile: dict[str, Any] = {
        "profile_name": profile,
        "profile_settings": profile_settings,
        "environ": environ,
    }

    def make(url: str) -> LoginSource:
        from ..developer.login import DeveloperLogin

        if headers is None:
            return DeveloperLogin(url, **of_profile)
        text, setting = str(headers.value), "cognito_developer_headers"
        source = parse_source(text, origin=headers.origin, environ=environ, setting=setting)
        return DeveloperLogin(url, headers=source, **of_profile)

    return make


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
