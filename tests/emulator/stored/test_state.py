"""The state: data files, restarts, kills, many clients at once; and the command."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import threading

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.stored.state import DataFileError, State

from ..conftest import OIDC, ROLE, Api, command, get_id
from ..seed.seeds import POOL_ID


@pytest.fixture
def start(boto_session, emulator_keys):
    """A function that starts another emulator and returns its Api."""
    running = []

    def call(**options):
        emulator = Emulator(**{"keys": emulator_keys, "marker": True, **options})
        emulator.start()
        api = Api(emulator, None, None, boto_session)
        api.public = api.client("cognito-identity")
        running.append(api)
        return api

    yield call
    for api in running:
        api.close()
        api.emulator.stop()


@pytest.mark.quick
def test_data_file_outlives_a_restart(start, tmp_path, emulator_keys):
    """Pools, identities, tokens and credentials of a data file are valid after a restart."""
    file = tmp_path / "cache-free.db"
    with Emulator(data=file, marker=True) as first:
        api = Api(first, None, None, start().session)
        api.public = api.client("cognito-identity")
        pool_id = api.oidc_pool()
        identity_id = get_id(api, pool_id)
        keys = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
        token = api.public.get_open_id_token(IdentityId=identity_id)["Token"]
        api.close()

    again = start(data=file, keys=None)

    assert again.public.get_open_id_token(IdentityId=identity_id)["IdentityId"] == identity_id
    assert again.client("sts", keys).get_caller_identity()["Account"] == "123456789012"
    assert again.client("sts").assume_role_with_web_identity(
        RoleArn=ROLE + "unauthenticated", RoleSessionName="session", WebIdentityToken=token
    )


def test_data_file_is_private(start, tmp_path):
    """Other users cannot read the data file, which holds signing keys."""
    start(data=tmp_path / "state.db", keys=None).emulator.create_pool()

    for path in tmp_path.glob("state.db*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize("content", [b"not a database, but long enough to look at", None])
def test_data_file_that_is_none(tmp_path, content):
    """A file of another program or version is refused unchanged, and the error names it."""
    file = tmp_path / "state.db"
    if content is None:
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE other (x)")
        database.close()
        content = file.read_bytes()
    else:
        file.write_bytes(content)

    with pytest.raises(DataFileError, match=re.escape(str(file))):
        State(file)

    assert file.read_bytes() == content


def test_data_file_in_no_directory(tmp_path):
    """A data file that cannot be made is reported in one line that names it."""
    with pytest.raises(DataFileError, match=r"cannot use data file .*/no/state\.db: "):
        State(tmp_path / "no" / "state.db")


def test_transactions_roll_back():
    """A transaction that fails at any depth changes nothing."""
    state = State()

    def fail():
        with state.transaction():
            state.remember("outer", b"1")
            with state.transaction():
                state.remember("inner", b"1")
                raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  (raised by the test, without a text)
        fail()

    assert state.remembered("outer") is None
    assert state.remembered("inner") is None
    state.close()


def test_two_clients_at_once(start):
    """Many sign-ins of one user at the same time give one identity. Each guest gets another identity."""
    api = start()
    pool_id = api.oidc_pool()
    logins = api.login("ann")
    ids, guests = [], []

    def sign_in():
        ids.append(api.post("GetId", {"IdentityPoolId": pool_id, "Logins": logins}).json)
        guests.append(api.post("GetId", {"IdentityPoolId": pool_id}).json["IdentityId"])

    threads = [threading.Thread(target=sign_in) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({answer["IdentityId"] for answer in ids}) == 1
    assert len(set(guests)) == 40


def test_stop_cuts_requests_that_wait(emulator_keys):
    """Stopping does not wait for a delayed answer."""
    emulator = Emulator(keys=emulator_keys)
    emulator.start()
    api = Api(emulator, None, None, None)
    emulator.plan_faults({"operation": "GetId", "delay": 600})
    failures = []

    def call():
        try:
            api.post("GetId", {})
        except OSError as error:
            failures.append(error)

    waiting = threading.Thread(target=call)
    waiting.start()
    while not emulator.requests():
        pass

    emulator.stop()
    waiting.join(timeout=10)

    assert not waiting.is_alive()
    assert len(failures) == 1


def test_emulator_that_does_not_run():
    """An emulator has no URL before its start and after its end."""
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        emulator.url  # noqa: B018 - the access is what fails


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command(boto_session, number):
    """The command prints its address, logs each request in a line, and ends with 0 on a signal."""
    with command() as process:
        first = process.stdout.readline()
        match = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", first)
        assert match, first

        class There:
            url = match[1]

        assert Api(There, None, None, boto_session).post("GetId", {}).status == 400
        process.send_signal(number)
        out, err = process.communicate(timeout=10)

    assert (process.returncode, out) == (0, "")
    why = "1 validation error detected: Value null at 'identityPoolId' failed to satisfy constraint: "
    assert re.fullmatch(rf"\d\d:\d\d:\d\d GetId 400 ValidationException \d+\.\d ms: {why}.*\n", err)


def test_command_kill_and_restart(boto_session, tmp_path):
    """A process that is killed at any moment leaves a valid data file."""
    file = tmp_path / "state.db"
    seed = tmp_path / "seed.toml"
    seed.write_text(
        f"[[pools]]\nIdentityPoolId = '{POOL_ID}'\n"
        "IdentityPoolName = 'app'\nAllowUnauthenticatedIdentities = true\n"
    )
    ids = []
    for _ in range(3):
        with command(f"data={file}", f"seed={seed}") as process:
            url = process.stdout.readline().split()[-1]

            class There:
                pass

            There.url = url
            api = Api(There, None, None, boto_session)
            for identity_id in ids:
                answer = api.post("GetOpenIdToken", {"IdentityId": identity_id})
                assert answer.status == 200
            guests = [api.post("GetId", {"IdentityPoolId": POOL_ID}) for _ in range(20)]
            ids.extend(guest.json["IdentityId"] for guest in guests)
            process.kill()
            process.communicate()

    database = sqlite3.connect(file)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("SELECT count(*) FROM identities").fetchone() == (60,)
    database.close()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["seed=/no/seed.toml"], 4, "seed file /no/seed.toml: No such file or directory"),
        (["data=/no/state.db"], 7, "cannot use data file /no/state.db: No such file or directory"),
        (["port=70000"], 4, "cannot listen on 127.0.0.1 port 70000"),
        (["host=203.0.113.1"], 4, "cannot listen on 203.0.113.1 port 0: "),
        (["host="], 4, "cannot listen on  port 0: the host is empty. Choose another --host or --port."),
        (["host=ö..b"], 4, "cannot listen on ö..b port 0: encoding of hostname failed. "),
    ],
)
def test_command_mistakes(arguments, code, error):
    """A wrong flag or file is reported in one line on stderr, with its exit code and without a traceback."""
    with command(*arguments) as process:
        out, err = process.communicate(timeout=20)

    assert (process.returncode, out) == (code, "")
    assert err.startswith("cognito-credentials: ")
    assert error in err
    assert err.count("\n") == 1


def test_port_in_use(emulator):
    """A port in use is reported in one line that names it."""
    port = emulator.url.rpartition(":")[2]
    with command(f"port={port}") as process:
        out, err = process.communicate(timeout=20)

    assert (process.returncode, out) == (4, "")
    assert err == (
        f"cognito-credentials: cannot listen on 127.0.0.1 port {port}: Address already in use. "
        "Choose another --host or --port.\n"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_all_addresses(host):
    """
    An address that other machines can reach causes a warning. The first line has an address to connect to.
    """
    with command(f"host={host}") as process:
        first = process.stdout.readline()
        warning = process.stderr.readline()
        process.terminate()
        process.communicate(timeout=10)

    assert re.fullmatch(r"listening on http://(127\.0\.0\.1|\[::1\]):\d+\n", first)
    assert warning == (
        f"cognito-credentials: whoever can reach {host} may use, change and read this emulator\n"
    )


def test_every_request_has_a_line(emulator_keys):
    """A request without an operation is logged with method, path and error, but without its query."""
    lines = []
    with Emulator(keys=emulator_keys, log=lines.append) as emulator:
        api = Api(emulator, None, None, None)
        api.raw("GET", "/.well-known/openid-configuration?token=CANARY")
        api.raw("OPTIONS", "/")
        api.control("PUT", "settings", {"delay": -1})
        api.raw("PUT", "/_emulator/users", b" " * 1_100_000)
        api.raw("GET", "/?Action=AssumeRoleWithWebIdentity&WebIdentityToken=CANARY")
        api.raw("DELETE", "/CANARY")

    shown = [re.sub(r"^\d\d:\d\d:\d\d | \d+\.\d ms", "", line) for line in lines]
    assert shown[:4] == [
        "GET /.well-known/openid-configuration 200",
        "OPTIONS / 200",
        "PUT /_emulator/settings 400: delay: expected a number of seconds, 0 to 1000000000, not -1",
        "PUT /_emulator/users 413: the body is larger than 1048576 bytes",
    ]
    assert shown[4].startswith("AssumeRoleWithWebIdentity 400 ValidationError: 2 validation errors")
    problem = "There is no operation and no document at /CANARY."
    assert shown[5] == f"DELETE /CANARY 404 UnknownOperationException: {problem}"
    assert "CANARY" not in "".join(lines[:5])


def test_tls(start, tmp_path):
    """With TLS, clients that trust the emulator's certificate work over https."""
    import ssl
    import urllib.request

    api = start(tls=True)

    assert api.emulator.url.startswith("https://127.0.0.1:")
    assert api.emulator.is_local
    context = ssl.create_default_context(cafile=api.emulator.certificate)
    with urllib.request.urlopen(f"{api.emulator.url}/_emulator/requests", context=context) as answer:
        assert answer.read() == b"{}"


