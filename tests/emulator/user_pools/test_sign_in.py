"""Signing in: each flow and challenge of the API, through boto3, and what is answered to what is wrong."""

from __future__ import annotations

import base64
import json
import re

import pytest

from cognito_credentials.emulator import assumed

from .conftest import CLIENT, PASSWORD, POOL, claims

TOTP_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PHONE = {"attributes": {"phone_number": "+15550001234"}}


@pytest.mark.quick
def test_srp(users):
    """The proof of the right password signs in. The challenge has no Session, as the real one."""
    asked = users.begin("USER_SRP_AUTH", **users.half().get_auth_params())
    assert asked["ChallengeName"] == "PASSWORD_VERIFIER"
    assert "Session" not in asked
    assert asked["ChallengeParameters"].keys() == {
        *("SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP")
    }

    answer = users.srp()
    assert answer["AuthenticationResult"]["TokenType"] == "Bearer"
    assert answer["ChallengeParameters"] == {}


def test_user_name_in_another_case(users):
    """User names that differ in case alone are one user, also in a proof."""
    assert users.srp(name="ANN")["AuthenticationResult"]
    assert users.begin("USER_PASSWORD_AUTH", USERNAME="Ann", PASSWORD=PASSWORD)["AuthenticationResult"]


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_wrong_proof(users, refused, name):
    """A wrong password and a user who does not exist are answered alike, with the same salt each time."""
    half = users.half("wrong", name)
    asked = [users.begin("USER_SRP_AUTH", **half.get_auth_params()) for _ in range(2)]
    assert asked[0]["ChallengeParameters"]["SALT"] == asked[1]["ChallengeParameters"]["SALT"]

    wrong = refused(users.answer, asked=asked[0], **{**users.proof(half, asked[0]), "USERNAME": name})

    assert wrong == ("NotAuthorizedException", "Incorrect username or password.", 400)


def test_proof_is_one_guess(users, refused):
    """A wrong proof ends its challenge: the next guess needs another number of the pool."""
    half = users.half("wrong")
    asked = users.begin("USER_SRP_AUTH", **half.get_auth_params())
    proof = users.proof(half, asked)
    assert refused(users.answer, asked=asked, **proof)[1] == "Incorrect username or password."

    assert refused(users.answer, asked=asked, **proof)[1] == "Invalid session for the user."


def test_proof_of_another_challenge(users, refused):
    """A proof is good for its own challenge alone, and once."""
    half = users.half()
    first = users.begin("USER_SRP_AUTH", **half.get_auth_params())
    second = users.begin("USER_SRP_AUTH", **half.get_auth_params())
    proof = users.proof(half, first)
    assert users.answer(first, **proof)["AuthenticationResult"]

    assert refused(users.answer, asked=first, **proof)[1].endswith("session can only be used once.")
    block = second["ChallengeParameters"]["SECRET_BLOCK"]
    assert refused(users.answer, asked=second, **{**proof, "PASSWORD_CLAIM_SECRET_BLOCK": block})[0] == (
        "NotAuthorizedException"
    )


@pytest.mark.parametrize("value", ["0", "x", "f" * 801, "-1"])
def test_wrong_srp_value(users, refused, value):
    """A number that gives the shared secret away, or is none, is refused before any proof."""
    wrong = refused(users.begin, flow="USER_SRP_AUTH", USERNAME="ann", SRP_A=value)

    assert wrong == ("InvalidParameterException", "SRP_A is not valid.", 400)


def test_multiple_of_the_prime(users, refused):
    """SRP_A may be no multiple of the prime: the shared secret would be zero."""
    from cognito_credentials.emulator.user_pools import srp

    value = f"{2 * srp._N:x}"
    assert refused(users.begin, flow="USER_SRP_AUTH", USERNAME="ann", SRP_A=value)[1] == "SRP_A is not valid."


@pytest.mark.parametrize("clock", ["offset", "passed"])
def test_proof_with_another_time(users, refused, clock):
    """A proof with a wrong time is answered as a wrong password, but not after a test let time pass."""
    setattr(users.api.emulator.service.clock, clock, 400.0)

    if clock == "passed":
        assert users.srp()["AuthenticationResult"]
    else:
        half = users.half()
        asked = users.begin("USER_SRP_AUTH", **half.get_auth_params())
        wrong = refused(users.answer, asked=asked, **users.proof(half, asked))
        assert wrong[1] == "Incorrect username or password."


