"""
The script for fish, 3.0 and newer: a ``complete`` for each option, and the condition under which it is
offered.

fish itself reads ``--name=value`` and quotes what it puts on the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..command import PROGRAM
from . import described as d

_SCRIPT: Final = r"""# Completes command lines of @PROGRAM@ in fish. Printed by '@PROGRAM@ completion fish'.

# Prints the command, and the number of the word with which the command line of another program begins.
function __cognito_credentials_line
    set -l takes @TAKES@
    set -l runs @RUNS@
    set -l words (commandline -opc)
    set -l command ''
    set -l skip 0
    for i in (seq 2 (count $words))
        if test $skip = 1
            set skip 0
            continue
        end
        switch $words[$i]
            case --
                if contains -- "$command" $runs
                    printf '%s\n' $command (math $i + 1)
                    return
                end
            case '-*'
                if contains -- "$command $words[$i]" $takes
                    set skip 1
                end
            case '*'
                if test -z "$command"
                    set command $words[$i]
                else if contains -- "$command" $runs
                    printf '%s\n' $command $i
                    return
                end
        end
    end
    printf '%s\n' "$command"
end

# Tells whether what is typed belongs to the command $argv[1]; '' stands for what is before a command.
function __cognito_credentials_at
    set -l line (__cognito_credentials_line)
    test (count $line) -lt 2; and test "$line[1]" = "$argv[1]"
end

function __cognito_credentials_in_another_program
    test (count (__cognito_credentials_line)) = 2
end

# Offers what fish offers for the command line of the other program, or for its name.
function __cognito_credentials_another_program
    set -l line (__cognito_credentials_line)
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    if test (count $line) = 2; and test $line[2] -le (count $words)
        complete -C (string join ' ' -- (string escape -- $words[$line[2]..-1]) $current)
    else
        complete -C "$current"
    end
end

function __cognito_credentials_profiles
    command @PROGRAM@ completion --profiles 2>/dev/null
end

complete -c @PROGRAM@ -e
complete -c @PROGRAM@ -f
@LINES@
"""


def script(described: Sequence[d.Described]) -> str:
    """Return the script."""
    takes = [
        f"'{command.name} {name}'"
        for command in described
        for option in command.options
        for name in option.names
        if option.value is not None
    ]
    runs = [
        command.name
        for command in described
        if any(argument.kind == d.COMMAND for argument in command.arguments)
    ]
    return (
        _SCRIPT.replace("@TAKES@", " ".join(takes))
        .replace("@RUNS@", " ".join(runs))
        .replace("@LINES@", "\n".join(_lines(described)))
        .replace("@PROGRAM@", PROGRAM)
    )


def _lines(described: Sequence[d.Described]) -> Iterator[str]:
    for command in described:
        if command.name:
            yield f"{_start('')} -a {command.name} -d {_quoted(command.summary)}"
        for option in command.options:
            names = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
            )
            takes = "" if option.value is None else f" {_takes(option.value)}"
            yield f"{_start(command.name)} {names}{takes} -d {_quoted(option.summary)}"
        for argument in command.arguments:
            if argument.kind == d.COMMAND:
                offered = "-a '(__cognito_credentials_another_program)'"
                yield f"{_start(command.name)} {offered}"
                yield f"complete -c {PROGRAM} -n __cognito_credentials_in_another_program {offered}"
            elif argument.kind != d.TEXT:
                yield f"{_start(command.name)} {_takes(argument, is_argument=True)}"


def _start(command: str) -> str:
    return f"complete -c {PROGRAM} -n \"__cognito_credentials_at '{command}'\""


def _takes(value: d.Value, *, is_argument: bool = False) -> str:
    exclusive = "" if is_argument else "-x "
    if value.kind == d.PROFILE:
        return f"{exclusive}-a '(__cognito_credentials_profiles)'"
    if value.kind == d.FILE:
        return "-F" if is_argument else "-r -F"
    return f"{exclusive}-a '{' '.join(value.words)}'" if value.words else "-x"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
