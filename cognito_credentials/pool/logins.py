"""
The login sources that the settings name: texts of a profile or a command line become `Logins`.

`sign_in` and `developer` are loaded only if a login needs them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..importing import IMPORTING
from ..logins import Logins, Source, parse_source
from ..logins.providers import check_developer_provider
from ..logins.schemes import DEVELOPER

if TYPE_CHECKING:
    from ..logins.schemes import Setting
    from ..settings.settings import ConfiguredLogins, Settings


def logins_of(settings: Settings, environ: Mapping[str, str]) -> Logins:
    """
    Make the login sources that *settings* name; none is asked for a token.

    Args:
        settings: Settings whose logins come from a profile or the command line, not from a program.
        environ: Where ``env:`` sources and sign-ins look.

    Raises:
        ConfigurationError: A source or a sign-in key is malformed, or two logins are of one provider.
        TypeError: A program gave the logins, and so has to pass them beside the settings.
    """
    if settings.logins is None:
        raise TypeError("these settings go with a program's own logins: give them, too")
    logins = sources_of(settings.logins, environ, settings.profile, settings.profile_settings)
    return logins.of_user(settings.user, settings.sign_in_dir)


def sources_of(
    configured: ConfiguredLogins,
    environ: Mapping[str, str],
    profile: str | None = None,
    profile_settings: Mapping[str, Any] | None = None,
) -> Logins:
    """
    Make the login sources that a profile or a command line names; see `logins_of`.

    Args:
        environ: Where ``env:`` sources and sign-ins look.
        profile: Name of the profile in effect.
        profile_settings: Its keys, of which ``ca_bundle`` counts.
    """
    # None for the process's environment, which is looked up each time and is no part of a pickle. The profile
    # is for its CA bundle: a back end or an issuer may be behind the same proxy as AWS.
    of_profile: dict[str, Any] = {
        "profile_name": profile,
        "profile_settings": profile_settings,
        "environ": None if environ is os.environ else environ,
    }

    def make_developer_login(url: str, setting: Setting) -> Source:
        check_developer_provider(setting.provider, configured.origin)
        return _developer_login(url, configured.developer_headers, **of_profile)

    logins = Logins((), configured.origin)
    if configured.sources:
        logins = Logins.parse(
            configured.sources,
            origin=configured.origin,
            environ=of_profile["environ"],
            others={DEVELOPER: make_developer_login},
        )
    if configured.sign_in:
        with IMPORTING:
            from ..sign_in.profile import source_of_profile

        source = source_of_profile(
            configured.sign_in,
            origin=configured.origin,
            endpoint=configured.user_pools_endpoint,
            **of_profile,
        )
        logins = logins.joined(Logins.of(source, origin=configured.origin))
    return logins


def _developer_login(url: str, headers: tuple[str, str] | None, **of_profile: Any) -> Source:
    with IMPORTING:
        from ..developer.login import DeveloperLogin

    if headers is None:
        return DeveloperLogin(url, **of_profile)
    text, origin = headers
    setting, environ = "cognito_developer_headers", of_profile["environ"]
    source = parse_source(text, origin=origin, environ=environ, setting=setting)
    return DeveloperLogin(url, headers=source, **of_profile)
