"""Chains of roles: AssumeRole, GetSessionToken and GetAccessKeyInfo."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from cognito_credentials.emulator.stored.roles import Role, save_role

from ..conftest import ROLE, SIGNED, get_id

KEYS = {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "CANARY"}
DEVELOPER = "arn:aws:iam::123456789012:user/developer"
ACCOUNT = "arn:aws:iam::123456789012:root"


@pytest.fixture
def sts(api):
    """The developer's client of STS."""
    return api.client("sts", KEYS)


def describe(api, name, *actions, condition=None, seconds=3600, principal=None):
    """Describe the role *name*, which trusts *principal*, by default the account, with *actions*."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": principal or ACCOUNT},
        "Action": ["sts:AssumeRole", *actions],
        "Condition": condition or {},
    }
    arn = name if name.startswith("arn:") else ROLE + name
    save_role(api.emulator.service.state, Role(arn, json.dumps({"Statement": [statement]}), seconds))
    return arn


def assume(client, role, **options):
    return client.assume_role(RoleArn=role, RoleSessionName="session", **options)


def user_keys(api):
    """The keys of a user of a pool, in the enhanced flow."""
    pool_id = api.oidc_pool()
    logins = api.login()
    identity_id = get_id(api, pool_id, logins)
    answer = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)
    return answer["Credentials"], identity_id, pool_id


def test_assume_role(api, sts):
    """The session has the role's account, the session name, and the duration that was asked for."""
    arn = describe(api, "arn:aws:iam::111122223333:role/app/reader", seconds=7200)

    answer = assume(sts, arn, DurationSeconds=7200)

    keys = answer["Credentials"]
    caller = api.client("sts", keys).get_caller_identity()
    assert caller["Account"] == "111122223333"
    assert caller["Arn"] == "arn:aws:sts::111122223333:assumed-role/reader/session"
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": caller["UserId"], "Arn": caller["Arn"]}
    left = keys["Expiration"] - dt.datetime.now(dt.timezone.utc)
    assert 7100 < left.total_seconds() <= 7200


@pytest.mark.parametrize(
    ("principal", "trusted"),
    [
        ("*", True),
        ("123456789012", True),
        (ACCOUNT, True),
        ([ROLE + "x", DEVELOPER], True),
        ("AIDADEVELOPEREXAMPLE", True),
        ("111122223333", False),
        ("arn:aws:iam::123456789012:user/ann", False),
        (ROLE + "x", False),
    ],
)
def test_who_is_trusted(api, sts, refused, principal, trusted):
    """The developer is trusted by its account, its ARN and its unique id."""
    arn = describe(api, "r", principal=principal)

    if trusted:
        assert assume(sts, arn)
    else:
        assert refused(assume, client=sts, role=arn)[0] == "AccessDenied"


def test_principals(api, sts, refused):
    """A session is trusted as its role, its ARN and its role's unique id. Others are told what is denied."""
    first = assume(sts, describe(api, "path/first"))
    session, client = first["AssumedRoleUser"]["Arn"], api.client("sts", first["Credentials"])
    unique_id = first["AssumedRoleUser"]["AssumedRoleId"].partition(":")[0]

    for principal in (ROLE + "path/first", session, unique_id, "123456789012"):
        assert assume(client, describe(api, "second", principal=principal))
    for principal in (ROLE + "first", DEVELOPER, session + "x"):
        code, text, status = refused(assume, client=client, role=describe(api, "second", principal=principal))
        assert (code, status) == ("AccessDenied", 403)
        assert text == (
            f"User: {session} is not authorized to perform: sts:AssumeRole on resource: {ROLE}second"
        )
    federated = {"Effect": "Allow", "Principal": {"Federated": "*"}, "Action": "sts:*"}
    save_role(api.emulator.service.state, Role(ROLE + "second", json.dumps({"Statement": federated})))
    assert refused(assume, client=client, role=ROLE + "second")[0] == "AccessDenied"


