"""
The recipes of the cookbook: their policies, and those for places where programs run.

What calls a service is run in tests/consumers/test_cookbook.py, whose environment has moto.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
import yaml

from cognito_credentials import IdentityPool, LoginRejectedError, administer
from cognito_credentials.emulator import Emulator, Seed
from tests import real_parts
from tests.docs.pages import ROOT, blocks, name_of

COOKBOOK = ROOT / ".github" / "docs" / "cookbook"
BIN = Path(sys.executable).parent
POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000001"
IDENTITY = "${cognito-identity.amazonaws.com:sub}"
WITH_POLICY = [page for page in sorted(COOKBOOK.glob("*.md")) if next(blocks(page, "json"), None)]
FOR_USERS = ("bedrock.md", "terraform.md")
"""Pages whose policy is for signed-in users, and not for guests."""
GITHUB = "token.actions.githubusercontent.com"
GITHUB_PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"


def statements(page: Path) -> Iterator[dict[str, Any]]:
    """Return the statements of all policies of a page."""
    for block in blocks(page, "json"):
        document = json.loads(block.code)
        assert document.keys() == {"Version", "Statement"}
        assert document["Version"] == "2012-10-17"
        yield from document["Statement"]


def actions(page: Path) -> list[str]:
    """Return the actions that the policies of a page allow."""
    found = [statement["Action"] for statement in statements(page)]
    return [action for each in found for action in ([each] if isinstance(each, str) else each)]


@pytest.fixture
def guest(emulator: Emulator, tmp_path: Path) -> str:
    """The access key id of a guest of the enhanced flow."""
    pool = IdentityPool(emulator.create_pool(), directory=tmp_path, endpoint_url=emulator.url, environ={})
    return pool.credentials().access_key_id


def test_every_recipe_with_a_service_has_a_policy() -> None:
    """All pages have one but those whose programs are the reader's."""
    without = {page.name for page in COOKBOOK.glob("*.md")} - {page.name for page in WITH_POLICY}

    assert without == {"examples.md", "systemd.md"}


