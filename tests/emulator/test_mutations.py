"""Requests that no client would send: never a 500, never a traceback."""

from __future__ import annotations

import http.client
import json
import logging
import random
from urllib.parse import urlsplit

from cognito_credentials.emulator.operations import OPERATIONS

from .conftest import GOOGLE, OIDC, ROLE
from .test_administration import POOL_ARN

VALUES = [
    None, True, 0, -1, 2**70, 1.5, "", "x", "x" * 3000, "\x00", "é", "\ud800", [], {}, [None],
    {"": ""}, {"a": None}, [[]], {"a": {"b": []}}, "us-east-1:0", "us-east-1:" + "-" * 60,
]  # fmt: skip


def mutate(random_, value):
    """*value* with something in it replaced, taken out or doubled."""
    if random_.random() < 0.3:
        return random_.choice(VALUES)
    if isinstance(value, dict) and value:
        key = random_.choice(list(value))
        changed = dict(value)
        if random_.random() < 0.2:
            del changed[key]
        elif random_.random() < 0.1:
            changed[random_.choice(["", "x" * 200, "\n", key.lower()])] = changed[key]
        else:
            changed[key] = mutate(random_, value[key])
        return changed
    if isinstance(value, list) and value:
        return [mutate(random_, item) for item in value] * random_.choice([1, 1, 2, 40])
    return random_.choice(VALUES)


def requests(api):
    """One good request of every operation."""
    pool_id = api.oidc_pool(DeveloperProviderName="dev.app")
    logins = {**api.login(), **api.login("a", GOOGLE)}
    identity_id = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": logins}).json["IdentityId"]
    guest_id = api.post("GetId", {"IdentityPoolId": pool_id}).json["IdentityId"]
    rule = {"Claim": "sub", "MatchType": "Equals", "Value": "a", "RoleARN": ROLE + "r"}
    return {
        "GetId": {"IdentityPoolId": pool_id, "AccountId": "123456789012", "Logins": logins},
        "GetOpenIdToken": {"IdentityId": identity_id, "Logins": logins},
        "GetCredentialsForIdentity": {"IdentityId": guest_id, "CustomRoleArn": ROLE + "r"},
        "UnlinkIdentity": {"IdentityId": identity_id, "Logins": logins, "LoginsToRemove": [OIDC]},
        "CreateIdentityPool": {
            "IdentityPoolName": "p",
            "AllowUnauthenticatedIdentities": True,
            "SupportedLoginProviders": {GOOGLE: "app"},
            "CognitoIdentityProviders": [
                {"ProviderName": "cognito-idp.us-east-1.amazonaws.com/us-east-1_a", "ClientId": "a"}
            ],
            "IdentityPoolTags": {"a": "b"},
        },
        "SetIdentityPoolRoles": {
            "IdentityPoolId": pool_id,
            "Roles": {"authenticated": ROLE + "r"},
            "RoleMappings": {
                GOOGLE: {
                    "Type": "Rules",
                    "AmbiguousRoleResolution": "Deny",
                    "RulesConfiguration": {"Rules": [rule]},
                }
            },
        },
        "UpdateIdentityPool": {
            "IdentityPoolId": api.emulator.create_pool(),
            "IdentityPoolName": "p",
            "AllowUnauthenticatedIdentities": True,
            "DeveloperProviderName": "dev",
            "IdentityPoolTags": {"a": "b"},
        },
        "DeleteIdentityPool": {"IdentityPoolId": "us-east-1:0"},
        "ListIdentityPools": {"MaxResults": 1, "NextToken": "cG9vbHMjMQ=="},
        "GetIdentityPoolRoles": {"IdentityPoolId": pool_id},
        "SetPrincipalTagAttributeMap": {
            "IdentityPoolId": pool_id,
            "IdentityProviderName": GOOGLE,
            "UseDefaults": False,
            "PrincipalTags": {"a": "sub"},
        },
        "GetPrincipalTagAttributeMap": {"IdentityPoolId": pool_id, "IdentityProviderName": GOOGLE},
        "TagResource": {"ResourceArn": POOL_ARN + pool_id, "Tags": {"a": "b"}},
        "UntagResource": {"ResourceArn": POOL_ARN + pool_id, "TagKeys": ["a"]},
        "ListTagsForResource": {"ResourceArn": POOL_ARN + pool_id},
        "DescribeIdentity": {"IdentityId": identity_id},
        "ListIdentities": {
            "IdentityPoolId": pool_id,
            "MaxResults": 1,
            "NextToken": "aWRlbnRpdGllcyMx",
            "HideDisabled": True,
        },
        "GetOpenIdTokenForDeveloperIdentity": {
            "IdentityPoolId": pool_id,
            "IdentityId": identity_id,
            "Logins": {"dev.app": "ann", **logins},
            "PrincipalTags": {"a": "b"},
            "TokenDuration": 60,
        },
        "LookupDeveloperIdentity": {
            "IdentityPoolId": pool_id,
            "IdentityId": identity_id,
            "DeveloperUserIdentifier": "ann",
            "MaxResults": 1,
        },
        "MergeDeveloperIdentities": {
            "IdentityPoolId": pool_id,
            "SourceUserIdentifier": "ann",
            "DestinationUserIdentifier": "bob",
            "DeveloperProviderName": "dev.app",
        },
        "UnlinkDeveloperIdentity": {
            "IdentityPoolId": pool_id,
            "IdentityId": identity_id,
            "DeveloperProviderName": "dev.app",
            "DeveloperUserIdentifier": "ann",
        },
        "DescribeIdentityPool": {"IdentityPoolId": pool_id},
        "DeleteIdentities": {"IdentityIdsToDelete": [identity_id]},
    }


