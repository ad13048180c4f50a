"""The form in which records are stored on another machine: small, and read only as it was written."""

from __future__ import annotations

import base64
import random
import zlib

import pytest

from cognito_credentials.cache.records import RECORD_LIMIT
from cognito_credentials.cache.sealing import Sealer, Unopened
from cognito_credentials.secret import Secret
from cognito_credentials.settings.shared_cache import cache_key
from tests.campaigns.kill import record

NAME = "{0123456789abcdef0123456789abcdef01234567}:c"
KEY = cache_key(bytes(32), "cache_key from test")


@pytest.mark.parametrize("key", [None, KEY])
def test_a_record_takes_little_more_than_its_session_token(key: Secret | None) -> None:
    """Stored, a whole record is hardly larger than the text of its session token, which is base64."""
    sealer, token = Sealer(key), base64.b64encode(random.Random(1).randbytes(600))
    data = record(0).replace(b"t" * 800, token)

    stored = sealer.seal(NAME, data)

    assert len(data) > len(token) + 400
    assert len(stored) <= len(token) + 50
    assert sealer.open(NAME, stored).data == data


@pytest.mark.parametrize("size", [0, 1, RECORD_LIMIT])
def test_what_is_sealed_is_opened(size: int) -> None:
    """Every length that a record may have comes back."""
    for sealer in (Sealer(None), Sealer(KEY)):
        assert sealer.open(NAME, sealer.seal(NAME, b"x" * size)).data == b"x" * size


def test_what_no_record_is_made_of_is_damaged() -> None:
    """Bytes that do not unpack, go on after their end, or would fill the memory are no record."""
    plain = Sealer(None)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(100_000_000)) + packer.flush()
    good = plain.seal(NAME, b"x" * 100)

    for stored in (b"1P", b"1Pnonsense", b"1P" + bomb, good[:-1], good + b"x"):
        with pytest.raises(Unopened) as caught:
            plain.open(NAME, stored)
        assert caught.value.is_damaged


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (Sealer(None).seal(NAME, b"x"), "is not sealed, and cache_key is set"),
        (b"1S" + bytes(31), "is damaged"),
        (b"1X" + bytes(60), "is damaged"),
        (b"2S" + bytes(60), "was written by a later version"),
        (b"", "is damaged"),
    ],
)
def test_what_a_key_does_not_open(stored: bytes, said: str) -> None:
    """With a key, only what a key has sealed is opened; the reason says what else it is."""
    with pytest.raises(Unopened) as caught:
        Sealer(KEY).open(NAME, stored)
    assert caught.value.reason == said
