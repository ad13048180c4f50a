"""`logout --all`: every sign-in of this user on this machine is ended, whatever the profiles say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..clock import Clock
from ..errors import CognitoCredentialsError, ConfigurationError, clean
from ..logins.signed_out import SignedOut
from ..settings.aws_config import read_config
from ..settings.endpoints import configured_endpoint
from ..settings.load import SIGN_IN_KEYS
from . import leftovers
from .leftovers import Profile
from .profile import source_of_profile
from .source import SignInSource

_log = logging.getLogger(__name__)


def sign_out_all(
    environ: Mapping[str, str], warn: Callable[[str], None]
) -> tuple[list[SignedOut], CognitoCredentialsError | None]:
    """
    End every sign-in on this machine, and have the issuers revoke the refresh tokens.

    Args:
        warn: Called with what is wrong with the config file or a profile in it; everything is ended
            anyway, but without the settings of that profile.

    Returns:
        What was done, one result for each sign-in; one without users removed what was left of a sign-in. And
        the last error, where something could not be removed.

    Raises:
        CacheError: The user has no home directory, or the directory of the sign-ins cannot be used.
    """
    profiles, sources = _configured(environ, warn)
    done: list[SignedOut] = []
    # The sources first: they have the client secrets that some issuers ask for.
    for source in sources:
        try:
            account = source.account()
            if account is not None:
                done.append(replace(source.end(), users=(account.shown_with_issuer,)))
        except CognitoCredentialsError as error:  # noqa: PERF203  (one must not stop the others)
            # Its files are ended below, without the profile's settings.
            _log.debug("%r could not sign out: %s", source, error)
    problem = None
    # A program that names no profile signs in where the environment leads, as this command does.
    program = Profile(None, {}, _address(_endpoint(environ, {}, None, {})))
    for leftover in leftovers.find(environ, [program, *profiles]):
        try:
            done.append(leftovers.end(leftover, environ, Clock(), revoke=True))
        except CognitoCredentialsError as error:  # noqa: PERF203  (one must not stop the others)
            problem = error
    return done, problem


def _configured(
    environ: Mapping[str, str], warn: Callable[[str], None]
) -> tuple[list[Profile], list[SignInSource]]:
    """List all profiles, and the sources of those that sign in to something."""
    try:
        config = read_config(environ)
    except ConfigurationError as error:
        warn(error.message)
        return [], []
    profiles, sources = [], []
    for name, values in config["profiles"].items():
        settings = {key: str(values[key]).strip() for key in SIGN_IN_KEYS if key in values}
        endpoint = None
        try:
            endpoint = _endpoint(environ, config, name, values)
            if settings:
                sources.append(
                    source_of_profile(
                        settings,
                        origin=f"profile '{clean(name, 80)}'",
                        profile_name=name,
                        profile_settings=values,
                        endpoint=endpoint,
                        environ=environ,
                    )
                )
        except ConfigurationError as error:
            if settings:
                warn(error.message)
        profiles.append(Profile(name, values, _address(endpoint)))
    return profiles, sources


def _address(endpoint: tuple[str, str] | None) -> str | None:
    return endpoint[0].rstrip("/") if endpoint else None


def _endpoint(
    environ: Mapping[str, str], config: Mapping[str, Any], name: str | None, values: Mapping[str, Any]
) -> tuple[str, str] | None:
    return configured_endpoint(
        "cognito_identity_provider",
        environ=environ,
        config=config,
        profile=name,
        profile_settings=values,
    )
