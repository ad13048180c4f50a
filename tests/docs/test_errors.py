"""Every error names a topic, every topic has its section, and the section quotes what is said."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from cognito_credentials import errors
from cognito_credentials.cache.records import StateRecord, remembered_error, with_topic
from tests.docs.pages import ROOT
from tests.docs.topics import classes, said, without_topic

PAGE = ROOT / ".github/docs/errors.md"
PACKAGED = ROOT / "cognito_credentials/cli/errors.md"


def sections(page: Path) -> dict[str, str]:
    """Return the sections of topics: heading -> text."""
    parts = re.split(r"^##+ ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: part for part in parts if part.startswith("E-")}


def test_the_page_of_the_site_is_the_one_of_the_command() -> None:
    """`help E-…` prints what the site shows: the two files are the same."""
    assert PAGE.read_text("utf-8") == PACKAGED.read_text("utf-8")


def test_every_topic_has_a_section_and_every_section_a_topic() -> None:
    """Nobody is led to a section that does not exist, and no section explains what is never said."""
    assert sorted(sections(PAGE)) == sorted(said())


def test_an_error_of_a_table_names_its_topic() -> None:
    """An error whose class comes from a table or a variable does not fall back to the topic of that class."""
    assert without_topic() == []


@pytest.mark.parametrize("topic", sorted(said()))
def test_a_section_quotes_what_is_said(topic: str) -> None:
    """What the first paragraph quotes is in messages of this topic; an ellipsis stands for what differs."""
    first = sections(PAGE)[topic].split("\n\n")[1]
    texts = [re.sub(r"\{\w+\}", "…", text) for text in said()[topic]]
    whole = "…".join(texts)
    for quoted in re.findall(r"`([^`]+)`", " ".join(first.split())):
        for part in filter(None, (part.strip() for part in quoted.split("…"))):
            assert part in whole, f"{topic}: no message says '{part}'"


def test_each_class_has_a_topic() -> None:
    """An error that names no topic has that of its class, in its text and after pickling."""
    for kind in classes().values():
        assert re.fullmatch(r"E-[A-Z]+(-[A-Z]+)*", kind.topic)
    error = errors.LoginRejectedError("no", hint="Do this", topic="E-LOGIN-AUDIENCE")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "no. Do this (see E-LOGIN-AUDIENCE)"
    assert str(errors.CacheError("no")) == "no (see E-CACHE)"
    assert error.message == "no"
    assert error.hint == "Do this"


def test_other_processes_are_told_the_topic() -> None:
    """A remembered error keeps its topic in the hint, which earlier versions show as it is."""
    error = errors.LoginRejectedError("no", hint="Do this", topic="E-LOGIN-AUDIENCE")
    state = StateRecord(
        key="0" * 40, retry_at=20, error="LoginRejectedError", message="no", hint=with_topic(error)
    )
    assert state.hint == "Do this (see E-LOGIN-AUDIENCE)"
    told = remembered_error(state, 10)
    assert (told.topic, told.hint) == ("E-LOGIN-AUDIENCE", "Do this")


@pytest.mark.parametrize("hint", ["Do this", "Do this (see the page)", ""])
def test_a_hint_of_an_earlier_version_stays_whole(hint: str) -> None:
    """A record without a topic is told with the topic of its class."""
    state = StateRecord(key="0" * 40, retry_at=20, error="LoginRejectedError", message="no", hint=hint)
    told = remembered_error(state, 10)
    assert (told.topic, told.hint) == ("E-LOGIN-REFUSED", hint)
