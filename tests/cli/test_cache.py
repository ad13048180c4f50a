"""The commands with a cache in Redis, and ``cache backup`` and ``cache restore`` with any cache."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.secret import Secret
from tests.cache.test_redis import opened
from tests.cli.conftest import Cli, Done
from tests.redis_server import RedisServer, running

KEY, OTHER_KEY = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
def redis(server: RedisServer) -> RedisServer:
    server("FLUSHALL")
    return server


@pytest.fixture
def fleet(cli: Cli, emulator: Emulator, redis: RedisServer) -> Cli:
    """The command line on a Redis, for a guest."""
    return Cli(
        {
            **cli.environ,
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url,
            "AWS_ENDPOINT_URL_STS": emulator.url,
            "AWS_COGNITO_IDENTITY_POOL_ID": emulator.create_pool(),
            "AWS_COGNITO_CACHE": redis.url,
            "AWS_COGNITO_CACHE_KEY": KEY,
        }
    )


def status(cli: Cli) -> dict[str, object]:
    done = cli("status", "--json")
    assert done.code == 0, done.err
    found: dict[str, object] = json.loads(done.out)
    return found


def test_commands_use_the_redis(fleet: Cli, redis: RedisServer, isolation: Path) -> None:
    """Credentials, status, list, doctor, refresh and clear work on the Redis, and leave nothing on disk."""
    first = fleet("credential-process")
    assert first.code == 0, first.err
    assert fleet("credential-process").out == first.out
    shown = status(fleet)
    assert (shown["store"], shown["location"], shown["store_problem"]) == ("redis", redis.url, None)
    (row,) = json.loads(fleet("list", "--json").out)
    assert row["identity_id"] == shown["identity_id"]
    assert fleet("doctor", "--offline").out.startswith("1"), "checks are all right"
    assert fleet("refresh").code == 0
    assert fleet("clear").out == "Cleared 1 entry.\n"
    assert status(fleet)["seconds_left"] is None
    assert status(fleet)["identity_id"] == shown["identity_id"]
    assert not (isolation / ".aws").exists()


def test_clearing_all_asks(fleet: Cli, redis: RedisServer) -> None:
    """What all hosts share is cleared only when that was confirmed; identities only when asked for."""
    fleet("credential-process")
    done = fleet("clear", "--all")
    assert done.code == 2
    assert f"the credentials of all users in {redis.url}" in done.line
    assert redis("KEYS", "{*}:c")
    assert fleet("clear", "--all", "--yes").out == "Cleared 1 entry.\n"
    assert redis("KEYS", "{*}:[cs]") == []
    assert len(redis("KEYS", "{*}:i")) == 1
    assert fleet("clear", "--all", "--identities", "--yes").out == "Cleared 1 entry.\n"

    assert redis("KEYS", "{*}") == []


BAD = [
    ({"AWS_COGNITO_CACHE": "redis://"}, 7, "names no host"),
    ({"AWS_COGNITO_CACHE": "redis://u:CANARY@h:x"}, 7, "host or port is malformed"),
    ({"AWS_COGNITO_CACHE": "redis://192.0.2.1", "AWS_COGNITO_CACHE_KEY": ""}, 7, "no cache_key is set"),
    ({"AWS_COGNITO_CACHE_KEY": "CANARY"}, 7, "cache_key from AWS_COGNITO_CACHE_KEY is not base64"),
    ({"AWS_COGNITO_CACHE_KEY": "YWJj"}, 7, "has 3 bytes, not 32"),
    ({"AWS_COGNITO_CACHE_KEY": OTHER_KEY}, 7, "was sealed with another cache_key"),
    ({"AWS_COGNITO_CACHE_KEY": ""}, 7, "is sealed, and no cache_key is set"),
    ({"AWS_COGNITO_CACHE_PASSWORD": "CANARY"}, 7, "refuses the user name or password"),
    ({"AWS_COGNITO_REQUESTS_PER_SECOND": "GetID=1"}, 4, "Did you mean GetId?"),
]


@pytest.mark.parametrize(("environ", "code", "said"), BAD, ids=[said for _, _, said in BAD])
def test_bad_input_is_one_line(
    fleet: Cli, redis: RedisServer, environ: dict[str, str], code: int, said: str
) -> None:
    """What a person has to mend is one line and exit 7, or 4 for a setting alone; nothing is lost."""
    fleet("credential-process")
    kept = {name: redis("DUMP", name) for name in redis("KEYS", "*")}
    done = fleet("credential-process", env=environ)

    assert (done.code, done.out) == (code, "")
    assert said in done.line
    assert "CANARY" not in done.line
    assert {name: redis("DUMP", name) for name in redis("KEYS", "*")} == kept


def test_a_redis_that_is_down_is_exit_0(fleet: Cli, redis: RedisServer) -> None:
    """A Redis that does not answer costs a warning, in credential-process, status, list and doctor."""
    redis.stop()
    try:
        for argv in (["credential-process"], ["status"], ["list"], ["doctor", "--offline"]):
            done = fleet(*argv)
            assert done.code == 0, done.err
            assert "did not answer within 250 ms" in done.out + done.err
        assert fleet("clear").code == 7
        assert fleet("cache", "backup", "never").code == 7
        assert fleet("status", "--fleet").code == 7
    finally:
        redis.go_on()
    assert not os.path.exists("never")


def test_a_password_on_the_command_line_is_refused(fleet: Cli) -> None:
    """Other users of the machine can read a command line, so a URL with a password is refused there."""
    done = fleet("credential-process", "--cache", "redis://:CANARY@127.0.0.1")

    assert done.code == 7
    assert "AWS_COGNITO_CACHE_PASSWORD" in done.line
    assert "CANARY" not in done.line


# Backup and restore


def test_a_file_that_is_not_there_is_a_wrong_argument(fleet: Cli, tmp_path: Path) -> None:
    """A path that leads nowhere is exit 4, as for every command, and nothing is wrong with the cache."""
    nowhere = str(tmp_path / "none" / "identities.jsonl")

    for action in ("backup", "restore"):
        done = fleet("cache", action, nowhere)
        assert (done.code, done.out) == (4, "")
        assert "No such file or directory" in done.line


def backed_up(cli: Cli, path: Path) -> list[dict[str, object]]:
    done = cli("cache", "backup", str(path))
    assert done.code == 0, done.err
    head, *rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert head == {"cognito-credentials": "identities", "version": 1}
    return rows


def restored(cli: Cli, path: Path, *argv: str) -> Done:
    done = cli("cache", "restore", str(path), *argv)
    assert done.code == 0, done.err
    return done


def test_identities_come_back(fleet: Cli, redis: RedisServer, tmp_path: Path) -> None:
    """After all in Redis is lost, a restore makes every guest the same again; the file is the user's."""
    fleet("credential-process")
    identity_id = status(fleet)["identity_id"]
    fleet("credential-process", "--user", "ann")
    path = tmp_path / "identities.jsonl"
    rows = backed_up(fleet, path)
    assert len(rows) == 2
    assert identity_id in {row["identity_id"] for row in rows}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    redis("FLUSHALL")

    assert "Restored 2 identities" in restored(fleet, path).out
    assert "Restored 0 identities" in restored(fleet, path).out
    assert status(fleet)["identity_id"] == identity_id


