"""
All checks, in the order in which they run and are reported.
"""

from __future__ import annotations

from typing import Final

from . import asked_pool, asking, details, kept, logins, process, reaching, settled, surroundings
from .check import Check

DETAILS: Final = "pool-details"
"""The check that is run only when it is asked for: it needs a developer's credentials."""
_SETTLED: Final = ("settings",)
_NETWORK: Final = "the network"

CHECKS: Final = (
    Check("versions", surroundings.versions),
    Check("config", settled.config),
    Check("profile", settled.profile, needs=("config",)),
    Check("spelling", settled.spelling, needs=("profile",)),
    Check("settings", settled.settings, needs=("spelling",)),
    Check("endpoint", surroundings.endpoint, needs=_SETTLED),
    Check("variables", settled.variables, needs=_SETTLED),
    Check("precedence", settled.precedence, needs=_SETTLED),
    Check("region", settled.region, needs=_SETTLED),
    Check("credential_process", process.credential_process, needs=_SETTLED),
    Check("container", surroundings.container),
    Check("cache", kept.cache, needs=_SETTLED),
    Check("locks", kept.locks, needs=("cache",)),
    Check("records", kept.records, needs=("cache",)),
    Check("network", reaching.cognito, needs=("endpoint",), asks=_NETWORK),
    Check("network-sts", reaching.sts, needs=("network",), asks=_NETWORK),
    Check("service", asked_pool.service, needs=("network",), asks="Cognito Identity"),
    Check("clock", asked_pool.clock, needs=("service",), asks=_NETWORK),
    Check("logins", logins.logins, needs=_SETTLED),
    Check("sign-in", logins.sign_in, needs=("cache",)),
    Check("network-login", reaching.login_hosts, needs=("network",), asks=_NETWORK),
    Check("keyring", asking.keyring, needs=_SETTLED, asks="the keyring"),
    Check(
        "tokens",
        asking.tokens,
        needs=("logins", "sign-in", "network-login", "keyring"),
        asks="the login sources",
    ),
    Check("pool", asked_pool.pool, needs=("service",), asks="the identity pool"),
    Check(DETAILS, details.pool_details, needs=("pool", "tokens"), asks="the identity pool"),
    Check("providers", asked_pool.providers, needs=("pool", "tokens", DETAILS), asks="the identity pool"),
    Check("role", asked_pool.role, needs=("network-sts", "providers"), asks="the identity pool"),
)
"""
A check needs ``settings`` where it looks at the pool, and not where it looks at this machine alone.
"""
