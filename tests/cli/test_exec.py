"""`exec`: the command gets the credentials, and its signals and exit code are its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli.commands.execute import SHADOWING, outer
from tests.cli.conftest import Cli, python

DUMP = "import json, os; print(json.dumps(dict(os.environ)))"
EXEC = ("exec", "--profile", "guest")


def test_what_would_shadow_the_credentials_is_gone(cli: Cli, pool_id: str) -> None:
    """The command gets every variable but those that an SDK's chain would prefer to the credentials."""
    env = dict.fromkeys(SHADOWING, "shadow") | {"AWS_ACCOUNT_ID": "210987654321", "AWS_PROFILE": "guest"}
    done = cli(*EXEC, "--", sys.executable, "-c", DUMP, env={**env, "MINE": "kept", "AWS_PAGER": "less"})

    got = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert "shadow" not in got.values()
    assert got["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert got["AWS_ACCOUNT_ID"] == "210987654321"
    assert "AWS_PROFILE" not in got
    assert (got["AWS_REGION"], got["AWS_DEFAULT_REGION"]) == ("eu-west-1", "eu-west-1")
    assert (got["MINE"], got["AWS_PAGER"]) == ("kept", "less")
    assert got["COGNITO_CREDENTIALS_PROFILE"] == "guest"


@pytest.mark.quick
def test_boto3_in_the_command_is_that_identity(cli: Cli, pool_id: str) -> None:
    """boto3 in the command uses the credentials."""
    who = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    done = cli(*EXEC, sys.executable, "-c", who)

    assert done.out.strip().endswith("/CognitoIdentityCredentials"), done.err


@pytest.mark.parametrize(
    ("argv", "got"),
    [
        (["--", "echo", "--profile", "x", "--", "-h"], "--profile x -- -h"),
        (["echo", "--profile", "x", "--debug"], "--profile x --debug"),
        (["echo", "a b", "--", "$HOME; ls *"], "a b -- $HOME; ls *"),
    ],
)
def test_arguments_of_the_command_are_its_own(cli: Cli, pool_id: str, argv: list[str], got: str) -> None:
    """No argument is changed, by us or by a shell, with or without a double dash."""
    done = cli(*EXEC, *argv)

    assert (done.code, done.out.rstrip("\n")) == (0, got)


@pytest.mark.thorough
@pytest.mark.parametrize("code", [0, 1, 3, 77, 255])
def test_the_exit_code_is_the_commands(cli: Cli, pool_id: str, code: int) -> None:
    """The exit code is the command's."""
    assert cli(*EXEC, "--", "sh", "-c", f"exit {code}").code == code


@pytest.mark.thorough
def test_missing_and_unusable_commands_are_127_and_126(
    cli: Cli, emulator: Any, pool_id: str, tmp_path: Path
) -> None:
    """Exit 126 or 127 as in a shell, before the service is asked for anything."""
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    odd = tmp_path / "odd"
    odd.write_bytes(b"\x7fNOT A PROGRAM")
    odd.chmod(0o755)
    lost = tmp_path / "lost"
    lost.write_text("#!/nonexistent/interpreter\n")
    lost.chmod(0o755)
    before = emulator.requests()

    found = [
        cli(*EXEC, "--", name)
        for name in ("no-such-command", str(tmp_path / "none"), str(plain), str(tmp_path))
    ]

    assert emulator.requests() == before
    found += [cli(*EXEC, "--", str(odd)), cli(*EXEC, "--", str(lost))]
    assert [done.code for done in found] == [127, 127, 126, 126, 126, 127]
    assert all(done.line.startswith("cognito-credentials: '") for done in found)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_signals_reach_the_command_itself(cli: Cli, pool_id: str) -> None:
    """The command takes over the process id, so a supervisor's signal reaches it."""
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(42))\n"
        "print(os.getpid(), flush=True)\n"
        "while True: time.sleep(1)\n"
    )
    process = cli.start(*EXEC, "--", sys.executable, "-c", code)
    assert process.stdout is not None
    shown = int(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)

    assert shown == process.pid
    assert process.returncode == 42


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_command_inherits_nothing_of_ours(cli: Cli, pool_id: str) -> None:
    """Python ignores SIGPIPE and we forbid core dumps; the command inherits neither."""
    resource = pytest.importorskip("resource")
    code = (
        "import resource; text = open('/proc/self/status').read(); "
        "print([l for l in text.splitlines() if l.startswith('SigIgn')][0].split()[1], "
        "resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )
    # A C program shows what was inherited; Python would ignore SIGPIPE by itself.
    ignored = cli(*EXEC, "--", "sh", "-c", "grep SigIgn /proc/self/status").out.split()[1]
    limit = cli(*EXEC, "--", sys.executable, "-c", code).out.split()[1]

    assert int(ignored, 16) & (1 << (signal.SIGPIPE - 1)) == 0
    assert int(limit) == resource.getrlimit(resource.RLIMIT_CORE)[0]


def test_a_pipe_that_closes_ends_the_command_quietly(cli: Cli, pool_id: str) -> None:
    """`yes | head` inside ends without an error about a broken pipe."""
    done = cli(*EXEC, "--", "sh", "-c", "yes | head -n 1")

    assert (done.code, done.out, done.err) == (0, "y\n", "")


def test_nesting_is_refused_with_the_way_out(cli: Cli, emulator: Any, pool_id: str) -> None:
    """`exec` inside `exec` is refused; the message says how to leave, and that works."""
    inner = python(*EXEC, "--", "true")

    nested = cli(*EXEC, "--", *inner)
    assert nested.code == 4
    assert "is inside 'cognito-credentials exec' for 'guest' already (process " in nested.line
    assert "Leave that with 'exit', or run 'unset COGNITO_CREDENTIALS_EXEC'" in nested.line

    left = cli(*EXEC, "--", "sh", "-c", 'unset COGNITO_CREDENTIALS_EXEC; exec "$@"', "sh", *inner)
    assert left.code == 0, left.err


def test_a_left_over_guard_is_no_nesting() -> None:
    """A variable left over from an exec that has ended, as a terminal multiplexer keeps it, is no nesting."""
    with subprocess.Popen(["true"]) as ended:
        ended.wait()

    assert outer({"COGNITO_CREDENTIALS_EXEC": str(ended.pid)}) is None
    assert outer({"COGNITO_CREDENTIALS_EXEC": str(os.getpid())}) == str(os.getpid())
    assert outer({}) is None


def test_without_a_command_it_is_the_shell(cli: Cli, pool_id: str, tmp_path: Path) -> None:
    """`exec` alone starts $SHELL; where that is not set, it is an error that names it."""
    shell = tmp_path / "shell"
    shell.write_text("#!/bin/sh\necho shell $# $AWS_REGION\n")
    shell.chmod(0o755)

    started = cli(*EXEC, env={"SHELL": str(shell)})
    missing = cli(*EXEC, "--", env={"SHELL": ""})

    assert started.out == "shell 0 eu-west-1\n"
    assert missing.code == 4
    assert "SHELL names no shell" in missing.line


def test_no_credentials_no_command(cli: Cli, config: Any, tmp_path: Path) -> None:
    """Where there are no credentials, the command is not run."""
    mark = tmp_path / "ran"
    done = cli("exec", "--", "touch", str(mark))

    assert done.code == 4
    assert not mark.exists()


def test_bytes_in_the_environment_survive(cli: Cli, pool_id: str) -> None:
    """A variable that is not UTF-8 reaches the command unchanged."""
    environ = {os.fsencode(name): os.fsencode(value) for name, value in cli.environ.items()}
    done = subprocess.run(
        python(*EXEC, "--", "sh", "-c", 'printf %s "$ODD"'),
        env={**environ, b"ODD": b"\xff\xfe"},
        capture_output=True,
    )

    assert done.stdout == b"\xff\xfe"
