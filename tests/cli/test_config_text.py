"""Changing one profile leaves every other byte of the config file as it was."""

from __future__ import annotations

import configparser
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from botocore.configloader import _parse_nested, load_config, raw_config_parse
from botocore.exceptions import ConfigParseError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cognito_credentials.cli.config_text import change_profile, classify, parse, section_header, section_of
from cognito_credentials.errors import ConfigurationError

POOL = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
LOGINS = {"accounts.google.com": "file:/run/token", "login.example.com": "command:get --audience app"}
MESSY = """\
# the company's file; do not lose this line
[default]
region=us-east-1
output = json   ; not a comment to configparser

[profile app]   # trailing words
  region = eu-west-1
  cognito_logins =
    # why this one
    old.example.com = env:OLD

  s3 =
    max_concurrent_requests = 20
; between
[services local]
sts =
  endpoint_url = http://127.0.0.1:1
"""


def test_a_change_is_the_lines_it_is_about() -> None:
    """Comments, blank lines, indentation and order stay; the old value's lines are replaced."""
    changed = change_profile(
        MESSY, "app", {"cognito_identity_pool_id": POOL, "cognito_logins": {"new.example.com": "env:NEW"}}
    )

    assert changed == MESSY.replace(
        "  cognito_logins =\n    # why this one\n    old.example.com = env:OLD\n\n",
        "  cognito_logins =\n    new.example.com = env:NEW\n    # why this one\n\n",
    ).replace(
        "    max_concurrent_requests = 20\n",
        f"    max_concurrent_requests = 20\n  cognito_identity_pool_id = {POOL}\n",
    )


def test_botocore_reads_what_was_written(tmp_path: Path) -> None:
    """botocore's own parser reads the new profile."""
    path = tmp_path / "config"
    path.write_text(
        change_profile(MESSY, "a b", {"cognito_identity_pool_id": POOL, "cognito_logins": LOGINS})
    )

    profiles = load_config(str(path))["profiles"]
    assert profiles["a b"] == {"cognito_identity_pool_id": POOL, "cognito_logins": LOGINS}
    assert profiles["app"]["s3"] == {"max_concurrent_requests": "20"}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_ends_stay_what_they_are(ending: str, last: str) -> None:
    """Windows line ends stay. A last line without an end gets one only if another line follows it."""
    text = MESSY.replace("\n", ending)
    text = text if last else text.removesuffix(ending)
    changed = change_profile(text, "new", {"region": "us-east-1", "cognito_logins": LOGINS})

    assert changed.startswith(text)
    assert set(re.findall(r"\r?\n", changed)) == {ending}


def test_a_change_that_is_none_changes_nothing() -> None:
    """Writing the same value again, or removing what is not there, is not a change."""
    assert change_profile(MESSY, "default", {"output": None, "nothing": None}) != MESSY
    assert change_profile(MESSY, "default", {"nothing": None}) == MESSY
    once = change_profile(MESSY, "app", {"cognito_logins": LOGINS, "x": "y"})
    assert change_profile(once, "app", {"cognito_logins": LOGINS, "x": "y"}) == once


def test_of_two_sections_that_are_the_profile_the_last_is_meant() -> None:
    """botocore prefers `[profile default]` to an earlier `[default]`, so the later one is changed."""
    text = "[default]\nregion = a\n[profile default]\nregion = b\n"

    assert change_profile(text, "default", {"region": "c"}) == text.replace("= b", "= c")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("default", "default"),
        ("app-1.x@y", "profile app-1.x@y"),
        ("a b", 'profile "a b"'),
        ("Zoë", "profile Zoë"),
        ("a#b", 'profile "a#b"'),
    ],
)
def test_names_are_written_as_botocore_reads_them(name: str, header: str) -> None:
    """The name of the section has quotes where botocore needs them."""
    assert section_header(name) == header
    assert section_of(parse(change_profile("", name, {"region": "x"})), name) == header


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a]\n[default",
        "a\nb",
        "a]b",
        "[a",
        'a"b',
        "a'b",
        "a\\b",
        " a",
        "-x",
        "\x1b[2J",
        "x" * 129,
        "a\u2028b",
    ],
)
def test_names_that_would_write_something_else_are_refused(name: str) -> None:
    """No name opens a section of its own, nor is an option behind --profile."""
    with pytest.raises(ConfigurationError, match="cannot be called"):
        change_profile(MESSY, name, {"region": "x"})


