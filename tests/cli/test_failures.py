"""Wrong input and failing services: one line, the right exit code, no traceback, no secret."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials.cli.failures import line, report
from cognito_credentials.cli.terminal import Terminal
from tests.cli.conftest import ROOT, Cli, Done, python

Call = Callable[..., Done]
ID = "us-east-1:0b8d4f1c-9a52-4a6e-8d7e-3f1c2b5a6d70"


def _config(isolation: Path, data: bytes) -> None:
    (isolation / ".aws").mkdir(exist_ok=True)
    (isolation / ".aws" / "config").write_bytes(data)


GOOD = f"[profile guest]\ncognito_identity_pool_id = {ID}\n"
BAD_INPUT: list[tuple[str, str, list[str], dict[str, str], int, str]] = [
    ("no pool", "", ["status"], {}, 4, r"no identity pool is configured.*--identity-pool-id"),
    (
        "malformed pool",
        "",
        ["status", "--identity-pool-id", "pool"],
        {},
        4,
        r"identity_pool_id from the command line is not REGION:GUID",
    ),
    ("pool of a user pool", "", ["status", "--identity-pool-id", "us-east-1_AbC123"], {}, 4, r"user pool"),
    (
        "region of the pool",
        "",
        ["status", "--identity-pool-id", ID.replace("us-east-1", "us-east")],
        {},
        4,
        r"no region\. Did you mean us-east-",
    ),
    (
        "identity elsewhere",
        "",
        ["status", "--identity-pool-id", ID, "--identity-id", ID.replace("us", "eu").replace("east", "west")],
        {},
        4,
        r"identity_id from the command line is in eu-west-1",
    ),
    (
        "unknown flow",
        GOOD,
        ["status", "--profile", "guest", "--flow", "quick"],
        {},
        4,
        r"profile 'guest': .*flow from",
    ),
    (
        "unknown cache",
        GOOD,
        ["status", "--profile", "guest"],
        {"AWS_COGNITO_CACHE": "disk"},
        4,
        r"profile 'guest': .*cache from AWS_COGNITO_CACHE",
    ),
    ("basic without role", GOOD, ["status", "--profile", "guest", "--flow", "basic"], {}, 4, r"role_arn"),
    (
        "no such profile",
        GOOD,
        ["status", "--profile", "gest"],
        {},
        4,
        r"profile 'gest' does not exist\. Did you mean 'guest'\?",
    ),
    (
        "no such AWS_PROFILE",
        GOOD,
        ["status"],
        {"AWS_PROFILE": "gest"},
        4,
        r"'gest' \(from AWS_PROFILE\) does not exist",
    ),
    ("not UTF-8", "\udce9", ["status", "--profile", "guest"], {}, 4, r"config file .* is not UTF-8"),
    (
        "malformed config",
        "[profile guest\n",
        ["status", "--profile", "guest"],
        {},
        4,
        r"config file .*, line 1 is malformed",
    ),
    (
        "misspelt key",
        GOOD + "cognito_login =\n  a.b = file:/x\n",
        ["status", "--profile", "guest"],
        {},
        4,
        r"cognito_login from profile 'guest' is not a setting\. Did you mean cognito_logins\?",
    ),
    (
        "eleven logins",
        "",
        ["status", "--identity-pool-id", ID, *(f"--login=p{n}.example.com=file:/x" for n in range(11))],
        {},
        4,
        r"11 logins.*at most 10",
    ),
    (
        "same login twice",
        "",
        ["status", "--identity-pool-id", ID, "--login", "a.b=file:/x", "--login", "a.b=env:Y"],
        {},
        4,
        r"names a\.b twice",
    ),
    (
        "relative login",
        "",
        ["status", "--identity-pool-id", ID, "--login", "a.b=file:x"],
        {},
        4,
        r"not an absolute path",
    ),
    (
        "login without scheme",
        "",
        ["status", "--identity-pool-id", ID, "--login", "a.b=token-of-mine"],
        {},
        4,
        r"what follows a\.b= is no source\. Write file:PATH, env:NAME or command:ARGV, never",
    ),
    (
        "a token that ends in =",
        "",
        ["status", "--identity-pool-id", ID, "--login", "dG9rZW4tb2YtbWluZQ=="],
        {},
        4,
        r"--login from the command line is not PROVIDER=SOURCE",
    ),
    (
        "a profile that has one",
        GOOD,
        ["status"],
        {},
        4,
        r"Profile 'guest' has one: choose it with --profile guest",
    ),
    (
        "plain http",
        "",
        ["status", "--identity-pool-id", ID, "--endpoint-url", "http://example.com"],
        {},
        4,
        r"plain http to another machine",
    ),
    (
        "plain http set",
        GOOD,
        ["credential-process", "--profile", "guest"],
        {"AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://10.0.0.1"},
        4,
        r"AWS_ENDPOINT_URL_COGNITO_IDENTITY",
    ),
    (
        "region",
        GOOD,
        ["export", "--profile", "guest", "--region", "us-east"],
        {},
        4,
        r"region from the command line is no region.*us-east-1",
    ),
    (
        "policy file",
        GOOD,
        ["status", "--profile", "guest", "--policy", "file:///nonexistent"],
        {},
        4,
        r"policy from the command line: /nonexistent cannot be read",
    ),
    (
        "missing token file",
        "",
        ["credential-process", "--identity-pool-id", ID, "--login", "a.b=file:/nonexistent"],
        {},
        3,
        r"login token file /nonexistent is missing.*sign in again",
    ),
    (
        "missing variable",
        "",
        ["credential-process", "--identity-pool-id", ID, "--login", "a.b=env:NOT_SET"],
        {},
        3,
        r"NOT_SET",
    ),
    (
        "nobody answers",
        GOOD,
        ["credential-process", "--profile", "guest"],
        {"AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://127.0.0.1:9"},
        6,
        r"profile 'guest': ",
    ),
    ("home that is none", "", ["clear", "--all"], {"HOME": "relative"}, 7, r"no home directory"),
    (
        "no such section",
        GOOD + "services = gone\n",
        ["status", "--profile", "guest"],
        {"AWS_ENDPOINT_URL_COGNITO_IDENTITY": ""},
        4,
        r"services",
    ),
]


@pytest.mark.parametrize(
    ("text", "argv", "env", "code", "said"), [row[1:] for row in BAD_INPUT], ids=[row[0] for row in BAD_INPUT]
)
def test_bad_input_is_one_line_with_its_exit_code(
    call: Call,
    isolation: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    argv: list[str],
    env: dict[str, str],
    code: int,
    said: str,
) -> None:
    """Each mistake names the setting and where it came from, and says what to do."""
    if text:
        _config(isolation, text.encode("utf-8", "surrogateescape"))
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    done = call(*argv)

    assert done.code == code, done.err
    assert done.out == ""
    assert done.line.startswith("cognito-credentials: ")
    assert re.search(said, done.line, re.IGNORECASE), done.line


def test_a_cache_directory_that_is_a_file_is_exit_7_and_loses_nothing(
    cli: Cli, pool_id: str, tmp_path: Path
) -> None:
    """An unusable cache directory that the user set is reported before the service is called."""
    blocked = tmp_path / "file"
    blocked.write_text("mine")

    done = cli("credential-process", "--profile", "guest", env={"AWS_COGNITO_CACHE_DIR": str(blocked)})

    assert (done.code, done.out) == (7, "")
    assert "cache directory" in done.line
    assert blocked.read_text() == "mine"


@pytest.mark.writes_secrets
def test_an_expired_login_is_exit_3_and_no_request(
    cli: Cli, emulator: Any, pool_id: str, tmp_path: Path
) -> None:
    """An expired token is found before the service is called."""
    token = tmp_path / "token"
    token.write_text(emulator.login_token("login.example.com", expires_in=-120))

    done = cli("credential-process", "--profile", "guest", "--login", f"login.example.com=file:{token}")

    assert (done.code, done.out) == (3, "")
    assert "profile 'guest': " in done.line
    assert "expired 2 minutes ago" in done.line
    assert "GetId" not in emulator.requests()


HOSTILE = (
    "\x1b[31mred\x1b]52;c;aGk=\x07 two\r\nlines \x9b1m \u202eltr \u2028 "
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJ4In0.c2ln ASIAIOSFODNN7EXAMPLE" + "x" * 5000
)


@pytest.mark.parametrize("command", ["credential-process", "whoami", "refresh"])
def test_what_a_hostile_service_says_is_harmless_on_a_terminal(
    cli: Cli, emulator: Any, pool_id: str, command: str
) -> None:
    """Escape sequences, line breaks, bidirectional controls and tokens in the service's text are removed."""
    emulator.plan_faults(
        {"operation": "GetId", "times": -1, "code": "NotAuthorizedException", "message": HOSTILE}
    )

    done = cli(command, "--profile", "guest")

    assert (done.code, done.out) == (5, "")
    assert done.line.isprintable()
    assert "\u202e" not in done.line
    assert "eyJ" not in done.line
    assert "ASIAIOSF" not in done.line
    assert len(done.line) <= 700


