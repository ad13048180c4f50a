"""
The intrinsic functions of a CloudFormation template, resolved as far as the template alone can tell.

What only AWS can tell, such as an export of another stack, is unknown: the smallest list entry or property
that holds it is left out, and this is said.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cognito_credentials.emulator.model.names import ACCOUNT_ID, partition_of
from cognito_credentials.emulator.seed.entry import SeedError

STACK = "emulator"
_MOST_DEPTH = 100
_MOST_TEXT = 1_000_000
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}

Attributes = Callable[[str], Mapping[str, Any] | None]


class UnknownError(Exception):
    """Only AWS can tell this value. The text says why."""


class _NoValue:
    """The value of AWS::NoValue: the property is not given."""


_NO_VALUE = _NoValue()


class Template:
    """
    The parts of a template, and the values in them.

    Args:
        path: The file, for errors.
        body: The template.
        region: What AWS::Region is.
        parameters: Values in place of the defaults.
        attributes: From a logical id to the attributes of the resource, of which ``Ref`` is what Ref returns.
            One that needs a property of the resource is a function. None if nothing is known of the resource.
        left_out: Called with a place and a reason for each part that is left out.

    Attributes:
        needs: From each resource whose properties were asked for to the resources that they name.
    """

    def __init__(
        self,
        path: str,
        body: Mapping[str, Any],
        region: str,
        parameters: Mapping[str, Any],
        attributes: Attributes,
        left_out: Callable[[str, str], None],
    ) -> None:
        self._path = path
        self._attributes = attributes
        self._left_out = left_out
        self._given = parameters
        self.resources = self._section(body, "Resources")
        self.outputs = self._section(body, "Outputs")
        self._parameters = self._section(body, "Parameters")
        self._mappings = self._section(body, "Mappings")
        self._conditions = self._section(body, "Conditions")
        for name in parameters:
            if name not in self._parameters:
                raise self.mistake("Parameters", f"there is no parameter '{name}'")
        partition = partition_of(region)
        self._pseudo: dict[str, Any] = {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::NotificationARNs": [],
            "AWS::NoValue": _NO_VALUE,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::StackId": f"arn:{partition}:cloudformation:{region}:{ACCOUNT_ID}:stack/{STACK}/0",
            "AWS::StackName": STACK,
            "AWS::URLSuffix": _SUFFIXES.get(partition, "amazonaws.com"),
        }
        self._under_way: list[str] = []
        self._known: dict[str, bool] = {}
        self._found: dict[str, Any] = {}
        self.needs: dict[str, list[str]] = {}
        self._needs: list[str] = []
        self._depth = 0

    def mistake(self, place: str, what: str) -> SeedError:
        """The error for a mistake at *place*."""
        return SeedError(f"seed file {self._path}: {place}: {what}")

    def properties(self, logical_id: str, unread: Sequence[str]) -> dict[str, Any]:
        """The properties of a resource, resolved, without the *unread* ones and those that are unknown."""
        values, place = self.resources[logical_id].get("Properties"), f"Resources.{logical_id}.Properties"
        if values is not None and not isinstance(values, dict):
            raise self.mistake(place, "expected a table")
        self._needs = self.needs[logical_id] = []
        read = {name: value for name, value in (values or {}).items() if name not in unread}
        found = {name: self._part(value, f"{place}.{name}") for name, value in read.items()}
        return {name: value for name, value in found.items() if value is not _NO_VALUE}

    def property(self, logical_id: str, name: str) -> Any:
        """One property of a resource, resolved; None if it is not given or unknown."""
        values = self.resources[logical_id].get("Properties")
        if not isinstance(values, dict) or name not in values:
            return None
        key, place = f"{logical_id}.{name}", f"Resources.{logical_id}.Properties.{name}"
        if key not in self._found:
            with self._inside(key, place):
                try:
                    value = self._resolved(values[name], place)
                except UnknownError:
                    value = None
            self._found[key] = None if value is _NO_VALUE else value
        return self._found[key]

    def check_circles(self) -> None:
        """
        Refuse resources of which each needs another one first, as CloudFormation does.

        Raises:
            SeedError: There is such a circle among the resources whose properties were asked for.
        """
        done: set[str] = set()
        for first in self.needs:
            path = [first]
            rest = [iter(self.needs[first])]
            while path:
                following = next(rest[-1], None)
                if following is None:
                    done.add(path.pop())
                    rest.pop()
                elif following in path:
                    circle = " -> ".join([*path[path.index(following) :], following])
                    raise self.mistake(f"Resources.{following}", f"circular reference: {circle}")
                elif following in self.needs and following not in done:
                    path.append(following)
                    rest.append(iter(self.needs[following]))

    def exists(self, part: Mapping[str, Any], place: str) -> bool:
        """Whether the Condition of a resource or an output is met; true without one."""
        name = part.get("Condition")
        return True if name is None else self._condition(name, f"{place}.Condition")

    def value(self, value: Any, place: str) -> Any:
        """*value* with its functions resolved. What is unknown in a list or a table is left out, and said."""
        if isinstance(value, dict) and not self._is_function(value):
            found = {key: self._part(inner, f"{place}.{key}") for key, inner in value.items()}
            return {key: inner for key, inner in found.items() if inner is not _NO_VALUE}
        if isinstance(value, list):
            parts = [self._part(item, f"{place}[{number}]") for number, item in enumerate(value, start=1)]
            return [item for item in parts if item is not _NO_VALUE]
        return self._resolved(value, place)

    def _part(self, value: Any, place: str) -> Any:
        try:
            return self.value(value, place)
        except UnknownError as unknown:
            self._left_out(place, str(unknown))
            return _NO_VALUE

    def _section(self, body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        section = body.get(name)
        section = {} if section is None else section
        if not isinstance(section, dict):
            raise self.mistake(name, "expected a table")
        for key, part in section.items():
            if name in ("Resources", "Outputs", "Parameters", "Mappings") and not isinstance(part, dict):
                if key.startswith("Fn::"):  # Fn::ForEach, Fn::Transform
                    self._left_out(f"{name}.{key}", "macros are not expanded; give the processed template")
                    continue
                raise self.mistake(f"{name}.{key}", "expected a table")
        return {key: part for key, part in section.items() if not key.startswith("Fn::")}

    @staticmethod
    def _is_function(value: Mapping[str, Any]) -> bool:
        if len(value) != 1:
            return False
        (name,) = value
        return name == "Ref" or name.startswith("Fn::")

    def _resolved(self, value: Any, place: str) -> Any:
        """*value* with every function in it resolved, or UnknownError."""
        if isinstance(value, str):
            if value.startswith("{{resolve:"):
                raise UnknownError("a dynamic reference is resolved by AWS alone")
            return value
        if not isinstance(value, dict | list):
            return value
        self._depth += 1
        try:
            if self._depth > _MOST_DEPTH:
                raise self.mistake(place, "nested too deeply")
            if isinstance(value, list):
                items = [self._resolved(item, f"{place}[{number}]") for number, item in enumerate(value, 1)]
                return [item for item in items if item is not _NO_VALUE]
            if self._is_function(value):
                ((name, argument),) = value.items()
                return self._call(name, argument, place)
            pairs = {key: self._resolved(inner, f"{place}.{key}") for key, inner in value.items()}
            return {key: inner for key, inner in pairs.items() if inner is not _NO_VALUE}
        finally:
            self._depth -= 1

    def _call(self, name: str, argument: Any, place: str) -> Any:
        functions: Mapping[str, Callable[[Any, str], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
        }
        if name not in functions:
            raise UnknownError(f"{name} is resolved by AWS alone")
        return functions[name](argument, f"{place}.{name}")

    def _ref(self, name: Any, place: str) -> Any:
        if not isinstance(name, str):
            raise self.mistake(place, "expected the name of a parameter or a resource")
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameter(name)
        return self._attribute(name, "Ref", place)

    def _parameter(self, name: str) -> Any:
        place, parameter = f"Parameters.{name}", self._parameters[name]
        kind = str(parameter.get("Type", "String"))
        if name in self._given:
            value = self._given[name]
        elif "Default" not in parameter:
            raise self.mistake(
                place,
                f"it has no Default; give it one, or in Python: Seed.load(…, parameters={{'{name}': …}})",
            )
        elif kind.startswith("AWS::SSM::"):
            raise UnknownError(f"the parameter {name} is read from Systems Manager")
        else:
            value = parameter["Default"]
        if isinstance(value, dict):
            raise self.mistake(f"{place}.Default", "expected a text")
        if isinstance(value, str) and (kind == "CommaDelimitedList" or kind.startswith("List<")):
            return [item.strip() for item in value.split(",")]
        return value

    def _attribute(self, logical_id: str, name: str, place: str) -> Any:
        if logical_id not in self.resources:
            raise self.mistake(place, f"the template has no '{logical_id}'")
        self._needs.append(logical_id)
        attributes = self._attributes(logical_id)
        if attributes is None or name not in attributes:
            what = logical_id if name == "Ref" else f"{logical_id}.{name}"
            raise UnknownError(f"{what} is known to AWS alone")
        value = attributes[name]
        return value() if callable(value) else value

    def _get_att(self, argument: Any, place: str) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if isinstance(parts, list) and len(parts) == 2:
            parts = [parts[0], self._resolved(parts[1], place)]
        if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(one, str) for one in parts):
            raise self.mistake(place, "expected a resource and the name of its attribute")
        return self._attribute(parts[0], parts[1], place)

    def _sub(self, argument: Any, place: str) -> str:
        variables: Any = {}
        if isinstance(argument, list) and len(argument) == 2:
            argument, variables = argument
        if not isinstance(argument, str) or not isinstance(variables, dict):
            raise self.mistake(place, "expected a text, or a text and its variables")
        length = 0

        def found(match: re.Match[str]) -> str:
            nonlocal length
            name = match[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"  # ${!literal} is written ${literal}
            if name in variables:
                value = self._resolved(variables[name], f"{place}.{name}")
            elif "." in name:
                value = self._get_att(name, place)
            else:
                value = self._ref(name, place)
            text = self._text(value, f"{place}.{name}")
            length += len(text)
            self._check_length(length, place)  # before the whole text, which may not fit into the memory
            return text

        return _VARIABLE.sub(found, argument)

    def _join(self, argument: Any, place: str) -> str:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            raise self.mistake(place, "expected a delimiter and a list")
        items = self._resolved(argument[1], place)
        if not isinstance(items, list):
            raise self.mistake(place, "expected a delimiter and a list")
        texts = [self._text(item, place) for item in items]
        self._check_length(sum(map(len, texts)) + len(argument[0]) * max(len(texts) - 1, 0), place)
        return argument[0].join(texts)

    def _if(self, argument: Any, place: str) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            raise self.mistake(place, "expected a condition and two values")
        return self._resolved(argument[1 if self._condition(argument[0], place) else 2], place)

    def _select(self, argument: Any, place: str) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:
            raise self.mistake(place, "expected an index and a list")
        index, items = self._resolved(argument[0], place), self._resolved(argument[1], place)
        number = int(index) if re.fullmatch("[0-9]{1,9}", str(index)) else -1
        if not isinstance(items, list) or not 0 <= number < len(items):
            raise self.mistake(place, "expected an index and a list that has it")
        return items[number]

    def _split(self, argument: Any, place: str) -> list[str]:
        if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
            raise self.mistake(place, "expected a delimiter and a text")
        text = self._text(self._resolved(argument[1], place), place)
        if not argument[0]:
            raise self.mistake(place, "the delimiter is empty")
        return text.split(argument[0])

    def _find_in_map(self, argument: Any, place: str) -> Any:
        if not isinstance(argument, list) or len(argument) not in (3, 4):
            raise self.mistake(place, "expected a map, a key and a second key")
        keys = [self._resolved(key, place) for key in argument[:3]]
        found: Any = self._mappings
        for key in keys:
            if not isinstance(found, dict) or not isinstance(key, str | int) or str(key) not in found:
                if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
                    return self._resolved(argument[3]["DefaultValue"], place)
                raise self.mistake(place, f"Mappings has no {'.'.join(str(one) for one in keys)}")
            found = found[str(key)]
        return self._resolved(found, place)

    def _condition(self, name: Any, place: str) -> bool:
        if not isinstance(name, str) or name not in self._conditions:
            raise self.mistake(place, f"the template has no condition '{name}'")
        if name not in self._known:
            with self._inside(f"condition {name}", f"Conditions.{name}"):
                self._known[name] = self._is_met(self._conditions[name], f"Conditions.{name}")
        return self._known[name]

    def _is_met(self, value: Any, place: str) -> bool:
        if not isinstance(value, dict) or len(value) != 1:
            raise self.mistake(place, "expected one of Fn::And, Fn::Equals, Fn::Not, Fn::Or and Condition")
        ((name, argument),) = value.items()
        if name == "Condition":
            return self._condition(argument, place)
        if name not in ("Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals") or not isinstance(argument, list):
            raise self.mistake(place, f"{name} is no condition")
        if len(argument) < 1 or (name == "Fn::Equals" and len(argument) != 2):
            raise self.mistake(place, f"{name} has the wrong number of values")
        if name == "Fn::Equals":
            try:
                one, other = (self._resolved(item, place) for item in argument)
            except UnknownError as unknown:
                self._left_out(place, f"{unknown}; it counts as not met")
                return False
            return bool(self._text(one, place) == self._text(other, place))
        met = [self._is_met(item, place) for item in argument]
        return not met[0] if name == "Fn::Not" else all(met) if name == "Fn::And" else any(met)

    def _text(self, value: Any, place: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str | int | float):
            raise self.mistake(place, "expected a text")
        return str(value)

    def _check_length(self, length: int, place: str) -> None:
        if length > _MOST_TEXT:
            raise self.mistake(place, f"the text is longer than {_MOST_TEXT} characters")

    @contextmanager
    def _inside(self, name: str, place: str) -> Iterator[None]:
        """Refuse a part that needs itself."""
        if name in self._under_way:
            circle = " -> ".join([*self._under_way[self._under_way.index(name) :], name])
            raise self.mistake(place, f"circular reference: {circle}")
        self._under_way.append(name)
        try:
            yield
        finally:
            self._under_way.pop()