@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "a\r",
        "a\n[default]\naws_access_key_id = x",
        {"a": "b\nc"},
        {"a\nb": "c"},
        {"a=b": "c"},
        {"#a": "b"},
        " a",
    ],
)
def test_values_that_would_write_something_else_are_refused(value: str | dict[str, str]) -> None:
    """No value adds a line."""
    with pytest.raises(ConfigurationError):
        change_profile(MESSY, "app", {"region": value})


# What a line is made of. \x0b, \x0c, \x1c, \x85 and \u2028 end a line for str.splitlines(), not in a file.
MARGIN = st.sampled_from(
    ["", "", "", " ", "  ", "\t", "    ", " \t ", "\x0c", "\xa0", "\u3000 ", "\x85", "\u2028"]
)
KEY = st.sampled_from(["region", "Region", "cognito_logins", "output", "x", "Y", "a b", "[x", "é"])
SEPARATOR = st.sampled_from(["=", " = ", ":", " =  ", "\t: ", " = = "])
VALUE = st.sampled_from([
    "", "", "a", "a = b", "a: b", "é", "x ; y", "x # y", "# no comment", "; none", "\t# x", "#x", "a;b", "\\",
    "[default]", "[profile a]", "[profile a] # x", "[default]=y ; z", "region = x", "us-west-2", "%(x)s",
    "${x}", "a\x0bb = c", "a\x1cb", "x\x85# y", "\u2028[default]", "a\u2028; b", "\xa0", "\ufeff",
    "accounts.google.com=env:A", "login.example.com = command:get --audience app",
])  # fmt: skip
HEADER = st.sampled_from([
    "default", "default", "profile a", "profile a", "profile b", 'profile "c d"', 'profile "a"', "profilex b",
    "profile default", "profile  b", "profile b c", 'profile "b', "services s", "sso-session a", "odd",
    "DEFAULT", "a]b", "#x", " default",
])  # fmt: skip
END = st.sampled_from(["\n"] * 6 + ["\r\n", "\r", "\x0c\n", " \n", "\t\r\n", "\n\r"])
BODY = st.one_of(
    st.builds("[{}]{}".format, HEADER, st.sampled_from(["", "", " ", " # x", "]", " = x", "\x85"])),
    st.builds("{}{}{}".format, KEY, SEPARATOR, VALUE),
    st.builds("{}{}{}".format, KEY, SEPARATOR, VALUE),
    st.builds("{}{}".format, st.sampled_from(["#", ";", "# [default]", "; region = y", "#\x85"]), VALUE),
    VALUE,
    st.text(st.sampled_from("a[]=:#; \t\x0b\x0c\x1c\x1f\x85\xa0\u2028\ufeff'\"\\"), max_size=6),
)
LINE = st.builds("{}{}{}".format, MARGIN, BODY | st.just(""), END)
START = ["", "\n", "# x\n", "\ufeff", *["[profile a]\n"] * 6, "[default]\r\n", "[profile a]\nregion =\n"]
TEXTS = st.builds(
    lambda start, lines, cut: "".join((start, *lines)).rstrip("\r\n" if cut else ""),
    st.sampled_from(START),
    st.lists(LINE, max_size=25),
    st.booleans(),
)


def _readable(text: str) -> str:
    """Leave out the lines that `configparser` refuses, so that every example is about a file it reads."""
    while True:
        try:
            parse(text)
        except configparser.Error as error:
            # Python names one line, or all of them.
            line = getattr(error, "lineno", None)
            bad = {line} if line else {number for number, _ in getattr(error, "errors", [])}
        else:
            return text
        lines = io.StringIO(text, newline="")
        text = "".join(line for number, line in enumerate(lines, 1) if number not in bad)


