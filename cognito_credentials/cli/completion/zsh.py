"""
The script for zsh, whose ``_arguments`` knows how to read a line from a description of the options.

It can stand in a file of ``fpath``, or be given to ``eval`` after ``compinit``. ``compadd`` quotes the names
of profiles.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from ..command import PROGRAM
from . import described as d

_SCRIPT: Final = r"""#compdef @PROGRAM@
# Completes command lines of @PROGRAM@ in zsh. Printed by '@PROGRAM@ completion zsh'.

_cognito-credentials_profiles() {
    local -a names
    names=(${(f)"$(command @PROGRAM@ completion --profiles 2>/dev/null)"})
    _wanted profiles expl 'profile' compadd -a names
}

_cognito-credentials() {
    local curcontext=$curcontext context state state_descr line ret=1
    typeset -A opt_args
    _arguments -C -S \
@BEFORE@
        '(-): :->command' \
        '(-)*:: :->arguments' && ret=0
    case $state in
        command)
            local -a commands=(
@COMMANDS@
            )
            _describe -t commands command commands && ret=0 ;;
        arguments)
            curcontext=${curcontext%:*}-$words[1]:
            case $words[1] in
@ARGUMENTS@
            esac ;;
    esac
    return ret
}

if [[ $funcstack[1] == _cognito-credentials ]]; then
    _cognito-credentials "$@"
else
    compdef _cognito-credentials @PROGRAM@
fi
"""
_BEHIND_DASHES: Final = r"""
                    if [[ $words[2] == -- ]] && ((CURRENT > 2)); then
                        shift 2 words
                        ((CURRENT -= 2))
                        _normal && ret=0
                        return ret
                    fi"""
"""Where ``--`` is the first word, ``_arguments`` completes only the name of the program behind it."""
_ACTIONS: Final = {d.PROFILE: "_cognito-credentials_profiles", d.FILE: "_files", d.TEXT: " "}


def script(described: Sequence[d.Described]) -> str:
    """Return the script."""
    before, *commands = described
    listed = "\n".join(
        f"                {shlex.quote(f'{_escaped(command.name)}:{command.summary}')}"
        for command in commands
    )
    arguments = "\n".join(_case(command) for command in commands)
    return (
        _SCRIPT.replace("@BEFORE@", "\n".join(f"        {line} \\" for line in _options(before)))
        .replace("@COMMANDS@", listed)
        .replace("@ARGUMENTS@", arguments)
        .replace("@PROGRAM@", PROGRAM)
    )


def _case(command: d.Described) -> str:
    runs = any(argument.kind == d.COMMAND for argument in command.arguments)
    lines = (*_options(command), *_arguments(command))
    specs = "".join(f" \\\n                        {line}" for line in lines)
    start = f"                {command.name}){_BEHIND_DASHES * runs}"
    return f"{start}\n                    _arguments -S{specs} && ret=0 ;;"


def _options(command: d.Described) -> Iterator[str]:
    for option in command.options:
        ends = "--help" in option.names or "--version" in option.names
        others = [name for name in option.names if len(option.names) > 1 and not option.repeats]
        prefix = "(- *)" if ends else f"({' '.join(others)})" if others else "*" if option.repeats else ""
        for name in option.names:
            takes = "" if option.value is None else f":{_escaped(option.value.label)}:{_action(option.value)}"
            equals = "" if option.value is None else "="
            yield shlex.quote(f"{prefix}{name}{equals}[{_escaped(option.summary)}]{takes}")


def _arguments(command: d.Described) -> Iterator[str]:
    for number, argument in enumerate(command.arguments, 1):
        if argument.kind == d.COMMAND:
            # Its options are its own: behind its name none of ours are offered.
            yield shlex.quote(f"(-){number}:{_escaped(argument.label)}:_command_names -e")
            yield shlex.quote(f"*::{_escaped(argument.label)}:_normal")
        else:
            yield shlex.quote(f"{number}:{_escaped(argument.label)}:{_action(argument)}")


def _action(value: d.Value) -> str:
    return f"({' '.join(value.words)})" if value.kind == d.WORD else _ACTIONS[value.kind]


def _escaped(text: str) -> str:
    return re.sub(r"([\\\[\]:])", r"\\\1", text)
