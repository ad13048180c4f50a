"""
Changing one profile in the text of an AWS config file, and nothing else: not a comment, not a blank line.

The file belongs to its user and to other tools, so it is never parsed and rewritten as a whole. Each line
is classified as `configparser` classifies it, which botocore and the AWS CLI use; only the lines of the keys
concerned are replaced. The result is parsed: where it differs from what was asked for, the change is refused.
"""

from __future__ import annotations

import configparser
import io
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..errors import ConfigurationError, clean

Value = str | Mapping[str, str]
"""Of a key: a text, or nested names and texts."""
Parsed = dict[str, dict[str, str]]

DEFAULTS: Final = configparser.DEFAULTSECT
"""The section whose keys `configparser` adds to every other section; not the profile ``default``."""

_HEADER: Final = configparser.RawConfigParser.SECTCRE
_OPTION: Final = configparser.RawConfigParser.OPTCRE
_INLINE: Final = re.compile(r"\s[#;]\s.*")
_PLAIN_NAME: Final = re.compile(r"[\w.@:/+=-]+")
_NAME_LIMIT: Final = 128


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a config file, and what it is to `configparser`."""

    text: str
    """With its line end, which only the last line may lack."""
    kind: str
    """``header``, ``key``, ``more`` (continues the value of the key above), ``blank`` or ``comment``."""
    section: str
    """Name of the section that it stands in; empty above the first one."""
    key: str = ""
    """In lower case; of ``key`` and ``more``."""

    @property
    def margin(self) -> str:
        """The white space in front."""
        return self.text[: len(self.text) - len(self.text.lstrip())]


def change_profile(text: str, profile: str, changes: Mapping[str, Value | None]) -> str:
    """
    Change keys of a profile.

    Args:
        profile: A section is added at the end where the profile has none.
        changes: Key to new value; None removes the key.

    Returns:
        The whole file, changed.

    Raises:
        ConfigurationError: The name or a value cannot stand in such a file; ``[DEFAULT]`` has a key that is
            to be removed, or one that a new profile could not be read with; or the result does not read as it
            should.
        configparser.Error: The file is malformed.
    """
    header = section_header(profile)
    _refuse_unwritable(changes)
    before = parse(text)
    lines = classify(text)
    ending = _line_end(lines)
    name = section_of(before, profile)
    removed = [key for key, value in changes.items() if value is None]
    _refuse_defaults(lines, before[DEFAULTS], profile, removed, is_new=name is None)
    if name is None:
        name = header
        lines = _with_section(lines, header, ending)
    places = [index for index, line in enumerate(lines) if line.section == name]
    first, end = places[0], places[-1] + 1
    section = lines[first:end]
    below = lines[end].margin if end < len(lines) else ""
    own = {line.key for line in section}
    for key, value in changes.items():
        # A value that is as asked for already keeps the layout that its owner gave it.
        if not _reads_as(before[name][key] if key in own else None, value):
            section = _with_key(section, key, value, ending, below)
    if section == lines[first:end]:
        return text
    new = "".join(line.text for line in (*lines[:first], *section, *lines[end:]))
    if not _is_as_asked(before, new, profile, changes):
        raise ConfigurationError(
            f"profile '{clean(profile, 60)}' cannot be changed safely: its section, line {first + 1} of the "
            "config file, is laid out oddly",
            hint="Change it by hand, or choose another profile name",
            topic="E-PROFILE",
        )
    return new


def parse(text: str) -> Parsed:
    """
    Parse as botocore and the AWS CLI do, nested values left as text.

    Returns:
        Section to key to value; ``[DEFAULT]`` comes first, and its keys are in every section.

    Raises:
        configparser.Error: It is malformed.
    """
    parser = configparser.RawConfigParser()
    parser.read_file(io.StringIO(text, newline=None))
    sections = {section: dict(parser.items(section)) for section in parser.sections()}
    return {DEFAULTS: dict(parser.defaults()), **sections}


def classify(text: str) -> list[Line]:
    """Classify the lines of a well-formed file as `configparser` reads them."""
    lines: list[Line] = []
    section, key, level = "", "", 0
    # newline="" splits where universal newlines do, and keeps the line ends.
    for raw in io.StringIO(text, newline=""):
        stripped = raw.strip()
        indent = len(raw) - len(raw.lstrip())
        if not stripped or stripped.startswith(("#", ";")):
            lines.append(Line(raw, "comment" if stripped else "blank", section))
        elif key and indent > level:
            lines.append(Line(raw, "more", section, key))
        elif header := _HEADER.match(stripped):
            section, key, level = header["header"], "", indent
            lines.append(Line(raw, "header", section))
        elif option := _OPTION.match(stripped):
            key, level = option["option"].rstrip().lower(), indent
            lines.append(Line(raw, "key", section, key))
    return lines


def section_of(parsed: Parsed, profile: str) -> str | None:
    """Name the section that is *profile* to botocore: of several, the last."""
    return next((name for name in reversed(parsed) if _profile_in(name) == profile), None)


def section_header(profile: str) -> str:
    """
    Write the name of the section of *profile*, without brackets.

    Raises:
        ConfigurationError: No section can have such a name.
    """
    # With a quote, a bracket or a line break in it, it would be another section than the one shown.
    is_line = profile.isprintable() and profile == profile.strip() and 0 < len(profile) <= _NAME_LIMIT
    # One that begins with a hyphen would be an option to whoever writes --profile in front of it.
    if not is_line or profile.startswith("-") or any(character in profile for character in "\"'\\[]"):
        raise ConfigurationError(
            f"a profile cannot be called '{clean(profile, 60)}'",
            hint="Use letters, digits, spaces and _ . @ : / + = -",
            topic="E-PROFILE",
        )
    if profile == "default":
        return "default"
    return f"profile {profile}" if _PLAIN_NAME.fullmatch(profile) else f'profile "{profile}"'


def is_portable(profile: str) -> bool:
    """Tell whether every SDK finds a profile of that name."""
    return profile.isascii() and _PLAIN_NAME.fullmatch(profile) is not None


def nested(value: str) -> dict[str, str]:
    """Take the text of a nested value apart, as botocore does."""
    pairs = (line.partition("=") for line in value.splitlines() if line.strip())
    return {name.strip(): text.strip() for name, _, text in pairs}


def _profile_in(section: str) -> str | None:
    """Source: botocore, configloader.build_profile_map."""
    if section == "default":
        return section
    if not section.startswith("profile"):
        return None
    try:
        parts = shlex.split(section)
    except ValueError:
        return None
    return parts[1] if len(parts) == 2 else None


def _refuse_unwritable(changes: Mapping[str, Value | None]) -> None:
    for key, value in changes.items():
        pairs = value.items() if isinstance(value, Mapping) else [("", value or "")]
        for name, text in pairs:
            is_safe = (name + text).isprintable() and not name.startswith(("#", ";")) and "=" not in name
            if not is_safe or text != text.strip() or name != name.strip():
                raise ConfigurationError(
                    f"{key} holds a line break or another character that no config file can hold",
                    hint="Give it as one line of text",
                    topic="E-PROFILE",
                )


def _refuse_defaults(
    lines: Sequence[Line], defaults: Mapping[str, str], profile: str, removed: Sequence[str], *, is_new: bool
) -> None:
    """Refuse what the keys of ``[DEFAULT]`` prevent, since every profile has them."""
    shown = clean(profile, 60)
    for number, line in enumerate(lines, 1):
        if line.section != DEFAULTS or line.kind != "key":
            continue
        where = f"line {number} of the config file, in [{DEFAULTS}], gives all profiles"
        if line.key in removed:
            raise ConfigurationError(
                f"{line.key} cannot be removed from profile '{shown}' alone: {where} this key",
                hint="Remove that line first",
                topic="E-PROFILE",
            )
        value = defaults[line.key]
        if is_new and value.startswith("\n") and not _is_nested(value):
            raise ConfigurationError(
                f"profile '{shown}' could not be read: {where} an indented line without '='",
                hint="Write nested settings as '  name = value'",
                topic="E-PROFILE",
            )


def _line_end(lines: Sequence[Line]) -> str:
    first = lines[0].text if lines else ""
    return first[len(first.rstrip("\r\n")) :] or "\n"


def _with_section(lines: list[Line], header: str, ending: str) -> list[Line]:
    lines = _with_end(lines, ending)
    if lines and lines[-1].kind != "blank":
        lines.append(Line(ending, "blank", lines[-1].section))
    return [*lines, Line(f"[{header}]{ending}", "header", header)]


def _with_key(section: list[Line], key: str, value: Value | None, ending: str, below: str) -> list[Line]:
    """Set or remove a key; *below* is the margin of what stands below the section."""
    name = section[0].section
    old = [line for line in section if line.key == key]
    if old:
        place, margin = section.index(old[0]), old[0].margin
        # Above the key: below it a comment would be taken for that of the next key.
        comments = [Line(f"{margin}{text}{ending}", "comment", name) for text in _comments(old)]
        new = [] if value is None else _spell(name, key, value, margin, ending)
        # Comments and blank lines between the lines of the old value stay.
        kept = [line for line in section[place:] if line.key != key]
        return [*section[:place], *comments, *new, *kept]
    if value is None:
        return section
    # Below the last key, above the blank lines and comments that introduce the next section.
    last = max(index for index, line in enumerate(section) if line.kind not in ("blank", "comment"))
    margins = [line.margin for line in section if line.kind == "key"]
    # A deeper margin than the last key's would continue that key's value. A shallower one than the next
    # header's would make that header continue the new value.
    new = _spell(name, key, value, margins[-1] if margins else below, ending)
    return [*_with_end(section[: last + 1], ending), *new, *section[last + 1 :]]


def _comments(lines: Sequence[Line]) -> list[str]:
    """
    Find what was written as comments behind the text of a value; to every parser they are part of it.

    They stand behind a ``name = text``; a line that only continues a text has none.
    """
    comments = []
    for line in lines:
        match = _INLINE.search(line.text)
        if match and (line.kind == "key" or "=" in line.text[: match.start()]):
            comments.append(match[0].strip())
    return comments


def _spell(section: str, key: str, value: Value, margin: str, ending: str) -> list[Line]:
    text, pairs = (f" {value}", {}) if isinstance(value, str) else ("", value)
    return [
        Line(f"{margin}{key} ={text}{ending}", "key", section, key),
        *(Line(f"{margin}  {name} = {text}{ending}", "more", section, key) for name, text in pairs.items()),
    ]


def _with_end(lines: list[Line], ending: str) -> list[Line]:
    """Give the last line an end, so that another can follow."""
    if not lines or lines[-1].text.endswith(("\n", "\r")):
        return list(lines)
    return [*lines[:-1], replace(lines[-1], text=lines[-1].text + ending)]


def _is_as_asked(before: Parsed, new: str, profile: str, changes: Mapping[str, Value | None]) -> bool:
    """Tell whether the changed text differs from what it was in the changes, and in nothing else."""
    try:
        after = parse(new)
    except configparser.Error:
        return False
    section = section_of(after, profile)
    if section is None:
        return False
    was = before.get(section, before[DEFAULTS])
    return (
        _without(before, [section]) == _without(after, [section])
        and _without(was, changes) == _without(after[section], changes)
        and all(_reads_as(after[section].get(key), value) for key, value in changes.items())
    )


def _without(mapping: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    return {name: value for name, value in mapping.items() if name not in names}


def _reads_as(text: str | None, value: Value | None) -> bool:
    """Tell whether botocore reads the *text* behind a key as *value*; None stands for no such key."""
    if text is None or value is None:
        return text is value
    wanted = value if isinstance(value, str) else dict(value) or ""
    return wanted == (nested(text) if _is_nested(text) else text)


def _is_nested(value: str) -> bool:
    """Tell whether botocore reads a value as a nested one: it begins on the line below its key."""
    return value.startswith("\n") and all("=" in line for line in value.splitlines() if line.strip())
