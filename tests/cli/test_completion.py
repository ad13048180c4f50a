"""Completion: people type in a real shell and press Tab, and the program gets what they meant."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.cli.completion import SHELLS, script
from cognito_credentials.cli.completion.described import WORDS, describe
from tests.cli import shells
from tests.cli.conftest import Cli, Done
from tests.cli.shells import Shell

POOL = "cognito_identity_pool_id = us-east-1:00000000-0000-4000-8000-000000000001\n"
LINES = {
    "expo\t": ["export"],
    "--pro\tguest whoam\t": ["--profile", "guest", "whoami"],
    "export --form\tenv-no\t": ["export", "--format", "env-no-export"],
    "export --format=env-no\t": ["export", "--format=env-no-export"],
    "export --profile gue\t--format fis\t": ["export", "--profile", "guest", "--format", "fish"],
    "export --profile=gue\t": ["export", "--profile=guest"],
    "--profile=gue\texport": ["--profile=guest", "export"],
    "whoami --region eu-sout\t1": ["whoami", "--region", "eu-south-1"],
    "whoami --flow b\t": ["whoami", "--flow", "basic"],
    "login --store f\t": ["login", "--store", "file"],
    "configure --sign-in de\t": ["configure", "--sign-in", "device"],
    "help crede\t": ["help", "credential-process"],
    # bash splits words at colons.
    "refresh --user a:b:c --cust\tx": ["refresh", "--user", "a:b:c", "--custom-role-arn", "x"],
    # A profile that is called like a command is no command.
    "--profile demo export --form\tini": ["--profile", "demo", "export", "--format", "ini"],
    "emulator --seed se\t": ["emulator", "--seed", "seed of two words.toml"],
    "emulator --seed=se\t": ["emulator", "--seed=seed of two words.toml"],
    "whoami 2>se\t": ["whoami"],
    "whoami 2>/dev/null --js\t": ["whoami", "--json"],
    "exec -- othe\talpha\t": ["exec", "--", "other", "alphabet"],
    "exec othe\talpha\t": ["exec", "other", "alphabet"],
    "exec --region us-e\t1 -- other alpha\t": ["exec", "--region", "us-east-1", "--", "other", "alphabet"],
    # What stands behind "--" is of the other program, whatever it looks like.
    "exec -- other --profile alpha\t": ["exec", "--", "other", "--profile", "alphabet"],
}
"""What is typed behind the program's name, and the arguments that it gets. zsh writes ``--name=value``."""
HOSTILE = [
    *("1 two words", "2$(touch INJECTED)", "3`touch INJECTED`", "4'single", '5"double', "6\\backslash"),
    *(
        "7;touch INJECTED",
        "8*",
        "9&|<>(){}",
        "Aänne",
        "B!history",
        "C$HOME",
        "D#",
        "E~",
        "F=x",
        "G:x:y",
        "H[a]",
    ),
    *(
        "I%s",
        "J,k",
        "K^x?",
        "L'$(touch INJECTED)'",
        "M\u2018smart\u2019",
        "N@host",
        "~home",
        "$(touch INJECTED)",
    ),
    *("`touch INJECTED`", "#sharp", "*"),
]
"""Names of profiles; a prefix of two characters tells each from the others."""
NOT_OFFERED = ["-dash", "--debug", "bell\a", "escape\x1b]0;title\x1b\\", "reversed\u202e"]


@pytest.fixture(params=shells.SHELLS)
def shell(request: pytest.FixtureRequest, isolation: Path, cli: Cli) -> Iterator[Shell]:
    opened = Shell(request.param, isolation, cli.environ)
    yield opened
    opened.close()


@pytest.fixture
def profiles(config: Callable[[str], Path]) -> Callable[[Sequence[str]], None]:
    """Return a function that writes profiles with a pool."""

    def write(names: Sequence[str]) -> None:
        config("".join(f"[profile {_quoted(name)}]\n{POOL}" for name in names))

    return write


