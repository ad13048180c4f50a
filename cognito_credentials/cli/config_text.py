"""
Changing one profile in the text of an AWS config file, and nothing else: not a comment, not a blank line.

The file belongs to its user and to other tools, so it is never parsed and written anew. It is read line by
line as `configparser` reads it (which botocore uses), the lines of the keys concerned are replaced, and
the result is parsed: if anything in it differs from what was asked for, the change is refused.
"""

from __future__ import annotations

import configparser
import io
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import ConfigurationError, clean

Value = str | Mapping[str, str]
"""Of a key: a text, or nested names and texts."""
Parsed = dict[str, dict[str, str]]

_HEADER: Final = configparser.RawConfigParser.SECTCRE
_OPTION: Final = configparser.RawConfigParser.OPTCRE
_INLINE: Final = re.compile(r"\s[#;]\s.*")
_PLAIN_NAME: Final = re.compile(r"[\w.@:/+=-]+")
_NAME_LIMIT: Final = 128


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    """With its line end."""
    kind: str
    """``header``, ``option``, ``more`` (of the option above), ``blank``, ``comment`` or ``other``."""
    indent: int = 0
    name: str = ""
    """Of the section or option."""


def change_profile(text: str, profile: str, changes: Mapping[str, Value | None]) -> str:
    """
    Change keys of a profile.

    Args:
        text: Of the whole file; well formed.
        profile: Its name; a section is added where there is none.
        changes: Key to value; None removes the key.

    Returns:
        The new text.

    Raises:
        ConfigurationError: The name or a value cannot stand in such a file, or the file is so unusual
            that it cannot be changed safely.
    """
    header = section_header(profile)
    _check(changes)
    before = parse(text)
    has = before.get(section_of(before, profile) or "", {})
    # What is so already is not written anew: its layout is its owner's.
    changes = {key: value for key, value in changes.items() if not _is_so(has.get(key), value)}
    if not changes:
        return text
    lines = _scan(text)
    ending = _line_end(lines)
    if section_of(before, profile) is None:
        lines = _with_section(lines, header, ending)
    first, end = _bounds(lines, profile)
    section = lines[first:end]
    following = lines[end].indent if end < len(lines) else 0
    for key, value in changes.items():
        section = _with_key(section, key, value, ending, following)
    new = "".join(line.text for line in (*lines[:first], *section, *lines[end:]))
    _verify(before, new, profile, changes)
    return new


def parse(text: str) -> Parsed:
    """
    Parse as botocore does, nested values left as text.

    Raises:
        configparser.Error: It is malformed.
    """
    parser = configparser.RawConfigParser(default_section=None)  # type: ignore[call-overload]  # as botocore does
    parser.read_file(io.StringIO(text, newline=None))
    return {section: dict(parser.items(section)) for section in parser.sections()}


def section_of(parsed: Parsed, profile: str) -> str | None:
    """Name the section that is *profile* to botocore: of several, the last."""
    return next((name for name in reversed(parsed) if _profile_in(name) == profile), None)


def section_header(profile: str) -> str:
    """
    Write the name of the section of *profile*, without brackets.

    Raises:
        ConfigurationError: A profile cannot be called so.
    """
    # What a quote, a bracket or a line break would do is write another section than the one shown.
    is_line = profile.isprintable() and profile == profile.strip() and 0 < len(profile) <= _NAME_LIMIT
    if not is_line or any(character in profile for character in "\"'\\[]"):
        raise ConfigurationError(
            f"a profile cannot be called '{clean(profile, 60)}'",
            hint="use letters, digits, spaces and _ . @ : / + = -",
        )
    if profile == "default":
        return "default"
    return f"profile {profile}" if _PLAIN_NAME.fullmatch(profile) else f'profile "{profile}"'


def nested(value: str) -> dict[str, str]:
    """Take the text of a nested value apart, as botocore does."""
    pairs = (line.partition("=") for line in value.splitlines() if line.strip())
    return {name.strip(): text.strip() for name, _, text in pairs}


def _profile_in(section: str) -> str | None:
    if section == "default":
        return section
    if not section.startswith("profile"):
        return None
    try:
        parts = shlex.split(section)
    except ValueError:
        return None
    return parts[1] if len(parts) == 2 else None


def _check(changes: Mapping[str, Value | None]) -> None:
    for key, value in changes.items():
        pairs = value.items() if isinstance(value, Mapping) else [("", value or "")]
        for name, text in pairs:
            is_safe = (name + text).isprintable() and not name.startswith(("#", ";")) and "=" not in name
            if not is_safe or text != text.strip():
                raise ConfigurationError(
                    f"{key} holds a line break or another character that no config file can hold",
                    hint="give it as one line of text",
                )