def test_wrong_password(users, refused):
    """A wrong password, an unknown user, and a user without a password are answered alike."""
    expected = ("NotAuthorizedException", "Incorrect username or password.", 400)

    assert refused(users.password, password="wrong") == expected
    assert refused(users.begin, flow="USER_PASSWORD_AUTH", USERNAME="nobody", PASSWORD="x") == expected
    users.api.emulator.create_user_pool(id=POOL, clients=[{"id": CLIENT}], users=[{"name": "bob"}])
    assert refused(users.begin, flow="USER_PASSWORD_AUTH", USERNAME="bob", PASSWORD="x") == expected


def test_client_that_tells_who_exists(users, refused):
    """A client that does not hide users is told that a user does not exist."""
    users.describe(client={"hides_users": False})

    wrong = refused(users.begin, flow="USER_PASSWORD_AUTH", USERNAME="nobody", PASSWORD="x")

    assert wrong == ("UserNotFoundException", "User does not exist.", 400)


def test_lockout(users, refused):
    """After five wrong passwords the user is locked for a second, then for two, whatever the password."""
    for _ in range(5):
        assert refused(users.password, password="wrong")[1] == "Incorrect username or password."
    assert refused(users.password) == ("NotAuthorizedException", "Password attempts exceeded", 400)
    users.api.emulator.move_clock(1.1)
    assert refused(users.password, password="wrong")[1] == "Incorrect username or password."
    users.api.emulator.move_clock(1.1)
    assert refused(users.srp)[1] == "Password attempts exceeded"

    users.api.emulator.move_clock(1.1)
    assert users.password()["AuthenticationResult"]
    assert refused(users.password, password="wrong")[1] == "Incorrect username or password."
    assert users.password()["AuthenticationResult"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UNCONFIRMED", ("UserNotConfirmedException", "User is not confirmed.", 400)),
        ("RESET_REQUIRED", ("PasswordResetRequiredException", "Password reset required for the user", 400)),
    ],
    ids=["unconfirmed", "reset"],
)
@pytest.mark.parametrize("way", ["password", "srp"])
def test_state_of_the_user(users, refused, status, expected, way):
    """What is wrong with a user is told to who knows the password; that one is unconfirmed, to everybody."""
    users.describe(ann={"status": status})

    assert refused(getattr(users, way)) == expected
    is_told = (way, status) == ("password", "UNCONFIRMED")
    wrong = ("NotAuthorizedException", "Incorrect username or password.", 400)
    assert refused(getattr(users, way), password="wrong") == (expected if is_told else wrong)


def test_disabled_user(users, refused):
    """A disabled user is refused, and so are the tokens of the user."""
    tokens = users.tokens()
    users.describe(ann={"enabled": False})

    assert refused(users.password) == ("NotAuthorizedException", "User is disabled.", 400)
    refresh = {"flow": "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN": tokens["RefreshToken"]}
    assert refused(users.begin, **refresh)[1] == "User is disabled."
    assert refused(users.idp.get_user, AccessToken=tokens["AccessToken"])[1] == "User is disabled."


def test_new_password(users, refused):
    """A password that an administrator set has to be replaced, by one that the policy takes."""
    users.describe(required_attributes=["name"], ann={"status": "FORCE_CHANGE_PASSWORD"})
    asked = users.srp()
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert json.loads(asked["ChallengeParameters"]["requiredAttributes"]) == ["userAttributes.name"]

    short = refused(users.answer, asked=asked, NEW_PASSWORD="x")
    assert short == (
        "InvalidPasswordException",
        "Password does not conform to policy: Password not long enough",
        400,
    )
    missing = refused(users.answer, asked=asked, NEW_PASSWORD="Another-1")
    assert missing[0] == "InvalidParameterException"
    attributes = {"userAttributes.name": "Ann"}
    answer = users.answer(asked, NEW_PASSWORD="Another-1", **attributes)

    assert claims(answer["AuthenticationResult"]["IdToken"])["name"] == "Ann"
    assert users.password("Another-1")["AuthenticationResult"]
    assert refused(users.password)[1] == "Incorrect username or password."


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Ab1-", "Password not long enough"),
        ("ABCDEFG1-", "Password must have lowercase characters"),
        ("abcdefg1-", "Password must have uppercase characters"),
        ("Abcdefgh-", "Password must have numeric characters"),
        ("Abcdefgh1", "Password must have symbol characters"),
    ],
)
def test_policy(users, refused, password, why):
    """The first rule of the policy that a new password breaks is named."""
    wrong = refused(users.idp.sign_up, ClientId=CLIENT, Username="bob", Password=password)

    assert wrong == ("InvalidPasswordException", f"Password did not conform with policy: {why}", 400)


