"""
Requests that no client would send: ``python -m tests.emulator.mutations [COUNT [SEED]]``, usually 10,000.

Good requests of all operations, login tokens, SAML responses, names of providers and control calls are
changed in shape, size and encoding. Every answer must be one that botocore can read and that the
operation's model knows, none a 500, and nothing may be logged as an error; it ends with 1 when something is.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import logging
import random
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.assumed import MAX_BODY_BYTES
from cognito_credentials.emulator.logins.keys import TEST_ISSUER
from cognito_credentials.emulator.logins.tokens import sign_jwt
from cognito_credentials.emulator.operations import OPERATIONS, query
from cognito_credentials.emulator.operations.query import OPERATIONS as QUERY_OPERATIONS
from cognito_credentials.emulator.user_pools.operations import OPERATIONS as USER_POOL_OPERATIONS

from .answers import check_control, check_json, check_query
from .conftest import FAKE_SIGNATURE, GOOGLE, OIDC, ROLE, SIGNED, Api
from .odd_values import CLAIMS, DOCUMENTS, ODD_CLAIMS, ODD_HOSTS, ODD_NAMES, ODD_TEXTS, STS_FORM, VALUES
from .operations.test_administration import POOL_ARN

SAML_ARN = "arn:aws:iam::123456789012:saml-provider/corp"
USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_a"


def mutate(random_, value):
    """*value* with a part of it replaced, removed or doubled."""
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
    """*value* as a body: JSON in UTF-8 in most cases, else in another encoding, or broken."""
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


class Sender:
    """One client with one connection. It checks each answer and counts the statuses."""

    def __init__(self, api, seed):
        self.api = api
        self.random = random.Random(seed)
        self.statuses = Counter()
        parts = urlsplit(api.emulator.url)
        self.wire = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)

    def close(self):
        """Close the connection."""
        self.wire.close()

    def send(self, check, method, path, body, headers):
        """Send one request; *check* takes status, headers and body of the answer."""
        self.wire.request(method, path, body, headers)
        answer = self.wire.getresponse()
        content = answer.read()
        names = {name.lower(): value for name, value in answer.getheaders()}
        try:
            check(answer.status, names, content)
        except Exception as error:
            shown = body[:2000] if isinstance(body, bytes) else body
            raise AssertionError(
                f"{method} {path} {headers} {shown} -> {answer.status} {content[:2000]}"
            ) from error
        self.statuses[answer.status] += 1
        return answer.status, content

    def call(self, operation, content, target=None):
        """Call a Cognito operation with a JSON value, or with bytes that may not be JSON."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"X-Amz-Target": target or f"AWSCognitoIdentityService.{operation}", **SIGNED}
        check = check_nothing_broke if target is not None else lambda *answer: check_json(operation, *answer)
        return self.send(check, "POST", "/", body, headers)

    def form(
        self,
        body,
        method="POST",
        path="/",
        operation="AssumeRoleWithWebIdentity",
        service="sts",
        **headers,
    ):
        """Send a form to STS or IAM."""

        def check(status, names, content):
            if names["content-type"] == "text/xml":  # without an Action it is not a call of STS
                check_query(operation, status, names, content, service)
            else:
                check_nothing_broke(status, names, content)

        return self.send(check, method, path, body, headers)


def check_nothing_broke(status, headers, body):
    """Check the answer to a call of an operation that does not exist."""
    assert status in (200, 400, 404, 413), status
    assert status == 200 or json.loads(body)["__type"]


def send_mutated(sender, count):
    """Send changed requests of all operations."""
    random_ = sender.random
    good = requests(sender.api)
    names = sorted(OPERATIONS)
    assert set(good) == set(names)
    for _ in range(count):
        name = random_.choice(names)
        body = encode(random_, mutate(random_, good[name]))[:MAX_BODY_BYTES]
        target = f"AWSCognitoIdentityService.{name}"
        odd = (
            random_.choice([".", name, name.lower(), f"{target} ", "x" * 5000])
            if random_.random() < 0.01
            else None
        )
        sender.call(name, body, odd)