def test_a_hostile_profile_name_is_harmless_on_a_terminal(call: Call) -> None:
    """A profile name may be hostile too, when a script passes it on; it is cleaned in the error."""
    done = call("status", "--profile", "x\x1b[2J\ny\u202e")

    assert done.code == 4
    assert done.line.isprintable()


def test_a_bug_is_one_line_without_its_text_and_debug_shows_where(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of an unexpected exception may hold a secret, so only its type is named."""
    monkeypatch.setattr(
        "cognito_credentials.cli.commands.status.open_pool", lambda _: {}["AKIAIOSFODNN7EXAMPLE secret"]
    )

    plain = call("status")
    debug = call("status", "--debug")

    assert plain.code == debug.code == 1
    assert plain.line == (
        "cognito-credentials: unexpected KeyError; this is a bug. Run the command again with --debug "
        "and report what it prints (see E-BUG)."
    )
    assert "Traceback" in debug.err
    assert "status.py" in debug.err
    assert "AKIAIOSFODNN7EXAMPLE" not in debug.err


def test_debug_shows_our_decisions_and_nobody_elses_log(cli: Cli, emulator: Any, pool_id: str) -> None:
    """--debug shows our decisions; botocore's wire log, which holds the secrets, stays off."""
    done = cli("credential-process", "--profile", "guest", "--debug")

    assert done.code == 0
    assert "cognito-credentials: debug: " in done.err
    assert "botocore" not in done.err
    for secret in emulator.minted_secrets():
        assert secret not in done.err


def test_debug_says_what_was_decided_and_why(
    call: Call, emulator: Any, pool_id: str, monkeypatch: pytest.MonkeyPatch, isolation: Path
) -> None:
    """--debug names the origin of each setting, what the cache had, locks and back-off."""
    monkeypatch.setenv("AWS_COGNITO_USER", "ada")
    emulator.plan_faults({"operation": "*", "times": 3, "status": 503})
    failed = call("whoami", "--profile", "guest", "--debug")
    again = call("whoami", "--profile", "guest", "--debug")
    refreshed = call("refresh", "--profile", "guest", "--debug")
    hit = call("export", "--profile", "guest", "--debug")

    assert (failed.code, again.code, refreshed.code, hit.code) == (6, 6, 0, 0)
    for said in (
        f"config file {isolation}/.aws/config: 1 profiles",
        f"profile: guest; pool: {pool_id}; cache: {isolation}/.aws/cognito/cache",
        "identity_pool_id is set by profile 'guest'",
        "user is set by AWS_COGNITO_USER",
        "endpoint_url is set by AWS_ENDPOINT_URL_COGNITO_IDENTITY",
        "for the lock",
        "…: none",
        "no other try for ",
    ):
        assert said in failed.err, said
    assert "backing off: " in again.err
    assert re.search(r"in the cache, [0-9a-f]{8}…: credentials that expire in 3[56]\d\d s \(fresh\)", hit.err)
    for done in (failed, again):
        assert "Traceback" not in done.err


def test_ctrl_c_is_130_without_a_word(cli: Cli, emulator: Any, pool_id: str) -> None:
    """Ctrl-C while it waits for the service ends it at once, without output."""
    import signal
    import time

    emulator.plan_faults({"operation": "GetId", "times": -1, "delay": 20})
    process = cli.start("credential-process", "--profile", "guest")
    deadline = time.monotonic() + 20
    while not emulator.requests().get("GetId") and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)

    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "command", [["--help"], ["list", "--json"], ["credential-process", "--profile", "guest"]]
)
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_reader_who_is_gone_is_no_traceback(
    cli: Cli, pool_id: str, command: list[str], is_cached: bool
) -> None:
    """`… | true` ends without output on stderr, on the slow path and the fast one."""
    if is_cached:
        cli(*command)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        gone = subprocess.run(
            python(*command),
            env=cli.environ,
            stdout=writing,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
    finally:
        os.close(writing)

    assert gone.stderr == b""
    assert gone.returncode in (0, 141)


@pytest.mark.parametrize(
    "command", [["--version"], ["credential-process", "--profile", "guest"], ["emulator"]]
)
def test_a_stdout_that_is_closed_is_said(cli: Cli, pool_id: str, command: list[str]) -> None:
    """`… >&-` is a result that cannot be written, as on a full disk, and no pipe: one line, exit 1."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *python(*command)],
        env=cli.environ, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, encoding="utf-8",
    )  # fmt: skip

    assert done.returncode == 1
    assert (
        done.stderr
        == "cognito-credentials: standard output cannot be written: it is closed (see E-OUTPUT).\n"
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_below_stdout_is_said(cli: Cli, pool_id: str) -> None:
    """When the result cannot be written, the exit code is not 0."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            python("credential-process", "--profile", "guest"),
            env=cli.environ, stdout=full, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    assert done.returncode == 1
    assert (
        done.stderr
        == "cognito-credentials: standard output cannot be written: No space left on device (see E-OUTPUT).\n"
    )


def test_a_stderr_that_is_closed_changes_nothing(cli: Cli, pool_id: str) -> None:
    """A closed stderr leaves the exit code and stdout as they are."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *python("status", "--profile", "nope")],
        env=cli.environ, stdout=subprocess.PIPE,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (4, b"")


def test_every_error_line_ends_as_a_sentence() -> None:
    """What is wrong and what to do are two sentences, with or without a full stop in the texts."""
    assert line("it broke", "Mend it", "guest") == "cognito-credentials: profile 'guest': it broke. Mend it."
    assert line("it broke.", "Did you mean x?") == "cognito-credentials: it broke. Did you mean x?"
    assert line("it broke", "") == "cognito-credentials: it broke."
    assert line("cognito_flwo from profile 'x' is wrong", "", "x") == (
        "cognito-credentials: cognito_flwo from profile 'x' is wrong."
    )
    assert line("profile 'x' is gone", "", "x") == "cognito-credentials: profile 'x' is gone."


@pytest.mark.parametrize("code", [1, 3, 4, 5, 6, 7])
def test_each_class_of_error_has_its_exit_code_and_a_next_step(
    code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """An error without a hint is shown with one for its exit code."""
    from cognito_credentials import errors

    def all_below(kind: type) -> list[type]:
        return [kind, *(found for child in kind.__subclasses__() for found in all_below(child))]

    kinds = [k for k in all_below(errors.CognitoCredentialsError) if k.__module__ == errors.__name__]
    kinds = [kind for kind in kinds if kind.exit_code == code]
    for kind in kinds:
        assert report(kind("it broke"), Terminal.of_process(), profile="p", debug=False) == code
        said = capfd.readouterr().err
        assert said.startswith("cognito-credentials: profile 'p': it broke. ") or code == 1
        assert said.count("\n") == 1
    assert kinds


def test_the_module_runs_from_any_directory(cli: Cli, tmp_path: Path) -> None:
    """`python -m cognito_credentials` runs in any current directory."""
    assert cli("--version", cwd=str(tmp_path)).code == 0
    assert str(ROOT) in cli.environ["PYTHONPATH"]
