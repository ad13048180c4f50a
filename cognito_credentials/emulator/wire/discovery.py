"""
The OpenID configurations and key sets of token issuers: the service, user pools, and the test issuer.

Every user pool has its documents, whatever its id: the test issuer signs the tokens of all.

Source: `reference/service.md#7.2` and `reference/service.md#7.3`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator.logins.keys import SERVICE, TEST_ISSUER, TEST_ISSUER_KEY_ID
from cognito_credentials.emulator.logins.tokens import key_id
from cognito_credentials.emulator.model.names import DEFAULT_REGION, service_host, user_pool_issuer
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.user_pools import find_user_pool
from cognito_credentials.emulator.wire.issuer import issuer_configuration
from cognito_credentials.emulator.wire.managed_login import managed_login_configuration

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/.well-known/jwks_uri"
TEST_ISSUER_PREFIX = "/_emulator"
USER_POOL_KEYS_PATH = "/.well-known/jwks.json"
_USER_POOL = re.compile(r"/(?P<id>[a-z0-9-]+_[0-9A-Za-z]+)(?P<document>/\.well-known/.+)", re.ASCII)


def issuer_document(service: Service, path: str, base_url: str) -> Mapping[str, Any] | None:
    """
    The document at *path*; None if there is no such document.

    Args:
        base_url: The address that the client used for the emulator.
    """
    user_pool = _USER_POOL.fullmatch(path)
    if user_pool is not None:
        return _user_pool_document(service, user_pool["id"], user_pool["document"], base_url)
    if path.endswith(KEYS_PATH):
        if path.startswith(TEST_ISSUER_PREFIX):
            return _test_issuer_keys(service)
        return _service_keys(service)
    if path.endswith(CONFIGURATION_PATH):
        prefix = path.removesuffix(CONFIGURATION_PATH)
        keys_url = f"{base_url}{prefix}{KEYS_PATH}"
        if path.startswith(TEST_ISSUER_PREFIX):
            document = _configuration(f"{base_url}{prefix}", keys_url, "RS256")
            return (
                {**document, **issuer_configuration(document["issuer"])}
                if prefix == TEST_ISSUER_PREFIX
                else document
            )
        issuer = service.settings.token_issuer or f"https://{service_host(DEFAULT_REGION)}"
        return _configuration(issuer, keys_url, "RS512")
    return None


def _user_pool_document(
    service: Service, user_pool_id: str, document: str, base_url: str
) -> Mapping[str, Any] | None:
    """A document of a user pool. A pool that is not described has the issuer whose host the client called."""
    if document == USER_POOL_KEYS_PATH:
        return _test_issuer_keys(service)
    if document != CONFIGURATION_PATH:
        return None
    described = find_user_pool(service.state, user_pool_id)
    updated = "://issuer-cognito-idp." in base_url
    if described is not None:
        updated = described.issuer == "updated"
    return {
        **managed_login_configuration(base_url),
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": user_pool_issuer(user_pool_id, updated=updated),
        "jwks_uri": f"{base_url}/{user_pool_id}{USER_POOL_KEYS_PATH}",
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
    }


def _test_issuer_keys(service: Service) -> Mapping[str, Any]:
    return {"keys": [service.keys.jwk(TEST_ISSUER, TEST_ISSUER_KEY_ID, "RS256")]}


def _configuration(issuer: str, keys_url: str, algorithm: str) -> Mapping[str, Any]:
    return {
        "issuer": issuer,
        "jwks_uri": keys_url,
        "authorization_endpoint": f"{issuer}/authorize",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
    }


def _service_keys(service: Service) -> Mapping[str, Any]:
    """One key set with a key for every region, as the real service has it. Here all keys are the same key."""
    regions = {row["region"] for row in service.state.rows("SELECT DISTINCT region FROM pools")}
    names = [key_id(region) for region in sorted(regions | _all_regions())]
    jwk = service.keys.jwk(SERVICE, "", "RS512")
    return {"keys": [{**jwk, "kid": name} for name in names]}


@functools.cache  # the data never changes, and is slow to read
def _all_regions() -> frozenset[str]:
    from botocore.session import Session

    session = Session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("cognito-identity", partition)
    )
