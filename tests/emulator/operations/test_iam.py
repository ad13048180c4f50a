"""IAM's operations on roles, by boto3 and by the real AWS CLI."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.operations import iam as operations

from ..conftest import ROLE, SIGNED, Api, get_id

HOST = "cognito-identity.amazonaws.com"
KEYS = {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "CANARY"}


@pytest.fixture
def iam(api):
    """The developer's client of IAM."""
    return api.client("iam", KEYS)


def trust(pool_id, amr="unauthenticated"):
    """The trust policy that the console makes for a role of a pool."""
    condition = {
        "StringEquals": {f"{HOST}:aud": pool_id},
        "ForAnyValue:StringLike": {f"{HOST}:amr": amr},
    }
    return policy(Federated=HOST, action="sts:AssumeRoleWithWebIdentity", condition=condition)


def policy(action="sts:AssumeRole", condition=None, **principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create(iam, name, document=None, **options):
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=document or policy(Service="ec2.amazonaws.com"), **options
    )
    return made["Role"]


def test_life_of_a_role(api, iam, refused):
    """A role is assumed as its trust policy says now, a deleted one by nobody. Keys that exist stay valid."""
    pool_id = api.emulator.create_pool(roles={"unauthenticated": ROLE + "app/guest"})
    guest = get_id(api, pool_id)

    def keys():
        return api.public.get_credentials_for_identity(IdentityId=guest)["Credentials"]

    made = create(iam, "guest", trust(pool_id), Path="/app/", Description="guests", MaxSessionDuration=7200)
    assert made["Arn"] == ROLE + "app/guest"
    assert made["RoleId"].startswith("AROA")
    assert made["AssumeRolePolicyDocument"] == json.loads(trust(pool_id))
    got = iam.get_role(RoleName="guest")["Role"]
    assert (got["Path"], got["Description"], got["MaxSessionDuration"]) == ("/app/", "guests", 7200)
    assert got["CreateDate"].timestamp() == pytest.approx(api.emulator.service.clock.now(), abs=5)
    first = keys()
    arn = api.client("sts", first).get_caller_identity()
    assert arn["UserId"].partition(":")[0] == made["RoleId"]

    iam.update_assume_role_policy(RoleName="guest", PolicyDocument=trust(pool_id, "authenticated"))
    assert refused(keys)[0] == "InvalidIdentityPoolConfigurationException"
    iam.update_assume_role_policy(RoleName="guest", PolicyDocument=trust(pool_id))
    assert keys()
    iam.update_role(RoleName="guest", MaxSessionDuration=3600)
    assert iam.get_role(RoleName="guest")["Role"]["Description"] == "guests"
    token = api.public.get_open_id_token(IdentityId=guest)["Token"]
    assume = api.client("sts").assume_role_with_web_identity
    web = {"RoleArn": made["Arn"], "RoleSessionName": "session", "WebIdentityToken": token}
    assert refused(assume, **web, DurationSeconds=7200)[0] == "ValidationError"
    iam.update_role_description(RoleName="guest", Description="new")
    assert iam.get_role(RoleName="guest")["Role"]["Description"] == "new"

    iam.delete_role(RoleName="guest")
    assert refused(keys)[0] == "InvalidIdentityPoolConfigurationException"
    assert refused(assume, **web)[0] == "AccessDenied"
    assert refused(iam.get_role, RoleName="guest")[0] == "NoSuchEntity"
    assert api.client("sts", first).get_caller_identity()["Arn"] == arn["Arn"]
    create(iam, "guest", trust(pool_id), Path="/app/")
    assert keys()


def test_role_survives_no_reset(api, iam, refused):
    """A reset forgets the roles that were made, and those that were deleted."""
    create(iam, "one")
    iam.delete_role(RoleName="one")
    api.emulator.reset()
    pool_id = api.emulator.create_pool(roles={"unauthenticated": ROLE + "one"})

    assert api.public.get_credentials_for_identity(IdentityId=get_id(api, pool_id))
    assert refused(iam.get_role, RoleName="one")[0] == "NoSuchEntity"


