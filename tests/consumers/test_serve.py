"""
Programs in Python, JavaScript, Go, C++ and Rust over ``serve``: over a renewal, and in an outage.

The server runs in this process, with the clock of this process; the programs run beside it, with the
machine's.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.serve.server import Server, serving
from tests.real_parts import AWS_CLI_2, GO, NODE, need, package

from .conftest import Cognito
from .storage import Storage

HERE = Path(__file__).parent
JAVASCRIPT = HERE / "javascript"
LIFETIME = 3600
SEEN = 4
"""
Seconds of life that the first credentials have by the clock of the programs, so that all of them ask again.
That of the emulator and the server is behind theirs.
"""
PATIENCE = 40
"""Uses within which a program must have renewed: some renew beside a use, or when nothing is left."""

Ask = Callable[[], str]
Client = AbstractContextManager[Ask]
"""A program: each call uses its credentials and returns what it says, ``> ok`` or an error."""


class Endpoint:
    """A server, which here renews when told."""

    def __init__(self, cognito: Cognito, storage: Storage, server: Server) -> None:
        self._cognito = cognito
        self._storage = storage
        self._server = server

    def over_a_renewal(self, client: Client) -> int:
        """Let *client* work before and after a renewal; return how often its keys changed."""
        with client as ask:
            assert ask().endswith("> ok")
            self._cognito.make_due()
            self._server._renewal.renew()
            for _ in range(PATIENCE):
                assert ask().endswith("> ok")
                if self._storage.renewals:
                    break
        assert self._storage.refused == []
        return self._storage.renewals

    def in_an_outage(self, client: Client) -> str:
        """Let the service fail until the credentials have ended; return what *client* says then."""
        self._cognito.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
        self._cognito.travel(LIFETIME)
        self._server._renewal.renew()
        with client as ask:
            return ask()


@pytest.fixture
def endpoint(cognito: Cognito, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """A server; the environment leads programs to it."""
    cognito.travel(SEEN - LIFETIME)
    pool = IdentityPool(cognito.pool_id)
    with serving(pool, os.environ, check=IdentityPool.credentials) as server, server.running():
        for name, value in server.variables.items():
            monkeypatch.setenv(name, value)
        yield Endpoint(cognito, storage, server)


@contextmanager
def process(command: list[str], storage: Storage) -> Iterator[Ask]:
    """A program of ``programs/``; what it says ends with a line that begins with ``>``."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        tell, lines = running.stdin, running.stdout

        def ask() -> str:
            tell.write(storage.bucket + "\n")
            tell.flush()
            said = [lines.readline()]
            while said[-1] and not said[-1].startswith(">"):
                said.append(lines.readline())
            return "".join(said).strip()

        yield ask
        tell.close()


def python(name: str, storage: Storage) -> Client:
    """A program in Python."""
    return process([sys.executable, str(HERE / "programs" / f"with_{name}.py")], storage)


@contextmanager
def aws_cli(program: list[str], storage: Storage) -> Iterator[Ask]:
    """The AWS CLI, which is a process for each use."""
    command = [
        *program,
        "s3api",
        "list-objects-v2",
        "--bucket",
        storage.bucket,
        "--endpoint-url",
        storage.url,
    ]

    def ask() -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return "> ok" if done.returncode == 0 else "> " + " ".join(done.stderr.split())

    yield ask


def aws_cli_2() -> tuple[list[str], str]:
    """Return Debian's AWS CLI and its version."""
    need(AWS_CLI_2)
    said = subprocess.run(["/usr/bin/aws", "--version"], capture_output=True, text=True, check=True).stdout
    return ["/usr/bin/aws"], said.split()[0].removeprefix("aws-cli/")


@pytest.fixture
def deltalake(storage: Storage, tmp_path: Path) -> Client:
    """The program that reads a Delta table, and the table."""
    table = tmp_path / "table"
    package("deltalake").write_deltalake(str(table), package("pyarrow").table({"a": [1]}))
    for path in table.rglob("*"):
        if path.is_file():
            storage.put(str(path.relative_to(tmp_path)), path.read_bytes())
    return python("deltalake", storage)


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program in Go; the compiler has a cache in the real home."""
    need(GO)
    program = str(tmp_path_factory.mktemp("go") / "go_v2")
    environ = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
    subprocess.run(
        ["go", "build", "-o", program, str(HERE / "programs" / "go_v2.go")], check=True, env=environ
    )
    return program


def go_version() -> str:
    """Return the version of Go's SDK."""
    source = Path("/usr/share/gocode/src/github.com/aws/aws-sdk-go-v2/aws/go_module_metadata.go")
    return re.findall(r'"([\d.]+)"', source.read_text())[0]


