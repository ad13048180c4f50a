"""`serve`: what it prints, whom it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, python
from tests.serve.conftest import Client

SERVE = ("serve", "--profile", "guest")
NAMES = [
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
]

Start = Callable[..., tuple["subprocess.Popen[str]", dict[str, str]]]


def printed(process: subprocess.Popen[str]) -> dict[str, str]:
    """Read what a server prints; return its variables."""
    assert process.stdout is not None
    first = process.stdout.readline()
    if not first:
        raise AssertionError(process.communicate()[1])
    lines = [process.stdout.readline() for _ in NAMES]
    words = [shlex.split(line) for line in lines]
    assert [word for word, _ in words] == ["export"] * 3
    variables = dict(word.split("=", 1) for _, word in words)
    assert first == f"listening on {variables[NAMES[0]]}\n"
    return variables


@pytest.fixture
def start(cli: Cli, pool_id: str) -> Iterator[Start]:
    """Return a function that starts a server and returns it with its variables; all end with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*argv: str, **options: Any) -> tuple[subprocess.Popen[str], dict[str, str]]:
        process = cli.start(*SERVE, *argv, **options)
        started.append(process)
        return process, printed(process)

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.quick
def test_what_it_prints_is_what_clients_need(start: Start, tmp_path: Path) -> None:
    """stdout is the address, then lines for a shell; ``--env-file`` has the same and the region."""
    path = tmp_path / "serve.env"
    process, variables = start("--env-file", str(path))

    assert list(variables) == NAMES
    region = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    assert path.read_text() == "".join(f"{name}={value}\n" for name, value in {**variables, **region}.items())
    token = Path(variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
    assert token.read_text() == variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    assert len(bytes.fromhex(token.read_text())) >= 32
    assert Client(variables)().status == 200

    process.terminate()
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
    assert not path.exists()
    assert not token.exists()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_it_in_order(start: Start, name: str) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end it with 0, without a word and without a file left."""
    process, variables = start()
    process.send_signal(getattr(signal, name))

    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
    assert not os.path.exists(variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])


def test_nohup_is_obeyed(start: Start) -> None:
    """A server that is started to ignore SIGHUP goes on without a terminal."""
    process, variables = start(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)

    assert Client(variables)().status == 200


def test_a_port_that_is_given_is_the_port(start: Start) -> None:
    """``--port`` is the port, and may be the same after a restart."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    for _ in range(2):
        process, variables = start("--port", port)
        assert variables[NAMES[0]] == f"http://127.0.0.1:{port}/credentials"
        assert Client(variables)().status == 200
        process.terminate()
        process.communicate(timeout=20)


def test_a_killed_server_leaves_nothing_after_the_next_start(start: Start) -> None:
    """kill -9 leaves a token file; the next start removes it, and no other server's."""
    _, living = start()
    process, variables = start()
    process.kill()
    process.communicate()
    assert os.path.exists(variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])

    start()

    assert not os.path.exists(variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
    assert Client(living)().status == 200


def test_bad_input_is_one_line_and_asks_nobody(start: Start, cli: Cli, emulator: Any, tmp_path: Path) -> None:
    """A port in use, a file in use and a port that is none: one line each, and no request is made."""
    path = str(tmp_path / "serve.env")
    _, variables = start("--env-file", path)
    port = variables[NAMES[0]].split(":")[2].split("/")[0]
    before = emulator.requests()

    in_use = cli(*SERVE, "--port", port)
    twice = cli(*SERVE, "--env-file", path)
    none = cli(*SERVE, "--port", "70000")

    assert (in_use.code, twice.code, none.code) == (4, 4, 2)
    assert f"the server cannot listen on port {port}: Address already in use" in in_use.line
    assert f"--env-file {path} is used by another server that is running" in twice.line
    assert "is no port" in none.line
    assert emulator.requests() == before
    assert Client(variables)().status == 200


def test_no_login_no_server(cli: Cli, pool_id: str, config: Callable[[str], Path], tmp_path: Path) -> None:
    """Without a login there is no server: one line, exit 3, and neither address nor file."""
    missing = tmp_path / "token"
    config(
        f"[profile guest]\ncognito_identity_pool_id = {pool_id}\ncognito_user = ann\n"
        f"cognito_logins =\n  login.example.com = file:{missing}\n"
    )
    path = tmp_path / "serve.env"

    done = cli(*SERVE, "--env-file", str(path))

    assert (done.code, done.out) == (3, "")
    assert done.line.startswith("cognito-credentials: profile 'guest': ")
    assert not path.exists()


def test_no_service_no_server(cli: Cli, pool_id: str) -> None:
    """Where the service cannot be reached and nothing valid is kept, it says so and exits with 6."""
    done = cli(*SERVE, env={"AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://127.0.0.1:9"})

    assert (done.code, done.out) == (6, "")


def test_what_wins_over_the_endpoint_is_said(start: Start, isolation: Path) -> None:
    """Keys of the default profile win over the endpoint in every SDK: stderr names the file."""
    credentials = isolation / ".aws" / "credentials"
    credentials.write_text("[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x\n")
    process, _ = start()
    process.terminate()

    _, err = process.communicate(timeout=20)

    assert f"profile 'default' has keys in {credentials}" in err
    assert "not the endpoint" in err


def test_nobody_reads_the_address(cli: Cli, pool_id: str) -> None:
    """Where stdout is closed, it ends, since nobody would know the address."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *python(*SERVE)],
        env=cli.environ,
        capture_output=True,
        timeout=30,
    )

    assert done.returncode == 1
    assert done.stderr.endswith(b"standard output cannot be written: it is closed (see E-OUTPUT).\n")