def test_mutated_requests(api, caplog):
    """Thousands of broken requests are answered as errors of the caller, and the service lives on."""
    random_ = random.Random(20_261_123)
    good = requests(api)
    names = sorted(OPERATIONS)
    assert set(good) == set(names)
    parts = urlsplit(api.emulator.url)
    wire = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    caplog.set_level(logging.ERROR)
    for _ in range(2000):
        name = random_.choice(names)
        body = json.dumps(mutate(random_, good[name])).encode()
        if random_.random() < 0.1:
            spot = random_.randrange(len(body) + 1)
            body = body[:spot] + bytes([random_.randrange(256)]) + body[spot + 1 :]
        wire.request(
            "POST",
            "/",
            body,
            {
                "X-Amz-Target": f"AWSCognitoIdentityService.{name}",
                "Authorization": "AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/c/d, "
                "SignedHeaders=host, Signature=x",
                "X-Amz-Date": "20200101T000000Z",
            },
        )
        answer = wire.getresponse()
        content = answer.read()

        assert answer.status in (200, 400), (name, body, content)
        assert answer.status == 200 or json.loads(content)["__type"]
    wire.close()

    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert api.post("GetId", {"IdentityPoolId": api.emulator.create_pool()}).status == 200


def test_mutated_forms(api, caplog):
    """Broken STS forms and signatures are errors of the caller too."""
    random_ = random.Random(20_261_124)
    pool_id = api.emulator.create_pool()
    identity_id = api.post("GetId", {"IdentityPoolId": pool_id}).json["IdentityId"]
    token = api.post("GetOpenIdToken", {"IdentityId": identity_id}).json["Token"]
    form = (
        f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={ROLE}unauthenticated"
        f"&RoleSessionName=session&WebIdentityToken={token}&DurationSeconds=900"
        "&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/x&Policy=%7B%22Statement%22%3A%5B%5D%7D"
    ).encode()
    authorization = "AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/c/d, SignedHeaders=host, Signature=x"
    assert api.raw(body=form).status == 200

    for _ in range(500):
        changed = bytearray(form)
        for _ in range(random_.randrange(1, 4)):
            changed[random_.randrange(len(changed))] = random_.randrange(256)
        header = list(authorization)
        header[random_.randrange(len(header))] = chr(random_.randrange(32, 127))

        assert api.raw(body=bytes(changed)).status in (200, 400, 403)
        signed = {"Authorization": "".join(header).strip(), "X-Amz-Date": "20200101T000000Z"}
        answer = api.raw(body=b"Action=GetCallerIdentity&Version=2011-06-15", headers=signed)
        assert answer.status in (200, 400, 403)

    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
