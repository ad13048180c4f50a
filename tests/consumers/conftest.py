"""A pool on the emulator, a bucket on moto's server, and the row of `consumers.md` that a test proves."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.operations import OPERATIONS
from tests.real_parts import package

from .storage import Storage
from .table import ROOT, rows

SHORT = 240
"""Seconds: with less than five minutes left, every SDK asks its source of credentials again at each use."""
LEFT = 30
"""Seconds: with less than a minute left, callers of a pool wait for new credentials."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let other people's packages warn of each other."""
    for item in items:
        if item.nodeid.startswith("tests/consumers/"):
            for kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind.__name__}"))


class Cognito:
    """
    A pool with guests on the emulator.

    Attributes:
        pool_id: The pool.
    """

    def __init__(self, emulator: Emulator, clock: ExitStack) -> None:
        self.emulator = emulator
        self.pool_id = emulator.create_pool()
        self._clock = clock
        self._lifetime = 3600

    def short_lived(self, seconds: int = SHORT) -> None:
        """Issue credentials that every client, also one that is not Python, asks for again at each use."""
        self._lifetime = seconds
        self.emulator.settings(credential_lifetime=seconds)

    def make_due(self) -> None:
        """
        Let time pass until the credentials that were issued last are about to end.

        The clock of this process moves, and with it the emulator's, the bucket's and that of each pool here.
        Clients that ask the operating system for the time, such as those in Rust, do not notice: let these
        have credentials that are `short_lived`. Other processes do not notice, either.
        """
        self.travel(self._lifetime - LEFT)

    def travel(self, seconds: float) -> None:
        """Move the clock of this process by *seconds*."""
        moved = time.time() + seconds
        self._clock.close()
        self._clock.enter_context(package("time_machine").travel(moved, tick=True))

    def requests(self) -> str:
        """The requests for operations of Cognito Identity so far, as the table has them."""
        counts = self.emulator.requests()
        return ", ".join(f"{name} {counts[name]}" for name in OPERATIONS if counts.get(name))


def example(name: str) -> ModuleType:
    """Import the program *name* of examples/, as ``python`` would but for its ``__main__``."""
    spec = importlib.util.spec_from_file_location(f"example_{Path(name).stem}", ROOT / "examples" / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cognito(emulator: Emulator, isolation: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cognito]:
    """A pool; the environment of this process leads to the emulator, and has no pool in it."""
    for service in ("COGNITO_IDENTITY", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with ExitStack() as clock:
        yield Cognito(emulator, clock)


@pytest.fixture(scope="session")
def moto_application() -> Any:
    """moto's server, which all tests of a worker share: importing it takes a second."""
    moto = package("moto.server")
    return moto.DomainDispatcherApplication(moto.create_backend_app)


@pytest.fixture
def storage(cognito: Cognito, moto_application: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """A bucket that only keys of the emulator can use; the environment leads S3 clients to it."""
    with Storage(cognito.emulator, moto_application) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", running.url)
        yield running


@pytest.fixture
def proves(cognito: Cognito) -> Callable[..., None]:
    """
    A function that compares what a test has seen with the consumer's row.

        proves("s3fs", "`install(aiobotocore_session)`", renewals=storage.renewals)

    The requests are those that the emulator has counted. The version is the one in `.ci/consumers.txt`, which
    `test_table.py` compares; for what is not on PyPI, the test passes the ``version`` that it ran.
    """

    def compare(consumer: str, served_by: str, *, renewals: int, version: str | None = None) -> None:
        found = [row for row in rows() if (row.consumer, row.served_by) == (consumer, served_by)]
        assert found, f"no row for {consumer} served by {served_by}"
        assert (found[0].renewals, found[0].requests) == (str(renewals), cognito.requests())
        if version is not None and os.environ.get("TESTS_REQUIRE_CONSUMERS"):
            assert found[0].version == version

    return compare
