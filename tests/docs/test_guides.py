"""The programs of the guides to fleets, operating and testing run on the emulator as they stand there."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

import cognito_credentials
from cognito_credentials import administer
from cognito_credentials.emulator import Emulator
from tests.docs.pages import ROOT, blocks

GUIDES = ROOT / ".github" / "docs" / "guides"
POOL = "us-east-1:0b8d4f1c-0000-4000-8000-000000000001"
"""The pool of the guide to operating."""


def _programs(page: str) -> list[str]:
    return [block.code for block in blocks(GUIDES / page, "python")]


def test_the_users_of_a_back_end(emulator: Emulator, emulator_pool: str) -> None:
    """The function of the guide to fleets gives each user credentials of her own, and asks once for each."""
    (code,) = _programs("fleet.md")
    names: dict[str, Any] = {}
    exec(code.replace("us-east-1:00000000-0000-4000-8000-000000000001", emulator_pool), names)
    logins = {
        name: {"accounts.google.com": emulator.login_token("accounts.google.com", subject=name)}
        for name in ("ann", "bob")
    }

    keys = {
        (name, names["credentials_for"](name, logins[name]).access_key_id) for name in ("ann", "bob", "ann")
    }

    assert len(keys) == 2
    assert emulator.requests() == {"GetId": 2, "GetCredentialsForIdentity": 2}


@pytest.fixture
def operator(emulator: Emulator, emulator_environment: None, tmp_path: Path, monkeypatch: Any) -> Path:
    """A directory with the guide's pools.toml, and the profile `operator` of the pool's account."""
    (text,) = (block.code for block in blocks(GUIDES / "operating.md", "toml"))
    (tmp_path / "pools.toml").write_text(text, "utf-8")
    config = Path(os.environ["AWS_CONFIG_FILE"])
    config.parent.mkdir(parents=True, exist_ok=True)
    with config.open("a", encoding="utf-8") as file:
        file.write("[profile operator]\naws_access_key_id = test\naws_secret_access_key = test\n")
        file.write("region = us-east-1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_pools_from_a_file(operator: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first program makes the pool of the file, and prints the file of the pool that was made."""
    exec(_programs("operating.md")[0], {})

    out = capsys.readouterr().out
    assert out.startswith("shop\n")
    assert 'IdentityPoolName = "shop"' in out


def test_identities_and_developer_users(
    operator: Path, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second program deletes the guests, and merges two users of a back end."""
    pool_id = emulator.create_pool(IdentityPoolId=POOL, DeveloperProviderName="login.shop")
    names: dict[str, Any] = {}
    session = boto3.Session(profile_name="operator")
    for user in ("ann", "bob"):
        administer.developer_token(pool_id, user, session)
    guest = cognito_credentials.IdentityPool(pool_id).identity_id()

    exec(_programs("operating.md")[1], names)

    assert names["guests"] == [guest]
    left = administer.lookup_developer(pool_id, session, user="bob")
    assert left.identity_id == names["ann"].identity_id


def test_the_tests_of_a_reader_pass(tmp_path: Path) -> None:
    """Each test on the guide to testing passes where nothing else is there, as a reader would run it."""
    tests = [
        code
        for code in _programs("testing.md")
        if "from moto" not in code or importlib.util.find_spec("moto")  # tests/consumers runs it with moto
    ]
    for number, code in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(code, "utf-8")
    names = ("PATH", "HOME", "SYSTEMROOT", "TMPDIR")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={name: os.environ[name] for name in names if name in os.environ},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sum(code.count('def test_') for code in tests)} passed" in done.stdout