@pytest.mark.parametrize("page", WITH_POLICY, ids=name_of)
def test_policies_are_small(page: Path) -> None:
    """No action and no service is a pattern, and each resource is one thing, or what is inside it."""
    for statement in statements(page):
        assert statement["Effect"] == "Allow"
        assert re.fullmatch(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:\d*:[^*]+(/\*)?", statement["Resource"])
    assert not [action for action in actions(page) if not re.fullmatch(r"[a-z0-9-]+:[A-Z]\w+", action)]


@pytest.mark.parametrize("page", WITH_POLICY, ids=name_of)
def test_guests_may_use_the_service(page: Path, emulator: Emulator, guest: str) -> None:
    """AWS's list for guests has each action of a page for guests; the other pages name the list."""
    text = page.read_text("utf-8")
    refused = [action for action in actions(page) if not emulator.allowed(guest, action).allowed]

    if page.name in FOR_USERS:
        assert "iam-roles.html#access-policies-scope-down-services" in text
    else:
        assert refused == []


def test_guests_may_not_use_bedrock(emulator: Emulator, guest: str) -> None:
    """The refusal of Bedrock to guests is the one that the page shows; IAM and EC2 are refused, too."""
    text = (COOKBOOK / "bedrock.md").read_text("utf-8")
    decision = emulator.allowed(guest, "bedrock:InvokeModel")

    assert not decision.allowed
    shown = re.search(r"`AccessDeniedException … (because no session policy allows)`", text)
    assert shown is not None
    assert shown[1] in decision.reason
    for action in ("iam:CreateRole", "ec2:RunInstances"):  # terraform.md
        assert not emulator.allowed(guest, action).allowed


def test_what_belongs_to_an_identity_is_kept_by_its_id() -> None:
    """Where a recipe gives each identity something of its own, the policy names the identity."""
    for name in ("s3.md", "dynamodb.md", "iot-mqtt.md", "cron.md"):
        assert all(IDENTITY in json.dumps(statement) for statement in statements(COOKBOOK / name)), name


@pytest.mark.parametrize("page", sorted(COOKBOOK.glob("*.md")), ids=name_of)
def test_recipes_say_what_goes_wrong_and_lead_on(page: Path) -> None:
    """Each recipe has that section; its last paragraph leads to other pages."""
    text = page.read_text("utf-8")
    if page.name == "examples.md":
        return

    assert "\n## What can go wrong\n" in text
    assert text.rstrip().rpartition("\n\n")[2].startswith("Next: [")


def test_the_dockerfile_is_the_examples() -> None:
    """The page shows the Dockerfile of examples/container, which tests/consumers/test_container.py starts."""
    shown, _ = (block.code for block in blocks(COOKBOOK / "docker.md", "dockerfile"))
    lines = (ROOT / "examples" / "container" / "Dockerfile").read_text("utf-8").splitlines()

    assert shown.splitlines() == [line for line in lines if line and not line.startswith("#")]


@pytest.fixture
def lead_to(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lead the environment to an emulator."""

    def lead(emulator: Emulator) -> None:
        for service in ("COGNITO_IDENTITY", "STS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", emulator.url)

    return lead


@pytest.mark.writes_secrets
def test_a_container_with_a_token_file_is_a_user(
    emulator: Emulator, lead_to: Any, tmp_path: Path, isolation: Path
) -> None:
    """The entry point with a login reads the file, and gives its command an endpoint and no keys."""
    lead_to(emulator)
    _, entry = (block.code for block in blocks(COOKBOOK / "docker.md", "dockerfile"))
    token = tmp_path / "token"
    arn = "arn:aws:iam::123456789012:oidc-provider/login.example.com"
    pool_id = emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    token.write_text(emulator.login_token("login.example.com"))
    program, *words = json.loads(entry.removeprefix("ENTRYPOINT "))
    words = [word.replace("/run/token", str(token)) for word in words]
    done = subprocess.run(
        [BIN / program, *words, "env"],
        env={**os.environ, "HOME": str(isolation), "AWS_COGNITO_IDENTITY_POOL_ID": pool_id},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "\nAWS_CONTAINER_CREDENTIALS_FULL_URI=" in f"\n{done.stdout}"
    assert "AWS_ACCESS_KEY_ID" not in done.stdout
    ((_, identity),) = enumerate(emulator.listed("identities", pool=pool_id)["items"])
    assert "login.example.com" in json.dumps(identity)


def test_terraforms_configuration_is_hcl() -> None:
    """A parser reads it; backend and provider have one profile, and the policy is for the backend's state."""
    (block,) = blocks(COOKBOOK / "terraform.md", "hcl")
    parsed = real_parts.package("hcl2", "test").loads(block.code)
    plain = json.loads(json.dumps(parsed).replace('\\"', ""))
    (terraform,) = plain["terraform"]
    ((kind, backend),) = next(each.items() for each in terraform["backend"] if isinstance(each, dict))
    ((_, provider),) = plain["provider"][0].items()
    state = f"arn:aws:s3:::{backend['bucket']}/{backend['key']}"
    resources = [statement["Resource"] for statement in statements(COOKBOOK / "terraform.md")]

    assert kind == "s3"
    assert backend["profile"] == provider["profile"] == "deploy"
    assert backend["use_lockfile"] is True
    assert resources == [f"arn:aws:s3:::{backend['bucket']}", state, f"{state}.tflock"]


def _units(folder: Path) -> list[Path]:
    """Write the service, the service of the timer, and the timer of the page, with a program that is here."""
    service, oneshot, timer = (block.code for block in blocks(COOKBOOK / "systemd.md", "systemd"))
    ours = oneshot.partition("\n")[2]
    kept = re.sub(r"(?m)^(?:ExecStart|Restart|RestartSec)=.*\n", "", service).partition("\n[Install]")[0]
    texts = {
        "readings.service": service,
        "once.service": kept.replace("[Service]\n", f"[Service]\n{ours}"),
        "once.timer": timer,
    }
    for name, text in texts.items():
        (folder / name).write_text(text.replace("/opt/readings/.venv/bin", str(BIN)))
    return [folder / name for name in texts]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_units_are_accepted(tmp_path: Path) -> None:
    """systemd accepts the service, the service for a timer made as the page says, and the timer."""
    units = _units(tmp_path)
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)

    assert not [unit.name for unit in units if unit.name in done.stderr], done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("unit", ["readings.service", "once.service"])
def test_a_service_keeps_its_identity(
    unit: str, emulator: Emulator, lead_to: Any, tmp_path: Path, isolation: Path
) -> None:
    """What the service starts, with its environment alone, has credentials; two starts are one guest."""
    _units(tmp_path)
    text = (tmp_path / unit).read_text()
    emulator.create_pool(IdentityPoolId=POOL_ID)
    environment = dict(re.findall(r"(?m)^Environment=(\w+)=(.*)$", text))
    assert environment["HOME"] == "/var/lib/" + re.findall(r"(?m)^StateDirectory=(.*)$", text)[0]
    lead_to(emulator)
    of_test = {name: value for name, value in os.environ.items() if name.startswith("AWS_ENDPOINT_URL_")}
    (command,) = re.findall(r"(?m)^ExecStart=(.*)$", text)
    for _ in range(2):
        done = subprocess.run(
            [*command.removesuffix("/opt/readings/send").split(), "/usr/bin/env"],
            env={"PATH": "/usr/bin:/bin", **environment, **of_test, "HOME": str(isolation)},
            cwd="/",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    wanted = "AWS_CONTAINER_CREDENTIALS_FULL_URI" if "--server" in command else "AWS_SESSION_TOKEN"
    assert f"\n{wanted}=" in f"\n{done.stdout}"
    assert emulator.requests()["GetId"] == 1


def test_the_workflow_gives_no_job_more_than_it_needs() -> None:
    """The workflow is read-only, and has no secret; `.ci/check_workflows` checks its form."""
    (block,) = blocks(COOKBOOK / "github-actions.md", "yaml")
    workflow = yaml.safe_load(block.code)

    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in block.code
    assert workflow["jobs"]["guest"]["env"]["AWS_COGNITO_IDENTITY_POOL_ID"] == POOL_ID


class _GitHub:
    """GitHub's endpoint for tokens, as a job has it."""

    def __init__(self, emulator: Emulator, subject: str) -> None:
        self.audiences: list[str] = []
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.headers["Authorization"] == "bearer request-token"
                audience = self.path.partition("&audience=")[2]
                github.audiences.append(audience)
                token = emulator.login_token(GITHUB, audience=audience, subject=subject)
                content = json.dumps({"count": 1, "value": token}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing on stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token?api-version=2.0"


@pytest.mark.writes_secrets
@pytest.mark.parametrize(
    ("subject", "exit_code"),
    [
        ("repo:OWNER/NAME:ref:refs/heads/main", 0),
        ("repo:SOMEBODY/ELSE:ref:refs/heads/main", LoginRejectedError.exit_code),
    ],
)
def test_a_repository_gets_its_role(
    subject: str,
    exit_code: int,
    emulator_keys: Any,
    lead_to: Any,
    tmp_path: Path,
    isolation: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The script gets a token of the job; the pool's rule lets this repository in, and no other one."""
    if shutil.which("curl") is None:
        real_parts.missing("there is no curl here")
    page = COOKBOOK / "github-actions.md"
    (seed,) = (block.code for block in blocks(page, "toml"))
    (script,) = (block.code for block in blocks(page, "sh"))
    (line,) = (block.code.removeprefix("$ ") for block in blocks(page, "console"))
    (tmp_path / "pool.toml").write_text(seed)
    (tmp_path / "github-token").write_text(script)
    (tmp_path / "github-token").chmod(0o755)
    with Emulator(keys=emulator_keys, seed=Seed.load(tmp_path / "pool.toml"), marker=True) as emulator:
        lead_to(emulator)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        (pool,) = administer.list_pools(boto3.Session())
        github = _GitHub(emulator, subject)
        thread = Thread(target=github.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", line.replace("./deploy", "sh -c 'echo deployed'")],
                env={
                    "HOME": str(isolation),
                    "PATH": f"{BIN}:/usr/bin:/bin",
                    "AWS_COGNITO_IDENTITY_POOL_ID": pool.pool_id,
                    "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url,
                    "ACTIONS_ID_TOKEN_REQUEST_URL": github.url,
                    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token",
                },
                cwd=tmp_path,
                capture_output=True,
                text=True,
            )
        finally:
            github.server.shutdown()
            thread.join()
            github.server.server_close()

    assert done.returncode == exit_code, done.stderr
    assert set(github.audiences) == {"my-pool"}
    if exit_code:
        shown = re.search(r'\*\*"(the pool.*) … gets"', page.read_text("utf-8"))
        assert shown is not None
        assert f"{shown[1]} {GITHUB} gets" in done.stderr
    else:
        assert done.stdout == "deployed\n"
