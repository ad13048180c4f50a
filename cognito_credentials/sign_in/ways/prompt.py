"""
What a person is shown and asked while signing in: in the terminal, or by a `Prompt` of a desktop app.

The terminal reads a secret key by key. Its own line editing would keep only the first 4095 bytes of a line
(1024 on macOS) and drop the rest silently, and a pasted address with a code in it may be longer
(https://github.com/python/cpython/issues/112338).
"""

from __future__ import annotations

import contextlib
import getpass
import inspect
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol, TextIO, TypeVar

from ...errors import ConfigurationError, LoginRequiredError, clean
from ...importing import IMPORTING
from ...secret import Secret

T = TypeVar("T")
_QR_BLOCKS: Final = "█▀▄"
_TERMINAL: Final = "/dev/tty"
_ERASERS: Final = b"\x7f\x08"
"""What keyboards send for Backspace, besides the terminal's own setting."""


class Prompt(Protocol):
    """
    What talks to the person. A prompt that cannot show a QR code made of text has ``can_draw = False``,
    and one whose person cannot choose another way to sign in has ``can_choose_way = False``.
    """

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer."""

    def say(self, text: str) -> None:
        """Show a line or several."""

    def ask(self, question: str) -> str:
        """Ask for a line of text; raises `EOFError` when the person ends the input."""

    def ask_secret(self, question: str) -> Secret:
        """Ask for a secret, which is not shown; raises `EOFError` when the person ends the input."""


class CheckedPrompt:
    """
    A prompt, checked at each use: what is wrong with an app's prompt is not taken for the issuer's fault.

    What is not used is not checked: signing in with a browser takes less of a prompt than a password does.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self.failure: BaseException | None = None
        """What the prompt itself has raised; it is the app's, and passes as it is."""

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer."""
        value = self._attribute("can_ask")
        if callable(value):
            raise self._wrong("can_ask is a method", "Make it a property, or a plain attribute")
        return bool(value)

    @property
    def can_draw(self) -> bool:
        """Whether the prompt can show a QR code made of text; True for a prompt that does not say."""
        return bool(getattr(self._prompt, "can_draw", True))

    @property
    def can_choose_way(self) -> bool:
        """Whether the person can choose another way to sign in; True for a prompt that does not say."""
        return bool(getattr(self._prompt, "can_choose_way", True))

    def say(self, text: str) -> None:
        """Show a line or several."""
        self._call("say", text)

    def ask(self, question: str) -> str:
        """
        Ask for a line of text.

        Raises:
            EOFError: The person has ended the input.
            ConfigurationError: The prompt gave something else.
        """
        return self._answer("ask", question, str)

    def ask_secret(self, question: str) -> Secret:
        """
        Ask for a secret; raises the errors of `ask`.
        """
        return self._answer("ask_secret", question, Secret)

    def _answer(self, name: str, question: str, kind: type[T]) -> T:
        answer = self._typed(self._call(name, question), name, kind)
        if isinstance(answer, kind):
            return answer
        assert isinstance(answer, ConfigurationError)  # noqa: S101  (for the type checker)
        raise answer

    def _typed(self, answer: object, name: str, kind: type[T]) -> T | ConfigurationError:
        """Return *answer*, or the error; no frame of the error then holds an answer of another type."""
        if isinstance(answer, kind):
            return answer
        hint = "Return Secret(text), of cognito_credentials" if kind is Secret else "Return text"
        return self._wrong(f"{name}() returned {type(answer).__name__}, not {kind.__name__}", hint)

    def _call(self, name: str, text: str) -> object:
        method = self._attribute(name)
        if not callable(method):
            raise self._wrong(f"{name} is {type(method).__name__}, and no method", f"Make it {name}(text)")
        try:
            answer = method(text)
        except BaseException as error:
            self.failure = error
            raise
        if is_left_unawaited(answer):
            raise self._wrong(f"{name}() is async", "Signing in waits for the person: make it a plain method")
        return answer

    def _attribute(self, name: str) -> object:
        try:
            return getattr(self._prompt, name)
        except BaseException as error:
            self.failure = error
            if not isinstance(error, AttributeError) or _has(self._prompt, name):
                raise
        needed = "It needs can_ask, say(text), ask(question) and ask_secret(question)"
        raise self._wrong(f"it has no {name}", needed)

    def _wrong(self, what: str, hint: str) -> ConfigurationError:
        of = clean(type(self._prompt).__qualname__, 80)
        return ConfigurationError(
            f"the prompt ({of}) does not work: {what}", hint=hint, topic="E-SIGN-IN-SETTING"
        )


def checked(prompt: Prompt) -> CheckedPrompt:
    """Return *prompt* so that it is checked at each use."""
    return prompt if isinstance(prompt, CheckedPrompt) else CheckedPrompt(prompt)


def is_left_unawaited(answer: object) -> bool:
    """Tell whether a function of an app is async; Python then does not warn that nobody awaits the answer."""
    if inspect.iscoroutine(answer):
        answer.close()
    return inspect.isawaitable(answer)


def _has(prompt: object, name: str) -> bool:
    """Tell whether *prompt* has an attribute, without running it; a property may raise AttributeError."""
    missing = object()
    return inspect.getattr_static(prompt, name, missing) is not missing


class TerminalPrompt:
    """
    The terminal of this process: questions on stderr, answers only from a terminal.

    Args:
        stdin: Where answers come from; by default the process's own.
        stderr: Where questions are shown; by default the process's own.
    """

    def __init__(self, stdin: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self._stdin = sys.stdin if stdin is None else stdin
        self._stderr = sys.stderr if stderr is None else stderr

    @property
    def can_ask(self) -> bool:
        """Whether both stdin and stderr are a terminal."""
        try:
            return self._stdin.isatty() and self._stderr.isatty()
        except (AttributeError, ValueError):  # a stream is None, or closed
            return False

    @property
    def can_draw(self) -> bool:
        """Whether the terminal's encoding has the characters of a QR code."""
        try:
            _QR_BLOCKS.encode(self._stderr.encoding or "ascii")
        except (UnicodeEncodeError, LookupError, AttributeError):
            return False
        return self._stderr.isatty()

    def say(self, text: str) -> None:
        """Show a line or several."""
        self._stderr.write(text + "\n")
        self._stderr.flush()

    def ask(self, question: str) -> str:
        """
        Ask for a line of text.

        Raises:
            EOFError: The person has ended the input.
        """
        self._stderr.write(f"{question}: ")
        self._stderr.flush()
        line = self._stdin.readline()
        if not line:
            self.say("")  # end the line of the question
            raise EOFError
        return line.strip()

    def ask_secret(self, question: str) -> Secret:
        """
        Ask without echo, on the terminal itself.

        Raises:
            LoginRequiredError: There is no terminal.
            EOFError: The person has ended the input.
        """
        if not self.can_ask:
            raise LoginRequiredError(
                f"there is no terminal to ask for the {question.lower()} on",
                hint="Sign in on a terminal",
                topic="E-PASSWORD",
            )
        return Secret(_read_unseen(f"{question}: ", self._stdin, self._stderr))


