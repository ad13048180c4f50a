"""What a person sees at a real terminal: bars, colours, widths, and what says that something takes long."""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli.terminal import Terminal
from tests.cli.conftest import Cli, python
from tests.cli.login.terminal import Screen

pytest.importorskip("pty", reason="this needs a Unix terminal")

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SEQUENCE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def person(cli: Cli, **variables: str) -> dict[str, str]:
    """The environment of somebody at a terminal, which no build server is."""
    usual = {"TERM": "xterm", "NO_COLOR": "", "CI": "", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    return {**cli.environ, **usual, **variables}


@contextlib.contextmanager
def screen(*, echo: bool = True) -> Iterator[tuple[Terminal, Callable[[], str]]]:
    """A terminal, and a function that tells what was written to it in the end."""
    import termios

    controller, device = os.openpty()
    written: list[str] = []
    with open(device, "w", encoding="utf-8") as stream:
        if not echo:
            mode = termios.tcgetattr(device)
            mode[3] &= ~termios.ECHO
            termios.tcsetattr(device, termios.TCSANOW, mode)
        yield Terminal(None, None, stream, environ={"TERM": "xterm"}), lambda: "".join(written)
        while select.select([controller], [], [], 0)[0]:
            written.append(os.read(controller, 4096).decode())
    os.close(controller)


def shown(cli: Cli, *argv: str, **variables: str) -> str:
    """What stands on the screen after a command that succeeds."""
    run = Screen(python(*argv), person(cli, **variables), shows_results=True)
    code, _, text = run.end()
    assert code == 0, text
    return text.replace("\r\n", "\n")


class TestStatus:
    def test_the_life_of_the_credentials(self, cli: Cli, pool_id: str) -> None:
        """
        On a screen a bar has the credentials' age, the time to the next refresh, and what is left then.

        It is the same whether the answer comes from the cache alone or not.
        """
        assert cli("credential-process", "--profile", "guest").code == 0
        first, again = (shown(cli, "status", "--profile", "guest") for _ in range(2))

        bar, words = SEQUENCE.sub("", first).split("Credentials", 1)[1].splitlines()[1:3]
        assert re.fullmatch(r" {15}░+█+▒+", bar)
        assert len(bar) == 15 + 36
        assert re.fullmatch(r" {15}░ \d+ s old  █ refresh in \d+ min  ▒ then \d+ min more", words)
        assert "\x1b[32m█" in first
        number = re.compile(r"\d+ (s|min)")
        assert number.sub("", again) == number.sub("", first)

    @pytest.mark.parametrize(
        ("variables", "colours", "blocks"),
        [
            ({"NO_COLOR": "1"}, False, True),
            ({"TERM": "dumb"}, False, True),
            ({"CI": "true"}, False, True),
            ({"PYTHONIOENCODING": "ascii"}, True, False),
            ({"PYTHONIOENCODING": "latin-1"}, True, False),
        ],
        ids=str,
    )
    def test_what_the_terminal_lacks(
        self, cli: Cli, pool_id: str, variables: dict[str, str], colours: bool, blocks: bool
    ) -> None:
        """Without colours or without UTF-8 the bar says the same."""
        assert cli("credential-process", "--profile", "guest").code == 0
        text = shown(cli, "status", "--profile", "guest", **variables)

        assert bool(COLOUR.search(text)) is colours
        assert bool(re.search("░.*█.*▒", text)) is blocks
        assert ("# refresh in" in COLOUR.sub("", text)) is not blocks
        assert "\\u2026" not in text

    def test_a_pipe_is_plain(self, cli: Cli, pool_id: str) -> None:
        """In a pipe there is no bar, no escape sequence and no line break: programs may read it."""
        assert cli("credential-process", "--profile", "guest").code == 0
        piped = cli("status", "--profile", "guest", env={"NO_COLOR": "", "TERM": "xterm", "COLUMNS": "40"})

        assert not re.search("[\x1b█░▒]", piped.out)
        assert all(re.match(r"[A-Z][a-z]", line) for line in piped.out.splitlines())

    def test_before_there_are_credentials(self, cli: Cli, pool_id: str) -> None:
        """Without credentials there is no bar."""
        assert not re.search("[█░▒]", shown(cli, "status", "--profile", "guest"))


@pytest.mark.parametrize("columns", ["80", "50"])
@pytest.mark.parametrize(
    "argv", [["status", "--profile", "guest"], ["list"], ["doctor", "--offline"]], ids=str
)
def test_everything_fits(cli: Cli, pool_id: str, isolation: Path, argv: list[str], columns: str) -> None:
    """Lines fit the screen, but for a word to be copied that is longer than the screen."""
    config = isolation / ".aws" / "config"
    config.write_text(
        config.read_text() + "[profile 日本語のとても長い名前のプロファイル]\n" + config.read_text()[16:]
    )
    cli("credential-process", "--profile", "guest")
    run = Screen(python(*argv), person(cli, COLUMNS=columns, AWS_PROFILE="guest"), shows_results=True)
    _, _, text = run.end()

    for line in SEQUENCE.sub("", text).splitlines():
        is_a_word = " " not in re.sub(r"'[^']+'", "quoted", line.split("  ")[-1].strip())
        assert sum(2 if ord(c) > 0x3000 else 1 for c in line) <= int(columns) or is_a_word, line


def test_the_demo_in_colour(cli: Cli) -> None:
    """On a terminal the demo's titles are bold, its bars are coloured, and its lines fit."""
    text = shown(cli, "demo")

    assert "\x1b[1m1. Make an identity pool" in text
    assert re.search(r"network  \x1b\[35m█+\x1b\[0m", text)
    assert max(map(len, SEQUENCE.sub("", text).splitlines()[:-2])) <= 80


class TestProgress:
    """Of what takes longer than a second."""

    SLOW = 2.6

    @pytest.fixture
    def slow(self, emulator: Any, cli: Cli, pool_id: str) -> Any:
        """A service that takes its time to give credentials."""
        assert cli("credential-process", "--profile", "guest").code == 0
        emulator.plan_faults({"operation": "GetCredentialsForIdentity", "delay": self.SLOW, "times": 9})
        return emulator

    def test_it_counts_and_goes(self, cli: Cli, slow: Any) -> None:
        """What is done is on stderr after a second, with the seconds, and is gone in the end."""
        run = Screen(python("refresh", "--profile", "guest"), person(cli))
        run.wait_for("getting new credentials… 2 s")
        code, out, rest = run.end()

        assert code == 0
        assert re.fullmatch(r"New credentials for \S+ until \S+\.\n", out)
        assert rest.endswith("\r\x1b[K")

    def test_it_makes_room_for_the_result(self, cli: Cli, slow: Any) -> None:
        """Where the result is on the same screen, it stands alone on its line."""
        text = shown(cli, "refresh", "--profile", "guest")

        assert "getting new credentials… 1 s" in text
        assert re.fullmatch(r"New credentials for \S+ until \S+\.", text.rpartition("\x1b[K")[2].strip())

    @pytest.mark.parametrize(
        ("argv", "variables"),
        [
            (["refresh", "--quiet", "--profile", "guest"], {}),
            (["refresh", "--profile", "guest"], {"TERM": "dumb"}),
            (["refresh", "--profile", "guest"], {"CI": "true"}),
            (["credential-process", "--profile", "guest"], {}),
        ],
        ids=str,
    )
    def test_where_it_is_not(
        self, cli: Cli, slow: Any, isolation: Path, argv: list[str], variables: dict[str, str]
    ) -> None:
        """It is not shown when quiet, to a dumb terminal or a build server, nor beside what SDKs run."""
        for file in (isolation / ".aws" / "cognito" / "cache").glob("credentials-*"):
            file.unlink()
        code, out, text = Screen(python(*argv), person(cli, **variables)).end()

        assert (code, text) == (0, "")
        assert out

    def test_it_says_what_is_waited_for(self, cli: Cli, slow: Any) -> None:
        """While another process refreshes, that is what is said."""
        other = Screen(python("refresh", "--profile", "guest"), person(cli))
        other.wait_for("getting new credentials… 1 s")
        run = Screen(python("refresh", "--profile", "guest"), person(cli))
        run.wait_for("getting new credentials: waiting for another process… 1 s")

        assert other.end()[0] == 0
        assert run.end()[0] == 0

    def test_before_a_command_is_started(self, cli: Cli, slow: Any, isolation: Path) -> None:
        """``exec`` says that it gets credentials, and the command has the terminal for itself."""
        for file in (isolation / ".aws" / "cognito" / "cache").glob("credentials-*"):
            file.unlink()
        argv = python("exec", "--profile", "guest", "--", "sh", "-c", "echo mine >&2; sleep 1.2")
        run = Screen(argv, person(cli))
        run.wait_for("getting credentials… 1 s")
        code, _, rest = run.end()

        assert code == 0
        assert rest.endswith("\r\x1b[Kmine\r\n")

    def test_ctrl_c(self, cli: Cli, slow: Any) -> None:
        """A command that is given up leaves an empty line, no traceback and the usual exit code."""
        run = Screen(python("refresh", "--profile", "guest"), person(cli))
        run.wait_for("getting new credentials… 1 s")
        run.press(b"\x03")
        code, out, rest = run.end()

        assert (code, out) == (130, "")
        assert rest.endswith("\r\x1b[K")
        assert "Traceback" not in rest

    def test_a_question_is_left_alone(self, cli: Cli, pool_id: str) -> None:
        """While somebody thinks about an answer, nothing is drawn over the question."""
        assert cli("credential-process", "--profile", "guest").code == 0
        run = Screen(python("clear", "--identities", "--profile", "guest"), person(cli))
        run.wait_for("(y/n) [n]: ")
        time.sleep(2.2)  # what is not drawn cannot be waited for
        run.type("n")
        _, _, rest = run.end()

        assert "forgetting" not in rest

    def test_a_program_that_asks_is_left_alone(self, cli: Cli, pool_id: str, isolation: Path) -> None:
        """Nothing is drawn over what the `credential_process` of the signing profile asks on the terminal."""
        keys = '{"Version": 1, "AccessKeyId": "AKIADEVELOPERDEVELOP", "SecretAccessKey": "developer"}'
        program = isolation / "asks"
        program.write_text(
            f"#!/bin/sh\nprintf 'MFA code: ' >/dev/tty\nread code </dev/tty\necho '{keys}'\n", "utf-8"
        )
        program.chmod(0o700)
        config = isolation / ".aws/config"
        before = config.read_text("utf-8")
        config.write_text(f"{before}\n[profile asks]\ncredential_process = {program}\n", "utf-8")
        run = Screen(python("identities", "list", pool_id, "--profile", "asks"), person(cli))
        run.wait_for("MFA code: ")
        time.sleep(2.2)  # what is not drawn cannot be waited for
        run.type("123456")
        code, _, rest = run.end()

        assert code == 0
        assert "listing" not in rest.partition("123456")[0]

    @pytest.mark.parametrize("error", [None, KeyError("the program's own"), KeyboardInterrupt()], ids=repr)
    def test_no_thread_is_left(self, error: BaseException | None) -> None:
        """At the end of the block its thread has ended, whatever ended the block, and the line is gone."""
        with screen() as (terminal, text):
            with contextlib.suppress(KeyError, KeyboardInterrupt), terminal.working("waiting"):
                names = {thread.name for thread in threading.enumerate()}
                time.sleep(1.3)
                if error is not None:
                    raise error
            left = {thread.name for thread in threading.enumerate()}
        assert "cognito-credentials-progress" in names - left
        assert text() == "\rwaiting… 1 s\x1b[K\r\r\x1b[K"

    def test_a_secret_is_typed_in_peace(self) -> None:
        """Where a terminal does not show what is typed, somebody else asks: nothing is drawn."""
        with screen(echo=False) as (terminal, text), terminal.working("waiting"):
            time.sleep(1.3)
        assert text() == ""

    def test_a_block_within_a_block(self) -> None:
        """Work that is part of other work is not announced by itself."""
        with screen() as (terminal, text), terminal.working("the whole"), terminal.working("a part"):
            terminal.progress("1 of 2")
            time.sleep(1.3)
        assert "the whole: 1 of 2… 1 s" in text()

    def test_it_works_without_a_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the system gives no more threads, the work is done, and nothing is drawn."""

        def start(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        with screen() as (terminal, text), terminal.working("waiting"):
            pass
        assert text() == ""

    def test_it_fits_in_ascii(self, cli: Cli, slow: Any) -> None:
        """Where an ellipsis is three characters, the line is as narrow as the screen all the same."""
        run = Screen(
            python("refresh", "--profile", "guest"), person(cli, PYTHONIOENCODING="ascii", COLUMNS="20")
        )
        run.wait_for("\x1b[K")
        seen = run.shown
        assert run.end()[0] == 0
        assert all(len(line) < 20 for line in SEQUENCE.sub("\r", seen).split("\r")), seen

    def test_what_is_no_terminal_gets_nothing(self) -> None:
        """Into a pipe nothing is drawn, and no thread is started."""
        before = threading.active_count()
        with Terminal(None, None, io.StringIO(), environ={"TERM": "xterm"}).working("waiting"):
            assert threading.active_count() == before
