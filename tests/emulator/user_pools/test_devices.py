"""Devices: named at a sign-in, confirmed, proven by their own password, listed and forgotten."""

from __future__ import annotations

import base64

import pytest
from pycognito.aws_srp import AWSSRP, generate_hash_device

from cognito_credentials.emulator.user_pools import srp

from .conftest import CLIENT, PASSWORD, POOL, claims

PHONE = {"attributes": {"phone_number": "+15550001234"}, "mfa": ["sms"]}


def signed_in(users):
    """Sign in with a code; returns the result."""
    asked = users.srp()
    return users.answer(asked, SMS_MFA_CODE=users.code())["AuthenticationResult"]


def confirmed(users):
    """Sign in and confirm the new device; returns the result and pycognito's half for that device."""
    result = signed_in(users)
    device = result["NewDeviceMetadata"]
    password, config = generate_hash_device(device["DeviceGroupKey"], device["DeviceKey"])
    answer = users.idp.confirm_device(
        AccessToken=result["AccessToken"],
        DeviceKey=device["DeviceKey"],
        DeviceSecretVerifierConfig=config,
        DeviceName="laptop",
    )
    half = AWSSRP(
        "ann",
        PASSWORD,
        POOL,
        CLIENT,
        client=users.idp,
        device_key=device["DeviceKey"],
        device_group_key=device["DeviceGroupKey"],
        device_password=password,
    )
    return result, half, answer["UserConfirmationNecessary"]


@pytest.mark.quick
def test_remembered_device(users):
    """A confirmed device that proves itself stands for the second factor. Its key is in the access token."""
    users.describe(mfa="optional", devices="always", ann=PHONE)
    result, half, needs_user = confirmed(users)

    again = half.authenticate_user()["AuthenticationResult"]

    assert needs_user is False
    assert "NewDeviceMetadata" not in again
    assert claims(again["AccessToken"])["device_key"] == half.device_key
    assert claims(result["AccessToken"])["device_key"] == half.device_key


def test_device_that_the_user_has_to_allow(users):
    """Where the user is asked, a device stands for the second factor once the user had it remembered."""
    users.describe(mfa="optional", devices="ask", ann=PHONE)
    result, half, needs_user = confirmed(users)
    assert needs_user is True

    asked = half.authenticate_user()
    assert asked["ChallengeName"] == "SMS_MFA"
    answer = users.answer(asked, SMS_MFA_CODE=users.code())["AuthenticationResult"]
    assert "NewDeviceMetadata" not in answer
    users.idp.update_device_status(
        AccessToken=result["AccessToken"], DeviceKey=half.device_key, DeviceRememberedStatus="remembered"
    )
    assert half.authenticate_user()["AuthenticationResult"]


def test_sessions_of_a_device(users):
    """Clients that send the session of each challenge are taken, as those that leave it out."""
    users.describe(mfa="optional", devices="always", ann=PHONE)
    _, half, _ = confirmed(users)
    asked = users.srp(DEVICE_KEY=half.device_key)
    assert asked["ChallengeName"] == "DEVICE_SRP_AUTH"
    asked = users.answer(asked, DEVICE_KEY=half.device_key, SRP_A=half.get_auth_params()["SRP_A"])
    assert asked["ChallengeName"] == "DEVICE_PASSWORD_VERIFIER"
    proof = half.process_device_challenge(asked["ChallengeParameters"])

    assert users.answer(asked, **proof)["AuthenticationResult"]


def test_wrong_device_password(users, refused):
    """A device that cannot prove itself does not sign in."""
    users.describe(mfa="optional", devices="always", ann=PHONE)
    _, half, _ = confirmed(users)
    half.device_password = "wrong"

    assert refused(half.authenticate_user)[1] == "Incorrect username or password."


def test_device_without_the_users_password(users, refused):
    """A device alone signs nobody in: its challenge is open only after the password."""
    users.describe(mfa="optional", devices="always", ann=PHONE)
    _, half, _ = confirmed(users)
    responses = {
        "USERNAME": "ann",
        "DEVICE_KEY": half.device_key,
        "SRP_A": half.get_auth_params()["SRP_A"],
    }

    wrong = refused(
        users.idp.respond_to_auth_challenge,
        ClientId=CLIENT,
        ChallengeName="DEVICE_SRP_AUTH",
        ChallengeResponses=responses,
    )

    assert wrong == ("NotAuthorizedException", "Invalid session for the user.", 400)


@pytest.mark.parametrize("is_known", [False, True])
def test_device_that_is_not_confirmed(users, refused, is_known):
    """A device key that was never confirmed is none."""
    users.describe(mfa="optional", devices="always", ann=PHONE)
    key = signed_in(users)["NewDeviceMetadata"]["DeviceKey"] if is_known else "us-east-1_abc"

    wrong = refused(users.srp, DEVICE_KEY=key)

    assert wrong == ("ResourceNotFoundException", "Device does not exist.", 400)


def test_refresh_token_of_a_device(users, refused):
    """A refresh token is good only with the confirmed device of its sign-in, and while that is known."""
    users.describe(devices="always")
    result = users.tokens()
    device = result["NewDeviceMetadata"]
    invalid = ("NotAuthorizedException", "Invalid Refresh Token.", 400)
    refresh = {"flow": "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN": result["RefreshToken"]}
    with_key = {**refresh, "DEVICE_KEY": device["DeviceKey"]}
    assert refused(users.begin, **refresh) == invalid
    assert refused(users.begin, **with_key) == invalid

    _, config = generate_hash_device(device["DeviceGroupKey"], device["DeviceKey"])
    call = {"AccessToken": result["AccessToken"], "DeviceKey": device["DeviceKey"]}
    users.idp.confirm_device(**call, DeviceSecretVerifierConfig=config)
    assert refused(users.begin, **refresh) == invalid
    assert users.begin(**with_key)["AuthenticationResult"]
    assert users.idp.get_tokens_from_refresh_token(
        RefreshToken=result["RefreshToken"], ClientId=CLIENT, DeviceKey=device["DeviceKey"]
    )
    users.idp.forget_device(**call)
    assert refused(users.begin, **with_key) == invalid


