"""
The OpenID configurations and key sets of two token issuers: the service, and the emulator's test issuer.

Source: `.github/SERVICE.md#7.2`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator.logins.keys import SERVICE, TEST_ISSUER, TEST_ISSUER_KEY_ID
from cognito_credentials.emulator.logins.tokens import key_id
from cognito_credentials.emulator.model.names import DEFAULT_REGION, service_host
from cognito_credentials.emulator.service import Service

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/.well-known/jwks_uri"
TEST_ISSUER_PREFIX = "/_emulator"


def issuer_document(service: Service, path: str, base_url: str) -> Mapping[str, Any] | None:
    """
    The document at *path*; None if there is no such document.

    Args:
        base_url: The address that the client used for the emulator.
    """
    if path.endswith(KEYS_PATH):
        if path.startswith(TEST_ISSUER_PREFIX):
            return {"keys": [service.keys.jwk(TEST_ISSUER, TEST_ISSUER_KEY_ID, "RS256")]}
        return _service_keys(service)
    if path.endswith(CONFIGURATION_PATH):
        prefix = path.removesuffix(CONFIGURATION_PATH)
        keys_url = f"{base_url}{prefix}{KEYS_PATH}"
        if path.startswith(TEST_ISSUER_PREFIX):
            return _configuration(f"{base_url}{prefix}", keys_url, "RS256")
        issuer = service.settings.token_issuer or f"https://{service_host(DEFAULT_REGION)}"
        return _configuration(issuer, keys_url, "RS512")
    return None


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
