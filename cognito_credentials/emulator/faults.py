"""
Misbehaviour on request: what ``PUT /_emulator/faults`` plans for coming requests.

Each fault is used for the first requests that it fits, in the order of the list.
"""

from __future__ import annotations

import http
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FOREVER = -1
_STATUSES = frozenset(status.value for status in http.HTTPStatus if status.value >= 200)


class FaultError(Exception):
    """The description of a fault is wrong; the text says where."""


@dataclass
class Fault:
    """
    One planned misbehaviour.

    Attributes:
        operation: Name of the operation, or ``*`` for any.
        times: How many requests are left; FOREVER does not count.
        code: Answer this error of the service, with *message*.
        status: Answer this HTTP status, with *body* and *headers*.
        delay: Seconds before anything else.
        drop: ``before`` closes the connection unanswered, ``after`` does the work first.
        drip: Seconds for each byte of the body.
        body_size: Send this many bytes of filler as the body.
    """

    operation: str
    times: int = 1
    code: str | None = None
    message: str = ""
    status: int | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: str | None = None
    drip: float = 0.0
    body_size: int | None = None

    @property
    def answers(self) -> bool:
        """True when the request is answered without being processed."""
        return self.status is not None or self.body is not None or self.body_size is not None


class Faults:
    """The faults that are planned."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, descriptions: Any) -> None:
        """
        Replace the plan.

        Raises:
            FaultError: The JSON value is not a list of faults; the old plan stays.
        """
        if not isinstance(descriptions, list):
            raise FaultError("faults: expected a list")
        self._planned = [
            _read(description, f"faults[{index}]") for index, description in enumerate(descriptions)
        ]

    def take(self, operation: str) -> Fault | None:
        """The fault for a request of *operation*, used up by one."""
        for fault in self._planned:
            if fault.times != 0 and fault.operation in ("*", operation):
                if fault.times > 0:
                    fault.times -= 1
                return fault
        return None

    def clear(self) -> None:
        """Plan nothing."""
        self._planned = []


def _read(description: Any, place: str) -> Fault:
    if not isinstance(description, dict):
        raise FaultError(f"{place}: expected an object")
    unknown = description.keys() - _KINDS.keys()
    if unknown:
        raise FaultError(f"{place}: unknown member {', '.join(sorted(unknown))}")
    for name, value in description.items():
        if not _is_kind(value, _KINDS[name]):
            raise FaultError(f"{place}.{name}: expected {_KIND_NAMES[name]}")
    given = dict(description)
    if "operation" not in given:
        raise FaultError(f"{place}: operation is missing")
    if given.get("status") is not None and given["status"] not in _STATUSES:
        raise FaultError(f"{place}.status: {given['status']} is no HTTP status")
    drop = given.pop("drop", False)
    if drop not in (True, False, "after"):
        raise FaultError(f'{place}.drop: expected true, false or "after"')
    return Fault(drop="after" if drop == "after" else "before" if drop else None, **given)


_KINDS: Mapping[str, Sequence[type]] = {
    "operation": (str,),
    "times": (int,),
    "code": (str,),
    "message": (str,),
    "status": (int,),
    "body": (str,),
    "headers": (dict,),
    "delay": (int, float),
    "drop": (bool, str),
    "drip": (int, float),
    "body_size": (int,),
}
_KIND_NAMES = {name: " or ".join(kind.__name__ for kind in kinds) for name, kinds in _KINDS.items()}


def _is_kind(value: Any, kinds: Sequence[type]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, dict) and dict in kinds:
        return all(isinstance(text, str) for text in value.values())
    return isinstance(value, tuple(kinds)) and not (isinstance(value, int | float) and value < FOREVER)
