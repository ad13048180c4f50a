"""Login commands, each a real process."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

from cognito_credentials.errors import ConfigurationError, LoginRequiredError
from cognito_credentials.logins import CommandSource, parse_source
from cognito_credentials.logins.source import ask

CANARY = "CANARY-command"


def _python(script: str, *arguments: str, timeout_seconds: float = 30.0) -> CommandSource:
    return CommandSource([sys.executable, "-c", script, *arguments], timeout_seconds=timeout_seconds)


def _refused(source: CommandSource) -> str:
    with pytest.raises(LoginRequiredError) as caught:
        source.token()
    text = str(caught.value)
    assert "CANARY" not in text
    assert "python" in text
    return text


def test_the_output_is_the_token() -> None:
    """What the command prints is the token; arguments reach it as they are, without a shell."""
    source = _python("import sys; print(sys.argv[1])", f"{CANARY} $HOME `id` 'x' > *")
    assert source.token().reveal() == f"{CANARY} $HOME `id` 'x' > *"


def test_it_is_run_each_time(tmp_path: Path) -> None:
    """Each request for a token runs the command."""
    counter = tmp_path / "count"
    source = _python(
        f"f=open({str(counter)!r},'a'); f.write('x'); f.close(); print(len(open({str(counter)!r}).read()))"
    )
    assert [source.token().reveal() for _ in range(3)] == ["1", "2", "3"]


def test_it_cannot_ask_anybody() -> None:
    """It has no input, no terminal to prompt on, and its stderr goes nowhere."""
    script = (
        "import os, sys\n"
        "assert sys.stdin.read() == ''\n"
        "assert os.getsid(0) == os.getpid()\n"
        "try:\n  open('/dev/tty')\nexcept OSError:\n  print('none')\n"
    )
    assert _python(script).token().reveal() == "none"


def test_its_stderr_is_neither_shown_nor_kept(capfd: pytest.CaptureFixture[str]) -> None:
    """The command's stderr, which may hold a token, is in no message and on no terminal."""
    text = _refused(_python(f"import sys; sys.stderr.write({CANARY!r}); sys.exit(3)"))
    assert "failed with exit code 3" in text
    out, err = capfd.readouterr()
    assert "CANARY" not in out + err


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("", "printed nothing"),
        ("print(' ')", "printed nothing"),
        (f"print({CANARY!r}); import sys; sys.exit(1)", "failed with exit code 1"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by signal 9"),
        ("import os; os.write(1, b'CANARY\\xff')", "not UTF-8"),
        ("import os\nwhile True: os.write(1, b'CANARY' * 999)", "printed more than 64 KiB"),
        ("print('x' * 65536)", "printed more than 64 KiB"),
    ],
)
def test_failures_are_one_line(script: str, what: str) -> None:
    """Each failure names the command, and shows nothing of its output."""
    assert what in _refused(_python(script))


def test_the_largest_output_is_taken() -> None:
    """Exactly 64 KiB are taken."""
    assert len(_python("print('x' * 65535)").token().reveal()) == 65_535


@pytest.mark.thorough
def test_a_hanging_command_is_killed_with_its_children(tmp_path: Path) -> None:
    """A command that takes too long is killed with every process that it started."""
    pids = tmp_path / "pids"
    script = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "print('CANARY', flush=True)\n"
        "time.sleep(60)\n"
    )
    began = time.monotonic()

    text = _refused(_python(script, timeout_seconds=2))

    assert "did not finish within 2 s and was killed" in text
    assert time.monotonic() - began < 20
    for pid in map(int, pids.read_text().split()):
        assert _is_gone(pid)


