"""The losses in kills, mutated records and two days of use, by `tests.campaigns`."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator

from tests.campaigns import kill, mutate, soak

from .figures import Figure, Scale, counted


def kills(scale: Scale) -> Iterator[Figure]:
    """Count what is lost when writers are killed."""
    with tempfile.TemporaryDirectory() as directory:
        killed = kill.campaign(directory, scale.kills, _seed())
    title = f"kill -9 x {killed.kills} in writing"
    broken = killed.torn + killed.missing + killed.lock_kept
    yield counted(f"{title}: torn records", broken, 0)
    yield counted(f"{title}: stray secrets after the next write", killed.strays_after_next_write, 0)
    yield Figure(f"  {title}: stray secrets before it", str(killed.strays_after_kill))


def mutations(scale: Scale) -> Iterator[Figure]:
    """Count what mutated records do."""
    judged = mutate.campaign(scale.mutations, _seed())
    title = f"{judged.cases} mutated records"
    altered = len(judged.altered_accepted) + len(judged.sealed_accepted_in_another_form)
    yield counted(f"{title}: crashes", len(judged.crashes), 0)
    yield counted(f"{title}: altered records accepted", altered, 0)


def long_use(scale: Scale) -> Iterator[Figure]:
    """Count refreshes, and measure growth, over days of use."""
    lived = soak.campaign(scale.hours, scale.hours * 20_000)
    title = f"{scale.hours} hours, {lived.reads} reads"
    shown = f"{lived.refreshes}, {lived.growth // 1024} KiB, {lived.descriptors}"
    bar = "one each 40-44 min, < 1 MiB, 0"
    yield Figure(f"{title}: refreshes, memory, descriptors", shown, bar, lived.is_good)


def _seed() -> int:
    return random.randrange(10**9)
