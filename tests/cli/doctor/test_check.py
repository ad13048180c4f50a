"""The framework of `doctor`: checks that fail, hang, or depend on others."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from cognito_credentials.cli.doctor.check import (
    LIMIT_SECONDS,
    Check,
    Result,
    error,
    ok,
    pasteable,
    run_checks,
    skipped,
    warning,
)
from cognito_credentials.cli.doctor.checks import CHECKS
from cognito_credentials.cli.doctor.setup import Setup
from cognito_credentials.errors import ConfigurationError

POOL = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
IDENTITY = "us-east-1:7c0d5b1e-62f0-4a0a-9d53-0c1de4b2a9f3"
NOBODY = Setup({})


def fine(_: Setup) -> Iterator[Result]:
    yield ok("as it should be")


def test_a_bug_in_a_check_is_one_error_and_the_others_go_on() -> None:
    """A check that raises is reported by type and place, never by its text, and hides nothing else."""

    def broken(_: Setup) -> Iterator[Result]:
        yield ok("so far")
        raise KeyError("CANARY-secret")

    first, second = run_checks([Check("one", broken), Check("two", fine)], NOBODY, offline=False)

    assert first.status == "error"
    assert first.what.startswith("unexpected KeyError in test_check.py, line ")
    assert "CANARY" not in str(first)
    assert second == ("two", "ok", "as it should be", "")


def test_an_error_of_ours_is_a_finding() -> None:
    """What the library says to its users is said here, too, with what to do about it."""

    def wrong(_: Setup) -> list[Result]:
        raise ConfigurationError("flow from profile 'x' is none", hint="Set flow=basic")

    assert run_checks([Check("flow", wrong)], NOBODY, offline=False) == [
        ("flow", "error", "flow from profile 'x' is none", "Set flow=basic")
    ]


def test_a_check_that_hangs_is_given_up() -> None:
    """After its time a check is reported and left behind, and the next one runs."""
    end = threading.Event()

    def hanging(_: Setup) -> list[Result]:
        end.wait(60)
        return []

    first, second = run_checks([Check("one", hanging), Check("two", fine)], NOBODY, offline=False, limit=0.05)
    end.set()

    assert (first.status, first.what) == ("error", "this check has not ended within 0.05 s")
    assert second.status == "ok"


@pytest.mark.parametrize("result", [error("bad", "mend it"), skipped("nothing there")])
def test_what_needs_a_failed_check_is_left_out(result: Result) -> None:
    """A finding that has the same cause as another is none; this holds over several steps."""
    checks = [Check("a", lambda _: [result]), Check("b", fine, needs=("a",)), Check("c", fine, needs=("b",))]

    _, second, third = run_checks(checks, NOBODY, offline=False)

    assert second == ("b", "skipped", "'a' must be right first", "")
    assert third == ("c", "skipped", "'b' must be right first", "")


def test_a_warning_stops_nothing() -> None:
    """What works in spite of a warning is looked at."""
    checks = [Check("a", lambda _: [warning("odd", "mend it")]), Check("b", fine, needs=("a",))]

    assert [each.status for each in run_checks(checks, NOBODY, offline=False)] == ["warning", "ok"]


def test_offline_asks_nobody() -> None:
    """With --offline a check that asks somebody is not run, and neither is what needs it."""

    def asking(_: Setup) -> list[Result]:
        raise AssertionError("it was run")

    checks = [Check("a", asking, asks="the network"), Check("b", fine, needs=("a",))]
    first, second = run_checks(checks, NOBODY, offline=True)

    assert first == ("a", "skipped", "it asks the network, and --offline asks nobody", "")
    assert second.status == "skipped"


def test_a_report_has_no_identity() -> None:
    """Of an identity's id only the end is shown, since whoever knows a guest's can be that guest."""
    text = f"{IDENTITY} of {POOL}\x1b[31m"

    assert pasteable(text, {POOL}) == f"us-east-1:…a9f3 of {POOL}?[31m"


def test_each_check_needs_what_ran_before() -> None:
    """Names are unique, and a check needs only those above it in the list."""
    names = [check.name for check in CHECKS]

    assert len(set(names)) == len(names)
    for number, check in enumerate(CHECKS):
        assert set(check.needs) <= set(names[:number])


def test_nobody_waits_longer_than_five_seconds() -> None:
    """The limit of a check leaves half a second for starting and reporting it."""
    assert LIMIT_SECONDS <= 4.5
