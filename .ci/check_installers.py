"""
What `configure` writes, by each installer that people use: `check_installers.py WHEEL OLD_PYTHON`.

pip 23.0.1 is what OLD_PYTHON, a Python 3.10, brings; its wrapper of our program imports `re`. The newest pip,
uv and pipx come from PyPI. In each installation, `configure` writes a profile, by which the AWS CLI gets
credentials from the emulator. Its command imports next to nothing on a cache hit, and never anything from
PYTHONPATH or the working directory.

Runs with a Python that has this package with its test extra.
"""

# ruff: noqa: INP001, T201  (a script, and no package)
from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from botocore.configloader import load_config

from cognito_credentials.emulator import Emulator

LOADED = {"__future__", "errno", "gc", "resource", "sitecustomize", "usercustomize", "time"}
LOADED |= {"_sha2", "_sha256"}
"""What a cache hit may import beside this package and what Python's own start does."""


def hold(claim: bool, otherwise: str) -> None:
    """Stop where *claim* is wrong."""
    if not claim:
        sys.exit(otherwise)


def run(
    *argv: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program; show what it said if it fails."""
    words = [str(word) for word in argv]
    done = subprocess.run(words, env=env, cwd=cwd, check=False, capture_output=True, text=True)
    hold(done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def installations(wheel: str, old_python: str, work: Path) -> Iterator[tuple[str, Path]]:
    """Install the wheel by each installer; give its name, and the program that people run."""
    run(old_python, "-m", "venv", work / "old")
    run(work / "old/bin/pip", "install", "-q", "pip==23.0.1", env=unconstrained())
    run(work / "old/bin/pip", "install", "-q", wheel)
    yield "pip 23.0.1", work / "old/bin/cognito-credentials"
    run(sys.executable, "-m", "venv", work / "new")
    run(work / "new/bin/pip", "install", "-q", "-U", "pip", env=unconstrained())
    run(work / "new/bin/pip", "install", "-q", wheel)
    yield "the newest pip", work / "new/bin/cognito-credentials"
    run(sys.executable, "-m", "venv", work / "tools")
    run(work / "tools/bin/pip", "install", "-q", "uv", "pipx", env=unconstrained())
    places = {"UV_TOOL_DIR": "uv", "UV_TOOL_BIN_DIR": "uv-bin", "UV_CACHE_DIR": "uv-cache"}
    places |= {"PIPX_HOME": "pipx", "PIPX_BIN_DIR": "pipx-bin", "PIPX_MAN_DIR": "pipx-man"}
    environ = {**os.environ, **{name: str(work / folder) for name, folder in places.items()}}
    run(work / "tools/bin/uv", "tool", "install", "-q", "--python", sys.executable, wheel, env=environ)
    yield "uv", work / "uv-bin/cognito-credentials"
    run(work / "tools/bin/pipx", "install", "-q", "--python", sys.executable, wheel, env=environ)
    yield "pipx", work / "pipx-bin/cognito-credentials"


def unconstrained() -> dict[str, str]:
    """Return the environment in which pip takes the newest of everything."""
    return {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}


def check(program: Path, emulator: Emulator, home: Path) -> str:
    """Have *program* write a profile, and use it; return its command."""
    home.mkdir()
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url,
        "AWS_ENDPOINT_URL_STS": emulator.url,
    }
    configure = (
        program,
        "configure",
        "--profile",
        "guest",
        "--identity-pool-id",
        emulator.create_pool(),
        "--yes",
    )
    run(*configure, env=environ)
    command = str(load_config(str(home / "config"))["profiles"]["guest"]["credential_process"])
    hold("nothing to write" in run(*configure, env=environ).stdout, "configure does not know its own command")
    words = command.split(" ")
    hold(
        all(re.fullmatch(r"[\w./@+:=-]+", word) for word in words),
        f"a shell would change a word of: {command}",
    )
    hold(not re.search(r"python3\.|site-packages", command), f"a newer Python would break it: {command}")

    aws = (sys.executable, os.path.join(os.path.dirname(sys.executable), "aws"))
    for _ in range(2):  # without a cache and with one
        said = run(*aws, "sts", "get-caller-identity", "--profile", "guest", env=environ).stdout
        hold("CognitoIdentityCredentials" in said, f"the AWS CLI got no credentials: {said}")
    imported(words, environ)  # the AWS CLI's environment is another one, so this is the first time
    at_start = set(run(words[0], "-E", "-c", "import sys; print(*sys.modules)").stdout.split())
    others = {name for name in imported(words, environ) if not name.startswith("cognito_credentials")}
    hold(others <= LOADED | at_start, f"a cache hit imports {sorted(others - LOADED - at_start)}")
    refuse_what_is_false(words, environ, home)
    return command


def imported(words: list[str], environ: Mapping[str, str]) -> set[str]:
    """Run the command; name the modules that it imports."""
    listed = run(words[0], "-X", "importtime", *words[1:], env=environ).stderr.splitlines()
    names = {line.rpartition("|")[2].strip() for line in listed if line.startswith("import time:")}
    return names - {"imported package"}


def refuse_what_is_false(words: list[str], environ: Mapping[str, str], home: Path) -> None:
    """Run the command with nothing cached, beside a false version of every module that it imports."""
    names = imported(words, {**environ, "AWS_COGNITO_CACHE_DIR": str(home / "fresh")})
    hold({"ssl", "filelock", "cognito_credentials"} <= names, "this was a cache hit")
    (home / "false").mkdir()
    for name in {name.partition(".")[0] for name in names}:
        (home / "false" / f"{name}.py").write_text("open('/dev/stdout', 'w').write('false')\n")
    attacked = {**environ, "PYTHONPATH": str(home / "false"), "AWS_COGNITO_CACHE_DIR": str(home / "fresher")}
    said = run(*words, env=attacked, cwd=home / "false")
    hold(said.stdout.startswith('{"Version": 1, ') and said.stderr == "", f"a false module ran: {said}")


def main() -> None:
    """Check each installation."""
    wheel, old_python = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="cc-") as directory, Emulator() as emulator:
        for number, (name, program) in enumerate(installations(wheel, old_python, Path(directory))):
            print(f"{name}: {check(program, emulator, Path(directory) / f'home-{number}')}", flush=True)


if __name__ == "__main__":
    main()
