"""A record that was written is read back, and anything else is a miss; records in a store, old ones too."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_credentials.cache import KINDS, InDoubt, lock_name, record_name
from cognito_credentials.cache.file import FileStore
from cognito_credentials.cache.memory import MemoryStore
from cognito_credentials.cache.records import (
    RECORD_LIMIT,
    CredentialsRecord,
    IdentityRecord,
    Records,
    ShortcutRecord,
    StateRecord,
    decode_credentials,
    decode_identity,
    decode_json_identity,
    decode_shortcut,
    decode_state,
    encode,
    remembered_error,
)
from cognito_credentials.clock import ServerTime
from cognito_credentials.credentials import TemporaryCredentials
from cognito_credentials.digest import sha256
from tests.cache.children import in_child, needs_fork
from tests.conftest import ManualClock

KEY = "0123456789abcdef0123456789abcdef01234567"


def made(**changes: Any) -> CredentialsRecord:
    parts: dict[str, Any] = {
        "key": KEY,
        "identity_id": "us-east-1:0b8d4f1c-1234-1234-1234-123456789abc",
        "credentials": TemporaryCredentials(
            "ASIA" + "A" * 16, "CANARYsecret/+", "CANARYtoken==", 1_800_003_600
        ),
        "issued_at": 1_800_000_000,
        "refresh_at": 1_800_002_500,
        "seen": ServerTime(1_800_000_000, 123_456, "boot-1", -7),
    }
    return CredentialsRecord(**{**parts, **changes})


def resummed(data: bytes, old: bytes, new: bytes) -> bytes:
    """Change a record and give it a right checksum, as only somebody who means harm would."""
    body = data.replace(old, new, 1).rpartition(b"sha256 ")[0]
    return body + f"sha256 {sha256(body).hexdigest()}\n".encode()


def test_credentials_come_back_as_they_were() -> None:
    """Every field survives writing and reading."""
    record = made()
    again = decode_credentials(KEY, encode(record))

    assert again is not None
    assert again.credentials == record.credentials
    for name in ("key", "identity_id", "issued_at", "refresh_at", "seen"):
        assert getattr(again, name) == getattr(record, name)


def test_a_record_is_lines_of_text() -> None:
    """People can read it: the kind and version, and one line for each field."""
    identity = IdentityRecord(
        key=KEY, identity_id="r:1", identity_pool_id="r:2", principal="50 % ü\n", obtained_at=5
    )
    lines = encode(identity).decode("ascii").splitlines()

    assert lines[:-1] == [
        "cognito-credentials 2 identity",
        f"key {KEY}",
        "identity_id r:1",
        "identity_pool_id r:2",
        "principal 50 %25 %c3%bc%0a",
        "obtained_at 5",
    ]
    assert lines[-1].startswith("sha256 ")


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
"""Lone surrogates, too: names of files that are not UTF-8 have them."""


@given(message=ANY_TEXT, hint=st.text(max_size=50), moment=st.integers(0, 10**10))
def test_any_message_survives(message: str, hint: str, moment: int) -> None:
    """Texts for people may hold anything at all."""
    again = decode_state(KEY, encode(StateRecord(key=KEY, message=message, hint=hint, retry_at=moment)))

    assert again is not None
    assert again.retry_at == moment
    assert (again.message, again.hint) == (message, hint)


def test_identity_and_shortcut_come_back() -> None:
    """The small records survive, too."""
    identity = decode_identity(
        KEY,
        encode(
            IdentityRecord(
                key=KEY, identity_id="r:1", identity_pool_id="r:2", principal="guest", obtained_at=5
            )
        ),
    )
    shortcut = decode_shortcut(
        KEY,
        encode(
            ShortcutRecord(
                key=KEY, credentials_key=KEY, depends="file ab /tmp/ü\nenv cd X", facts="profile ü\nregion r"
            )
        ),
    )

    assert identity is not None
    assert (identity.identity_id, identity.principal, identity.obtained_at) == ("r:1", "guest", 5)
    assert shortcut is not None
    assert shortcut.depends == "file ab /tmp/ü\nenv cd X"
    assert shortcut.facts == "profile ü\nregion r"


def test_no_single_byte_may_change() -> None:
    """Each byte flipped in each of three ways is noticed."""
    data = encode(made())
    for index in range(len(data)):
        for flip in (0x01, 0x20, 0x80):
            changed = bytearray(data)
            changed[index] ^= flip
            assert decode_credentials(KEY, bytes(changed)) is None


def test_no_cut_is_taken() -> None:
    """A record cut anywhere, or with anything behind it, is a miss."""
    data = encode(made())

    assert all(decode_credentials(KEY, data[:length]) is None for length in range(len(data)))
    assert decode_credentials(KEY, data + b"\n") is None
    assert decode_credentials(KEY, b"\xef\xbb\xbf" + data) is None


def test_a_record_under_another_key_or_kind_is_a_miss() -> None:
    """A renamed file does not serve as somebody else's."""
    data = encode(made())

    assert decode_credentials("f" * 40, data) is None
    assert decode_identity(KEY, data) is None
    assert decode_state(KEY, data) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"cognito-credentials 2", b"cognito-credentials 3"),
        (b"expires_at 1800003600", b"expires_at 1800000030"),
        (b"expires_at 1800003600", b"expires_at 1900000000"),
        (b"expires_at 1800003600", b"expires_at true"),
        (b"expires_at 1800003600", b"expires_at NaN"),
        (b"expires_at 1800003600", b"expires_at 1e400"),
        (b"expires_at 1800003600", b"expires_at 01800003600"),
        (b"expires_at 1800003600", b"expires_at 1_800_003_600"),
        (b"expires_at 1800003600", b"expires_at " + b"9" * 5000),
        (b"expires_at 1800003600", b"expires_at"),
        (b"elapsed_ms 123456", b"elapsed_ms 100000000000000"),
        (b"refresh_at 1800002500", b"refresh_at 1800003601"),
        (b"refresh_at 1800002500", b"refresh_at 1799999999"),
        (b"issued_at ", b"issued_at  "),
        (b"issued_at ", b"issued_by "),
        (b"account_id ", b"account_id 12"),
        (b"ASIAAAAA", b"asiaaaaa"),
        (b"CANARYtoken==", b"CANARY token"),
        (b"CANARYtoken==", b'CANARY"token'),
        (b"CANARYtoken==", b"CANARYtoken%3d="),
        (b"CANARYtoken==", b"CANARY%0atoken"),
        (b"CANARYtoken==", b"CANARY\ntoken"),
        (b"CANARYtoken==", b"CANARY%ff"),
        (b"CANARYtoken==", b"CANARY%"),
        (b"CANARYtoken==", b"CANARY\xc3\xbc"),
        (b"offset -7\n", b"offset -7\nmore 1\n"),
        (b"offset -7\n", b"offset -7\noffset -7\n"),
        (b"offset -7\n", b""),
        (b"offset -7", b"offset -07"),
        (b"offset -7\n", b"offset -7\r\n"),
        (b"wall 1800000000\nelapsed_ms 123456\n", b"elapsed_ms 123456\nwall 1800000000\n"),
    ],
)
def test_a_right_checksum_does_not_make_it_right(old: bytes, new: bytes) -> None:
    """A record with a valid sum still has to be exactly of our form and make sense."""
    data = encode(made())
    assert old in data
    assert decode_credentials(KEY, resummed(data, b"nothing", b"")) is not None

    assert decode_credentials(KEY, resummed(data, old, new)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 200_000,
        b"\x00" * 100,
        b"{" * 1000,
        b" " * (RECORD_LIMIT + 1),
        b"\n" * 20,
        b"cognito-credentials 2 identity\n",
        "ü".encode(),
    ],
)
def test_garbage_is_a_miss(data: bytes) -> None:
    """Anything else at all is a miss, without an exception."""
    for decode in (decode_credentials, decode_identity, decode_state, decode_shortcut, decode_json_identity):
        assert decode(KEY, data) is None


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_miss(data: bytes) -> None:
    """No bytes raise, and none but ours are taken."""
    assert decode_credentials(KEY, data) is None
    assert decode_json_identity(KEY, data) is None


