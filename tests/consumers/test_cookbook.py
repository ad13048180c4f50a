"""The recipes of the cookbook that call a service: their code runs, and prints what the page shows."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.docs.pages import ROOT, blocks
from tests.real_parts import package

from .api import running_api
from .conftest import Cognito
from .storage import BUCKET, MotoService, Storage

COOKBOOK = ROOT / ".github" / "docs" / "cookbook"
POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000001"
IDENTITY = "us-east-1:0481d914-1b4b-40c4-b627-181e4f02f62a"
"""The identity of the pages' output."""
PROVIDER = "login.example.com"


class Recipe:
    """
    The Python of a page, which a test runs with a pool and addresses of its own.

    Attributes:
        names: The globals of its code.
    """

    def __init__(
        self, page: str, cognito: Cognito, capsys: pytest.CaptureFixture[str], **names: object
    ) -> None:
        self.names: dict[str, Any] = dict(names)
        self._blocks = list(blocks(COOKBOOK / page, "python", "text"))
        self._changes = {POOL_ID: cognito.pool_id, "amzn-s3-demo-bucket": BUCKET}
        self._capsys = capsys

    def replace(self, old: str, new: str) -> None:
        """Run the code with *new* in place of *old*, which it must have."""
        assert any(old in block.code for block in self._blocks)
        self._changes[old] = new

    def run(self, *, but: str = "nothing is left out") -> int:
        """Run all blocks but those with *but*, and compare their output; return how many the page has."""
        printed, compared = "", 0
        for block in self._blocks:
            if block.language == "text":
                assert printed == self._shown(block.code), block.where
                compared += 1
            elif but not in block.code:
                code = block.code
                for old, new in self._changes.items():
                    code = code.replace(old, new)
                exec(compile(code, block.where, "exec"), self.names)
                printed, errors = self._capsys.readouterr()
                assert errors == ""
        return compared

    def _shown(self, text: str) -> str:
        session = self.names.get("session")
        return text.replace(IDENTITY, session.identity_pool.identity_id()) if session else text


@contextmanager
def service(
    cognito: Cognito, moto_application: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> Iterator[MotoService]:
    """Run a service of moto; the environment leads its clients to it."""
    with MotoService(cognito.emulator, moto_application, name) as running:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name.upper()}", running.url)
        yield running


