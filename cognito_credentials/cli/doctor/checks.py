"""
All checks, in the order in which they run and are reported.
"""

from __future__ import annotations

from typing import Final

from . import settled
from .check import Check

CHECKS: Final = (
    Check("config", settled.config),
    Check("profile", settled.profile, needs=("config",)),
    Check("settings", settled.settings, needs=("profile",)),
)
"""
Every other check needs ``settings``, unless it is about this machine alone.
"""