def user_pool_requests(api):
    """One good request of every operation of user pools, as a function: each may need a new session."""
    user = {"name": "ann", "password": "Example-1", "mfa": ["sms"]}
    user["attributes"] = {"phone_number": "+15550001234", "email": "ann@example.com"}
    api.emulator.create_user_pool(
        id="us-east-1_a",
        mfa="optional",
        devices="always",
        first_factors=["PASSWORD", "EMAIL_OTP"],
        clients=[{"id": "app"}],
        users=[user, {"name": "bob", "password": "Example-1"}],
    )
    client, named = {"ClientId": "app"}, {"ClientId": "app", "Username": "ann"}
    parameters = {"USERNAME": "ann", "PASSWORD": "Example-1", "PREFERRED_CHALLENGE": "EMAIL_OTP"}

    def call(operation, content):
        target = f"AWSCognitoIdentityProviderService.{operation}"
        return api.raw(body=json.dumps(content), headers={"X-Amz-Target": target}).json

    def begin(flow="USER_PASSWORD_AUTH", **changes):
        given = {**parameters, **changes, "SRP_A": "abc"}
        return {**client, "AuthFlow": flow, "AuthParameters": given, "ClientMetadata": {"a": "b"}}

    def answer(name="SMS_MFA"):
        asked = call(
            "InitiateAuth", begin("USER_SRP_AUTH" if name == "PASSWORD_VERIFIER" else "USER_PASSWORD_AUTH")
        )
        block = asked["ChallengeParameters"].get("SECRET_BLOCK", "")
        proof = {"PASSWORD_CLAIM_SECRET_BLOCK": block, "PASSWORD_CLAIM_SIGNATURE": "AAAA"}
        codes = {"SMS_MFA_CODE": api.emulator.codes()[-1]["code"]} if api.emulator.codes() else {}
        given = {"USERNAME": "ann", **proof, **codes, "TIMESTAMP": "Mon Nov 30 22:00:00 UTC 2026"}
        session = {"Session": asked["Session"]} if "Session" in asked else {}
        return {**client, "ChallengeName": name, "ChallengeResponses": given, **session}

    result = call("InitiateAuth", begin(USERNAME="bob"))["AuthenticationResult"]
    device = {"AccessToken": result["AccessToken"], "DeviceKey": result["NewDeviceMetadata"]["DeviceKey"]}
    config = {"Salt": "AAAA", "PasswordVerifier": "AAAA"}
    call("ConfirmDevice", {**device, "DeviceSecretVerifierConfig": config})
    token = {"AccessToken": result["AccessToken"]}
    refresh = {**client, "RefreshToken": result["RefreshToken"], "DeviceKey": device["DeviceKey"]}
    on = {"Enabled": True, "PreferredMfa": True}
    sign_up = {**client, "Username": "cyd", "Password": "Example-1"}
    return {
        "InitiateAuth": lambda: begin("USER_AUTH"),
        "RespondToAuthChallenge": answer,
        "RespondToAuthChallenge ": lambda: answer("PASSWORD_VERIFIER"),
        "GetTokensFromRefreshToken": lambda: refresh,
        "RevokeToken": lambda: {**client, "Token": "eyJ.x"},
        "GlobalSignOut": lambda: {"AccessToken": "x"},
        "AssociateSoftwareToken": lambda: token,
        "VerifySoftwareToken": lambda: {**token, "UserCode": "123456", "FriendlyDeviceName": "a"},
        "SetUserMFAPreference": lambda: {**token, "EmailMfaSettings": on, "SMSMfaSettings": {}},
        "ConfirmDevice": lambda: {**device, "DeviceSecretVerifierConfig": config, "DeviceName": "a"},
        "UpdateDeviceStatus": lambda: {**device, "DeviceRememberedStatus": "remembered"},
        "GetDevice": lambda: device,
        "ListDevices": lambda: {**token, "Limit": 1, "PaginationToken": "ZGV2aWNlcyMx"},
        "ForgetDevice": lambda: {**token, "DeviceKey": "us-east-1_a"},
        "GetUser": lambda: token,
        "ChangePassword": lambda: {**token, "PreviousPassword": "a", "ProposedPassword": "Example-1"},
        "SignUp": lambda: {**sign_up, "UserAttributes": [{"Name": "email", "Value": "c@example.com"}]},
        "ConfirmSignUp": lambda: {**named, "ConfirmationCode": "1", "ForceAliasCreation": True},
        "ResendConfirmationCode": lambda: named,
        "ForgotPassword": lambda: named,
        "ConfirmForgotPassword": lambda: {**named, "ConfirmationCode": "1", "Password": "Example-1"},
    }


