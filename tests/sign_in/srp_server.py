"""
The server's half of SRP with Cognito's key derivation, for users' passwords and for devices'.

Written from the protocol (RFC 5054), not from the client's library, so that a wrong belief cannot hide in
both.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import secrets
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

N = int(
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


def _bytes(number: int) -> bytes:
    """Write a number as two's complement with a sign bit of zero."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


K = _hash(_bytes(N), b"\x02")


class Verifier:
    """What the server knows of a password."""

    def __init__(self, group: str, name: str, salt: int, verifier: int) -> None:
        self.group, self.name, self.salt, self.verifier = group, name, salt, verifier

    @classmethod
    def of_password(cls, group: str, name: str, password: str) -> Verifier:
        made = cls(group, name, secrets.randbits(128), 0)
        made.verifier = made._of(password)
        return made

    def matches(self, password: str) -> bool:
        """Tell whether it is the verifier of *password*, as sign-in pages compare it."""
        return self.verifier == self._of(password)

    def _of(self, password: str) -> int:
        inner = hashlib.sha256(f"{self.group}{self.name}:{password}".encode()).digest()
        return pow(2, _hash(_bytes(self.salt), inner), N)

    @classmethod
    def of_device(cls, group: str, name: str, config: dict[str, str]) -> Verifier:
        """Make one of what ConfirmDevice has sent."""
        numbers = [
            int.from_bytes(base64.b64decode(config[key]), "big") for key in ("Salt", "PasswordVerifier")
        ]
        return cls(group, name, *numbers)


class Exchange:
    """One challenge, and the check of its answer."""

    def __init__(self, verifier: Verifier, client_value: str, value: int | None = None) -> None:
        self._verifier = verifier
        self._client_value = int(client_value, 16)
        self._b = secrets.randbits(1024)
        self._value = (K * verifier.verifier + pow(2, self._b, N)) % N if value is None else value
        self._block = secrets.token_bytes(64)

    def asked(self) -> dict[str, str]:
        return {
            "SALT": f"{self._verifier.salt:x}",
            "SRP_B": f"{self._value:x}",
            "SECRET_BLOCK": base64.b64encode(self._block).decode(),
        }

    def is_proven(self, responses: dict[str, str]) -> bool:
        verifier, a = self._verifier, self._client_value
        u = _hash(_bytes(a), _bytes(self._value))
        shared = pow(a * pow(verifier.verifier, u, N), self._b, N)
        key = HKDF(hashes.SHA256(), 16, _bytes(u), b"Caldera Derived Key").derive(_bytes(shared))
        message = (verifier.group + verifier.name).encode() + self._block
        proof = hmac.new(key, message + responses["TIMESTAMP"].encode(), hashlib.sha256).digest()
        moment = time.strptime(responses["TIMESTAMP"], "%a %b %d %H:%M:%S UTC %Y")
        if abs(calendar.timegm(moment) - time.time()) >= 300:
            return False  # the pool does not tell a wrong clock from a wrong password
        assert base64.b64decode(responses["PASSWORD_CLAIM_SECRET_BLOCK"]) == self._block
        return hmac.compare_digest(proof, base64.b64decode(responses["PASSWORD_CLAIM_SIGNATURE"]))