def test_identities_move_from_a_directory_to_redis(fleet: Cli, tmp_path: Path) -> None:
    """What a cache directory has, a Redis gets by the same two commands."""
    alone = Cli(
        {name: text for name, text in fleet.environ.items() if not name.startswith("AWS_COGNITO_CACHE")}
    )
    alone("credential-process")
    backed_up(alone, tmp_path / "identities.jsonl")
    restored(fleet, tmp_path / "identities.jsonl")

    assert status(fleet)["identity_id"] == status(alone)["identity_id"]


def test_another_identity_stays(fleet: Cli, redis: RedisServer, tmp_path: Path) -> None:
    """A restore writes over no identity that differs, unless --replace is given."""
    path = tmp_path / "identities.jsonl"
    fleet("credential-process")
    old = status(fleet)["identity_id"]
    backed_up(fleet, path)
    redis("FLUSHALL")
    fleet("credential-process")
    new = status(fleet)["identity_id"]
    assert new != old
    assert "1 differ" in restored(fleet, path).err
    assert status(fleet)["identity_id"] == new
    assert "Replaced 1" in restored(fleet, path, "--replace").out

    fleet("clear")
    assert status(fleet)["identity_id"] == old


def test_what_cannot_be_read_stays(fleet: Cli, redis: RedisServer, tmp_path: Path) -> None:
    """A restore leaves the record of a later version, also with --replace, and does not say otherwise."""
    path = tmp_path / "identities.jsonl"
    fleet("credential-process")
    (row,) = backed_up(fleet, path)
    key = str(row["key"])
    store = opened(redis.url, Secret(KEY))
    body = f"cognito-credentials 9 identity\nkey {key}\nnew 1\n".encode()
    later = body + f"sha256 {hashlib.sha256(body).hexdigest()}\n".encode()
    store.load("identity", key)
    store.store("identity", key, later)

    done = restored(fleet, path, "--replace")

    assert store.load("identity", key) == later
    assert "Replaced" not in done.out
    assert "1 that are kept cannot be read and stay" in done.err


def test_a_backup_is_whole_or_is_not(fleet: Cli, redis: RedisServer, tmp_path: Path) -> None:
    """With an identity that cannot be read, nothing is written; nor over a file that is there."""
    fleet("credential-process")
    (name,) = redis("KEYS", "{*}:i")
    redis("SET", b"{" + b"0" * 40 + b"}:i", redis("GET", name)[:6] + b"xxxx" + b"y" * 60)
    path = tmp_path / "identities.jsonl"
    done = fleet("cache", "backup", str(path))
    assert done.code == 7
    assert not list(tmp_path.glob("identities*"))
    path.write_text("mine")
    assert "File exists" in fleet("cache", "backup", str(path)).line
    assert path.read_text() == "mine"


HEAD = '{"cognito-credentials": "identities", "version": 1}\n'
OF_NO_KEY = json.dumps(
    {"key": "x", "identity_id": "i", "identity_pool_id": "p", "principal": "guest", "obtained_at": 1}
)


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", HEAD.replace("1", "2"), f"{HEAD}x\n", f'{HEAD}{{"key": "x"}}\n', HEAD + OF_NO_KEY],
)
def test_a_file_that_is_no_backup_changes_nothing(
    fleet: Cli, redis: RedisServer, tmp_path: Path, text: str
) -> None:
    """A file that no backup wrote is one line, exit 4, and nothing is stored."""
    path = tmp_path / "identities.jsonl"
    path.write_text(text)
    done = fleet("cache", "restore", str(path))

    assert done.code == 4
    assert done.line
    assert redis("KEYS", "{*}") == []


def test_a_new_key_seals_all_with_a_backup(fleet: Cli, redis: RedisServer, tmp_path: Path) -> None:
    """With NEW,OLD a backup reads every identity, and so seals it with the new key."""
    fleet("credential-process")
    both = Cli({**fleet.environ, "AWS_COGNITO_CACHE_KEY": f"{OTHER_KEY},{KEY}"})
    new = Cli({**fleet.environ, "AWS_COGNITO_CACHE_KEY": OTHER_KEY})
    rows = backed_up(both, tmp_path / "one")

    assert backed_up(new, tmp_path / "two") == rows
