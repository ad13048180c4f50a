"""
The RSA keys of the emulator: one signs its own tokens, one those of its test issuer.

They are two, so that a token of the test issuer can never pass for one of the service. Making a
key is slow, hence each is made when first used; give one SigningKeys to many emulators to pay once.
"""

from __future__ import annotations

import base64
import threading
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cognito_credentials.emulator.state import State

SERVICE = "service"
TEST_ISSUER = "test-issuer"
TEST_ISSUER_KEY_ID = "cognito-emulator-test-issuer"


class SigningKeys:
    """
    The emulator's RSA keys, by name, made when first asked for.

    Args:
        state: Where keys are kept, so that tokens outlive a restart; None keeps them in memory.
    """

    def __init__(self, state: State | None = None) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._keys: dict[str, rsa.RSAPrivateKey] = {}

    def get(self, name: str) -> rsa.RSAPrivateKey:
        """The key called *name*."""
        key = self._keys.get(name)
        if key is not None:
            return key
        with self._lock:
            if name not in self._keys:
                self._keys[name] = self._load(name) or self._make(name)
            return self._keys[name]

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

    def _load(self, name: str) -> rsa.RSAPrivateKey | None:
        pem = self._state.remembered(f"key-{name}") if self._state else None
        if pem is None:
            return None
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"the stored key {name} is not an RSA key")
        return key

    def _make(self, name: str) -> rsa.RSAPrivateKey:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if self._state is not None:
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            self._state.remember(f"key-{name}", pem)
        return key


def base64url(data: bytes) -> str:
    """Base64url without padding, as in JSON Web Tokens."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _base64url_integer(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
