"""
The client's half of SRP-6a as Cognito user pools have it: it proves a password without sending it.

It proves a user's password, and the password of a device that a pool remembers. It differs from RFC 5054 in
the generator (2, not 5), in the hash (SHA-256), in the bytes of a number (`_bytes`), in what is hashed with
the password (the pool's name or the device's group key), and in the key derivation (HKDF, 16 bytes).

Python's `pow` is not constant-time. A timing attack on it would need many exact measurements of one password,
and there is one proof for each sign-in of a person, timed from outside together with the network. No secrets
are compared here: the pool compares. SHA-256 is fast, so whoever has a pool's verifier can guess passwords
fast; the protocol leaves no choice. A device's password is 40 random bytes, which nobody guesses.

Source: RFC 5054; https://github.com/aws-amplify/amplify-js, packages/auth/src/providers/cognito/utils/srp.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from ...errors import RefusedError, replaced
from ...secret import Secret
from ..issuers.tokens import Device

N: Final = int(
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
"""The prime. Source: RFC 5054, appendix A, the 3072-bit group."""
_G: Final = 2
_INFO: Final = b"Caldera Derived Key"
_EXPONENT_BITS: Final = 1024
_WINDOW_BITS: Final = 5
"""How many bits of an exponent each step takes; Python's own `pow` takes as many."""
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SrpProof:
    """
    One proof of one password.

    Args:
        group: The part of the user pool's id after the region; for a device, its group key.
        password: The user's or the device's password.
    """

    def __init__(self, group: str, password: Secret) -> None:
        self._group = group
        self._password = password
        self._exponent = secrets.randbits(_EXPONENT_BITS)
        self._public = _power(_G, self._exponent)

    @property
    def public_value(self) -> str:
        """``SRP_A``, the client's public value, in hexadecimal."""
        return f"{self._public:x}"

    def answer(self, name: str, parameters: Mapping[str, Any], now: float) -> dict[str, str]:
        """
        Answer the challenge: prove the password.

        Args:
            name: ``USER_ID_FOR_SRP`` of the challenge; for a device, its key.
            parameters: ``SRP_B``, ``SALT`` and ``SECRET_BLOCK`` of the challenge.
            now: Seconds since the epoch.

        Raises:
            RefusedError: A parameter is missing or malformed, or would make the key the same for every
                password.
        """
        timestamp = _timestamp(now)
        # Whatever the server sends can fail anywhere in here, where the password is in the frames.
        with replaced(Exception, by=_wrong_challenge):
            signature = self._sign(name, parameters, timestamp)
        return {
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": str(parameters["SECRET_BLOCK"]),
            "PASSWORD_CLAIM_SIGNATURE": signature,
        }

    def _sign(self, name: str, parameters: Mapping[str, Any], timestamp: str) -> str:
        block = base64.b64decode(str(parameters["SECRET_BLOCK"]))
        key = self._key(name, int(str(parameters["SALT"]), 16), int(str(parameters["SRP_B"]), 16))
        message = (self._group + name).encode("utf-8") + block + timestamp.encode("ascii")
        return _text(hmac.digest(key, message, "sha256"))

    def _key(self, name: str, salt: int, server_value: int) -> bytes:
        if server_value % N == 0:  # then the key would not depend on the password
            raise ValueError
        u = _hash(_bytes(self._public), _bytes(server_value))
        if u == 0:
            raise ValueError
        x = _secret_exponent(self._group, name, self._password, salt)
        shared = _power(server_value - _K * _power(_G, x), self._exponent + u * x)
        # HKDF (RFC 5869) with one block of output.
        extracted = hmac.digest(_bytes(u), _bytes(shared), "sha256")
        return hmac.digest(extracted, _INFO + b"\x01", "sha256")[:16]


def new_device(key: str, group_key: str, username: str) -> tuple[Device, dict[str, str]]:
    """
    Make a password for a device that the pool has just named.

    Args:
        key: ``DeviceKey``.
        group_key: ``DeviceGroupKey``.
        username: The user that the pool remembers the device for.

    Returns:
        The device, and ``DeviceSecretVerifierConfig``, with which the pool verifies the password without
        knowing it.
    """
    password = Secret(_text(secrets.token_bytes(40)))
    salt = secrets.randbits(128)
    verifier = _power(_G, _secret_exponent(group_key, key, password, salt))
    config = {"PasswordVerifier": _text(_bytes(verifier)), "Salt": _text(_bytes(salt))}
    return Device(key, group_key, password, username), config


def _secret_exponent(group: str, name: str, password: Secret, salt: int) -> int:
    """Return ``x``, the secret exponent that the password stands for."""
    inner = hashlib.sha256(f"{group}{name}:{password.reveal()}".encode()).digest()
    return _hash(_bytes(salt), inner)


def _bytes(number: int) -> bytes:
    """Write a number as Java's ``BigInteger.toByteArray`` does: with a zero byte before a high first bit."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


_K: Final = _hash(_bytes(N), _bytes(_G))


def _power(base: int, exponent: int) -> int:
    """
    Compute ``pow(base, exponent, N)``, as fast, but in a thousand steps and not in one.

    No other thread of the process goes on during one call of `pow`. On a small device that would keep the
    event loop of an app waiting for a quarter of a second.
    """
    powers = [1]
    for _ in range(2**_WINDOW_BITS - 1):
        powers.append(powers[-1] * base % N)
    result = 1
    for shift in range(exponent.bit_length() // _WINDOW_BITS * _WINDOW_BITS, -1, -_WINDOW_BITS):
        result = pow(result, 2**_WINDOW_BITS, N) * powers[exponent >> shift & (2**_WINDOW_BITS - 1)] % N
    return result


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _wrong_challenge(_: Exception) -> RefusedError:
    return RefusedError(
        "the user pool's half of the password proof is wrong",
        hint="Check the id of the user pool",
        topic="E-PASSWORD",
    )


def _timestamp(now: float) -> str:
    """Write the time in the form that user pools read, in English: ``Mon Nov 3 09:05:00 UTC 2025``."""
    moment = datetime.fromtimestamp(int(now), timezone.utc)
    return (
        f"{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment.day} "
        f"{moment:%H:%M:%S} UTC {moment.year}"
    )
