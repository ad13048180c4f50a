"""`exec --server`: the command has an endpoint while it runs; its signals and exit code are its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli.commands.execute import SHADOWING
from tests.cli.conftest import Cli, python
from tests.cli.login.terminal import Screen
from tests.serve.conftest import Client

EXEC = ("exec", "--server", "--profile", "guest")
DUMP = "import json, os; print(json.dumps(dict(os.environ)), flush=True)"
WAIT = DUMP + "; import signal; signal.pause()"
"""A command that prints its environment, with its process id, and waits."""


def ask_and_wait(cli: Cli, code: str = WAIT, **options: Any) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start a command of Python *code* with a server; return our process and the command's environment."""
    code = "import os; os.environ['PID'] = str(os.getpid()); " + code
    process = cli.start(*EXEC, "--", sys.executable, "-c", code, **options)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate()[1])
    return process, json.loads(line)


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def left_in(environ: dict[str, str]) -> list[str]:
    """Return the token files."""
    directory = os.path.dirname(environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
    return [name for name in os.listdir(directory) if name.startswith("token-")]


def test_the_command_has_the_endpoint_and_nothing_that_wins_over_it(cli: Cli, pool_id: str) -> None:
    """The command has the three variables and a region, and none that SDKs would prefer to them."""
    code = (
        f"{DUMP}; import urllib.request as u; "
        "r = u.Request(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'], "
        "headers={'Authorization': open(os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']).read()}); "
        "print(u.urlopen(r).read().decode())"
    )
    shadows = dict.fromkeys(SHADOWING, "shadow") | {"AWS_ACCOUNT_ID": "210987654321", "AWS_PROFILE": "guest"}
    done = cli(*EXEC, "--", sys.executable, "-c", code, env=shadows)

    assert (done.code, done.err) == (0, "")
    environ, answer = map(json.loads, done.out.splitlines())
    assert "shadow" not in environ.values()
    assert not {"AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_PROFILE"} & set(environ)
    token = environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    assert len(bytes.fromhex(token)) >= 32
    assert environ["AWS_REGION"] == environ["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environ["COGNITO_CREDENTIALS_PROFILE"] == "guest"
    assert answer["AccessKeyId"].startswith("ASIA")
    assert answer["AccountId"] == "210987654321"
    assert left_in(environ) == []


@pytest.mark.quick
def test_boto3_in_the_command_is_that_identity(cli: Cli, pool_id: str) -> None:
    """boto3 in the command asks the endpoint."""
    who = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    done = cli(*EXEC, sys.executable, "-c", who)

    assert done.out.strip().endswith("/CognitoIdentityCredentials"), done.err


@pytest.mark.parametrize("code", [0, 1, 77, 255])
def test_the_exit_code_is_the_commands(cli: Cli, pool_id: str, code: int) -> None:
    """The exit code is the command's."""
    assert cli(*EXEC, "--", "sh", "-c", f"exit {code}").code == code


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGINT"])
def test_a_command_that_a_signal_ends(cli: Cli, pool_id: str, name: str) -> None:
    """Where a signal ends the command, who waits for us sees the same signal, and nothing is left."""
    process, environ = ask_and_wait(cli)
    os.kill(int(environ["PID"]), getattr(signal, name))
    process.communicate(timeout=20)

    # A Python command ends by KeyboardInterrupt on SIGINT, and then by the signal.
    assert process.returncode == -getattr(signal, name)
    assert left_in(environ) == []


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"])
def test_a_signal_for_us_is_the_commands(cli: Cli, pool_id: str, name: str) -> None:
    """A signal goes on to the command, which decides; until it ends, the server answers."""
    code = (
        f"import signal, time; signal.signal(signal.{name}, lambda *_: print('got it', flush=True)); {DUMP}; "
        # Not `signal.pause`: Python would run no handler for a signal that comes just before it.
        "[time.sleep(0.05) for _ in range(6000)]"
    )
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)  # a shell may ignore it in the background
    try:
        process, environ = ask_and_wait(cli, code)
    finally:
        signal.signal(number, before)
    assert process.stdout is not None
    process.send_signal(number)

    assert process.stdout.readline() == "got it\n"
    assert Client(environ)().status == 200
    os.kill(int(environ["PID"]), signal.SIGKILL)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL


def test_the_keyboards_signal_comes_once(cli: Cli, pool_id: str) -> None:
    """Ctrl-C on a terminal reaches the command once, and not a second time by us."""
    code = (
        "import signal, sys, time\n"
        "got = []\n"
        "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "print('ready', file=sys.stderr)\n"
        "while not got: time.sleep(0.02)\n"
        "print('first', file=sys.stderr)\n"
        "time.sleep(0.5)  # a second one would be here by now\n"
        "print('times', len(got))\n"
    )
    screen = Screen(python(*EXEC, "--", sys.executable, "-c", code), cli.environ)
    screen.wait_for("ready")
    screen.process.send_signal(signal.SIGSTOP)  # two signals at the same moment would look like one
    screen.press(b"\x03")
    screen.wait_for("first")
    screen.process.send_signal(signal.SIGCONT)

    assert screen.end()[:2] == (0, "times 1\n")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel cannot be asked for that")
def test_killed_it_takes_the_command_along(cli: Cli, pool_id: str) -> None:
    """kill -9 ends the server and the command; the next start removes the token file."""
    process, environ = ask_and_wait(cli)
    process.kill()
    process.communicate(timeout=20)  # it ends when the command, too, has closed its streams
    while is_running(int(environ["PID"])):  # which is a moment before it is gone
        pass

    assert cli(*EXEC, "--", "true").code == 0
    assert left_in(environ) == []


def test_what_cannot_be_run_is_126_and_127(cli: Cli, emulator: Any, pool_id: str, tmp_path: Path) -> None:
    """As without a server; nothing is left, and a missing command asks the service for nothing."""
    odd, lost = tmp_path / "odd", tmp_path / "lost"
    odd.write_bytes(b"\x7fNOT A PROGRAM")
    lost.write_text("#!/nonexistent/interpreter\n")
    for path in (odd, lost):
        path.chmod(0o755)
    before = emulator.requests()
    assert cli(*EXEC, "--", "no-such-command").code == 127
    assert emulator.requests() == before

    found = [cli(*EXEC, "--", str(path)) for path in (odd, lost)]

    assert [done.code for done in found] == [126, 127]
    assert all("cannot be started" in done.line for done in found)
    serve = Path(cli.environ["HOME"], ".aws", "cognito", "serve")
    assert os.listdir(serve) == ["CACHEDIR.TAG"]


def test_no_credentials_no_command(cli: Cli, config: Any, tmp_path: Path) -> None:
    """Where there are no credentials, the command is not run."""
    mark = tmp_path / "ran"

    assert cli("exec", "--server", "--", "touch", str(mark)).code == 4
    assert not mark.exists()


def test_nesting_is_refused(cli: Cli, pool_id: str) -> None:
    """Inside ``exec --server`` another one is refused, and says how to leave."""
    nested = cli(*EXEC, "--", *python(*EXEC, "--", "true"))

    assert nested.code == 4
    assert "is inside 'cognito-credentials exec' for 'guest' already" in nested.line


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_command_inherits_nothing_of_ours(cli: Cli, pool_id: str) -> None:
    """The command has no signal blocked or ignored, no descriptor of ours, its own limit of core dumps."""
    resource = pytest.importorskip("resource")
    # Programs in C show what was inherited; Python would ignore SIGPIPE by itself.
    show = "grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f 2; ls /proc/self/fd | wc -l"
    limit = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE)[0])"

    blocked, ignored, descriptors = cli(*EXEC, "--", "sh", "-c", show).out.split()
    soft = cli(*EXEC, "--", sys.executable, "-c", limit).out.strip()

    assert int(blocked, 16) == 0
    assert int(ignored, 16) & (1 << (signal.SIGPIPE - 1)) == 0
    assert int(descriptors) == 4  # the three streams, and the directory that ls reads
    assert int(soft) == resource.getrlimit(resource.RLIMIT_CORE)[0]


def test_a_default_profile_with_keys_is_named(cli: Cli, pool_id: str, isolation: Path) -> None:
    """Keys of ``[default]`` win over the endpoint: that is said, and the command runs all the same."""
    credentials = isolation / ".aws" / "credentials"
    credentials.write_text("[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x\n")

    done = cli(*EXEC, "--", "echo", "ran")

    assert done.out == "ran\n"
    assert f"profile 'default' has keys in {credentials}" in done.line
    assert cli("--quiet", *EXEC, "--", "echo", "ran").err == ""


def test_where_nothing_can_be_written(cli: Cli, pool_id: str, tmp_path: Path) -> None:
    """With a home that cannot be written, the token lies in a directory among the temporary files."""
    home = tmp_path / "no-home"
    home.write_text("a home that is no directory")
    config = Path(cli.environ["HOME"]) / ".aws" / "config"

    done = cli(
        *EXEC,
        *("--", "sh", "-c", 'cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"'),
        env={"HOME": str(home), "TMPDIR": str(tmp_path), "AWS_CONFIG_FILE": str(config)},
    )

    assert done.code == 0, done.err
    assert len(bytes.fromhex(done.out)) == 32