def test_a_line_is_completed_as_it_is_meant(
    shell: Shell, profiles: Callable[[Sequence[str]], None], isolation: Path
) -> None:
    """Commands, options and their values, files, profiles and other programs' command lines are completed."""
    profiles(["guest"])
    (isolation / "seed of two words.toml").touch()

    got = {keys: shell.type(keys) for keys in LINES}

    assert {keys: _apart(arguments) for keys, arguments in got.items()} == {
        keys: _apart(arguments) for keys, arguments in LINES.items()
    }
    assert not (isolation / "se").exists()


def test_a_profiles_name_is_quoted_and_never_run(
    shell: Shell, profiles: Callable[[Sequence[str]], None], isolation: Path
) -> None:
    """Whatever a profile is called, the program gets that name, and nothing in it is evaluated."""
    profiles([*HOSTILE, *NOT_OFFERED])
    begun = {name: re.sub(r"([^\w])", r"\\\1", name[:2]) for name in HOSTILE}
    got = {name: shell.type(f"status --profile {begun[name]}\t")[2:] for name in HOSTILE}

    assert got == {name: [name] for name in HOSTILE}
    assert not list(isolation.rglob("INJECTED"))


@pytest.mark.parametrize("begun", ["'1 t\t", '"1 t\t', "'2$\t", "'8\t", '"G:x:\t', "G:x\t", "G:x:\t"])
def test_a_name_is_completed_in_the_quotes_that_it_begins_with(
    shell: Shell, profiles: Callable[[Sequence[str]], None], isolation: Path, begun: str
) -> None:
    """A quote that was typed is closed behind the name, and a name with colons goes on where it was."""
    profiles(HOSTILE)
    (name,) = (name for name in HOSTILE if name.startswith(begun.strip("'\"\t")))

    assert shell.type(f"status --profile {begun}") == ["status", "--profile", name]
    assert not list(isolation.rglob("INJECTED"))


def test_a_config_file_that_is_wrong_says_nothing_at_tab(shell: Shell, config: Callable[[str], Path]) -> None:
    """Where no names can be read, Tab adds none, and the line that is being typed stays as it is."""
    config("[profile guest\n")

    assert shell.type("status --profile gue\t") == ["status", "--profile", "gue"]
    assert "Traceback" not in shell.shown
    assert "cognito-credentials: " not in shell.shown


@pytest.mark.quick
def test_names_are_those_that_can_be_typed(
    cli: Cli, profiles: Callable[[Sequence[str]], None], isolation: Path
) -> None:
    """``completion --profiles`` prints the profiles with a pool, and none that is an option or an escape."""
    profiles([*HOSTILE, *NOT_OFFERED])
    with (isolation / ".aws" / "config").open("a", encoding="utf-8") as file:
        file.write("[profile other]\nregion = us-east-1\n")
    done = cli("completion", "--profiles")

    assert done == Done(0, "".join(f"{name}\n" for name in sorted(HOSTILE)), "")


