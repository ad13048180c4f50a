"""
The pool's half of SRP, for the passwords of users and of devices.

The pool knows a salt and a verifier, and never needs the password. A proof is good for one challenge.

Source: https://www.rfc-editor.org/rfc/rfc5054 and reference/service.md#12.3.
"""

from __future__ import annotations

import base64
import binascii
import calendar
import functools
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

_N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
"""The group of 3,072 bits of RFC 5054; its generator is 2."""
_G = 2
_INFO = b"Caldera Derived Key"
_SALT_BITS = 128
_PRIVATE_BITS = 256
_MOST_DIGITS = 800
"""A number of the group has 768 hexadecimal digits; clients may put zeros before it."""


@dataclass(frozen=True)
class Verifier:
    """
    What a pool knows of a password.

    Attributes:
        group: The part of the user pool id after the region, or the device group key.
        name: The user name, or the device key.
    """

    group: str
    name: str
    salt: int
    verifier: int

    @classmethod
    def of_password(cls, group: str, name: str, password: str, salt: int | None = None) -> Verifier:
        """The verifier of *password*, with a new salt by default."""
        salt = secrets.randbits(_SALT_BITS) if salt is None else salt
        inner = hashlib.sha256(f"{group}{name}:{password}".encode()).digest()
        return cls(group, name, salt, _power_of_g(_hash(_bytes(salt), inner)))

    def matches(self, password: str) -> bool:
        """Whether it is the verifier of *password*."""
        other = Verifier.of_password(self.group, self.name, password, self.salt)
        return hmac.compare_digest(_bytes(self.verifier), _bytes(other.verifier))


@dataclass(frozen=True)
class Exchange:
    """
    One challenge: the numbers of both sides. It can be stored as JSON between the two calls.

    Attributes:
        client_value: The client's public number, SRP_A.
        private: The pool's private number.
        value: The pool's public number, SRP_B.
        block: The SECRET_BLOCK, which the proof contains.
    """

    verifier: Verifier
    client_value: int
    private: int
    value: int
    block: str

    @classmethod
    def begin(cls, verifier: Verifier, client_value: int, block: str) -> Exchange:
        """Answer the client's public number by one of the pool's own."""
        private = secrets.randbits(_PRIVATE_BITS)
        value = (_K * verifier.verifier + _power_of_g(private)) % _N
        return cls(verifier, client_value, private, value, block)

    def asked(self) -> dict[str, str]:
        """The parameters of the challenge that are about the password."""
        return {"SALT": f"{self.verifier.salt:x}", "SECRET_BLOCK": self.block, "SRP_B": f"{self.value:x}"}

    def is_proven(self, responses: Mapping[str, str]) -> bool:
        """Whether *responses* prove the password. PASSWORD_CLAIM_SIGNATURE and TIMESTAMP are read."""
        try:
            proof = base64.b64decode(responses.get("PASSWORD_CLAIM_SIGNATURE", ""), validate=True)
        except (binascii.Error, ValueError):
            return False
        a, b = self.client_value, self.value
        u = _hash(_bytes(a), _bytes(b))
        shared = pow(a * pow(self.verifier.verifier, u, _N), self.private, _N)
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        key = HKDF(hashes.SHA256(), 16, _bytes(u), _INFO).derive(_bytes(shared))
        message = f"{self.verifier.group}{self.verifier.name}".encode() + base64.b64decode(self.block)
        expected = hmac.new(key, message + responses.get("TIMESTAMP", "").encode(), hashlib.sha256).digest()
        return hmac.compare_digest(proof, expected)

    def stored(self) -> dict[str, str]:
        """The exchange as JSON can hold it."""
        verifier = self.verifier
        numbers = {
            "salt": verifier.salt,
            "verifier": verifier.verifier,
            "a": self.client_value,
            "private": self.private,
            "b": self.value,
        }
        texts = {"group": verifier.group, "name": verifier.name, "block": self.block}
        return {**texts, **{name: f"{number:x}" for name, number in numbers.items()}}

    @classmethod
    def restored(cls, stored: Mapping[str, str]) -> Exchange:
        """The exchange of `stored`."""
        salt, verifier, a, private, b = (
            int(stored[name], 16) for name in ("salt", "verifier", "a", "private", "b")
        )
        return cls(Verifier(stored["group"], stored["name"], salt, verifier), a, private, b, stored["block"])


def read_number(text: str) -> int | None:
    """A public number of a client; None if it is no number, or one that gives the shared secret away."""
    if len(text) > _MOST_DIGITS or re.fullmatch("[0-9a-fA-F]+", text) is None:
        return None
    number = int(text, 16)
    return number if number % _N else None


def read_timestamp(text: str) -> float | None:
    """The TIMESTAMP of a proof in seconds since the epoch; None if it has another form."""
    match = re.fullmatch(r"(?P<day>\w{3} \w{3} [0-9]{1,2} [0-9:]{8}) UTC (?P<year>[0-9]{4})", text, re.ASCII)
    if match is None:
        return None
    try:
        return calendar.timegm(time.strptime(f"{match['day']} {match['year']}", "%a %b %d %H:%M:%S %Y"))
    except ValueError:
        return None


def _power_of_g(exponent: int) -> int:
    """The generator to the power of *exponent*, of 256 bits, by a table: five times as quick as pow."""
    result = 1
    for row in _powers_of_g():
        result = result * row[exponent & 15] % _N
        exponent >>= 4
    return result


@functools.cache  # 0.4 MB, which take 10 ms to compute
def _powers_of_g() -> tuple[tuple[int, ...], ...]:
    """For each of an exponent's 64 hexadecimal digits, the lowest first, the powers for its 16 values."""
    rows, step = [], _G
    for _ in range(64):
        row = [1]
        for _ in range(15):
            row.append(row[-1] * step % _N)
        rows.append(tuple(row))
        step = row[-1] * step % _N
    return tuple(rows)


def _bytes(number: int) -> bytes:
    """*number* as the shortest two's complement, so with a zero bit before it."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


_K = _hash(_bytes(_N), _bytes(_G))