def test_s3(
    cognito: Cognito,
    storage: Storage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each identity writes into a folder with its id; large files go up and down."""
    monkeypatch.chdir(tmp_path)
    Path("video.mp4").write_bytes(b"film" * 3_000_000)  # more than one part
    recipe = Recipe("s3.md", cognito, capsys)

    assert recipe.run() == 1
    assert Path("copy.mp4").read_bytes() == Path("video.mp4").read_bytes()
    assert storage.get(f"{recipe.names['folder']}notes.txt") == b"my first note"
    assert storage.refused == []
    assert {signer.identity_id for signer in storage.signers} == {recipe.names["folder"].rstrip("/")}


def test_dynamodb(
    cognito: Cognito,
    moto_application: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An item has the identity as its partition key, and is found by it; a fraction is a Decimal."""
    with service(cognito, moto_application, monkeypatch, "dynamodb") as dynamodb:
        keys = {"owner": "HASH", "name": "RANGE"}
        dynamodb.perform(
            "DynamoDB_20120810.CreateTable",
            TableName="notes",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        )
        recipe = Recipe("dynamodb.md", cognito, capsys)

        assert recipe.run() == 1
        assert dynamodb.refused == []
        assert {signer.identity_id for signer in dynamodb.signers} == {recipe.names["owner"]}
        with pytest.raises(TypeError, match="Float types are not supported"):
            recipe.names["table"].put_item(Item={"owner": recipe.names["owner"], "name": "x", "value": 0.5})


def test_kinesis(
    cognito: Cognito,
    moto_application: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Records reach the stream; those that it has not taken are sent again, and are returned in the end."""
    with service(cognito, moto_application, monkeypatch, "kinesis") as kinesis:
        kinesis.perform("Kinesis_20131202.CreateStream", StreamName="readings", ShardCount=1)
        recipe = Recipe("kinesis.md", cognito, capsys)

        assert recipe.run() == 1
        assert kinesis.refused == []
        assert {signer.identity_id for signer in kinesis.signers} == {recipe.names["sender"]}

    class Busy:
        """Takes the first record of each request alone."""

        def __init__(self) -> None:
            self.taken: list[Any] = []

        def put_records(self, StreamName: str, Records: list[Any]) -> Any:  # noqa: N803
            self.taken.append(json.loads(Records[0]["Data"]))
            failed = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": StreamName}
            return {"Records": [{"SequenceNumber": "1"}, *[failed] * (len(Records) - 1)]}

    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    busy = recipe.names["kinesis"] = Busy()

    assert recipe.names["send"]([1, 2, 3], tries=5) == []
    assert busy.taken == [1, 2, 3]
    assert recipe.names["send"]([4, 5, 6], tries=2) == [6]
    assert waits == [0, 1, 2, 0, 1]


def _bedrock(cognito: Cognito, capsys: pytest.CaptureFixture[str]) -> Recipe:
    class SignIn:
        def id_token(self) -> str:
            return cognito.emulator.login_token(PROVIDER)

    arn = f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"
    cognito.pool_id = cognito.emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    return Recipe("bedrock.md", cognito, capsys, my_sign_in=SignIn())


def test_bedrock(
    cognito: Cognito, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The request for a model is signed by the user, and the answer of the service is printed."""
    with running_api(cognito.emulator, "bedrock") as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", api.url)
        message = {"role": "assistant", "content": [{"text": "A visitor who has not signed in."}]}
        api.content = {
            "output": {"message": message},
            "usage": {"inputTokens": 5, "outputTokens": 9, "totalTokens": 14},
            "stopReason": "end_turn",
            "metrics": {"latencyMs": 1},
        }
        recipe = _bedrock(cognito, capsys)

        assert recipe.run() == 1
        assert api.refused == []
        (signer,) = api.signers
        assert signer.identity_id == recipe.names["session"].identity_pool.identity_id()
        assert "auth" in signer.role_name
        assert "unauth" not in signer.role_name


def test_bedrocks_api_key_wins(
    cognito: Cognito, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """boto3 takes an API key of the environment in place of the pool, as the page warns."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "key")
    with running_api(cognito.emulator, "bedrock") as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", api.url)
        with pytest.raises((BotoCoreError, ClientError)):
            _bedrock(cognito, capsys).run()

    assert api.signers == []
    # A newer botocore does not even send such a key over plain HTTP.
    assert api.refused in (["AuthorizationHeaderMalformed"], [])


def test_signed_http(cognito: Cognito, capsys: pytest.CaptureFixture[str]) -> None:
    """Requests to API Gateway and to AppSync are signed, each for its service."""
    package("httpx")
    recipe = Recipe("signed-http.md", cognito, capsys)
    with running_api(cognito.emulator) as gateway, running_api(cognito.emulator, "appsync") as appsync:
        recipe.replace("https://abcdefghij.execute-api.us-east-1.amazonaws.com", gateway.url)
        recipe.replace("https://abcdefghijklmnopqrstuvwxyz.appsync-api.us-east-1.amazonaws.com", appsync.url)
        recipe.run()

    assert (gateway.refused, appsync.refused) == ([], [])
    identity = recipe.names["pool"].identity_id()
    assert [signer.identity_id for signer in (*gateway.signers, *appsync.signers)] == [identity] * 2


def test_data_frames(
    cognito: Cognito,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """pandas, polars and obstore read a file, and print what the page shows."""
    for name in ("aiobotocore.session", "s3fs", "pandas", "polars", "obstore"):
        package(name)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", storage.url)
    storage.put("readings.csv", b"x,y\n1,2\n3,4\n")

    assert Recipe("data-frames.md", cognito, capsys).run(but="import csv, fs") == 3
    assert storage.refused == []
    assert cognito.requests() == "GetId 1, GetCredentialsForIdentity 1"


def test_pyarrow(cognito: Cognito, storage: Storage, tmp_path: Path) -> None:
    """The program with pyarrow knows nothing of pools; `exec --server` gives it credentials."""
    package("pyarrow")
    (code,) = (block.code for block in blocks(COOKBOOK / "data-frames.md", "python") if "arrow" in block.code)
    storage.put("readings.csv", b"x,y\n1,2\n3,4\n")
    here = f'endpoint_override="{storage.url.removeprefix("http://")}", scheme="http"'  # it reads no variable
    assert 'region="us-east-1"' in code
    code = code.replace('region="us-east-1"', here).replace("amzn-s3-demo-bucket", BUCKET)
    (tmp_path / "arrow.py").write_text(code)
    done = subprocess.run(
        [*_PROGRAM, "exec", "--server", "--", sys.executable, "arrow.py"],
        env={**os.environ, "AWS_COGNITO_IDENTITY_POOL_ID": cognito.pool_id},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.returncode) == ("(2, 2)\n", 0), done.stderr
    assert storage.refused == []


_PROGRAM = [str(Path(sys.executable).parent / "cognito-credentials")]


def test_cron(cognito: Cognito, storage: Storage, isolation: Path) -> None:
    """The crontab's lines run as cron runs them, without a PATH of ours; two runs are one guest."""
    page = COOKBOOK / "cron.md"
    configure, backup = (block.code for block in blocks(page, "sh"))
    bin_, venv = isolation / "bin", isolation / ".venv" / "bin"
    for folder in (bin_, venv):
        folder.mkdir(parents=True)
    for name in ("cognito-credentials", "aws"):
        (venv / name).symlink_to(Path(sys.executable).parent / name)
    for name, text in (("backup", backup), ("other-job", '#!/bin/sh\necho "$AWS_ACCESS_KEY_ID"\n')):
        (bin_ / name).write_text(text.replace("amzn-s3-demo-bucket", BUCKET))
        (bin_ / name).chmod(0o755)
    (isolation / "notes.txt").write_text("my notes")
    of_test = {name: value for name, value in os.environ.items() if name.startswith("AWS_ENDPOINT_URL_")}
    of_cron = {"HOME": str(isolation), "LOGNAME": "ann", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}

    def run(command: str, **variables: str) -> str:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env={**of_cron, **of_test, **variables},
            cwd=isolation,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    lines = [line for block in blocks(page, "text") for line in block.code.splitlines()]
    first, second = (_command_of(line).removesuffix(" | logger -t backup") for line in lines)
    run(configure.replace(POOL_ID, cognito.pool_id), PATH=f"{venv}:/usr/bin:/bin")

    assert [run(first) for _ in range(2)] == ["", ""]
    assert re.fullmatch(r"ASIA\w+\n", run(second))
    assert storage.refused == []
    (identity,) = {signer.identity_id for signer in storage.signers}
    day = subprocess.run(["date", "+%F"], capture_output=True, text=True, check=True).stdout.strip()
    assert storage.get(f"{identity}/{day}.txt") == b"my notes"


def _command_of(line: str) -> str:
    """Return the command of a crontab's line, after five fields; a ``%`` would end it."""
    match = re.fullmatch(r"(?:[\d*/,-]+ ){5}(.*)", line)
    assert match, line
    assert "%" not in match[1]
    return match[1]


@pytest.mark.parametrize(
    ("page", "example"),
    [("data-frames.md", "data_frames.py"), ("signed-http.md", "signed_requests.py")],
)
def test_pages_have_the_code_of_the_examples(page: str, example: str) -> None:
    """Each function and class of the page that the whole program has, too, is the same there."""
    source = (ROOT / "examples" / example).read_text("utf-8")
    found = [parts for block in blocks(COOKBOOK / page, "python") for parts in _parts(block.code).items()]
    theirs = _parts(source)
    shared = [(name, text) for name, text in found if name in theirs]

    assert len(shared) >= 2
    assert [(name, theirs[name]) for name, _ in shared] == shared


def _parts(source: str) -> dict[str, str | None]:
    """Return the functions and classes of a program, as they are written."""
    return {
        node.name: ast.get_source_segment(source, node)
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
