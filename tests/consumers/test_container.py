"""examples/container: what its Dockerfile starts, without Docker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.serve.server import serving

from .conftest import Cognito
from .storage import Storage
from .table import ROOT

FOLDER = ROOT / "examples" / "container"
DOCKERFILE = (FOLDER / "Dockerfile").read_text("utf-8")


def _words(instruction: str) -> list[str]:
    """The words of a line of the Dockerfile such as ``CMD ["python", "program.py"]``."""
    match = re.search(rf"^{instruction} (.*)$", DOCKERFILE, re.MULTILINE)
    assert match is not None
    return list(json.loads(match[1]))


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(cognito: Cognito, storage: Storage, isolation: Path) -> Iterator[Start]:
    """Start a command in the folder, with the variables of ``docker run`` and some more."""
    started = []

    def run(command: list[str], **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            cwd=FOLDER,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "BUCKET": storage.bucket,
                "SECONDS": "0.1",
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.kill()
        pytest.fail(f"it ended: {process.communicate()[1]}")
    return line.rstrip("\n")


def test_it_reads_and_ends_when_it_is_told_to(cognito: Cognito, storage: Storage, start: Start) -> None:
    """The image's entry point runs its command, and SIGTERM of ``docker stop`` reaches the program."""
    storage.put("a", b"1")
    command = [*_words("ENTRYPOINT"), *_words("CMD")]
    process = start(command, AWS_COGNITO_IDENTITY_POOL_ID=cognito.pool_id)
    first = _line(process)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate()

    assert {first, *out.splitlines()} == {"1 objects"}
    assert (process.returncode, errors) == (0, "")
    assert storage.refused == []


def test_the_program_gets_no_keys_but_an_endpoint(cognito: Cognito, start: Start) -> None:
    """Keys in its environment would end after an hour; what it has is the address of the endpoint."""
    process = start([*_words("ENTRYPOINT"), "env"], AWS_COGNITO_IDENTITY_POOL_ID=cognito.pool_id)
    names = {line.partition("=")[0] for line in process.communicate()[0].splitlines()}

    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names
    assert "AWS_ACCESS_KEY_ID" not in names


def test_the_next_container_is_the_same_guest(cognito: Cognito, storage: Storage, start: Start) -> None:
    """When a container was killed, the next one with the same volume goes on with the identity."""
    for _ in range(2):
        process = start([*_words("ENTRYPOINT"), *_words("CMD")], AWS_COGNITO_IDENTITY_POOL_ID=cognito.pool_id)
        _line(process)
        process.kill()
        process.communicate()

    assert len({signer.identity_id for signer in storage.signers}) == 1
    assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"


def test_its_program_reads_over_renewals(cognito: Cognito, storage: Storage, start: Start) -> None:
    """The program, which knows only the endpoint, goes on with new keys, and no read fails."""
    cognito.short_lived()
    pool = IdentityPool(cognito.pool_id)
    with serving(pool, os.environ, check=IdentityPool.credentials) as server, server.running():
        process = start(_words("CMD"), **server.variables)
        _line(process)
        for renewals in (1, 2):
            cognito.make_due()
            while storage.renewals < renewals:
                assert _line(process) == "0 objects"

    assert storage.refused == []
    assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 3"
