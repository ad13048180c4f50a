"""The pictures of the pages on how it works are those that the code's constants give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cognito_credentials.cache.redis_store import LOCK_SECONDS
from cognito_credentials.refresh import policy
from tests.docs.drawings import DRAWINGS, PICTURES, renewal_minutes
from tests.docs.pages import ROOT

HOW = ROOT / ".github" / "docs" / "how"


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_a_picture_is_up_to_date(name: str) -> None:
    """`python -m tests.docs.drawings` draws what is stored."""
    assert (PICTURES / name).read_text("utf-8") == DRAWINGS[name]()


def _said(page: Path) -> str:
    return " ".join(page.read_text("utf-8").split())


def test_the_page_on_renewal_has_the_constants() -> None:
    """Its numbers are those of the policy."""
    said = _said(HOW / "refresh.md")
    earliest, latest = renewal_minutes()

    assert f"{latest} to {earliest} minutes before" in said
    for seconds in (policy.BACKOFF, policy.FAILURE_KEPT, policy.TURN_AGAIN):
        assert "{:g} to {:g} seconds".format(*seconds) in said
    for budget in (policy.ADVISORY_BUDGET, policy.HOLDER_BUDGET, policy.FAILURE_KEPT_CAP):
        assert f"{budget:g} seconds" in said


def test_the_page_on_locks_has_the_constants() -> None:
    """Its numbers are those of the locks and of who waits for them."""
    said = _said(HOW / "locks.md")

    assert {f"{value:g}" for value in (LOCK_SECONDS, policy.HOLDER_BUDGET, policy.WAITER_BUDGET)} <= set(
        re.findall(r"(\d+) seconds", said)
    )
