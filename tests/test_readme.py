"""README.md is right: its programs and commands run, and its tables and messages are those of the code."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.cli.failures import EXIT_CODES
from cognito_credentials.cli.parser import parse
from cognito_credentials.emulator import Emulator, Seed
from cognito_credentials.settings.load import NAMES, SIGN_IN_KEYS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000001"
PROVIDER = "login.example.com"
FIRST_LINES = 20
"""Lines that a reader sees without scrolling."""

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


def _table(head: str) -> list[list[str]]:
    """Return the cells of the table whose first line begins with *head*."""
    lines = README.split(f"\n| {head}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


TO_START, TO_TEST, *SHELL = _blocks("sh")


@pytest.fixture
def emulator(emulator_keys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator with the README's pool; AWS's variables lead to it."""
    with Emulator(seed=SEED, keys=emulator_keys, marker=True) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", running.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", running.url)
        yield running


def test_the_first_lines_make_it_work() -> None:
    """The first screen has two commands: one shows the demo, the other runs the tests."""
    shown = "\n".join(README.splitlines()[: FIRST_LINES - 1])

    assert TO_START in shown
    assert TO_TEST in shown
    assert TO_START.count("\n") == TO_TEST.count("\n") == 1
    assert "python3 -m venv" in TO_START
    assert TO_START.endswith("cognito-credentials demo\n")
    assert TO_TEST.endswith("pytest\n")
    assert "![" not in README


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


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_its_emulator_starts_and_prints_a_token() -> None:
    """The lines that let the emulator stand in for AWS print one line, JSON with a token."""
    after = README.partition("let the emulator stand in")[2]
    lines = re.findall(r"(?:^    .*\n)+", after, re.MULTILINE)[0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = textwrap.dedent(lines).replace("8000", port).replace(".toml &", ".toml >/dev/null & started=$!")
    done = subprocess.run(
        ["/bin/sh", "-uc", f"{script}\nkill $started; wait"],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stderr == ""
    assert json.loads(done.stdout)["token"]
    assert done.stdout.count("\n") == 1


class _SignIn:
    """Stands in for the sign-in of the reader's own app."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def id_token(self) -> str:
        return self._emulator.login_token(PROVIDER)


_WHAT_ONLY_YOU_HAVE = README.partition("for what only you have: ")[2].partition("\n\n")[0]


_PROGRAMS = [code for code in _blocks("python") if "pool.sign_in()" not in code]
"""The one of signing in is run by tests/cli/login."""


@pytest.mark.parametrize("number", range(len(_PROGRAMS)))
def test_its_programs_run(number: int, emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Each Python example runs unchanged, with nothing configured."""
    names: dict[str, Any] = {
        "my_sign_in": _SignIn(emulator),
        "readings": lambda: range(3),
        "publish": lambda client, _: client.get_caller_identity(),
    }
    assert all(f"`{name}`" in _WHAT_ONLY_YOU_HAVE for name in [*names, "my_app"])
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
    """The commands after the first two run in a real shell, in order, in an empty home."""
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


def test_its_profile_is_one(emulator: Emulator, isolation: Path, tmp_path: Path) -> None:
    """The profile works as written, after the one line is removed that names the reader's own token file."""
    programs = tmp_path / "bin"
    programs.mkdir()
    get_token = programs / "get-token"
    token = emulator.login_token(PROVIDER)
    get_token.write_text(f"#!/bin/sh\n[ \"$*\" = '--audience app' ] && echo {token}\n")
    get_token.chmod(0o700)
    (config,) = _blocks("ini")
    config = config.replace("  accounts.google.com = file:/run/secrets/google-id-token\n", "")
    folder = isolation / ".aws"
    folder.mkdir(mode=0o700)
    (folder / "config").write_text(config)
    path = os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        [sys.executable, "-c", _WITH_PLAIN_BOTO3],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    get_token.unlink()

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("arn:aws:sts::123456789012:assumed-role/user/")


_WITH_PLAIN_BOTO3 = """
import boto3
print(boto3.Session(profile_name="app").client("sts").get_caller_identity()["Arn"])
"""


def test_it_lists_every_setting() -> None:
    """The table of settings has each setting with its variable and its profile key."""
    rows = {row[0].strip("`"): [cell.strip("`") for cell in row] for row in _table("argument | environment")}

    assert rows.keys() == NAMES.keys()
    for name, names in NAMES.items():
        if name.endswith("endpoint_url"):
            continue  # their names are botocore's; tests/settings/test_settings.py has them
        assert rows[name][1] == (names.environment or "-")
        assert rows[name][2] == (names.profile_key or "-")


def test_it_lists_every_key_of_signing_in() -> None:
    """The table of signing in has each of its profile keys."""
    listed = {
        key for row in _table("profile key | meaning") for key in re.findall(r"`(cognito_\w+)`", row[0])
    }

    assert listed == set(SIGN_IN_KEYS)


def test_its_commands_of_signing_in_are_ours() -> None:
    """The program accepts the command lines that the README shows for signing in."""
    (shown,) = _blocks("console")
    lines = shown.replace("\\\n", " ").splitlines()
    ours = [
        shlex.split(line, comments=True)[2:] for line in lines if line.startswith("$ cognito-credentials ")
    ]

    assert [parse(argv, COMMANDS).entry.name for argv in ours] == ["configure", "login", "logout"]


def test_it_lists_every_command() -> None:
    """The table of commands has exactly the program's commands."""
    listed = [re.findall(r"`([a-z-]+)", row[0]) for row in _table("`cognito-credentials …`")]
    words = {word for row in listed for word in row}

    assert words == {command.name for command in COMMANDS}


def test_it_lists_every_exit_code() -> None:
    """The table of exit codes has each of them, with the words of the program's help, or fewer of them."""
    listed = {}
    for row in _table("exit code | meaning"):
        for codes, meaning in zip(row[::2], row[1::2], strict=True):
            meanings = meaning.removeprefix("exec: ").split(", ") if "," in codes else [meaning]
            for code, text in zip(codes.split(", "), meanings, strict=True):
                listed[int(code)] = text.replace("the command is ", "")
    for code, meaning in EXIT_CODES:
        assert listed[code].partition(":")[0] in meaning.replace("the command is ", ""), code

    assert listed.keys() == dict(EXIT_CODES).keys()


def test_it_quotes_messages_that_exist() -> None:
    """Each quoted message is in the code, word for word."""
    quoted = [row[0].strip("`") for row in _table("message | cause")]
    texts = _texts()

    assert len(quoted) > 10
    for message in quoted:
        pattern = ".+?".join(re.escape(part.strip()) for part in message.split("…"))
        assert any(re.search(pattern, text) for text in texts), message


def test_a_session_without_a_pool_says_what_boto3_says() -> None:
    """The cause of "no identity pool is configured" has the words of a Session that has none."""
    from cognito_credentials import Session

    (row,) = (row for row in _table("message | cause") if "no identity pool is configured" in row[0])
    with pytest.raises(NoCredentialsError) as caught:
        Session(region_name="us-east-1").client("sts").get_caller_identity()

    assert f"`{caught.value}`" in row[1]


@cache
def _texts() -> set[str]:
    """Return every string in the sources, with ``{…}`` for each inserted value."""
    found = set()
    for path in (ROOT / "cognito_credentials").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (str(p.value) if isinstance(p, ast.Constant) else "{…}" for p in node.values)
                found.add("".join(parts))
    return found


def test_it_names_files_that_exist() -> None:
    """Every link and file name leads to a file."""
    targets = set(re.findall(r"\]\((?!https?:)([^)#]+)", README))
    targets |= set(re.findall(r"`(examples/[\w./]+)`", README))

    assert len(targets) >= 4
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_it_lists_every_example() -> None:
    """The table of examples has each program and each folder of examples/."""
    listed = [name.strip("`") for name, _ in _table("example |")]
    there = [f"examples/{path.name}{'/' * path.is_dir()}" for path in (ROOT / "examples").iterdir()]

    assert sorted(listed) == sorted(path for path in there if "__pycache__" not in path)


def test_every_example_says_what_to_install() -> None:
    """Somewhere in each example stands what its reader has to install, or who installs it."""
    for path in (ROOT / "examples").iterdir():
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        texts = [file.read_text("utf-8") for file in files if "__pycache__" not in file.parts]
        assert any(re.search(r"pip install|Home Assistant installs", text) for text in texts), path


def test_it_names_no_registry() -> None:
    """The README names no package index: pip's own settings do."""
    assert not re.search(r"pypi|index-url|anaconda\.org", README, re.IGNORECASE)
    assert boto3.__version__ >= "1.37"
