"""
Scripts with which shells complete command lines: the one parser in, the text of a script out.

    described.py        the parser -> commands, options, and what each takes
    bash.py, zsh.py, fish.py, powershell.py    these -> the script

A script has all commands and options in it, so nothing runs at Tab but ``completion --profiles``, where the
name of a profile is wanted. Such a name is data from a file that others may have written: no script evaluates
it, and each puts it on the command line with the quotes of its shell.

Why no library: shtab prints scripts for the same four shells, but every installation would have to depend on
it, because nobody should install an extra for Tab; and scripts that it printed would put its licence
(MPL-2.0) into this package. Its script for bash (1.13) takes a profile called ``demo`` for the command,
offers our own profiles behind ``exec -- aws --profile``, and offers nothing behind ``--format=``. argcomplete
has no scripts: it starts the program at each Tab.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from ..command import Entry

SHELLS: Final = ("bash", "zsh", "fish", "powershell")
"""Each has its file in this folder."""


def script(shell: str, commands: Sequence[Entry]) -> str:
    """
    Return the script for *shell*.

    Args:
        shell: One of `SHELLS`.
        commands: All commands.
    """
    from .described import describe

    written: str = import_module(f"{__package__}.{shell}").script(describe(commands))
    return written