def send_mutated_user_pools(sender, count):
    """Send changed requests of all operations of user pools."""
    random_, service = sender.random, sender.api.emulator.service
    good = user_pool_requests(sender.api)
    assert {name.strip() for name in good} == {*USER_POOL_OPERATIONS}
    for _ in range(count):
        name = random_.choice(sorted(good))
        content = good[name]()
        body = encode(random_, mutate(random_, content) if random_.random() < 0.9 else content)
        headers = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{name.strip()}"}
        check = partial(check_json, name.strip(), service="cognito-idp")
        sender.send(check, "POST", "/", body[:MAX_BODY_BYTES], headers)
        service.clock.passed += 1  # lockouts end
    assert len(sender.api.emulator.codes()) <= 100


def token_of(random_, emulator, provider, claims, header=None):
    """A login token of *provider* with *claims*, signed with the test issuer's key in most cases."""
    now = int(time.time())
    content = {
        "iss": f"https://{provider}",
        "sub": "ann",
        "aud": "app",
        "iat": now,
        "exp": now + 3600,
        **claims,
    }
    content = {name: value for name, value in content.items() if value is not ...}
    head = {"kid": "cognito-emulator-test-issuer", "typ": "JWT", "alg": "RS256", **(header or {})}
    return sign_jwt(emulator.service.keys, TEST_ISSUER, head, content)


def send_odd_claims(sender, count):
    """Send well-signed login tokens with claims of any type and size to all operations that read them."""
    random_, api = sender.random, sender.api
    pool_id = claims_pool(api)
    api.emulator.service.state.execute(
        "INSERT INTO issuers VALUES (?, ?, NULL, NULL)", OIDC, json.dumps(["app"])
    )
    guest = json.loads(sender.call("GetId", {"IdentityPoolId": pool_id})[1])["IdentityId"]
    for _ in range(count):
        names = random_.sample(CLAIMS, random_.choice([0, 1, 1, 2, 4]))
        claims = {name: random_.choice([..., *ODD_CLAIMS]) for name in names}
        header = {"kid": random_.choice(ODD_CLAIMS)} if random_.random() < 0.05 else {}
        provider = random_.choice([OIDC, GOOGLE, USER_POOL])
        token = token_of(random_, api.emulator, provider, claims, header)
        if random_.random() < 0.1:
            token = mangled(random_, token)
        logins = {provider: token}
        identity = random_.choice([guest, None])
        if identity is None:
            status, content = sender.call("GetId", {"IdentityPoolId": pool_id, "Logins": logins})
            identity = json.loads(content)["IdentityId"] if status == 200 else guest
        operation = random_.choice(["GetOpenIdToken", "GetCredentialsForIdentity", "UnlinkIdentity", "STS"])
        if operation == "STS":
            sender.form(urlencode({**STS_FORM, "WebIdentityToken": token}).encode())
        elif operation == "UnlinkIdentity":
            sender.call(operation, {"IdentityId": identity, "Logins": logins, "LoginsToRemove": [provider]})
        else:
            sender.call(operation, {"IdentityId": identity, "Logins": logins})


def claims_pool(api):
    """A pool whose role mappings, tags and checks read many claims."""
    pool_id = api.oidc_pool(
        CognitoIdentityProviders=[
            {"ProviderName": USER_POOL, "ClientId": "app", "ServerSideTokenCheck": True}
        ],
        AllowClassicFlow=True,
    )
    rules = [
        {"Claim": claim, "MatchType": match, "Value": "a", "RoleARN": ROLE + "r"}
        for claim in ("sub", "email", "cognito:groups")
        for match in ("Equals", "Contains", "StartsWith", "NotEqual")
    ]
    by_rules = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "AuthenticatedRole",
        "RulesConfiguration": {"Rules": rules},
    }
    mappings = {f"{USER_POOL}:app": {"Type": "Token", "AmbiguousRoleResolution": "Deny"}, GOOGLE: by_rules}
    api.post(
        "SetIdentityPoolRoles",
        {"IdentityPoolId": pool_id, "Roles": {"authenticated": ROLE + "r"}, "RoleMappings": mappings},
        **SIGNED,
    )
    for provider in (USER_POOL, GOOGLE):
        content = {"IdentityPoolId": pool_id, "IdentityProviderName": provider}
        tags = {"PrincipalTags": {"a": "email", "b": "cognito:groups", "c": "sub"}}
        assert api.post("SetPrincipalTagAttributeMap", {**content, **tags}, **SIGNED).status == 200
    return pool_id


