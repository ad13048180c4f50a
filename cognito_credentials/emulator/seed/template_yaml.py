"""
A YAML template in, the same value as JSON out: what CloudFormation takes of YAML, with limits.

The short forms of functions become their long forms: ``!Sub text`` is ``{"Fn::Sub": "text"}``. Dates are
texts, since policies have ``Version: 2012-10-17``. Anchors may be repeated, but not without bound.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cognito_credentials.extras import install_command

_MOST_DEPTH = 60
_MOST_NODES = 100_000
"""A template of the largest size has fewer. Anchors that repeat anchors have billions."""
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?[0-9]{1,17}\.[0-9]{1,17}")
_STANDARD_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!")


@dataclass
class _Open:
    """
    A list or a table whose end has not come yet.

    Attributes:
        size: The number of nodes in it, those of anchors as often as they are repeated.
    """

    tag: str
    anchor: str | None
    value: Any
    size: int = 1
    key: str | None = None
    keys: set[str] = field(default_factory=set)


def read_yaml(text: str) -> Any:
    """
    The value of a template.

    Raises:
        ValueError: It is not YAML, or not what CloudFormation takes. The text names the line.
    """
    try:
        import yaml
    except ModuleNotFoundError:
        raise ValueError(f"a YAML template needs PyYAML; run: {install_command('emulator')}") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(yaml).read(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}{error.problem or error.context or 'it is not YAML'}") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


class _Reader:
    """Builds the value from events, without recursion: no nesting ends the process."""

    def __init__(self, yaml: Any) -> None:
        self._yaml = yaml
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._result: list[Any] = []

    def read(self, events: Any) -> Any:
        yaml = self._yaml
        for event in events:
            self._line = event.start_mark.line + 1
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    raise self._wrong(f"*{event.anchor} names an anchor that is not closed before it")
                self._put(*self._anchors[event.anchor])
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                if len(self._open) >= _MOST_DEPTH:
                    raise self._wrong("nested too deeply")
                value: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
                self._open.append(_Open(event.tag or "", event.anchor, value))
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                ended = self._open.pop()
                self._end(ended.tag, ended.anchor, ended.value, ended.size)
            elif isinstance(event, yaml.DocumentStartEvent) and self._result:
                raise self._wrong("it has a second document")
        return self._result[0] if self._result else None

    def _scalar(self, event: Any) -> None:
        plain = event.implicit[0] and event.style is None
        self._end(event.tag or "", event.anchor, _plain(event.value) if plain else event.value, 1)

    def _end(self, tag: str, anchor: str | None, value: Any, size: int) -> None:
        if tag and tag not in _STANDARD_TAGS:
            if not tag.startswith("!"):
                raise self._wrong(f"the tag {tag} is not accepted")
            value = _function(tag[1:], value)
        if anchor is not None:
            self._anchors[anchor] = value, size
        self._put(value, size)

    def _put(self, value: Any, size: int) -> None:
        if not self._open:
            self._result.append(value)
            return
        inside = self._open[-1]
        inside.size += size
        if sum(one.size for one in self._open) > _MOST_NODES:
            raise self._wrong(f"its anchors repeat more than {_MOST_NODES} values")
        if isinstance(inside.value, list):
            inside.value.append(value)
        elif inside.key is None:
            self._key(inside, value)
        else:
            inside.value[inside.key] = value
            inside.key = None

    def _key(self, inside: _Open, key: Any) -> None:
        if isinstance(key, bool | int | float) or key is None:
            key = str(key).lower()
        if not isinstance(key, str):
            raise self._wrong("a key is not a text")
        if key == "<<":
            raise self._wrong("merge keys (<<) are not accepted, as CloudFormation does not accept them")
        if key in inside.keys:
            raise self._wrong(f"'{key}' is given twice")
        inside.keys.add(key)
        inside.key = key

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"line {self._line}: {what}")


def _plain(text: str) -> Any:
    """The value of a text without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _function(name: str, value: Any) -> dict[str, Any]:
    """The long form of the function ``!name value``."""
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{name}": value}
