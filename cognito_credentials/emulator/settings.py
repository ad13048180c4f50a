"""The settings that tests change while the emulator runs, and the values that each may have."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.model.members import (
    MOST_SECONDS,
    SECONDS,
    SIGNED_SECONDS,
    Kind,
    check_operation,
    is_number,
    read_members,
)


@dataclass
class Settings:
    """
    The settings that tests change while the emulator runs.

    Attributes:
        credential_lifetime: Seconds. None is one hour, or DurationSeconds of the call. Credentials with a
            lifetime of 0 or less have expired when they are issued.
        throttle: True holds the published quotas; a mapping is operation to requests a second.
        delay: Seconds before every answer.
        login_grace: Seconds that login tokens are accepted after they have expired.
        token_issuer: The address that the service's tokens name as their issuer. With the emulator's own
            address, programs that fetch the issuer's keys reach the emulator. None is the real service's
            name.
    """

    credential_lifetime: int | None = None
    throttle: bool | Mapping[str, float] = False
    delay: float = 0.0
    login_grace: float = assumed.OIDC_GRACE_SECONDS
    token_issuer: str | None = None

    def credential_seconds(self, usual: int) -> int:
        """The lifetime of new credentials, where *usual* is that of the real service."""
        return usual if self.credential_lifetime is None else int(self.credential_lifetime)

    def reset(self) -> None:
        """Restore the defaults."""
        for field in fields(self):
            setattr(self, field.name, field.default)


def read_settings(content: Any, operations: Collection[str]) -> dict[str, Any]:
    """
    Check the settings in *content*. ``clock_offset`` and ``time_passed`` count as settings, too.

    Args:
        operations: The names of all operations, which ``throttle`` may have.

    Raises:
        ControlError: A setting is unknown, or has a value that it cannot have.
    """
    changes = read_members(content, _KINDS)
    quotas = changes.get("throttle")
    if isinstance(quotas, dict):
        for operation in quotas:
            check_operation("throttle", operation, operations)
        read_members(quotas, dict.fromkeys(operations, _RATE), "throttle")
    return changes


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