class _Keys(NamedTuple):
    erase: bytes
    kill: bytes
    end: bytes


def _read_unseen(question: str, stdin: TextIO, shown: TextIO) -> str:
    """
    Show *question* on *shown*, and read a line of any length from the terminal without showing it.

    Args:
        stdin: A terminal; it is read where the process has no controlling terminal.

    Raises:
        EOFError: The person has ended the input.
    """
    try:
        with IMPORTING:
            import termios
    except ImportError:  # Windows, where `getpass` reads key by key as well
        return getpass.getpass(question, shown)
    try:
        terminal = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        terminal = os.dup(stdin.fileno())
    try:
        before = termios.tcgetattr(terminal)
        characters = before[6]
        keys = _Keys(*(characters[key] for key in (termios.VERASE, termios.VKILL, termios.VEOF)))
        silent = [*before[:6], list(characters)]
        silent[3] &= ~(termios.ECHO | termios.ICANON)  # Ctrl-C still interrupts
        silent[6][termios.VMIN], silent[6][termios.VTIME] = 1, 0
        try:
            with _echo_off_after_stop(terminal, silent):
                termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
                shown.write(question)
                shown.flush()
                return _line(terminal, keys)
        finally:
            # Drop what was pasted after the line: the shell would run it.
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
            shown.write("\n")
            shown.flush()
    finally:
        os.close(terminal)


@contextlib.contextmanager
def _echo_off_after_stop(terminal: int, silent: list[Any]) -> Iterator[None]:
    """
    Turn the echo off again when the process continues after Ctrl-Z: the shell has turned it on.

    Python handles signals in the main thread only, so this does nothing in other threads.
    """
    with IMPORTING:
        import termios

    def turn_echo_off(*_: object) -> None:
        # Fails in a background process, which is continued once more when it comes to the front; or when the
        # terminal is gone, which the next read reports.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)

    before = signal.getsignal(signal.SIGCONT)
    is_ours = before is not None and threading.current_thread() is threading.main_thread()
    if is_ours:  # a handler that was not set by Python could not be restored
        signal.signal(signal.SIGCONT, turn_echo_off)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGCONT, before)


def _line(terminal: int, keys: _Keys) -> str:
    line = bytearray()
    while True:
        came = os.read(terminal, 4096)
        if not came:
            raise EOFError
        for key in (came[at : at + 1] for at in range(len(came))):
            if key in b"\r\n":
                return line.decode("utf-8", "replace")
            if key == keys.end and not line:
                raise EOFError
            if key == keys.erase or key in _ERASERS:
                _drop_last(line)
            elif key == keys.kill:
                line.clear()
            elif key != keys.end:
                line += key


def _drop_last(line: bytearray) -> None:
    """Remove the last character, with all its bytes of UTF-8."""
    while line and line.pop() & 0xC0 == 0x80:
        pass
