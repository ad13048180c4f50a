"""
Faults that tests plan: errors, delays and broken connections for coming requests.

A request gets the first fault of the list that fits its operation and is not used up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cognito_credentials.emulator.model.members import (
    SECONDS,
    ControlError,
    Kind,
    check_operation,
    is_number,
    is_text,
    read_members,
)

FOREVER = -1
ANY_OPERATION = "*"
_MOST_TIMES = 10**9
_MOST_BYTES = 2**30
_CODE = re.compile(r"[!-~]{1,256}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e\xa1-\xff]([\t\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa1-\xff])?|")
_FRAMING_HEADERS = ("content-length", "transfer-encoding")
_STATUSES_WITHOUT_BODY = (204, 304)


@dataclass
class Fault:
    """
    One planned fault.

    Attributes:
        operation: The name of the operation; ``*`` is any.
        times: The number of requests that the fault is left for, or FOREVER.
        code: Answer with this error code, and *message*.
        status: Answer with this HTTP status, and *body*.
        headers: Headers to set in the answer.
        delay: Seconds before anything else.
        drop: ``before`` closes the connection without an answer; ``after`` does the same after the operation.
        drip: Seconds for each byte of the body.
        body_size: Answer with this many bytes of filler.
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
        """True when the fault answers in place of the operation."""
        return self.status is not None or self.body is not None or self.body_size is not None

    def effect(self) -> str:
        """What the fault does, in one line."""
        members = self.described()
        del members["operation"], members["times"]
        return ", ".join(f"{name} {value}" for name, value in members.items()) or "nothing"

    def described(self) -> dict[str, Any]:
        """The fault in the form in which it is planned."""
        defaults = asdict(Fault(self.operation))
        members = {name: value for name, value in asdict(self).items() if value != defaults[name]}
        if self.drop == "before":
            members["drop"] = True
        return {"operation": self.operation, "times": self.times, **members}


class Faults:
    """
    The planned faults.

    Args:
        operations: The names of all operations.
    """

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = operations
        self._planned: list[Fault] = []

    def plan(self, descriptions: Any) -> None:
        """
        Replace the planned faults.

        Raises:
            ControlError: *descriptions* is not a list of faults. The old plan stays.
        """
        if not isinstance(descriptions, list):
            raise ControlError("faults: expected a list")
        self._planned = [
            self._read(description, f"faults[{index}]") for index, description in enumerate(descriptions)
        ]

    def take(self, operation: str) -> Fault | None:
        """The fault for a request of *operation*. It counts as used once more."""
        for fault in self._planned:
            if fault.times != 0 and fault.operation in (ANY_OPERATION, operation):
                if fault.times > 0:
                    fault.times -= 1
                return fault
        return None

    def planned(self) -> list[dict[str, Any]]:
        """The faults that are not used up, in the form in which they are planned."""
        return [fault.described() for fault in self._planned if fault.times != 0]

    def said(self) -> str:
        """The planned faults in one sentence."""
        return "; ".join(map(_said, self._planned)) or "no faults are planned"

    def clear(self) -> None:
        """Remove all faults."""
        self._planned = []

    def _read(self, description: Any, place: str) -> Fault:
        members = read_members(description, _KINDS, place, required=("operation",))
        operation = members["operation"]
        if operation != ANY_OPERATION:
            check_operation(f"{place}.operation", operation, self._operations)
        if "message" in members and "code" not in members:
            raise ControlError(f"{place}.message: it needs a code beside it")
        contents = [name for name in ("code", "body", "body_size") if name in members]
        if len(contents) > 1:
            raise ControlError(f"{place}: {' and '.join(contents)} exclude each other")
        if contents and members.get("status") in _STATUSES_WITHOUT_BODY:
            raise ControlError(
                f"{place}.{contents[0]}: an answer with status {members['status']} has no body"
            )
        drop = members.pop("drop", False)
        return Fault(drop="after" if drop == "after" else "before" if drop else None, **members)


def _said(fault: Fault) -> str:
    named = "any operation" if fault.operation == ANY_OPERATION else fault.operation
    times = "each time" if fault.times == FOREVER else "once" if fault.times == 1 else f"{fault.times} times"
    return f"a fault is planned for {named}, {times}: {fault.effect()}"


def _is_times(value: Any) -> bool:
    return isinstance(value, int) and is_number(value, FOREVER, _MOST_TIMES)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and is_number(value, 0, _MOST_BYTES)


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and is_number(value, 200, 599)


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_header(name, text) for name, text in value.items())


def _is_header(name: Any, text: Any) -> bool:
    """True for a valid header. The headers that frame the body are the server's."""
    return (
        isinstance(name, str)
        and isinstance(text, str)
        and _HEADER_NAME.fullmatch(name) is not None
        and _HEADER_VALUE.fullmatch(text) is not None
        and name.lower() not in _FRAMING_HEADERS
    )


_KINDS: Mapping[str, Kind] = {
    "operation": Kind(is_text, "the name of an operation, or *"),
    "times": Kind(_is_times, "a whole number of 0 or more, or -1 for ever"),
    "code": Kind(_is_code, "an error code in ASCII, without spaces", or_null=True),
    "message": Kind(lambda value: value == "" or is_text(value), "a text"),
    "status": Kind(_is_status, "an HTTP status, 200 to 599", or_null=True),
    "body": Kind(lambda value: isinstance(value, str), "a text", or_null=True),
    "headers": Kind(
        _are_headers,
        "header names with a line of Latin-1 text each, but not Content-Length or Transfer-Encoding",
    ),
    "delay": SECONDS,
    "drop": Kind(
        lambda value: isinstance(value, bool) or value == "after", 'true, false or "after"', or_null=True
    ),
    "drip": SECONDS,
    "body_size": Kind(_is_size, f"bytes, 0 to {_MOST_BYTES}", or_null=True),
}
