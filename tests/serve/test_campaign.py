"""A short version of the campaign, and that it notices what it looks for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.campaigns import kill_serve

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a command outlives `exec --server`"
)


def test_killed_in_turn(tmp_path: Path) -> None:
    """Whoever of the three is killed, no process goes on, and the next start leaves no token."""
    outcome = kill_serve.campaign(str(tmp_path / "cache"), 9, seed=2)

    assert outcome.is_good, outcome


def test_it_notices_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that outlives the kill counts as left over."""
    monkeypatch.setattr(kill_serve, "EXEC", ("sh", "-c", 'sleep 3 & exec "$@"', "sh", *kill_serve.EXEC))
    monkeypatch.setattr(kill_serve, "_is_over", lambda pipe, over=kill_serve._is_over: over(pipe, patience=1))

    assert kill_serve.campaign(str(tmp_path / "cache"), 1, seed=2).processes_left == 1


def test_it_notices_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token file that the next start does not remove counts."""
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    start_and_end = kill_serve._start_and_end
    monkeypatch.setattr(kill_serve, "_start_and_end", lambda at: start_and_end({**at, "HOME": str(other)}))

    assert kill_serve.campaign(str(tmp_path / "cache"), 1, seed=2).files_after_next_start > 0
