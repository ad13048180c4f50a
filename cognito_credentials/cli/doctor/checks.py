"""
All checks, in the order in which they run and are reported.
"""

from __future__ import annotations

from typing import Final

from . import kept, logins, process, settled, surroundings
from .check import Check

_SETTLED: Final = ("settings",)

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
    Check("logins", logins.logins, needs=_SETTLED),
    Check("sign-in", logins.sign_in, needs=("cache",)),
)
"""
A check needs ``settings`` where it looks at the pool, and not where it looks at this machine alone.
"""