def test_partition(api):
    """A call that is signed for a region in China makes and sees roles of the partition there."""
    iam = api.client("iam", KEYS, region_name="cn-north-1")

    assert create(iam, "r")["Arn"] == "arn:aws-cn:iam::123456789012:role/r"
    assert api.client("iam", KEYS).list_roles()["Roles"] == []


def test_names_are_unique(iam, refused):
    """A name is taken in any case and path."""
    create(iam, "Guest", Path="/a/")

    found = refused(create, iam=iam, name="gUEST")

    assert found == ("EntityAlreadyExists", "Role with name gUEST already exists.", 409)
    assert iam.get_role(RoleName="guest")["Role"]["RoleName"] == "Guest"


def test_role_that_does_not_exist(api, iam, refused):
    """Each operation but CreateRole and ListRoles says that the role does not exist, also for a used one."""
    api.emulator.create_pool(roles={"unauthenticated": ROLE + "r"})
    wanted = {
        "PolicyDocument": policy(),
        "PolicyName": "p",
        "PolicyArn": "arn:aws:iam::aws:policy/P",
        "Tags": [],
        "TagKeys": [],
        "Description": "d",
    }
    names = sorted(operations.OPERATIONS.keys() - {"CreateRole", "ListRoles"})

    for name in names:
        model = iam.meta.service_model.operation_model(name)
        required = {member: wanted[member] for member in model.input_shape.required_members[1:]}
        code, text, status = refused(
            iam._make_api_call, operation_name=name, api_params={"RoleName": "r", **required}
        )
        assert (code, text, status) == ("NoSuchEntity", "The role with name r cannot be found.", 404), name
    assert len(names) == 16


def test_parameters(iam, refused):
    """A value that the model forbids is a ValidationError that names the member."""
    code, text, status = refused(create, iam=iam, name="a b")

    assert (code, status) == ("ValidationError", 400)
    assert text.startswith(
        "1 validation error detected: Value 'a b' at 'roleName' failed to satisfy constraint: "
    )
    assert refused(create, iam=iam, name="a", MaxSessionDuration=43_201)[0] == "ValidationError"
    assert refused(create, iam=iam, name="a", Tags=[{"Key": "a*", "Value": ""}])[0] == "ValidationError"
    assert create(iam, "a", Tags=[{"Key": "é:/=+-@", "Value": ""}])["Tags"] == [
        {"Key": "é:/=+-@", "Value": ""}
    ]


def test_answer_without_a_result(api, iam):
    """DeleteRole answers with its RequestId alone, in IAM's namespace."""
    create(iam, "r")
    form = urlencode({"Action": "DeleteRole", "Version": "2010-05-08", "RoleName": "r"})

    answer = api.raw(body=form, headers=SIGNED)

    assert answer.status == 200
    assert b'<DeleteRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">' in answer.body
    assert b"DeleteRoleResult" not in answer.body
    assert answer.headers["x-amzn-requestid"].encode() in answer.body


def test_operations_that_are_not_served(api, iam, refused):
    """An operation of IAM that is not served is named; one of STS is none of IAM."""
    found = refused(iam.create_user, UserName="ann")
    assert found == ("InvalidAction", "Could not find operation CreateUser for version 2010-05-08", 400)

    answer = api.raw(body="Action=GetCallerIdentity&Version=2010-05-08", headers=SIGNED)
    assert b"Could not find operation GetCallerIdentity for version 2010-05-08" in answer.body


def test_unsigned(api):
    """A call without a signature is refused."""
    answer = api.raw(body="Action=ListRoles&Version=2010-05-08")

    assert answer.status == 403
    assert b"<Code>MissingAuthenticationToken</Code>" in answer.body


