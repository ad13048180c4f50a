"""
Interactive shells on a pseudo-terminal: a person types a line, Tab and Return.

The program on their ``PATH`` prints completion scripts and names of profiles as the real one does. It writes
any other command line down, so a test sees what the shell would have run.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import struct
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.real_parts import BASH_COMPLETION, missing, need

ROOT = Path(__file__).parent.parent.parent
PROMPT = "ready" + ">"
RAN = "written" + " down"
_PROGRAM = f"""\
#!/bin/sh
case $1 in completion) exec {{python}} -m cognito_credentials "$@" ;; esac
exec {{python}} -c '
import json, os, sys
with open(os.environ["RAN"], "a") as file: file.write(json.dumps(sys.argv[1:]) + "\\n")
print("{RAN}")' "$@"
"""
_OTHER = "#!/bin/sh\nexit\n"
_STARTS: Mapping[str, tuple[Sequence[str], str, str, str]] = {
    "bash": (
        ("bash", "--noprofile", "--rcfile"),
        ".bashrc",
        f"PS1='{PROMPT}'\nbind 'set enable-bracketed-paste off'\n",
        f"""\
. {BASH_COMPLETION}
eval "$(cognito-credentials completion bash)"
complete -W 'alphabet' other
""",
    ),
    "zsh": (
        ("zsh", "-o", "NO_GLOBAL_RCS", "-i"),
        ".zshrc",
        f"PROMPT='{PROMPT}' zle_bracketed_paste=()\nunsetopt PROMPT_SP PROMPT_CR\n",
        """\
autoload -Uz compinit && compinit -u
eval "$(cognito-credentials completion zsh)"
_other() { _arguments '*:word:(alphabet)' }
compdef _other other
""",
    ),
    "fish": (
        ("fish",),
        ".config/fish/config.fish",
        f"function fish_prompt; printf '{PROMPT}'; end\nfunction fish_greeting; end\n",
        """\
cognito-credentials completion fish | source
complete -c other -xa alphabet
""",
    ),
}
SHELLS = tuple(_STARTS)


class Shell:
    """
    A shell in an empty home.

    Args:
        name: One of `SHELLS`.
        home: Where its start file goes, and where it starts.
        environ: The rest of its environment.
        start: What its start file has in place of what users have there.
    """

    def __init__(
        self, name: str, home: Path, environ: Mapping[str, str], *, start: str | None = None
    ) -> None:
        need(name)
        if name == "bash" and start is None and not os.access(BASH_COMPLETION, os.R_OK):
            missing("this needs bash-completion (Debian's package)")
        argv, place, quiet, usual = _STARTS[name]
        programs = home / "programs"
        programs.mkdir()
        _write_program(programs / "cognito-credentials", _PROGRAM.format(python=sys.executable))
        _write_program(programs / "other", _OTHER)
        start_file = home / place
        start_file.parent.mkdir(parents=True, exist_ok=True)
        start_file.write_text(quiet + (usual if start is None else start), "utf-8")
        self._ran = home / "ran"
        path = shutil.which(argv[0])
        assert path is not None
        variables = {
            **{key: value for key, value in environ.items() if not key.startswith("COV")},
            "HOME": str(home),
            "ZDOTDIR": str(home),
            "RAN": str(self._ran),
            "TERM": "vt100",
            "PATH": f"{programs}{os.pathsep}{environ['PATH']}",
            "LC_ALL": "C.UTF-8",
        }
        arguments = [*argv, str(start_file)] if name == "bash" else list(argv)
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            os.chdir(home)
            os.execve(path, arguments, variables)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self._seen = self._shown = b""
        self._wait_for(PROMPT)

    def type(self, keys: str) -> list[str]:
        """Type the name of our program, *keys* and Return; return the arguments that it got."""
        before = self._ran.read_text("utf-8").count("\n") if self._ran.exists() else 0
        os.write(self._terminal, f"cognito-credentials {keys}\r".encode())
        self._wait_for(RAN)
        self._wait_for(PROMPT)
        lines = self._ran.read_text("utf-8").splitlines()
        assert len(lines) == before + 1
        arguments: list[str] = json.loads(lines[-1])
        return arguments

    @property
    def shown(self) -> str:
        """Everything that was on the screen."""
        return self._shown.decode("utf-8", "replace")

    def close(self) -> None:
        """End the shell, as when its window is closed."""
        os.close(self._terminal)
        os.waitpid(self._process, 0)

    def _wait_for(self, text: str) -> None:
        """Read what the shell shows up to *text*; the test's time limit ends a wait in vain."""
        while text.encode() not in self._seen:
            try:
                read = os.read(self._terminal, 65536)
            except OSError:
                raise AssertionError(f"the shell has ended: {self._seen!r}") from None
            self._seen += read
            self._shown += read
        self._seen = self._seen.partition(text.encode())[2]


def _write_program(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o755)
