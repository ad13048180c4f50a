"""
Requests are checked against botocore's own service models, so no second copy of these is needed.

botocore checks required members, types and minimum lengths on the client, but not maximum lengths, patterns
and enums. The service checks all of them. Each shape is compiled once to a function. It takes a JSON value,
its path and a list of violations, to which it may add, and returns the value without members that the service
does not know.

Source: botocore/data/cognito-identity/2014-06-30 and botocore/data/sts/2011-06-15 in
https://github.com/boto/botocore. Texts: `reference/service.md#1.4`.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.model.shown import shown_members

Check = Callable[[Any, str, "list[str]"], Any]
Model = Mapping[str, Any]

_BEFORE_OTHERS = ("Logins",)
"""Members whose violations come before those of the others; `reference/service.md#1.4.12`."""


@dataclass(frozen=True)
class OperationModel:
    """
    One operation in the service model.

    Attributes:
        public: True when calls need no signature.
        check: Checks a request, and returns it without unknown members. Raises ServiceError.
        members: The names of the request's members.
        shown: The members of a request that may be shown to people.
        input_shape: The shape of the request; empty for an operation that takes no members.
    """

    name: str
    public: bool
    check: Callable[[Any], dict[str, Any]]
    shown: Callable[[Any], dict[str, Any]]
    members: tuple[str, ...]
    input_shape: str


@dataclass(frozen=True)
class ServiceModel:
    """The shapes and the operations of one service, by name."""

    shapes: Model
    operations: Mapping[str, OperationModel]


_UNSIGNED_OF_STS = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
"""botocore's model says so since 2025. Older versions have a list of their own (`botocore/handlers.py`)."""


@functools.cache  # the data never changes, and takes 0.1 s to read
def load_service_model(service: str) -> ServiceModel:
    """
    The compiled model of *service*: ``cognito-identity``, ``sts`` or ``iam``.
    """
    model = _read_model(service)
    compiler = _Compiler(model["shapes"])
    operations = {}
    for name, description in model["operations"].items():
        input_shape = description.get("input", {}).get("shape", "")
        operations[name] = OperationModel(
            name=name,
            public=description.get("authtype") == "none" or name in _UNSIGNED_OF_STS,
            check=_request_check(compiler, input_shape),
            shown=shown_members(model["shapes"], input_shape),
            members=tuple(model["shapes"][input_shape]["members"]) if input_shape else (),
            input_shape=input_shape,
        )
    return ServiceModel(model["shapes"], operations)


def _read_model(service: str) -> Model:
    """
    The model of *service* in botocore's data, without importing botocore, which takes longer than the data.

    Raises:
        ModuleNotFoundError: botocore is not installed.
    """
    found = find_spec("botocore")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'botocore'", name="botocore")
    directory = os.path.join(found.submodule_search_locations[0], "data", service)
    file = os.path.join(directory, max(os.listdir(directory)), "service-2.json")
    if os.path.exists(file):
        with open(file, "rb") as plain:
            model: Model = json.load(plain)
    else:
        with gzip.open(f"{file}.gz", "rb") as packed:
            model = json.load(packed)
    return model


def _request_check(compiler: _Compiler, shape: str) -> Callable[[Any], dict[str, Any]]:
    def check(request: Any) -> dict[str, Any]:
        if not isinstance(request, dict):
            raise wrong_json_type(request, "Structure")
        if not shape:
            return {}
        violations: list[str] = []
        cleaned: dict[str, Any] = compiler.compile(shape)(request, "", violations)
        if violations:
            raise _validation_error(violations)
        return cleaned

    return check


