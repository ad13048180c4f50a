"""
Reads the form of the query protocol into the request that JSON would have, by the service model.

``Tags.member.1.Key=team`` is the member ``Key`` of the first of the ``Tags``.
Source: reference/service.md#9.1.1; the names are those that botocore's QuerySerializer writes,
https://github.com/boto/botocore/blob/develop/botocore/serialize.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError

_INDEX = re.compile(r"member\.([0-9]{1,4})(?:\.|$)")
_INTEGER = re.compile("[+-]?[0-9]{1,10}")
_BOOLEANS = {"true": True, "false": False}


def read_form(fields: Mapping[str, str], shapes: Mapping[str, Any], name: str) -> dict[str, Any]:
    """
    The request in *fields*. What the shape does not have is left out.

    Args:
        fields: The decoded fields of the form.
        shapes: The shapes of the service model.
        name: The shape of the request; empty for an operation that takes no members.

    Raises:
        ServiceError: MalformedInput, for a number, a truth value or a list that is written as none is.
    """
    return _structure(fields, shapes, name) if name else {}


def _structure(fields: Mapping[str, str], shapes: Mapping[str, Any], name: str) -> dict[str, Any]:
    request = {}
    for member, spec in shapes[name]["members"].items():
        value = _value(member, fields, shapes, spec["shape"])
        if value is not None:
            request[member] = value
    return request


def _value(member: str, fields: Mapping[str, str], shapes: Mapping[str, Any], name: str) -> Any:
    """The value of *member*; None if no field belongs to it."""
    kind = shapes[name]["type"]
    text = fields.get(member)
    if kind in ("structure", "list"):
        before = f"{member}."
        inner = {key[len(before) :]: value for key, value in fields.items() if key.startswith(before)}
        if text and not inner:  # an empty list is the bare name of the member
            raise ServiceError("MalformedInput", assumed.not_a_list(text))
        if text is None and not inner:
            return None
        return _structure(inner, shapes, name) if kind == "structure" else _list(inner, shapes, name)
    if text is None or kind == "string":
        return text
    if kind == "boolean":
        if text.lower() not in _BOOLEANS:
            raise ServiceError("MalformedInput", assumed.not_a_boolean(text))
        return _BOOLEANS[text.lower()]
    if _INTEGER.fullmatch(text) and abs(int(text)) < 2**31:
        return int(text)
    raise ServiceError("MalformedInput", assumed.not_an_integer(text))


def _list(fields: Mapping[str, str], shapes: Mapping[str, Any], name: str) -> list[Any]:
    numbers = {int(match[1]): match[0].rstrip(".") for key in fields if (match := _INDEX.match(key))}
    item = shapes[name]["member"]["shape"]
    return [_value(numbers[number], fields, shapes, item) for number in sorted(numbers)]