def test_log_stays_one_line(emulator_keys):
    """No text of a request ends its line in the log, controls a terminal, or is a secret."""
    lines = []
    with Emulator(keys=emulator_keys, log=lines.append) as emulator:
        api = Api(emulator, None, None, None)
        pool_id = api.oidc_pool()
        api.post("GetId", {"IdentityPoolId": "a\n\x1b[2J b"})
        api.post("GetId", {"IdentityPoolId": pool_id, "Logins": {OIDC: "CANARY", "x\ny": ""}})
        api.raw(body=b"{}", headers={"X-Amz-Target": "x" * 500})

    assert len(lines) == 3
    assert all(line.isprintable() and len(line) < 450 for line in lines)
    assert "CANARY" not in "".join(lines)
    assert "Value 'a??[2J b' at 'identityPoolId'" in lines[0]


def test_command_with_tls():
    """With --tls the first line has the https address, and the second names the certificate file."""
    import ssl
    import urllib.request

    with command("tls=yes") as process:
        url = process.stdout.readline().split()[-1]
        file = process.stdout.readline().rstrip("\n").removeprefix("certificate: ")
        context = ssl.create_default_context(cafile=file)
        with urllib.request.urlopen(f"{url}/_emulator/requests", context=context) as answer:
            assert answer.read() == b"{}"
        process.terminate()
        process.communicate(timeout=10)

    assert url.startswith("https://")
    assert not os.path.exists(file)


def test_commit_that_fails(start, monkeypatch):
    """A transaction that cannot be committed is rolled back, and the next call works."""
    state = start().emulator.service.state

    class Full:
        """A connection to a disk that is full when a transaction is committed."""

        def __init__(self, real):
            self.real = real

        @property
        def in_transaction(self):
            return self.real.in_transaction

        def execute(self, statement, *values):
            if statement == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return self.real.execute(statement, *values)

    with monkeypatch.context() as patch:
        patch.setattr(state, "_connection", Full(state._connection))
        with pytest.raises(sqlite3.OperationalError, match="full"), state.transaction():
            state.remember("lost", b"1")

    with state.transaction():
        assert state.remembered("lost") is None


def test_transaction_that_sqlite_ended(start):
    """If SQLite has rolled back already, its original error is raised."""
    state = start().emulator.service.state

    def fail():
        with state.transaction():
            state.execute("ROLLBACK")
            raise KeyError("CANARY")

    with pytest.raises(KeyError, match="CANARY"):
        fail()