@pytest.mark.parametrize(
    ("factor", "challenge", "member", "asked"),
    [
        ("sms", "SMS_MFA", "SMS_MFA_CODE", ("SMS", "+*******1234")),
        ("email", "EMAIL_OTP", "EMAIL_OTP_CODE", ("EMAIL", "a***@e***")),
    ],
)
def test_code_that_is_sent(users, refused, factor, challenge, member, asked):
    """A code by SMS or e-mail is asked for after the password. It is listed, and good for one sign-in."""
    attributes = {"phone_number": "+15550001234", "email": "ann@example.com"}
    users.describe(mfa="optional", ann={"attributes": attributes, "mfa": [factor]})
    challenged = users.srp()
    parameters = challenged["ChallengeParameters"]
    assert challenged["ChallengeName"] == challenge
    assert parameters["USER_ID_FOR_SRP"] == "ann"
    assert (
        parameters["CODE_DELIVERY_DELIVERY_MEDIUM"],
        parameters["CODE_DELIVERY_DESTINATION"],
    ) == asked

    wrong = refused(users.answer, asked=challenged, **{member: "no"})
    assert wrong == ("CodeMismatchException", "Invalid code or auth state for the user.", 400)
    sent = users.api.control("GET", "codes").json[-1]
    assert (sent["username"], sent["purpose"], sent["medium"]) == ("ann", challenge, asked[0])
    assert users.answer(challenged, **{member: sent["code"]})["AuthenticationResult"]
    again = refused(users.answer, asked=challenged, **{member: sent["code"]})
    assert again[1] == "Invalid session for the user, session can only be used once."


def test_wrong_codes_are_counted(users, refused):
    """With the third wrong code the session has ended, and the right code comes too late."""
    users.describe(mfa="on", ann={**PHONE, "mfa": ["sms"]})
    asked = users.password()
    for _ in range(assumed.WRONG_CODES):
        assert refused(users.answer, asked=asked, SMS_MFA_CODE="no")[0] == "CodeMismatchException"

    late = refused(users.answer, asked=asked, SMS_MFA_CODE=users.code())

    assert late == ("NotAuthorizedException", "Invalid session for the user.", 400)


def test_challenge_that_is_repeated(users, refused):
    """Where the pool says so, a wrong code is answered by the challenge again, up to the last one."""
    users.describe(mfa="on", repeats_challenge=True, ann={**PHONE, "mfa": ["sms"]})
    first = users.password()
    second = users.answer(first, SMS_MFA_CODE="no")
    assert (second["ChallengeName"], second["Session"] == first["Session"]) == ("SMS_MFA", False)
    assert users.answer(second, SMS_MFA_CODE=users.code())["AuthenticationResult"]

    asked = users.password()
    for _ in range(assumed.WRONG_CODES - 1):
        asked = users.answer(asked, SMS_MFA_CODE="no")
    assert refused(users.answer, asked=asked, SMS_MFA_CODE="no")[0] == "CodeMismatchException"


def test_session_expires(users, refused):
    """A challenge has to be answered within the pool's minutes."""
    users.describe(mfa="on", ann={**PHONE, "mfa": ["sms"]})
    asked = users.password()
    users.api.emulator.move_clock(181)

    late = refused(users.answer, asked=asked, SMS_MFA_CODE=users.code())

    assert late == ("NotAuthorizedException", "Invalid session for the user, session is expired.", 400)


