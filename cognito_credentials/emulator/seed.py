"""
What a new emulator holds: pools, roles, issuers, users and developers from one TOML file.

A mistake is one line that names the file and the place.
"""

from __future__ import annotations

from dataclasses import dataclass

from cognito_credentials.emulator.state import State


@dataclass(frozen=True)
class Seed:
    """The content of a seed file; empty without one."""

    def plant(self, state: State) -> None:
        """Put the content into *state*."""
