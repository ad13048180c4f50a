"""The guide to signing in has a run without AWS, from the seed to the sign-out: it runs as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from cognito_credentials.emulator import Emulator, Seed
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / ".github" / "docs" / "guides" / "signing-in.md"
SEED = ROOT / "examples" / "emulator" / "sign_in.toml"


def test_the_run_without_aws(isolation: Path, emulator_keys: Any) -> None:
    """The app signs ann in at the seed's pools, and the command line shares and ends that sign-in."""
    (app,) = (block.code for block in blocks(PAGE, "python") if 'profile_name="try"' in block.code)
    (variables,) = (block.code for block in blocks(PAGE, "sh") if "COGNITO_IDENTITY_PROVIDER=" in block.code)
    (commands,) = (block.code for block in blocks(PAGE, "console") if "whoami --profile try" in block.code)
    with Emulator(seed=Seed.load(SEED), keys=emulator_keys) as emulator:
        led = dict(
            re.findall(r"export (\w+)=(\S+)", variables.replace("http://127.0.0.1:8000", emulator.url))
        )
        assert len(led) == 3
        environ = {**os.environ, **led, "HOME": str(isolation)}

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, *arguments], env=environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        said = run("-c", app)
        _, whoami, logout = (
            run("-m", "cognito_credentials", *shlex.split(line)[2:]) for line in commands.splitlines()[:3]
        )

    assert said.startswith("ann arn:aws:sts::123456789012:assumed-role/user/")
    assert "assumed-role/user/" in whoami
    assert "the refresh token is revoked and removed" in logout
