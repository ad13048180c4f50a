"""Signing up, confirming, forgotten and changed passwords, and the own account."""

from __future__ import annotations

import pytest

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.user_pools.totp import code_at

from .conftest import CLIENT, PASSWORD, claims

BOB = {"ClientId": CLIENT, "Username": "bob"}
EMAIL = [{"Name": "email", "Value": "bob@example.com"}]


def sign_up(users, **members):
    return users.idp.sign_up(**{**BOB, "Password": "Example-1", "UserAttributes": EMAIL, **members})


def begin(users, password="Example-1"):
    return users.begin("USER_PASSWORD_AUTH", USERNAME="bob", PASSWORD=password)


@pytest.mark.quick
def test_sign_up(users, refused):
    """A user signs up, confirms the code, and signs in. The address of the code is verified then."""
    answer = sign_up(users)
    assert answer["CodeDeliveryDetails"] == {
        "AttributeName": "email",
        "DeliveryMedium": "EMAIL",
        "Destination": "b***@e***",
    }
    assert answer["UserConfirmed"] is False
    assert refused(begin, users=users) == ("UserNotConfirmedException", "User is not confirmed.", 400)
    wrong = refused(users.idp.confirm_sign_up, **BOB, ConfirmationCode="no")
    assert wrong == (
        "CodeMismatchException",
        "Invalid verification code provided, please try again.",
        400,
    )
    users.idp.confirm_sign_up(**BOB, ConfirmationCode=users.code())

    read = claims(begin(users)["AuthenticationResult"]["IdToken"])
    assert (read["sub"], read["email_verified"]) == (answer["UserSub"], True)
    again = refused(users.idp.confirm_sign_up, **BOB, ConfirmationCode="no")
    assert again == ("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED", 400)
    resent = refused(users.idp.resend_confirmation_code, **BOB)
    assert resent == ("InvalidParameterException", "User is already confirmed.", 400)


def test_code_that_is_sent_again(users, refused):
    """A new code takes the place of the one before, which is wrong then."""
    sign_up(users)
    first = users.code()
    details = users.idp.resend_confirmation_code(**BOB)["CodeDeliveryDetails"]
    assert details["Destination"] == "b***@e***"
    if users.code() != first:
        assert refused(users.idp.confirm_sign_up, **BOB, ConfirmationCode=first)[0] == "CodeMismatchException"

    users.idp.confirm_sign_up(**BOB, ConfirmationCode=users.code())


def test_code_that_is_late(users, refused):
    """A code of a sign-up is good for a day."""
    sign_up(users)
    users.api.emulator.move_clock(assumed.CODE_SECONDS + 1)

    late = refused(users.idp.confirm_sign_up, **BOB, ConfirmationCode=users.code())

    assert late == ("ExpiredCodeException", "Invalid code provided, please request a code again.", 400)


def test_guesses_of_a_code(users, refused):
    """After several wrong codes even the right one is refused, until another one is sent."""
    sign_up(users)
    for _ in range(assumed.WRONG_VERIFICATION_CODES):
        assert refused(users.idp.confirm_sign_up, **BOB, ConfirmationCode="no")[0] == "CodeMismatchException"

    late = refused(users.idp.confirm_sign_up, **BOB, ConfirmationCode=users.code())
    assert late == ("LimitExceededException", "Attempt limit exceeded, please try after some time.", 400)
    users.idp.resend_confirmation_code(**BOB)
    users.idp.confirm_sign_up(**BOB, ConfirmationCode=users.code())


def test_wrong_sign_ups(users, refused):
    """A name that is taken, an attribute that does not exist, and a wrong address are refused."""
    sign_up(users)
    assert refused(sign_up, users=users, Username="BOB") == (
        "UsernameExistsException",
        "User already exists",
        400,
    )
    for name, value, text in (
        ("email", "x", "Invalid email address format."),
        ("phone_number", "1", "Invalid phone number format."),
        (
            "colour",
            "x",
            "Attributes did not conform to the schema: colour: Attribute does not exist in the schema.",
        ),
    ):
        attributes = [{"Name": name, "Value": value}]
        wrong = refused(sign_up, users=users, Username="cyd", UserAttributes=attributes)
        assert wrong == ("InvalidParameterException", text, 400)
    users.describe(required_attributes=["name"])
    assert refused(sign_up, users=users, Username="cyd")[1].endswith("name: The attribute is required")
    users.describe(sign_up=False)
    assert refused(sign_up, users=users, Username="cyd") == (
        "NotAuthorizedException",
        "SignUp is not permitted for this user pool",
        400,
    )


def test_sign_ups_are_bounded(users, refused, monkeypatch):
    """A pool takes only so many users who sign up."""
    monkeypatch.setattr(assumed, "MOST_USERS_SIGNED_UP", 2)
    sign_up(users)

    assert refused(sign_up, users=users, Username="cyd")[0] == "LimitExceededException"


