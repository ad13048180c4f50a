"""The deletion of pools with many identities."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import sqlite3
import threading
from contextlib import closing

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.stored.pools import delete_rest
from cognito_credentials.emulator.stored.state import State
from cognito_credentials.emulator.wire.sweeping import Sweeper

from ...benchmarks.emulators import POOL, SIGNED, fill
from ..conftest import Api, command

COUNT = 20_000


def left(file):
    state = State(file)
    rows = [
        state.row(f"SELECT count(*) AS n FROM {table}")["n"]
        for table in ("identities", "logins", "deleted_pools")
    ]
    state.close()
    return rows


def is_at_work(state):
    with state.alone():  # the thread of the emulator uses the same connection
        return state.row("SELECT 1 FROM deleted_pools") is not None


def delete(api):
    answer = api.post("DeleteIdentityPool", {"IdentityPoolId": POOL}, **SIGNED)
    assert answer.status == 200, answer.body


def test_other_requests_go_on(tmp_path, emulator_keys):
    """While the rows of many identities are deleted, another request is answered between two slices."""
    file = tmp_path / "state-cache.db"
    fill(str(file), COUNT)
    with Emulator(data=file, keys=emulator_keys) as emulator:
        api = Api(emulator, None, None, None)
        other = emulator.create_pool()
        delete(api)
        assert api.post("GetId", {"IdentityPoolId": other}).status == 200

        state = emulator.service.state
        with state.alone():
            assert state.row("SELECT count(*) AS n FROM identities")["n"] > COUNT / 2, "deleted at once"
        while is_at_work(state):
            assert api.post("GetId", {"IdentityPoolId": other}).status == 200
    identities, logins, deleted = left(file)

    assert 0 < identities < COUNT
    assert (logins, deleted) == (0, 0)


def test_a_locked_file_is_waited_for(tmp_path, emulator_keys, monkeypatch):
    """While another program locks the file, the deletion waits, and it goes on by itself afterwards."""
    monkeypatch.setattr("cognito_credentials.emulator.wire.sweeping._RETRY_SECONDS", 0.01)
    file = tmp_path / "state-cache.db"
    fill(str(file), COUNT)
    with Emulator(data=file, keys=emulator_keys) as emulator:
        state = emulator.service.state
        with state.alone():
            state.execute("PRAGMA busy_timeout=1").fetchall()
        delete(Api(emulator, None, None, None))
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("PRAGMA busy_timeout=5000").fetchall()
            other.execute("BEGIN IMMEDIATE")
            assert Api(emulator, None, None, None).control("GET", "requests").status == 200
            assert is_at_work(state)
        while is_at_work(state):
            assert Api(emulator, None, None, None).control("GET", "requests").status == 200
    assert left(file) == [0, 0, 0]


def test_nothing_of_a_deleted_pool_is_found(tmp_path, emulator_keys):
    """From the answer on its identities do not exist, nor in a new pool of the same id."""
    file = tmp_path / "state-cache.db"
    known = fill(str(file), COUNT)
    with Emulator(data=file, keys=emulator_keys) as emulator:
        api = Api(emulator, None, None, None)
        delete(api)
        refused = api.post("GetCredentialsForIdentity", {"IdentityId": known[-1]})
        described = api.post("DescribeIdentity", {"IdentityId": known[-1]}, **SIGNED)
        made = emulator.create_pool(IdentityPoolId=POOL)
        listed = api.post("ListIdentities", {"IdentityPoolId": made, "MaxResults": 60}, **SIGNED)

    assert refused.json["message"] == f"Identity '{known[-1]}' not found."
    assert described.json["message"] == f"Identity '{known[-1]}' not found."
    assert listed.json["Identities"] == []


def test_a_restart_goes_on(tmp_path):
    """A kill in the middle of the deletion leaves rows, which the next start deletes without being asked."""
    file = tmp_path / "state-cache.db"
    fill(str(file), COUNT)
    with command(f"data={file}") as process:
        threading.Thread(target=process.stderr.read, daemon=True).start()
        url = process.stdout.readline().split()[-1]
        with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as wire:
            headers = {"X-Amz-Target": "AWSCognitoIdentityService.DeleteIdentityPool", **SIGNED}
            wire.request("POST", "/", json.dumps({"IdentityPoolId": POOL}), headers)
            assert wire.getresponse().status == 200
        process.kill()
        process.wait()
    before = left(file)
    assert before[2] == 1, "the kill came too late"
    assert before[0] > 0

    with Emulator(data=file) as emulator:
        state = emulator.service.state
        while is_at_work(state):
            assert Api(emulator, None, None, None).control("GET", "requests").json == {}
    assert left(file) == [0, 0, 0]


def test_a_pool_that_is_deleted_at_the_last_moment(tmp_path):
    """A pool that is deleted when the sweeper has just found nothing left is swept, too."""
    file = str(tmp_path / "state-cache.db")
    fill(file, 20)
    state = State(file)

    async def delete_late():
        sweeper = Sweeper(state)
        sweeper.start()
        await asyncio.sleep(0)
        state.execute("INSERT INTO deleted_pools VALUES (?)", POOL)
        sweeper.start()
        await sweeper._task

    asyncio.run(delete_late())
    state.close()
    assert left(file) == [0, 0, 0]


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_slices(limit, tmp_path):
    """Each slice deletes at most its number of rows, logins first, and leaves other pools alone."""
    file = str(tmp_path / "state-cache.db")
    fill(file, 20)
    state = State(file)
    state.execute("INSERT INTO identities (id, pool_id, created_ms, modified_ms) VALUES ('a', 'other', 0, 0)")
    state.execute("DELETE FROM pools")
    state.execute("INSERT INTO deleted_pools VALUES (?)", POOL)
    rows = [31]
    while delete_rest(state, limit):
        rows.append(
            state.row("SELECT (SELECT count(*) FROM logins) + (SELECT count(*) FROM identities) AS n")["n"]
        )
        orphans = "SELECT 1 FROM logins WHERE identity_id NOT IN (SELECT id FROM identities)"
        assert not state.row(orphans)
    state.close()

    assert rows[-1] == 1
    assert max(before - after for before, after in itertools.pairwise(rows)) <= limit