def mangled(random_, token):
    """*token* with a part removed or doubled, or with some characters changed."""
    parts = token.split(".")
    kind = random_.random()
    if kind < 0.3:
        spot = random_.randrange(len(token))
        return token[:spot] + random_.choice(["", ".", "=", "é", "\u0000", " "]) + token[spot + 1 :]
    if kind < 0.6:
        part = random_.choice(
            ["e30", "W10", "bnVsbA", "IiI", "", "_", base64.b64encode(b"[" * 5000).decode()]
        )
        parts[random_.randrange(len(parts))] = part
    return ".".join(parts * random_.choice([1, 1, 2]))


class Nonsense(BaseHTTPRequestHandler):
    """An issuer on this machine that serves documents of any kind; the path names the document."""

    def do_GET(self):
        if self.path.endswith("/.well-known/openid-configuration") and "/keys" in self.path:
            body = json.dumps(
                {"jwks_uri": f"http://{self.headers['Host']}{self.path.partition('/.well')[0]}"}
            )
            body = body.encode()
        else:
            body = DOCUMENTS[int(self.path.split("/")[1].removeprefix("keys")) % len(DOCUMENTS)]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Do not log."""


@contextmanager
def issuer_of_nonsense():
    """The address of an issuer whose documents are wrong."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def send_odd_providers(sender, count):
    """Send logins of providers with odd names, whose keys must be fetched from odd addresses."""
    random_, api = sender.random, sender.api
    other_pool = api.emulator.create_pool()
    with issuer_of_nonsense() as address:
        here = [f"{address}/{kind}{number}" for kind in ("", "keys") for number in range(len(DOCUMENTS))]
        for _ in range(count // 4):
            name = random_.choice(here if random_.random() < 0.3 else ODD_NAMES)
            pool = {
                "IdentityPoolName": "p",
                "AllowUnauthenticatedIdentities": True,
                **member_of(random_, name),
            }
            status, content = sender.call("CreateIdentityPool", pool)
            pool_id = json.loads(content)["IdentityPoolId"] if status == 200 else other_pool
            header = random_.choice([{}, {"kid": "another"}, {"kid": 5}])
            issuer = {"iss": random_.choice([f"https://{name}", f"http://{name}", name])}
            token = token_of(random_, api.emulator, name, issuer, header)
            logins = {name: random_.choice([token, token, token, "opaque", "a;b", "!"])}
            sender.call("GetId", {"IdentityPoolId": pool_id, "Logins": logins})
            sender.call(*random_.choice([
                ("GetOpenIdTokenForDeveloperIdentity", {"IdentityPoolId": pool_id, "Logins": logins}),
                ("SetPrincipalTagAttributeMap", {"IdentityPoolId": pool_id, "IdentityProviderName": name}),
                ("SetIdentityPoolRoles", {
                    "IdentityPoolId": pool_id, "Roles": {},
                    "RoleMappings": {name: {"Type": "Token", "AmbiguousRoleResolution": "Deny"}},
                }),
                ("UnlinkIdentity", {"IdentityId": "us-east-1:0", "Logins": logins, "LoginsToRemove": [name]}),
            ]))  # fmt: skip
            if pool_id != other_pool:  # an account has 1,000 at most
                sender.call("DeleteIdentityPool", {"IdentityPoolId": pool_id})


def member_of(random_, name):
    """A member of CreateIdentityPool that makes *name* a provider, in most cases a valid one."""
    return random_.choice([
        {"SupportedLoginProviders": {name: "app"}},
        {"OpenIdConnectProviderARNs": [f"arn:aws:iam::123456789012:oidc-provider/{name}"]},
        {"OpenIdConnectProviderARNs": [f"arn:aws:iam::123456789012:oidc-provider/{name}"]},
        {"CognitoIdentityProviders": [{"ProviderName": name, "ClientId": "app"}]},
        {"SamlProviderARNs": [name]},
        {"DeveloperProviderName": name},
    ])  # fmt: skip


def send_mutated_forms(sender, count):
    """Send STS forms with members of any kind, changed bytes and any method, and broken signatures."""
    random_, api = sender.random, sender.api
    identity_id = api.post("GetId", {"IdentityPoolId": api.emulator.create_pool()}).json["IdentityId"]
    token = api.post("GetOpenIdToken", {"IdentityId": identity_id}).json["Token"]
    keys = api.post("GetCredentialsForIdentity", {"IdentityId": identity_id}).json["Credentials"]
    good = {**STS_FORM, "WebIdentityToken": token}
    assert sender.form(urlencode(good).encode())[0] == 200
    for _ in range(count):
        kind = random_.random()
        if kind < 0.3:
            sender.form(**caller_identity(random_, keys))
            continue
        fields = list(good.items())
        for _ in range(random_.choice([0, 1, 1, 2])):
            name = random_.choice(
                [*good, "Tags.member.1.Key", "PolicyArns.member.999.arn", "PolicyArns", "", "ProviderId"]
            )
            fields.insert(random_.randrange(len(fields)), (name, random_.choice(ODD_TEXTS)))
        fields = [field for field in fields if random_.random() > 0.02]
        if kind < 0.4:
            path = "/?" + urlencode(
                fields, errors="surrogatepass", quote_via=random_.choice([quote, quote_plus])
            )
            sender.form(b"", "GET", path[:60_000])
            continue
        body = bytearray(urlencode(fields, errors="surrogatepass").encode())
        for _ in range(random_.choice([0, 0, 1, 3])):
            body[random_.randrange(len(body))] = random_.randrange(256)
        types = [
            "application/x-www-form-urlencoded",
            "application/json",
            "multipart/form-data; boundary=x",
            "é",
        ]
        sender.form(bytes(body), **{"Content-Type": random_.choice(types)})


def queries():
    """One good request of every operation of IAM and of every signed one of STS, by service and operation."""
    tags = [{"Key": "team", "Value": "a"}]
    role = {"RoleName": "r"}
    paged = {**role, "MaxItems": 1, "Marker": "Um9sZXMjMQ=="}
    trust = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:*"]}]}'
    arn = {**role, "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    named = {**role, "PolicyName": "p"}
    return {
        ("iam", "CreateRole"): {
            **role,
            "AssumeRolePolicyDocument": trust,
            "Path": "/a/",
            "Description": "d",
            "MaxSessionDuration": 3600,
            "PermissionsBoundary": "arn:aws:iam::aws:policy/x",
            "Tags": tags,
        },
        ("iam", "GetRole"): role,
        ("iam", "ListRoles"): {"PathPrefix": "/", "MaxItems": 1, "Marker": "Um9sZXMjMQ=="},
        ("iam", "UpdateRole"): {**role, "Description": "d", "MaxSessionDuration": 7200},
        ("iam", "UpdateRoleDescription"): {**role, "Description": "d"},
        ("iam", "UpdateAssumeRolePolicy"): {**role, "PolicyDocument": trust},
        ("iam", "DeleteRole"): role,
        ("iam", "TagRole"): {**role, "Tags": tags},
        ("iam", "UntagRole"): {**role, "TagKeys": ["team"]},
        ("iam", "ListRoleTags"): paged,
        ("iam", "PutRolePolicy"): {**named, "PolicyDocument": "{}"},
        ("iam", "GetRolePolicy"): named,
        ("iam", "DeleteRolePolicy"): named,
        ("iam", "ListRolePolicies"): paged,
        ("iam", "AttachRolePolicy"): arn,
        ("iam", "DetachRolePolicy"): arn,
        ("iam", "ListAttachedRolePolicies"): {**paged, "PathPrefix": "/"},
        ("iam", "ListInstanceProfilesForRole"): paged,
        ("sts", "AssumeRole"): {
            "RoleArn": ROLE + "a/r",
            "RoleSessionName": "session",
            "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/x"}],
            "Policy": '{"Statement": []}',
            "DurationSeconds": 900,
            "Tags": tags,
            "TransitiveTagKeys": ["team"],
            "ExternalId": "xyz",
            "SerialNumber": "arn:aws:iam::123456789012:mfa/a",
            "TokenCode": "123456",
            "SourceIdentity": "ann",
        },
        ("sts", "GetSessionToken"): {"DurationSeconds": 900},
        ("sts", "GetAccessKeyInfo"): {"AccessKeyId": "AKIAEXAMPLEEXAMPLE12"},
        ("sts", "GetCallerIdentity"): {},
    }


