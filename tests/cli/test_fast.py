"""The fast path answers as the slow path did, and not at all when anything has changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cognito_credentials import IdentityPool
from cognito_credentials.cli.fast import answer, depends, inputs, remember
from cognito_credentials.pool.pool import pool_of
from cognito_credentials.settings.load import load
from tests.world import World

ARGV = ["credential-process", "--profile", "app"]

pytestmark = pytest.mark.writes_secrets


@pytest.fixture
def world(emulator: Any, isolation: Path) -> World:
    world = World(emulator, dict(os.environ))
    world.pool_id = emulator.create_pool(
        OpenIdConnectProviderARNs=["arn:aws:iam::123456789012:oidc-provider/login.example.com"]
    )
    (isolation / ".aws").mkdir()
    config(world, "")
    return world


def config(world: World, more: str) -> Path:
    path = Path(world.environ["HOME"]) / ".aws" / "config"
    path.write_text(f"[profile app]\ncognito_identity_pool_id = {world.pool_id}\n{more}")
    return path


def slow(world: World, argv: list[str] = ARGV, **changes: str) -> IdentityPool:
    """Do what the slow path does."""
    environ = {**world.environ, **changes}
    key = inputs(argv, environ)
    settings = load({}, environ=environ, profile="app")
    pool = pool_of(settings, clock=world.clock, environ=environ)
    lines = depends(pool, environ)
    pool.credentials()
    remember(argv, environ, pool, {}, key=key, lines=lines)
    return pool


def fast(world: World, argv: list[str] = ARGV, **changes: str) -> dict[str, Any] | None:
    line = answer(argv, {**world.environ, **changes}, world.clock)
    return None if line is None else json.loads(line)


def test_a_hit_is_what_the_slow_path_gave(world: World) -> None:
    """The same credentials, in the same words, without a request."""
    pool = slow(world)

    assert fast(world) == json.loads(pool.credentials().to_process())


def test_nothing_known_is_no_answer(world: World) -> None:
    """Before the slow path has run, there is no answer."""
    assert fast(world) is None


@pytest.mark.thorough
@pytest.mark.parametrize(
    "change",
    [
        {"AWS_COGNITO_IDENTITY_POOL_ID": "us-east-1:00000000-0000-0000-0000-000000000000"},
        {"AWS_COGNITO_USER": "ada"},
        {"AWS_COGNITO_FLOW": "basic"},
        {"AWS_PROFILE": "other"},
        {"AWS_COGNITO_CACHE": "memory"},
        {"AWS_ENDPOINT_URL_COGNITO_IDENTITY": "http://127.0.0.1:9"},
        {"AWS_ACCOUNT_ID": "123456789012"},
        {"AWS_CONFIG_FILE": "/nonexistent"},
        {"AWS_CONFIG_FILE": "relative"},
        {"AWS_CONFIG_FILE": "/tmp/$X"},
        {"HOME": "/nonexistent"},
        {"HOME": ""},
    ],
)
def test_another_environment_is_another_question(world: World, change: dict[str, str]) -> None:
    """A change of any variable that settings depend on takes the answer away, with the cache unchanged."""
    world.environ["AWS_COGNITO_CACHE_DIR"] = f"{world.environ['HOME']}/cache"
    slow(world)
    assert fast(world) is not None

    assert fast(world, **change) is None


def test_without_home_settings_are_worked_out(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without HOME the user database says where the config file is; the fast path does not read it."""
    home = world.environ.pop("HOME")
    monkeypatch.setattr("cognito_credentials.home._home_of_user", lambda: home)
    world.environ["AWS_COGNITO_CACHE_DIR"] = str(tmp_path / "elsewhere")
    slow(world)

    assert fast(world) is None


def test_another_command_line_is_another_question(world: World) -> None:
    """Other arguments have no answer, and neither have the same characters in other arguments."""
    slow(world)

    assert fast(world, [*ARGV, "--flow", "basic"]) is None
    assert fast(world, ["credential-process", "--profileapp"]) is None
    assert fast(world, ["credential-process", "--profile", "app", ""]) is None


