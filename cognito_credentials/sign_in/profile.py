"""A profile's keys become the login source that its user signs in to; nothing is read and nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import ConfigurationError, replaced
from ..importing import IMPORTING
from ..logins import parse_source
from ..settings.aws_config import about_comment
from ..settings.endpoints import checked_endpoint
from . import checks
from .source import SignInSource
from .sources import OidcLogin, UserPool

_OPTIONS: Final = {
    "sign_in": "cognito_sign_in",
    "redirect_ports": "cognito_redirect_ports",
    "store": "cognito_login_store",
    "login_provider": "cognito_login_provider",
}
"""The profile key of each argument that `UserPool` and `OidcLogin` share."""
_USER_POOL: Final = (
    *("cognito_user_pool_id", "cognito_client_id", "cognito_domain", "cognito_first_factor"),
)
_OIDC: Final = (
    *("cognito_oidc_issuer", "cognito_oidc_client_id"),
    *("cognito_oidc_scopes", "cognito_oidc_client_secret"),
)


def source_of_profile(
    settings: Mapping[str, str],
    *,
    origin: str,
    profile_name: str | None,
    profile_settings: Mapping[str, Any],
    endpoint: tuple[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> SignInSource:
    """
    Make the source of a profile's sign-in keys.

    Args:
        settings: The sign-in keys that the profile has, at least one (reference/settings.md, "Signing in").
        origin: The profile, for messages.
        profile_settings: The whole profile, for the CA bundle.
        endpoint: The endpoint of the user pools API where it is not AWS's, and the setting that names it.
        environ: None for the process's own, which is then read at each use.

    Raises:
        ConfigurationError: A key is missing or malformed, or does not go with the others.
    """
    is_user_pool = "cognito_user_pool_id" in settings
    _check_keys(settings, origin, is_user_pool=is_user_pool)
    kind: type[SignInSource] = UserPool if is_user_pool else OidcLogin
    given = {name: settings[key] for name, key in _OPTIONS.items() if key in settings}
    where = {name: f"{key} from {origin}" for name, key in _OPTIONS.items()}
    with replaced(ConfigurationError, by=lambda error: _about_comment(error, settings)):
        options = {
            **checks.options(given, kind.ways, where),
            "profile_name": profile_name,
            "profile_settings": profile_settings,
            "environ": environ,
        }
        source = (
            _user_pool(settings, origin, endpoint, options)
            if is_user_pool
            else _oidc(settings, origin, options)
        )
    source.is_of_profile = profile_name is not None
    return source


def _about_comment(error: ConfigurationError, settings: Mapping[str, str]) -> ConfigurationError | None:
    named = (value for key, value in settings.items() if error.message.startswith(f"{key} from "))
    return about_comment(error, next(named, None))


def _check_keys(settings: Mapping[str, str], origin: str, *, is_user_pool: bool) -> None:
    """Refuse keys of both kinds of issuer together, and either kind where a key is missing."""
    needed, others = (_USER_POOL, _OIDC) if is_user_pool else (_OIDC, _USER_POOL)
    for name in others:
        if name in settings:
            raise ConfigurationError(
                f"{name} from {origin} does not go with {'a user pool' if is_user_pool else 'an issuer'}",
                hint="A profile signs in at one: a user pool (cognito_user_pool_id, cognito_client_id) or an "
                "issuer (cognito_oidc_issuer, cognito_oidc_client_id)",
                topic="E-SIGN-IN-SETTING",
            )
    for name in needed[:2]:
        if not settings.get(name):
            given = next(iter(settings))
            raise ConfigurationError(
                f"{given} from {origin} needs {name}",
                hint=f"Set {name}, or remove {given} for guest access",
                topic="E-SIGN-IN-SETTING",
            )


def _user_pool(
    settings: Mapping[str, str], origin: str, endpoint: tuple[str, str] | None, options: dict[str, Any]
) -> UserPool:
    user_pool_id = checks.user_pool_id(
        settings["cognito_user_pool_id"], f"cognito_user_pool_id from {origin}"
    )
    domain = settings.get("cognito_domain")
    if domain is not None:
        region = user_pool_id.partition("_")[0]
        domain = checks.domain(domain, f"cognito_domain from {origin}", region)
    factor = settings.get("cognito_first_factor")
    if factor is not None:
        factor = checks.first_factor(factor, f"cognito_first_factor from {origin}")
    return UserPool(
        user_pool_id,
        checks.client_id(settings["cognito_client_id"], f"cognito_client_id from {origin}"),
        domain=domain,
        first_factor=factor,
        endpoint_url=checked_endpoint(endpoint[0], f"endpoint_url from {endpoint[1]}") if endpoint else None,
        **options,
    )


def _oidc(settings: Mapping[str, str], origin: str, options: dict[str, Any]) -> OidcLogin:
    with IMPORTING:
        from .issuers.discovery import checked_issuer

    scopes = settings.get("cognito_oidc_scopes")
    if scopes is not None:
        options = {**options, "scopes": checks.scopes(scopes, f"cognito_oidc_scopes from {origin}")}
    secret = settings.get("cognito_oidc_client_secret")
    if secret is not None:
        # A source, never the secret itself: config files are shared and copied.
        source = parse_source(
            secret, origin=origin, environ=options["environ"], setting="cognito_oidc_client_secret"
        )
        options = {**options, "client_secret": source}
    return OidcLogin(
        checked_issuer(settings["cognito_oidc_issuer"], f"cognito_oidc_issuer from {origin}"),
        checks.client_id(settings["cognito_oidc_client_id"], f"cognito_oidc_client_id from {origin}"),
        **options,
    )
