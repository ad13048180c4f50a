"""`configure`: flags or answers become a profile that works, or nothing is written at all."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.configloader import load_config

from cognito_credentials.cli import config_file, own_command
from cognito_credentials.cli.command import Invocation
from cognito_credentials.cli.commands import COMMANDS
from cognito_credentials.cli.own_command import credential_process, is_ours
from cognito_credentials.cli.parser import parse
from cognito_credentials.cli.terminal import Terminal
from cognito_credentials.cli.wizard import Answers, ask_all
from cognito_credentials.errors import ConfigurationError
from tests.cli.conftest import Cli, Done, python

Call = Callable[..., Done]
Config = Callable[..., Path]
POOL = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"
FLAGS = ("configure", "--profile", "guest", "--identity-pool-id", POOL)


def test_all_flags_write_a_profile_without_a_question(call: Call, isolation: Path) -> None:
    """The file is new, only its owner can read it, and it has each flag under its profile key."""
    done = call(
        *FLAGS, "--region", "eu-west-1", "--login", "accounts.google.com=file:/run/token",
        "--login", "login.example.com=command:get-token --audience app", "--user", "ada",
        "--account-id", "210987654321", "--yes",
    )  # fmt: skip

    path = isolation / ".aws" / "config"
    assert done.code == 0, done.err
    assert path.read_text() == (
        "[profile guest]\n"
        f"cognito_identity_pool_id = {POOL}\n"
        "aws_account_id = 210987654321\n"
        "cognito_user = ada\n"
        "region = eu-west-1\n"
        "cognito_logins =\n"
        "  accounts.google.com = file:/run/token\n"
        "  login.example.com = command:get-token --audience app\n"
        f"credential_process = {credential_process('guest')}\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert all(f"+{line}" in done.out.splitlines() for line in path.read_text().splitlines())
    assert os.listdir(path.parent) == ["config"]


def test_the_region_is_the_pools_unless_there_is_one(call: Call, config: Config) -> None:
    """The AWS CLI needs a region, so one is written; a region that the profile has is not replaced."""
    path = config("[profile guest]\nregion = ap-south-1\n")
    call(*FLAGS, "--yes")
    call("configure", "--profile", "other", "--identity-pool-id", POOL, "--yes")

    profiles = load_config(str(path))["profiles"]
    assert profiles["guest"]["region"] == "ap-south-1"
    assert profiles["other"]["region"] == "us-east-1"


def test_flow_role_and_policy_are_written_on_one_line(call: Call, config: Config, tmp_path: Path) -> None:
    """A policy given as a file becomes one line of the profile."""
    policy = tmp_path / "policy.json"
    policy.write_text('{\n  "Version": "2012-10-17",\n  "Statement": []\n}\n')
    path = config("")
    done = call(
        *FLAGS, "--flow", "basic", "--role-arn", "arn:aws:iam::123456789012:role/guest",
        "--duration-seconds", "7200", "--policy", f"file://{policy}", "--yes",
    )  # fmt: skip

    assert done.code == 0, done.err
    profile = load_config(str(path))["profiles"]["guest"]
    assert profile["cognito_policy"] == '{"Version":"2012-10-17","Statement":[]}'
    assert (profile["cognito_flow"], profile["cognito_duration_seconds"]) == ("basic", "7200")


def test_a_dry_run_and_a_second_run_write_nothing(call: Call, config: Config) -> None:
    """--dry-run only shows the change; a second run has nothing to change."""
    path = config("# mine\n")
    shown = call(*FLAGS, "--dry-run")
    assert (shown.code, path.read_text()) == (0, "# mine\n")
    assert "+[profile guest]" in shown.out

    call(*FLAGS, "--yes")
    before = path.stat()
    again = call(*FLAGS, "--yes")
    assert again == Done(0, "Profile 'guest' is as asked for already; nothing to write.\n", "")
    assert path.stat().st_ino == before.st_ino


def test_one_setting_can_be_changed_or_removed_alone(call: Call, config: Config) -> None:
    """For a profile with a pool, one flag is enough; an empty value removes the setting."""
    path = config("")
    call(*FLAGS, "--user", "ada", "--login", "a.example.com=env:TOKEN", "--yes")
    call("configure", "--profile", "guest", "--user", "bob", "--yes")
    assert load_config(str(path))["profiles"]["guest"]["cognito_user"] == "bob"

    call("configure", "--profile", "guest", "--user", "", "--yes")
    assert "cognito_user" not in load_config(str(path))["profiles"]["guest"]
    assert load_config(str(path))["profiles"]["guest"]["cognito_logins"] == {"a.example.com": "env:TOKEN"}


OTHER_STYLES = [
    ("config", "[profile guest]\naws_access_key_id = AKIACANARYCANARY0000\n", "aws_access_key_id"),
    ("credentials", "[guest]\naws_access_key_id = AKIACANARYCANARY0000\n", "aws_access_key_id"),
    (
        "config",
        "[profile guest]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = y\n",
        "role_arn",
    ),
    ("config", "[profile guest]\nsso_session = corp\n", "sso_session"),
    ("config", "[profile guest]\nlogin_session = arn:aws:iam::123456789012:user/x\n", "login_session"),
    ("config", "[profile guest]\ncredential_process = /opt/other --flag\n", "credential_process"),
    ("credentials", "[guest]\ncredential_process = /opt/other\n", "credential_process"),
]


@pytest.mark.writes_secrets
@pytest.mark.parametrize(("file", "text", "key"), OTHER_STYLES)
def test_another_kind_of_profile_is_not_overwritten(
    call: Call, config: Config, file: str, text: str, key: str
) -> None:
    """A profile with keys, a role or another sign-in is left alone; the error names the key in the way."""
    path = config(text, file)
    done = call(*FLAGS, "--yes")

    assert (done.code, done.out) == (4, "")
    assert f"profile 'guest' has {key} in " in done.line
    assert path.read_text() == text
    assert os.listdir(path.parent) == [file]


def test_our_own_line_of_another_installation_is_replaced(call: Call, config: Config) -> None:
    """A profile whose credential_process runs this program from another virtual environment is changed."""
    path = config(
        '[profile guest]\ncredential_process = "/old/cognito-credentials" credential-process --profile x\n'
    )
    assert call(*FLAGS, "--yes").code == 0
    assert load_config(str(path))["profiles"]["guest"]["credential_process"] == credential_process("guest")


@pytest.mark.writes_secrets
def test_the_change_is_shown_without_its_neighbours_secrets(call: Call, config: Config) -> None:
    """The diff shows lines around the change: keys of other profiles are masked, escape sequences removed."""
    path = config(
        "[profile old]\naws_access_key_id = AKIACANARYCANARY0000\naws_secret_access_key = CANARYsecret\n"
        "aws_session_token = CANARYtoken\n# \x1b[2J\u202e\n"
    )
    done = call(*FLAGS, "--yes")

    assert done.code == 0
    assert "CANARYsecret" not in done.out
    assert "CANARYtoken" not in done.out
    assert " aws_secret_access_key  = ***\n" in done.out
    assert all(line.isprintable() for line in done.out.splitlines())
    assert "CANARYsecret" in path.read_text()


BAD = [
    (("--identity-pool-id", "nonsense"), 4, "cognito_identity_pool_id|identity_pool_id"),
    (("--identity-pool-id", POOL, "--flow", "basic"), 4, "role_arn"),
    (("--identity-pool-id", POOL, "--login", "a.b=/run/token:x"), 4, "no login source"),
    (("--identity-pool-id", POOL, "--user", "a\n[default]"), 4, "line break"),
    (("--identity-pool-id", POOL, "--endpoint-url", "http://127.0.0.1:1"), 2, "no endpoint"),
    ((), 2, "--identity-pool-id is missing"),
]


@pytest.mark.parametrize(("argv", "code", "said"), BAD)
def test_what_could_not_work_is_not_written(
    call: Call, config: Config, argv: tuple[str, ...], code: int, said: str
) -> None:
    """The settings are checked as a whole before anything is shown or written."""
    path = config("[default]\n")
    done = call("configure", "--profile", "guest", *argv, "--yes")

    assert (done.code, done.out) == (code, "")
    assert any(word in done.line for word in said.split("|"))
    assert path.read_text() == "[default]\n"


@pytest.mark.parametrize(
    "data",
    [
        b"[profile x\n",
        b"[default]\nregion = \xff\n",
        b"region = x\n",
        b"\xef\xbb\xbf[default]\n",
        b"[a]\nb\n",
    ],
)
def test_a_file_that_is_broken_already_is_left_alone(call: Call, config: Config, data: bytes) -> None:
    """A file that is malformed, is not UTF-8 or has a byte order mark is refused and not touched."""
    path = config("")
    path.write_bytes(data)
    done = call(*FLAGS, "--yes")

    assert (done.code, done.out) == (4, "")
    assert "config file" in done.line
    assert path.read_bytes() == data


def test_without_a_terminal_and_without_yes_nothing_is_written(cli: Cli, isolation: Path) -> None:
    """Without a terminal it cannot ask, so it does not write."""
    done = cli(*FLAGS)

    assert done.code == 2
    assert "Add --yes" in done.line
    assert not (isolation / ".aws").exists()


def test_a_symbolic_link_stays_one_and_the_mode_stays(call: Call, isolation: Path, tmp_path: Path) -> None:
    """A symbolic link stays, and the file that it leads to is changed."""
    target = tmp_path / "dotfiles" / "aws-config"
    target.parent.mkdir()
    target.write_text("# kept\n")
    target.chmod(0o640)
    link = isolation / ".aws" / "config"
    link.parent.mkdir()
    link.symlink_to(target)
    assert call(*FLAGS, "--yes").code == 0

    assert link.is_symlink()
    assert target.read_text().startswith("# kept\n\n[profile guest]\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(target.parent) == ["aws-config"]


def test_aws_config_file_is_where_it_is_written(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS_CONFIG_FILE names another file; a device is refused."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "deep" / "er" / "config"))
    assert call(*FLAGS, "--yes").code == 0
    assert "[profile guest]" in (tmp_path / "deep" / "er" / "config").read_text()

    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    done = call(*FLAGS, "--yes")
    assert done.code == 4
    assert "not a regular file" in done.line


def test_a_change_by_somebody_else_meanwhile_wins(config: Config) -> None:
    """A file that has changed since it was read is not replaced."""
    path = config("mine\n")

    with pytest.raises(ConfigurationError, match="changed meanwhile"):
        config_file.replace(str(path), b"ours\n", before=b"read\n")
    assert path.read_text() == "mine\n"


def test_a_write_that_fails_leaves_the_file_and_no_rubbish(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full, the file stays as it was."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = config("mine\n")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ConfigurationError, match="No space left"):
        config_file.replace(str(path), b"ours\n", before=b"mine\n")

    assert path.read_text() == "mine\n"
    assert os.listdir(path.parent) == ["config"]


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def _ask(
    answers: Answers, typed: str, current: dict[str, str], *, is_named: bool = False
) -> tuple[Answers, str]:
    screen = _Screen()
    terminal = Terminal(_Screen(typed), None, screen)
    return ask_all(terminal, answers, lambda _: current, is_named=is_named), screen.getvalue()


NOTHING = Answers(profile="default", settings={}, region=None, logins=None, current={})


def test_the_wizard_asks_little_and_again_when_it_must() -> None:
    """A question shows the current answer in brackets; a wrong answer is explained and asked for again."""
    typed = f"guest\nnonsense\n{POOL}\n\neyJCANARY\naccounts.google.com=file:/run/token\n"
    answers, shown = _ask(NOTHING, typed, {})

    assert answers.profile == "guest"
    assert answers.settings == {"identity_pool_id": POOL}
    assert answers.region == "us-east-1"
    assert answers.logins == {"accounts.google.com": "file:/run/token"}
    assert "Profile [default]: Identity pool ID: " in shown
    assert "Region [us-east-1]: " in shown
    assert "not REGION:GUID" in shown
    assert "CANARY" not in shown


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("http://login.example.com\nhttps://login.example.com\ndesktop\n", "https"),
        ("https://login.example.com?x=1\nhttps://login.example.com\ndesktop\n", "PROVIDER=SOURCE"),
        ("https://login.example.com\nmy client\ndesktop\n", "not a client id"),
        ("https://login.example.com\n\ndesktop\n", "is empty"),
        ("a.example.com=fil:/x\nhttps://login.example.com\ndesktop\n", "fil"),
        ("developer:http://app.example.com\nhttps://login.example.com\ndesktop\n", "https"),
    ],
)
def test_a_wrong_answer_loses_no_other(typed: str, says: str) -> None:
    """A wrong answer is explained and asked for again, and no other question is."""
    answers, shown = _ask(NOTHING, f"app\n{POOL}\n\n{typed}", {})

    assert answers.sign_in == {
        "cognito_oidc_issuer": "https://login.example.com",
        "cognito_oidc_client_id": "desktop",
    }
    assert says in shown
    assert shown.count("Identity pool ID") == 1


def test_a_profile_of_another_kind_is_said_at_once(config: Config) -> None:
    """The wizard asks for another profile before it asks for anything else."""
    path = config("[profile sso]\nsso_session = x\n[bare]\nregion = us-east-1\n")
    screen = _Screen()
    terminal = Terminal(_Screen(f"sso\nbare\nnew\n{POOL}\n\nnone\ny\n"), io.StringIO(), screen)
    argv = ["configure"]
    invocation = Invocation(argv, parse(argv, COMMANDS), os.environ, terminal)

    assert invocation.options.command.run(invocation) == 0
    assert "profile 'sso' has sso_session" in screen.getvalue()
    assert "it must be [profile bare]" in screen.getvalue()
    assert screen.getvalue().count("Identity pool ID") == 1
    assert "[profile new]" in path.read_text()


def test_wrong_ports_lose_no_other_answer() -> None:
    """Ports below 1024 are asked for again."""
    answers, shown = _ask(NOTHING, f"app\n{POOL}\n\nus-east-1_Ab1Cd2Ef3\n1example\n80\n8400\n", {})

    assert answers.sign_in["cognito_redirect_ports"] == "8400"
    assert shown.count("Callback ports") == 2


def test_the_wizard_keeps_what_is_there_on_enter() -> None:
    """Enter, enter, enter changes nothing; `none` takes the login away."""
    current = {
        "cognito_identity_pool_id": POOL,
        "region": "eu-west-1",
        "cognito_logins": "\na.example.com = env:A",
    }
    answers, shown = _ask(NOTHING, "\n\n\n\n", current)
    guest, _ = _ask(NOTHING, "\n\n\nnone\n", current)

    assert (answers.settings, answers.region) == ({"identity_pool_id": POOL}, "eu-west-1")
    assert answers.logins is None
    assert guest.logins == {}
    assert "[a.example.com=env:A]" in shown


def test_the_wizard_takes_and_keeps_a_back_end() -> None:
    """`developer:URL` needs no provider's name, and Enter keeps it."""
    back_end = "developer:https://app.example.com/token"
    chosen, _ = _ask(NOTHING, f"app\n{POOL}\n\n{back_end}\n", {})
    current = {"cognito_identity_pool_id": POOL, "region": "us-east-1", "cognito_logins": back_end}
    kept, shown = _ask(NOTHING, "\n\n\n\n", current)

    assert chosen.logins == {None: back_end}
    assert kept.logins is None
    assert f"[{back_end}]" in shown


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["--identity-pool-id", ""], 4, "identity_pool_id from the command line is empty"),
        (
            ["--identity-pool-id", "us-esat-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"],
            4,
            "identity_pool_id from the command line begins with 'us-esat-1', which is no region",
        ),
        (["--identity-pool-id", POOL, "--region", "us-esat-1"], 4, "is no region: 'us-esat-1'"),
        (["--identity-pool-id", POOL, "--region", ""], 4, "is no region"),
        (["--identity-pool-id", POOL, "--flow", "fast"], 4, "flow from the command line is neither"),
        (["--identity-pool-id", POOL, "--profile", ""], 2, "--profile is empty"),
    ],
)
@pytest.mark.parametrize("exists", [False, True], ids=["new profile", "profile that exists"])
def test_what_the_command_line_gives_is_checked_by_its_name(
    call: Call, config: Config, isolation: Path, argv: list[str], code: int, said: str, exists: bool
) -> None:
    """An empty variable of a shell, or a typing mistake, is named as an option's, and nothing is written."""
    text = f"[default]\ncognito_identity_pool_id = {POOL}\n" if exists else ""
    config(text)
    done = call("configure", *argv, "--yes")

    assert (done.code, done.out) == (code, "")
    assert said in done.line
    assert (isolation / ".aws" / "config").read_text() == text


