"""examples/emulator: what its Dockerfile, Compose file and workflow start, without Docker."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "examples" / "emulator"
DOCKERFILE = (FOLDER / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
WORKFLOW = yaml.safe_load((FOLDER / "workflow.yaml").read_text("utf-8"))


def words(instruction):
    """The words of a line of the Dockerfile such as ``CMD ["python", "program.py"]``."""
    return json.loads(re.search(rf"^{instruction}.* (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])


@pytest.fixture
def port():
    """A free port, in place of 8000."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def environment():
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "AWS_DEFAULT_REGION": "us-east-1"}


def started(command, **options):
    """Start an emulator; the address of the machine alone in place of all."""
    command = [word.replace("0.0.0.0", "127.0.0.1") for word in command]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("arguments", [words("CMD"), COMPOSE["services"]["cognito"]["command"]])
def test_image(port, environment, arguments):
    """The image's command, and Compose's, start an emulator with the seed; the health check finds it."""
    number = [word.replace("8000", str(port)) for word in [*words("ENTRYPOINT"), *arguments]]
    health = [word.replace("8000", str(port)) for word in words("HEALTHCHECK")]

    with started(number, cwd=FOLDER, env=environment) as emulator:
        try:
            assert emulator.stdout.readline() == f"listening on http://127.0.0.1:{port}\n"
            healthy = subprocess.run(health, env=environment, capture_output=True, timeout=30)
            app = COMPOSE["services"]["app"]["command"]
            url = f"http://127.0.0.1:{port}"
            found = subprocess.run(
                ["aws", *app, "--endpoint-url", url],
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
            )
        finally:
            emulator.terminate()
            emulator.communicate(timeout=20)

    assert (healthy.returncode, found.returncode) == (0, 0), healthy.stderr + found.stderr.encode()
    assert json.loads(found.stdout)["IdentityId"].startswith("us-east-1:")


def test_names_of_aws(port, environment, tmp_path):
    """Compose's second emulator has AWS's names in its certificate, and in its network."""
    service = COMPOSE["services"]["aws"]
    command = [*service["entrypoint"], *service["command"]]
    changed = [word.replace("443", str(port)).replace("/certificates", str(tmp_path)) for word in command]

    with started(changed, cwd=FOLDER, env=environment) as emulator:
        try:
            assert emulator.stdout.readline() == f"listening on https://127.0.0.1:{port}\n"
        finally:
            emulator.terminate()
            _, errors = emulator.communicate(timeout=20)

    assert "Traceback" not in errors
    names = {word.partition("=")[2] for word in service["command"] if word.startswith("--tls-name")}
    assert names == set(service["networks"]["default"]["aliases"])


def test_workflow(port, environment, tmp_path):
    """The steps of the workflow start the emulator in the background, and call it."""
    steps = {step.get("name", step.get("run", "")): step for step in WORKFLOW["jobs"]["process"]["steps"]}
    start = steps["Start the emulator"]["run"].replace("8000", str(port))
    call = next(step for name, step in steps.items() if name.startswith("aws "))
    (tmp_path / "pools.toml").write_bytes((FOLDER / "pools.toml").read_bytes())
    variables = {name: value.replace("8000", str(port)) for name, value in WORKFLOW["env"].items()}
    script = f"{start}\n{call['run']}\nkill $!\nwait $! || true\ncat emulator.log >&2\n"

    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        env={**environment, **variables, **call["env"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"listening on http://127.0.0.1:{port}\n")
    assert '"IdentityId": "us-east-1:' in done.stdout
    assert "Traceback" not in done.stderr


def test_pools_of_all_files():
    """The pool of the seed is the one that Compose and the workflow ask for."""
    pool = re.search(r'IdentityPoolId = "(.*)"', (FOLDER / "pools.toml").read_text())[1]

    assert f"--identity-pool-id={pool}" in COMPOSE["services"]["app"]["command"]
    assert [
        step["env"]["POOL"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "env" in step
    ] == [
        pool,
        pool,
    ]
