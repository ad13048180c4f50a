"""Updating, listing, deleting and tagging pools; describing and listing identities."""

from __future__ import annotations

import pytest
from botocore.exceptions import ParamValidationError

from ..conftest import GOOGLE, OIDC, OIDC_ARN, ROLE, SIGNED, credentials_id, get_id

POOL_ARN = "arn:aws:cognito-identity:us-east-1:123456789012:identitypool/"


def test_update_replaces(api):
    """UpdateIdentityPool removes members that are not given, but keeps tags, roles and the developer name."""
    pool_id = api.oidc_pool(DeveloperProviderName="dev.app", IdentityPoolTags={"a": "b"})

    updated = api.developer.update_identity_pool(
        IdentityPoolId=pool_id, IdentityPoolName="new", AllowUnauthenticatedIdentities=False
    )

    described = api.developer.describe_identity_pool(IdentityPoolId=pool_id)
    for answer in (updated, described):
        answer.pop("ResponseMetadata")
        assert answer == {
            "IdentityPoolId": pool_id,
            "IdentityPoolName": "new",
            "AllowUnauthenticatedIdentities": False,
            "DeveloperProviderName": "dev.app",
            "IdentityPoolTags": {"a": "b"},
        }
    assert set(api.developer.get_identity_pool_roles(IdentityPoolId=pool_id)["Roles"]) == {
        "authenticated",
        "unauthenticated",
    }


def test_developer_provider_name_is_fixed(api, refused):
    """A developer provider name that is set cannot be changed."""
    pool_id = api.oidc_pool(DeveloperProviderName="dev.app")

    code, _, _ = refused(
        api.developer.update_identity_pool,
        IdentityPoolId=pool_id,
        IdentityPoolName="p",
        AllowUnauthenticatedIdentities=True,
        DeveloperProviderName="other.app",
    )

    assert code == "InvalidParameterException"


def test_delete_pool(api, refused):
    """A deleted pool and its identities are not found, and cannot be deleted again."""
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)

    answer = api.developer.delete_identity_pool(IdentityPoolId=pool_id)

    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-length"] == "0"
    for function, arguments in [
        (api.developer.delete_identity_pool, {"IdentityPoolId": pool_id}),
        (api.public.get_id, {"IdentityPoolId": pool_id}),
        (api.public.get_open_id_token, {"IdentityId": identity_id}),
    ]:
        assert refused(function, **arguments)[0] == "ResourceNotFoundException"


def test_list_pools_in_pages(api):
    """The SDK's paginator sees every pool once, in the order of creation, by id and name only."""
    ids = [api.emulator.create_pool() for _ in range(7)]
    pages = api.developer.get_paginator("list_identity_pools").paginate(PaginationConfig={"PageSize": 3})

    shown = [page["IdentityPools"] for page in pages]

    assert [len(page) for page in shown] == [3, 3, 1]
    assert [pool["IdentityPoolId"] for page in shown for pool in page] == ids
    assert set(shown[0][0]) == {"IdentityPoolId", "IdentityPoolName"}


def test_full_last_page_has_no_token(api):
    """The list ends after a last page that is full."""
    for _ in range(2):
        api.emulator.create_pool()

    assert "NextToken" not in api.developer.list_identity_pools(MaxResults=2)


def test_bad_page_requests(api, refused):
    """
    A page of more than 60 is a violation. A wrong token, or one of another list, is an invalid parameter.
    """
    pool_id = api.emulator.create_pool()
    for _ in range(2):
        get_id(api, pool_id)
    other = api.developer.list_identities(IdentityPoolId=pool_id, MaxResults=1)["NextToken"]

    many = refused(api.developer.list_identity_pools, MaxResults=61)

    assert many[0] == "ValidationException"
    assert many[1].endswith("Member must have value less than or equal to 60")
    with pytest.raises(ParamValidationError):  # the SDK refuses values below the minimum
        api.developer.list_identity_pools(MaxResults=0)
    for token in ("x", "####", other):
        code, _, _ = refused(api.developer.list_identity_pools, MaxResults=1, NextToken=token)
        assert code == "InvalidParameterException"


def test_roles_of_a_new_pool_are_left_out(api):
    """The answer has roles and mappings as they were set, and lacks those that were never set."""
    pool_id = api.emulator.create_pool(roles={}, SupportedLoginProviders={GOOGLE: "app"})
    rule = {"Claim": "sub", "MatchType": "Equals", "Value": "a", "RoleARN": ROLE + "r"}
    mappings = {
        GOOGLE: {
            "Type": "Rules",
            "AmbiguousRoleResolution": "Deny",
            "RulesConfiguration": {"Rules": [rule]},
        }
    }

    empty = api.developer.get_identity_pool_roles(IdentityPoolId=pool_id)
    api.developer.set_identity_pool_roles(
        IdentityPoolId=pool_id, Roles={"authenticated": ROLE + "r"}, RoleMappings=mappings
    )
    full = api.developer.get_identity_pool_roles(IdentityPoolId=pool_id)

    assert set(empty) == {"IdentityPoolId", "ResponseMetadata"}
    assert full["Roles"] == {"authenticated": ROLE + "r"}
    assert full["RoleMappings"] == mappings


def test_describe_identity(api, refused):
    """A guest has no Logins member, a user has the provider names, and the dates are those of the changes."""
    pool_id = api.oidc_pool()
    guest_id = get_id(api, pool_id)

    before = api.developer.describe_identity(IdentityId=guest_id)
    api.emulator.move_clock(100)
    credentials_id(api, guest_id, {**api.login(), **api.login("a", GOOGLE)})
    after = api.developer.describe_identity(IdentityId=guest_id)

    assert "Logins" not in before
    assert before["CreationDate"] == before["LastModifiedDate"]
    assert after["Logins"] == [OIDC, GOOGLE]
    assert after["CreationDate"] == before["CreationDate"]
    assert 99 < (after["LastModifiedDate"] - after["CreationDate"]).total_seconds() < 110
    assert refused(api.developer.describe_identity, IdentityId="us-east-1:0000") == (
        "ResourceNotFoundException",
        "Identity 'us-east-1:0000' not found.",
        400,
    )