@pytest.mark.parametrize(
    ("flags", "ports"),
    [
        ([], "8400,8401"),
        (["--redirect-ports", "9000"], "9000"),
        (["--sign-in", "password"], None),
        (["--sign-in", "browser"], "8400,8401"),
    ],
)
def test_flags_write_the_ports_that_the_wizard_proposes(
    call: Call, isolation: Path, flags: list[str], ports: str | None
) -> None:
    """A user pool set up by flags can be signed in to; what is to be registered for its client is said."""
    pool = ["--user-pool-id", "us-east-1_Ab1Cd2Ef3", "--client-id", "1example"]
    done = call("configure", "--profile", "app", "--identity-pool-id", POOL, *pool, *flags, "--yes")

    written = load_config(str(isolation / ".aws" / "config"))["profiles"]["app"]
    assert done.code == 0
    assert written.get("cognito_redirect_ports") == ports
    needed = [f"http://127.0.0.1:{port}/callback" for port in (ports or "").split(",") if port]
    assert ("among its callback URLs" in done.err) is bool(needed)
    assert "cognito-credentials login --profile app" in done.err

    moved = call("configure", "--profile", "app", "--login-store", "file", "--yes")
    assert "cognito-credentials login --profile app" in moved.err
    assert all(url in done.err for url in needed)


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (
            "us-east-1_Ab1Cd2Ef3\n1example\n\n",
            {
                "cognito_user_pool_id": "us-east-1_Ab1Cd2Ef3",
                "cognito_client_id": "1example",
                "cognito_redirect_ports": "8400,8401",
            },
        ),
        (
            "https://login.example.com\ndesktop\n",
            {"cognito_oidc_issuer": "https://login.example.com", "cognito_oidc_client_id": "desktop"},
        ),
    ],
)
def test_the_wizard_sets_up_signing_in(typed: str, keys: dict[str, str]) -> None:
    """The form of one answer tells a user pool from an issuer; only what that one needs is asked next."""
    answers, shown = _ask(NOTHING, f"app\n{POOL}\n\n{typed}", {})

    assert answers.sign_in == keys
    assert answers.logins == {}
    assert "The ID of a user pool; an issuer" in shown


