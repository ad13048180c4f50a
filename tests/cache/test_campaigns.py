"""Short versions of the long runs, and that they notice what they look for."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from tests.cache.children import needs_fork
from tests.campaigns import kill, kill_fleet, mutate


@needs_fork
def test_killed_writers(tmp_path: Path) -> None:
    """A hundred writers killed anywhere: nothing torn, no lock kept, nothing astray after the next."""
    outcome = kill.campaign(str(tmp_path / "cache"), 100, seed=1)

    assert outcome.is_good, outcome
    assert outcome.kills == 100


@needs_fork
def test_killing_notices_strays(tmp_path: Path) -> None:
    """Without sweeping, the same run finds what killed writers left behind."""
    with mock.patch("cognito_credentials.cache.file.FileStore.sweep"):
        outcome = kill.campaign(str(tmp_path / "cache"), 20, seed=1)

    assert outcome.strays_after_next_write > 0
    assert not outcome.is_good


def test_a_fleet_that_is_killed_and_stopped(tmp_path: Path) -> None:
    """Redis and processes killed and stopped at work: no error of who holds credentials, no identity lost."""
    outcome = kill_fleet.campaign(str(tmp_path / "cache"), 3, seed=1)

    assert outcome.is_good, outcome
    assert outcome.events == 12


def test_that_campaign_notices_lost_identities(tmp_path: Path) -> None:
    """Without its file, a Redis that is killed has lost the identities, and the campaign says so."""
    outcome = kill_fleet.campaign(str(tmp_path / "cache"), 2, seed=1, keeps_file=False)

    assert outcome.identities_lost > 0
    assert not outcome.is_good


@pytest.mark.quick
def test_mutated_records() -> None:
    """Two thousand wrong records of a hundred thousand: no crash, none accepted."""
    outcome = mutate.campaign(2_000, seed=1)

    assert outcome.crashes == []
    assert outcome.altered_accepted == []
    assert outcome.cases == 2_000


def test_mutating_notices_what_it_looks_for() -> None:
    """The campaign reports a decoder that accepts altered records, and one that raises."""
    some = mutate.decode_identity(mutate.KEY, mutate.ORIGINALS["identity"])
    with mock.patch.dict(mutate.DECODERS, dict.fromkeys(mutate.DECODERS, mock.Mock(return_value=some))):
        assert mutate.campaign(50, seed=1).altered_accepted
    with mock.patch.dict(mutate.DECODERS, dict.fromkeys(mutate.DECODERS, mock.Mock(side_effect=ValueError))):
        assert mutate.campaign(50, seed=1).crashes


def test_untouched_records_are_accepted() -> None:
    """What the cases are made of decodes, so that refusing them means something."""
    for name, data in mutate.ORIGINALS.items():
        assert mutate.DECODERS[name](mutate.KEY, data) is not None
        assert mutate.seal(data) == data
        assert len(list(mutate.fields(data))) > 5


@pytest.mark.parametrize("value", [b"\x00", b"%67uest", b"\x7f", b"%FC", b"%c3%BC"])
def test_canonical_form_of_text(value: bytes) -> None:
    """With a checksum that fits, too, text is accepted only in the form that the writer gives it."""
    data = mutate.ORIGINALS["identity"]
    altered = mutate.seal(data.replace(b"principal guest", b"principal " + value))

    assert mutate.DECODERS["identity"](mutate.KEY, altered) is None
