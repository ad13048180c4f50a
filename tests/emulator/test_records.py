"""
What the real service was seen to answer, as public issues record it. Each test has the name of its record.

`reference/service.md` has the addresses of the records, and what follows from them.
"""

from __future__ import annotations

import http.client
import json

import pytest

from .conftest import OIDC, ROLE, SIGNED, get_id

USER_POOL = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abcDEF123"
ISSUER = "Invalid login token. Issuer doesn't match providerName"
EMPTY_TOKEN = (
    "Map value must satisfy constraint: [Member must have length less than or equal to 50000, "
    "Member must have length greater than or equal to 1]"
)


@pytest.fixture
def refusal(api):
    """The status, code and text of a GetId, in a new pool with a user pool, that is refused."""

    def call(logins, **settings):
        entry = {"ProviderName": USER_POOL, "ClientId": "app"}
        pool_id = api.emulator.create_pool(**{"CognitoIdentityProviders": [entry], **settings})
        answer = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": logins})
        return answer.status, answer.json["__type"], answer.json["message"].replace(pool_id, "POOL")

    return call


def test_aws_sdk_android_444(api, refusal):
    """A key with a misspelt region: the token is read before the pool is asked, and has another issuer."""
    token = api.emulator.login_token(USER_POOL)

    key = USER_POOL.replace("eu-west-1", "eu_west_1", 1)

    assert refusal({key: token}) == (400, "NotAuthorizedException", ISSUER)


def test_amazon_cognito_identity_js_7(api, refusal):
    """The id of the user pool alone as the key: the ID token has another issuer, the access token no aud."""
    key = USER_POOL.partition("/")[2]
    id_token = api.emulator.login_token(USER_POOL)
    access_token = api.emulator.login_token(USER_POOL, claims={"aud": None, "token_use": "access"})

    assert refusal({key: id_token}) == (400, "NotAuthorizedException", ISSUER)
    text = "Invalid login token. Missing a required claim: aud"
    assert refusal({key: access_token}) == (400, "NotAuthorizedException", text)


def test_deep_framework_593(api, refusal):
    """A made-up word as the key of a token: the issuer does not match."""
    assert refusal({"snapshot": api.emulator.login_token(USER_POOL)}) == (
        400,
        "NotAuthorizedException",
        ISSUER,
    )


def test_flutter_cognito_plugin_13(refusal):
    """A made-up word as the key of an opaque token: it is not a JSON Web Token."""
    text = "Invalid login token. Not a valid OpenId Connect identity token."

    assert refusal({"Facebook": "EAAB-an-access-token"}) == (400, "NotAuthorizedException", text)


def test_aws_sdk_net_1251(api):
    """The developer provider's name as the key of a token of the service: the issuer does not match."""
    pool_id = api.emulator.create_pool(DeveloperProviderName="login.app")
    answer = api.developer.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool_id, Logins={"login.app": "ann"}
    )

    refused = api.post(
        "GetCredentialsForIdentity",
        {"IdentityId": answer["IdentityId"], "Logins": {"login.app": answer["Token"]}},
    )

    assert (refused.status, refused.json["message"]) == (400, ISSUER)


def test_aws_sdk_ios_218(api):
    """The developer provider's name as the key of a user: it is not a public provider."""
    pool_id = api.emulator.create_pool(DeveloperProviderName="login.app")
    identity_id = get_id(api, pool_id)

    refused = api.post(
        "GetCredentialsForIdentity", {"IdentityId": identity_id, "Logins": {"login.app": "ann"}}
    )

    text = "Please provide a valid public provider"
    assert refused.json == {"__type": "InvalidParameterException", "message": text}


def test_amazon_cognito_identity_dart_80(api, refusal):
    """A login for a pool without any provider."""
    text = "Identity pool - POOL does not have identity providers configured."

    assert refusal(api.login(), CognitoIdentityProviders=[]) == (400, "NotAuthorizedException", text)


def test_terraform_provider_aws_5073(api):
    """SetIdentityPoolRoles during another update of the pool: the text has no full stop."""
    pool_id = api.emulator.create_pool()
    api.emulator.plan_faults({"operation": "UpdateIdentityPool", "delay": 600})
    waiting = http.client.HTTPConnection(api.emulator.url.removeprefix("http://"), timeout=10)
    body = {"IdentityPoolId": pool_id, "IdentityPoolName": "a", "AllowUnauthenticatedIdentities": True}
    target = "AWSCognitoIdentityService.UpdateIdentityPool"
    waiting.request("POST", "/", json.dumps(body), {"X-Amz-Target": target})
    while not api.emulator.requests():
        pass

    refused = api.post("SetIdentityPoolRoles", {"IdentityPoolId": pool_id, "Roles": {}}, **SIGNED)

    waiting.close()
    text = "Only one request to update resource type Identity Pool can be processed at a time"
    assert refused.json == {"__type": "ConcurrentModificationException", "message": text}