def test_the_wizard_changes_who_signs_in_where() -> None:
    """Another kind of login replaces the current one; Enter keeps it."""
    current = {
        "cognito_identity_pool_id": POOL,
        "cognito_user_pool_id": "us-east-1_Ab1Cd2Ef3",
        "cognito_client_id": "1example",
    }
    kept, shown = _ask(NOTHING, "\n\n\n\n", current)
    guest, _ = _ask(NOTHING, "\n\n\nnone\n", current)
    tokens, _ = _ask(NOTHING, "\n\n\na.example.com=env:A\n", current)

    assert "Login [us-east-1_Ab1Cd2Ef3]: " in shown
    assert (kept.sign_in, kept.logins) == ({}, None)
    gone = {"cognito_user_pool_id": "", "cognito_client_id": ""}
    assert (guest.sign_in, guest.logins) == (gone, {})
    assert (tokens.sign_in, tokens.logins) == (gone, {"a.example.com": "env:A"})


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--user-pool-id", "us-east-1_Ab1Cd2Ef3"], "needs cognito_client_id"),
        (["--oidc-issuer", "http://login.example.com", "--oidc-client-id", "x"], "https"),
        (["--user-pool-id", "us-east-1_Ab1Cd2Ef3", "--client-id", "x", "--redirect-ports", "80"], "ports"),
        (
            ["--oidc-issuer", "https://a.example.com", "--oidc-client-id", "x", "--login-store", "x"],
            "keyring",
        ),
    ],
)
def test_a_profile_that_nobody_could_sign_in_to_is_not_written(
    call: Callable[..., Done], isolation: Path, flags: list[str], says: str
) -> None:
    """The settings for signing in are checked together before anything is written: exit 4."""
    done = call(*FLAGS, *flags, "--yes")

    assert done.code == 4
    assert says in done.err
    assert not (isolation / ".aws" / "config").exists()


