"""Values for the names in the table's texts: settings, their origins, and what the tokens claim to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..logins.claims import unverified_claims
from ..regions import KNOWN_REGIONS, near_regions
from ..secret import Secret

if TYPE_CHECKING:
    from ..settings.settings import Settings


def facts(
    settings: Settings, tokens: Mapping[str, Secret], own_provider: str, *, is_guest: bool, host: str = ""
) -> dict[str, str]:
    """
    Collect the values for one failed call. None of them is a token.

    Args:
        tokens: The logins that were sent, by login provider name.
        own_provider: The login provider name of Cognito's own tokens in this partition.
        is_guest: Whether the identity was asked for without logins.
        host: Whom the request went to; empty where it did not.
    """
    names = [name for name in tokens if name]
    pool_id, pool_origin = settings.identity_pool_id, settings.origins.get("identity_pool_id", "")
    # A user who names a profile looks for the mistake there, although a variable may have won over it.
    is_elsewhere = pool_origin and not pool_origin.startswith("profile ")
    named = {
        "pool": f"{pool_id} (from {pool_origin})" if is_elsewhere else pool_id,
        "pool_id": pool_id,
        "region": settings.region,
        "host": host,
        "region_meant": "" if settings.region in KNOWN_REGIONS else _meant(settings.region),
        "region_doubt": "Check" if settings.endpoint_url else _region_doubt(settings.region),
        "providers": ", ".join(names),
        "tokens": "; ".join(_described(name, tokens[name]) for name in names),
        "who": "guest" if is_guest else "signed-in user",
        "amr": "unauthenticated" if is_guest else "authenticated",
        "own": own_provider,
        "custom_role": settings.custom_role_arn,
        "role": settings.role_arn,
        "duration": str(settings.duration_seconds or 3600),
    }
    for setting, name in _ORIGINS.items():
        named[name] = settings.origins.get(setting)
    return {name: value for name, value in named.items() if value}


_ORIGINS = {
    "identity_pool_id": "pool_origin",
    "role_arn": "role_origin",
    "duration_seconds": "duration_origin",
    "policy": "policy_origin",
    "flow": "flow_origin",
}


def _region_doubt(region: str) -> str:
    """Say that *region* is unknown. It counts only when nothing answers there: a new region may work."""
    if region in KNOWN_REGIONS:
        return "Check"
    return f"No region {region} is known here{_meant(region)}: check the pool id; or check"


def _meant(region: str) -> str:
    near = near_regions(region)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _described(provider: str, token: Secret) -> str:
    """Put the provider's name beside the token's own claims, so that a reader can compare them."""
    claims = unverified_claims(token.reveal()) or {}
    said = [
        f"{name} {value}"
        for name in ("iss", "aud", "azp", "client_id", "token_use")
        if isinstance(value := claims.get(name), str)
    ]
    return f"{provider} with a token of {', '.join(said)}" if said else provider
