"""Session policies: what they allow, and how STS checks them."""

from __future__ import annotations

import json
import random
import string

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.sts.session_policies import decide, is_policy
from cognito_credentials.emulator.sts.sessions import AssumedRole

from ..conftest import ROLE, Api, get_id

GUEST_POLICY = "arn:aws:iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture
def assume(api):
    """AssumeRoleWithWebIdentity for a guest of a new pool; returns the whole answer."""
    pool_id = api.emulator.create_pool()
    token = api.public.get_open_id_token(IdentityId=get_id(api, pool_id))["Token"]
    sts = api.client("sts")

    def call(**options):
        return sts.assume_role_with_web_identity(
            RoleArn=ROLE + "unauthenticated", RoleSessionName="session", WebIdentityToken=token, **options
        )

    return call


def keys_of(api, pool_id, logins=None):
    identity_id = get_id(api, pool_id, logins)
    options = {"Logins": logins} if logins else {}
    return api.public.get_credentials_for_identity(IdentityId=identity_id, **options)["Credentials"]


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("s3:GetObject", True),
        ("S3:getobject", True),
        ("rum:PutRumEvents", True),
        ("geo:GetMapTile", True),
        ("geo:BatchPutGeofence", True),
        ("kms:Decrypt", True),
        ("sts:GetCallerIdentity", True),
        ("textract:AnalyzeDocument", True),
        ("textract:AnalyzeID", False),
        ("ssm:GetParameter", False),
        ("kms:CreateKey", False),
        ("iam:PassRole", False),
        ("secretsmanager:GetSecretValue", False),
    ],
)
def test_guests_of_the_enhanced_flow(api, action, allowed):
    """A guest of the enhanced flow can do at most what the service's two session policies name."""
    keys = keys_of(api, api.emulator.create_pool())

    decision = api.emulator.allowed(keys["AccessKeyId"], action)

    assert decision.allowed is allowed
    if not allowed:
        assert decision.reason.endswith(f"because no session policy allows the {action} action")


def test_users_and_the_basic_flow_are_not_limited(api, assume):
    """Signed-in users, and guests of the basic flow, have no session policy."""
    user = keys_of(api, api.oidc_pool(), api.login())
    guest = assume()["Credentials"]

    for keys in (user, guest):
        assert api.emulator.allowed(keys["AccessKeyId"], "ssm:GetParameter").allowed


def test_over_http(api):
    """A program in another language asks by a control call. A mistake in it is named."""
    key = keys_of(api, api.emulator.create_pool())["AccessKeyId"]

    asked = {"access_key_id": key, "action": "ssm:GetParameter", "resource": "arn:aws:ssm:::parameter/a"}
    answer = api.control("POST", "allowed", asked).json
    assert answer["allowed"] is False
    assert " on resource: arn:aws:ssm:::parameter/a because " in answer["reason"]
    unknown = api.control("POST", "allowed", {**asked, "access_key_id": "ASIAOTHER"})
    assert (unknown.status, unknown.json["error"].partition(":")[0]) == (400, "access_key_id")
    assert api.control("POST", "allowed", {"access_key_id": key}).json == {
        "error": "action is missing; it is an action, e.g. s3:GetObject"
    }


def test_after_a_restart(tmp_path, emulator_keys, boto_session):
    """With its session token any session can be asked about, after a restart and after many others."""
    data = tmp_path / "state.db"
    with Emulator(data=data, keys=emulator_keys) as first:
        api = Api(first, None, None, boto_session)
        api.public = api.client("cognito-identity")
        keys = keys_of(api, first.create_pool())
        api.close()
    key, token = keys["AccessKeyId"], keys["SessionToken"]

    with Emulator(data=data, keys=emulator_keys) as again:
        api = Api(again, None, None, boto_session)
        assert again.allowed(key, "s3:GetObject", session_token=token).allowed
        assert not again.allowed(key, "ssm:GetParameter", session_token=token).allowed
        asked = {"access_key_id": key, "action": "s3:GetObject"}
        assert api.control("POST", "allowed", {**asked, "session_token": token}).json["allowed"]
        assert "give session_token" in api.control("POST", "allowed", asked).json["error"]
        for wrong in ("junk", token[:-8] + "AAAAAAAA"):
            error = api.control("POST", "allowed", {**asked, "session_token": wrong}).json["error"]
            assert error == "session_token: expected the one that came with the access_key_id"


def test_expired(api):
    """Expired credentials may do nothing."""
    key = keys_of(api, api.emulator.create_pool())["AccessKeyId"]
    api.emulator.move_clock(3600)

    assert api.emulator.allowed(key, "sts:GetCallerIdentity").allowed is False