def test_forgotten_password(users, refused):
    """A code to the verified address sets a new password, which has to be one that the policy takes."""
    users.describe(ann={"status": "RESET_REQUIRED", "attributes": {"email": "ann@example.com"}})
    ann = {"ClientId": CLIENT, "Username": "ann"}
    details = users.idp.forgot_password(**ann)["CodeDeliveryDetails"]
    assert details["Destination"] == "a***@e***"
    code = users.code()
    weak = refused(users.idp.confirm_forgot_password, **ann, ConfirmationCode=code, Password="x")
    assert weak[0] == "InvalidPasswordException"
    wrong = refused(users.idp.confirm_forgot_password, **ann, ConfirmationCode="no", Password="Example-3")
    assert wrong[0] == "CodeMismatchException"
    users.idp.confirm_forgot_password(**ann, ConfirmationCode=code, Password="Example-3")

    assert users.srp("Example-3")["AuthenticationResult"]
    again = refused(users.idp.confirm_forgot_password, **ann, ConfirmationCode=code, Password="Example-4")
    assert again[0] == "ExpiredCodeException"


def test_forgotten_password_without_an_address(users, refused):
    """Without a verified address no code can be sent."""
    wrong = refused(users.idp.forgot_password, ClientId=CLIENT, Username="ann")

    assert wrong == (
        "InvalidParameterException",
        "Cannot reset password for the user as there is no registered/verified email or phone_number",
        400,
    )


def test_forgotten_password_of_nobody(users, refused):
    """A client that hides users is answered for a user who does not exist as for one who does."""
    nobody = {"ClientId": CLIENT, "Username": "nobody"}
    assert users.idp.forgot_password(**nobody)["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert users.idp.resend_confirmation_code(**nobody)["CodeDeliveryDetails"]
    for call in (users.idp.confirm_sign_up, users.idp.confirm_forgot_password):
        more = {"Password": "Example-1"} if "forgot" in call.__name__ else {}
        assert refused(call, **nobody, ConfirmationCode="1", **more)[0] == "ExpiredCodeException"

    users.describe(client={"hides_users": False})
    assert refused(users.idp.forgot_password, **nobody)[0] == "UserNotFoundException"
    assert refused(users.idp.confirm_sign_up, **nobody, ConfirmationCode="1")[0] == "UserNotFoundException"


def test_changed_password(users, refused):
    """A user who knows the old password sets a new one."""
    token = users.tokens()["AccessToken"]
    wrong = refused(
        users.idp.change_password,
        AccessToken=token,
        PreviousPassword="wrong",
        ProposedPassword="Example-5",
    )
    assert wrong == ("NotAuthorizedException", "Incorrect username or password.", 400)
    users.idp.change_password(AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="Example-5")

    assert users.srp("Example-5")["AuthenticationResult"]
    assert refused(users.srp)[1] == "Incorrect username or password."


def test_own_account(users):
    """A user sees the own attributes, the sub among them, and the own second factors."""
    users.describe(mfa="optional", ann={"attributes": {"email": "ann@example.com"}, "mfa": ["totp"]})
    asked = users.password()
    result = users.answer(asked, SOFTWARE_TOKEN_MFA_CODE=users.code())["AuthenticationResult"]

    answer = users.idp.get_user(AccessToken=result["AccessToken"])

    assert answer["Username"] == "ann"
    assert {one["Name"]: one["Value"] for one in answer["UserAttributes"]} == {
        "sub": claims(result["IdToken"])["sub"],
        "email": "ann@example.com",
        "email_verified": "true",
    }
    assert answer["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]


def test_second_factors_of_the_account(users, refused):
    """A user registers an authenticator app, turns second factors on and off, and prefers one."""
    users.describe(mfa="optional", ann={"attributes": {"phone_number": "+15550001234"}})
    token = users.tokens()["AccessToken"]
    on = {"Enabled": True, "PreferredMfa": True}
    missing = refused(users.idp.set_user_mfa_preference, AccessToken=token, SoftwareTokenMfaSettings=on)
    assert missing == ("InvalidParameterException", "User has not verified software token mfa", 400)
    secret = users.idp.associate_software_token(AccessToken=token)["SecretCode"]
    code = code_at(secret, users.api.emulator.service.clock.now())
    assert users.idp.verify_software_token(AccessToken=token, UserCode=code)["Status"] == "SUCCESS"
    assert users.password()["AuthenticationResult"]  # it is registered, and not on

    users.idp.set_user_mfa_preference(
        AccessToken=token, SMSMfaSettings={"Enabled": True}, SoftwareTokenMfaSettings=on
    )
    asked = users.password()
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    used = refused(users.answer, asked=asked, SOFTWARE_TOKEN_MFA_CODE=code)
    assert used[0] == "ExpiredCodeException"
    users.idp.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": False})
    assert users.password()["ChallengeName"] == "SMS_MFA"
    no_address = refused(
        users.idp.set_user_mfa_preference, AccessToken=token, EmailMfaSettings={"Enabled": True}
    )
    assert no_address[1] == "User does not have delivery config set to turn on EMAIL_OTP"
    off = {"Enabled": False, "PreferredMfa": True}
    assert refused(users.idp.set_user_mfa_preference, AccessToken=token, SMSMfaSettings=off)[0] == (
        "InvalidParameterException"
    )


@pytest.mark.parametrize("operation", ["associate_software_token", "verify_software_token"])
def test_authenticator_app_without_mfa(users, refused, operation):
    """A pool without second factors registers no authenticator app."""
    token = users.tokens()["AccessToken"]
    more = {"UserCode": "123456"} if operation.startswith("verify") else {}

    assert refused(getattr(users.idp, operation), AccessToken=token, **more)[0] == (
        "SoftwareTokenMFANotFoundException"
    )
