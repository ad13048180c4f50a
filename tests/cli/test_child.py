"""A command beside this process: signals at any moment, and what cannot be started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from cognito_credentials.cli.child import Child
from cognito_credentials.cli.failures import CommandError
from cognito_credentials.cli.process import EndedBySignal

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's"),
    # Tests have threads, which a command does not have at that moment.
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]


def child(*argv: str) -> Child:
    return Child(argv[0], list(argv), os.environ, core_limit=None)


def test_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command's exit code comes back, also where our own parent ignores that children end."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with child("/bin/sh", "-c", "exit 7") as running:
            assert running.wait() == 7
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_signal_before_the_command_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes while the command is being started reaches it afterwards."""
    start = subprocess.Popen

    def popen(*argv: Any, **options: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return start(*argv, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    with child("/bin/sleep", "60") as running, pytest.raises(EndedBySignal) as ended:
        running.wait()

    assert ended.value.number == signal.SIGTERM


def test_a_signal_before_the_wait() -> None:
    """A signal that comes before we wait is passed on."""
    with child("/bin/sleep", "60") as running:
        os.kill(os.getpid(), signal.SIGUSR1)
        with pytest.raises(EndedBySignal) as ended:
            running.wait()

    assert ended.value.number == signal.SIGUSR1


def test_what_is_ignored_stays_so() -> None:
    """A signal that this process ignores, as under nohup, is ignored by the command, too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with child("/bin/sh", "-c", "kill -HUP $$; exit 5") as running:
            assert running.wait() == 5
    finally:
        signal.signal(signal.SIGHUP, before)


def test_our_handlers_come_back(tmp_path: Any) -> None:
    """After the command, or where it cannot be started, signals do what they did before."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in numbers]

    with pytest.raises(CommandError) as caught, child(str(tmp_path / "none")):
        pass

    assert caught.value.exit_code == 127
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_command_has_no_descriptor_of_ours() -> None:
    """Only the three streams are the command's."""
    with child("/bin/sh", "-c", "exit $(ls /proc/self/fd | wc -l)") as running:
        assert running.wait() == 4  # with the directory that ls reads
