"""
The script for bash, 3.2 (macOS) and newer.

bash splits the line at ``=`` and ``:`` too, and replaces only the part behind the last of these. So the
script joins the parts, and takes what stands before the last part off what it offers. It never evaluates a
word of the line, and gives no name of a profile to ``compgen -W``, which would evaluate it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..command import PROGRAM
from . import described as d

_SCRIPT: Final = r"""# Completes command lines of @PROGRAM@ in bash. Printed by '@PROGRAM@ completion bash'.

# What the option or argument $2 of the command $1 takes, in $kind and $words; 1 if that is nothing.
_cognito_credentials_takes() {
    words=
    case "$1 $2" in
@TAKES@
        *) return 1 ;;
    esac
}

# Tells whether the argument $1 of the command is the command line of another program.
_cognito_credentials_runs() {
    _cognito_credentials_takes "$command" "$1" && [[ $kind == command ]]
}

# The options of the command $1, in $words.
_cognito_credentials_options() {
    case "$1" in
@OPTIONS@
        *) words= ;;
    esac
}

# Offers the profiles whose names begin with what $1 means, quoted as $1 begins, each behind $2.
_cognito_credentials_profiles() {
    local name quoted begun= rest=$1
    case "$1" in
        [\'\"]*) begun=${1:1} ;;
        *)
            while [[ $rest == *\\* ]]; do
                begun+=${rest%%\\*}
                rest=${rest#*\\}
                begun+=${rest:0:1} rest=${rest:1}
            done
            begun+=$rest ;;
    esac
    while IFS= read -r name; do
        [[ $name == "$begun"* ]] || continue
        case "$1" in
            \'*) quoted=\'$name\'; [[ $name != *\'* ]] || continue ;;
            \"*) quoted=\"$name\"; [[ $name != *[\"\$\`\\!]* ]] || continue ;;
            *) printf -v quoted %q "$name" ;;
        esac
        [[ $2$quoted != "$glued"* ]] || COMPREPLY+=("$2$quoted")
    done < <(command @PROGRAM@ completion --profiles 2>/dev/null)
}

# Offers the files that begin with $1; readline does it with quotes, if bash is newer than 3.2.
_cognito_credentials_files() {
    local name
    COMPREPLY=()
    compopt -o default -o bashdefault 2>/dev/null && return
    while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$1")
}

_cognito_credentials() {
    local line=() at=() i word part command= argument=0 value= kind words child=0 before= name
    COMPREPLY=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        if ((${#line[@]} > 1)) && { [[ $part == [=:]* ]] || [[ $word == *[=:] ]]; }; then
            line[${#line[@]} - 1]+=$part
        else
            line+=("$part") at+=("$i")
        fi
        word=$part
    done
    local last=$((${#line[@]} - 1))
    local current=${line[last]}
    case "$part" in [=:]) part= ;; esac
    local glued=${current%"$part"}

    for ((i = 1; i < last; i++)); do
        word=${line[i]}
        case "$word" in
            --) if _cognito_credentials_runs 1; then
                    child=$((i + 1))
                    break
                fi ;;
            -*=*) ;;
            -*) if _cognito_credentials_takes "$command" "$word"; then
                    ((++i))
                    ((i == last)) && value=$word
                fi ;;
            *[\<\>]*) ((++i)) ;;
            *) if [[ -z $command ]]; then
                    command=$word
                else
                    ((++argument))
                    if _cognito_credentials_runs "$argument"; then
                        child=$i
                        break
                    fi
                fi ;;
        esac
    done
    case "${line[last - 1]}" in *[\<\>]*) _cognito_credentials_files "$current"; return ;; esac
    if [[ -z $value && $child == 0 && -n $command && $current != -* ]]; then
        _cognito_credentials_runs "$((argument + 1))" && child=$last
    fi
    if ((child)); then
        for name in _comp_command_offset _command_offset; do
            declare -F "$name" >/dev/null && "$name" "${at[child]}" && return
        done
        if ((child == last)); then
            while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -c -- "$current")
        else
            _cognito_credentials_files "${COMP_WORDS[COMP_CWORD]}"
        fi
        return
    fi

    if [[ -z $value && $current == --*=* ]]; then
        value=${current%%=*} before=$value= current=${current#*=}
    fi
    if [[ -n $value ]]; then
        _cognito_credentials_takes "$command" "$value" || return
    elif [[ $current == -* ]]; then
        kind=word
        _cognito_credentials_options "$command"
    elif [[ -z $command ]]; then
        kind=word words='@COMMANDS@'
    else
        _cognito_credentials_takes "$command" "$((argument + 1))" || return
    fi
    case "$kind" in
        profile) _cognito_credentials_profiles "$current" "$before" ;;
        file) _cognito_credentials_files "$part"; return ;;
        word)
            while IFS= read -r name; do
                COMPREPLY+=("$before$name")
            done < <(compgen -W "$words" -- "$current") ;;
    esac
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$glued"}; done
}

complete -F _cognito_credentials @PROGRAM@
"""


def script(described: Sequence[d.Described]) -> str:
    """Return the script."""
    takes = "\n".join(
        f"        {'|'.join(_quoted(f'{command} {name}') for command, name in places)})\n"
        f"            kind={_kind(value)} ;;"
        for value, places in d.takes(described).items()
    )
    options = "\n".join(
        f"        {_quoted(command.name)})\n            words={_quoted(' '.join(_names(command)))} ;;"
        for command in described
    )
    commands = " ".join(command.name for command in described if command.name)
    return (
        _SCRIPT.replace("@TAKES@", takes)
        .replace("@OPTIONS@", options)
        .replace("@COMMANDS@", commands)
        .replace("@PROGRAM@", PROGRAM)
    )


def _kind(value: d.Value) -> str:
    return f"{value.kind} words={_quoted(' '.join(value.words))}" if value.words else value.kind


def _names(command: d.Described) -> list[str]:
    return [name for option in command.options for name in option.names]


def _quoted(words: str) -> str:
    return f"'{words}'"  # names and words of ours, which have no quotes in them