def test_list_identities(api):
    """Identities are listed in pages, with disabled ones unless these are hidden."""
    pool_id = api.oidc_pool()
    known = get_id(api, pool_id, api.login())
    guests = [get_id(api, pool_id) for _ in range(4)]
    credentials_id(api, guests[1], api.login())

    def shown(**arguments):
        ids, token = [], {}
        while True:
            page = api.developer.list_identities(IdentityPoolId=pool_id, MaxResults=2, **arguments, **token)
            assert page["IdentityPoolId"] == pool_id
            ids += [identity["IdentityId"] for identity in page["Identities"]]
            if "NextToken" not in page:
                return ids
            assert len(page["Identities"]) == 2
            token = {"NextToken": page["NextToken"]}

    assert shown() == [known, *guests]
    assert shown(HideDisabled=True) == [known, guests[0], *guests[2:]]


def test_tags(api):
    """Tags are added, overwritten, removed and listed. They are the pool's IdentityPoolTags."""
    pool_id = api.emulator.create_pool(IdentityPoolTags={"a": "1", "b": "2"})
    arn = POOL_ARN + pool_id

    api.developer.tag_resource(ResourceArn=arn, Tags={"b": "3", "c": ""})
    api.developer.untag_resource(ResourceArn=arn, TagKeys=["a", "never"])

    assert api.developer.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "3", "c": ""}
    pool = api.developer.describe_identity_pool(IdentityPoolId=pool_id)
    assert pool["IdentityPoolTags"] == {"b": "3", "c": ""}


def test_bad_tags(api, refused):
    """Reserved keys, strange characters, too many tags and other resources are refused."""
    pool_id = api.emulator.create_pool()
    arn = POOL_ARN + pool_id

    def tag(resource, tags):
        return refused(api.developer.tag_resource, ResourceArn=resource, Tags=tags)[0]

    assert tag(arn, {"aws:x": "y"}) == "InvalidParameterException"
    assert tag(arn, {"a!": "y"}) == "InvalidParameterException"
    assert tag(arn, {f"k{n}": "" for n in range(51)}) == "InvalidParameterException"
    assert tag("arn:aws:s3:::bucket-of-mine", {"a": "b"}) == "InvalidParameterException"
    assert tag(arn.replace("123456789012", "999999999999"), {"a": "b"}) == ("InvalidParameterException")
    assert tag(POOL_ARN + "us-east-1:0000", {"a": "b"}) == "ResourceNotFoundException"
    for stranger in (
        (POOL_ARN + "us-east-1:0000").replace("123456789012", "999999999999"),
        (POOL_ARN + "eu-west-1:0000").replace("us-east-1:123", "eu-west-1:123"),
        (POOL_ARN + "eu-west-1:0000"),
        arn.replace("arn:aws:", "arn:aws-cn:"),
        f"{arn}/",
    ):
        assert tag(stranger, {"a": "b"}) == "InvalidParameterException"
    assert api.developer.list_tags_for_resource(ResourceArn=arn)["Tags"] == {}


@pytest.mark.parametrize("use_defaults", [True, False])
def test_principal_tag_map(api, use_defaults):
    """A map of principal tags is returned as it was set. With UseDefaults it has no tags."""
    pool_id = api.oidc_pool()
    names = {"IdentityPoolId": pool_id, "IdentityProviderName": OIDC_ARN}

    unset = api.developer.get_principal_tag_attribute_map(**names)
    api.developer.set_principal_tag_attribute_map(
        **names, UseDefaults=use_defaults, PrincipalTags={"team": "groups"}
    )
    answer = api.developer.get_principal_tag_attribute_map(**names)

    assert (unset["UseDefaults"], unset["PrincipalTags"]) == (False, {})
    assert answer["UseDefaults"] is use_defaults
    assert answer["PrincipalTags"] == ({} if use_defaults else {"team": "groups"})


def test_principal_tag_map_of_no_provider(api, refused):
    """A map needs a provider of the pool."""
    code, _, _ = refused(
        api.developer.set_principal_tag_attribute_map,
        IdentityPoolId=api.oidc_pool(),
        IdentityProviderName="www.amazon.com",
    )

    assert code == "InvalidParameterException"


@pytest.mark.parametrize(
    "operation", ["SetIdentityPoolRoles", "UnlinkDeveloperIdentity", "DeleteIdentityPool"]
)
def test_void_operations(api, operation):
    """An operation without output is answered with 200 and an empty body."""
    pool_id = api.emulator.create_pool(DeveloperProviderName="dev.app")
    identity_id = api.developer.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool_id, Logins={"dev.app": "ann"}
    )["IdentityId"]
    request = {"IdentityPoolId": pool_id, "Roles": {}}
    if operation == "UnlinkDeveloperIdentity":
        request["IdentityId"] = identity_id
        request["DeveloperProviderName"], request["DeveloperUserIdentifier"] = "dev.app", "ann"

    answer = api.post(operation, request, **SIGNED)

    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("operation", ["TagResource", "UntagResource"])
def test_empty_outputs(api, operation):
    """An operation whose output has no members is answered with an empty object."""
    request = {"ResourceArn": POOL_ARN + api.emulator.create_pool(), "Tags": {"a": "b"}, "TagKeys": ["a"]}

    assert api.post(operation, request, **SIGNED).body == b"{}"
