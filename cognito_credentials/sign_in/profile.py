"""A profile's keys become the login source that its user signs in to; nothing is read and nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import ConfigurationError
from ..logins import parse_source
from ..settings.endpoints import checked_endpoint
from . import checks
from .source import SignInSource
from .sources import OidcLogin, UserPool

_USER_POOL: Final = ("cognito_user_pool_id", "cognito_client_id", "cognito_domain")
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
        settings: The keys that are there (design.md 4.1), at least one.
        origin: The profile, for messages.
        profile_name: Its name.
        profile_settings: All of it, for the CA bundle.
        endpoint: Of the user pools API where it is not AWS's, and where that was set.
        environ: Environment variables; None for the process's own.

    Raises:
        ConfigurationError: One is missing, malformed, or of the other kind of issuer.
    """
    is_user_pool = "cognito_user_pool_id" in settings
    _check_whole(settings, origin, is_user_pool=is_user_pool)
    kind: type[SignInSource] = UserPool if is_user_pool else OidcLogin
    options = {
        **_options(settings, origin, kind.ways),
        "profile_name": profile_name,
        "profile_settings": profile_settings,
        "environ": environ,
    }
    source = (
        _user_pool(settings, origin, endpoint, options) if is_user_pool else _oidc(settings, origin, options)
    )
    source.is_of_profile = profile_name is not None
    return source


def _check_whole(settings: Mapping[str, str], origin: str, *, is_user_pool: bool) -> None:
    """Refuse keys of both kinds, and of either less than it needs."""
    needed, others = (_USER_POOL, _OIDC) if is_user_pool else (_OIDC, _USER_POOL)
    for name in others:
        if name in settings:
            raise ConfigurationError(
                f"{name} from {origin} does not go with {'a user pool' if is_user_pool else 'an issuer'}",
                hint="A profile signs in at one: a user pool (cognito_user_pool_id, cognito_client_id) or an "
                "issuer (cognito_oidc_issuer, cognito_oidc_client_id)",
            )
    for name in needed[:2]:
        if not settings.get(name):
            given = next(iter(settings))
            raise ConfigurationError(
                f"{given} from {origin} needs {name}", hint=f"Set {name}, or remove {given} for guest access"
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
    return UserPool(
        user_pool_id,
        checks.client_id(settings["cognito_client_id"], f"cognito_client_id from {origin}"),
        domain=domain,
        endpoint_url=checked_endpoint(endpoint[0], f"endpoint_url from {endpoint[1]}") if endpoint else None,
        **options,
    )


def _oidc(settings: Mapping[str, str], origin: str, options: dict[str, Any]) -> OidcLogin:
    from .issuers.discovery import checked_issuer

    scopes = settings.get("cognito_oidc_scopes")
    if scopes is not None:
        options = {**options, "scopes": checks.scopes(scopes, f"cognito_oidc_scopes from {origin}")}
    secret = settings.get("cognito_oidc_client_secret")
    if secret is not None:
        # A source and never the secret: who reads or shares the config must not have it.
        source = parse_source(
            secret, origin=origin, environ=options["environ"], setting="cognito_oidc_client_secret"
        )
        options = {**options, "client_secret": source}
    return OidcLogin(
        checked_issuer(settings["cognito_oidc_issuer"], f"cognito_oidc_issuer from {origin}"),
        checks.client_id(settings["cognito_oidc_client_id"], f"cognito_oidc_client_id from {origin}"),
        **options,
    )


def _options(settings: Mapping[str, str], origin: str, ways: tuple[str, ...]) -> dict[str, Any]:
    """Check what both kinds have, under the names of the profile."""
    found: dict[str, Any] = {}
    if "cognito_sign_in" in settings:
        where = f"cognito_sign_in from {origin}"
        found["sign_in"] = checks.way(settings["cognito_sign_in"], where, ways)
    if "cognito_redirect_ports" in settings:
        where = f"cognito_redirect_ports from {origin}"
        found["redirect_ports"] = checks.ports(settings["cognito_redirect_ports"], where)
    if "cognito_login_store" in settings:
        where = f"cognito_login_store from {origin}"
        found["store"] = checks.store(settings["cognito_login_store"], where)
    if "cognito_login_provider" in settings:
        found["login_provider"] = settings["cognito_login_provider"]
    return found