class _Compiler:
    """Compiles shapes to checks, each when it is first needed."""

    def __init__(self, shapes: Model) -> None:
        self._shapes = shapes
        self._checks: dict[str, Check] = {}

    def compile(self, name: str) -> Check:
        if name not in self._checks:
            shape = self._shapes[name]
            build = getattr(self, f"_{shape['type']}")
            self._checks[name] = build(shape)
        return self._checks[name]

    def _structure(self, shape: Model) -> Check:
        required = frozenset(shape.get("required", ()))
        members = [
            (member, _lower_first(member), self.compile(spec["shape"]), member in required)
            for member, spec in sorted(
                shape["members"].items(), key=lambda entry: entry[0] not in _BEFORE_OTHERS
            )
        ]

        def check(value: Any, path: str, violations: list[str]) -> Any:
            if not isinstance(value, dict):
                raise wrong_json_type(value, "Structure")
            cleaned = {}
            for member, wire_name, member_check, is_required in members:
                item = value.get(member)
                inner_path = f"{path}.{wire_name}" if path else wire_name
                if item is not None:
                    cleaned[member] = member_check(item, inner_path, violations)
                elif is_required:
                    violations.append(_violation("null", inner_path, "Member must not be null"))
            return cleaned

        return check

    def _list(self, shape: Model) -> Check:
        member_name = shape["member"]["shape"]
        member = self._shapes[member_name]
        member_check = self.compile(member_name)
        scalar_limits = _scalar_limits(member)
        secret = _is_sensitive(self._shapes, member_name)

        def check(value: Any, path: str, violations: list[str]) -> Any:
            if not isinstance(value, list):
                raise wrong_json_type(value, "List")
            _check_size(shape, value, path, violations, secret)
            inner: list[str] = []
            cleaned = []
            for index, item in enumerate(value, start=1):
                if item is None:
                    inner.append(_violation("null", f"{path}.{index}.member", "Member must not be null"))
                    continue
                cleaned.append(member_check(item, f"{path}.{index}.member", inner))
            if inner and scalar_limits:
                inner = [
                    _violation(
                        _shown(value, secret),
                        path,
                        f"Member must satisfy constraint: [{scalar_limits}]",
                    )
                ]
            violations.extend(inner)
            return cleaned

        return check

    def _map(self, shape: Model) -> Check:
        key_shape = self._shapes[shape["key"]["shape"]]
        value_name = shape["value"]["shape"]
        key_check = self.compile(shape["key"]["shape"])
        value_check = self.compile(value_name)
        key_limits = _scalar_limits(key_shape)
        value_limits = _scalar_limits(self._shapes[value_name])
        secret = _is_sensitive(self._shapes, value_name)

        def check(value: Any, path: str, violations: list[str]) -> Any:
            if not isinstance(value, dict):
                raise wrong_json_type(value, "Map")
            _check_size(shape, value, path, violations, secret)
            bad_keys: list[str] = []
            bad_values: list[str] = []
            cleaned = {}
            for key, item in value.items():
                key_check(key, path, bad_keys)
                if item is None:
                    bad_values.append(_violation("null", f"{path}.{key}.member", "Member must not be null"))
                    continue
                cleaned[key] = value_check(item, f"{path}.{key}.member", bad_values)
            if bad_keys:
                phrase = f"Map keys must satisfy constraint: [{key_limits}]"
                violations.append(_violation(_shown(value, secret), path, phrase))
            if bad_values and value_limits:
                phrase = f"Map value must satisfy constraint: [{value_limits}]"
                violations.append(_violation(_shown(value, secret), path, phrase))
            else:
                violations.extend(bad_values)
            return cleaned

        return check

    def _string(self, shape: Model) -> Check:
        secret = bool(shape.get("sensitive"))
        tests = _string_tests(shape)

        def check(value: Any, path: str, violations: list[str]) -> Any:
            if not isinstance(value, str):
                raise wrong_json_type(value, "String")
            for is_good, phrase in tests:
                if not is_good(value):
                    violations.append(_violation(_shown(value, secret), path, phrase))
            return value

        return check

    def _integer(self, shape: Model) -> Check:
        low, high = shape.get("min"), shape.get("max")

        def check(value: Any, path: str, violations: list[str]) -> Any:
            if not isinstance(value, int) or isinstance(value, bool):
                raise wrong_json_type(value, "Integer")
            if low is not None and value < low:
                phrase = f"Member must have value greater than or equal to {low}"
                violations.append(_violation(_shown(value, False), path, phrase))
            if high is not None and value > high:
                phrase = f"Member must have value less than or equal to {high}"
                violations.append(_violation(_shown(value, False), path, phrase))
            return value

        return check

    _long = _integer

    def _boolean(self, shape: Model) -> Check:
        del shape  # booleans have no constraints

        def check(value: Any, path: str, violations: list[str]) -> Any:
            del path, violations
            if not isinstance(value, bool):
                raise wrong_json_type(value, "Boolean")
            return value

        return check