def test_users_chain(api):
    """A user of a pool assumes a role that trusts the user's role, and the session is not the identity's."""
    keys, *_ = user_keys(api)
    arn = describe(api, "next", principal=ROLE + "authenticated")

    answer = assume(api.client("sts", keys), arn)

    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/next/session")
    assert api.client("sts", answer["Credentials"]).get_caller_identity()["Arn"].endswith("/next/session")


def test_guests_may_not(api, refused):
    """The session policies of guests of the enhanced flow do not name sts:AssumeRole."""
    guest = get_id(api, api.emulator.create_pool())
    keys = api.public.get_credentials_for_identity(IdentityId=guest)["Credentials"]
    arn = describe(api, "next", principal="*")

    code, text, status = refused(assume, client=api.client("sts", keys), role=arn)

    assert (code, status) == ("AccessDenied", 403)
    why = "because no session policy allows the sts:AssumeRole action"
    assert text.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {arn} {why}")


def test_session_policy_of_the_caller(api, sts, refused):
    """What a session policy leaves out, the session may not assume."""
    arn = describe(api, "next")
    narrow = '{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
    wide = narrow.replace("s3:*", "*")

    limited = assume(sts, describe(api, "first"), Policy=narrow)["Credentials"]
    assert refused(assume, client=api.client("sts", limited), role=arn)[0] == "AccessDenied"
    free = assume(sts, ROLE + "first", Policy=wide)
    assert free["PackedPolicySize"] > 0
    assert assume(api.client("sts", free["Credentials"]), arn)
    assert not api.emulator.allowed(limited["AccessKeyId"], "sqs:SendMessage").allowed
    assert refused(assume, client=sts, role=arn, Policy="{")[0] == "MalformedPolicyDocument"


def test_one_hour_in_a_chain(api, sts, refused):
    """A role is assumed for one hour at most by keys of a session, also of GetSessionToken."""
    arn = describe(api, "long", seconds=43_200)
    by_role = assume(sts, arn)["Credentials"]
    by_user = sts.get_session_token()["Credentials"]

    assert assume(sts, arn, DurationSeconds=43_200)
    for keys in (by_role, by_user):
        client = api.client("sts", keys)
        assert assume(client, arn, DurationSeconds=3600)
        code, text, status = refused(assume, client=client, role=arn, DurationSeconds=3601)
        assert (code, status) == ("ValidationError", 400)
        assert text.endswith(" exceeds the 1 hour session limit for roles assumed by role chaining.")


def test_duration_over_the_role(api, sts, refused):
    """A session is at most as long as its role allows."""
    code, text, _ = refused(assume, client=sts, role=describe(api, "r"), DurationSeconds=3601)

    assert (code, text) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )


@pytest.mark.parametrize("arn", [ROLE, "arn:aws:iam::123456789012:user/ann", "x" * 20])
def test_not_a_role(sts, refused, arn):
    """An ARN that is not a role's is refused."""
    assert refused(assume, client=sts, role=arn) == ("ValidationError", "Request ARN is invalid", 400)


MFA = {"SerialNumber": "arn:aws:iam::123456789012:mfa/ann", "TokenCode": "123456"}


