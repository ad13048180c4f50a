"""`demo` and `emulator`: Cognito Identity and STS on this machine."""

from __future__ import annotations

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import cognito_credentials.emulator
from cognito_credentials import IdentityPool
from cognito_credentials.extras import install_command
from tests.cli.conftest import Cli, Done
from tests.sign_in.web_browser import WebBrowser

Call = Callable[..., Done]
BROWSE = Path(__file__).parent / "login" / "browse.py"


def test_the_demo_holds_and_leaves_nothing(cli: Cli, isolation: Path, tmp_path: Path) -> None:
    """Seven steps, each with what was called, kept and how long it took; home and temp stay empty."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    spoiled = {
        "TMPDIR": str(scratch),
        "AWS_PROFILE": "gone",
        "AWS_REGION": "xx",
        "AWS_CONFIG_FILE": "/nonexistent/config",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    done = cli("demo", env=spoiled)

    assert (done.code, done.err.count("\n")) == (0, 1), done.err
    for number in range(1, 8):
        assert f"\n{number}. " in done.out
    assert done.out.count("asked the service for: ") == 7
    assert done.out.count("took: ") == 7
    assert done.out.count("kept: nothing") == 1
    assert done.out.count("kept: credentials, identity\n") == 6
    assert ".txt" not in done.out
    assert "\x1b" not in done.out
    network, cache = re.findall(r"(?:network|cache) +([█#]+) +[0-9.]+ ms\n", done.out)
    assert len(network) > 2 * len(cache) >= 2
    assert "asked the service for: nothing" in done.out
    assert "asked the service for: GetId x 1, GetCredentialsForIdentity x 1\n" in done.out
    assert "/CognitoIdentityCredentials\n" in done.out
    assert list(isolation.iterdir()) == []
    assert list(scratch.iterdir()) == []


def test_a_step_that_does_not_hold_fails_the_demo(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo fails when a step has another result than it announces."""
    monkeypatch.setattr(IdentityPool, "refresh", IdentityPool.credentials)
    before = dict(os.environ)
    done = call("demo", "--quiet")

    assert done.code == 1
    assert done.line.startswith("cognito-credentials: step 4 should have asked for")
    assert dict(os.environ) == before


