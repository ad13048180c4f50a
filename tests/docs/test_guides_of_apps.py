"""The pages of start/ and the guides for apps: their Python and their shell commands run, on the emulator."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from cognito_credentials import IdentityPool, LoginRequiredError, ServiceError, Session
from cognito_credentials.emulator import Emulator, Seed
from cognito_credentials.sign_in import UserPool
from tests import real_parts
from tests.docs.pages import PAGES as ALL_PAGES
from tests.docs.pages import ROOT, blocks, name_of

DOCS = ROOT / ".github" / "docs"
EXAMPLES = ROOT / "examples"
POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000001"
PROVIDER = "login.example.com"
USER_POOL, CLIENT = "us-east-1_Ab1Cd2Ef3", "4example23456789"
PASSWORD = "Correct-horse-1!"
SEED = Seed(
    "the pages",
    {
        "pools": [
            {
                "IdentityPoolId": POOL_ID,
                "IdentityPoolName": "pages",
                "AllowUnauthenticatedIdentities": True,
                "OpenIdConnectProviderARNs": [f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"],
                "CognitoIdentityProviders": [
                    {
                        "ProviderName": f"cognito-idp.us-east-1.amazonaws.com/{USER_POOL}",
                        "ClientId": CLIENT,
                    }
                ],
                "DeveloperProviderName": "login.shop",
                "Roles": {
                    "unauthenticated": "arn:aws:iam::123456789012:role/guest",
                    "authenticated": "arn:aws:iam::123456789012:role/user",
                },
            }
        ],
        "user_pools": [
            {
                "id": USER_POOL,
                "clients": [{"id": CLIENT, "callback_urls": ["http://127.0.0.1:8400/callback"]}],
                "users": [{"name": "ann", "password": PASSWORD, "status": "CONFIRMED"}],
            }
        ],
    },
)
PAGES = [
    DOCS / "start" / "first-script.md",
    *(
        DOCS / "guides" / f"{name}.md"
        for name in ("guest-script", "desktop-app", "iot", "back-end", "migrating")
    ),
]
NOT_HERE = ("cognitoinator", 's3").get_object(', 'client("s3"')
"""Blocks with these are not run: a package that is not installed, and S3, which the emulator has not."""


@pytest.fixture
def emulator(emulator_keys: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator with what the pages say that there is; AWS's variables lead to it."""
    with Emulator(seed=SEED, keys=emulator_keys, marker=True) as running:
        for service in ("COGNITO_IDENTITY", "STS", "COGNITO_IDENTITY_PROVIDER"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", running.url)
        yield running


class _SignIn:
    """Stands in for the sign-in of the reader's own app."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def id_token(self) -> str:
        return self._emulator.login_token(PROVIDER)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_runs_in_order(
    page: Path,
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The blocks of a page run one after the other, as a reader would type them, and complain of nothing."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {
        "my_sign_in": _SignIn(emulator),
        "readings": lambda: range(3),
        "publish": lambda client, _: client.get_caller_identity(),
        "verify": lambda _: {"sub": "ann"},
        "load_identity_id": lambda: None,
        "my_password": PASSWORD,
        "my_secret_key": "secret",
    }
    ran = 0
    for block in blocks(page, "python"):
        if any(word in block.code for word in NOT_HERE):
            continue
        if "boto3.client(" in block.code:  # a back end's own credentials
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        exec(compile(block.code, block.where, "exec"), names)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
        ran += 1
    out, errors = capsys.readouterr()

    assert ran
    assert errors == ""
    assert "not sent" not in out


def test_the_first_script_prints_what_the_page_says(emulator: Emulator, tmp_path: Path) -> None:
    """The page's first program, in a process of its own, prints the line below it."""
    page = DOCS / "start" / "first-script.md"
    first = next(blocks(page, "python")).code
    (tmp_path / "first.py").write_text(first)
    done = _in_shell("python first.py", tmp_path)
    (shown,) = (block.code for block in blocks(page, "console") if "python first.py" in block.code)

    assert done.returncode == 0, done.stderr
    assert done.stdout == shown.partition("\n")[2]


def test_the_first_steps_start_an_emulator(tmp_path: Path) -> None:
    """The seed that the page starts the emulator with has the pool of its script; its variables are those."""
    page = DOCS / "start" / "first-script.md"
    shell = [block.code for block in blocks(page, "sh")]
    (start,) = (code for code in shell if "emulator" in code)
    seed = re.search(r"--seed (\S+)", start)
    (exports,) = (code for code in shell if "export" in code)
    names = set(re.findall(r"export (\w+)=", exports))
    (powershell,) = (block.code for block in blocks(page, "powershell") if "$env:" in block.code)
    (cmd,) = (block.code for block in blocks(page, "bat") if "set " in block.code)

    assert seed is not None
    assert POOL_ID in (ROOT / seed[1]).read_text()
    assert set(re.findall(r"\$env:(\w+) =", powershell)) == names
    assert set(re.findall(r"set (\w+)=", cmd)) == names


def test_the_command_lines_run(emulator: Emulator, isolation: Path) -> None:
    """The shell blocks of the guide run in order in a real shell, in an empty home, with the real AWS CLI."""
    page = DOCS / "guides" / "command-line.md"
    done = _in_shell("\n".join(block.code for block in blocks(page, "sh")), isolation)

    assert done.returncode == 0, done.stderr
    assert "assumed-role/guest/CognitoIdentityCredentials" in done.stdout
    assert f"Identity pool  {POOL_ID}" in done.stdout
    assert emulator.requests()["GetId"] == 1
    assert "checks are all right" in done.stdout


def test_the_doctor_of_the_guest_script_is_content(emulator: Emulator, isolation: Path) -> None:
    """The page's lines for `doctor` run, and nothing is wrong."""
    done = _in_shell(
        "".join(block.code for block in blocks(DOCS / "guides" / "guest-script.md", "sh")), isolation
    )

    assert done.returncode == 0, done.stderr
    assert "checks are all right" in done.stdout


def test_a_device_keeps_its_identity_without_a_disk(emulator: Emulator, tmp_path: Path) -> None:
    """The guide's program for a tmpfs is the same guest after a restart that loses the cache."""
    (block,) = (block for block in blocks(DOCS / "guides" / "iot.md", "python") if "kept" in block.code)
    seen = []
    for start in ("first", "second"):
        environment = f"AWS_COGNITO_CACHE_DIR={tmp_path / start}"
        script = (
            f"{environment} python - <<'END'\n{block.code}\nprint(session.identity_pool.identity_id())\nEND"
        )
        seen.append(_in_shell(script, tmp_path).stdout)

    assert seen[0] == seen[1] != ""
    assert emulator.requests()["GetId"] == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_the_unit_of_a_device_is_one(tmp_path: Path) -> None:
    """systemd accepts the unit of the guide, where its program is."""
    (block,) = blocks(DOCS / "guides" / "iot.md", "ini")
    unit = tmp_path / "readings.service"
    unit.write_text(block.code.replace("/opt/readings/.venv/bin/python", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)

    assert str(unit.name) not in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_powershell_is_well_formed(page: Path) -> None:
    """PowerShell's grammar takes each PowerShell block, and each line with PowerShell's prompt."""
    tree_sitter, powershell = (
        real_parts.package(f"tree_sitter{name}", "test") for name in ("", "_powershell")
    )
    parser = tree_sitter.Parser(tree_sitter.Language(powershell.language()))
    codes = [(block.where, block.code) for block in blocks(page, "powershell")]
    for block in blocks(page, "console"):
        codes += [(block.where, line) for line in re.findall(r"(?m)^PS[^>\n]*> (.*)$", block.code)]
    for where, code in codes:
        assert not parser.parse(f"{code}\n".encode()).root_node.has_error, f"{where}: {code}"


def test_bash_takes_the_exported_variables(emulator: Emulator, isolation: Path) -> None:
    """The line for bash and zsh leaves keys in the shell."""
    page = DOCS / "guides" / "command-line.md"
    (block,) = (block for block in blocks(page, "console") if "eval" in block.code)
    configure = next(blocks(page, "sh")).code.splitlines()[0]
    line = block.code.splitlines()[0].removeprefix("$ ")
    done = _in_shell(f'{configure} >&2\n{line}\necho "$AWS_ACCESS_KEY_ID"', isolation)

    assert re.fullmatch(r"ASIA\w+\n", done.stdout), done.stderr


def test_a_user_has_the_same_identity_in_every_program(emulator: Emulator) -> None:
    """Who signs in to the same user pool has the identity that another program's GetId found."""
    other = boto3.client("cognito-identity", region_name="us-east-1")
    logins = emulator.user_pool(USER_POOL, CLIENT).logins("ann")
    found = other.get_id(IdentityPoolId=POOL_ID, Logins=logins)["IdentityId"]
    pool = IdentityPool(POOL_ID, logins=UserPool(USER_POOL, CLIENT, store="memory"))
    pool.sign_in_with_password("ann", PASSWORD)

    assert pool.identity_id() == found


def test_a_guest_is_brought_along_by_the_identity_id(emulator: Emulator) -> None:
    """A guest of other code stays who it is where its identity id is given, and only there."""
    other = boto3.client("cognito-identity", region_name="us-east-1")
    guest = other.get_id(IdentityPoolId=POOL_ID)["IdentityId"]

    assert IdentityPool(POOL_ID, identity_id=guest).identity_id() == guest
    assert IdentityPool(POOL_ID).identity_id() != guest


def test_a_function_can_say_signed_out_or_offline(emulator: Emulator) -> None:
    """A network error and one of `outage` mean offline; any other error of a function, signed out."""

    class IssuerDownError(Exception):
        pass

    for raised, seen in (
        (LoginRequiredError("the sign-in has ended"), LoginRequiredError),
        (ConnectionError("no network"), ServiceError),
        (IssuerDownError("down"), ServiceError),
        (KeyError("a bug"), LoginRequiredError),
    ):

        def ask(error: Exception = raised) -> str:
            raise error

        pool = IdentityPool(POOL_ID, logins={PROVIDER: ask}, user="ann", outage=(IssuerDownError,))
        with pytest.raises(seen):
            pool.credentials()
    assert "GetId" not in emulator.requests()


def test_the_guides_show_whole_examples() -> None:
    """An example is shown by including its file, and each included file exists."""
    shown = [
        (page.parent / name).resolve()
        for page in PAGES
        for name in re.findall(r"```\{literalinclude\} (\S+)", page.read_text("utf-8"))
    ]

    assert EXAMPLES / "guest_script.py" in shown
    assert EXAMPLES / "desktop_app.py" in shown
    assert EXAMPLES / "iot_loop.py" in shown
    assert all(path.is_file() for path in shown)


def test_clients_are_made_once_and_keys_renewed(emulator: Emulator) -> None:
    """The table of requests is right: two for the first run, none for the second."""
    Session(identity_pool_id=POOL_ID).client("sts").get_caller_identity()
    Session(identity_pool_id=POOL_ID).client("sts").get_caller_identity()
    asked = emulator.requests()

    assert (asked["GetId"], asked["GetCredentialsForIdentity"]) == (1, 1)


_CONFIGURE = f"cognito-credentials configure --profile guest --identity-pool-id {POOL_ID} --yes"


@pytest.mark.parametrize(
    ("page", "seed", "before"),
    [
        (
            "start/first-script.md",
            ROOT / "examples" / "credential_process_profile" / "pool.toml",
            f"cognito-credentials export --identity-pool-id {POOL_ID}",
        ),
        ("start/make-a-pool.md", DOCS / "start" / "pool" / "template.yaml", "true"),
        ("guides/command-line.md", SEED, f"{_CONFIGURE} && cognito-credentials export --profile guest"),
    ],
)
def test_what_is_shown_is_what_they_print(
    page: str,
    seed: Any,
    before: str,
    emulator_keys: Any,
    isolation: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the pages show below `doctor`, `whoami`, `list` and `status` is printed, but for ids and times."""
    seed = seed if isinstance(seed, Seed) else Seed.load(seed)
    with Emulator(seed=seed, keys=emulator_keys, marker=True) as running:
        for service in ("COGNITO_IDENTITY", "STS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", running.url)
        if "PoolId" in seed.outputs:  # the page exports it
            monkeypatch.setenv("AWS_COGNITO_IDENTITY_POOL_ID", seed.outputs["PoolId"])
        assert _in_shell(before, isolation).returncode == 0
        for command, output in _shown(DOCS / page):
            printed = _in_shell(command, isolation)

            assert _general(printed.stdout + printed.stderr) == _general(output), command


def _shown(page: Path) -> Iterator[tuple[str, str]]:
    """Find the commands of a page that print about a pool, with the output that the page shows."""
    for block in blocks(page, "console"):
        for part in re.split(r"(?m)^\$ ", block.code)[1:]:
            command, _, output = part.partition("\n")
            if re.match(r"cognito-credentials (doctor|whoami|list|status)\b", command) and output:
                yield command, output


def _general(text: str) -> str:
    """Leave out of an output what is different each time."""
    for pattern, name in (
        (r"us-east-1:[0-9a-f-]{36}", "ID"),
        (r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME"),
        (r"…\w{4}", "KEY"),
        (r"AROA\w+", "ROLE"),
        (r"/\S*/\.aws/", "HOME/"),
        (r"\d+ (h|min)", r"N \1"),
        (r"N h N min|N min", "LEFT"),
        (r"[ ─-]{2,}", "  "),
    ):
        text = re.sub(pattern, name, text)
    return text.strip()


def _in_shell(script: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euc", script],
        cwd=home,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