def flattened(value, name=""):
    """The fields of a form for *value*, as the query protocol has them."""
    if isinstance(value, dict) and value:
        return [pair for key in value for pair in flattened(value[key], f"{name}.{key}" if name else key)]
    if isinstance(value, list) and value:
        numbered = enumerate(value, start=1)
        return [pair for number, item in numbered for pair in flattened(item, f"{name}.member.{number}")]
    return [(name, "" if value in ({}, []) else str(value))]


def send_mutated_queries(sender, count):
    """Send changed forms of all operations of IAM and STS, signed by the developer or an identity's keys."""
    random_, api = sender.random, sender.api
    good = queries()
    assert {*good, ("sts", "AssumeRoleWithWebIdentity")} == {
        (service, name) for service, names in QUERY_OPERATIONS.items() for name in names
    }
    identity_id = api.post("GetId", {"IdentityPoolId": api.emulator.create_pool()}).json["IdentityId"]
    keys = api.post("GetCredentialsForIdentity", {"IdentityId": identity_id}).json["Credentials"]
    identity = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    for _ in range(count):
        service, name = random_.choice(sorted(good))
        content = mutate(random_, good[service, name]) if random_.random() < 0.8 else good[service, name]
        version = random_.choice(["2010-05-08" if service == "iam" else "2011-06-15"] * 20 + ["x"])
        fields = {"Action": name, "Version": version, **dict(flattened(content, "" if content else "x"))}
        fields = {**fields, "Action": name, "Version": version}
        if random_.random() < 0.1:
            fields[random_.choice([*fields, "Tags.member.0.Key", "Tags.member", "A." * 5000])] = "x"
        body = bytearray(urlencode(fields, errors="surrogatepass").encode()[:MAX_BODY_BYTES])
        if random_.random() < 0.1:
            body[random_.randrange(len(body))] = random_.randrange(256)
        headers = SIGNED
        if random_.random() < 0.1:
            request = AWSRequest("POST", api.emulator.url + "/", data=bytes(body))
            SigV4Auth(identity, service, "us-east-1").add_auth(request)
            headers = dict(request.headers)
        parameters = dict(parse_qsl(bytes(body).decode(errors="replace")))
        called = query.service_of(parameters.get("Version", ""))
        sender.form(bytes(body), operation=parameters.get("Action", ""), service=called, **headers)


