"""What tests may change while the emulator runs, and what each may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.model.members import (
    MOST_SECONDS,
    SECONDS,
    SIGNED_SECONDS,
    Kind,
    is_number,
    read_members,
)


@dataclass
class Settings:
    """
    What tests may change while the emulator runs.

    Attributes:
        credential_lifetime: Seconds; None is the service's own hour, or DurationSeconds. With 0 or
            less, credentials have expired when they are given out.
        throttle: Hold the published quotas, or others: operation to requests a second.
        delay: Seconds before every answer.
        login_grace: Seconds that login tokens are accepted after their exp.
        token_issuer: The address that tokens of the service name as their issuer, so that what looks
            it up finds the emulator; None is the real service's.
    """

    credential_lifetime: int | None = None
    throttle: bool | Mapping[str, float] = False
    delay: float = 0.0
    login_grace: float = assumed.OIDC_GRACE_SECONDS
    token_issuer: str | None = None

    def credential_seconds(self, usual: int) -> int:
        """How long new credentials last, where *usual* is what the service would give."""
        return usual if self.credential_lifetime is None else int(self.credential_lifetime)

    def reset(self) -> None:
        """Go back to the defaults."""
        for one in fields(self):
            setattr(self, one.name, one.default)


def read_settings(content: Any, operations: Mapping[str, Any]) -> dict[str, Any]:
    """
    The settings in *content*, checked; ``clock_offset`` and ``time_passed`` are among them.

    Args:
        operations: Those that exist, by name.

    Raises:
        ControlError: One is unknown, or has a value that it cannot have.
    """
    given = read_members(content, _KINDS)
    quotas = given.get("throttle")
    if isinstance(quotas, dict):
        read_members(quotas, dict.fromkeys(operations, _RATE), "throttle")
    return given


def _is_lifetime(value: Any) -> bool:
    return value is None or (is_number(value, -MOST_SECONDS, MOST_SECONDS) and value == int(value))


def _is_issuer(value: Any) -> bool:
    return value is None or (isinstance(value, str) and _ISSUER.fullmatch(value) is not None)


_ISSUER = re.compile(r"https?://[!-~]{1,255}")
_RATE = Kind(lambda value: is_number(value, 0.001, 10**6), "requests a second, 0.001 to 1000000")
_KINDS: Mapping[str, Kind] = {
    "credential_lifetime": Kind(_is_lifetime, f"null, or whole seconds, {-MOST_SECONDS} to {MOST_SECONDS}"),
    "clock_offset": SIGNED_SECONDS,
    "time_passed": SIGNED_SECONDS,
    "throttle": Kind(
        lambda value: isinstance(value, bool | dict), "true, false, or requests a second by operation"
    ),
    "delay": SECONDS,
    "login_grace": SECONDS,
    "token_issuer": Kind(_is_issuer, "null, or an address like http://127.0.0.1:9229"),
}