def _scan(text: str) -> list[_Line]:
    """Read lines as `configparser` does: what continues a value is indented deeper than its key."""
    lines: list[_Line] = []
    in_section, option, level = False, False, 0
    # newline="" splits where universal newlines do, and keeps the line ends.
    for raw in io.StringIO(text, newline=""):
        stripped = raw.strip()
        indent = len(raw) - len(raw.lstrip())
        if not stripped or stripped.startswith(("#", ";")):
            lines.append(_Line(raw, "comment" if stripped else "blank"))
        elif in_section and option and indent > level:
            lines.append(_Line(raw, "more"))
        elif header := _HEADER.match(stripped):
            in_section, option, level = True, False, indent
            lines.append(_Line(raw, "header", indent, header["header"]))
        elif in_section and (found := _OPTION.match(stripped)):
            option, level = True, indent
            lines.append(_Line(raw, "option", indent, found["option"].rstrip().lower()))
        else:
            lines.append(_Line(raw, "other", indent))
    return lines


def _line_end(lines: Sequence[_Line]) -> str:
    first = lines[0].text if lines else ""
    return first[len(first.rstrip("\r\n")) :] or "\n"


def _with_section(lines: list[_Line], header: str, ending: str) -> list[_Line]:
    lines = _ended(lines, ending)
    if lines and lines[-1].kind != "blank":
        lines.append(_Line(ending, "blank"))
    return [*lines, _Line(f"[{header}]{ending}", "header", 0, header)]


def _bounds(lines: Sequence[_Line], profile: str) -> tuple[int, int]:
    """Find the last section that is *profile*: the line of its header, and that of the next one."""
    headers = [index for index, line in enumerate(lines) if line.kind == "header"]
    first = next(index for index in reversed(headers) if _profile_in(lines[index].name) == profile)
    return first, next((index for index in headers if index > first), len(lines))


def _with_key(
    section: list[_Line], key: str, value: Value | None, ending: str, following: int
) -> list[_Line]:
    """Set or remove a key; *following* is the indentation of what stands below the section."""
    place = next((i for i, line in enumerate(section) if line.kind == "option" and line.name == key), None)
    if place is not None:
        end = place + 1
        while end < len(section) and section[end].kind in ("more", "blank", "comment"):
            end += 1
        indent = section[place].indent
        new = [] if value is None else _spell(key, value, indent, ending)
        comments = [_comment(line) for line in section[place:end] if line.kind in ("option", "more")]
        # Above the key: below it a comment would be taken for that of the next one.
        new = [*(_Line(f"{' ' * indent}{text}{ending}", "comment") for text in comments if text), *new]
        # Comments and blank lines within the old value stay; they say nothing to a parser.
        kept = [line for line in section[place + 1 : end] if line.kind != "more"]
        return [*section[:place], *new, *kept, *section[end:]]
    if value is None:
        return section
    # Below the last key, above the blank lines and comments that introduce the next section.
    last = max(i for i, line in enumerate(section) if line.kind not in ("blank", "comment"))
    options = [line.indent for line in section if line.kind == "option"]
    # No deeper than the last key, or it continues that; no shallower, or an indented header continues it.
    indent = options[-1] if options else following
    return [*_ended(section[: last + 1], ending), *_spell(key, value, indent, ending), *section[last + 1 :]]


def _comment(line: _Line) -> str:
    """Find what its writer meant as a comment behind a value; to every parser it is part of the value."""
    found = _INLINE.search(line.text)
    return found[0].strip() if found else ""


def _spell(key: str, value: Value, indent: int, ending: str) -> list[_Line]:
    margin = " " * indent
    if isinstance(value, str):
        return [_Line(f"{margin}{key} = {value}{ending}", "option", indent, key)]
    lines = [_Line(f"{margin}  {name} = {text}{ending}", "more") for name, text in value.items()]
    return [_Line(f"{margin}{key} ={ending}", "option", indent, key), *lines]


def _ended(lines: list[_Line], ending: str) -> list[_Line]:
    """Give the last line an end, so that another can follow."""
    if not lines or lines[-1].text.endswith(("\n", "\r")):
        return list(lines)
    last = lines[-1]
    return [*lines[:-1], _Line(last.text + ending, last.kind, last.indent, last.name)]


def _verify(before: Parsed, new: str, profile: str, changes: Mapping[str, Value | None]) -> None:
    expected = {name: dict(values) for name, values in before.items()}
    section = expected.setdefault(section_of(before, profile) or section_header(profile), {})
    for key, value in changes.items():
        if value is None:
            section.pop(key, None)
        else:
            section[key] = value if isinstance(value, str) else _joined(value)
    try:
        found = parse(new)
    except configparser.Error:
        found = {}
    # Of what is read, line by line: trailing blank lines of a value may have moved.
    if _comparable(found) != _comparable(expected):
        raise ConfigurationError(
            f"profile '{clean(profile, 60)}' cannot be changed safely: the config file is laid out oddly",
            hint="change it by hand, or choose another profile name",
        )


def _is_so(has: str | None, value: Value | None) -> bool:
    if has is None or value is None:
        return has is value
    wanted = value if isinstance(value, str) else _joined(value)
    return has == wanted if isinstance(value, str) else _lines(has) == _lines(wanted)


def _lines(value: str) -> list[str]:
    return [line for line in value.split("\n") if line.strip()]


def _joined(value: Mapping[str, str]) -> str:
    return "".join(f"\n{name} = {text}" for name, text in value.items())


def _comparable(parsed: Parsed) -> dict[str, dict[str, list[str]]]:
    return {name: {key: _lines(value) for key, value in values.items()} for name, values in parsed.items()}