@pytest.fixture
def javascript(storage: Storage) -> Client:
    """The program in JavaScript."""
    need(NODE)
    return process(["node", str(JAVASCRIPT / "list.mjs")], storage)


def javascript_version() -> str:
    """Return the version of JavaScript's SDK."""
    manifest = JAVASCRIPT / "node_modules" / "@aws-sdk" / "client-s3" / "package.json"
    return str(json.loads(manifest.read_text())["version"])


def test_boto3(endpoint: Endpoint, storage: Storage, proves: Callable[..., None]) -> None:
    """boto3 goes on with new credentials."""
    renewals = endpoint.over_a_renewal(python("boto3", storage))

    proves("boto3", "`serve`", renewals=renewals)


def test_the_aws_cli(endpoint: Endpoint, storage: Storage, proves: Callable[..., None]) -> None:
    """AWS CLI v1 goes on with new credentials."""
    renewals = endpoint.over_a_renewal(aws_cli([sys.executable, "-m", "awscli"], storage))

    proves("awscli", "`serve`", renewals=renewals)


def test_the_aws_cli_2(endpoint: Endpoint, storage: Storage, proves: Callable[..., None]) -> None:
    """AWS CLI v2 goes on with new credentials, by the token in the environment: 2.9 knows no token file."""
    program, version = aws_cli_2()
    renewals = endpoint.over_a_renewal(aws_cli(program, storage))

    proves("AWS CLI v2", "`serve`", renewals=renewals, version=version)


def test_javascript(endpoint: Endpoint, javascript: Client, proves: Callable[..., None]) -> None:
    """The SDK for JavaScript goes on with new credentials."""
    renewals = endpoint.over_a_renewal(javascript)

    proves("AWS SDK for JavaScript", "`serve`", renewals=renewals, version=javascript_version())


def test_go(endpoint: Endpoint, storage: Storage, go: str, proves: Callable[..., None]) -> None:
    """The SDK for Go goes on with new credentials, by the token in the environment, too."""
    renewals = endpoint.over_a_renewal(process([go], storage))

    proves("AWS SDK for Go v2", "`serve`", renewals=renewals, version=go_version())


def test_pyarrow(endpoint: Endpoint, storage: Storage, proves: Callable[..., None]) -> None:
    """pyarrow, the SDK for C++, goes on with new credentials."""
    package("pyarrow")
    renewals = endpoint.over_a_renewal(python("pyarrow", storage))

    proves("pyarrow", "`serve`", renewals=renewals)


def test_deltalake(endpoint: Endpoint, deltalake: Client, proves: Callable[..., None]) -> None:
    """deltalake, in Rust, goes on with new credentials."""
    renewals = endpoint.over_a_renewal(deltalake)

    proves("deltalake", "`serve`", renewals=renewals)


WHY = "credentials expired at"


def test_python_says_why(endpoint: Endpoint, storage: Storage) -> None:
    """In an outage longer than the credentials, the error of boto3 has our message in it."""
    assert f"cognito-credentials: {WHY}" in endpoint.in_an_outage(python("boto3", storage))


@pytest.mark.parametrize("major", [1, 2])
def test_the_aws_cli_says_why(endpoint: Endpoint, storage: Storage, major: int) -> None:
    """So has that of both AWS CLIs."""
    program = aws_cli_2()[0] if major == 2 else [sys.executable, "-m", "awscli"]

    assert f"cognito-credentials: {WHY}" in endpoint.in_an_outage(aws_cli(program, storage))


def test_go_says_why(endpoint: Endpoint, storage: Storage, go: str) -> None:
    """So has that of Go."""
    said = endpoint.in_an_outage(process([go], storage))

    assert f"CredentialsExpiredError: cognito-credentials: {WHY}" in said


def test_deltalake_says_why(endpoint: Endpoint, deltalake: Client) -> None:
    """So has that of deltalake, which puts an arrow for each colon."""
    said = endpoint.in_an_outage(deltalake)

    assert "CredentialsExpiredError" in said
    assert WHY in said


def test_javascript_and_cpp_do_not_say_why(
    endpoint: Endpoint, storage: Storage, javascript: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """These two show no server's message: the log of the server has it."""
    package("pyarrow")
    said = endpoint.in_an_outage(javascript)
    with python("pyarrow", storage) as ask:
        said_by_arrow = ask()

    assert "CredentialsProviderError: Could not load credentials from any providers" in said
    assert "Http request to retrieve credentials failed with error code 503" in said_by_arrow
    assert f"clients get no credentials: {WHY}" in caplog.text
