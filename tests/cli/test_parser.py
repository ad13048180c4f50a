"""Command lines: options, help, and usage errors."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from cognito_credentials.cli.command import Action, Entry
from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.cli.parser import options_of, parse
from tests.cli.conftest import Cli, Done

TOKEN = "eyJCANARYhbGciOiJSUzI1NiJ9.eyJCANARYzdWIiOiJ4In0.CANARYsignature"
Call = Callable[..., Done]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_each_command_ends_with_a_worked_example(call: Call, command: object) -> None:
    """`COMMAND --help` exits with 0 and ends with a command to copy."""
    done = call(command.name, "--help")  # type: ignore[attr-defined]  # parametrize gives a Command

    assert done.code == 0
    assert done.err == ""
    example = done.out.partition("\nexample:\n")[2]
    assert f"cognito-credentials {command.name}" in example or "cognito-credentials" in example  # type: ignore[attr-defined]
    assert done.out.endswith(example)
    assert max(len(line) for line in example.splitlines()) <= 125


def test_top_help_lists_every_command_under_a_heading_and_the_exit_codes(call: Call) -> None:
    """The help shows all commands, the meaning of exit codes, and what to type first."""
    done = call("--help")

    assert done.code == 0
    for command in COMMANDS:
        assert f"\n  {command.name.ljust(18)}  {command.summary}\n" in done.out
    for code in ("0  ok", "3  login required", "127  exec", "130  Ctrl-C"):
        assert code in done.out
    assert done.out.rstrip().endswith(
        "(an identity pool becomes AWS credentials, step by step, on this machine)"
    )


@pytest.mark.parametrize(
    ("argv", "same"),
    [
        ([], ["--help"]),
        (["export"], ["export", "--help"]),
        (["help"], ["help", "--help"]),
        (["cache"], ["cache", "--help"]),
        (["cache", "backup"], ["cache", "backup", "--help"]),
        (["developer", "token"], ["developer", "token", "--help"]),
    ],
)
def test_help_is_a_command_too(call: Call, argv: list[str], same: list[str]) -> None:
    """`help COMMAND` is `COMMAND --help`, and `help` alone lists them all."""
    assert call("help", *argv) == call(*same)


def test_help_of_what_is_no_command(call: Call) -> None:
    """`help` suggests a command for a mistyped one."""
    done = call("help", "stauts")

    assert (done.code, done.out) == (2, "")
    assert "Did you mean 'status'?" in done.line


@pytest.mark.parametrize("topic", [("cache", "nope"), ("cache", "backup", "nope"), ("export", "nope")])
def test_help_of_what_is_no_action(call: Call, topic: tuple[str, ...]) -> None:
    """`help` of an action that a command does not have is an error, not the command's own help."""
    done = call("help", *topic)

    assert (done.code, done.out) == (2, "")
    assert f"there is no '{' '.join(topic)}'" in done.line


def test_each_heading_of_the_help_is_there_once(call: Call) -> None:
    """The commands of one heading stand together."""
    headings = [line for line in call("--help").out.splitlines() if line.endswith(":") and line[0] != " "]

    assert len(headings) == len(set(headings))


@pytest.mark.parametrize("command", ["list", "demo", "emulator", "help"])
@pytest.mark.parametrize("option", ["--profile", "--region"])
def test_what_means_nothing_to_a_command_is_refused(call: Call, command: str, option: str) -> None:
    """The option is refused before and behind the command, and the command's help does not have it."""
    before, behind = call(option, "x", command), call(command, option, "x")

    assert (before.code, behind.code) == (2, 2)
    assert f"{command} takes no {option}" in before.line
    assert option in behind.line
    assert f"  {option} " not in call(command, "--help").out


WITH_ACTIONS = [entry for entry in COMMANDS if entry.load().actions]


@pytest.mark.parametrize(
    ("entry", "action"),
    [(entry, action) for entry in WITH_ACTIONS for action in entry.load().actions],
    ids=lambda named: named.name,
)
def test_help_of_each_action_ends_with_a_worked_example(call: Call, entry: Entry, action: Action) -> None:
    """`COMMAND ACTION --help` is that action's own, `COMMAND --help` lists it; completion has its options."""
    own, listed = call(entry.name, action.name, "--help"), call(entry.name, "--help")

    assert (own.code, listed.code) == (0, 0)
    assert own.out.startswith(f"usage: cognito-credentials {entry.name} {action.name} ")
    assert f"cognito-credentials {entry.name} {action.name}" in own.out.partition("\nexample:\n")[2]
    assert f"\n  {action.name} " in listed.out
    assert action.summary in listed.out
    offered = {name for option in options_of(entry) for name in option.option_strings}
    assert set(re.findall(r"^ +(--[a-z-]+)", own.out, re.MULTILINE)) <= offered


def test_an_action_is_found_behind_global_options(call: Call) -> None:
    """Global options may stand before the command, before the action and behind it."""
    lines = [call("--region", "us-est-1", "pool", "list"), call("pool", "--region", "us-est-1", "list")]

    assert lines[0] == lines[1] == call("pool", "list", "--region", "us-est-1")
    assert "Did you mean 'us-west-1'?" in lines[0].line


def test_version_is_one_line_on_stdout(call: Call) -> None:
    """`--version` names the program and its version."""
    done = call("--version")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("cognito-credentials ")
    assert done.out.count("\n") == 1


