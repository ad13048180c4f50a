"""What of a request may be shown to people: the members that are no secrets, and no long values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_MOST_TEXT = 200
_MOST_NAMES = 20
_NO_SECRETS = {"ClientIdType", "UsernameType"}
"""Shapes that the models call sensitive for the sake of privacy. A developer wants to see who calls."""
_SECRETS = {"tokenCodeType"}
"""Shapes that the models do not call sensitive: the code of an MFA device, which may be a real one."""


def shown_members(shapes: Mapping[str, Any], input_shape: str) -> Callable[[Any], dict[str, Any]]:
    """
    A function from a request to its members as they may be shown.

    Of a secret only ``***`` is shown; of a map the keys, as those of Logins are the providers; of a list of
    structures the number of its entries.

    Args:
        input_shape: The shape of the request; empty for an operation that takes no members.
    """
    members = shapes[input_shape]["members"] if input_shape else {}
    ways = {name: _way(shapes[spec["shape"]], spec["shape"]) for name, spec in members.items()}

    def shown(request: Any) -> dict[str, Any]:
        if not isinstance(request, Mapping):
            return {}
        return {name: ways[name](value) for name, value in request.items() if name in ways}

    return shown


def _way(shape: Mapping[str, Any], name: str) -> Callable[[Any], Any]:
    if shape["type"] in ("map", "structure"):
        return _keys
    if shape["type"] == "list":
        return _entries
    is_secret = name in _SECRETS or (shape.get("sensitive") and name not in _NO_SECRETS)
    return _secret if is_secret else _scalar


def _secret(value: Any) -> str:
    del value
    return "***"


def _scalar(value: Any) -> Any:
    """A value of the wrong type may hold a secret anywhere."""
    if isinstance(value, str):
        return value if len(value) <= _MOST_TEXT else f"{value[:_MOST_TEXT]}…"
    return value if isinstance(value, bool | int | float) else f"({type(value).__name__})"


def _keys(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return f"({type(value).__name__})"
    return [_scalar(str(key)) for _, key in zip(range(_MOST_NAMES), value, strict=False)]


def _entries(value: Any) -> str:
    return f"{len(value)} entries" if isinstance(value, list) else f"({type(value).__name__})"
