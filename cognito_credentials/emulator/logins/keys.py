"""
The RSA keys of the emulator: one signs the service's tokens, the other those of its test issuer.

There are two, so that a token of the test issuer never passes for one of the service. It takes long to
make a key, so each is made when it first signs. Emulators can share one SigningKeys.

A key in a state is read from it each time. If it came from memory, it could be a key whose transaction
was rolled back: no restart, and no other emulator of the same file, would verify what it signs.
"""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING, Any

from cognito_credentials.emulator.stored.state import DataFileError, State

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

SERVICE = "service"
TEST_ISSUER = "test-issuer"
TEST_ISSUER_KEY_ID = "cognito-emulator-test-issuer"


class SigningKeys:
    """
    The emulator's RSA keys by name. Each is made when it first signs.

    Args:
        state: Stores the keys, so that tokens outlive a restart; None keeps them in memory.
    """

    def __init__(self, state: State | None = None) -> None:
        self._state = state
        self._lock = threading.RLock()
        self._keys: dict[str, tuple[bytes, rsa.RSAPrivateKey]] = {}

    def get(self, name: str) -> rsa.RSAPrivateKey:
        """The key called *name*, to sign with. It is made if it does not exist."""
        found = self.find(name)
        if found is not None:
            return found
        # Nobody else makes a key meanwhile, in this process or another. The transaction of a call contains
        # this one, so a signature is given out only if its key is stored.
        with self._lock if self._state is None else self._state.transaction():
            return self.find(name) or self._make(name)

    def find(self, name: str) -> rsa.RSAPrivateKey | None:
        """The key called *name*, to verify with; None if nothing was ever signed with it."""
        # Reading takes no lock of the file: another emulator may be writing to it.
        with self._lock if self._state is None else self._state.alone():
            if self._state is None:
                return self._keys[name][1] if name in self._keys else None
            pem = self._state.remembered(f"key-{name}")
            return None if pem is None else self._loaded(name, pem)

    def sign(self, name: str, data: bytes, algorithm: str) -> bytes:
        """Sign *data* with RS256 or RS512."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

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
        """The key of *pem*. It is parsed again only if the state has another one than last time."""
        known = self._keys.get(name)
        if known is not None and known[0] == pem:
            return known[1]
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise DataFileError(f"its key {name} is damaged")
        self._keys[name] = (pem, key)
        return key

    def _make(self, name: str) -> rsa.RSAPrivateKey:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

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