def test_aws_sdk_js_v3_2831(api):
    """A list in PrincipalTags, where a text belongs: a SerializationException with a text."""
    content = {
        "IdentityPoolId": api.emulator.create_pool(DeveloperProviderName="login.app"),
        "Logins": {"login.app": "ann"},
        "PrincipalTags": {"team": ["blue"]},
    }

    refused = api.post("GetOpenIdTokenForDeveloperIdentity", content, **SIGNED)

    text = "Start of list found where not expected"
    assert (refused.status, refused.json) == (400, {"__type": "SerializationException", "message": text})


def test_aws_sdk_cpp_1085(api):
    """The violation of logins stands before those of identityId."""
    refused = api.post("GetCredentialsForIdentity", {"IdentityId": "", "Logins": {USER_POOL: ""}})

    place = "Value '' at 'identityId' failed to satisfy constraint:"
    assert refused.json["message"] == (
        f"3 validation errors detected: Value '{{{USER_POOL}=}}' at 'logins' failed to satisfy constraint: "
        f"{EMPTY_TOKEN}; {place} Member must have length greater than or equal to 1; "
        rf"{place} Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+"
    )


def test_aws_sdk_ios_2317(api):
    """The violation of an empty token shows the map of logins."""
    key = "cognito-identity.cn-north-1.amazonaws.com.cn"

    refused = api.post("GetCredentialsForIdentity", {"IdentityId": "cn-north-1:0", "Logins": {key: ""}})

    assert refused.json["message"] == (
        f"1 validation error detected: Value '{{{key}=}}' at 'logins' failed to satisfy constraint: "
        f"{EMPTY_TOKEN}"
    )


def test_amplify_flutter_3478(api, refusal):
    """The name of an issuer that ends with a slash, as Auth0's do, has neither scheme nor slash."""
    arn = f"arn:aws:iam::123456789012:oidc-provider/{OIDC}"
    pool_id = api.emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    token = api.emulator.login_token(OIDC, claims={"iss": f"https://{OIDC}/"})

    assert api.post("GetId", {"IdentityPoolId": pool_id, "Logins": {OIDC: token}}).status == 200
    assert refusal({f"{OIDC}/path": token}) == (400, "NotAuthorizedException", ISSUER)


def test_amplify_js_2443(api, refusal):
    """A web page of any origin can read an error, with its code and text in headers."""
    guest = get_id(api, api.oidc_pool(), api.login())

    answer = api.post(
        "GetOpenIdToken", {"IdentityId": guest, "Logins": api.login("bob")}, Origin="https://a.test"
    )

    text = "Logins don't match. Please include at least one valid login for this identity or identity pool."
    assert (answer.status, answer.headers["x-amzn-errormessage"]) == (400, text)
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
    assert answer.headers["access-control-expose-headers"] == exposed


def test_aws_sdk_js_905(api):
    """`Roles: {}` clears the roles of a pool."""
    pool_id = api.emulator.create_pool(roles={"authenticated": f"{ROLE}user"})

    api.post("SetIdentityPoolRoles", {"IdentityPoolId": pool_id, "Roles": {}}, **SIGNED)

    assert "Roles" not in api.post("GetIdentityPoolRoles", {"IdentityPoolId": pool_id}, **SIGNED).json


def test_mozilla_aws_cli_146(api):
    """A web identity token that was issued more than a day ago: its age in seconds, as an expired token."""
    api.emulator.service.state.execute("INSERT INTO issuers VALUES (?, '[]', NULL, NULL)", OIDC)
    issued_at = int(api.emulator.service.clock.now()) - 90_000
    form = (
        f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={ROLE}user&RoleSessionName=session&"
        f"WebIdentityToken={api.emulator.login_token(OIDC, claims={'iat': issued_at})}"
    )

    answer = api.raw(body=form, headers={"Content-Type": "application/x-www-form-urlencoded"})

    assert answer.status == 400
    assert b"<Code>ExpiredTokenException</Code><Message>Token too old: 900" in answer.body
