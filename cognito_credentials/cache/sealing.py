"""
How records are sealed that are kept on another machine: whoever reads or writes that store has no key.

What is stored begins with one byte, the version of this form, and a letter:

    1 P <data>                                    plain: there is no key, and the store is on this machine
    1 S <id of the key> <nonce> <data, sealed>    sealed by AES-256-GCM

The data are deflated, with the words of records and the record's name as what was said before: of a record
little more than its secrets is left, in two thirds of the memory. Lengths tell nothing of a secret, since no
record has both a secret and a text that somebody else chooses.

A record's own key is made of the cache key and the record's full name in the store, which is also the
associated data: a record that is moved to another name, or changed in one bit, is not opened. As each
record has a key of its own, the limit of 2^32 random nonces for one key (NIST SP 800-38D, 8.3) is that of one
record.

While the cache key changes there are two: what is written is sealed by the first, and both open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import CacheError, replaced
from ..extras import install_command
from ..importing import IMPORTING
from .records import RECORD_LIMIT

if TYPE_CHECKING:
    from ..secret import Secret

_VERSION: Final = b"1"
_PLAIN, _SEALED = b"P", b"S"
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_WORDS: Final = (
    b"cognito-credentials 2 state\nkey \nretry_at 1\nnoted_at 1\nfailures 1\nerror ServiceError\nmessage \n"
    b"hint Try again\nrejected_access_key_id ASIA\ninput \n"
    b"cognito-credentials 2 identity\nkey \nidentity_id us-east-1:\nidentity_pool_id us-east-1:\nprincipal "
    b"guest:subject:user:\nobtained_at 1\n"
    b"cognito-credentials 2 credentials\nkey \nidentity_id us-east-1:\naccess_key_id ASIA\nsecret_access_key "
    b"\nsession_token IQoJb3JpZ2luX2Vj\naccount_id \nissued_at 1\nexpires_at 1\nrefresh_at 1\nwall 1\n"
    b"elapsed_ms \nboot_id \noffset 0\nsha256 "
)
"""Part of the form: with other words nothing is read that these have written. The likeliest come last."""
_RAW: Final = -15
"""Of zlib: a window of 32 KiB, and neither header nor checksum."""


class Unopened(Exception):  # noqa: N818  (it is no error of a caller: it says what is known)
    """
    What is stored cannot be opened.

    Args:
        reason: In words that follow "it": ``was sealed with another cache_key``.
        is_damaged: Whether no key and no version opens it.
    """

    def __init__(self, reason: str, *, is_damaged: bool = False) -> None:
        self.reason = reason
        self.is_damaged = is_damaged
        super().__init__(reason)


class Opened(NamedTuple):
    """What was stored, and whether the old key sealed it."""

    data: bytes
    is_of_old_key: bool


class Sealer:
    """
    Seals and opens records.

    Args:
        keys: Base64 of one key, or of a new and an old one with a comma between them; None to store as it is.

    Raises:
        CacheError: A package is not installed.
    """

    __slots__ = ("_box", "_keys")

    def __init__(self, keys: Secret | None) -> None:
        self._keys: tuple[bytes, ...] = ()
        self._box: Any = None
        if keys is not None:
            self._box = _load()
            self._keys = tuple(base64.b64decode(key) for key in keys.reveal().split(","))

    def __repr__(self) -> str:
        return f"Sealer({len(self._keys)} keys)"

    @property
    def has_key(self) -> bool:
        """Whether anything is sealed."""
        return bool(self._keys)

    def seal(self, name: str, data: bytes) -> bytes:
        """Return *data* as it is stored under *name*."""
        if not self._keys:
            return _VERSION + _PLAIN + _deflated(name, data)
        key, nonce = self._keys[0], os.urandom(_NONCE_BYTES)
        # A fork must not cut through OpenSSL.
        with IMPORTING:
            sealed: bytes = self._box(_of_record(key, name)).encrypt(
                nonce, _deflated(name, data), name.encode()
            )
        return _VERSION + _SEALED + _id(key) + nonce + sealed

    def open(self, name: str, stored: bytes) -> Opened:
        """
        Return what `seal` was given.

        Raises:
            Unopened: It was not stored under *name* with one of the keys.
        """
        if stored[:1] != _VERSION:
            is_later = stored[:1] in b"23456789" and stored[1:2].isalpha()
            raise Unopened(
                "was written by a later version" if is_later else "is damaged", is_damaged=not is_later
            )
        form, rest = stored[1:2], stored[2:]
        if form == _PLAIN and not self._keys:
            return Opened(_inflated(name, rest), False)
        if form == _PLAIN:
            # Or whoever can write to the store could give a program credentials of their own.
            raise Unopened("is not sealed, and cache_key is set")
        if form != _SEALED or len(rest) < _ID_BYTES + _NONCE_BYTES + _TAG_BYTES:
            raise Unopened("is damaged", is_damaged=True)
        if not self._keys:
            raise Unopened("is sealed, and no cache_key is set")
        return self._unsealed(name, rest)

    def _unsealed(self, name: str, rest: bytes) -> Opened:
        number = next((n for n, key in enumerate(self._keys) if _id(key) == rest[:_ID_BYTES]), None)
        if number is None:
            raise Unopened("was sealed with another cache_key")
        nonce, sealed = rest[_ID_BYTES:][:_NONCE_BYTES], rest[_ID_BYTES + _NONCE_BYTES :]
        with IMPORTING:
            from cryptography.exceptions import InvalidTag
        with replaced(InvalidTag, by=lambda _: Unopened("is damaged", is_damaged=True)), IMPORTING:
            data: bytes = self._box(_of_record(self._keys[number], name)).decrypt(
                nonce, sealed, name.encode()
            )
        return Opened(_inflated(name, data), number > 0)


def _deflated(name: str, data: bytes) -> bytes:
    packer = zlib.compressobj(
        zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, _RAW, 8, zlib.Z_DEFAULT_STRATEGY, _WORDS + name.encode()
    )
    return packer.compress(data) + packer.flush()


def _inflated(name: str, packed: bytes) -> bytes:
    """
    Undo `_deflated`.

    Raises:
        Unopened: It is no record's, such as one that takes all the memory.
    """
    unpacker = zlib.decompressobj(_RAW, _WORDS + name.encode())
    with replaced(zlib.error, by=lambda _: Unopened("is damaged", is_damaged=True)):
        data = unpacker.decompress(packed, RECORD_LIMIT + 1)
    if not unpacker.eof or unpacker.unused_data or len(data) > RECORD_LIMIT:
        raise Unopened("is damaged", is_damaged=True)
    return data


def _of_record(key: bytes, name: str) -> bytes:
    return hmac.digest(key, b"cognito-credentials record " + name.encode(), hashlib.sha256)


def _id(key: bytes) -> bytes:
    return hmac.digest(key, b"cognito-credentials key", hashlib.sha256)[:_ID_BYTES]


def _load() -> Any:
    with replaced(ImportError, by=_not_installed), IMPORTING:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM


def _not_installed(_: ImportError) -> CacheError:
    return CacheError(
        "cache_key needs the package cryptography, which is not installed",
        hint=f"Run: {install_command('redis')}",
        topic="E-NOT-INSTALLED",
    )
