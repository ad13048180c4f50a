"""The losses in kills, mutated records and two days of use, by `tests.campaigns`."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator

from tests.campaigns import kill, mutate, soak

from .figures import Figure, Scale, counted


def campaigns(scale: Scale) -> Iterator[Figure]:
    """Count the losses."""
    seed = random.randrange(10**9)
    with tempfile.TemporaryDirectory() as directory:
        killed = kill.campaign(directory, scale.kills, seed)
    title = f"kill -9 x {killed.kills} in writing"
    broken = killed.torn + killed.missing + killed.lock_kept
    yield counted(f"{title}: torn records", broken, 0)
    yield counted(f"{title}: stray secrets after the next write", killed.strays_after_next_write, 0)
    yield Figure(f"  {title}: stray secrets before it", str(killed.strays_after_kill))
    judged = mutate.campaign(scale.mutations, seed)
    title = f"{judged.cases} mutated records"
    altered = len(judged.altered_accepted) + len(judged.sealed_accepted_in_another_form)
    yield counted(f"{title}: crashes", len(judged.crashes), 0)
    yield counted(f"{title}: altered records accepted", altered, 0)
    lived = soak.campaign(scale.hours, scale.hours * 20_000)
    title = f"{scale.hours} hours, {lived.reads} reads"
    shown = f"{lived.refreshes}, {lived.growth // 1024} KiB, {lived.descriptors}"
    bar = "one each 40-44 min, < 1 MiB, 0"
    yield Figure(f"{title}: refreshes, memory, descriptors", shown, bar, lived.is_good)