def test_the_demo_without_its_extra_says_what_to_install(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare install lacks the emulator's libraries."""
    # Put back with the modules, or later tests would find two emulators: one by name, one by attribute.
    monkeypatch.setattr(cognito_credentials, "emulator", cognito_credentials.emulator)
    for name in [name for name in sys.modules if name.startswith("cognito_credentials.emulator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    demo, emulator = call("demo"), call("emulator")

    assert demo.code == emulator.code == 4
    for line in (demo.line, emulator.line):
        assert re.search(r" needs uvicorn\. Run: .*pip install .*\[emulator\]", line), line
        assert f"Run: {install_command('emulator')}" in line  # of this Python, not of another on the PATH


@pytest.mark.thorough
@pytest.mark.parametrize("way", ["browser", "device"])
def test_the_demo_signs_a_made_up_user_in(cli: Cli, isolation: Path, tmp_path: Path, way: str) -> None:
    """Without a terminal, a browser or a code on another device signs in; home and temp stay empty."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = cli.start("demo", "--login", env=_person(tmp_path, scratch, way))
    assert process.stderr is not None
    said = ""
    if way == "device":
        while "user_code=" not in said:
            said = process.stderr.readline()
        WebBrowser().sign_in(said.strip(), "ann")
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert "signed in as ann@example.com" in out
    assert "--no-browser" not in err  # it has no such option
    assert "assumed-role/demo-user/" in out
    identities = re.findall(r"identity (us-east-1:\S+),", out)
    assert len(identities) == 2
    assert len(set(identities)) == 1  # the guest became the user
    assert "6. Sign out" in out
    assert list(isolation.iterdir()) == []
    assert list(scratch.iterdir()) == []


def _person(tmp_path: Path, scratch: Path, way: str) -> dict[str, str]:
    """Variables for a browser in which ann signs in; for a device there is no browser."""
    browser = f"{sys.executable} {BROWSE} %s &" if way == "browser" else ""
    return {
        "BROWSER": browser,
        "DISPLAY": "",
        "WAYLAND_DISPLAY": "",
        "SSH_CONNECTION": "",
        "SSH_TTY": "",
        "SSH_CLIENT": "",
        "PERSON": "ann",
        "BROWSER_WAS_HERE": str(tmp_path / "was-here"),
        "TMPDIR": str(scratch),
    }


@pytest.mark.thorough
def test_giving_the_demo_up(cli: Cli, isolation: Path, tmp_path: Path) -> None:
    """Ctrl-C while it waits for the sign-in ends with 130, without a traceback, and leaves nothing."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = cli.start("demo", "--login", env=_person(tmp_path, scratch, "device"))
    assert process.stderr is not None
    while "Waiting" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Traceback" not in err
    assert list(isolation.iterdir()) == []
    assert list(scratch.iterdir()) == []


_WITHOUT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        hidden = name.partition(".")[0] in {names!r}
        return None if hidden else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(Without, sys.meta_path)
"""


def test_signing_in_without_its_extra_says_what_to_install(
    cli: Cli, config: Callable[[str], Path], tmp_path: Path
) -> None:
    """With the extra 'emulator' alone, `demo --login` starts nothing and says what `login` says."""
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT.format(names=("authlib", "keyring", "segno")))
    config(
        "[profile p]\ncognito_identity_pool_id = us-east-1:0b8d4f1c-0000-4000-8000-000000000001\n"
        "cognito_oidc_issuer = http://127.0.0.1:9\ncognito_oidc_client_id = app\n"
    )
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), cli.environ["PYTHONPATH"]])}

    demo, login = cli("demo", "--login", env=env), cli("login", "--profile", "p", env=env)

    assert (demo.code, demo.out, demo.line) == (4, "", login.line.replace("profile 'p': ", ""))
    assert re.search(r"signing in needs 'authlib', .* Run: .*pip install .*\[login\]", demo.line), demo.line


@pytest.fixture
def served(cli: Cli, request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `emulator` command and its address."""
    process = cli.start("emulator", *getattr(request, "param", ()))
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on http"), process.communicate(timeout=10)
    try:
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def test_the_emulator_says_where_it_listens_and_answers(
    served: tuple[subprocess.Popen[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first line is the address, boto3 works there at once, and after a signal the exit code is 0."""
    process, url = served
    client = boto3.client(
        "cognito-identity", region_name="us-east-1", endpoint_url=url,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x",
    )  # fmt: skip
    pool = client.create_identity_pool(IdentityPoolName="a", AllowUnauthenticatedIdentities=True)
    client.close()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)

    assert pool["IdentityPoolId"].startswith("us-east-1:")
    assert (process.returncode, out) == (0, "")
    assert "CreateIdentityPool 200" in err


@pytest.mark.parametrize(
    "served",
    [("--tls-name", "cognito.test", "--tls-name", "192.0.2.7", "--allow-host", "other.test", "--offline")],
    indirect=True,
)
def test_the_emulator_has_the_names_of_its_flags(served: tuple[subprocess.Popen[str], str]) -> None:
    """--tls-name turns https on; by its names and those of --allow-host control calls are answered."""
    process, url = served
    assert process.stdout is not None
    context = ssl.create_default_context(cafile=process.stdout.readline().split()[-1])
    statuses = {}
    for name in ("cognito.test", "192.0.2.7", "other.test", "evil.test"):
        wire = http.client.HTTPSConnection(url.removeprefix("https://"), timeout=10, context=context)
        wire.request("GET", "/_emulator/requests", headers={"Host": name})
        statuses[name] = wire.getresponse().status
        wire.close()

    assert url.startswith("https://")
    assert statuses == {"cognito.test": 200, "192.0.2.7": 200, "other.test": 200, "evil.test": 403}


@pytest.mark.parametrize("flag", ["--tls-name", "--allow-host"])
def test_a_name_that_is_none_is_refused(call: Call, flag: str) -> None:
    """A name with a scheme, or nothing, is a usage error that says how to write it."""
    for text in ("https://a.test", ""):
        done = call("emulator", flag, text)

        assert done.code == 2
        assert f"'{text}' is no host name: write it without https:// and port" in done.err


@pytest.mark.parametrize("served", [("--quiet",)], indirect=True)
def test_a_quiet_emulator_does_not_tell_of_requests(served: tuple[subprocess.Popen[str], str]) -> None:
    """--quiet is for scripts that show its stderr."""
    process, url = served
    client = boto3.client(
        "cognito-identity", region_name="us-east-1", endpoint_url=url,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x",
    )  # fmt: skip
    client.list_identity_pools(MaxResults=1)
    client.close()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert (out, err) == ("", "")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("--port", "80000"), 2),
        (("--port", "http"), 2),
        (("--host", "192.0.2.1"), 4),
        (("--seed", "/nonexistent.toml"), 4),
        (("--data", "/nonexistent/state.db"), 7),
    ],
)
def test_what_the_emulator_cannot_do_is_one_line(cli: Cli, argv: tuple[str, ...], code: int) -> None:
    """An address, seed or file that does not work is one line on stderr, without a traceback."""
    done = cli("emulator", *argv)

    assert (done.code, done.out) == (code, "")
    assert done.line.startswith("cognito-credentials: ")
    assert re.search(r"\. [A-Z][^.]*\.$", done.line), done.line


def test_a_seed_that_is_not_used_is_said(cli: Cli, tmp_path: Path) -> None:
    """--data that holds a state wins over --seed, and a warning says so."""
    seed = tmp_path / "pool.toml"
    pool_id = "us-east-1:00000000-0000-4000-8000-000000000001"  # the ids of pools without one are printed
    seed.write_text(
        f'[[pools]]\nIdentityPoolId = "{pool_id}"\nIdentityPoolName = "p"\n'
        "AllowUnauthenticatedIdentities = true\n"
    )

    def errors() -> str:
        process = cli.start("emulator", "--data", str(tmp_path / "state.db"), "--seed", str(seed))
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        return process.communicate(timeout=20)[1]

    assert errors() == ""
    assert errors() == (
        f"cognito-credentials: {tmp_path}/state.db holds a state already, so the seed {seed} is not used\n"
    )


def test_what_is_kept_in_a_file_is_there_again(cli: Cli, tmp_path: Path) -> None:
    """--data keeps the state between runs."""

    def pools(make: bool) -> list[Any]:
        process = cli.start("emulator", "--data", str(tmp_path / "state.db"))
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        client = boto3.client(
            "cognito-identity", region_name="us-east-1", endpoint_url=url,
            aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x",
        )  # fmt: skip
        if make:
            client.create_identity_pool(IdentityPoolName="kept", AllowUnauthenticatedIdentities=True)
        found = client.list_identity_pools(MaxResults=10)["IdentityPools"]
        client.close()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        return list(found)

    assert pools(True) == pools(False)
