"""One file describes a pool for the emulator and for the account: both read it alike, or both refuse it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from cognito_credentials import administer
from cognito_credentials.administer.pools import file, planning, written
from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.seed.entry import SeedError
from cognito_credentials.emulator.seed.file import Seed
from cognito_credentials.errors import ConfigurationError
from tests.administer.conftest import KEYS
from tests.emulator.seed.seeds import WRONG, changed, places, whole_seed

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent.parent
DIFFERENT = {"IdentityPoolId"}
"""The emulator makes pools with any id of the model's form, for tests; AWS has only GUIDs."""


def seeds_of_the_guides() -> Iterator[str]:
    """Yield every seed that a page shows."""
    for page in (*sorted(ROOT.glob(".github/docs/**/*.md")), ROOT / "README.md"):
        for block in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            if "[[pools]]" in block:
                yield block


@pytest.fixture
def seeded(emulator_keys: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Seed], Any]]:
    """Return a function that starts an emulator with a seed, and returns a session that leads to it."""
    started: list[Emulator] = []

    def start(seed: Seed) -> Any:
        emulator = Emulator(keys=emulator_keys, seed=seed)
        emulator.start()
        started.append(emulator)
        for name, value in {
            **KEYS,
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        return boto3.Session()

    yield start
    for emulator in started:
        emulator.stop()


def test_the_pages_have_seeds() -> None:
    """The guide of the emulator and that of operating show the format."""
    assert len(list(seeds_of_the_guides())) >= 2


def test_a_seeded_pool_is_as_the_file_says(seeded: Callable[[Seed], Any], tmp_path: Path) -> None:
    """What the emulator makes of the seeds of its guide is what `plan` reads in them: nothing is to do."""
    for number, text in enumerate(seeds_of_the_guides()):
        path = tmp_path / f"{number}.toml"
        path.write_text(text, "utf-8")
        session = seeded(Seed.load(path))
        by_file = administer.plan(path, session)

        assert not by_file.has_changes, text
        assert not administer.plan(path, session, delete=True).has_changes, text


def test_the_seed_with_every_member(
    seeded: Callable[[Seed], Any], emulator_keys: Any, tmp_path: Path
) -> None:
    """A pool with every member that there is comes back from the service and from `export` unchanged."""
    whole = whole_seed(emulator_keys, tmp_path)
    session = seeded(Seed(str(tmp_path / "seed.toml"), whole))
    printed = administer.export(whole["pools"][0]["IdentityPoolId"], session)

    assert not administer.plan(whole, session, delete=True).has_changes
    assert not administer.plan(tomllib.loads(printed), session, delete=True).has_changes
    assert file.load(tomllib.loads(printed)).tables[0].members == file.load(whole).tables[0].members


@pytest.mark.thorough
def test_every_small_mistake_is_one_for_both(emulator_keys: Any, tmp_path: Path) -> None:
    """A member that is missing, of a wrong kind, empty or huge is refused by both readers or by neither."""
    whole = whole_seed(emulator_keys, tmp_path)
    different = []
    with Emulator(keys=emulator_keys) as emulator:
        for path in places(whole["pools"]):
            for name, value in {**WRONG, "missing": ...}.items():
                if DIFFERENT & {*path}:
                    continue
                content = {"pools": changed(whole, ("pools", *path), value)["pools"]}
                emulators, ours = _seeds(emulator, content), _reads(content)
                if emulators != ours:
                    different.append((path, name, emulators, ours))

    assert not different


def _seeds(emulator: Emulator, content: Mapping[str, Any]) -> bool:
    emulator.reset()
    try:
        Seed("", content).add_to(emulator.service)
    except SeedError:
        return False
    return True


def _reads(content: Mapping[str, Any]) -> bool:
    try:
        for table in file.load(content).tables:
            planning.to_be(table, {}, delete=False)
            assert written.toml({**table.members})
    except ConfigurationError:
        return False
    return True
