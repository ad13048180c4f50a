"""
The options of ``configure`` that say how people sign in: the profile's keys of design.md 4.1.

Here is only which there are; what they may hold is checked when the profile is, as a whole.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Final

from ..regions import is_user_pool_id

FIRST_KEYS: Final = ("cognito_user_pool_id", "cognito_oidc_issuer")
"""One of them makes a profile one that people sign in to."""
DEFAULT_PORTS: Final = "8400,8401"

_OPTIONS: Final = (
    ("user-pool-id", "cognito_user_pool_id", "ID", "an Amazon Cognito user pool, REGION_NAME"),
    ("client-id", "cognito_client_id", "ID", "its app client, one without a secret"),
    ("domain", "cognito_domain", "HOST", "its hosted sign-in pages; otherwise the pool is asked"),
    ("oidc-issuer", "cognito_oidc_issuer", "URL", "any OpenID Connect issuer, https or this machine"),
    ("oidc-client-id", "cognito_oidc_client_id", "ID", "a client there for installed programs"),
    ("oidc-client-secret", "cognito_oidc_client_secret", "SOURCE", "where its secret is, if it has one"),
    ("oidc-scopes", "cognito_oidc_scopes", "LIST", "what to ask for; openid email offline_access"),
    ("sign-in", "cognito_sign_in", "WAY", "browser (default), device or password"),
    ("redirect-ports", "cognito_redirect_ports", "LIST", "loopback ports registered for the client"),
    ("login-provider", "cognito_login_provider", "NAME", "login provider name, where not the issuer"),
    ("login-store", "cognito_login_store", "WHERE", "keyring (default), or file: plain, only for you"),
)


def add_sign_in_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    group = parser.add_argument_group("options of a profile that people sign in to")
    for name, key, metavar, text in _OPTIONS:
        group.add_argument(f"--{name}", dest=key, metavar=metavar, help=text)


def given_sign_in(options: argparse.Namespace) -> dict[str, str]:
    """Return what was given, by the keys of a profile; empty text removes one."""
    keys = (key for _, key, _, _ in _OPTIONS)
    return {key: value for key in keys if (value := getattr(options, key, None)) is not None}


def no_sign_in(current: Mapping[str, str]) -> dict[str, str]:
    """Return what removes every key of signing in that *current* has."""
    return {key: "" for _, key, _, _ in _OPTIONS if key in current}


def keys_of(answer: str) -> dict[str, str] | None:
    """Tell a user pool's id and an issuer from what is neither (None)."""
    if is_user_pool_id(answer):
        return {"cognito_user_pool_id": answer}
    if answer.startswith(("https://", "http://")) and "=" not in answer:
        return {"cognito_oidc_issuer": answer}
    return None


def questions_of(sign_in: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Return what else must be asked: key, question, and what an empty answer means."""
    if sign_in.get("cognito_user_pool_id"):
        ports = "Callback ports, registered for it as http://127.0.0.1:PORT/callback"
        return (
            ("cognito_client_id", "App client ID", ""),
            ("cognito_redirect_ports", ports, DEFAULT_PORTS),
        )
    return (("cognito_oidc_client_id", "Client ID", ""),) if sign_in.get("cognito_oidc_issuer") else ()
