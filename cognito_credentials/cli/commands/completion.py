"""``completion``: print a script with which a shell completes command lines of this program."""

from __future__ import annotations

from ..command import PROGRAM, Command, Invocation, Options
from ..completion import SHELLS, script
from ..failures import UsageError
from ..profile_names import print_names


def add_options(options: Options) -> None:
    options.add("shell", nargs="?", metavar="SHELL", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")
    options.add(
        "--profiles", action="store_true", help="print the names of profiles, as the scripts ask for them"
    )


def run(invocation: Invocation) -> int:
    """Print the script."""
    options = invocation.options
    if options.profiles and options.shell is None:
        return print_names(invocation.environ)
    if options.profiles or options.shell is None:
        raise UsageError("name one shell", f"Run '{PROGRAM} completion {'|'.join(SHELLS)}'")
    invocation.terminal.write(script(options.shell, options.commands))
    return 0


COMMAND = Command(
    details="""
Tab then completes commands, options, their values, files and names of profiles, and the command line behind
'exec --'. Put one of these lines where your shell reads it when it starts:

  bash        ~/.bashrc                    eval "$(cognito-credentials completion bash)"
  zsh         ~/.zshrc, after compinit     eval "$(cognito-credentials completion zsh)"
  fish        ~/.config/fish/config.fish   cognito-credentials completion fish | source
  PowerShell  $PROFILE                     cognito-credentials completion powershell | Out-String | iex

Or print the script into a file once, and again after an upgrade: the shell then starts sooner.""",
    example="""
$ cognito-credentials completion bash >~/.local/share/bash-completion/completions/cognito-credentials
$ cognito-credentials completion zsh >"${fpath[1]}/_cognito-credentials"
$ cognito-credentials completion fish >~/.config/fish/completions/cognito-credentials.fish""",
    arguments=" SHELL",
    run=run,
    add_options=add_options,
    takes_profile=False,
)