def _is_gone(pid: int) -> bool:
    """Tell whether *pid* has ended; a zombie that its new parent has not collected yet has."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        os.sched_yield()
        time.sleep(0.005)
    return False


@pytest.mark.thorough
def test_a_command_that_goes_on_silently_is_killed() -> None:
    """A command that closes its output and goes on is killed like one that hangs."""
    script = "import os, time; os.write(1, b'CANARY'); os.close(1); time.sleep(60)"
    assert "did not finish within 1 s" in _refused(_python(script, timeout_seconds=1))


def test_a_command_that_says_too_much_is_not_waited_for() -> None:
    """A command that prints more than 64 KiB is killed at once."""
    script = (
        "import os, time\n"
        "try:\n  while True: os.write(1, b'CANARY' * 999)\n"
        "except BrokenPipeError:\n  time.sleep(60)\n"
    )
    began = time.monotonic()
    assert "printed more than 64 KiB" in _refused(_python(script))
    assert time.monotonic() - began < 15


def test_an_interrupt_kills_the_command(tmp_path: Path) -> None:
    """Ctrl-C kills the command, which does not get the signal in its own session."""
    pid_file = tmp_path / "pid"
    command = (
        "import os, pathlib, time; "
        f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    program = (
        "import sys\n"
        "from cognito_credentials.logins import CommandSource\n"
        f"CommandSource([sys.executable, '-c', {command!r}]).token()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    threads = Path(f"/proc/{process.pid}/task")  # the second one reads what the command prints
    while not (pid_file.exists() and pid_file.read_text() and len(list(threads.iterdir())) > 1):
        assert process.poll() is None
        time.sleep(0.005)

    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)

    assert b"KeyboardInterrupt" in stderr
    assert _is_gone(int(pid_file.read_text()))


def test_a_missing_command_is_a_setting_to_correct(tmp_path: Path) -> None:
    """A command that cannot be run is a configuration error with the reason."""
    for argv, why in (
        (["/nowhere/get-token", CANARY], "No such file"),
        ([f"TOKEN={CANARY}", "get-token"], "No such file"),  # as for a shell, which there is none of
        ([str(tmp_path)], "Permission denied"),
        (["x\0y"], "null character"),
    ):
        with pytest.raises(ConfigurationError, match=f"cannot be run: .*{why}") as caught:
            CommandSource(argv).token()
        assert "CANARY" not in str(caught.value)


def test_no_process_and_no_descriptor_is_left_behind() -> None:
    """No pipe of an ended command stays open in this process."""
    before = set(os.listdir("/proc/self/fd"))
    _python("print(1)").token()
    _refused(_python("while True: print('x' * 9999)"))
    _refused(_python("import time; time.sleep(60)", timeout_seconds=0.2))
    for _ in range(1000):  # the reading thread closes its end on its own time
        if set(os.listdir("/proc/self/fd")) == before:
            break
        time.sleep(0.005)
    assert set(os.listdir("/proc/self/fd")) == before


def test_arguments_are_not_described() -> None:
    """A description names the program without its arguments, which may hold a secret."""
    source = CommandSource(["get-token", "--password", CANARY])
    assert source.description == "command:get-token …"
    assert CANARY not in repr(source)


def test_the_text_of_a_command_is_split_like_a_shells() -> None:
    """In the text of a command only quotes are special."""
    text = shlex.join([sys.executable, "-c", "import sys; print(sys.argv[1:])", "a b", "$HOME", "|", "~"])
    source = parse_source(f"command: {text}", origin="profile 'app'")
    token = source.token()
    assert not isinstance(token, str)
    assert token.reveal() == "['a b', '$HOME', '|', '~']"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "script",
    [
        "print('CANARY-half'); raise SystemExit(3)",
        "import os, signal; print('CANARY-half', flush=True); os.kill(os.getpid(), signal.SIGKILL)",
        "print('CANARY-long' * 10_000)",
        "import sys; sys.stdout.buffer.write(b'CANARY\\xff')",
        "import sys, time; print('CANARY-half', flush=True); sys.stdout.close(); time.sleep(60)",
    ],
)
def test_no_frame_of_its_errors_holds_what_it_printed(script: str) -> None:
    """No frame of an error holds what the command printed, since crash reporters send local variables."""
    with pytest.raises(LoginRequiredError) as caught:
        ask(_python(script, timeout_seconds=2), None)

    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in told.stack if "cognito_credentials" in frame.filename]
    assert {"ask", "_call", "token"} <= {frame.name for frame in frames}
    assert "CANARY" not in str([frame.locals for frame in frames])
