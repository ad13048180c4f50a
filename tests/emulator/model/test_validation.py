"""Constraints of the service model, and the texts of their violations."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader

from cognito_credentials.emulator.model.shapes import _read_model

from ..conftest import ROLE, SIGNED


def test_malformed_pool_id(api, refused):
    """A malformed id is a ValidationException, in the format that the real service was seen to use."""
    code, message, status = refused(api.public.get_id, IdentityPoolId="6eaf")

    assert (code, status) == ("ValidationException", 400)
    assert message == (
        "1 validation error detected: Value '6eaf' at 'identityPoolId' failed to satisfy "
        r"constraint: Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+"
    )


def test_unknown_pool(api, refused):
    """A well-formed id that does not exist is not found, with the exact text."""
    code, message, _ = refused(api.public.get_id, IdentityPoolId="us-east-1:0000")

    assert code == "ResourceNotFoundException"
    assert message == "IdentityPool 'us-east-1:0000' not found."


def test_patterns_are_ascii_and_match_the_whole_value(api):
    r"""A \w of the model is ASCII, and a pattern covers the value up to its last letter."""
    for pool_id in ("ü:0", "us-east-1:0\n", "us-east-1:0 "):
        answer = api.post("GetId", {"IdentityPoolId": pool_id})

        assert answer.json["__type"] == "ValidationException", pool_id


def test_several_violations(api):
    """All violations are listed, but for Logins in the order of the model."""
    answer = api.post("GetId", {"IdentityPoolId": "", "AccountId": "1" * 16})

    assert answer.json["message"] == (
        "3 validation errors detected: "
        "Value '1111111111111111' at 'accountId' failed to satisfy constraint: "
        "Member must have length less than or equal to 15; "
        "Value '' at 'identityPoolId' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1; "
        "Value '' at 'identityPoolId' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+"
    )


LENGTH = "Member must have length"
VALUE = "Member must have value"


@pytest.mark.parametrize(
    ("operation", "content", "violation"),
    [
        pytest.param(
            "DescribeIdentityPool", {}, "null at 'identityPoolId'... Member must not be null", id="null"
        ),
        pytest.param(
            "LookupDeveloperIdentity",
            {"DeveloperUserIdentifier": ""},
            f"'' at 'developerUserIdentifier'... {LENGTH} greater than or equal to 1",
            id="shorter",
        ),
        pytest.param(
            "CreateIdentityPool",
            {"IdentityPoolName": "x" * 129, "AllowUnauthenticatedIdentities": True},
            f"'{'x' * 129}' at 'identityPoolName'... {LENGTH} less than or equal to 128",
            id="longer",
        ),
        pytest.param(
            "ListIdentityPools",
            {"MaxResults": 0},
            f"'0' at 'maxResults'... {VALUE} greater than or equal to 1",
            id="less",
        ),
        pytest.param(
            "ListIdentityPools",
            {"MaxResults": 61},
            f"'61' at 'maxResults'... {VALUE} less than or equal to 60",
            id="more",
        ),
        pytest.param(
            "SetIdentityPoolRoles",
            {"Roles": {}, "RoleMappings": {"a": {"Type": "Both"}}},
            "'Both' at 'roleMappings.a.member.type'... Member must satisfy enum value set: [Token, Rules]",
            id="enum",
        ),
        pytest.param(
            "CreateIdentityPool",
            {
                "IdentityPoolName": "p",
                "AllowUnauthenticatedIdentities": True,
                "SupportedLoginProviders": {"a": "!"},
            },
            "'{a=!}' at 'supportedLoginProviders'... Map value must satisfy constraint: ["
            f"{LENGTH} less than or equal to 128, {LENGTH} greater than or equal to 1, "
            "Member must satisfy regular expression pattern: [\\w.;_/-]+]",
            id="values",
        ),
    ],
)
def test_phrases(api, operation, content, violation):
    """Each kind of constraint has its phrase, after the value and the place."""
    pool = {} if operation == "DescribeIdentityPool" else {"IdentityPoolId": "us-east-1:0"}

    answer = api.post(operation, {**pool, **content}, **SIGNED)

    text = violation.replace("...", " failed to satisfy constraint:")
    assert answer.json == {
        "__type": "ValidationException",
        "message": f"1 validation error detected: Value {text}",
    }


def test_login_tokens_are_never_shown(api):
    """A violation in Logins shows the providers, but no token."""
    logins = {"a.example": "CANARY" + "x" * 50_000}
    eleven = {f"p{number}.example": "CANARYtoken" for number in range(11)}

    for given in (logins, eleven, {"": "CANARYtoken"}):
        answer = api.post("GetId", {"IdentityPoolId": "us-east-1:0", "Logins": given})

        shown = ", ".join(f"{provider}=" for provider in given)
        assert answer.json["message"].startswith(
            f"1 validation error detected: Value '{{{shown}}}' at 'logins' failed"
        )
        assert b"CANARY" not in answer.body


def test_nested_members(api, refused):
    """The path of a nested member has its map key and its index in a list."""
    pool_id = api.oidc_pool()
    rule = {"Claim": "sub", "MatchType": "Like", "Value": "x", "RoleARN": "a" * 20}

    _, message, _ = refused(
        api.developer.set_identity_pool_roles,
        IdentityPoolId=pool_id,
        Roles={},
        RoleMappings={"accounts.google.com": {"Type": "Rules", "RulesConfiguration": {"Rules": [rule]}}},
    )

    assert message == (
        "1 validation error detected: Value 'Like' at "
        "'roleMappings.accounts.google.com.member.rulesConfiguration.rules.1.member.matchType' "
        "failed to satisfy constraint: Member must satisfy enum value set: "
        "[Equals, Contains, StartsWith, NotEqual]"
    )


@pytest.mark.parametrize("claim", ["sub", "custom:größe", "cognito:groups", "日本"])
def test_claim_names_may_be_any_printable(api, claim):
    """The pattern with Unicode classes accepts letters of all scripts, but no space."""
    pool_id = api.oidc_pool()
    rule = {"Claim": claim, "MatchType": "Equals", "Value": "x", "RoleARN": f"{ROLE}r"}
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "Deny",
        "RulesConfiguration": {"Rules": [rule]},
    }

    api.developer.set_identity_pool_roles(
        IdentityPoolId=pool_id, Roles={}, RoleMappings={"accounts.google.com": mapping}
    )


def test_claim_names_have_no_space(api, refused):
    """ClaimName may not contain a space."""
    rule = {"Claim": "a b", "MatchType": "Equals", "Value": "x", "RoleARN": "a" * 20}

    code, _, _ = refused(
        api.developer.set_identity_pool_roles,
        IdentityPoolId="us-east-1:0",
        Roles={},
        RoleMappings={"g.example": {"Type": "Rules", "RulesConfiguration": {"Rules": [rule]}}},
    )

    assert code == "ValidationException"


def test_lists_and_maps_of_texts(api, refused):
    """A wrong string in a list or map is a violation of the whole list or map."""
    _, ids, _ = refused(api.developer.delete_identities, IdentityIdsToDelete=["us-east-1:0", "x"])
    _, roles, _ = refused(
        api.developer.set_identity_pool_roles,
        IdentityPoolId="us-east-1:0",
        Roles={"guest": "arn:aws:iam::123456789012:role/x"},
    )

    assert ids.startswith(
        "1 validation error detected: Value '[us-east-1:0, x]' at 'identityIdsToDelete' failed to "
        "satisfy constraint: Member must satisfy constraint: [Member must have length"
    )
    assert roles == (
        "1 validation error detected: Value '{guest=arn:aws:iam::123456789012:role/x}' at 'roles' "
        "failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length "
        "less than or equal to 128, Member must have length greater than or equal to 1, "
        "Member must satisfy regular expression pattern: (un)?authenticated]"
    )


def test_sixty_one_ids(api, refused):
    """At most 60 identities are deleted in one call."""
    ids = [f"us-east-1:{number:x}" for number in range(61)]

    code, message, _ = refused(api.developer.delete_identities, IdentityIdsToDelete=ids)

    assert code == "ValidationException"
    assert message.endswith("Member must have length less than or equal to 60")


def test_null_in_a_map(api):
    """A login that is null is refused. It must not turn a call with logins into a guest call."""
    pool_id = api.emulator.create_pool()

    answer = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": {"accounts.google.com": None}})

    assert (answer.status, answer.json["__type"]) == (400, "ValidationException")


@pytest.mark.parametrize("service", ["cognito-identity", "cognito-idp", "iam", "sts"])
def test_models_are_those_of_botocore(service):
    """The emulator reads the models that botocore loads, without importing botocore."""
    assert _read_model(service) == Loader().load_service_model(service, "service-2")
