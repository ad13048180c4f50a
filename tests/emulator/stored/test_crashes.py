"""One data file with many clients, several emulators, and kills at any moment."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import shutil
import sqlite3
import threading

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.stored.state import State

from ..conftest import GOOGLE, OIDC, SIGNED, Api, command

CLIENTS = 4
ROUNDS = 4


def check(file):
    """Check the invariants of identities and logins in the file with SQL."""
    database = sqlite3.connect(file)

    def rows(statement):
        return database.execute(statement).fetchall()

    assert rows("PRAGMA integrity_check") == [("ok",)]
    assert not rows("SELECT 1 FROM logins GROUP BY pool_id, provider, subject HAVING count(*) > 1")
    assert not rows(
        "SELECT 1 FROM logins WHERE NOT developer GROUP BY identity_id, provider HAVING count(*) > 1"
    )
    assert not rows("SELECT 1 FROM logins GROUP BY identity_id HAVING count(*) > 20")
    assert not rows(
        "SELECT 1 FROM logins LEFT JOIN identities ON identities.id = identity_id"
        " WHERE identities.id IS NULL OR NOT enabled OR NOT authenticated"
        " OR identities.pool_id <> logins.pool_id"
    ), "a login of nobody, of a disabled identity or of a guest"
    assert not rows(
        "SELECT 1 FROM identities WHERE enabled AND authenticated"
        " AND id NOT IN (SELECT identity_id FROM logins)"
    ), "half of a sign-in"
    found = {row[0] for row in rows("SELECT id FROM identities")}
    database.close()
    return found


def calls(random_, pool_id, tokens, mine):
    """An endless series of requests that write: guests, sign-ins, upgrades and merges of few users."""
    while True:
        users = random_.choice(tokens)
        logins = dict(random_.sample(list(users.items()), random_.choice([1, 1, 2])))
        kind = random_.random()
        if kind < 0.4 or not mine:
            yield (
                "GetId",
                {"IdentityPoolId": pool_id, "Logins": logins} if kind < 0.3 else {"IdentityPoolId": pool_id},
            )
        else:
            yield "GetCredentialsForIdentity", {"IdentityId": random_.choice(mine), "Logins": logins}


class Client(threading.Thread):
    """A client that writes until its emulator has ended, or until it has a number of answers."""

    def __init__(self, url, pool_id, tokens, seed, limit=None):
        super().__init__()
        self.ids = []
        self.statuses = set()
        self.answered = threading.Event()
        self.at = (url.removeprefix("http://"), pool_id, tokens, random.Random(seed), limit)

    def run(self):
        address, pool_id, tokens, random_, limit = self.at
        wire = http.client.HTTPConnection(address, timeout=20)
        for number, (operation, content) in enumerate(calls(random_, pool_id, tokens, self.ids)):
            if number == limit:
                break
            try:
                target = f"AWSCognitoIdentityService.{operation}"
                wire.request("POST", "/", json.dumps(content), {"X-Amz-Target": target})
                answer = wire.getresponse()
                body = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                break
            self.statuses.add(answer.status)
            if answer.status == 200:
                self.ids.append(body["IdentityId"])
                if len(self.ids) >= 5:
                    self.answered.set()
        self.answered.set()
        wire.close()


def tokens_of(emulator):
    """Login tokens of two providers for each of some users."""
    return [
        {
            OIDC: emulator.login_token(OIDC, subject=f"o{user % 3}"),
            GOOGLE: emulator.login_token(GOOGLE, subject=f"g{user}"),
        }
        for user in range(4)
    ]


def test_kills_at_any_moment(tmp_path):
    """
    Every write that was answered survives kill -9 under load, no write is torn, and the emulator restarts.
    """
    file = tmp_path / "state-cache.db"
    with Emulator(data=file) as emulator:
        api = Api(emulator, None, None, None)
        pool_id, tokens = api.oidc_pool(), tokens_of(emulator)
    known = set()
    random_ = random.Random(20_261_125)
    for _ in range(ROUNDS):
        with command(f"data={file}") as process:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            url = process.stdout.readline().split()[-1]
            clients = [Client(url, pool_id, tokens, random_.random()) for _ in range(CLIENTS)]
            for client in clients:
                client.start()
            # The kill comes in the middle of a request, each time at another point.
            random_.choice(clients).answered.wait(30)
            process.kill()
            for client in clients:
                client.join()
        known.update(itertools.chain.from_iterable(client.ids for client in clients))

        assert known
        copied = tmp_path / f"copy-{len(known)}"
        copied.mkdir()
        # A kill while a call writes leaves the journal that undoes the write.
        for left in tmp_path.glob(f"{file.name}*"):
            shutil.copy(left, copied)
        assert {left.name for left in copied.iterdir()} <= {file.name, f"{file.name}-journal"}
        assert known <= check(copied / file.name)
        assert known <= check(file)
        assert all(client.statuses <= {200, 400} for client in clients)


def test_two_emulators_on_one_file(tmp_path, emulator_keys):
    """Two emulators may share a data file. A user has the same identity at both."""
    file = tmp_path / "state-cache.db"
    with (
        Emulator(data=file, keys=emulator_keys) as first,
        Emulator(data=file, keys=emulator_keys) as second,
    ):
        pool_id, tokens = Api(first, None, None, None).oidc_pool(), tokens_of(first)
        clients = [
            Client(emulator.url, pool_id, tokens, seed, limit=40)
            for seed, emulator in enumerate([first, second] * 2)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        ids = {
            Api(emulator, None, None, None)
            .post("GetId", {"IdentityPoolId": pool_id, "Logins": {OIDC: tokens[0][OIDC]}})
            .json["IdentityId"]
            for emulator in (first, second)
        }

    assert all(client.statuses <= {200, 400} for client in clients)
    assert len(ids) == 1
    check(file)


def guests(url, pool_id, count=20):
    """Make some guests at an emulator. Returns their ids."""
    wire = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    ids = []
    for _ in range(count):
        wire.request(
            "POST",
            "/",
            json.dumps({"IdentityPoolId": pool_id}),
            {"X-Amz-Target": "AWSCognitoIdentityService.GetId"},
        )
        ids.append(json.loads(wire.getresponse().read())["IdentityId"])
    wire.close()
    return ids


def answers_for(file, ids, keys):
    """True when an emulator that is started with *file* has all identities of *ids*."""
    with Emulator(data=file, keys=keys) as emulator:
        api = Api(emulator, None, None, None)
        return {api.post("GetCredentialsForIdentity", {"IdentityId": one}).status for one in ids} == {200}


def test_two_emulators_start_with_one_new_file(tmp_path):
    """Of two emulators that are started with one new file, one makes the tables and the other finds them."""
    for number in range(20):
        file = tmp_path / f"state-cache-{number}.db"
        together = threading.Barrier(4)
        opened = []

        def start(file=file, together=together, opened=opened):
            together.wait()
            opened.append(State(file))

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for state in opened:
            state.close()

        assert len(opened) == 4


def test_copy_of_the_file_of_an_ended_emulator(tmp_path, emulator_keys):
    """After the end of an emulator its state is in one file, and a copy of the file works."""
    file, copy = tmp_path / "state-cache.db", tmp_path / "copy-cache.db"
    with Emulator(data=file, keys=emulator_keys) as emulator:
        ids = guests(emulator.url, emulator.create_pool())
    assert [path.name for path in tmp_path.glob("state-cache*")] == [file.name]
    shutil.copy(file, copy)

    assert answers_for(copy, ids, emulator_keys)


def test_copy_of_the_file_of_a_running_emulator(tmp_path, emulator_keys):
    """Between requests the one file contains everything that was answered, and a copy of it works."""
    file, copy = tmp_path / "state-cache.db", tmp_path / "copy-cache.db"
    with Emulator(data=file, keys=emulator_keys) as emulator:
        ids = guests(emulator.url, emulator.create_pool())
        shutil.copy(file, copy)

        assert [path.name for path in tmp_path.glob("state-cache*")] == [file.name]
        assert answers_for(copy, ids, emulator_keys)
        assert check(file) == set(ids)


def test_copy_of_the_file_of_a_killed_emulator(tmp_path, emulator_keys):
    """An emulator that is killed between requests leaves only the one file, and a copy of it works."""
    file, copy = tmp_path / "state-cache.db", tmp_path / "copy-cache.db"
    with Emulator(data=file, keys=emulator_keys) as emulator:
        pool_id = emulator.create_pool()
    with command(f"data={file}") as process:
        ids = guests(process.stdout.readline().split()[-1], pool_id)
        process.kill()
        process.communicate()
    shutil.copy(file, copy)

    assert [path.name for path in tmp_path.glob("state-cache*")] == [file.name]
    assert answers_for(copy, ids, emulator_keys)


def test_file_with_a_log_beside_it(tmp_path, emulator_keys):
    """A file with a write-ahead log becomes one file again, with the content of the log."""
    file = tmp_path / "state-cache.db"
    with Emulator(data=file, keys=emulator_keys) as emulator:
        pool_id = emulator.create_pool()
    database = sqlite3.connect(file)
    database.executescript('PRAGMA journal_mode=WAL; UPDATE pools SET tags=\'{"in": "log"}\'')
    for left in tmp_path.glob("state-cache*"):
        shutil.copy(left, tmp_path / left.name.replace("state", "killed"))
    database.close()
    file = tmp_path / "killed-cache.db"
    assert (tmp_path / "killed-cache.db-wal").stat().st_size

    with Emulator(data=file, keys=emulator_keys) as emulator:
        answer = Api(emulator, None, None, None).post(
            "DescribeIdentityPool", {"IdentityPoolId": pool_id}, **SIGNED
        )

        assert answer.json["IdentityPoolTags"] == {"in": "log"}
        assert [path.name for path in tmp_path.glob("killed-cache*")] == [file.name]


def without_rights(*arguments):
    """The emulator's command for a user who is bound by file permissions, even if root runs the test."""
    found = shutil.which("setpriv")
    if os.geteuid() == 0 and found is None:
        pytest.skip("root may write anywhere, and there is no setpriv to give that up")
    drop = [found, "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
    return command(*arguments, before=drop)


@pytest.mark.parametrize(
    ("name", "mode", "error"),
    [
        ("state.db", 0o500, "attempt to write a readonly database; its directory cannot be written to"),
        ("new.db", 0o500, "Permission denied"),
        ("read-only.db", 0o700, "Permission denied"),
        ("file/state.db", 0o700, "Not a directory"),
        ("file", 0o700, "file is not a database"),
        ("", 0o700, "Is a directory"),
        ("two\nlines/state.db", 0o700, "No such file or directory"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, emulator_keys, name, mode, error):
    """A file or directory that is wrong or cannot be written is reported in one line, with exit code 7."""
    directory = tmp_path / "directory-cache"
    directory.mkdir()
    with Emulator(data=directory / "state.db", keys=emulator_keys):
        pass
    shutil.copy(directory / "state.db", directory / "read-only.db")
    (directory / "read-only.db").chmod(0o400)
    (directory / "file").write_text("text")
    directory.chmod(mode)
    path = directory / name

    with without_rights(f"data={path}") as process:
        out, err = process.communicate(timeout=20)
    directory.chmod(0o700)

    shown = str(path).replace("\n", " ")
    assert (process.returncode, out) == (7, "")
    assert (
        err == f"cognito-credentials: cannot use data file {shown}: {error}. Name another file with --data.\n"
    )


def test_names_that_mean_something_else_to_sqlite(tmp_path, emulator_keys, monkeypatch):
    """A data file with the name :memory: is a file."""
    monkeypatch.chdir(tmp_path)
    with Emulator(data=":memory:", keys=emulator_keys) as emulator:
        ids = guests(emulator.url, emulator.create_pool(), 1)

    assert answers_for(tmp_path / ":memory:", ids, emulator_keys)


@pytest.mark.parametrize("version", [1, 99])
def test_file_of_another_version(tmp_path, version):
    """A file of another format is refused unchanged. The error names the file and both versions."""
    from cognito_credentials.emulator.stored.state import SCHEMA_VERSION, DataFileError

    file = tmp_path / "state.db"
    database = sqlite3.connect(file)
    database.executescript(f"CREATE TABLE pools (id TEXT); PRAGMA user_version={version};")
    database.close()
    before = file.read_bytes()

    with pytest.raises(DataFileError, match=rf"{file}: it has format {version}, .* {SCHEMA_VERSION}"):
        Emulator(data=file).start()

    assert file.read_bytes() == before


def test_damaged_file(tmp_path, emulator_keys, caplog):
    """A damaged file is reported in one line that names it, at the start or later, without a traceback."""
    from cognito_credentials.emulator.stored.state import DataFileError

    file = tmp_path / "state-cache.db"
    with Emulator(data=file, keys=emulator_keys) as emulator:
        for _ in range(100):
            emulator.create_pool()
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    with pytest.raises(DataFileError, match=rf"cannot use data file {file}: .*malformed"):
        Emulator(data=file, keys=emulator_keys).start()

    file.write_bytes(whole)
    with Emulator(data=file, keys=emulator_keys) as emulator:
        emulator.service.state.execute("DROP TABLE identities")
        answer = Api(emulator, None, None, None).post("DescribeIdentity", {"IdentityId": "a:0"}, **SIGNED)

    assert answer.status == 500
    assert answer.json["message"].startswith("The emulator cannot use its data file: ")
    logged = [record for record in caplog.records if record.name.startswith("cognito_credentials")]
    assert [(record.levelname, record.exc_info) for record in logged] == [("ERROR", None)]


CONTROL_CALLS = [
    ("POST", "/_emulator/reset", b""),
    ("POST", "/_emulator/login-token", b'{"provider": "accounts.google.com"}'),
    ("GET", "/.well-known/jwks_uri", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), CONTROL_CALLS)
def test_locked_file(tmp_path, caplog, method, path, body):
    """While another program locks the data file, control calls and documents report that in one line."""
    file, lines = tmp_path / "state-cache.db", []
    with Emulator(data=file, log=lines.append) as emulator:
        emulator.service.state.execute("PRAGMA busy_timeout=0")
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        answer = Api(emulator, None, None, None).raw(method, path, body)
        other.close()
        again = Api(emulator, None, None, None).raw(method, path, body)

    assert (answer.status, again.status) == (500, 200)
    text = "The emulator cannot use its data file: database is locked"
    assert text in (answer.json.get("error"), answer.json.get("message"))
    assert f"{method} {path} 500" in lines[0]
    logged = [record for record in caplog.records if record.name.startswith("cognito_credentials")]
    assert [(record.levelname, record.exc_info) for record in logged] == [("ERROR", None)]


def test_keys_while_another_program_writes(tmp_path):
    """A stored key can be used and published while another program writes to the data file."""
    file = tmp_path / "state-cache.db"
    with Emulator(data=file) as emulator:
        api = Api(emulator, None, None, None)
        assert {api.raw(*call).status for call in CONTROL_CALLS} == {200}
        emulator.service.state.execute("PRAGMA busy_timeout=0")
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        assert {api.raw(*call).status for call in CONTROL_CALLS[1:]} == {200}
        other.close()


def test_damaged_key(tmp_path, caplog):
    """A damaged signing key is reported in one line that names it, wherever the key is needed."""
    with Emulator(data=tmp_path / "state-cache.db") as emulator:
        emulator.service.state.remember("key-service", b"\0")
        emulator.service.state.remember("key-test-issuer", b"\0")
        answers = [Api(emulator, None, None, None).raw(*call) for call in CONTROL_CALLS[1:]]

    texts = [answer.json.get("error") or answer.json["message"] for answer in answers]
    assert texts == [
        f"The emulator cannot use its data file: its key {name} is damaged"
        for name in ("test-issuer", "service")
    ]
    assert {answer.status for answer in answers} == {500}
    assert not any(record.exc_info for record in caplog.records)