def test_a_global_option_behind_the_command_replaces_one_before_it() -> None:
    """An alias of the shell may stand for `cognito-credentials --profile a`."""
    assert parse(["--profile", "a", "status", "--profile", "b"], COMMANDS).profile == "b"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "no command is given. Run 'cognito-credentials --help' to see the commands (see E-USAGE)."),
        (["expotr"], "there is no command 'expotr'. Did you mean 'export'?"),
        (["--profile", "guest", "stauts"], "there is no command 'stauts'. Did you mean 'status'?"),
        (["frobnicate"], "there is no command 'frobnicate'. Run 'cognito-credentials --help' to see the"),
        (["sign-in"], "there is no command 'sign-in'"),
        (["export", "--formt", "env"], "there is no option --formt. Did you mean --format?"),
        (["--profil", "x", "status"], "there is no option --profil. Did you mean --profile?"),
        (["status", "--prof", "x"], "there is no option --prof. Did you mean --profile?"),
        (["export", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
        (
            ["status", "guest"],
            "unexpected argument 'guest'. A profile is chosen with --profile NAME",
        ),
        (["login", "guest"], "unexpected argument (not shown). A profile is chosen with --profile NAME"),
        (
            ["exec", "guest", "--", "true"],
            "'guest' stands before '--', where options stand. A profile is chosen with --profile NAME",
        ),
        (["-V"], "there is no option -V. Did you mean --version?"),
        (["status", "--pool", "x"], "there is no option --pool. Did you mean --identity-pool-id?"),
        (
            ["doctor", "--identity-pool-id", "x"],
            "there is no option --identity-pool-id here. Name a profile of the pool with --profile, or set",
        ),
        (["status", "--arn", "x"], "there is no option --arn. Did you mean --custom-role-arn?"),
        (["emulator", "--port", "many"], "argument --port: 'many' is no port: it is from 0 to 65535"),
        (["status", "--profile"], "argument --profile: expected one argument"),
        (["export", "--unset", "--format", "ini"], "the format ini sets nothing that could be removed"),
        (
            ["pool"],
            "pool takes one of plan, apply, list, export, delete. Run 'cognito-credentials pool --help'",
        ),
        (["pool", "plna", "x"], "there is no 'pool plna'. Did you mean 'pool plan'?"),
        (["pool", "frobnicate"], "there is no 'pool frobnicate'. Run 'cognito-credentials pool --help'"),
        (["pool", "plan"], "the following arguments are required: FILE"),
        (["pool", "plan", "x", "--delet"], "there is no option --delet. Did you mean --delete?"),
        (["pool", "plan", "x", "y"], "unexpected argument 'y'"),
        (
            ["serve", "--env-file", "a", "--env-file=b"],
            "--env-file is given twice. Give it once (see E-USAGE).",
        ),
        (
            ["--profile", "a", "--profile", "b", "list"],
            "--profile is given twice. Give it once (see E-USAGE).",
        ),
        (["pool", "--yes", "apply", "x"], "there is no option --yes"),
        (["exec", "--servers", "--", "true"], "there is no option --servers. Did you mean --server?"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(call: Call, argv: list[str], said: str) -> None:
    """A usage error is one line, which suggests what was probably meant."""
    done = call(*argv)

    assert done.code == 2
    assert done.out == ""
    assert done.line.startswith(f"cognito-credentials: {said}")


@pytest.mark.parametrize(
    "argv",
    [
        ["export", "--token", TOKEN],
        ["export", f"--token={TOKEN}"],
        ["export", "--id-token", "opaque-CANARY-token"],
        ["credential-process", "--login", TOKEN],
        ["credential-process", "--login", f"accounts.google.com={TOKEN}"],
        ["credential-process", "--login", f"{TOKEN}=="],
        ["credential-process", "--login", "opaque-CANARY-token"],
        ["export", "--duration-seconds", TOKEN],
        ["status", TOKEN],
        [TOKEN],
    ],
)
def test_a_token_in_the_command_line_is_refused_and_not_repeated(cli: Cli, argv: list[str]) -> None:
    """No option takes a token itself, and the error does not repeat it."""
    done = cli(*argv, env={"AWS_COGNITO_IDENTITY_POOL_ID": "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"})

    assert done.code in (2, 4)
    assert done.out == ""
    assert "CANARY" not in done.line


@pytest.mark.parametrize("option", ["--token", "--id-token", "--jwt", "--password"])
def test_the_error_for_a_token_option_says_how_to_give_one(call: Call, option: str) -> None:
    """The error says why there is no such option, and how to give a token."""
    done = call("export", option, "x")

    assert done.code == 2
    assert "other users can see a command line" in done.line
    assert "--login PROVIDER=file:PATH" in done.line


def test_global_options_may_stand_on_either_side_of_the_command(call: Call) -> None:
    """`--profile X status` and `status --profile X` are the same."""
    before = call("--profile", "nope", "status")
    after = call("status", "--profile", "nope")

    assert before == after
    assert before.code == 4


def test_quiet_and_debug_are_known_everywhere(call: Call) -> None:
    """Every command takes --quiet and --debug."""
    for command in COMMANDS:
        assert "--quiet" in call(command.name, "--help").out