# Records of an earlier version

JSON_IDENTITY = (
    b'{"v":1,"kind":"identity","key":"0123456789abcdef0123456789abcdef01234567",'
    b'"identity_id":"us-east-1:0b8d4f1c-1234-1234-1234-123456789abc",'
    b'"identity_pool_id":"us-east-1:11111111-1111-4111-8111-111111111111",'
    b'"principal":"guest","obtained_at":1800000000,'
    b'"sum":"28210806e7a9ba13bc5398371087d17e66eb7b9ce10962417d619c0e394334dd"}\n'
)
"""What the version before wrote."""
OLD_ID = "us-east-1:0b8d4f1c-1234-1234-1234-123456789abc"


def resummed_json(data: bytes, old: bytes, new: bytes) -> bytes:
    body = data.replace(old, new, 1).rpartition(b',"sum":')[0]
    return body + b',"sum":"' + sha256(body).hexdigest().encode() + b'"}\n'


def test_an_earlier_versions_identity_is_read() -> None:
    """An upgrade costs no guest its identity."""
    record = decode_json_identity(KEY, JSON_IDENTITY)

    assert record is not None
    assert (record.identity_id, record.principal, record.obtained_at) == (OLD_ID, "guest", 1_800_000_000)
    assert record.identity_pool_id == "us-east-1:11111111-1111-4111-8111-111111111111"
    assert decode_json_identity("f" * 40, JSON_IDENTITY) is None