def caller_identity(random_, keys):
    """Send GetCallerIdentity with a broken signature of an unknown or an issued key."""
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    if random_.random() < 0.4:
        request = AWSRequest("POST", "http://127.0.0.1/", data=body)
        credentials = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
        SigV4Auth(credentials, "sts", "us-east-1").add_auth(request)
        odd = {random_.choice(["Host", "Host", "X-Amz-Date", "Date", "X-Amz-Content-SHA256"]): (
            random_.choice(ODD_HOSTS)
        )}  # fmt: skip
        return {"body": body, "operation": "GetCallerIdentity", **dict(request.headers), **odd}
    header = list(FAKE_SIGNATURE)
    for _ in range(random_.choice([0, 1, 3])):
        header[random_.randrange(len(header))] = chr(random_.randrange(32, 127))
    date = random_.choice([SIGNED["X-Amz-Date"], "", "x", "20200101T000000", "99999999T999999Z", "0" * 400])
    headers = {"Authorization": "".join(header).strip(), "X-Amz-Date": date}
    if random_.random() < 0.3:
        headers["X-Amz-Security-Token"] = random_.choice(
            [t for t in ODD_TEXTS if t.isascii() and t.isprintable()]
        )
    return {"body": body, "operation": "GetCallerIdentity", **headers}


def send_mutated_responses(sender, count):
    """Send SAML responses with some bytes changed, doubled or removed. Returns how many were accepted."""
    random_, api = sender.random, sender.api
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
        text = base64.b64encode(changed).decode()
        if random_.random() < 0.1:
            text = random_.choice(
                [text[:-1], text + "=", text.replace("A", "\n", 5), "é", "PD94", " ", "{}", text * 9]
            )
        status, content = sender.call(
            "GetId", {"IdentityPoolId": pool_id, "Logins": {SAML_ARN: text[:50_000]}}
        )
        if status == 200:
            believed += 1
            assert json.loads(content)["IdentityId"] == user, bytes(changed)
    return believed


