"""
The texts of violated constraints, in the format of the framework that AWS services share.

Source: `.github/SERVICE.md#1.4`.
"""

from __future__ import annotations

from typing import Any

from cognito_credentials.emulator.errors import ServiceError


def validation_error(violations: list[str]) -> ServiceError:
    """A ValidationException with all *violations*."""
    count = len(violations)
    noun = "error" if count == 1 else "errors"
    text = f"{count} validation {noun} detected: " + "; ".join(violations)
    return ServiceError("ValidationException", text)


def violation(value_text: str, path: str, phrase: str) -> str:
    """One violation: the value at *path* does not satisfy *phrase*."""
    value = f"Value {value_text}" if value_text else "Value"
    return f"{value} at '{path}' failed to satisfy constraint: {phrase}"


def shown(value: Any, secret: bool) -> str:
    """*value* in quotes; empty for a *secret* one."""
    return "" if secret else f"'{_java_text(value)}'"


def _java_text(value: Any) -> str:
    """The framework prints values with Java's toString()."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, list):
        return "[" + ", ".join(_java_text(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_java_text(item)}" for key, item in value.items()) + "}"
    return str(value)
