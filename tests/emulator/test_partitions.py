"""The names of other partitions in tokens, ARNs and trust policies."""

from __future__ import annotations

import json

import jwt
import pytest
from botocore.exceptions import ClientError

from .conftest import OIDC

NAMES = {
    "us-east-1": ("aws", "cognito-identity.amazonaws.com"),
    "eu-central-1": ("aws", "cognito-identity.amazonaws.com"),
    "cn-north-1": ("aws-cn", "cognito-identity.cn-north-1.amazonaws.com.cn"),
    "us-gov-west-1": ("aws-us-gov", "cognito-identity-us-gov.amazonaws.com"),
    "us-gov-east-1": ("aws-us-gov", "cognito-identity.us-gov-east-1.amazonaws.com"),
}


@pytest.mark.parametrize("region", NAMES)
def test_names_of_the_partition(api, region):
    """The issuer, the ARNs, and the principals and keys of trust policies have the names of the partition."""
    partition, name = NAMES[region]
    developer = api.client(
        "cognito-identity", {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "CANARY"}, region_name=region
    )
    pool_id = developer.create_identity_pool(
        IdentityPoolName="p", AllowUnauthenticatedIdentities=True, DeveloperProviderName="dev.app"
    )["IdentityPoolId"]
    role = f"arn:{partition}:iam::123456789012:role/guest"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": name},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{name}:aud": pool_id}},
    }
    api.emulator.service.state.execute(
        "INSERT INTO roles (arn, trust_policy, max_session_seconds) VALUES (?, ?, 3600)",
        role,
        json.dumps({"Statement": statement}),
    )
    developer.set_identity_pool_roles(
        IdentityPoolId=pool_id, Roles={"unauthenticated": role, "authenticated": role}
    )
    public = api.client("cognito-identity", region_name=region)
    guest = public.get_id(IdentityPoolId=pool_id)["IdentityId"]
    assert guest.startswith(f"{region}:")

    token = public.get_open_id_token(IdentityId=guest)["Token"]
    keys = public.get_credentials_for_identity(IdentityId=guest)["Credentials"]
    caller = api.client("sts", keys, region_name=region).get_caller_identity()
    basic = api.client("sts", region_name=region).assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="session", WebIdentityToken=token
    )
    developers = developer.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool_id, Logins={"dev.app": "ann"}
    )
    enhanced = public.get_credentials_for_identity(
        IdentityId=developers["IdentityId"], Logins={name: developers["Token"]}
    )

    signed = api.client("sts", {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "a"}, region_name=region)
    assert signed.get_caller_identity()["Arn"] == f"arn:{partition}:iam::123456789012:user/developer"
    assert jwt.get_unverified_header(token)["kid"] == f"{region}-7"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["iss"] == f"https://{name}"
    assert caller["Arn"].startswith(f"arn:{partition}:sts::123456789012:assumed-role/guest/")
    assert basic["Provider"] == name
    assert enhanced["IdentityId"] == developers["IdentityId"]
    arn = f"arn:{partition}:cognito-identity:{region}:123456789012:identitypool/{pool_id}"
    developer.tag_resource(ResourceArn=arn, Tags={"a": "b"})
    assert developer.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "b"}


@pytest.mark.parametrize(
    ("region", "length", "fits"),
    [("us-gov-east-1", 24, True), ("us-gov-east-1", 25, False), ("us-gov-west-1", 64, True)],
)
def test_length_of_a_role_name(api, refused, region, length, fits):
    """In us-gov-east-1 a role with a name over 24 characters cannot be assumed. The path does not count."""
    keys = {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "CANARY"}
    developer = api.client("cognito-identity", keys, region_name=region)
    pool_id = developer.create_identity_pool(IdentityPoolName="p", AllowUnauthenticatedIdentities=True)[
        "IdentityPoolId"
    ]
    role = "arn:aws-us-gov:iam::123456789012:role/some/path/" + "r" * length
    developer.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"unauthenticated": role})
    guest = api.public.get_id(IdentityPoolId=pool_id)["IdentityId"]

    if fits:
        assert api.public.get_credentials_for_identity(IdentityId=guest)
    else:
        code = refused(api.public.get_credentials_for_identity, IdentityId=guest)[0]
        assert code == "InvalidIdentityPoolConfigurationException"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_oidc_provider_of_the_partition(api, partition):
    """A role trusts the OIDC provider of its own partition."""
    provider, role = (
        f"arn:{partition}:iam::123456789012:oidc-provider/{OIDC}",
        "arn:{}:iam::123456789012:role/r",
    )
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{OIDC}:sub": "ann"}},
    }
    state = api.emulator.service.state
    state.execute("INSERT INTO issuers VALUES (?, '[]', NULL, NULL)", OIDC)
    for own in ("aws", "aws-cn", "aws-us-gov"):
        policy = json.dumps({"Statement": statement})
        state.execute(
            "INSERT INTO roles (arn, trust_policy, max_session_seconds) VALUES (?, ?, 3600)",
            role.format(own),
            policy,
        )

    def assume(own):
        return api.client("sts").assume_role_with_web_identity(
            RoleArn=role.format(own), RoleSessionName="session", WebIdentityToken=api.login()[OIDC]
        )

    assert assume(partition)["Provider"] == provider
    for own in {"aws", "aws-cn", "aws-us-gov"} - {partition}:
        with pytest.raises(ClientError, match="AccessDenied"):
            assume(own)


def test_oidc_provider_of_the_account(api):
    """A role trusts the OIDC provider of its own account."""
    state, account = api.emulator.service.state, "arn:aws:iam::999999999999"
    state.execute("INSERT INTO issuers VALUES (?, '[]', NULL, NULL)", OIDC)
    principal = {"Federated": f"{account}:oidc-provider/{OIDC}"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"}
    policy = json.dumps({"Statement": statement})
    state.execute(
        "INSERT INTO roles (arn, trust_policy, max_session_seconds) VALUES (?, ?, 3600)",
        f"{account}:role/path/app",
        policy,
    )

    answer = api.client("sts").assume_role_with_web_identity(
        RoleArn=f"{account}:role/path/app", RoleSessionName="session", WebIdentityToken=api.login()[OIDC]
    )

    assert answer["Provider"] == principal["Federated"]
