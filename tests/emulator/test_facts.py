"""Facts of `reference/service.md` that concern several operations."""

from __future__ import annotations

import json
import random
import re
import string

import pytest

from cognito_credentials.emulator.operations import OPERATIONS

from .conftest import GOOGLE, OIDC, ROLE, SIGNED, get_id
from .wire.test_signatures import signed_headers, signer_with_clock

PUBLIC = {"GetId", "GetOpenIdToken", "GetCredentialsForIdentity", "UnlinkIdentity"}


def test_unsigned_calls_of_all_operations(api):
    """Four operations work without a signature. The other nineteen are refused with one text."""
    pool_id = api.oidc_pool()
    logins = api.login()
    identity = {
        "IdentityId": api.post("GetId", {"IdentityPoolId": pool_id, "Logins": logins}).json["IdentityId"]
    }
    logins = {"Logins": logins}
    content = {"IdentityPoolId": pool_id, **identity, **logins, "LoginsToRemove": [OIDC]}

    answers = {operation: api.post(operation, content) for operation in sorted(OPERATIONS)}

    assert len(answers) == 23
    assert {operation for operation, answer in answers.items() if answer.status == 200} == PUBLIC
    for operation in answers.keys() - PUBLIC:
        assert answers[operation].status == 400
        assert answers[operation].json == {
            "__type": "MissingAuthenticationTokenException",
            "message": "Missing Authentication Token",
        }


def test_dates_have_milliseconds(api):
    """The dates of identities are seconds with at most three decimals."""
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)

    one = api.post("DescribeIdentity", {"IdentityId": identity_id}, **SIGNED)
    several = api.post("ListIdentities", {"IdentityPoolId": pool_id, "MaxResults": 1}, **SIGNED)

    for body in (one.body, several.body):
        for member in (b"CreationDate", b"LastModifiedDate"):
            assert re.search(b'"' + member + rb'":\d{10}(\.\d{1,3})?[,}]', body)


def test_denials_spell_message_with_a_capital(api):
    """A denial of AWS's authorization layer has its text in Message, with a capital M."""
    text = (
        "User: anonymous is not authorized to perform: cognito-identity:GetId on resource: * "
        "with an explicit deny in a resource control policy"
    )
    api.emulator.plan_faults({"operation": "GetId", "code": "AccessDeniedException", "message": text})

    answer = api.post("GetId", {})

    assert (answer.status, answer.json) == (400, {"__type": "AccessDeniedException", "Message": text})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(-400, "Signature expired: ", id="slow"),
        pytest.param(400, "Signature not yet current: ", id="fast"),
    ],
)
def test_clocks_at_cognito(api, seconds, text):
    """A signature that is more than five minutes old or ahead is an InvalidSignatureException."""
    identity_id = get_id(api, api.emulator.create_pool())
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    body, target = json.dumps({"IdentityId": identity_id}), "AWSCognitoIdentityService.DescribeIdentity"
    signer = signer_with_clock(seconds)
    headers = signed_headers(api, keys, "cognito-identity", signer, body, X_Amz_Target=target)

    answer = api.raw(body=body, headers=headers)

    assert (answer.status, answer.json["__type"]) == (400, "InvalidSignatureException")
    assert answer.json["message"].startswith(text)


def test_session_tags_too_large(api, refused):
    """Tags of a back end that are too large for a session are refused with their share in percent."""
    pool_id = api.emulator.create_pool(DeveloperProviderName="dev.app")
    random_ = random.Random(1)
    tags = {f"key{number}": "".join(random_.choices(string.ascii_letters, k=250)) for number in range(50)}
    token = api.developer.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool_id, Logins={"dev.app": "ann"}, PrincipalTags=tags
    )["Token"]

    code, message, status = refused(
        api.client("sts").assume_role_with_web_identity,
        RoleArn=ROLE + "authenticated",
        RoleSessionName="session",
        WebIdentityToken=token,
    )

    assert (code, status) == ("PackedPolicyTooLarge", 400)
    assert re.fullmatch(r"Packed size of session tags consumes \d+% of allotted space\.", message)


def test_merged_identity_is_still_described(api):
    """A merged identity can be described, has no Logins, and is left out of the list with HideDisabled."""
    pool_id = api.oidc_pool()
    first = get_id(api, pool_id, api.login("ann"))
    second = get_id(api, pool_id, api.login("ann@g", GOOGLE))
    get_id(api, pool_id, {**api.login("ann"), **api.login("ann@g", GOOGLE)})

    gone = api.developer.describe_identity(IdentityId=second)
    shown = api.developer.list_identities(IdentityPoolId=pool_id, MaxResults=9, HideDisabled=True)

    assert gone["IdentityId"] == second
    assert "Logins" not in gone
    assert [identity["IdentityId"] for identity in shown["Identities"]] == [first]


def test_empty_logins_are_a_guests(api):
    """A call with empty Logins is a guest call."""
    content = {"IdentityPoolId": api.oidc_pool(), "Logins": {}}
    one, another = (api.post("GetId", content).json["IdentityId"] for _ in range(2))

    assert one != another
    assert api.post("GetOpenIdToken", {"IdentityId": one, "Logins": {}}).status == 200
