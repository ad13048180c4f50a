"""README.md is short, in the right order, and true: its programs and commands run."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.emulator import Emulator, Seed

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000001"
PROVIDER = "login.example.com"
MOST_LINES = 180
FIRST_SCREEN = 48
"""Lines that a reader sees with little scrolling; the picture is as high as twelve more."""
MOST_LINES_OF_CODE = 10
"""Of a use case."""

SEED = Seed(
    "README.md",
    {
        "pools": [
            {
                "IdentityPoolId": POOL_ID,
                "IdentityPoolName": "readme",
                "AllowUnauthenticatedIdentities": True,
                "OpenIdConnectProviderARNs": [f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"],
                "Roles": {
                    "unauthenticated": "arn:aws:iam::123456789012:role/guest",
                    "authenticated": "arn:aws:iam::123456789012:role/user",
                },
            }
        ]
    },
)


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


TO_START, TO_TEST, EMULATOR, *SHELL = _blocks("sh")


@pytest.fixture
def emulator(emulator_keys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator with the README's pool; AWS's variables lead to it."""
    with Emulator(seed=SEED, keys=emulator_keys, marker=True) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", running.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", running.url)
        yield running


def test_the_first_screen_says_what_it_is() -> None:
    """One sentence, five bullets, the picture, how to install it, a script of three lines, its output."""
    shown = "\n".join(README.splitlines()[:FIRST_SCREEN])
    (script,) = re.findall(r"```python\n(.*?)```", shown, re.DOTALL)
    before = shown.partition("\n- ")[0]

    assert len(README.splitlines()) <= MOST_LINES
    assert re.fullmatch(r"# cognito-credentials\n\n[^.]+\.\n", before)
    assert len(re.findall(r"^- ", shown, re.MULTILINE)) == 5
    order = ["\n- ", "\n![", "\n## Install", "pip install", script, "arn:aws:sts::"]
    assert sorted(order, key=shown.index) == order
    assert len([line for line in script.splitlines() if line]) == 3


def test_the_first_two_commands_set_it_up() -> None:
    """The first two blocks of `sh` are a line each: one shows the demo, the other runs the tests."""
    assert TO_START.count("\n") == TO_TEST.count("\n") == 1
    assert TO_START.startswith("python3 -m venv .venv && ")
    assert TO_START.endswith("cognito-credentials demo\n")
    assert TO_TEST.endswith("pytest\n")


def test_a_use_case_is_short_and_leads_on() -> None:
    """Each of the four use cases has at most ten lines of code, and a link to its guide."""
    cases = README.partition("\n## What you can do")[2].partition("\n## ")[0].split("\n### ")[1:]

    assert len(cases) == 4
    for case in cases:
        (code,) = re.findall(r"```\w+\n(.*?)```", case, re.DOTALL)
        assert code.count("\n") <= MOST_LINES_OF_CODE
        assert "](.github/docs/guides/" in case


def test_ci_runs_the_commands_of_the_readme() -> None:
    """.ci/run reads the two commands from the README and runs them word for word."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    reading = script[script.index("mapfile") : script.index("python=")]
    show = 'printf "%s\\n" "$start" "$install" "$suite"'
    done = subprocess.run(["bash", "-euc", reading + show], cwd=ROOT, capture_output=True, text=True)
    start, install, suite = done.stdout.splitlines()

    assert start == TO_START.strip()
    assert f"{install} && {suite}" == TO_TEST.strip()
    assert suite.endswith("-m pytest")
    for step in ('bash -c "$start"', 'bash -c "$install"', 'bash -c "$suite"'):
        assert step in script


def test_its_emulator_starts() -> None:
    """With the lines that let the emulator stand in for AWS, the guest script prints what the page says."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    activate, start, *variables = EMULATOR.replace("8000", port).splitlines()
    assert start.endswith(" &")
    script = [f"{start} started=$!", *variables, '"$0" -c "$1" || true', "kill $started; wait"]
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["/bin/sh", "-uc", "\n".join(script), sys.executable, f"{_WAIT.format(port=port)}\n{GUEST_SCRIPT}"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert activate == ". .venv/bin/activate"
    assert done.stderr == ""
    assert [done.stdout.partition("\n")[2]] == _blocks("text")  # the first line is the emulator's


_WAIT = """
import socket, time
for _ in range(300):
    with socket.socket() as client:
        if client.connect_ex(("127.0.0.1", {port})) == 0:
            break
    time.sleep(0.1)
"""
"""A reader is slower than an emulator that starts."""
GUEST_SCRIPT = _blocks("python")[0]


class _SignIn:
    """Stands in for the sign-in of the reader's own app."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def id_token(self) -> str:
        return self._emulator.login_token(PROVIDER)


_PROGRAMS = [code for code in _blocks("python") if "pool.sign_in()" not in code]
"""The one of signing in is run by tests/cli/login."""


@pytest.mark.parametrize("number", range(len(_PROGRAMS)))
def test_its_programs_run(number: int, emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Each Python example runs unchanged, with nothing configured."""
    names: dict[str, Any] = {"my_sign_in": _SignIn(emulator)}
    assert all(f"`{name}` is yours" in README for name in [*names, "my_app"])
    code = _PROGRAMS[number]
    exec(compile(code, f"README.md, example {number + 1}", "exec"), names)
    out, errors = capsys.readouterr()

    assert errors == ""
    if "test_my_app" in names:
        return  # the next test runs it
    assert emulator.requests()["GetCredentialsForIdentity"] == 1
    if "print(sts" in code or "print(session" in code:
        assert re.search(r"^arn:aws:sts::123456789012:assumed-role/", out, re.MULTILINE)


def test_its_test_passes(
    emulator: Emulator, emulator_environment: Mapping[str, str], emulator_pool: str
) -> None:
    """The README's example of a test for an app passes."""
    from cognito_credentials import Session

    def my_app(identity_pool_id: str) -> None:
        Session(identity_pool_id=identity_pool_id).client("sts").get_caller_identity()

    names: dict[str, Any] = {"my_app": my_app}
    (code,) = (block for block in _blocks("python") if "test_my_app" in block)
    exec(compile(code, "README.md", "exec"), names)
    names["test_my_app"](emulator, emulator_environment, emulator_pool)

    assert emulator.requests()["GetCallerIdentity"] == 1


def test_its_shell_commands_run(emulator: Emulator) -> None:
    """The other commands run in a real shell, in order, in an empty home."""
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", "\n".join(SHELL)],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )

    assert done.returncode == 0, done.stderr
    assert "assumed-role/guest/CognitoIdentityCredentials" in done.stdout
    assert f"Identity pool  {POOL_ID}" in done.stdout
    assert emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 1, "GetCallerIdentity": 1}


def test_it_names_no_registry() -> None:
    """The README names no package index: pip's own settings do."""
    assert not re.search(r"pypi|index-url|anaconda\.org", README, re.IGNORECASE)