@pytest.mark.parametrize(
    ("condition", "options", "trusted"),
    [
        ({"StringEquals": {"sts:ExternalId": "xyz"}}, {"ExternalId": "xyz"}, True),
        ({"StringEquals": {"sts:ExternalId": "xyz"}}, {"ExternalId": "xy"}, False),
        ({"StringEquals": {"sts:ExternalId": "xyz"}}, {}, False),
        ({"StringEquals": {"sts:RoleSessionName": "session"}}, {}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, MFA, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, {}, True),
        ({"ArnEquals": {"aws:PrincipalArn": DEVELOPER}}, {}, True),
        ({"StringEquals": {"aws:PrincipalAccount": "123456789012", "aws:PrincipalType": "User"}}, {}, True),
        ({"StringEquals": {"aws:username": "developer", "aws:RequestedRegion": "us-east-1"}}, {}, True),
        ({"StringEquals": {"aws:RequestTag/team": "a"}}, {"Tags": [{"Key": "Team", "Value": "a"}]}, True),
        ({"StringEquals": {"aws:RequestTag/team": "a"}}, {"Tags": [{"Key": "team", "Value": "b"}]}, False),
        (
            {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}},
            {"Tags": [{"Key": "x", "Value": ""}]},
            False,
        ),
        ({"StringLike": {"sts:SourceIdentity": "a*"}}, {"SourceIdentity": "ann"}, True),
        ({"StringLike": {"sts:SourceIdentity": "a*"}}, {"SourceIdentity": "bob"}, False),
    ],
)
def test_conditions(api, sts, refused, condition, options, trusted):
    """The trust policy tests what the call says, and who calls."""
    arn = describe(api, "r", "sts:TagSession", "sts:SetSourceIdentity", condition=condition)

    if trusted:
        assert assume(sts, arn, **options)
    else:
        assert refused(assume, client=sts, role=arn, **options)[0] == "AccessDenied"


def test_half_an_mfa(api, sts, refused):
    """A serial number without a code, or a code without a serial number, is refused."""
    for name, value in MFA.items():
        found = refused(assume, client=sts, role=describe(api, "r"), **{name: value})
        assert found[0] == "ValidationError"


def tag(*pairs):
    return [{"Key": key, "Value": value} for key, value in pairs]


def test_tags_go_on(api, sts, refused):
    """Transitive tags go on through the chain, the others end; each role must allow sts:TagSession."""
    tagging = ("sts:TagSession",)
    first = describe(api, "first", *tagging)
    options = {"Tags": tag(("Team", "a"), ("x", "b")), "TransitiveTagKeys": ["team"]}
    client = api.client("sts", assume(sts, first, **options)["Credentials"])

    first_arn = "arn:aws:sts::123456789012:assumed-role/first/session"
    denied = refused(assume, client=client, role=describe(api, "plain"))
    answer = assume(client, describe(api, "second", *tagging), Tags=tag(("y", "c")))
    session = api.emulator.service.mint.recent(answer["Credentials"]["AccessKeyId"])
    tagged = {"StringEquals": {"aws:PrincipalTag/Team": "a"}, "Null": {"aws:PrincipalTag/x": "true"}}
    third = describe(api, "third", *tagging, condition=tagged)

    assert denied[:2] == (
        "AccessDenied",
        f"User: {first_arn} is not authorized to perform: sts:TagSession on resource: {ROLE}plain",
    )
    assert session.tags == {"Team": "a", "y": "c"}
    assert assume(api.client("sts", answer["Credentials"]), third)
    assert refused(assume, client=client, role=third)[0] == "AccessDenied"


@pytest.mark.parametrize(
    "options",
    [
        {"Tags": tag(("TEAM", "b"))},
        {"Tags": tag(("a", "b"), ("A", "b"))},
        {"Tags": tag(("a", "b")), "TransitiveTagKeys": ["b"]},
    ],
)
def test_tags_that_are_refused(api, sts, refused, options):
    """A transitive tag is not set again, a key is there once, and a transitive key has its tag."""
    arn = describe(api, "r", "sts:TagSession")
    first = assume(sts, arn, Tags=tag(("team", "a")), TransitiveTagKeys=["team"])
    client = api.client("sts", first["Credentials"])

    code, _, status = refused(assume, client=client, role=arn, **options)

    assert (code, status) == ("InvalidParameterValue", 400)