@pytest.mark.parametrize("change", ["session", "client", "user", "challenge"])
def test_session_of_something_else(users, refused, change):
    """A session is good for its own client, user and challenge alone."""
    users.describe(mfa="on", ann={**PHONE, "mfa": ["sms"]})
    other = {"id": "us-east-1_Other", "clients": [{"id": "other"}], "users": [{"name": "ann"}]}
    users.api.emulator.create_user_pool(**other)
    asked = users.password()
    call = {
        "ClientId": CLIENT,
        "ChallengeName": "SMS_MFA",
        "Session": asked["Session"],
        "ChallengeResponses": {
            "USERNAME": "ann",
            "SMS_MFA_CODE": users.code(),
            "SOFTWARE_TOKEN_MFA_CODE": "1",
        },
    }
    changes = {
        "session": {"Session": "x" * 64},
        "client": {"ClientId": "other"},
        "user": {"ChallengeResponses": {**call["ChallengeResponses"], "USERNAME": "bob"}},
        "challenge": {"ChallengeName": "SOFTWARE_TOKEN_MFA"},
    }

    wrong = refused(users.idp.respond_to_auth_challenge, **{**call, **changes[change]})

    assert wrong == ("NotAuthorizedException", "Invalid session for the user.", 400)


@pytest.mark.quick
def test_authenticator_app(users, refused):
    """The code of an authenticator app is verified: that of now, of a step before or after, and each once."""
    users.describe(mfa="on", ann={"mfa": ["totp"], "totp_secret": TOTP_SECRET})
    asked = users.srp()
    assert (asked["ChallengeName"], asked["ChallengeParameters"]["USER_ID_FOR_SRP"]) == (
        "SOFTWARE_TOKEN_MFA",
        "ann",
    )
    wrong = refused(users.answer, asked=asked, SOFTWARE_TOKEN_MFA_CODE="000000")
    assert wrong == ("CodeMismatchException", "Invalid code received for user", 400)
    code = users.code()
    assert users.answer(asked, SOFTWARE_TOKEN_MFA_CODE=code)["AuthenticationResult"]

    asked = users.srp()
    used = refused(users.answer, asked=asked, SOFTWARE_TOKEN_MFA_CODE=code)
    assert used == ("ExpiredCodeException", "Your software token has already been used once.", 400)
    users.api.emulator.move_clock(60)
    assert users.answer(asked, SOFTWARE_TOKEN_MFA_CODE=users.code())["AuthenticationResult"]


def test_codes_of_the_standard():
    """The codes are those of the test values of RFC 6238, of which six digits are taken."""
    from cognito_credentials.emulator.user_pools.totp import code_at

    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [code_at(secret, now) for now in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


def test_choice_of_second_factor(users, refused):
    """A user with several second factors chooses one; a preferred one is asked for at once."""
    ann = {**PHONE, "mfa": ["sms", "totp"], "totp_secret": TOTP_SECRET}
    users.describe(mfa="on", ann=ann)
    asked = users.password()
    assert asked["ChallengeName"] == "SELECT_MFA_TYPE"
    assert json.loads(asked["ChallengeParameters"]["MFAS_CAN_CHOOSE"]) == ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]
    assert refused(users.answer, asked=asked, ANSWER="EMAIL_OTP")[0] == "InvalidParameterException"
    asked = users.answer(asked, ANSWER="SOFTWARE_TOKEN_MFA")
    assert users.answer(asked, SOFTWARE_TOKEN_MFA_CODE=users.code())["AuthenticationResult"]

    users.describe(mfa="on", ann={**ann, "preferred_mfa": "sms"})
    assert users.password()["ChallengeName"] == "SMS_MFA"


def test_second_factor_that_is_set_up(users, refused):
    """Where the pool requires a second factor, a user without one sets up an authenticator app."""
    users.describe(mfa="on")
    asked = users.password()
    assert (asked["ChallengeName"], asked["ChallengeParameters"]["MFAS_CAN_SETUP"]) == (
        "MFA_SETUP",
        '["SOFTWARE_TOKEN_MFA"]',
    )
    assert refused(users.answer, asked=asked)[1] == "Invalid session for the user."
    begun = users.idp.associate_software_token(Session=asked["Session"])
    assert re.fullmatch("[A-Z2-7]{52}", begun["SecretCode"])

    from cognito_credentials.emulator.user_pools.totp import code_at

    code = code_at(begun["SecretCode"], users.api.emulator.service.clock.now())
    wrong = refused(users.idp.verify_software_token, Session=begun["Session"], UserCode=f"{int(code) ^ 1:06}")
    assert wrong == (
        "EnableSoftwareTokenMFAException",
        "Code mismatch and fail enable Software Token MFA",
        400,
    )
    done = users.idp.verify_software_token(Session=begun["Session"], UserCode=code)
    assert done["Status"] == "SUCCESS"
    answer = users.answer({"ChallengeName": "MFA_SETUP", "Session": done["Session"]})

    assert answer["AuthenticationResult"]
    asked = users.password()
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    used = refused(users.answer, asked=asked, SOFTWARE_TOKEN_MFA_CODE=code)
    assert used == ("ExpiredCodeException", "Your software token has already been used once.", 400)


