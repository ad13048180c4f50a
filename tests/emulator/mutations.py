"""
Requests that no client would send: ``python -m tests.emulator.mutations [COUNT [SEED]]``, usually 10,000.

Good requests of all 23 operations, and forms of STS, are changed in shape, size and encoding. No answer
may be a 500, and nothing may be logged as an error; it ends with 1 when one is.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import logging
import random
import sys
import time
from urllib.parse import urlsplit

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.assumed import MAX_BODY_BYTES
from cognito_credentials.emulator.operations import OPERATIONS

from .conftest import FAKE_SIGNATURE, GOOGLE, OIDC, ROLE, SIGNED, Api
from .test_administration import POOL_ARN

SAML_ARN = "arn:aws:iam::123456789012:saml-provider/corp"
VALUES = [
    None, True, 0, -1, 2**70, 1.5, "", "x", "x" * 3000, "x" * 60_000, [0] * 500, "\x00",
    "é", "\ud800", [], {}, [None],
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


def encode(random_, value):
    """*value* as a body: mostly JSON in UTF-8, sometimes in another encoding, or broken."""
    text = json.dumps(value)
    kind = random_.random()
    if kind < 0.02:
        return text.encode(random_.choice(["utf-16", "utf-32", "utf-8-sig", "utf-7"]))
    if kind < 0.03:
        return gzip.compress(text.encode())
    if kind < 0.04:
        return b"[" * random_.choice([1, 900, 100_000])
    if kind < 0.05:
        return text.encode() * random_.choice([2, 50])
    body = text.encode()
    if kind < 0.15:
        spot = random_.randrange(len(body) + 1)
        return body[:spot] + bytes([random_.randrange(256)]) + body[spot + 1 :]
    if kind < 0.17:
        return body[: random_.randrange(len(body) + 1)]
    return body


def send_mutated(api, count, seed):
    """Send *count* requests; gives how often each status was answered."""
    random_ = random.Random(seed)
    good = requests(api)
    names = sorted(OPERATIONS)
    assert set(good) == set(names)
    parts = urlsplit(api.emulator.url)
    wire = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    statuses = {}
    for _ in range(count):
        name = random_.choice(names)
        body = encode(random_, mutate(random_, good[name]))[:MAX_BODY_BYTES]
        target = f"AWSCognitoIdentityService.{name}"
        if random_.random() < 0.01:
            target = random_.choice(["", ".", name, name.lower(), f"{target} ", "x" * 5000])
        wire.request("POST", "/", body, {"X-Amz-Target": target, **SIGNED})
        answer = wire.getresponse()
        content = answer.read()
        assert answer.status in (200, 400), (name, body[:2000], content[:2000])
        assert answer.status == 200 or json.loads(content)["__type"], (name, body[:2000], content[:2000])
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
    wire.close()
    return statuses


def send_mutated_forms(api, count, seed):
    """Send *count* broken forms to STS, and as many broken signatures."""
    random_ = random.Random(seed)
    pool_id = api.emulator.create_pool()
    identity_id = api.post("GetId", {"IdentityPoolId": pool_id}).json["IdentityId"]
    token = api.post("GetOpenIdToken", {"IdentityId": identity_id}).json["Token"]
    form = (
        f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={ROLE}unauthenticated"
        f"&RoleSessionName=session&WebIdentityToken={token}&DurationSeconds=900"
        "&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/x&Policy=%7B%22Statement%22%3A%5B%5D%7D"
    ).encode()
    assert api.raw(body=form).status == 200
    for _ in range(count):
        changed = bytearray(form)
        for _ in range(random_.randrange(1, 4)):
            changed[random_.randrange(len(changed))] = random_.randrange(256)
        header = list(FAKE_SIGNATURE)
        header[random_.randrange(len(header))] = chr(random_.randrange(32, 127))

        answer = api.raw(body=bytes(changed))
        assert answer.status in (200, 400, 403), (bytes(changed), answer.body)
        signed = {**SIGNED, "Authorization": "".join(header).strip()}
        answer = api.raw(body=b"Action=GetCallerIdentity&Version=2011-06-15", headers=signed)
        assert answer.status in (200, 400, 403), (signed, answer.body)


def send_mutated_responses(api, count, seed):
    """Send *count* SAML responses with some bytes changed, doubled or lost; gives how many were believed."""
    random_ = random.Random(seed)
    pool_id = api.emulator.create_pool(SamlProviderARNs=[SAML_ARN])
    good = base64.b64decode(api.emulator.saml_response(SAML_ARN, roles=[ROLE + "r"]))
    logins = {SAML_ARN: base64.b64encode(good).decode()}
    user = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": logins}).json["IdentityId"]
    believed = 0
    for _ in range(count):
        changed = bytearray(good)
        for _ in range(random_.randrange(1, 4)):
            spot, length = random_.randrange(len(changed)), random_.randrange(1, 60)
            piece = changed[spot : spot + length]
            change = [b"", piece * 2, bytes([random_.randrange(256)]), b"<!---->", b"&a;", b"<a/>"]
            changed[spot : spot + length] = random_.choice(change)
        logins = {SAML_ARN: base64.b64encode(changed).decode()}
        answer = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": logins})
        assert answer.status in (200, 400), (bytes(changed), answer.body)
        if answer.status == 200:
            believed += 1
            assert answer.json["IdentityId"] == user, bytes(changed)
    return believed


class Errors(logging.Handler):
    """What was logged as an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.texts = []

    def emit(self, record):
        self.texts.append(self.format(record))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    errors = Errors()
    logging.getLogger().addHandler(errors)
    print(f"seed {seed}", flush=True)
    with Emulator() as emulator:
        api = Api(emulator, None, None, None)
        statuses = send_mutated(api, count, seed)
        send_mutated_forms(api, count // 20, seed)
        send_mutated_responses(api, count // 20, seed)
        assert api.post("GetId", {"IdentityPoolId": emulator.create_pool()}).status == 200
    shown = ", ".join(f"{status}: {times}" for status, times in sorted(statuses.items()))
    print(
        f"{count} requests ({shown}), {count // 20 * 2} forms, {count // 20} SAML responses; "
        f"{len(errors.texts)} errors logged"
    )
    for text in errors.texts:
        print(text)
    return 1 if errors.texts else 0


if __name__ == "__main__":
    sys.exit(main())