def test_an_earlier_versions_identity_has_to_be_whole() -> None:
    """A byte changed or missing anywhere is noticed."""
    for index in range(len(JSON_IDENTITY)):
        changed = bytearray(JSON_IDENTITY)
        changed[index] ^= 0x01
        assert decode_json_identity(KEY, bytes(changed)) is None
        assert decode_json_identity(KEY, JSON_IDENTITY[:index]) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":true'),
        (b'"kind":"identity"', b'"kind":"state"'),
        (b'"guest"', b"null"),
        (b'"guest"', b'["guest"]'),
        (b'"guest"', b'"guest","more":1'),
        (b'"guest"', b"guest"),
        (b"1800000000", b"1800000000.5"),
        (b"1800000000", b"true"),
        (b'"guest"', b'"guest","principal":"guest"'),
        (b'"guest"', b'"\\u0067uest"'),
        (b'"guest"', b' "guest"'),
        (b'"guest"', b'"' + b"x" * RECORD_LIMIT + b'"'),
        (b'"guest","obtained_at":1800000000', b'"obtained_at":1800000000,"principal":"guest"'),
        (b"1800000000", b"9" * 4000),
        (b"1800000000", b"100000000000000"),
        (b"1800000000", b"-100000000000000"),
        (b'{"v"', b'[{"v"'),
        (b'{"v"', b"[" * 20_000 + b'{"v"'),
        (JSON_IDENTITY, b"[1" + b',"sum":"0"}\n'),
        (JSON_IDENTITY, b'\xff,"sum":"0"}\n'),
    ],
)
def test_an_earlier_versions_identity_has_to_have_its_form(old: bytes, new: bytes) -> None:
    """A right checksum does not make it right."""
    assert decode_json_identity(KEY, resummed_json(JSON_IDENTITY, b"", b"")) is not None

    assert decode_json_identity(KEY, resummed_json(JSON_IDENTITY, old, new)) is None


@pytest.fixture(params=["file", "memory"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Records:
    """Records on disk and in memory."""
    store = (
        MemoryStore()
        if request.param == "memory"
        else FileStore(str(tmp_path / "cache"), explicit=True, warn=print)
    )
    return Records(store, ManualClock())


def identity(identity_id: str) -> IdentityRecord:
    return IdentityRecord(
        key=KEY, identity_id=identity_id, identity_pool_id="r:pool", principal="guest", obtained_at=5
    )


def identity_keys(records: Records) -> list[str]:
    return sorted({*records.store.keys("identity"), *records.store.keys("identity-v1")})


def identity_id(records: Records) -> str | None:
    record = records.identity(KEY)
    return None if record is None else record.identity_id


def test_an_upgrade_keeps_the_identity_and_leaves_it_for_a_downgrade(records: Records) -> None:
    """The earlier version's record is read where there is no new one, and stays as it is beside a new one."""
    records.store.store("identity-v1", KEY, JSON_IDENTITY)
    assert identity_id(records) == OLD_ID
    assert identity_keys(records) == [KEY]
    assert records.store.keys("identity") == []

    records.keep(identity("r:new"))

    assert identity_id(records) == "r:new"
    assert identity_keys(records) == [KEY]
    assert records.store.load("identity-v1", KEY) == JSON_IDENTITY


def test_a_damaged_identity_gives_way_to_the_earlier_versions(records: Records) -> None:
    """The guest of the version before is one that the user had; the damaged record is kept for a person."""
    records.store.store("identity-v1", KEY, JSON_IDENTITY)
    records.store.store("identity", KEY, b"damaged")

    assert identity_id(records) == OLD_ID
    assert records.store.keys("identity") == []
    if isinstance(records.store, FileStore):
        (aside,) = Path(records.store.location).glob("*.aside")
        assert aside.read_bytes() == b"damaged"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"cognito-credentials 2 ", b"cognito-credentials 3 "),
        (b"obtained_at 5\n", b"obtained_at 5\nregion r\n"),
        (b"principal guest\n", b""),
    ],
)
def test_a_later_versions_identity_is_left_alone(records: Records, old: bytes, new: bytes) -> None:
    """A downgrade can read neither its version nor its fields: it is not damaged, and stays where it is."""
    later = resummed(encode(identity("r:new")), old, new)
    records.store.store("identity", KEY, later)
    records.store.store("identity-v1", KEY, JSON_IDENTITY)

    for look in (
        lambda: records.identity(KEY),
        lambda: records.identity_of_this_version(KEY),
        lambda: records.drop_identity(KEY, refused="r:new"),
    ):
        with pytest.raises(InDoubt):
            look()
    assert records.store.load("identity", KEY) == later