def test_lists_of_devices(users, refused):
    """A user lists the confirmed devices, in pages, and sees one. Those of other users do not exist."""
    users.describe(devices="ask")
    keys = []
    for number in range(3):
        result = users.tokens()
        device = result["NewDeviceMetadata"]
        _, config = generate_hash_device(device["DeviceGroupKey"], device["DeviceKey"])
        call = {"AccessToken": result["AccessToken"], "DeviceKey": device["DeviceKey"]}
        users.idp.confirm_device(**call, DeviceSecretVerifierConfig=config, DeviceName=f"number {number}")
        keys.append(device["DeviceKey"])
    token = users.tokens()["AccessToken"]  # its device is not confirmed

    first = users.idp.list_devices(AccessToken=token, Limit=2)
    second = users.idp.list_devices(AccessToken=token, Limit=2, PaginationToken=first["PaginationToken"])
    assert [one["DeviceKey"] for page in (first, second) for one in page["Devices"]] == keys
    assert "PaginationToken" not in second
    device = users.idp.get_device(AccessToken=token, DeviceKey=keys[0])["Device"]
    assert {one["Name"]: one["Value"] for one in device["DeviceAttributes"]} == {
        "device_status": "valid",
        "device_name": "number 0",
        "dev:device_remembered_status": "not_remembered",
    }
    users.api.emulator.create_user_pool(
        id=POOL,
        devices="ask",
        clients=[{"id": CLIENT}],
        users=[{"name": "ann", "password": PASSWORD}, {"name": "bob", "password": PASSWORD}],
    )
    bob = users.begin("USER_PASSWORD_AUTH", USERNAME="bob", PASSWORD=PASSWORD)["AuthenticationResult"]
    wrong = refused(users.idp.get_device, AccessToken=bob["AccessToken"], DeviceKey=keys[0])
    assert wrong == ("ResourceNotFoundException", "Device does not exist.", 400)
    assert refused(users.idp.list_devices, AccessToken=token, PaginationToken="x")[0] == (
        "InvalidParameterException"
    )


def test_forgotten_device(users, refused):
    """A forgotten device is none any more."""
    users.describe(mfa="optional", devices="always", ann=PHONE)
    result, half, _ = confirmed(users)
    users.idp.forget_device(AccessToken=result["AccessToken"], DeviceKey=half.device_key)

    assert refused(half.authenticate_user) == ("ResourceNotFoundException", "Device does not exist.", 400)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"Salt": "AAAA"},
        {"Salt": "AAAA", "PasswordVerifier": "no base64"},
        {"Salt": "A" * 4000, "PasswordVerifier": "AAAA"},
    ],
)
def test_wrong_verifier(users, refused, config):
    """A verifier that is missing, no base64 or too long is refused."""
    users.describe(devices="always")
    result = users.tokens()

    wrong = refused(
        users.idp.confirm_device,
        AccessToken=result["AccessToken"],
        DeviceKey=result["NewDeviceMetadata"]["DeviceKey"],
        DeviceSecretVerifierConfig=config,
    )

    assert wrong == ("InvalidParameterException", "Invalid device secret verifier config given.", 400)


@pytest.mark.parametrize("exponent", [0, 1, 15, 16, 2**255 + 12345, 2**256 - 1])
def test_powers_by_the_table(exponent):
    """The table gives the powers that pow gives."""
    assert srp._power_of_g(exponent) == pow(2, exponent, srp._N)


def test_verifiers_agree():
    """A device's verifier of pycognito is the one that the pool would compute."""
    group, key = "-group", "us-east-1_00000000-0000-4000-8000-000000000001"
    password, config = generate_hash_device(group, key)
    salt, verifier = (
        int.from_bytes(base64.b64decode(config[name]), "big") for name in ("Salt", "PasswordVerifier")
    )

    assert srp.Verifier.of_password(group, key, password, salt).verifier == verifier


def test_device_named_in_place_of_the_proven_one(users):
    """Attack: whoever proves one device, and then names a remembered one, still needs the second factor."""
    users.describe(mfa="optional", devices="ask", ann=PHONE)
    result, remembered, _ = confirmed(users)
    users.idp.update_device_status(
        AccessToken=result["AccessToken"],
        DeviceKey=remembered.device_key,
        DeviceRememberedStatus="remembered",
    )
    _, other, _ = confirmed(users)
    asked = users.srp(DEVICE_KEY=other.device_key)
    asked = users.answer(asked, DEVICE_KEY=other.device_key, SRP_A=other.get_auth_params()["SRP_A"])
    proof = other.process_device_challenge(asked["ChallengeParameters"])

    answer = users.answer(asked, **{**proof, "DEVICE_KEY": remembered.device_key})

    assert answer["ChallengeName"] == "SMS_MFA"
    signed_in = users.answer(answer, SMS_MFA_CODE=users.code(), DEVICE_KEY=remembered.device_key)
    assert claims(signed_in["AuthenticationResult"]["AccessToken"])["device_key"] == other.device_key
