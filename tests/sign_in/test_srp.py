"""
Our SRP against pycognito's.

pycognito is an independent implementation of Cognito's SRP, which signs people in to real user pools. These
tests take its answers for right; the package itself does not use it. Both get the same random exponent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycognito import aws_srp

from cognito_credentials.emulator.user_pools.srp import Verifier
from cognito_credentials.secret import Secret
from cognito_credentials.sign_in.ways.srp import N, SrpProof, _power, new_device

NOW = 1_762_160_700  # 2025-11-03 09:05:00 UTC, a day of one digit
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
PASSWORDS = TEXTS | st.sampled_from(["pässwörd", "密码", "🔑" * 9, "a:b", " ", "\u0000"])
NAMES = TEXTS | st.sampled_from(["ann@example.com", "3f2a9c1e-5d4b-4c3a-8b7e-1f2d3c4b5a69", "us-east-1_a_b"])
# A number with zeros at its front is shorter in hexadecimal: an odd count of digits, or a byte less.
SALTS = st.integers(0, 2**128 - 1) | st.integers(0, 2**12) | st.integers(2**119, 2**121)
SHORT_VALUES = st.integers(1, 2**16) | st.integers(2**3055, 2**3065)
SERVER_VALUES = st.integers(1, N - 1) | SHORT_VALUES | st.integers(N + 1, 2 * N - 1)
EXPONENTS = st.integers(1, 2**1024 - 1) | st.integers(1, 3)


def _ours(group: str, password: str, exponent: int) -> SrpProof:
    proof = SrpProof(group, Secret(password))
    proof._exponent, proof._public = exponent, pow(2, exponent, N)
    return proof


def _theirs(group: str, exponent: int) -> Any:
    other = aws_srp.AWSSRP("", "", f"us-east-1_{group}", "", client=object())
    other.small_a_value = exponent
    other.large_a_value = other.calculate_a()
    return other


def _signature(key: bytes, group: str, name: str, block: bytes, timestamp: str) -> str:
    message = (group + name).encode() + block + timestamp.encode()
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


@settings(max_examples=40, deadline=None)
@given(PASSWORDS, NAMES, SALTS, SERVER_VALUES, EXPONENTS, st.binary(max_size=64))
@example("pässwörd", "ann", 0x0012, 0x0034, 1, b"")
@example("CANARY", "ann", 0x80 << 112, 0xF << 3064, 5, b"\x00")
def test_a_password_is_proven_as_pycognito_proves_it(
    password: str, name: str, salt: int, server_value: int, exponent: int, block: bytes
) -> None:
    """Any password, name and challenge: the same public value, the same signature."""
    group = "Ab1Cd2Ef3"
    other = _theirs(group, exponent)
    parameters = {
        "SALT": f"{salt:x}",
        "SRP_B": f"{server_value:x}",
        "SECRET_BLOCK": base64.b64encode(block).decode(),
    }

    ours = _ours(group, password, exponent)
    answer = ours.answer(name, parameters, NOW)

    key = other.get_password_authentication_key(name, password, server_value, f"{salt:x}")
    assert ours.public_value == other.get_auth_params()["SRP_A"]
    assert answer == {
        "TIMESTAMP": other.get_cognito_formatted_timestamp(datetime.fromtimestamp(NOW, timezone.utc)),
        "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
        "PASSWORD_CLAIM_SIGNATURE": _signature(key, group, name, block, answer["TIMESTAMP"]),
    }
    assert answer["TIMESTAMP"] == "Mon Nov 3 09:05:00 UTC 2025"


@settings(max_examples=25, deadline=None)
@given(NAMES, NAMES, PASSWORDS, SALTS, SERVER_VALUES, EXPONENTS)
def test_a_device_is_proven_as_pycognito_proves_it(
    group_key: str, key: str, password: str, salt: int, server_value: int, exponent: int
) -> None:
    """A device's password is proven with the device's two keys in place of pool and user."""
    parameters = {"SALT": f"{salt:x}", "SRP_B": f"{server_value:x}", "SECRET_BLOCK": "eA=="}

    answer = _ours(group_key, password, exponent).answer(key, parameters, NOW)

    derived = _theirs("x", exponent).get_device_authentication_key(
        group_key, key, password, server_value, f"{salt:x}"
    )
    expected = _signature(derived, group_key, key, b"x", answer["TIMESTAMP"])
    assert answer["PASSWORD_CLAIM_SIGNATURE"] == expected


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=40, max_size=40), SALTS)
@example(b"\x00" * 40, 0)
@example(b"\xff" * 40, 2**127)
def test_a_new_device_is_made_as_pycognito_makes_it(password: bytes, salt: int) -> None:
    """The same random bytes make the same password, salt and verifier; the server's half takes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_bytes", lambda _: password)
        patch.setattr(secrets, "randbits", lambda _: salt)
        patch.setattr(aws_srp, "get_random", lambda _: salt)
        patch.setattr(aws_srp.os, "urandom", lambda _: password)
        device, config = new_device("device-key", "group-key", "ann")
        other_password, other_config = aws_srp.generate_hash_device("group-key", "device-key")

    assert (device.password.reveal(), config) == (other_password, other_config)
    numbers = [int.from_bytes(base64.b64decode(config[name]), "big") for name in ("Salt", "PasswordVerifier")]
    assert Verifier("group-key", "device-key", *numbers).matches(other_password)


@pytest.mark.quick
def test_one_password_and_one_device_are_proven_as_pycognito_proves_them() -> None:
    """One fixed example of both proofs runs on every Python."""
    test_a_password_is_proven_as_pycognito_proves_it.hypothesis.inner_test(  # type: ignore[attr-defined]
        "pässwörd", "ann", 0x0012, 0x0034, 1, b"block"
    )
    test_a_device_is_proven_as_pycognito_proves_it.hypothesis.inner_test(  # type: ignore[attr-defined]
        "group-key", "device-key", "pässwörd", 0x0012, 0x0034, 3
    )


@pytest.mark.quick
@pytest.mark.parametrize("zeros", [1, 2, 7])
def test_zeros_before_a_number_change_nothing(zeros: int) -> None:
    """The challenge's numbers are numbers, as in AWS's own clients; pycognito hashes a salt's zeros, too."""
    plain = {"SALT": "12ab", "SRP_B": "34cd", "SECRET_BLOCK": "eA=="}
    padded = {**plain, "SALT": "0" * zeros + "12ab", "SRP_B": "0" * zeros + "34cd"}
    proof = _ours("Ab1Cd2Ef3", "CANARY", 7)

    assert proof.answer("ann", padded, NOW) == proof.answer("ann", plain, NOW)


@pytest.mark.quick
def test_the_group_is_pycognitos() -> None:
    """The prime is written down in both."""
    assert int(aws_srp.N_HEX, 16) == N


@given(base=st.integers(min_value=-(2**3100), max_value=2**3100), exponent=st.integers(0, 2**1300))
@example(base=2, exponent=0)
@example(base=-2, exponent=31)
@example(base=N + 3, exponent=32)
@settings(max_examples=20)
def test_a_power_in_steps_is_the_power(base: int, exponent: int) -> None:
    """It is what Python's `pow` computes, which would stop all other threads meanwhile."""
    assert _power(base, exponent) == pow(base, exponent, N)
