"""The conformance table is that of the tests, and the tests leave nothing of the specification out."""

from __future__ import annotations

from cognito_credentials.emulator.operations import OPERATIONS
from cognito_credentials.emulator.sts import OPERATIONS as STS_OPERATIONS

from .conformance import MARKS, TABLE, behaviours, sources, table


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


def test_every_assertable_behaviour_has_a_test():
    """The 24 behaviours of the specification's list, the checks of a login, and those of STS are all held."""
    wanted = {f"15.{number}" for number in range(1, 25)}
    wanted |= {f"5.2 check {number}" for number in range(12)}
    wanted |= {f"9.3 check {number}" for number in range(1, 11)}

    assert not wanted - sources()