def controls(api):
    """One good call of every kind under /_emulator/."""
    pool_id = api.emulator.create_pool()
    identity_id = api.post("GetId", {"IdentityPoolId": pool_id}).json["IdentityId"]
    keys = api.post("GetCredentialsForIdentity", {"IdentityId": identity_id}).json["Credentials"]
    fault = {
        "operation": "GetId",
        "times": 1,
        "code": "X",
        "message": "m",
        "status": 400,
        "headers": {"a": "b"},
    }
    slow = {"operation": "*", "drip": 0.0, "delay": 0.0, "drop": False, "body_size": 10}
    token = {"provider": OIDC, "audience": ["app"], "subject": "a", "expires_in": 1, "claims": {"a": [1]}}
    response = {"provider": SAML_ARN, "subject": "a", "roles": [ROLE + "r"], "attributes": {"a": ["b"]}}
    settings = {
        "credential_lifetime": 5,
        "clock_offset": 5,
        "time_passed": 5,
        "throttle": {"GetId": 5},
        "delay": 0,
    }
    user = {
        "provider": OIDC,
        "subject": "a",
        "token": "t",
        "app_id": "x",
        "claims": {"a": 1},
        "signed_out": True,
    }
    return {
        ("GET", "requests"): {},
        ("POST", "reset"): {},
        ("POST", "login-token"): token,
        ("POST", "saml-response"): {**response, "expires_in": 5},
        ("POST", "allowed"): {
            "access_key_id": keys["AccessKeyId"],
            "action": "s3:GetObject",
            "resource": "*",
        },
        ("PUT", "faults"): [fault, slow],
        ("PUT", "settings"): {
            **settings,
            "login_grace": 5,
            "token_issuer": "http://a",
        },
        ("PUT", "users"): [user],
        ("PUT", "user-pools"): [
            {
                "id": "us-east-1_a",
                "clients": [{"id": "app", "callback_urls": ["http://127.0.0.1/"]}],
                "groups": [{"name": "staff", "role": ROLE + "r", "precedence": 1}],
                "users": [{"name": "ann", "password": "p", "mfa": ["totp"], "attributes": {"name": "Ann"}}],
            }
        ],
        ("GET", "codes"): {},
        ("PUT", "roles"): [
            {
                "arn": ROLE + "r",
                "max_session_seconds": 3600,
                "trust_policy": {
                    "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
                },
            }
        ],
        ("POST", "whose-key"): {"access_key_id": keys["AccessKeyId"], "session_token": keys["SessionToken"]},
    }


def send_mutated_controls(sender, count):
    """Send changed calls under /_emulator/. Accepted ones must not break the service."""
    random_ = sender.random
    good = controls(sender.api)
    for _ in range(count):
        method, path = random_.choice(sorted(good))
        body = encode(random_, mutate(random_, good[method, path]))
        if random_.random() < 0.05:
            method, path = (
                random_.choice(["GET", "PUT", "POST", "DELETE", "OPTIONS"]),
                random_.choice([path, "x", ""]),
            )
        status, _ = sender.send(check_control, method, f"/_emulator/{path}", body[:MAX_BODY_BYTES], {})
        if status == 200 and path in ("faults", "settings"):
            if not any(word in body for word in (b"1.5", b"true")):  # a delay, or a dropped connection
                sender.send(
                    lambda *_: None, "POST", "/", b"{}", {"X-Amz-Target": "AWSCognitoIdentityService.GetId"}
                )
            sender.send(check_control, "POST", "/_emulator/reset", b"", {})


PARTS = {
    send_mutated: 30,
    send_mutated_user_pools: 15,
    send_odd_claims: 15,
    send_odd_providers: 12,
    send_mutated_forms: 16,
    send_mutated_queries: 20,
    send_mutated_responses: 4,
    send_mutated_controls: 8,
}
"""The kinds of requests, and the share of each in percent."""


class Errors(logging.Handler):
    """The errors in the log."""

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
    for send, share in PARTS.items():
        started = time.monotonic()
        with Emulator() as emulator, closing(Sender(Api(emulator, None, None, None), seed)) as sender:
            send(sender, count * share // 100)
            assert sender.api.post("GetId", {"IdentityPoolId": emulator.create_pool()}).status == 200
        shown = ", ".join(f"{status}: {times}" for status, times in sorted(sender.statuses.items()))
        print(f"{send.__name__}: {shown} in {time.monotonic() - started:.0f} s", flush=True)
    print(f"{len(errors.texts)} errors logged")
    for text in errors.texts:
        print(text)
    return 1 if errors.texts else 0


if __name__ == "__main__":
    sys.exit(main())
