"""Commands load only what they need: quick means few imports, which a busy machine does not change."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.cli.own_command import credential_process
from cognito_credentials.logins.schemes import FORMS, one_of
from tests.cli.conftest import Cli, Done

SLOW = {
    *("typing", "dataclasses", "inspect", "logging", "json", "ctypes", "subprocess", "socket", "ssl"),
    *("http.client", "urllib.request", "botocore", "boto3", "filelock", "asyncio", "configparser"),
}
"""Modules that each take longer to import than a command should take."""
SCRIPT = """\
import sys
before = set(sys.modules)
from cognito_credentials.cli import main
import atexit, os
def show():
    print(*sorted(set(sys.modules) - before), file=sys.stderr)
os.execve = lambda *_: sys.exit(0)
try:
    code = main(sys.argv[1:])
finally:
    show()
sys.exit(code)
"""

pytestmark = pytest.mark.writes_secrets


def run(cli: Cli, *argv: str) -> tuple[Done, set[str]]:
    """Run a command line; return what it printed, and the modules that it loaded."""
    environ = {name: value for name, value in cli.environ.items() if not name.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", SCRIPT, *argv], env=environ, capture_output=True, text=True)
    *said, loaded = done.stderr.splitlines()
    return Done(done.returncode, done.stdout, "\n".join(said)), set(loaded.split())


@pytest.mark.parametrize(
    "argv",
    [
        ["export", "--profile", "guest", "--format", "env"],
        ["--profile", "guest", "export", "--region", "eu-west-2", "--format", "ini"],
        ["exec", "--profile", "guest", "--", "true"],
        ["status", "--profile", "guest"],
    ],
    ids=" ".join,
)
def test_a_hit_loads_next_to_nothing_and_says_the_same(cli: Cli, pool_id: str, argv: Sequence[str]) -> None:
    """From the second time on a command takes what it shows from the cache, and loads none of the library."""
    first_of_all, loaded = run(cli, "credential-process", "--profile", "guest")
    assert first_of_all.code == 0, first_of_all.err
    # What SDKs run draws nothing, also when it asks the service.
    assert not loaded & {"cognito_credentials.cli.looks", "cognito_credentials.cli.progress"}
    first, loaded_first = run(cli, *argv)

    again, loaded = run(cli, *argv)

    assert "logging" in loaded_first
    assert again == first
    assert not loaded & SLOW
    assert not {name for name in loaded if name.startswith("cognito_credentials.pool")}


def test_a_hit_of_status_has_the_same_facts(cli: Cli, pool_id: str) -> None:
    """``status --json`` names the same facts in the same order, whether it resolved the settings or not."""
    run(cli, "credential-process", "--profile", "guest")
    first, again = (run(cli, "status", "--profile", "guest", "--json") for _ in range(2))

    facts, same = json.loads(first[0].out), json.loads(again[0].out)
    left = [facts.pop("seconds_left"), same.pop("seconds_left")]
    assert list(facts.items()) == list(same.items())
    assert 0 <= left[0] - left[1] <= 60
    assert "logging" in first[1]
    assert "json" in again[1]
    assert "logging" not in again[1]


def test_status_looks_for_the_program_quickly(cli: Cli, pool_id: str) -> None:
    """A hit of ``status`` looks whether the profile's ``credential_process`` is there, and loads no more."""
    config = Path(cli.environ["HOME"]) / ".aws" / "config"
    config.write_text(f"{config.read_text()}credential_process = {credential_process('guest')}\n")
    run(cli, "credential-process", "--profile", "guest")
    first, _ = run(cli, "status", "--profile", "guest")

    again, loaded = run(cli, "status", "--profile", "guest")

    assert again == first
    assert not loaded & (SLOW | {"shlex", "shutil"})


def test_what_exec_runs_selects_nothing(cli: Cli, pool_id: str) -> None:
    """Credentials that were found for one command are found for every other command, too."""
    run(cli, "exec", "--profile", "guest", "--", "true")

    done, loaded = run(cli, "exec", "--profile", "guest", "--", "sh", "-c", "exit 3")

    assert done.code == 0  # the process is not replaced here
    assert not loaded & SLOW


def test_after_a_change_the_settings_are_resolved(cli: Cli, pool_id: str) -> None:
    """A hit of ``export`` has the region of the profile as it is now."""
    argv = ("export", "--profile", "guest", "--format", "env")
    run(cli, *argv)
    assert "export AWS_REGION=eu-west-1" in run(cli, *argv)[0].out
    config = Path(cli.environ["HOME"]) / ".aws" / "config"
    config.write_text(config.read_text().replace("eu-west-1", "eu-west-2"))

    assert "export AWS_REGION=eu-west-2" in run(cli, *argv)[0].out


def test_the_help_of_all_commands_loads_none_of_them(cli: Cli) -> None:
    """``--help`` has names and summaries from the list of commands."""
    done, loaded = run(cli, "--help")

    assert done.code == 0
    assert not loaded & SLOW
    assert not {name for name in loaded if name.startswith("cognito_credentials.cli.commands.")}


def test_one_command_loads_no_other(cli: Cli) -> None:
    """The help of a command loads this command alone."""
    done, loaded = run(cli, "export", "--help")

    assert done.code == 0
    assert {name for name in loaded if name.startswith("cognito_credentials.cli.commands.")} == {
        "cognito_credentials.cli.commands.export"
    }


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_each_command_of_the_list_exists(entry: object) -> None:
    """Each line of the list names a file that has a command."""
    assert entry.load().example  # type: ignore[attr-defined]  # parametrize gives an Entry


def test_the_help_names_every_source(cli: Cli) -> None:
    """The help of ``--login`` is written out, so that no login source is loaded for it, and has them all."""
    done, _ = run(cli, "export", "--help")

    assert one_of(FORMS) in " ".join(done.out.split())


def test_garbage_is_collected_seldom_and_not_at_the_end(cli: Cli, pool_id: str) -> None:
    """The process of a command collects next to no garbage, which would take a fifth of a cold start."""
    gc = pytest.importorskip("gc")
    if not hasattr(gc, "freeze"):
        pytest.skip("this Python has another collector")
    code = (
        "import gc, sys; from cognito_credentials.cli import main; times = []; gc.callbacks.append("
        "lambda when, _: times.append(when)); sys.argv[1:] = ['credential-process', '--profile', 'guest']; "
        "main(); few = times.count('start') <= 2; "
        "print(few, gc.get_count()[0] < 1000 < gc.get_freeze_count(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=cli.environ, capture_output=True, text=True)

    assert done.stdout.startswith('{"Version": 1, ')
    assert done.stderr == "True True\n"


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the collector has no thresholds here")
def test_the_collector_of_another_program_is_left_alone(cli: Cli, pool_id: str) -> None:
    """A program that calls `main` in its own process keeps its settings of the garbage collector."""
    code = (
        "import gc, sys; from cognito_credentials.cli import main; before = gc.get_threshold(); "
        "main(['export', '--profile', 'guest']); print(gc.get_threshold() == before, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=cli.environ, capture_output=True, text=True)

    assert done.stderr == "True\n"