@pytest.mark.quick
def test_names_are_quick(cli: Cli, profiles: Callable[[Sequence[str]], None]) -> None:
    """What runs at each Tab loads the parser of the config file, and neither the commands nor any library."""
    profiles(["guest"])
    code = (
        "import sys; from cognito_credentials.cli import main; main(['completion', '--profiles']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    environ = {name: value for name, value in cli.environ.items() if not name.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    loaded = set(done.stderr.split())

    assert done.stdout == "guest\n"
    assert "configparser" in loaded
    assert not loaded & {"argparse", "botocore", "filelock", "json", "ssl", "subprocess"}
    assert not {name for name in loaded if name.startswith("cognito_credentials.cli.commands")}


@pytest.mark.quick
@pytest.mark.parametrize("name", SHELLS)
def test_a_script_has_each_command_and_option(name: str) -> None:
    """Each script has every command, every option and, where a shell shows them, what they are for."""
    written = script(name, COMMANDS)
    described = describe(COMMANDS)

    assert [command.name for command in described] == ["", *(entry.name for entry in COMMANDS)]
    for command in described[1:]:
        assert command.summary
        assert re.search(rf"(?<![\w-]){command.name}(?![\w-])", written)
        assert name == "bash" or command.summary.replace("'", "")[:20] in written.replace("\\", "").replace(
            "'", ""
        )
    for option in (option for command in described for option in command.options):
        assert option.summary, option.names
        for option_name in option.names:
            in_fish = f"-l {option_name[2:]} " if option_name.startswith("--") else f"-s {option_name[1:]} "
            assert (in_fish if name == "fish" else option_name) in written


@pytest.mark.quick
def test_words_are_for_options_that_exist() -> None:
    """Each option for which words are named apart from the parser is one, and has them."""
    values = {value.words for c in describe(COMMANDS) for o in c.options if (value := o.value) is not None}

    assert {tuple(words) for words in WORDS.values()} <= values


@pytest.mark.quick
def test_powershells_script_is_well_formed() -> None:
    """PowerShell is no package of Debian, PyPI or npm, so that its script is parsed and not run."""
    tree_sitter = pytest.importorskip("tree_sitter")
    powershell = pytest.importorskip("tree_sitter_powershell")
    parser = tree_sitter.Parser(tree_sitter.Language(powershell.language()))
    written = script("powershell", COMMANDS).encode()

    assert not parser.parse(written).root_node.has_error
    assert parser.parse(written.replace(b"-Wildcard ($kind)", b"-Wildcard ($kind")).root_node.has_error


@pytest.mark.quick
def test_no_shell_or_a_wrong_one_is_an_error(call: Callable[..., Done]) -> None:
    """The error names the shells."""
    nothing, wrong, both = (call("completion", *argv) for argv in ([], ["tcsh"], ["bash", "--profiles"]))

    assert (nothing.code, wrong.code, both.code) == (2, 2, 2)
    assert all(shell in done.line for shell in SHELLS for done in (nothing, wrong, both))


def test_zsh_completes_from_a_folder_of_functions(
    isolation: Path, cli: Cli, profiles: Callable[[Sequence[str]], None]
) -> None:
    """A script that was printed into a folder of ``fpath`` works as one that was evaluated."""
    profiles(["guest"])
    folder = isolation / "functions"
    folder.mkdir()
    (folder / "_cognito-credentials").write_text(script("zsh", COMMANDS), "utf-8")
    opened = Shell(
        "zsh",
        isolation,
        cli.environ,
        start="fpath=(~/functions $fpath)\nautoload -Uz compinit && compinit -u\n",
    )
    got = [opened.type("export --profile gue\t") for _ in range(2)]
    opened.close()

    assert got == [["export", "--profile", "guest"]] * 2


def test_bash_completes_without_bash_completion(
    isolation: Path, cli: Cli, profiles: Callable[[Sequence[str]], None]
) -> None:
    """Without the package bash-completion, as on macOS, another program's name and files are completed."""
    profiles(["guest"])
    (isolation / "file of it").touch()
    opened = Shell("bash", isolation, cli.environ, start='eval "$(cognito-credentials completion bash)"\n')
    got = [opened.type("exec --prof\tgue\t-- othe\tfile\t"), opened.type("exec -- other file\t")]
    opened.close()

    assert got == [
        ["exec", "--profile", "guest", "--", "other", "file of it"],
        ["exec", "--", "other", "file of it"],
    ]


def _quoted(name: str) -> str:
    """Write a name as botocore reads it in a section's head, which it splits as a shell would."""
    return "'" + name.replace("'", "'\"'\"'") + "'"


def _apart(arguments: Sequence[str]) -> list[str]:
    """Write ``--name=value`` as ``--name value``."""
    return [part for text in arguments for part in (text.split("=", 1) if text.startswith("--") else [text])]
