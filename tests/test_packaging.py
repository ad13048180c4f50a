"""What is installed: programs, extras, versions, and that each place that names a version names the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def _lowest(requirements: list[str]) -> dict[str, str]:
    found = (re.match(r"([\w-]+)(?:\[.*\])?>=([\d.]+)", text) for text in requirements)
    return {match[1]: match[2] for match in found if match}


def test_three_runtime_dependencies_and_no_more() -> None:
    """Whoever installs us gets botocore, boto3 and a lock."""
    assert sorted(_lowest(PROJECT["dependencies"])) == ["boto3", "botocore", "filelock"]


def test_the_program_is_installed() -> None:
    """The console script is there, is the package's, and says its version."""
    (script,) = (e for e in entry_points(group="console_scripts") if e.name == "cognito-credentials")
    program = shutil.which("cognito-credentials", path=str(Path(sys.executable).parent))
    assert program
    done = subprocess.run([program, "--version"], capture_output=True, text=True)

    assert script.value == "cognito_credentials.cli:main"
    assert done.stdout == f"cognito-credentials {PROJECT['version']}\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_the_package_runs_as_a_module() -> None:
    """`python -m cognito_credentials` is the same program."""
    done = subprocess.run(
        [sys.executable, "-m", "cognito_credentials", "--version"], capture_output=True, text=True
    )

    assert done.stdout == f"cognito-credentials {PROJECT['version']}\n"


def test_the_pytest_plugin_costs_other_projects_nothing() -> None:
    """pytest loads the plugin wherever we are installed, so it brings no server along."""
    (plugin,) = entry_points(group="pytest11", name="cognito_credentials_emulator")
    code = (
        f"import sys, pytest; before = set(sys.modules); import {plugin.value}; "
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    brought = set(done.stdout.split())

    assert plugin.value in brought
    assert not {name.split(".")[0] for name in brought} & {
        "starlette",
        "uvicorn",
        "jwt",
        "cryptography",
        "botocore",
    }


@pytest.mark.parametrize("extra", ["keyring", "server", "emulator", "test"])
def test_the_extras_are_those_that_messages_name(extra: str) -> None:
    """An extra that a message or the README tells to install exists in the installed metadata."""
    named = distribution("cognito-credentials").metadata.get_all("Provides-Extra") or []

    assert extra in EXTRAS
    assert extra in named


def test_messages_name_extras_that_exist() -> None:
    """No message sends anybody to an extra that is not there."""
    sources = [path.read_text("utf-8") for path in (ROOT / "cognito_credentials").rglob("*.py")]
    sources.append((ROOT / "README.md").read_text("utf-8"))
    named = {name for text in sources for name in re.findall(r"cognito-credentials\[([a-z]+)\]", text)}

    assert named
    assert named <= EXTRAS.keys()


def test_ci_tests_the_oldest_versions_that_are_claimed() -> None:
    """What pyproject.toml and the README call the oldest is what .ci/run installs."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    tested = dict(re.findall(r"(boto3|botocore|filelock)==([\d.]+)", script))
    claimed = _lowest(PROJECT["dependencies"])
    readme = (ROOT / "README.md").read_text("utf-8")

    assert tested.keys() == claimed.keys()
    for name, version in tested.items():
        assert version.removesuffix(".0") == claimed[name].removesuffix(".0")
    assert f"oldest tested {tested['botocore']}" in readme
    assert f"filelock {tested['filelock']}" in readme
    assert PROJECT["requires-python"] == ">=3.10"
    assert "find_python 3.10" in script
    assert "Python 3.10 or newer" in readme


def test_the_types_are_announced() -> None:
    """Type checkers read our annotations: the marker is in the package, and a classifier says so."""
    assert (ROOT / "cognito_credentials" / "py.typed").read_bytes() == b""
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_licence_is_that_of_the_file() -> None:
    """Apache-2.0 in the metadata is Apache-2.0 in the file."""
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
