"""The guide's examples run as they stand: Python, curl, Node, and the seed file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cognito_credentials.emulator import Emulator, Seed

GUIDE = Path(__file__).parents[2] / ".github" / "EMULATOR.md"


def block(language):
    """The guide's one block in *language*."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return found[0]


@pytest.fixture
def seeded(tmp_path, emulator_keys):
    """An emulator with the guide's seed file."""
    file = tmp_path / "pools.toml"
    file.write_text(block("toml"))
    with Emulator(seed=Seed.load(file), keys=emulator_keys) as running:
        yield running


def run(arguments, url="", **options):
    done = subprocess.run(
        arguments,
        env={**os.environ, "URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_python_example(tmp_path):
    """The example for pytest passes, with the fixtures that the installed plugin brings."""
    (tmp_path / "test_my_app.py").write_text(block("python"))

    out = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path)

    assert re.search(r"\b5 passed\b", out)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_example(seeded):
    """The example for curl makes a pool, plans a fault, moves the clock, and resets."""
    out = run(["bash", "-euc", block("sh")], seeded.url)

    assert json.loads(out[: out.index("}") + 2])["IdentityPoolName"] == "test"
    assert '{"CreateIdentityPool": 1, "ListIdentityPools": 1}' in out
    assert seeded.requests() == {}


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_node_example(seeded, tmp_path):
    """The example for Node signs a user in to the seed's pool and asks what the session may do."""
    file = tmp_path / "example.mjs"
    file.write_text(block("js"))

    out = run(["node", str(file)], seeded.url)

    assert re.fullmatch(r"us-east-1:[0-9a-f-]{36} true\n", out)


def test_seed_example(seeded):
    """The seed file of the guide is a good one, and its role holds."""
    assert seeded.service.state.row("SELECT count(*) AS n FROM pools")["n"] == 1


def test_every_control_call_is_in_the_guide(api):
    """The guide's table has every call under /_emulator/, and every setting."""
    calls = api.control("GET", "no-such-call").json["error"].partition("there are: ")[2].split(", ")
    text = GUIDE.read_text()

    for call in calls:
        method, _, path = call.partition(" ")
        assert f"`{method} /_emulator/{path}`" in text
    for setting in api.control("PUT", "settings", {}).json:
        assert f"`{setting}`" in text
