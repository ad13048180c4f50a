"""Reading the AWS config file, with real files."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from botocore.configloader import load_config
from botocore.exceptions import ConfigParseError
from hypothesis import strategies as st

from cognito_credentials import home as user_home
from cognito_credentials.errors import ConfigurationError
from cognito_credentials.settings import aws_config
from cognito_credentials.settings.aws_config import choose_profile, read_config

CANARY = "CANARY-" + "x" * 30
HOME_OF_USER = user_home._home_of_user
"""Before the tests' isolation takes it away."""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home directory with an empty ~/.aws, for files with secrets in them."""
    path = Path(tempfile.mkdtemp(prefix="cc-", dir="/tmp"))
    (path / ".aws").mkdir()
    yield path
    shutil.rmtree(path)


def _write(home: Path, text: str | bytes, name: str = "config") -> dict[str, str]:
    data = text.encode() if isinstance(text, str) else text
    (home / ".aws" / name).write_bytes(data)
    return {"HOME": str(home), "USERPROFILE": str(home)}


def _error(environ: dict[str, str]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        read_config(environ)
    return caught.value


def test_nested_and_services_sections_are_read(home: Path) -> None:
    """Nested settings become a dict, and a services section is found under its name."""
    environ = _write(
        home,
        "[profile app]\n"
        "cognito_logins =\n  accounts.google.com = file:/run/x\n  Login.example.com = env:T\n"
        "[services local]\ncognito_identity =\n  endpoint_url = http://127.0.0.1:1\n",
    )

    config = read_config(environ)

    assert config["profiles"]["app"]["cognito_logins"] == {
        "accounts.google.com": "file:/run/x",
        "Login.example.com": "env:T",
    }
    assert config["services"]["local"]["cognito_identity"]["endpoint_url"] == "http://127.0.0.1:1"


_LINES = st.sampled_from(
    [
        *(
            "[default]",
            "[profile app]",
            "[profile 'my app']",
            '[profile "a b"]',
            "[profiles]",
            "[profile]",
            "[app]",
        ),
        *(
            "[profile a b]",
            "[profile it's]",
            "[profileapp x]",
            "[services local]",
            "[sso-session corp]",
            "[DEFAULT]",
        ),
        *("[ profile app ]", "[profile  app]", "[services]", "[preview]", "[default ]", "[profile app] # c"),
        *(
            "region = us-east-1",
            "Region=x",
            "region: y",
            "region = a ; b",
            "region = a # b",
            "s3 =",
            "s3 = \\",
        ),
        *(
            "  max = 1",
            "  max: 2",
            "\tmax = a=b",
            "  # c",
            "  ; c",
            "",
            " ",
            "# comment",
            "; comment",
            "role_arn",
        ),
        *(
            "key = %(region)s",
            "key = ${HOME}",
            "é = ü",
            "= x",
            "  deeper = ",
            "cognito_user = 'ann'",
            "a b = c",
        ),
    ]
)


@hypothesis.given(st.lists(_LINES, max_size=12))
def test_a_file_means_what_it_means_to_botocore(lines: list[str]) -> None:
    """Profiles, services and everything else are what botocore reads; a file that it refuses is refused."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "config")
        path.write_text("\n".join(lines) + "\n", "utf-8")
        environ = {"AWS_CONFIG_FILE": str(path), "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}
        try:
            expected = load_config(str(path))
        except ConfigParseError:
            with pytest.raises(ConfigurationError, match="the AWS config file"):
                read_config(environ)
        else:
            assert read_config(environ) == expected


def test_reading_a_file_imports_no_botocore(home: Path) -> None:
    """botocore takes longer to import than the file to read."""
    environ = _write(home, "[profile app]\nregion = a\n")
    code = (
        "import sys; from cognito_credentials.settings.aws_config import read_config; "
        f"print(read_config({environ!r})['profiles'], 'botocore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "{'app': {'region': 'a'}} False\n"


def test_credentials_file_adds_profiles_and_no_keys(home: Path) -> None:
    """A profile of the credentials file exists, wins key by key, and its AWS keys are not kept."""
    _write(
        home,
        f"[keys]\naws_access_key_id = {CANARY}\naws_secret_access_key = {CANARY}\n[app]\nregion = b\n",
        "credentials",
    )
    environ = _write(home, "[profile app]\nregion = a\ncognito_user = ann\n")

    profiles = read_config(environ)["profiles"]

    assert profiles == {"keys": {}, "app": {"region": "b", "cognito_user": "ann"}}
    assert CANARY not in repr(profiles)


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_home_there_is_no_config(environ: dict[str, str]) -> None:
    """No home at all, or a HOME that is no absolute path, is no config and no error."""
    assert read_config(environ) == {"profiles": {}, "services": {}}


def test_without_home_the_user_database_counts_as_for_botocore(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that is started without HOME has the config of its user; an empty HOME means none."""
    _write(home, "[profile app]\nregion = a\n")
    monkeypatch.setattr(user_home, "_home_of_user", HOME_OF_USER)
    monkeypatch.setattr("pwd.getpwuid", lambda _: SimpleNamespace(pw_dir=str(home)))

    assert user_home.home_directory({}) == str(home)
    assert read_config({})["profiles"] == {"app": {"region": "a"}}
    assert user_home.home_directory({"HOME": ""}) is None
    assert user_home.expand_user("~/x", {}) == f"{home}/x"


def test_a_user_that_nobody_knows_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run as a user id that is in no database."""

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(user_home, "_home_of_user", HOME_OF_USER)
    monkeypatch.setattr("pwd.getpwuid", unknown)

    assert user_home.home_directory({}) is None


@pytest.mark.parametrize("path", ["/nowhere/config", os.devnull, "/dev/null/config"])
def test_a_file_that_is_not_there_is_no_config(path: str) -> None:
    """AWS_CONFIG_FILE may name no file, or /dev/null."""
    assert read_config({"AWS_CONFIG_FILE": path})["profiles"] == {}


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    """A FIFO in the place of the file is passed over, as botocore does, and never opened."""
    os.mkfifo(tmp_path / "config")
    assert read_config({"AWS_CONFIG_FILE": str(tmp_path / "config")})["profiles"] == {}


def test_config_file_variable_expands_the_home(home: Path) -> None:
    """AWS_CONFIG_FILE wins over the default, and its ~ is the HOME given."""
    environ = _write(home, "[default]\nregion = a\n")
    (home / "other").write_text("[default]\nregion = b\n")

    config = read_config({**environ, "AWS_CONFIG_FILE": "~/other"})

    assert config["profiles"]["default"]["region"] == "b"
    assert user_home.expand_user("~other/x", environ) == "~other/x"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"[default]\nregion = \xff\xfe\n", ["is not UTF-8"]),
        (f"{CANARY}\n", ["line 1", "is malformed"]),
        (f"[default]\nregion = a\n{CANARY}\n", ["line 3", "is malformed"]),
        (
            f"[default]\nregion = a\nregion = {CANARY}\n",
            ["line 3 has region a second time in [default]", "Remove one"],
        ),
        (
            f"[default]\n[profile a]\n[default]\nkey = {CANARY}\n",
            ["has [default] more than once: lines 1 and 3", "Join them"],
        ),
        (f"[default]\ncognito_logins =\n  {CANARY}\n", ["line 3 has an indented line without '='"]),
        (
            f"[default]\ncognito_logins =\n  a.b = env:X\n  a.b = {CANARY}\n",
            ["names a provider twice in cognito_logins", "Give one source"],
        ),
        ("\ufeff[default]\n", ["begins with a byte order mark", "Save it as UTF-8 without"]),
    ],
)
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_malformed_file_is_one_clear_line(
    home: Path, name: str, text: str | bytes, parts: list[str]
) -> None:
    """The error has the path and the line, and never the text of the file, which may be a key."""
    error = _error(_write(home, text, name))

    for part in [f".aws/{name}", *parts]:
        assert part in str(error)
    assert CANARY not in str(error)
    assert error.exit_code == 4
    assert error.__context__ is None or CANARY not in repr(error.__context__)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[default]\ncognito_logins =\n  CANARY\n", ".aws/config has an indented line without '='"),
        ("[default]\n[default]\n", ".aws/config has [default] more than once: line 2"),
    ],
)
@pytest.mark.parametrize("later", [b"[default\n", b"[default]\n\xff\xfe\n", b"", None])
def test_a_malformed_file_that_changes_meanwhile_is_one_clear_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: str, later: bytes | None
) -> None:
    """When the file breaks otherwise or vanishes before its lines are looked up, the error is the same."""
    environ = _write(home, text)
    path = home / ".aws" / "config"
    read = aws_config._read_sections

    def read_before_the_change(where: str) -> dict[str, dict[str, Any]]:
        try:
            return read(where)
        finally:
            path.unlink(missing_ok=True) if later is None else path.write_bytes(later)

    monkeypatch.setattr(aws_config, "_read_sections", read_before_the_change)

    assert line in str(_error(environ))


def test_a_directory_is_named(home: Path) -> None:
    """A directory in the place of the config file is an error."""
    (home / ".aws" / "config").mkdir()
    assert "config cannot be read: Is a directory" in str(_error({"HOME": str(home)}))


@contextlib.contextmanager
def _unprivileged() -> Iterator[None]:
    """Run as a user to whom file permissions apply, also where the tests run as root."""
    uid = os.geteuid()
    if uid == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(uid)


@pytest.mark.skipif(os.name == "nt", reason="mode bits do nothing there")
def test_an_unreadable_file_is_named(home: Path) -> None:
    """A config file without read permission is an error with its path."""
    environ = _write(home, "[default]\n")
    home.chmod(0o755)
    (home / ".aws" / "config").chmod(0)
    with _unprivileged():
        assert "config cannot be read: Permission denied" in str(_error(environ))


@pytest.mark.skipif(os.name == "nt", reason="mode bits do nothing there")
def test_unreadable_credentials_are_absent_credentials(home: Path) -> None:
    """A credentials file that cannot be read is passed over, as by botocore."""
    _write(home, "[keys]\n", "credentials")
    environ = _write(home, "[default]\n")
    home.chmod(0o755)
    (home / ".aws" / "credentials").chmod(0)
    with _unprivileged():
        assert list(read_config(environ)["profiles"]) == ["default"]


@pytest.mark.skipif(os.name == "nt", reason="mode bits do nothing there")
def test_somebody_elses_home_has_no_config_of_ours(home: Path) -> None:
    """Under a home that cannot be entered (sudo keeps HOME) there is no config, unless it was named."""
    environ = _write(home, "[default]\n")
    (home / ".aws").chmod(0)
    with _unprivileged():
        assert read_config(environ)["profiles"] == {}
        named = {**environ, "AWS_CONFIG_FILE": str(home / ".aws" / "other")}
        assert "other cannot be read: Permission denied" in str(_error(named))


def test_a_null_character_in_the_path_is_an_error() -> None:
    """A path that no file can have is an error."""
    assert "null character" in str(_error({"AWS_CONFIG_FILE": "/tmp/a\0b"}))


CONFIG = {"profiles": {"prod-app": {"k": "1"}, "prod-api": {}, "default": {"k": "2"}}}


def test_the_profile_asked_for_wins_over_the_environment() -> None:
    """Explicit before AWS_PROFILE before default; empty is not set."""

    def choose(profile: str | None, environ: dict[str, str]) -> str | None:
        return choose_profile(CONFIG, environ, profile, may_be_missing=False)[0]

    assert choose("prod-app", {"AWS_PROFILE": "prod-api"}) == "prod-app"
    assert choose(None, {"AWS_PROFILE": "prod-api"}) == "prod-api"
    assert choose(None, {"AWS_PROFILE": ""}) == "default"


@pytest.mark.parametrize(
    ("profile", "environ", "parts"),
    [
        ("prod-ap", {}, ["profile 'prod-ap' does not exist", "'prod-app'", "'prod-api'"]),
        (None, {"AWS_PROFILE": "zzz"}, ["profile 'zzz' (from AWS_PROFILE) does not exist", "there are: "]),
        ("a\x1b[2Jb", {}, ["profile 'a?[2Jb' does not exist"]),
    ],
)
def test_a_missing_profile_names_near_ones(
    profile: str | None, environ: dict[str, str], parts: list[str]
) -> None:
    """A profile that does not exist is an error that names near ones."""
    with pytest.raises(ConfigurationError) as caught:
        choose_profile(CONFIG, environ, profile, may_be_missing=False)
    for part in parts:
        assert part.lower() in str(caught.value).lower()


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        (None, "There is no file {path}: 'cognito-credentials configure' makes it"),
        ("", "There is no profile in {path}: 'cognito-credentials configure' adds one"),
        ("[guest]\nregion = a\n", "In {path} write [profile guest] in place of [guest]"),
    ],
)
def test_a_missing_profile_without_any_says_what_is_there(
    tmp_path: Path, config: str | None, hint: str
) -> None:
    """Where there is no profile at all, the message tells a missing file from one with a mistake."""
    path = tmp_path / ".aws" / "config"
    if config is not None:
        path.parent.mkdir()
        path.write_text(config)
    environ = {"HOME": str(tmp_path)}

    with pytest.raises(ConfigurationError) as caught:
        choose_profile(read_config(environ), environ, "x", may_be_missing=True)

    assert caught.value.hint == hint.format(path=path)


def test_a_list_that_is_cut_says_so() -> None:
    """Of many profiles eight are named, and an ellipsis stands for the rest."""
    config = {"profiles": {f"profile-{letter}": {} for letter in "abcdefghi"}}
    with pytest.raises(ConfigurationError) as caught:
        choose_profile(config, {}, "zzzzzz", may_be_missing=True)

    assert caught.value.hint.endswith("profile-h, …")


def test_default_need_not_exist() -> None:
    """Neither the default profile nor, where nothing depends on it, AWS_PROFILE has to exist."""
    nothing = (None, {})
    assert choose_profile({}, {}, None, may_be_missing=False) == nothing
    assert choose_profile({}, {}, "default", may_be_missing=False) == nothing
    assert choose_profile(CONFIG, {"AWS_PROFILE": "zzz"}, None, may_be_missing=True) == nothing


def test_a_section_without_the_word_profile_is_recognised(home: Path) -> None:
    """The credentials file has [guest], the config file must have [profile guest]: a common mistake."""
    environ = _write(home, "[guest]\nregion = a\n[default]\nregion = b\n")

    with pytest.raises(
        ConfigurationError, match=r"found \[guest\]\. In this file it must be \[profile guest\]"
    ):
        choose_profile(read_config(environ), environ, "guest", may_be_missing=False)
    with pytest.raises(ConfigurationError, match="'services' does not exist"):
        choose_profile(read_config(environ), environ, "services", may_be_missing=False)