def test_a_changed_profile_is_noticed_at_once(world: World) -> None:
    """A change of the config file is noticed even when its time and its size stay the same."""
    path = config(world, "region = eu-west-1\n")
    before = path.stat()
    slow(world)
    assert fast(world) is not None

    path.write_text(path.read_text().replace("eu-west-1", "eu-west-2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path.stat().st_size == before.st_size
    assert fast(world) is None


def test_a_changed_token_file_is_noticed_at_once(world: World, tmp_path: Path) -> None:
    """When another user's token is in the file, the earlier user's credentials are not answered."""
    token = tmp_path / "token"
    token.write_text(world.token("user-1"))
    config(world, f"cognito_logins =\n  login.example.com = file:{token}\n")
    slow(world)
    first = fast(world)
    assert first is not None

    token.write_text(world.token("user-2"))

    assert fast(world) is None
    slow(world)
    second = fast(world)
    assert second is not None
    assert second["AccessKeyId"] != first["AccessKeyId"]
    token.unlink()
    assert fast(world) is None


def test_a_rotated_token_of_the_same_user_finds_the_same_credentials(world: World, tmp_path: Path) -> None:
    """A new token of the same subject takes the slow path once, and no exchange."""
    token = tmp_path / "token"
    token.write_text(world.token("user-1"))
    config(world, f"cognito_logins =\n  login.example.com = file:{token}\n")
    slow(world)
    first = fast(world)
    token.write_text(world.token("user-1", claims={"n": 2}))
    assert fast(world) is None

    slow(world)

    assert fast(world) == first
    assert world.counts()["GetCredentialsForIdentity"] == 1


def test_a_token_in_a_variable_counts(world: World) -> None:
    """The token of an env: source is compared, too."""
    config(world, "cognito_logins =\n  login.example.com = env:TOKEN\n")
    one, two = world.token("user-1"), world.token("user-2")
    slow(world, TOKEN=one)

    assert fast(world, TOKEN=one) is not None
    assert fast(world, TOKEN=two) is None
    assert fast(world) is None


def test_a_command_is_never_skipped(world: World) -> None:
    """A command: source has no shortcut: only running it tells which user its token is of."""
    config(world, f"cognito_logins =\n  login.example.com = command:{sys.executable} -c pass\n")
    environ = world.environ
    settings = load({}, environ=environ, profile="app")

    pool = pool_of(settings, environ=environ)
    assert depends(pool, environ) is None
    remember(ARGV, environ, pool, {}, key=inputs(ARGV, environ), lines=None)

    assert fast(world) is None


def test_what_changes_under_way_is_not_remembered(world: World, tmp_path: Path) -> None:
    """When a profile or token file changes during the call, no shortcut is stored."""
    token = tmp_path / "token"
    token.write_text(world.token("user-1"))
    config(world, f"cognito_logins =\n  login.example.com = file:{token}\n")
    environ = world.environ
    for change in (
        lambda: token.write_text(world.token("user-2")),
        lambda: config(world, f"region = eu-west-1\ncognito_logins =\n  login.example.com = file:{token}\n"),
    ):
        key = inputs(ARGV, environ)
        settings = load({}, environ=environ, profile="app")
        pool = pool_of(settings, clock=world.clock, environ=environ)
        lines = depends(pool, environ)
        pool.credentials()
        change()

        remember(ARGV, environ, pool, {}, key=key, lines=lines)

        assert fast(world) is None


def test_what_is_not_fresh_is_the_slow_paths(world: World) -> None:
    """From the refresh moment on, there is no answer."""
    slow(world)
    world.move(39 * 60)
    assert fast(world) is not None
    world.move(6 * 60)

    assert fast(world) is None


def test_a_rejected_key_is_not_handed_out(world: World) -> None:
    """Credentials that a service rejected in another process are not answered."""
    pool = slow(world)
    pool.invalidate(pool.credentials().access_key_id)

    assert fast(world) is None


def test_a_changed_record_is_no_answer(world: World) -> None:
    """A flipped byte, a loosened mode and a symbolic link are each a miss."""
    slow(world)
    cache = Path(world.environ["HOME"]) / ".aws/cognito/cache"
    record = next(cache.glob("credentials-*.txt"))
    data = record.read_bytes()
    record.write_bytes(data.replace(b"CANARY", b"CANARx", 1))
    assert fast(world) is None
    record.write_bytes(data)
    assert fast(world) is not None
    record.chmod(0o644)
    assert fast(world) is None


def test_a_clock_past_the_end_is_the_slow_paths(world: World) -> None:
    """Credentials that have expired by this machine's clock are left to the slow path, which says why."""
    world.clock.set_wall(world.clock.wall() + 5 * 3600)
    slow(world)

    assert fast(world) is None


def test_debugging_is_never_short_cut(world: World) -> None:
    """With --debug there is no answer, since the slow path logs its decisions."""
    argv = [*ARGV, "--debug"]
    slow(world, argv)

    assert fast(world, argv) is None


def test_a_hit_imports_next_to_nothing(world: World) -> None:
    """A hit loads neither json, re, argparse, typing, botocore nor filelock."""
    environ = {**world.environ, "PYTHONPATH": os.getcwd()}
    environ.pop("PYTEST_CURRENT_TEST", None)
    first = subprocess.run(
        [sys.executable, "-m", "cognito_credentials", *ARGV], env=environ, capture_output=True, check=True
    )
    script = (
        "import sys; before = set(sys.modules)\n"
        "from cognito_credentials.cli import main\n"
        f"code = main({ARGV!r})\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr); sys.exit(code)"
    )

    hit = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, check=True)

    assert hit.stdout == first.stdout
    loaded = set(hit.stderr.decode().split())
    assert "cognito_credentials.cli.fast" in loaded
    ours = {name for name in loaded if name.startswith("cognito_credentials")}
    assert loaded - ours <= {"__future__", "errno", "_sha256", "_sha2", "time", "stat", "posixpath"}
