"""The conformance table is that of the tests, and the tests leave nothing of the specification out."""

from __future__ import annotations

import re

import pytest

from cognito_credentials.emulator.operations import OPERATIONS
from cognito_credentials.emulator.operations.sts import OPERATIONS as STS_OPERATIONS

from .conformance import MARKS, TABLE, behaviours, check_witnessed, holders, known_tests, table
from .facts import FACTS, Answer, Fact


def test_table_is_up_to_date():
    """The committed table is the one that the tests make: `python -m tests.emulator.conformance`."""
    assert TABLE.read_text() == table()


def test_lines_are_complete():
    """Every line names a known operation and mark, and says what is held."""
    known = {*OPERATIONS, *STS_OPERATIONS, "any", "OPTIONS /", "/.well-known/jwks_uri"}
    for line in behaviours():
        assert line.operation in known, line
        assert line.mark in MARKS, line
        assert line.text.endswith("."), line


def test_every_operation_has_a_line():
    """No operation is without a behaviour that a test holds."""
    named = {line.operation for line in behaviours()}

    assert not {*OPERATIONS, *STS_OPERATIONS} - named


def test_facts_leave_nothing_out():
    """Every row of the specification's tables and lists is among the facts, and none stands there twice."""
    wanted = {f"W{number}" for number in [*range(1, 8), *range(10, 15), *range(20, 32)]}
    wanted |= {f"15.{number}" for number in range(1, 25)} - {"15.10"}
    wanted |= {f"5.2 check {number}" for number in range(12)}
    wanted |= {f"9.3 check {number}" for number in range(1, 11)}
    wanted |= {f"Q{number}" for number in range(1, 18)}
    wanted |= {f"9.6 {row}" for row in ("key", "expired", "signature", "unsigned", "clock")}
    names = [fact.name for fact in FACTS]

    assert not wanted - {re.sub(r"(?<=\d)[a-e]$", "", name) for name in names}
    assert len(set(names)) == len(names)
    assert {fact.mark for fact in FACTS} <= set(MARKS)


def test_every_fact_is_held():
    """Every fact names tests that exist, or says why none holds it; few say so."""
    known = known_tests()
    for fact in FACTS:
        assert set(holders(fact)) <= known, fact

    assert [fact.name for fact in FACTS if not fact.tests] == ["9.3 check 9c", "9.3 other"]


def test_observed_texts_are_witnessed():
    """What was observed of an error is held with its text, as the specification has it."""
    for fact in FACTS:
        if re.fullmatch(r"(5\.2|9\.3) check \d+[a-z]?", fact.name) and fact.tests and fact.mark == "observed":
            assert fact.answer, fact
            assert fact.answer.text.strip("…"), fact


@pytest.mark.parametrize(
    "seen",
    [
        set(),
        {("NotAuthorizedException", "Token expired: 1 >= 2", 500)},
        {("InvalidParameterException", "Token expired: 1 >= 2", 400)},
        {("NotAuthorizedException", "Token expired! 1 >= 2", 400)},
    ],
)
def test_answers_that_were_not_given(seen):
    """A test that was never given the answer it is named for fails, and one that was does not."""
    fact = Fact(
        "5.2",
        "observed",
        "expired",
        "logins::expired",
        Answer("NotAuthorizedException", "Token expired: … >= …"),
    )
    check_witnessed([fact], {("NotAuthorizedException", "Token expired: 1 >= 2", 400)})

    with pytest.raises(pytest.fail.Exception, match="never answered"):
        check_witnessed([fact], seen)