def test_the_help_shows_no_option_that_is_refused(call: Call) -> None:
    """An endpoint would be that of all services, so the help of ``configure`` does not offer one."""
    assert "--endpoint-url" in call("whoami", "--help").out
    assert "--endpoint-url" not in call("configure", "--help").out
    assert "SUPPRESS" not in call("completion", "fish").out


def test_no_more_answers_is_the_end() -> None:
    """At the end of stdin it stops asking."""
    with pytest.raises(EOFError):
        _ask(NOTHING, "guest\n", {})


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 130), ("\x04", 130)])
def test_on_a_real_terminal_it_asks_before_it_writes(
    cli: Cli, isolation: Path, answer: str, code: int
) -> None:
    """Only yes writes; no and the end of input do not. Questions go to stderr."""
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        python(*FLAGS),
        env=cli.environ,
        stdin=terminal,
        stderr=terminal,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    os.close(terminal)
    shown = b""
    while b"(y/n) [y]: " not in shown:
        shown += os.read(controller, 1024)
    os.write(controller, answer.encode() + (b"\n" if answer.isalpha() else b""))
    out = process.communicate(timeout=20)[0]
    os.close(controller)

    assert process.returncode == code
    assert (isolation / ".aws" / "config").exists() is (code == 0)
    assert "(y/n)" not in out


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ('"/a b/cognito-credentials" credential-process --profile x', True),
        ("cognito-credentials credential-process", True),
        ("/usr/bin/python3 -m cognito_credentials credential-process --profile x", True),
        ('python3 "/a b/cognito_credentials/__main__.py" credential-process --profile x', True),
        ("/a/bin/python -E /a/bin/cognito-credentials.py credential-process --profile x", True),
        ('"/a b/python" -E "/a b/cognito-credentials.py" credential-process --profile x', True),
        ("/opt/other credential-process --profile cognito-credentials", False),
        ("/opt/other credential-process", False),
        ("cognito-credentials export", False),
        ('"unbalanced credential-process', False),
        ("", False),
    ],
)
def test_our_own_lines_are_recognised(text: str, ours: bool) -> None:
    """A line is ours by its program and subcommand, wherever the program is installed."""
    assert is_ours(text) is ours


