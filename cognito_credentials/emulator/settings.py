"""What tests may change while the emulator runs, and how it is read from JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cognito_credentials.emulator import assumed

_MOST_SECONDS = 10**9


class SettingError(Exception):
    """A setting has a value that it cannot have; the text names it."""


@dataclass
class Settings:
    """
    What tests may change while the emulator runs.

    Attributes:
        credential_lifetime: Seconds; None is the service's own hour, or DurationSeconds. With 0 or
            less, credentials have expired when they are given out.
        throttle: Hold the published quotas, or others: operation to requests a second.
        delay: Seconds before every answer.
        historic_jwks: Serve moduli in plain base64 with a leading zero, as was seen in 2020.
        login_grace: Seconds that login tokens are accepted after their exp.
    """

    credential_lifetime: int | None = None
    throttle: bool | Mapping[str, float] = False
    delay: float = 0.0
    historic_jwks: bool = False
    login_grace: float = assumed.OIDC_GRACE_SECONDS

    def credential_seconds(self, usual: int) -> int:
        """How long new credentials last, where *usual* is what the service would give."""
        return usual if self.credential_lifetime is None else int(self.credential_lifetime)


def read_setting(name: str, value: Any) -> Any:
    """
    The value of the setting *name*, checked.

    Raises:
        SettingError: It is none.
    """
    is_good, expected = _READERS[name]
    if not is_good(value):
        raise SettingError(f"{name}: expected {expected}")
    return value


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST_SECONDS


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_throttle(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_seconds(rate) and rate > 0 for rate in value.values())
    return isinstance(value, bool)


_SECONDS = "a number of seconds"
_FLAG = "true or false"
_READERS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "credential_lifetime": (lambda value: value is None or (_is_seconds(value) and value % 1 == 0), _SECONDS),
    "clock_offset": (_is_seconds, _SECONDS),
    "throttle": (_is_throttle, "true, false, or requests a second by operation"),
    "delay": (lambda value: _is_seconds(value) and value >= 0, _SECONDS),
    "historic_jwks": (_is_flag, _FLAG),
    "login_grace": (lambda value: _is_seconds(value) and value >= 0, _SECONDS),
}
NAMES = tuple(_READERS)