def test_other_pages(api):
    """A web page of another machine cannot make roles, with whatever key it signs."""
    headers = {**SIGNED, "Origin": "https://evil.example"}

    answer = api.raw(body="Action=ListRoles&Version=2010-05-08", headers=headers)

    assert answer.status == 403
    assert b"a page of another machine" in answer.body


def test_sessions_may_not(api, iam, refused):
    """The keys of an identity pool cannot read or make roles."""
    guest = get_id(api, api.emulator.create_pool())
    keys = api.public.get_credentials_for_identity(IdentityId=guest)["Credentials"]

    code, text, status = refused(api.client("iam", keys).get_role, RoleName="r")

    session = "arn:aws:sts::123456789012:assumed-role/unauthenticated/CognitoIdentityCredentials"
    assert (code, status) == ("AccessDenied", 403)
    assert text == (
        f"User: {session} is not authorized to perform: iam:GetRole on resource: role r because no "
        "identity-based policy allows the iam:GetRole action"
    )


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param("{", "This policy contains invalid Json", id="json"),
        pytest.param("[" * 50_000, "This policy contains invalid Json", id="nested"),
        pytest.param(
            policy(AWS="*", condition={"NumericEquals": {"a": float("nan")}}),
            "This policy contains invalid Json",
            id="nan",
        ),
        pytest.param("5", "expected a policy with a Statement", id="number"),
        pytest.param('{"Statement": []}', "Statement: expected at least one", id="empty"),
        pytest.param(
            policy(AWS="*").replace('"Action"', '"Resource": "*", "Action"'),
            "Statement 1: Has prohibited field Resource",
            id="resource",
        ),
        pytest.param(policy(AWS="ann"), 'Invalid principal in policy: "AWS":"ann"', id="principal"),
        pytest.param(
            policy("s3:GetObject", AWS="*"), "'s3:GetObject' is none by which a role is assumed", id="action"
        ),
        pytest.param(
            policy("sts:AssumeRoleWithWebIdentity", Federated=HOST),
            "it trusts every identity pool",
            id="pool",
        ),
        pytest.param(
            policy(AWS="*", condition={"Null": {"a": "maybe"}}), "Null: a: expected true or false", id="null"
        ),
        pytest.param(
            policy(AWS="*", condition={"StringEquals": {"a": {}}}), "a: expected a text", id="condition"
        ),
    ],
)
def test_policies_that_are_not_saved(iam, refused, document, text):
    """A trust policy that IAM does not save is a MalformedPolicyDocument, and the role keeps its own."""
    create(iam, "r")
    before = iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]

    code, message, status = refused(iam.update_assume_role_policy, RoleName="r", PolicyDocument=document)

    assert (code, status) == ("MalformedPolicyDocument", 400)
    assert text in message
    assert refused(create, iam=iam, name="other", document=document)[0] == "MalformedPolicyDocument"
    assert iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"] == before


@pytest.mark.parametrize(
    ("condition", "trusted"),
    [
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, False),
        ({"StringNotEquals": {"sts:RoleSessionName": "${aws:username}"}}, False),
    ],
)
def test_conditions_that_are_not_evaluated(api, iam, refused, condition, trusted):
    """IAM saves a condition that is not evaluated here: its key counts as missing, its operator as unmet."""
    arn = create(iam, "r", policy(AWS="*", condition=condition))["Arn"]
    assume = api.client("sts", KEYS).assume_role

    if trusted:
        assert assume(RoleArn=arn, RoleSessionName="session")
    else:
        assert refused(assume, RoleArn=arn, RoleSessionName="session")[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("condition", "denied"),
    [
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-13-01T00:00:00Z"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"sts:RoleSessionName": "no"}}, False),
    ],
)
def test_denials_that_are_not_evaluated(api, iam, refused, condition, denied):
    """A Deny whose condition is not evaluated here denies, unless another condition of it does not hold."""
    statements = [json.loads(policy(AWS="*"))["Statement"][0] for _ in range(2)]
    statements[1].update(Effect="Deny", Condition=condition)
    arn = create(iam, "r", json.dumps({"Version": "2012-10-17", "Statement": statements}))["Arn"]
    assume = api.client("sts", KEYS).assume_role

    if denied:
        assert refused(assume, RoleArn=arn, RoleSessionName="session")[0] == "AccessDenied"
    else:
        assert assume(RoleArn=arn, RoleSessionName="session")