def test_what_no_version_wrote_is_damaged(records: Records) -> None:
    """A record that was changed, cut or renamed, or that is of another kind, is taken out of use."""
    whole = resummed(encode(identity("r:new")), b"credentials 2 ", b"credentials 3 ")
    for damaged in (
        whole.replace(b"r:new", b"r:old"),
        whole[:-1],
        whole + b"\n",
        resummed(whole, KEY.encode(), b"f" * 40),
        resummed(whole, b" identity\n", b" state\n"),
        resummed(whole, b"cognito-credentials ", b"other "),
    ):
        assert damaged != whole
        records.store.store("identity", KEY, damaged)

        assert records.identity(KEY) is None
        assert records.store.load("identity", KEY) is None


def test_an_identity_that_cannot_be_read_now_is_in_doubt(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither taken for absent, which would give the earlier version's, nor dropped."""
    records.store.store("identity-v1", KEY, JSON_IDENTITY)
    records.keep(identity("r:new"))
    load = type(records.store).load

    def failing(store: Any, kind: str, key: str) -> bytes | None:
        if kind == "identity":
            raise InDoubt
        return load(store, kind, key)

    with monkeypatch.context() as patch:
        patch.setattr(type(records.store), "load", failing)
        with pytest.raises(InDoubt):
            identity_id(records)
        with pytest.raises(InDoubt):
            records.drop_identity(KEY, refused="r:new")
        assert records.identities() == []

    assert identity_id(records) == "r:new"


def test_a_refused_identity_goes_from_both_records(records: Records) -> None:
    """What the service refused is not met again by reading the older record."""
    records.store.store("identity-v1", KEY, JSON_IDENTITY)
    records.keep(identity(OLD_ID))

    assert records.drop_identity(KEY, refused=OLD_ID)
    assert identity_id(records) is None
    assert identity_keys(records) == []
    assert not records.drop_identity(KEY, refused=OLD_ID)


@pytest.mark.parametrize("earlier", [JSON_IDENTITY, b"cannot be read"])
def test_another_identity_than_the_refused_one_stays(records: Records, earlier: bytes) -> None:
    """
    What an earlier version has is not dropped because the new one's was refused, nor in doubt.

    Nor does it come back: the refused one stays until the service has given another one.
    """
    records.store.store("identity-v1", KEY, earlier)
    records.keep(identity("r:new"))

    assert not records.drop_identity(KEY, refused="r:new")
    assert identity_id(records) == "r:new"
    assert records.store.load("identity-v1", KEY) == earlier


def test_another_identity_than_the_refused_one_stays_in_the_new_record(records: Records) -> None:
    """What another process has written since is not dropped."""
    records.store.store("identity-v1", KEY, JSON_IDENTITY)
    records.keep(identity("r:new"))

    assert records.drop_identity(KEY, refused=OLD_ID)
    assert identity_id(records) == "r:new"
    assert records.store.keys("identity-v1") == []


@pytest.mark.parametrize("earlier", [JSON_IDENTITY, b"cannot be read"])
def test_forgetting_an_identity_forgets_both_records(records: Records, earlier: bytes) -> None:
    """A person who wants it gone wants all of it gone."""
    records.store.store("identity-v1", KEY, earlier)

    assert records.drop_identity(KEY)
    records.keep(identity("r:new"))
    assert records.drop_identity(KEY)
    assert identity_keys(records) == []
    assert not records.drop_identity(KEY)


def test_forgetting_credentials_forgets_the_earlier_versions(records: Records) -> None:
    """A secret that nobody reads any more is still a secret."""
    records.store.store("credentials-v1", KEY, b"CANARY")
    assert records.drop_credentials(KEY)
    records.keep(made())
    assert records.drop_credentials(KEY)

    assert records.store.load("credentials-v1", KEY) is None
    assert records.credentials(KEY) is None
    assert not records.drop_credentials(KEY)


@pytest.mark.parametrize("kind", ["credentials", "state", "shortcut"])
def test_other_records_of_an_earlier_version_are_not_read(records: Records, kind: str) -> None:
    """Of an earlier version, only identities are read: other records are soon written again."""
    records.store.store(f"{kind}-v1", KEY, b"x")

    assert records.store.load(kind, KEY) is None
    assert records.store.keys(kind) == []
    assert records.store.keys(f"{kind}-v1") == [KEY]


@needs_fork
def test_two_versions_take_the_same_lock(tmp_path: Path) -> None:
    """Side by side on one cache, at most one of them asks the service for one guest."""
    store = FileStore(str(tmp_path / "cache"), explicit=True, warn=print)

    def earlier_version() -> bool:
        import fcntl

        Path(store.location).mkdir(0o700)
        with open(f"{store.location}/lock-v1-{KEY}.lock", "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            return not store.lock(KEY).acquire()

    assert lock_name(KEY) == f"lock-v1-{KEY}.lock"
    assert in_child(earlier_version)


def test_no_name_is_one_of_an_earlier_version() -> None:
    """A downgrade does not see the new records, and so neither misreads nor removes them."""
    earlier = {f"{kind}-v1-{KEY}.json" for kind in KINDS}

    assert not earlier & {record_name(kind, KEY) for kind in KINDS}
    assert earlier == {record_name(f"{kind}-v1", KEY) for kind in KINDS}


# What the clock says


def test_credentials_from_the_future_are_a_miss(records: Records) -> None:
    """Credentials seen in another boot, over a minute after now, are a miss: the clock was set back."""
    now = int(records.clock.wall())
    for seen_at, is_trusted in ((now, True), (now + 61, False)):
        record = made(
            seen=ServerTime(seen_at, 0, "another boot", 0),
            issued_at=now,
            refresh_at=now + 60,
            credentials=TemporaryCredentials("ASIA" + "A" * 16, "CANARYs", "CANARYt", now + 3600),
        )
        records.keep(record)

        assert (records.credentials(KEY) is not None) == is_trusted


@pytest.mark.parametrize(
    ("noted", "retry", "failures", "retry_at"),
    [
        (-10, 300, 3, 300),
        (-10, 701, 3, None),  # further than any back-off
        (-601, -500, 0, None),  # long ago
        (61, 300, 0, None),  # from the future
    ],
)
def test_a_state_whose_moments_cannot_be_true_is_blank(
    records: Records, noted: int, retry: int, failures: int, retry_at: int | None
) -> None:
    """A clock that was set back must not lock anybody out; a rejected key stays rejected."""
    now = int(records.clock.wall())
    records.keep(
        StateRecord(
            key=KEY,
            noted_at=now + noted,
            retry_at=now + retry,
            failures=3,
            rejected_access_key_id="ASIAREJECTED00000000",
        )
    )
    state = records.state(KEY)

    assert state.failures == failures
    assert state.retry_at == (0 if retry_at is None else now + retry_at)
    assert state.rejected_access_key_id == "ASIAREJECTED00000000"
    records.drop_state(KEY)
    assert records.state(KEY).rejected_access_key_id == ""


def test_tidying_drops_what_expired_a_day_ago_and_what_cannot_be_read(records: Records) -> None:
    """Credentials stay for a day after they expire, so that a person can look at them; identities always."""
    now = int(records.clock.wall())
    records.store.store("credentials", "4" * 40, b"cannot be read")
    for digit, end in (("1", -86_401), ("2", -86_300), ("3", 3600)):
        records.keep(
            made(
                key=digit * 40,
                issued_at=now + end - 3600,
                refresh_at=now + end - 60,
                credentials=TemporaryCredentials("ASIA" + "A" * 16, "CANARYs", "CANARYt", now + end),
            )
        )
    records.keep(identity("r:1"))
    records.store.store("identity-v1", KEY, JSON_IDENTITY)
    if isinstance(records.store, FileStore):
        for file in Path(records.store.location).iterdir():
            os.utime(file, (time.time() - 90_000,) * 2)
    records.tidy(KEY)

    assert records.store.keys("credentials") == ["2" * 40, "3" * 40]
    assert identity_keys(records) == [KEY]
    assert records.store.load("identity-v1", KEY) == JSON_IDENTITY


@pytest.mark.parametrize(
    ("name", "expected"), [("LoginRequiredError", "LoginRequiredError"), ("clean", "ServiceError")]
)
def test_a_remembered_error_is_told_with_its_cause(name: str, expected: str) -> None:
    """Every process reports the error that one of them had; a name that is no error is a service error."""
    state = StateRecord(key=KEY, error=name, message="it failed", hint="Wait", noted_at=100, retry_at=400)
    error = remembered_error(state, 110.4)

    assert type(error).__name__ == expected
    assert str(error) == f"it failed (tried 10 s ago, next try in 290 s). Wait (see {error.topic})"