def test_source_identity(api, sts, refused):
    """A source identity needs its own action, is answered, and stays for the whole chain."""
    arn = describe(api, "r", "sts:SetSourceIdentity")
    plain = describe(api, "plain")

    first = assume(sts, arn, SourceIdentity="ann")
    client = api.client("sts", first["Credentials"])

    assert first["SourceIdentity"] == "ann"
    assert assume(client, arn)["SourceIdentity"] == "ann"
    assert assume(client, arn, SourceIdentity="ann")
    assert refused(assume, client=client, role=arn, SourceIdentity="bob")[::2] == ("AccessDenied", 403)
    assert "sts:SetSourceIdentity on resource" in refused(assume, client=client, role=plain)[1]


def test_roles_that_nobody_described(api, sts, refused):
    """A role that no pool uses trusts everybody; one that a pool uses trusts the pool's users alone."""
    api.emulator.create_pool(roles={"authenticated": ROLE + "user"})

    assert assume(sts, ROLE + "free")
    assert refused(assume, client=sts, role=ROLE + "user")[0] == "AccessDenied"
    assert assume(sts, "arn:aws:iam::111122223333:role/far")["AssumedRoleUser"]["Arn"].startswith(
        "arn:aws:sts::111122223333:"
    )


def test_session_token(api, sts, refused):
    """Its keys are the user's for twelve hours. They read pools; of STS and IAM they may do little."""
    keys = sts.get_session_token()["Credentials"]
    client = api.client("sts", keys)
    left = (keys["Expiration"] - dt.datetime.now(dt.timezone.utc)).total_seconds()

    assert 43_100 < left <= 43_200
    assert client.get_caller_identity()["Arn"] == DEVELOPER
    assert api.client("cognito-identity", keys).list_identity_pools(MaxResults=1)["IdentityPools"] == []
    assert assume(client, describe(api, "r"))
    assert refused(client.get_access_key_info, AccessKeyId="AKIAEXAMPLEEXAMPLE12")[0] == "AccessDenied"
    assert refused(api.client("iam", keys).list_roles) == (
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
        403,
    )
    api.emulator.move_clock(43_200)
    assert refused(client.get_caller_identity)[0] == "ExpiredToken"


def test_session_token_with_mfa(api, sts):
    """A session with an MFA device assumes a role that demands one."""
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    keys = sts.get_session_token(DurationSeconds=900, **MFA)["Credentials"]

    assert assume(api.client("sts", keys), describe(api, "r", condition=condition))


def test_session_token_of_a_session(api, sts, refused):
    """Keys of a session give no session token."""
    for keys in (assume(sts, describe(api, "r"))["Credentials"], sts.get_session_token()["Credentials"]):
        assert refused(api.client("sts", keys).get_session_token) == (
            "AccessDenied",
            "Cannot call GetSessionToken with session credentials",
            403,
        )


def test_account_of_a_key(api, sts):
    """An issued key is of its role's account, any other of the emulator's."""
    far = assume(sts, "arn:aws:iam::111122223333:role/far")["Credentials"]["AccessKeyId"]

    assert sts.get_access_key_info(AccessKeyId=far)["Account"] == "111122223333"
    assert sts.get_access_key_info(AccessKeyId="AKIAEXAMPLEEXAMPLE12")["Account"] == "123456789012"


@pytest.mark.parametrize("action", ["AssumeRole", "GetSessionToken", "GetAccessKeyInfo"])
def test_unsigned(api, action):
    """The three operations are signed."""
    form = f"Action={action}&Version=2011-06-15&RoleArn={ROLE}r&RoleSessionName=session"

    assert b"<Code>MissingAuthenticationToken</Code>" in api.raw(body=form).body


@pytest.mark.parametrize(
    "field",
    [
        "Tags=x",
        "TransitiveTagKeys=x",
        "Tags.member.1.Key=x",
        "Tags.member.1=x",
        "Tags.member.x.Key=x",
        "PolicyArns=x",
    ],
)
def test_odd_lists(api, field):
    """A list that is written as none is refused, or counts as empty; never a 500."""
    form = f"Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}r&RoleSessionName=session&{field}"

    answer = api.raw(body=form, headers=SIGNED)

    assert answer.status in (200, 400), answer.body
