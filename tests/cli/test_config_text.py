"""Changing one profile leaves every other byte of the config file as it was."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from botocore.configloader import load_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognito_credentials.cli.config_text import change_profile, parse, section_header, section_of
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


def _without(text: str, profile: str, keys: set[str]) -> dict[str, dict[str, str]]:
    parsed = parse(text)
    name = section_of(parsed, profile)
    if name is not None:
        parsed[name] = {key: value.rstrip() for key, value in parsed[name].items() if key not in keys}
        if not parsed[name]:
            del parsed[name]
    return {section: {k: v.rstrip() for k, v in values.items()} for section, values in parsed.items()}


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
    """The parser that matters is botocore's."""
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
    """A file from Windows stays one, and a last line without an end gets one only to be followed."""
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
    """botocore takes `[profile default]` below `[default]`; so is it changed."""
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
    """Quotes where it needs them."""
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
        "\x1b[2J",
        "x" * 129,
        "a\u2028b",
    ],
)
def test_names_that_would_write_something_else_are_refused(name: str) -> None:
    """No name opens a section of its own."""
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


INDENT = st.sampled_from(["", " ", "  ", "\t", "    "])
KEY = st.sampled_from(["region", "output", "cognito_logins", "x", "Y", "cli_pager"])
VALUE = st.sampled_from(["", "a", "a = b", "x ; y", "é", "a: b", "[not a section]", "# no comment"])
END = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])
LINE = st.one_of(
    st.builds("{}[{}]{}{}".format, INDENT,
              st.sampled_from(["default", "profile a", "profile b", 'profile "c d"', "services s", "odd"]),
              st.sampled_from(["", " ", " # x"]), END),
    st.builds("{}{}{}{}{}".format, INDENT, KEY, st.sampled_from(["=", " = ", ":", " =  "]), VALUE, END),
    st.builds("{}{}{}{}".format, INDENT, st.sampled_from(["#", ";", "# [default]", "; x = y"]), VALUE, END),
    st.builds("{}{}".format, INDENT, END),
)  # fmt: skip


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(
    lines=st.lists(LINE, max_size=25),
    cut=st.booleans(),
    profile=st.sampled_from(["default", "a", "b", "c d", "new"]),
    value=st.sampled_from(["us-west-2", "", None]),
    logins=st.sampled_from([LOGINS, None]),
)
def test_whatever_the_file_looks_like_nothing_else_changes(
    lines: list[str], cut: bool, profile: str, value: str | None, logins: dict[str, str] | None
) -> None:
    """
    In any file that configparser reads, a change does what was asked, leaves every other line byte for
    byte and in order, and can be made again without effect; or it is refused.
    """
    text = "".join(lines)
    text = text.rstrip("\r\n") if cut else text
    try:
        before = parse(text)
    except configparser.Error:
        return
    changes = {"region": value, "cognito_logins": logins}
    try:
        changed = change_profile(text, profile, changes)
    except ConfigurationError:
        return

    after = parse(changed).get(section_of(parse(changed), profile) or "", {})
    assert after.get("region") == value
    assert ("cognito_logins" in after) is (logins is not None)
    assert _without(changed, profile, set(changes)) == _without(text, profile, set(changes)), before
    kept = [line for line in re.split(r"\r\n|\n|\r", text) if line.strip().startswith(("#", ";"))]
    left = [line for line in re.split(r"\r\n|\n|\r", changed) if line.strip().startswith(("#", ";"))]
    assert left == kept
    assert change_profile(changed, profile, changes) == changed


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
    """To a parser it is part of the value, to its writer it is not: it moves above the key."""
    text = "[profile a]\nregion = us-east-1  # home\nnested =\n  x = y ; why\nurl = https://x/#part\n"

    new = change_profile(text, "a", {"region": "eu-west-1", "nested": None, "url": "https://y"})

    assert new == "[profile a]\n# home\nregion = eu-west-1\n; why\nurl = https://y\n"
