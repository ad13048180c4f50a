"""What is installed: programs, extras, versions. Wherever a version is named, it is the same."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, entry_points, packages_distributions
from pathlib import Path

import pytest

from cognito_credentials import __version__
from tests.conftest import THOROUGH, UNIX_ONLY

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
    """The package itself needs botocore, boto3 and a lock; everything else is an extra."""
    assert sorted(_lowest(PROJECT["dependencies"])) == ["boto3", "botocore", "filelock"]


def test_the_program_is_installed() -> None:
    """The console script is installed, belongs to the package, and prints its version."""
    (script,) = (e for e in entry_points(group="console_scripts") if e.name == "cognito-credentials")
    program = shutil.which("cognito-credentials", path=str(Path(sys.executable).parent))
    assert program
    done = subprocess.run([program, "--version"], capture_output=True, text=True)

    assert script.value == "cognito_credentials.cli:main"
    assert done.stdout == f"cognito-credentials {__version__}\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_the_package_runs_as_a_module() -> None:
    """`python -m cognito_credentials` is the same program."""
    done = subprocess.run(
        [sys.executable, "-m", "cognito_credentials", "--version"], capture_output=True, text=True
    )

    assert done.stdout == f"cognito-credentials {__version__}\n"


def test_the_pytest_plugin_costs_other_projects_nothing() -> None:
    """pytest loads the plugin in every project that has us installed, so the plugin imports no server."""
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
    """An extra that a message or the README names is in the installed metadata."""
    named = distribution("cognito-credentials").metadata.get_all("Provides-Extra") or []

    assert extra in EXTRAS
    assert extra in named


def test_messages_name_extras_that_exist() -> None:
    """Every extra that the sources or the README name is declared."""
    sources = [path.read_text("utf-8") for path in (ROOT / "cognito_credentials").rglob("*.py")]
    sources.append((ROOT / "README.md").read_text("utf-8"))
    named = {name for text in sources for name in re.findall(r"cognito-credentials\[([a-z]+)\]", text)}

    assert named
    assert named <= EXTRAS.keys()


def _imported(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the top-level name of every module that the files *paths* import."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.importorskip", "package"):
                # A name that is no text is a parameter of the test; such a library is imported elsewhere too.
                modules = [str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant)]
            yield from (module.partition(".")[0] for module in modules)


def _required(*extras: str) -> set[str]:
    """Return the distributions that our own *extras* name, without what those need in turn."""
    found = set()
    for text in [requirement for extra in extras for requirement in EXTRAS[extra]]:
        name, nested = re.fullmatch(r"([\w-]+)(?:\[([\w,-]+)\])?.*", text).groups()
        found |= _required(*nested.split(",")) if name == PROJECT["name"] else {name.lower()}
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("extras", [(), ("consumers", "homeassistant")])
def test_the_extras_have_what_the_tests_import(extras: tuple[str, ...]) -> None:
    """
    Every package that a test or an example imports is one that we ask for by name: in .ci/run, in the extra
    `test`, or, for the examples, tests/consumers and benchmarks, in `consumers` or `homeassistant`.
    """
    asked_for = _required("test", *extras) | _lowest(PROJECT["dependencies"]).keys()
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    asked_for |= set(re.findall(r"['\"](moto|aioboto3)(?:\[cognitoidentity\])?==", script))
    ours = {"cognito_credentials", "tests", "tomllib"}  # tomllib: of the standard library from 3.11 on
    consumers = {ROOT / "tests" / "examples" / "test_home_assistant.py"}
    for folder in ("examples", "tests/consumers", "tests/benchmarks"):
        consumers |= {*(ROOT / folder).rglob("*.py")}
    others = {path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts}
    installed = packages_distributions()
    names = {
        module: installed.get(module, [module])[0].lower().replace("_", "-")
        for module in {*_imported(consumers if extras else others - consumers)}
        - sys.stdlib_module_names
        - ours
    }
    # A package that is not installed is known by the beginning of its name, as `paho` of paho-mqtt.
    missing = {module: name for module, name in names.items() if name not in asked_for}

    assert {
        module
        for module, name in missing.items()
        if module in installed or not any(wanted.startswith(name) for wanted in asked_for)
    } == set()


def test_the_folders_of_thorough_tests_exist() -> None:
    """A folder or file that was renamed does not slip into the quick part."""
    assert [path for path in (*THOROUGH, *UNIX_ONLY) if not (ROOT / path).exists()] == []


def test_ci_tests_the_oldest_versions_that_are_claimed() -> None:
    """.ci/run installs what pyproject.toml and the page on versions call the oldest, from a lock file."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    asked_for = (ROOT / ".ci" / "oldest.in").read_text("utf-8")
    tested = dict(re.findall(r"(boto3|botocore|filelock)==([\d.]+)", asked_for))
    locked = (ROOT / ".ci" / "oldest.txt").read_text("utf-8")
    claimed = _lowest(PROJECT["dependencies"])
    page = (ROOT / ".github/docs/reference/versions.md").read_text("utf-8")

    assert tested.keys() == claimed.keys()
    for name, version in tested.items():
        assert version.removesuffix(".0") == claimed[name].removesuffix(".0")
        assert f"\n{name}=={version} " in locked
        assert f"| {tested[name]}, and the newest" in page
    assert PROJECT["requires-python"] == ">=3.10"
    assert "find_python 3.10" in script
    assert "| Python | 3.10 | no limit |" in page


def test_the_lock_and_the_constraints_are_of_the_same_versions() -> None:
    """Whoever installs with the constraints gets what the lock file has by its hashes."""
    locked = (ROOT / ".ci" / "locked.txt").read_text("utf-8")
    without = re.sub(r" *\\\n +--hash=sha256:[0-9a-f]{64}", "", locked)

    assert "--hash" not in without
    assert without == (ROOT / ".ci" / "constraints.txt").read_text("utf-8")


def test_every_dependency_that_a_lock_file_has_comes_with_its_hashes() -> None:
    """pip refuses a lock file that leaves the hash of one package out."""
    locks = sorted({path.name for path in (ROOT / ".ci").glob("*.txt")} - {"constraints.txt"})

    assert len(locks) == 8
    for name in locks:
        pinned = re.findall(r"^[\w.-]+==\S+.*$", (ROOT / ".ci" / name).read_text("utf-8"), re.MULTILINE)
        assert [line for line in pinned if not line.endswith("\\")] == [], name


def test_the_workflows_run_scripts_that_are_there() -> None:
    """A workflow calls programs of .ci that can be executed, and actions that are pinned by commit."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text("utf-8")
        for script in set(re.findall(r"(?<![\w/])\.ci/\w+", text)):
            assert os.access(ROOT / script, os.X_OK), f"{path.name}: {script}"
        for action in re.findall(r"uses: (\S+)", text):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), f"{path.name}: {action}"


def test_a_checkout_on_windows_has_the_same_bytes() -> None:
    """Git for Windows, also on GitHub's machines, ends lines otherwise, unless the repository forbids it."""
    assert "* -text" in (ROOT / ".gitattributes").read_text("utf-8").splitlines()


def test_the_types_are_announced() -> None:
    """Type checkers read our annotations: the package has the marker file, and a classifier says so."""
    assert (ROOT / "cognito_credentials" / "py.typed").read_bytes() == b""
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_licence_is_that_of_the_file() -> None:
    """Apache-2.0 in the metadata is Apache-2.0 in the file."""
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
