"""
The script for PowerShell, 5.1 and newer.

PowerShell puts on the line what it is given, so the script quotes the names of profiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..command import PROGRAM
from . import described as d

_SCRIPT: Final = r"""# Completes command lines of @PROGRAM@ in PowerShell.
# Printed by '@PROGRAM@ completion powershell'.

Register-ArgumentCompleter -Native -CommandName '@PROGRAM@', '@PROGRAM@.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # Command and option, or command and the number of an argument -> what it takes.
    $takes = @{
@TAKES@
    }
    $options = @{
@OPTIONS@
    }
    $commands = [ordered]@{
@COMMANDS@
    }

    # The words before the cursor, and the one at it.
    $before = @()
    $current = ''
    foreach ($element in $commandAst.CommandElements) {
        if ($element.Extent.EndOffset -lt $cursorPosition) {
            $before += $element
        } elseif ($element.Extent.StartOffset -lt $cursorPosition) {
            $current = $element.Extent.Text.Substring(0, $cursorPosition - $element.Extent.StartOffset)
        }
    }

    # What PowerShell offers for a command line of another program.
    function Complete-Line([string] $line) {
        [System.Management.Automation.CommandCompletion]::CompleteInput(
            $line, $line.Length, $null).CompletionMatches
    }

    $command = ''
    $option = ''
    $argument = 1
    $child = -1
    for ($i = 1; $i -lt $before.Count; $i++) {
        $word = $before[$i].Extent.Text
        if ($word -eq '--') {
            if ($takes["$command 1"] -eq 'command') { $child = $i + 1; break }
        } elseif ($word -like '-*') {
            if ($word -notlike '*=*' -and $takes["$command $word"]) {
                $i++
                if ($i -eq $before.Count) { $option = $word }
            }
        } elseif (-not $command) {
            $command = $word
        } elseif ($takes["$command $argument"] -eq 'command') {
            $child = $i
            break
        } else {
            $argument++
        }
    }
    if ($child -ge 0 -and $child -lt $before.Count) {
        $start = $before[$child].Extent.StartOffset - $commandAst.Extent.StartOffset
        $line = $commandAst.Extent.Text.Substring($start)
        $end = $cursorPosition - $before[$child].Extent.StartOffset
        $line = $line.PadRight($end).Substring(0, $end)
        return Complete-Line $line
    }

    $prefix = ''
    if (-not $option -and $child -lt 0 -and $current -match '^(--[^=]+)=(.*)$') {
        $option = $Matches[1]
        $prefix = "$option="
        $current = $Matches[2]
    }
    if ($child -ge 0) { $kind = 'command' }
    elseif ($option) { $kind = $takes["$command $option"] }
    elseif ($current -like '-*') { $kind = 'option' }
    elseif (-not $command) { $kind = 'name' }
    else { $kind = $takes["$command $argument"] }

    $begun = $current.Trim("'", '"')
    $found = switch -Wildcard ($kind) {
        'option' { $options[$command].GetEnumerator() }
        'name' { $commands.GetEnumerator() }
        'word *' { $kind.Substring(5).Split(' ') | ForEach-Object { @{ Key = $_; Value = $_ } } }
        'profile' {
            $program = Get-Command -CommandType Application -Name '@PROGRAM@' | Select-Object -First 1
            & $program completion --profiles 2>$null | ForEach-Object { @{ Key = $_; Value = $_ } }
        }
        'command' {
            Complete-Line $current | ForEach-Object { @{ Key = $_.CompletionText; Value = $_.ToolTip } }
        }
    }
    $found | Where-Object { $_.Key -and $_.Key.StartsWith($begun) } | ForEach-Object {
        $text = $_.Key
        if ($kind -eq 'profile' -and $text -notmatch '^[A-Za-z0-9_./+-][A-Za-z0-9_./:+-]*$') {
            # In single quotes nothing is evaluated. PowerShell takes four more characters for single quotes.
            $text = "'" + ($text -replace "(['\u2018\u2019\u201a\u201b])", '$1$1') + "'"
        }
        [System.Management.Automation.CompletionResult]::new(
            "$prefix$text", $_.Key, 'ParameterValue', $_.Value)
    }
}
"""


def script(described: Sequence[d.Described]) -> str:
    """Return the script."""
    takes = "\n".join(
        f"        '{command} {name}' = '{' '.join((value.kind, *value.words))}'"
        for value, places in d.takes(described).items()
        for command, name in places
    )
    options = "\n".join(
        f"        '{command.name}' = [ordered]@{{\n"
        + "\n".join(
            f"            '{name}' = {_quoted(option.summary)}"
            for option in command.options
            for name in option.names
        )
        + "\n        }"
        for command in described
    )
    commands = "\n".join(
        f"        '{command.name}' = {_quoted(command.summary)}" for command in described if command.name
    )
    return (
        _SCRIPT.replace("@TAKES@", takes)
        .replace("@OPTIONS@", options)
        .replace("@COMMANDS@", commands)
        .replace("@PROGRAM@", PROGRAM)
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