def test_only_the_last_sessions_are_kept_in_memory(api):
    """Only the last sessions are kept in memory: a load test must not fill it."""
    mint = api.emulator.service.mint
    session = AssumedRole(ROLE + "r", "s", 2**40)
    first = mint.mint(session).access_key_id
    assert mint.recent(first) == session
    for _ in range(10_000):
        last = mint.mint(session).access_key_id

    assert mint.recent(first) is None
    assert mint.recent(last) == session


@pytest.mark.parametrize(
    ("statements", "action", "resource", "allowed"),
    [
        ([allow("s3:Get*", "arn:aws:s3:::b/*")], "s3:GetObject", "arn:aws:s3:::b/k", True),
        ([allow("s3:Get*", "arn:aws:s3:::b/*")], "s3:GetObject", "arn:aws:s3:::c/k", False),
        ([allow("s3:Get*")], "s3:PutObject", "*", False),
        ([allow("s3:*"), {**allow("s3:Delete*"), "Effect": "Deny"}], "s3:DeleteObject", "*", False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "s3:GetObject", "*", True),
        ([{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}], "iam:GetRole", "*", False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:x"}], "a:B", "arn:x", False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:x"}], "a:B", "arn:y", True),
        ([allow("s3:*", "arn:[ab]")], "s3:GetObject", "arn:a", False),
        ([allow("*", Condition={"Bool": {"aws:SecureTransport": "true"}})], "a:B", "*", False),
        ([], "s3:GetObject", "*", False),
        ([], "sts:GetCallerIdentity", "*", True),
    ],
)
def test_policy_of_the_caller(api, assume, statements, action, resource, allowed):
    """A session policy is evaluated as IAM does, but a statement with a condition allows nothing."""
    key = assume(Policy=policy(*statements))["Credentials"]["AccessKeyId"]

    assert api.emulator.allowed(key, action, resource).allowed is allowed


def test_managed_policies(api, assume):
    """The content of the service's managed policy is known. For any other the answer says that it is not."""
    known = assume(PolicyArns=[{"arn": GUEST_POLICY}])["Credentials"]["AccessKeyId"]
    other = assume(PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])["Credentials"]

    china = assume(PolicyArns=[{"arn": GUEST_POLICY.replace("arn:aws:", "arn:aws-cn:")}])["Credentials"]

    assert api.emulator.allowed(known, "polly:Speak").allowed
    assert not api.emulator.allowed(china["AccessKeyId"], "s3:GetObject").allowed
    assert not api.emulator.allowed(known, "s3:GetObject").allowed
    decision = api.emulator.allowed(other["AccessKeyId"], "polly:Speak")
    assert decision.reason == "not known here is what arn:aws:iam::aws:policy/ReadOnlyAccess says"
    both = [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, {"arn": GUEST_POLICY}]
    deny = policy({**allow("s3:Put*"), "Effect": "Deny"})
    mixed = assume(PolicyArns=both, Policy=deny)["Credentials"]["AccessKeyId"]
    assert not api.emulator.allowed(mixed, "s3:PutObject").allowed
    assert api.emulator.allowed(mixed, "polly:Speak").reason == "a session policy allows the action"


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "{}", '{"Statement": 5}', '{"Statement": [{}]}', policy({"Effect": "Allow"}),
        policy({**allow("a"), "Effect": "Maybe"}), policy({**allow("a"), "Principal": "*"}),
        policy(allow([5])), policy({**allow("a"), "NotAction": "b"}), "[" * 1000,
    ],
)  # fmt: skip
def test_malformed(assume, refused, text):
    """A text that is not a session policy is refused, and no credentials are issued."""
    assert not is_policy(text)
    assert refused(assume, Policy=text)[0] == "MalformedPolicyDocument"


def test_policy_arn_that_is_not_one(assume, refused):
    """PolicyArns must be ARNs of policies."""
    code, message, status = refused(assume, PolicyArns=[{"arn": "arn:aws:iam::aws:role/not-a-policy"}])

    assert (code, status) == ("ValidationError", 400)
    assert "role/not-a-policy" in message


def test_packed_policy_size(assume, refused):
    """PackedPolicySize is in the answer if there is a policy. Above 100 percent the call is refused."""
    assert "PackedPolicySize" not in assume()
    assert 0 < assume(Policy=policy(allow("s3:*")))["PackedPolicySize"] <= 100
    noise = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=1900))

    code, message, status = refused(assume, Policy=policy(allow(f"s3:{noise}")))

    assert (code, status) == ("PackedPolicyTooLarge", 400)
    assert message.startswith("Packed size of policies consumes 1")
    assert message.endswith("% of allotted space.")


def test_denial_names_the_resource():
    """A denial names the session and the resource in the order of AWS."""
    session = AssumedRole(ROLE + "r", "s", 100, limited=True)

    assert decide(session, "ssm:GetParameter", "arn:p", 0).reason == (
        "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: ssm:GetParameter "
        "on resource: arn:p because no session policy allows the ssm:GetParameter action"
    )
