"""
The RSA keys of the emulator: one signs its own tokens, one those of its test issuer.

They are two, so that a token of the test issuer can never pass for one of the service. Making a
key is slow, hence each is made when first something is signed with it; give one SigningKeys to many
emulators to pay once.

A key that is kept in a state is asked of it each time: what memory alone knew, after the transaction that
stored it had failed, would sign tokens that no restart and no other emulator of the same file believes.
"""

from __future__ import annotations

import base64
import threading
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cognito_credentials.emulator.stored.state import DataFileError, State

SERVICE = "service"
TEST_ISSUER = "test-issuer"
TEST_ISSUER_KEY_ID = "cognito-emulator-test-issuer"


class SigningKeys:
    """
    The emulator's RSA keys, by name, made when first needed to sign.

    Args:
        state: Where keys are kept, so that tokens outlive a restart; None keeps them in memory.
    """

    def __init__(self, state: State | None = None) -> None:
        self._state = state
        self._lock = threading.RLock()
        self._keys: dict[str, tuple[bytes, rsa.RSAPrivateKey]] = {}

    def get(self, name: str) -> rsa.RSAPrivateKey:
        """The key called *name*, to sign with; it is made when there is none."""
        found = self.find(name)
        if found is not None:
            return found
        # Nobody else makes a key meanwhile, in this process or another. A call's own transaction contains
        # this one: what it signed is given out only when both stay.
        with self._lock if self._state is None else self._state.transaction():
            return self.find(name) or self._make(name)

    def find(self, name: str) -> rsa.RSAPrivateKey | None:
        """The key called *name*, to verify with; None when nothing was ever signed with it."""
        # To read takes no lock of the file, which another emulator may be writing to.
        with self._lock if self._state is None else self._state.alone():
            if self._state is None:
                return self._keys[name][1] if name in self._keys else None
            pem = self._state.remembered(f"key-{name}")
            return None if pem is None else self._loaded(name, pem)

    def sign(self, name: str, data: bytes, algorithm: str) -> bytes:
        """Sign *data* with RS256 or RS512."""
        digest = hashes.SHA512() if algorithm == "RS512" else hashes.SHA256()
        return self.get(name).sign(data, padding.PKCS1v15(), digest)

    def jwk(self, name: str, key_id: str, algorithm: str) -> dict[str, Any]:
        """The public half as a JSON Web Key."""
        numbers = self.get(name).public_key().public_numbers()
        return {
            "kty": "RSA",
            "alg": algorithm,
            "use": "sig",
            "kid": key_id,
            "n": _base64url_integer(numbers.n),
            "e": _base64url_integer(numbers.e),
        }

    def _loaded(self, name: str, pem: bytes) -> rsa.RSAPrivateKey:
        """The key of *pem*, which was read last time, too, unless the state went back."""
        known = self._keys.get(name)
        if known is not None and known[0] == pem:
            return known[1]
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise DataFileError(f"its key {name} is damaged")
        self._keys[name] = (pem, key)
        return key

    def _make(self, name: str) -> rsa.RSAPrivateKey:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        if self._state is not None:
            self._state.remember(f"key-{name}", pem)
        self._keys[name] = (pem, key)
        return key


def base64url(data: bytes) -> str:
    """Base64url without padding, as in JSON Web Tokens."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _base64url_integer(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
