"""`reference/service.md` is complete; its tests, sources and anchors exist, as does what is cited of it."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from cognito_credentials.emulator.operations import OPERATIONS
from cognito_credentials.emulator.operations.query import OPERATIONS as QUERY_OPERATIONS

from .service_page import PAGE, ROOT, Answer, Fact, check_witnessed, facts

WITHOUT_A_TEST = ["W32", "1.7.1", "1.7.2", "2.2", "5.1.14", "5.2.1", "7.2.3", "9.3.9b", "9.3.15"]


@cache
def anchors():
    """Every anchor of the page: facts and headings."""
    return re.findall(r'<a id="([^"]+)"></a>', PAGE.read_text())


@cache
def texts():
    """The text files of this repository, by their path; without git, which a source archive does not need."""
    folders = [ROOT / name for name in (".ci", ".github", "cognito_credentials", "examples", "tests")]
    paths = [*ROOT.iterdir(), *(path for folder in folders for path in folder.rglob("*.*"))]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for path in paths
        if path.suffix in (".py", ".md", ".toml") and "node_modules" not in path.parts
    }


@cache
def functions(path):
    """The names of the functions in a file of this repository."""
    body = ast.parse((ROOT / path).read_text()).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef)}


def test_every_item_is_a_fact():
    """Each item is read as a fact, each anchor is there once, and what is documented or seen has a source."""
    page = PAGE.read_text()

    assert len(facts()) == page.count("\n- <a id=")
    assert len(set(anchors())) == len(anchors())
    for fact in facts():
        assert fact.certainty == "Assumed" or fact.rest.startswith(": ["), fact


def test_no_fact_of_the_numbered_lists_is_missing():
    """The checks of a login token and of STS, and the facts of the wire, are all there."""
    wanted = {f"W{number}" for number in [*range(1, 10), *range(10, 15), *range(20, 33)]}
    wanted |= {f"5.2.{number}" for number in range(15)}
    wanted |= {f"9.3.{number}" for number in range(16)}
    wanted |= {f"9.6.{number}" for number in range(1, 8)}

    assert not wanted - set(anchors())


def test_every_operation_has_a_fact_with_a_test():
    """A heading names each operation, and one of its facts has a test."""
    for operation in [*OPERATIONS, *(name for names in QUERY_OPERATIONS.values() for name in names)]:
        sections = re.findall(rf'^##+ <a id="([\d.]+)"></a>.*\b{operation}\b', PAGE.read_text(), re.MULTILINE)
        assert any(
            fact.tests for fact in facts() for section in sections if fact.number.startswith(f"{section}.")
        )


def test_tests_exist():
    """Each fact names tests that exist, or says why it has none."""
    for fact in facts():
        for name in fact.tests:
            path, _, function = name.partition("[")[0].partition("::")
            assert function in functions(path), name

    untested = [fact for fact in facts() if not fact.tests]
    assert [fact.number for fact in untested if "*No test*: " in fact.rest] == WITHOUT_A_TEST
    assert len(untested) == len(WITHOUT_A_TEST)


def test_sources_are_addresses():
    """Each source is defined at the end of the page, once, as an https address; each of them is used."""
    text, _, _ = PAGE.read_text().partition("\n[")
    defined = re.findall(r"^\[([^\]]+)\]: (\S+)", PAGE.read_text(), re.MULTILINE)
    used = set(re.findall(r"\[([^\[\]]+)\](?!\()", re.sub(r"`[^`]*`", "", text)))

    assert [name for name, _ in defined] == sorted(used, key=str.lower)
    assert all(address.startswith("https://") for _, address in defined)


def test_seen_texts_are_witnessed():
    """What was seen of a refused token is held with its text."""
    for fact in facts():
        if fact.number.startswith(("5.2.", "9.3.")) and fact.certainty == "Seen" and fact.tests:
            assert fact.answer, fact
            assert fact.answer.text.strip("…"), fact


def test_citations_lead_to_a_fact():
    """Whatever the repository cites of the page is there, and the page's own links lead somewhere."""
    cited = {
        (name, anchor)
        for name, text in texts().items()
        for line in text.splitlines()
        if "service.md#" in line
        for anchor in re.findall(r"#(W?\d+(?:\.\d+)*[a-d]?)\b", line)
    }
    cited |= {(PAGE.name, anchor) for anchor in re.findall(r"\]\(#([^)]+)\)", PAGE.read_text())}

    assert not sorted(one for one in cited if one[1] not in anchors())


def test_sources_of_the_emulator_lead_somewhere():
    """A source that the emulator or its tests name is a fact of the page, or an address."""
    for name, text in texts().items():
        if name.startswith(("cognito_credentials/emulator/", "tests/emulator/")):
            for source in re.findall(r"\bSources?: (?:.|\n(?!\n))+", text):
                assert "service.md#" in source or "https://" in source, (name, source)


def test_cited_pages_exist():
    """A page that a docstring or a comment names is a file of this repository."""
    pages = {name.rpartition("/")[2] for name in texts() if name.endswith(".md")}
    missing = {
        (name, page)
        for name, text in texts().items()
        if name.endswith(".py") and not name.startswith("tests/docs/")  # which make pages up
        for page in re.findall(r"\b[\w-]+\.md\b", text)
        if page not in pages
    }

    assert not missing


@pytest.mark.parametrize(
    "seen",
    [
        set(),
        {(500, "NotAuthorizedException", "Token expired: 1 >= 2")},
        {(400, "InvalidParameterException", "Token expired: 1 >= 2")},
        {(400, "NotAuthorizedException", "Token expired! 1 >= 2")},
    ],
)
def test_answers_that_were_not_given(seen):
    """A test that was never given the answer it is named for fails, and one that was given it does not."""
    answer = Answer(400, "NotAuthorizedException", "Token expired: … >= …")
    fact = Fact(
        "5.2.8", "expired", "Seen", "", ("tests/emulator/logins/test_verifier.py::test_expired",), answer
    )
    check_witnessed([fact], {(400, "NotAuthorizedException", "Token expired: 1 >= 2")})

    with pytest.raises(pytest.fail.Exception, match="never answered"):
        check_witnessed([fact], seen)