def test_what_is_written_has_plain_words_where_it_can(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only a word that a shell would change is quoted, and the script of ours is preferred to any wrapper."""
    monkeypatch.setattr(own_command, "_beside", lambda name: [f"/nowhere/{name}", str(tmp_path / name)])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "cognito-credentials").touch(0o755)
    wrapper = credential_process("guest")
    (tmp_path / "cognito-credentials.py").touch()
    script = credential_process("Ü b$")

    assert wrapper == f"{tmp_path}/cognito-credentials credential-process --profile guest"
    assert script == (
        f"{tmp_path}/python -E {tmp_path}/cognito-credentials.py credential-process --profile " + "Ü\\ b\\$"
    )
    assert is_ours(wrapper)
    assert is_ours(script)


def test_what_is_written_runs(cli: Cli, emulator: Any, pool_id: str, config: Config, isolation: Path) -> None:
    """The line in the profile, split as botocore splits it, gives credentials."""
    from botocore.compat import compat_shell_split

    config("")
    assert cli("configure", "--profile", "a b", "--identity-pool-id", pool_id, "--yes").code == 0
    path = isolation / ".aws" / "config"
    words = compat_shell_split(load_config(str(path))["profiles"]["a b"]["credential_process"])
    done = subprocess.run(words, env=cli.environ, capture_output=True, text=True)

    assert os.path.isabs(words[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('{"Version": 1, ')


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy does not list what it imports")
def test_without_a_script_nothing_of_the_working_directory_runs(
    cli: Cli, emulator: Any, pool_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    Attack: the line of an installation without a script runs no folder of our name in the working directory.

    Nor does it run a file of the name of any module that it imports.
    """
    from botocore.compat import compat_shell_split

    monkeypatch.setattr(own_command, "_beside", lambda _: [])
    words = compat_shell_split(own_command.credential_process("guest"))
    listed = subprocess.run(
        [words[0], "-X", "importtime", *words[1:]], env=cli.environ, capture_output=True, text=True
    )
    modules = {line.rpartition("|")[2].strip().partition(".")[0] for line in listed.stderr.splitlines()}
    assert {"ssl", "socket", "json", "cognito_credentials"} <= modules
    for name in modules - {"cognito_credentials"}:
        (tmp_path / f"{name}.py").write_text("open('seen', 'w')")
    (tmp_path / "cognito_credentials").mkdir()
    for name in ("__init__", "__main__"):
        (tmp_path / "cognito_credentials" / f"{name}.py").write_text("open('seen', 'w')")
    cli("clear", "--profile", "guest", "--yes")

    done = subprocess.run(words, env=cli.environ, cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('{"Version": 1, ')
    assert not (tmp_path / "seen").exists()


def test_an_empty_login_removes_logins(call: Call, config: Config) -> None:
    """An empty --login removes the logins, as with every other setting; nothing else changes."""
    path = config("")
    call(*FLAGS, "--login", "a.b=file:/x", "--user", "ada", "--yes")
    done = call("configure", "--profile", "guest", "--login", "", "--yes")

    profile = load_config(str(path))["profiles"]["guest"]
    assert done.code == 0, done.err
    assert "cognito_logins" not in profile
    assert profile["cognito_user"] == "ada"


def test_the_change_is_shown_without_question_marks(call: Call, config: Config) -> None:
    """Tabs of the diff's heading and of the file are shown as spaces; --quiet with --yes shows nothing."""
    path = config("[default]\nregion\t=\tus-east-1\n")
    shown = call(*FLAGS, "--dry-run")
    quiet = call(*FLAGS, "--yes", "--quiet")

    assert shown.out.startswith(f"--- {path} now\n+++ {path} then\n")
    assert " region = us-east-1\n" in shown.out
    assert "?" not in shown.out
    assert quiet.out == f"Wrote profile 'guest' to {path}.\n"


def test_yes_alone_completes_a_profile_that_has_its_pool(call: Call, config: Config) -> None:
    """A profile written by hand gets its credential_process, and its pool need not be given again."""
    path = config(f"[profile guest]\ncognito_identity_pool_id = {POOL}\n")
    done = call("configure", "--profile", "guest", "--yes")

    assert done.code == 0, done.err
    assert load_config(str(path))["profiles"]["guest"]["credential_process"] == credential_process("guest")


def test_a_section_that_is_no_profile_is_named(call: Call, config: Config) -> None:
    """[guest] is no profile in this file; a [profile guest] beside it would hide the mistake."""
    path = config(f"[guest]\ncognito_identity_pool_id = {POOL}\n")
    before = path.read_text()
    written = call(*FLAGS, "--yes")
    read = call("status", "--profile", "guest")

    assert (written.code, read.code) == (4, 4)
    for done in (written, read):
        assert "found [guest]" in done.line
        assert "n this file it must be [profile guest]" in done.line
    assert path.read_text() == before
