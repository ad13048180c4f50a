"""botocore in an outage, with our credentials and with its own classes."""

from __future__ import annotations

import contextlib
import datetime as dt
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any
from unittest import mock

import botocore.credentials

from cognito_credentials.botocore_credentials import IdentityPoolCredentials
from cognito_credentials.emulator import Emulator
from tests.processes.aging import leave, open_records
from tests.processes.crowd import COMMAND, commands
from tests.world import World

from .figures import Figure, Scale, at_most, counted
from .machine import new_machine


def outages(scale: Scale) -> Iterator[Figure]:
    """Read through botocore over the last 14 minutes; then do the same with botocore's own classes."""
    reads = scale.outage_reads
    title = f"outage at 14 min left, {reads} reads through botocore"
    exceptions, asked = _with_ours(reads)
    yield counted(f"{title}: exceptions", exceptions, 0)
    yield at_most(f"{title}: HTTP requests", asked, 3, "")
    yield from _command_under_botocore()
    some = 1000
    for left, works in ((14, True), (14, False), (9, False)):
        calls, raised = _with_botocores(some, left, works)
        state = "the source gives the same" if works else "the source is down"
        what = f"  botocore's own, {some} reads at {left} min left, {state}"
        yield Figure(what, f"{calls} refreshes, {raised} exceptions")


def _with_ours(reads: int) -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as home, Emulator() as emulator:
        world = World(emulator, {"HOME": home})
        expires_at = world.pool().credentials().expires_at
        world.move(expires_at - 14 * 60 - world.clock.wall())
        before = world.counts()["GetCredentialsForIdentity"]
        world.outage()
        credentials = IdentityPoolCredentials(world.pool())
        exceptions = 0
        for _ in range(reads):
            try:
                credentials.get_frozen_credentials()
            except Exception:  # noqa: BLE001  (every exception counts)
                exceptions += 1
            world.clock.advance((14 * 60 - 1) / reads)
        return exceptions, world.counts()["GetCredentialsForIdentity"] - before


def _command_under_botocore() -> Iterator[Figure]:
    """Let botocore run our command for 1,000 signatures, with the oldest credentials that need no refresh."""
    started = 0

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        nonlocal started
        started += 1
        return subprocess.Popen(*arguments, **options)

    with new_machine() as machine, mock.patch.dict("os.environ", machine.environ()):
        commands(machine.environ(), 1)
        records = open_records(machine.cache)
        (key,) = records.store.keys("credentials")
        record = records.credentials(key)
        assert record is not None
        leave(machine.cache, record.credentials.expires_at - record.refresh_at + 5)
        profile = {"profiles": {"app": {"credential_process": shlex.join(COMMAND)}}}
        provider = botocore.credentials.ProcessProvider("app", lambda: profile, popen=popen)
        credentials = provider.load()
        for _ in range(1000):
            credentials.get_frozen_credentials()
    yield counted("1000 signatures with credential_process: processes started", started, 1)


def _with_botocores(reads: int, minutes: int, works: bool) -> tuple[int, int]:
    calls = raised = 0
    expiry = dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=minutes)
    answer = {
        "access_key": "ASIAEXAMPLEEXAMPLE00",
        "secret_key": "secret",
        "token": "token",
        "expiry_time": expiry.isoformat(),
    }

    def refresh() -> dict[str, str]:
        nonlocal calls
        calls += 1
        if not works:
            raise ConnectionError("the source is down")
        return answer

    credentials = botocore.credentials.RefreshableCredentials.create_from_metadata(answer, refresh, "test")
    with _silence():
        for _ in range(reads):
            try:
                credentials.get_frozen_credentials()
            except ConnectionError:  # noqa: PERF203  (each read may fail)
                raised += 1
    return calls, raised


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with mock.patch.object(botocore.credentials.logger, "disabled", True):
        yield
