"""The time of whole commands that find fresh credentials in the cache, beside the time to start Python."""

from __future__ import annotations

import configparser
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping

from tests.processes.conftest import Machine
from tests.processes.crowd import COMMAND

from .figures import Figure, Scale
from .machine import PROFILE, new_machine, of_profile
from .process import Process, Race

PASS = ("-c", "pass")
HIT, IMPORT, COMMANDS = 1.5, 1.1, 3.0
PROGRAM = COMMAND[0]
_INSTALL_SECONDS = 600


def hit(scale: Scale) -> Iterator[Figure]:
    """Time the command that ``configure`` writes, and importing the package."""
    with new_machine() as machine, tempfile.TemporaryDirectory() as empty:
        with open(os.path.join(empty, "empty_module.py"), "w"):
            pass
        arguments, environ = of_profile(machine, "credential-process")
        environ = {**environ, "PYTHONPATH": empty}
        written = written_by_configure(machine, PROGRAM)
        commands = {
            "pass": [sys.executable, *PASS],
            "hit": written,
            "script": [PROGRAM, *arguments],
            "module": [sys.executable, "-m", "cognito_credentials", *arguments],
            "empty module": [sys.executable, "-m", "empty_module"],
            "import": [sys.executable, "-c", "import cognito_credentials"],
            "botocore": [sys.executable, "-c", "import botocore.session"],
        }
        race = timed(machine, commands, environ, scale.repetitions)
    yield race.ratio("the command that configure writes, cache hit : python -c pass", "hit", "pass", HIT)
    yield race.ratio("import cognito_credentials : python -c pass", "import", "pass", IMPORT)
    yield race.ratio("  the script of this environment, the same hit : python -c pass", "script", "pass")
    yield race.ratio("  python -m cognito_credentials, the same hit : python -c pass", "module", "pass")
    yield race.ratio("  python -m of an empty module : python -c pass", "empty module", "pass")
    yield race.ratio("  import botocore.session : python -c pass", "botocore", "pass")


def commands(scale: Scale) -> Iterator[Figure]:
    """Time other commands on the same hit."""
    shown = {
        "export": ("export", "--format", "env"),
        "exec": ("exec",),
        "status": ("status",),
        "list": ("list",),
        "--help": ("--help",),
        "export --help": ("export", "--help"),
    }
    with new_machine() as machine:
        lines = {"pass": [sys.executable, *PASS]}
        for name, words in shown.items():
            command, environ = of_profile(machine, PROGRAM, *words)
            lines[name] = [PROGRAM, *words] if name.endswith("--help") or name == "list" else command
        lines["exec"] += ["--", "true"]
        race = timed(machine, lines, environ, scale.repetitions // 3)
    for name in shown:
        bar = COMMANDS if name != "export --help" else None
        yield race.ratio(f"{'  ' * (bar is None)}{name}, cache hit : python -c pass", name, "pass", bar)


def written_by_configure(machine: Machine, program: str) -> list[str]:
    """Let ``configure`` of the installation with *program* write a profile; return its command's words."""
    path = os.path.join(machine.home, f"written-{len(os.listdir(machine.home))}")
    environ = {**of_profile(machine)[1], "AWS_CONFIG_FILE": path}
    options = ("--profile", PROFILE, "--identity-pool-id", machine.pool_id, "--yes")
    subprocess.run([program, "configure", *options], env=environ, check=True, capture_output=True)
    config = configparser.RawConfigParser()
    config.read(path)
    return shlex.split(config[f"profile {PROFILE}"]["credential_process"])


def timed(
    machine: Machine, lines: Mapping[str, list[str]], environ: Mapping[str, str], repetitions: int
) -> Race:
    """Time *lines* in turns, and make sure that none of them asks the service."""
    for command in lines.values():
        subprocess.run(command, env=environ, check=True, capture_output=True)
    asked = machine.requests()
    race = Race({name: Process(command, environ) for name, command in lines.items()}, repetitions)
    assert machine.requests() == asked, "not every run was a cache hit"
    return race