def wrong_json_type(value: Any, expected: str) -> ServiceError:
    """
    A member has the wrong JSON type; `reference/service.md#W30b`.

    Args:
        expected: The type of the model: Structure, List, Map, String, Integer or Boolean.
    """
    if isinstance(value, list):
        return ServiceError("SerializationException", "Start of list found where not expected")
    return assumed.wrong_json_type(value, expected)


def _check_size(
    shape: Model, value: list[Any] | dict[str, Any], path: str, violations: list[str], secret: bool
) -> None:
    for is_good, phrase in _length_tests(shape):
        if not is_good(value):
            violations.append(_violation(_shown(value, secret), path, phrase))


def _length_tests(shape: Model) -> list[tuple[Callable[[Any], bool], str]]:
    tests: list[tuple[Callable[[Any], bool], str]] = []
    low, high = shape.get("min"), shape.get("max")
    if high is not None:
        phrase = f"Member must have length less than or equal to {high}"
        tests.append((lambda value: len(value) <= high, phrase))
    if low is not None:
        phrase = f"Member must have length greater than or equal to {low}"
        tests.append((lambda value: len(value) >= low, phrase))
    return tests


def _string_tests(shape: Model) -> list[tuple[Callable[[Any], bool], str]]:
    tests = _length_tests(shape)
    pattern = shape.get("pattern")
    if pattern:
        phrase = f"Member must satisfy regular expression pattern: {pattern}"
        tests.append((_full_match(pattern), phrase))
    enum = shape.get("enum")
    if enum:
        phrase = f"Member must satisfy enum value set: [{', '.join(enum)}]"
        tests.append((lambda value: value in enum, phrase))
    return tests


def _full_match(pattern: str) -> Callable[[str], bool]:
    class_pattern = re.fullmatch(r"\[(.*\\p\{.*)\]([+*])", pattern)
    if class_pattern is not None:
        # Python's re has no Unicode classes. A pattern that has some is one set of letters, e.g. [\p{L}_.-]+
        classes = frozenset(re.findall(r"\\p\{(\w)\}", class_pattern[1]))
        others = re.sub(r"\\p\{\w\}", "", class_pattern[1])
        other = re.compile(f"[{others}]" if others else "(?!)", re.ASCII)
        may_be_empty = class_pattern[2] == "*"
        return lambda value: (
            (may_be_empty or bool(value))
            and all(unicodedata.category(letter)[0] in classes or other.match(letter) for letter in value)
        )
    compiled = re.compile(pattern, re.ASCII)  # Java's \w and \s are ASCII
    return lambda value: compiled.fullmatch(value) is not None


def _scalar_limits(shape: Model) -> str:
    return ", ".join(phrase for _, phrase in _string_tests(shape)) if _is_string(shape) else ""


def _is_string(shape: Model) -> bool:
    return bool(shape["type"] == "string")


def _is_sensitive(shapes: Model, name: str) -> bool:
    return bool(shapes[name].get("sensitive"))


def _lower_first(name: str) -> str:
    return name[0].lower() + name[1:]


def _validation_error(violations: list[str]) -> ServiceError:
    """A ValidationException with all *violations*."""
    count = len(violations)
    noun = "error" if count == 1 else "errors"
    text = f"{count} validation {noun} detected: " + "; ".join(violations)
    return ServiceError("ValidationException", text)


def _violation(value_text: str, path: str, phrase: str) -> str:
    """One violation: the value at *path* does not satisfy *phrase*."""
    value = f"Value {value_text}" if value_text else "Value"
    return f"{value} at '{path}' failed to satisfy constraint: {phrase}"


def _shown(value: Any, secret: bool) -> str:
    """*value* in quotes. Of a *secret* map only the keys are shown, of another *secret* value nothing."""
    if secret:
        return f"'{_java_text(dict.fromkeys(value, ''))}'" if isinstance(value, dict) else ""
    return f"'{_java_text(value)}'"


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
