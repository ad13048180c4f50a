"""Imports in functions, and forks that wait for them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cognito_credentials import importing
from cognito_credentials.emulator import Emulator
from cognito_credentials.importing import IMPORTING

FIRST_CALL = """
import sys
from cognito_credentials import CognitoCredentialsError, IdentityPool
from cognito_credentials.importing import IMPORTING

class Recorder:
    def find_spec(self, name, path=None, target=None):
        if not IMPORTING.is_mine:
            bare.append(name)

bare = []
sys.meta_path.insert(0, Recorder())
IdentityPool(sys.argv[1], profile_name="app").credentials()
for region in ("us-east-1", "us-east-9"):
    try:
        IdentityPool(region + ":00000000-0000-4000-8000-00000000000a", cache="memory").credentials()
    except CognitoCredentialsError as error:
        print(error)
print(bare)
"""


@pytest.mark.parametrize("flow", ["enhanced", "basic"])
def test_a_first_call_imports_only_where_a_fork_waits(tmp_path: Path, flow: str) -> None:
    """From the config file to the answer, and for two refusals: each module comes in ``with IMPORTING:``."""
    with Emulator(tls=True) as emulator:
        (tmp_path / "config").write_text(f"[profile app]\nca_bundle = {emulator.certificate}\n")
        environ = {
            **os.environ,
            "HOME": str(tmp_path),
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_CA_BUNDLE": str(emulator.certificate),
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_COGNITO_FLOW": flow,
        }
        if flow == "basic":
            environ["AWS_COGNITO_ROLE_ARN"] = "arn:aws:iam::123456789012:role/unauthenticated"
        command = [sys.executable, "-c", FIRST_CALL, emulator.create_pool()]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_waits_for_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes place when the import is over, or when the import waits for it; the child can import."""
    entered, goes_on, order = threading.Event(), threading.Event(), []

    def imports() -> None:
        with IMPORTING:
            entered.set()
            goes_on.wait(10)
            order.append("imported")

    def fork() -> int:
        child = os.fork()
        if child == 0:
            with IMPORTING:
                os._exit(7 if IMPORTING.is_mine else 8)
        order.append("forked")
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    with IMPORTING:
        pass  # registers what a fork calls
    for longest, expected in ((10.0, ["imported", "forked"]), (0.05, ["forked", "imported"])):
        monkeypatch.setattr(importing, "_LONGEST_WAIT", longest)
        order.clear()
        entered.clear()
        goes_on.clear()
        thread = threading.Thread(target=imports)
        thread.start()
        entered.wait(10)
        if longest > 1:
            threading.Timer(0.1, goes_on.set).start()
        assert fork() == 7
        goes_on.set()
        thread.join(10)
        assert order == expected