def test_first_factors(users):
    """USER_AUTH offers what the pool and the user have, and takes the one that the client prefers."""
    users.describe(
        first_factors=["PASSWORD", "EMAIL_OTP", "SMS_OTP"],
        ann={"attributes": {"email": "ann@example.com", "phone_number": "+15550001234"}},
    )
    asked = users.begin("USER_AUTH", USERNAME="ann")
    assert (asked["ChallengeName"], asked["AvailableChallenges"]) == (
        "SELECT_CHALLENGE",
        ["PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP"],
    )
    assert users.answer(asked, ANSWER="PASSWORD", PASSWORD=PASSWORD)["AuthenticationResult"]
    for name in ("EMAIL_OTP", "SMS_OTP"):
        asked = users.answer(users.begin("USER_AUTH", USERNAME="ann"), ANSWER=name)
        assert asked["ChallengeName"] == name
        assert users.answer(asked, **{f"{name}_CODE": users.code()})["AuthenticationResult"]
    preferred = {"USERNAME": "ann", "PREFERRED_CHALLENGE": "PASSWORD"}
    assert users.begin("USER_AUTH", **preferred, PASSWORD=PASSWORD)["AuthenticationResult"]
    asked = users.begin("USER_AUTH", **preferred)
    assert asked["ChallengeName"] == "PASSWORD"
    assert users.answer(asked, PASSWORD=PASSWORD)["AuthenticationResult"]


@pytest.mark.parametrize("is_chosen", [False, True])
def test_srp_as_first_factor(users, is_chosen):
    """USER_AUTH takes SRP, too, when the client prefers it or when the user chooses it."""
    half = users.half()
    if is_chosen:
        asked = users.begin("USER_AUTH", USERNAME="ann")
        asked = users.answer(asked, ANSWER="PASSWORD_SRP", SRP_A=half.get_auth_params()["SRP_A"])
    else:
        asked = users.begin("USER_AUTH", PREFERRED_CHALLENGE="PASSWORD_SRP", **half.get_auth_params())

    assert asked["ChallengeName"] == "PASSWORD_VERIFIER"
    assert asked["Session"]
    assert users.answer(asked, **users.proof(half, asked))["AuthenticationResult"]


