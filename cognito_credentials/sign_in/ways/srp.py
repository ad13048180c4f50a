"""
The client's half of SRP, as user pools have it: for a user's password, and for a remembered device's.

The arithmetic is pycognito's. Nothing of the password leaves `SrpProof` but in the proof.

Imports `secret` and `errors`; pycognito when a proof is begun.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from ...errors import RefusedError
from ...secret import Secret
from ..issuers.tokens import Device

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SrpProof:
    """
    One proof of one password.

    Args:
        group: The part of the user pool's id behind the region; of a device, its group key.
        password: The user's, or the device's.

    Source: amazon-cognito-identity-js, AuthenticationHelper; RFC 5054 for the group of 3072 bits.
    """

    def __init__(self, group: str, password: Secret) -> None:
        from pycognito.aws_srp import AWSSRP

        # Only its arithmetic is used: the names are handed in below, and the password not before it is
        # needed. Any object for the client: without one it would make a signed one.
        self._srp = AWSSRP("", "", "", "", client=object())
        self._group = group
        self._password = password

    @property
    def public_value(self) -> str:
        """What starts the conversation, ``SRP_A``: the public half of a random number."""
        return str(self._srp.get_auth_params()["SRP_A"])

    def answer(self, name: str, parameters: Mapping[str, Any], now: float) -> dict[str, str]:
        """
        Prove the password.

        Args:
            name: Whose it is: ``USER_ID_FOR_SRP`` of the challenge, or the device's key.
            parameters: ``SRP_B``, ``SALT`` and ``SECRET_BLOCK`` of the challenge.
            now: Seconds since the epoch.

        Raises:
            RefusedError: The server's half is missing, or one that would give the password away.
        """
        try:
            server_value = int(parameters["SRP_B"], 16)
            salt, block = str(parameters["SALT"]), str(parameters["SECRET_BLOCK"])
            secret_block = base64.b64decode(block)
            if server_value % self._srp.big_n == 0:  # then the key would not depend on the password
                raise ValueError
            # The user's and the device's differ in what stands before the colon, and that is given here.
            key = self._srp.get_device_authentication_key(
                self._group, name, self._password.reveal(), server_value, salt
            )
        except Exception:  # noqa: BLE001  (whatever the server sent, the frames have the password in them)
            key = None
        if key is None:
            raise RefusedError(
                "the user pool's half of the password proof is wrong", hint="Check the id of the user pool"
            )
        timestamp = _timestamp(now)
        message = (self._group + name).encode("utf-8") + secret_block + timestamp.encode("ascii")
        signature = hmac.new(bytes(key), message, hashlib.sha256).digest()
        return {
            "TIMESTAMP": timestamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signature).decode("ascii"),
        }


def new_device(key: str, group_key: str, username: str) -> tuple[Device, dict[str, str]]:
    """
    Make a password for a device that the pool has just named.

    Args:
        key: What the pool calls it.
        group_key: The pool's part of its name.
        username: Whose it is.

    Returns:
        The device, and what lets the pool verify the password without knowing it
        (``DeviceSecretVerifierConfig``).
    """
    from pycognito.aws_srp import generate_hash_device

    password, verifier = generate_hash_device(group_key, key)
    return Device(key, group_key, Secret(password), username), verifier


def _timestamp(now: float) -> str:
    """Write the time as the proof has it, in English whatever the locale: ``Mon Nov 3 09:05:00 UTC 2025``."""
    moment = datetime.fromtimestamp(int(now), timezone.utc)
    return (
        f"{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment.day} "
        f"{moment:%H:%M:%S} UTC {moment.year}"
    )
