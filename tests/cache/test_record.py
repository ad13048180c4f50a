"""What is written is read back; what is anything else is a miss."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_credentials.cache.record import (
    RECORD_LIMIT,
    CredentialsRecord,
    IdentityRecord,
    ShortcutRecord,
    StateRecord,
    decode_credentials,
    decode_identity,
    decode_shortcut,
    decode_state,
    encode,
)
from cognito_credentials.clock import ServerTime
from cognito_credentials.credentials import TemporaryCredentials
from cognito_credentials.digest import sha256

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
    body = data.replace(old, new, 1).rpartition(b',"sum":')[0]
    return body + f',"sum":"{sha256(body).hexdigest()}"}}\n'.encode()


def test_credentials_come_back_as_they_were() -> None:
    """Every field survives writing and reading."""
    record = made()
    again = decode_credentials(KEY, encode(record))

    assert again is not None
    assert again.credentials == record.credentials
    for name in ("key", "identity_id", "issued_at", "refresh_at", "seen"):
        assert getattr(again, name) == getattr(record, name)


def test_a_record_is_one_line_of_json() -> None:
    """People and other programs can read it with any JSON parser."""
    read = json.loads(encode(made()))

    assert read["kind"] == "credentials"
    assert read["expires_at"] == 1_800_003_600
    assert encode(made()).count(b"\n") == 1


@given(message=st.text(max_size=200), hint=st.text(max_size=50), moment=st.integers(0, 10**10))
def test_any_message_survives(message: str, hint: str, moment: int) -> None:
    """Texts for people may hold anything; only what JSON's escapes cannot name becomes a question mark."""
    again = decode_state(KEY, encode(StateRecord(key=KEY, message=message, hint=hint, retry_at=moment)))

    assert again is not None
    assert again.retry_at == moment
    assert again.message == "".join(c if ord(c) < 0x10000 else "?" for c in message)


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
        KEY, encode(ShortcutRecord(key=KEY, credentials_key=KEY, depends="file ab /tmp/ü\nenv cd X"))
    )

    assert identity is not None
    assert (identity.identity_id, identity.principal, identity.obtained_at) == ("r:1", "guest", 5)
    assert shortcut is not None
    assert shortcut.depends == "file ab /tmp/ü\nenv cd X"


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
        (b'"v":1', b'"v":2'),
        (b'"expires_at":1800003600', b'"expires_at":1800000030'),
        (b'"expires_at":1800003600', b'"expires_at":1900000000'),
        (b'"expires_at":1800003600', b'"expires_at":true'),
        (b'"expires_at":1800003600', b'"expires_at":NaN'),
        (b'"expires_at":1800003600', b'"expires_at":1e400'),
        (b'"expires_at":1800003600', b'"expires_at":01800003600'),
        (b'"expires_at":1800003600', b'"expires_at":' + b"9" * 5000),
        (b'"refresh_at":1800002500', b'"refresh_at":1800003601'),
        (b'"refresh_at":1800002500', b'"refresh_at":1799999999'),
        (b'"issued_at"', b'"issued_at" '),
        (b'"account_id":""', b'"account_id":"12"'),
        (b'"ASIAAAAA', b'"asiaaaaa'),
        (b'"CANARYtoken==', b'"CANARY token'),
        (b'"CANARYtoken==', b'"CANARY\\u0022token'),
        (b'"CANARYtoken==', b'"CANARY\\ntoken'),
        (b'"CANARYtoken==', b'"CANARY\\uD800'),
        (b'"offset":-7', b'"offset":-7,"more":1'),
        (b'"offset":-7', b'"offset":-07'),
        (b'{"v":1', b'{"v":1,"v":1'),
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
        "ü".encode(),
    ],
)
def test_garbage_is_a_miss(data: bytes) -> None:
    """Anything else at all is a miss, without an exception."""
    for decode in (decode_credentials, decode_identity, decode_state, decode_shortcut):
        assert decode(KEY, data) is None


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_miss(data: bytes) -> None:
    """No bytes raise, and none but ours are taken."""
    assert decode_credentials(KEY, data) is None