def test_first_factors_where_a_second_is_required(users):
    """A pool that requires a second factor offers no code in place of the password."""
    ann = {"attributes": {"email": "ann@example.com", "phone_number": "+15550001234"}}
    users.describe(mfa="on", first_factors=["PASSWORD", "EMAIL_OTP", "SMS_OTP"], ann=ann)

    for preferred in ("EMAIL_OTP", "SMS_OTP"):
        asked = users.begin("USER_AUTH", USERNAME="ann", PREFERRED_CHALLENGE=preferred)

        assert asked["ChallengeName"] == "SELECT_CHALLENGE"
        assert asked["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]


def test_first_factors_of_nobody(users):
    """A user who does not exist is offered what each user is."""
    users.describe(first_factors=["PASSWORD", "EMAIL_OTP"])

    asked = users.begin("USER_AUTH", USERNAME="nobody", PREFERRED_CHALLENGE="EMAIL_OTP")

    assert asked["AvailableChallenges"] == ["PASSWORD", "PASSWORD_SRP"]


def test_flows_of_the_client(users, refused):
    """A client may use its flows alone, and no client those of administrators."""
    users.describe(client={"flows": ["REFRESH_TOKEN_AUTH"]})

    assert refused(users.password) == (
        "InvalidParameterException",
        "USER_PASSWORD_AUTH flow not enabled for this client",
        400,
    )
    assert refused(users.begin, flow="USER_SRP_AUTH", USERNAME="ann", SRP_A="1") == (
        "InvalidParameterException",
        "USER_SRP_AUTH is not enabled for the client.",
        400,
    )
    admin = refused(users.begin, flow="ADMIN_USER_PASSWORD_AUTH", USERNAME="ann", PASSWORD=PASSWORD)
    assert admin == ("InvalidParameterException", "Initiate Auth method not supported.", 400)


def test_unknown_client(users, refused):
    """A client that does not exist is named."""
    wrong = refused(users.idp.initiate_auth, AuthFlow="USER_AUTH", ClientId="nobody", AuthParameters={})

    assert wrong == ("ResourceNotFoundException", "User pool client nobody does not exist.", 400)


def test_parameters_that_are_missing(users, refused):
    """A parameter that the flow needs is named."""
    assert refused(users.begin, flow="USER_SRP_AUTH", USERNAME="ann") == (
        "InvalidParameterException",
        "Missing required parameter SRP_A",
        400,
    )


def test_huge_parameters(users, refused):
    """A user name or a device key that is longer than any is refused before a session stores it."""
    sessions = "SELECT count(*) AS n FROM user_pool_sessions"
    name = {"flow": "USER_SRP_AUTH", "USERNAME": "x" * 129, "SRP_A": "abc"}
    assert refused(users.begin, **name)[0] == "InvalidParameterException"
    key = {"flow": "USER_SRP_AUTH", "USERNAME": "ann", "SRP_A": "abc", "DEVICE_KEY": "x" * 56}
    assert refused(users.begin, **key)[1] == "Device does not exist."
    assert users.api.emulator.service.state.row(sessions)["n"] == 0

    asked = users.begin("USER_AUTH", USERNAME="ann")
    assert refused(users.answer, asked=asked, ANSWER="PASSWORD", DEVICE_KEY="x" * 56)[1] == (
        "Device does not exist."
    )


def test_client_with_a_secret(users, refused):
    """A client with a secret proves that it knows it, by a hash of the user name, in each call."""
    secret = "CANARY" + "s" * 30
    users.describe(client={"secret": secret})
    assert refused(users.password) == (
        "NotAuthorizedException",
        f"Client {CLIENT} is configured with secret but SECRET_HASH was not received",
        400,
    )
    assert refused(users.password, SECRET_HASH="x") == (
        "NotAuthorizedException",
        f"Unable to verify secret hash for client {CLIENT}",
        400,
    )
    half = users.half()
    half.client_secret = secret
    proven = half.authenticate_user()["AuthenticationResult"]
    hashed = half.get_secret_hash("ann", CLIENT, secret)
    assert users.tokens(SECRET_HASH=hashed)
    for name in ("ann", claims(proven["IdToken"])["sub"]):
        given = {
            "REFRESH_TOKEN": proven["RefreshToken"],
            "SECRET_HASH": half.get_secret_hash(name, CLIENT, secret),
        }
        assert users.begin("REFRESH_TOKEN_AUTH", **given)["AuthenticationResult"]
    assert refused(users.begin, flow="REFRESH_TOKEN_AUTH", **{**given, "SECRET_HASH": "x"}) == (
        "NotAuthorizedException",
        f"SecretHash does not match for the client: {CLIENT}",
        400,
    )
    new = {"ClientId": CLIENT, "RefreshToken": proven["RefreshToken"]}
    assert users.idp.get_tokens_from_refresh_token(**new, ClientSecret=secret)["AuthenticationResult"]
    wrong = refused(users.idp.get_tokens_from_refresh_token, **new, ClientSecret="x" * 24)
    assert wrong[0] == "NotAuthorizedException"


def test_codes_are_bounded(users):
    """The list of codes has the last hundred, and is empty after a reset."""
    users.describe(mfa="on", ann={**PHONE, "mfa": ["sms"]})
    users.password()
    sent = users.api.emulator.service.sent_codes
    sent.extend([sent[0]] * 150)

    assert len(users.api.emulator.codes()) == 100
    users.api.emulator.reset()
    assert users.api.control("GET", "codes").json == []