def _by_configparser(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    parser.read_file(io.StringIO(text, newline=None))
    sections = {name: dict(parser[name]) for name in parser.sections()}
    return {"DEFAULT": dict(parser.defaults()), **sections}


def _by_classes(text: str) -> dict[str, dict[str, str]]:
    """Put sections, keys and values together from the classes of the lines alone."""
    found: dict[str, dict[str, list[str]]] = {"DEFAULT": {}}
    key = ""
    for line in classify(text):
        values = found.setdefault(line.section, {}) if line.section else {}
        if line.kind == "key":
            option = configparser.RawConfigParser.OPTCRE.match(line.text.strip())
            assert option
            values[line.key] = [option["value"].strip()]
        elif line.kind == "more" or (line.kind == "blank" and key):
            values[key].append(line.text.strip())
        if line.kind in ("key", "header"):
            key = line.key
    own = {
        section: {key: "\n".join(lines).rstrip() for key, lines in values.items()}
        for section, values in found.items()
    }
    return {section: {**own["DEFAULT"], **values} for section, values in own.items()}


def _by_botocore(path: Path, text: str) -> dict[str, dict[str, str]]:
    path.write_bytes(text.encode())
    parsed: dict[str, dict[str, str]] = raw_config_parse(str(path), parse_subsections=False)
    return parsed


def _without(mapping: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: value for name, value in mapping.items() if name not in names}


FOUND = [
    # The lines below the key belong to its value: their "# x" is no comment that somebody wrote behind it.
    "[profile a]\nregion=\n [default]\n [default]\n [default] # x\n",
    # On one line it is a text, not the nested value that it looks like.
    "[profile a]\ncognito_logins = accounts.google.com = env:A\n",
    # [DEFAULT] may stand twice, and gives its keys to every profile.
    "[DEFAULT]\noutput = json\n[profile a]\n[DEFAULT]\nregion = x\n",
    # While there is no other section, botocore does not look at what [DEFAULT] would give to one.
    "[DEFAULT]\noutput =\n  json\n",
]


@settings(
    max_examples=int(os.environ.get("CONFIG_TEXT_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    text=TEXTS,
    profile=st.sampled_from(["default", "a", "a", "b", "c d", "new"]),
    value=st.sampled_from(["us-west-2", "", "x # y", None]),
    logins=st.sampled_from([LOGINS, {"accounts.google.com": "env:A"}, {}, None]),
)
@example(text=FOUND[0], profile="a", value="us-west-2", logins=None)
@example(text=FOUND[1], profile="a", value=None, logins={"accounts.google.com": "env:A"})
@example(text=FOUND[2], profile="a", value="us-west-2", logins=LOGINS)
@example(text=FOUND[2], profile="a", value=None, logins=LOGINS)
@example(text=FOUND[3], profile="a", value="us-west-2", logins=LOGINS)
def test_whatever_the_file_looks_like_nothing_else_changes(
    tmp_path: Path, text: str, profile: str, value: str | None, logins: dict[str, str] | None
) -> None:
    """
    In any file that configparser reads, a change does what was asked, leaves every other line byte for
    byte and in order, and can be made again without effect. Only what [DEFAULT] prevents is refused.
    """
    text = _readable(text)
    before = _by_configparser(text)
    assert _by_classes(text) == before
    changes: dict[str, str | dict[str, str] | None] = {"region": value, "cognito_logins": logins}
    is_inherited = any(new is None and key in before["DEFAULT"] for key, new in changes.items())
    is_new = section_of(before, profile) is None
    if is_inherited or (is_new and any(map(_is_malformed, before["DEFAULT"].values()))):
        with pytest.raises(ConfigurationError, match=r"line \d+ of the config file, in \[DEFAULT\]"):
            change_profile(text, profile, changes)
        return
    changed = change_profile(text, profile, changes)
    assert change_profile(changed, profile, changes) == changed

    was = _by_botocore(tmp_path / "config", text)
    is_readable = _is_readable(tmp_path / "config")
    found = _by_botocore(tmp_path / "config", changed)
    name = section_of(found, profile)
    if name is None:
        assert changed == text
        return
    mine, mine_was = found.pop(name), was.pop(name, before["DEFAULT"])
    assert found == was
    assert _without(mine, changes) == _without(mine_was, changes)
    for key, new in changes.items():
        if isinstance(new, dict) and new:
            assert mine[key].startswith("\n")
            assert _parse_nested(mine[key]) == new
        else:
            assert mine.get(key) == ("" if new == {} else new)
    if is_readable:  # as a session reads it, with nested values
        profiles = load_config(str(tmp_path / "config"))["profiles"]
        assert profiles[profile].get("region") == value

    # Every other line stays byte for byte and in order, and a comment stays a comment.
    lines, lines_were = _lines(changed), _lines(text)
    others = [line for line in lines_were if not (line[1] == name and line[2] in changes)]
    left = iter(lines)
    assert all(line in left for line in others), [line for line in others if line not in lines]
    values = "\n".join(line for kind, section, key, line in lines_were if section == name and key in changes)
    for kind, section, key, line in (Counter(lines) - Counter(others)).elements():
        assert section == name
        assert kind == "header" or key in changes or (kind == "comment" and line.strip() in values)


def _is_malformed(value: str) -> bool:
    """Tell whether botocore takes a value for a nested one that it cannot read."""
    try:
        _parse_nested(value if value.startswith("\n") else "")
    except ValueError:
        return True
    return False


def _is_readable(path: Path) -> bool:
    """Tell whether botocore can read the nested values, too."""
    try:
        load_config(str(path))
    except ConfigParseError:
        return False
    return True


def _lines(text: str) -> list[tuple[str, str, str, str]]:
    """Return kind, section, key and text of each line; not of blank ones, and without line ends."""
    lines = (line for line in classify(text) if line.kind != "blank")
    return [(line.kind, line.section, line.key, line.text.strip("\r\n")) for line in lines]


def test_what_default_gives_is_not_removed_from_one_profile() -> None:
    """`[DEFAULT]` is configparser's own: its keys are in every profile, for botocore as for the AWS CLI."""
    text = "[DEFAULT]\ncognito_user = ann\n[profile a]\nregion = x\n"

    with pytest.raises(
        ConfigurationError, match=r"cognito_user .* profile 'a' alone: line 2 of the config file"
    ):
        change_profile(text, "a", {"cognito_user": None})
    assert change_profile(text, "a", {"cognito_user": "ann"}) == text + "cognito_user = ann\n"


def test_a_profile_that_could_not_be_read_is_not_added() -> None:
    """botocore reads a malformed nested value in `[DEFAULT]` only once there is a profile, and then fails."""
    text = "[DEFAULT]\noutput =\n  json\n"

    with pytest.raises(ConfigurationError, match=r"profile 'a' could not be read: line 2 of .* without '='"):
        change_profile(text, "a", {"region": "x"})


def test_lines_that_continue_a_value_go_with_it() -> None:
    """Indented below a key, even what looks like a section or a comment behind one belongs to the value."""
    text = "[profile a]\nregion=\n [default]\n [default]\n [default] # x\n"

    assert change_profile(text, "a", {"region": "eu-west-1"}) == "[profile a]\nregion = eu-west-1\n"
    assert change_profile(text, "a", {"region": None}) == "[profile a]\n"


def test_a_nested_value_on_one_line_is_written_as_one() -> None:
    """botocore reads a value on the key's line as text, so it differs from the nested value asked for."""
    text = "[profile a]\nlogins = x.example.com = env:X\n"
    nested = "[profile a]\nlogins =\n  x.example.com = env:X\n"

    assert change_profile(text, "a", {"logins": {"x.example.com": "env:X"}}) == nested
    assert change_profile(nested.replace(" = ", "="), "a", {"logins": {"x.example.com": "env:X"}}) == (
        nested.replace(" = ", "=")
    )


def test_the_property_above_is_not_about_refusals() -> None:
    """Ordinary mess is changed, not refused: indented headers, tabs, keys without values."""
    for text in (
        MESSY,
        "  [profile app]\n  region = a\n  [profile b]\n  region = c\n",
        "[profile app]\nx =\n\n\n",
        "",
        "\n# x\n",
    ):
        assert change_profile(text, "app", {"cognito_identity_pool_id": POOL})


def test_a_comment_behind_a_value_is_kept() -> None:
    """A parser reads a comment behind a value as part of it. When that changes, it moves above the key."""
    text = "[profile a]\nregion = us-east-1  # home\nnested =\n  x = y ; why\nurl = https://x/#part\n"

    new = change_profile(text, "a", {"region": "eu-west-1", "nested": None, "url": "https://y"})

    assert new == "[profile a]\n# home\nregion = eu-west-1\n; why\nurl = https://y\n"