def test_role_with_policies(iam, refused):
    """A role with policies is not deleted. Attached policies are named first."""
    create(iam, "r")
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument="{}")

    attached = refused(iam.delete_role, RoleName="r")
    iam.detach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    inline = refused(iam.delete_role, RoleName="r")
    iam.delete_role_policy(RoleName="r", PolicyName="inline")
    iam.delete_role(RoleName="r")

    assert attached == ("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
    assert inline == ("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)


def test_policies_that_do_not_exist(iam, refused):
    """An inline policy that the role does not have, and a policy that is not attached, are named."""
    create(iam, "r")
    arn = "arn:aws:iam::aws:policy/P"

    for call in (iam.get_role_policy, iam.delete_role_policy):
        found = refused(call, RoleName="r", PolicyName="p")
        assert found == ("NoSuchEntity", "The role policy with name p cannot be found.", 404)
    assert refused(iam.detach_role_policy, RoleName="r", PolicyArn=arn)[:2] == (
        "NoSuchEntity",
        f"Policy {arn} was not found.",
    )
    assert (
        refused(iam.attach_role_policy, RoleName="r", PolicyArn="arn:aws:iam::aws:user/ann")[0]
        == "InvalidInput"
    )
    assert (
        refused(iam.put_role_policy, RoleName="r", PolicyName="p", PolicyDocument="5")[0]
        == "MalformedPolicyDocument"
    )


def test_tags(iam, refused):
    """Tag keys are the same in any case: a new tag replaces the old one, and two at once are refused."""
    twice = [{"Key": "Team", "Value": "a"}, {"Key": "team", "Value": "b"}]
    assert refused(create, iam=iam, name="r", Tags=twice) == (
        "InvalidInput",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        400,
    )
    create(iam, "r", Tags=twice[:1])

    iam.tag_role(RoleName="r", Tags=[{"Key": "TEAM", "Value": "c"}, {"Key": "x", "Value": ""}])
    assert iam.list_role_tags(RoleName="r")["Tags"] == [
        {"Key": "TEAM", "Value": "c"},
        {"Key": "x", "Value": ""},
    ]
    iam.untag_role(RoleName="r", TagKeys=["tEaM"])
    assert iam.get_role(RoleName="r")["Role"]["Tags"] == [{"Key": "x", "Value": ""}]


def test_quotas(iam, refused, monkeypatch):
    """Quotas of roles, tags, policies and the length of trust policies and inline policies are held."""
    create(iam, "r")
    long = policy(AWS="*", condition={"StringEquals": {"sts:ExternalId": ["x" * 60] * 40}})
    for number in range(10):
        iam.attach_role_policy(RoleName="r", PolicyArn=f"arn:aws:iam::aws:policy/P{number}")
    iam.tag_role(RoleName="r", Tags=[{"Key": str(number), "Value": ""} for number in range(50)])
    monkeypatch.setattr(operations, "_MAX_ROLES", 1)
    put = {"RoleName": "r", "PolicyName": "p", "PolicyDocument": json.dumps({"a": "x" * 10_240})}

    for call, arguments, quota in (
        (
            iam.create_role,
            {"RoleName": "s", "AssumeRolePolicyDocument": policy(AWS="*")},
            "RolesPerAccount: 1",
        ),
        (iam.update_assume_role_policy, {"RoleName": "r", "PolicyDocument": long}, "ACLSizePerRole: 2048"),
        (
            iam.attach_role_policy,
            {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/Q"},
            "PoliciesPerRole: 10",
        ),
        (iam.tag_role, {"RoleName": "r", "Tags": [{"Key": "x", "Value": ""}]}, "TagsPerRole: 50"),
    ):
        assert refused(call, **arguments) == ("LimitExceeded", f"Cannot exceed quota for {quota}", 409)
    assert refused(iam.put_role_policy, **put) == (
        "LimitExceeded",
        "Maximum policy size of 10240 bytes exceeded for role r",
        409,
    )


def test_deleted_roles_count_for_no_quota(iam, refused, monkeypatch):
    """A test suite may make and delete any number of roles in an emulator, but not without bound."""
    monkeypatch.setattr(operations, "_MAX_ROLES", 1)
    for number in range(3):
        create(iam, f"r{number}")
        iam.delete_role(RoleName=f"r{number}")
    monkeypatch.setattr(operations, "_MAX_DELETED", 2)

    assert refused(create, iam=iam, name="r4")[0] == "LimitExceeded"


def test_pages(iam, refused):
    """Lists come in pages, in the order of the ARNs. A marker is of its list."""
    for name in "cab":
        create(iam, name, Tags=[{"Key": "a", "Value": "b"}], Path="/x/" if name == "c" else "/")

    first = iam.list_roles(MaxItems=2)
    second = iam.list_roles(MaxItems=2, Marker=first["Marker"])

    assert [role["RoleName"] for role in first["Roles"] + second["Roles"]] == ["a", "b", "c"]
    assert (first["IsTruncated"], second["IsTruncated"]) == (True, False)
    assert "Tags" not in first["Roles"][0]
    assert [role["RoleName"] for role in iam.list_roles(PathPrefix="/x/")["Roles"]] == ["c"]
    paged = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1})
    assert len([role for page in paged for role in page["Roles"]]) == 3
    assert refused(iam.list_role_tags, RoleName="a", Marker=first["Marker"])[:2] == (
        "ValidationError",
        "Invalid Marker.",
    )


def test_what_terraform_calls(iam):
    """What Terraform calls for aws_iam_role, aws_iam_role_policy and its attachment works."""
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    made = create(iam, "tf", Path="/", MaxSessionDuration=3600, PermissionsBoundary=boundary)
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    iam.put_role_policy(RoleName="tf", PolicyName="s3", PolicyDocument='{"Statement": []}')
    iam.attach_role_policy(RoleName="tf", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    assert iam.list_role_policies(RoleName="tf")["PolicyNames"] == ["s3"]
    assert iam.get_role_policy(RoleName="tf", PolicyName="s3")["PolicyDocument"] == {"Statement": []}
    assert iam.list_attached_role_policies(RoleName="tf")["AttachedPolicies"] == [
        {"PolicyName": "ReadOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    ]
    assert iam.list_attached_role_policies(RoleName="tf", PathPrefix="/a/")["AttachedPolicies"] == []
    assert iam.list_instance_profiles_for_role(RoleName="tf")["InstanceProfiles"] == []
    iam.delete_role_policy(RoleName="tf", PolicyName="s3")
    iam.detach_role_policy(RoleName="tf", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.delete_role(RoleName="tf")


def test_roles_of_the_seed(emulator_keys, tmp_path, boto_session):
    """IAM shows the roles of the seed, and not those of another account."""
    file = tmp_path / "seed.toml"
    statement = 'trust_policy = { Statement = { Effect = "Deny", Principal = "*", Action = "sts:*" } }'
    file.write_text(
        f"[[roles]]\narn = '{ROLE}x/seeded'\nmax_session_seconds = 7200\n{statement}\n"
        f"[[roles]]\narn = 'arn:aws:iam::111122223333:role/other'\n{statement}\n"
    )
    with Emulator(seed=file, keys=emulator_keys) as emulator:
        api = Api(emulator, None, None, boto_session)
        (role,) = api.client("iam", KEYS).list_roles()["Roles"]
        api.close()

    assert (role["Arn"], role["MaxSessionDuration"]) == (ROLE + "x/seeded", 7200)
