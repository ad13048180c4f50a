"""What is stored of user pools: kept over a restart, added to older files, and bounded."""

from __future__ import annotations

import sqlite3

import pytest

from cognito_credentials.emulator import Emulator, assumed
from cognito_credentials.emulator.stored import sign_ins
from cognito_credentials.emulator.stored.sign_ins import Device, Grant
from cognito_credentials.emulator.stored.state import SCHEMA_VERSION, State
from cognito_credentials.emulator.stored.user_pools import find_user, list_users

POOL = "us-east-1_Ab1Cd2Ef3"


@pytest.fixture
def state():
    made = State()
    yield made
    made.close()


def tables(file):
    database = sqlite3.connect(file)
    names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    (version,) = database.execute("PRAGMA user_version").fetchone()
    database.close()
    return names, version


def test_file_without_user_pools(tmp_path, emulator_keys):
    """A file of the format before user pools is taken over: it keeps what it has, and gets the new tables."""
    file = tmp_path / "state.db"
    with Emulator(data=file, keys=emulator_keys) as emulator:
        pool = emulator.create_pool()
    whole, _ = tables(file)
    database = sqlite3.connect(file)
    for name in whole:
        if name.startswith(("user_pool", "issuer_", "deleted_")):
            database.execute(f"DROP TABLE {name}")
    database.execute("PRAGMA user_version=2")
    database.commit()
    database.close()

    with Emulator(data=file, keys=emulator_keys) as emulator:
        emulator.create_user_pool(id=POOL, users=[{"name": "ann"}])
        assert emulator.service.state.row("SELECT 1 FROM pools WHERE id = ?", pool)

    assert tables(file) == (whole, SCHEMA_VERSION)


def test_restart(tmp_path, emulator_keys):
    """A user pool and its users are there after a restart."""
    file = tmp_path / "state.db"
    with Emulator(data=file, keys=emulator_keys) as emulator:
        emulator.create_user_pool(id=POOL, users=[{"name": "ann"}])
        ann = find_user(emulator.service.state, POOL, "ann")

    with Emulator(data=file, keys=emulator_keys) as emulator:
        assert find_user(emulator.service.state, POOL, "ANN") == ann


def test_described_again(emulator):
    """A pool that is described again keeps the users who are named again, and no others; clients likewise."""
    state = emulator.service.state
    emulator.create_user_pool(id=POOL, clients=[{"id": "a"}], users=[{"name": "ann"}, {"name": "bob"}])
    ann = find_user(state, POOL, "ann")
    sign_ins.save_device(state, Device("us-east-1_d", POOL, ann.sub, "-g"))

    emulator.create_user_pool(
        id=POOL, mfa="on", clients=[{"id": "b"}], users=[{"name": "ann", "groups": ["x"]}]
    )

    (found,) = (user for _, user in list_users(state, POOL, 0, 10))
    assert (found.sub, found.groups) == (ann.sub, ["x"])
    assert sign_ins.find_device(state, POOL, ann.sub, "us-east-1_d")
    assert [row["id"] for row in state.rows("SELECT id FROM user_pool_clients")] == ["b"]


def test_devices_are_bounded(state):
    """A user has only so many devices: the oldest make room."""
    for number in range(assumed.MOST_DEVICES + 5):
        sign_ins.save_device(state, Device(f"us-east-1_{number}", POOL, "ann", "-g"))

    devices = sign_ins.list_devices(state, POOL, "ann", 0, 1000)
    assert [device.key for _, device in devices[:1]] == ["us-east-1_5"]
    assert len(devices) == assumed.MOST_DEVICES


def test_grants_are_bounded(state, monkeypatch):
    """A user has only so many sign-ins, and those that expired long ago are gone with their tokens."""
    monkeypatch.setattr(assumed, "MOST_GRANTS", 3)
    for number in range(5):
        sign_ins.add_grant(state, Grant(f"jti{number}", POOL, "ann", "app", expires_at=100.0), now=0)
        sign_ins.add_refresh_token(state, f"token{number}", f"jti{number}")

    assert [number for number in range(5) if sign_ins.find_grant(state, f"jti{number}")] == [2, 3, 4]
    assert sign_ins.find_refresh_token(state, "token1") is None
    late = 101 + assumed.KEPT_AFTER_EXPIRY_SECONDS
    sign_ins.add_grant(state, Grant("last", POOL, "bob", "app", expires_at=late), now=late)
    assert sign_ins.find_refresh_token(state, "token4") is None


def test_sessions_are_bounded(state, monkeypatch):
    """There are only so many sessions of a kind: the oldest make room, also for those of other people."""
    monkeypatch.setattr(assumed, "MOST_SESSIONS", 3)
    sign_ins.open_session(state, "code", "other", {}, 100.0, 0)
    for number in range(5):
        sign_ins.open_session(state, "challenge", f"token{number}", {"number": number}, 100.0, 0)

    found = [sign_ins.find_session(state, "challenge", f"token{number}") for number in range(5)]
    assert [session.content["number"] for session in found if session] == [2, 3, 4]
    assert sign_ins.find_session(state, "code", "other")
    assert sign_ins.find_session(state, "challenge", "other") is None


def test_rotated_tokens_are_bounded(state):
    """A sign-in remembers only the last refresh tokens that were replaced."""
    sign_ins.add_grant(state, Grant("jti", POOL, "ann", "app", expires_at=10.0**9), now=0)
    for number in range(assumed.MOST_ROTATED + 5):
        sign_ins.add_refresh_token(state, f"token{number}", "jti")
        sign_ins.mark_replaced(state, f"token{number}", number)

    count = state.row("SELECT count(*) AS n FROM user_pool_refresh_tokens")["n"]
    assert count == assumed.MOST_ROTATED + 1
    assert sign_ins.find_refresh_token(state, "token0") is None


def test_tokens_are_not_stored(state):
    """The state has only digests of session and refresh tokens: a copy of the data file opens nothing."""
    sign_ins.add_grant(state, Grant("jti", POOL, "ann", "app", expires_at=10.0**9), now=0)
    sign_ins.add_refresh_token(state, "the-refresh-token", "jti")
    sign_ins.open_session(state, "challenge", "the-session-token", {}, 100.0, 0)

    dump = "\n".join(state._connection.iterdump())
    assert "the-refresh-token" not in dump
    assert "the-session-token" not in dump
