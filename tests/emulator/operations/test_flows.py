"""The basic and the enhanced flow: tokens, roles and credentials."""

from __future__ import annotations

import base64
import json
import time

import jwt
import pytest

from ..conftest import GOOGLE, OIDC, OIDC_ARN, ROLE, get_id

IPC = (
    "InvalidIdentityPoolConfigurationException",
    "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
    400,
)
USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abcDEF123"
MAPPING = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}


def rules(*rules, ambiguous="Deny"):
    """A RoleMapping of (claim, match type, value, role name)."""
    return {
        "Type": "Rules",
        "AmbiguousRoleResolution": ambiguous,
        "RulesConfiguration": {
            "Rules": [
                {"Claim": claim, "MatchType": match, "Value": value, "RoleARN": ROLE + role}
                for claim, match, value, role in rules
            ]
        },
    }


def token_parts(token):
    """Header and payload of a token, as text."""
    head, payload, _ = token.split(".")
    return [base64.urlsafe_b64decode(part + "==").decode() for part in (head, payload)]


@pytest.fixture
def role_of(api):
    """The role name that a user with some claims gets in a pool."""

    def call(pool_id, claims=None, provider=OIDC, **arguments):
        logins = api.login("ann", provider, claims=claims)
        identity_id = get_id(api, pool_id, logins)
        answer = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins, **arguments)
        sts = api.client("sts", answer["Credentials"])
        return sts.get_caller_identity()["Arn"].split("/")[1]

    return call


def test_guest_token(api):
    """A guest's token has the service's header and claims, in its order, for ten minutes."""
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)

    answer = api.public.get_open_id_token(IdentityId=identity_id)

    head, payload = token_parts(answer["Token"])
    issued = json.loads(payload)["iat"]
    assert answer["IdentityId"] == identity_id
    assert head == '{"kid":"us-east-1-7","typ":"JWS","alg":"RS512"}'
    assert payload == (
        f'{{"sub":"{identity_id}","aud":"{pool_id}","amr":["unauthenticated"],'
        f'"iss":"https://cognito-identity.amazonaws.com","exp":{issued + 600},"iat":{issued}}}'
    )


def test_user_token(api):
    """A user's token names the login that was used, and the pool's ARN."""
    pool_id = api.oidc_pool()
    identity_id = get_id(api, pool_id, api.login("ann"))

    token = api.public.get_open_id_token(IdentityId=identity_id, Logins=api.login("ann"))["Token"]

    payload = json.loads(token_parts(token)[1])
    assert list(payload) == [
        "sub",
        "aud",
        "amr",
        "iss",
        "https://cognito-identity.amazonaws.com/identity-pool-arn",
        "exp",
        "iat",
    ]
    assert payload["amr"] == ["authenticated", OIDC, f"{OIDC_ARN}:OIDC:ann"]
    assert payload["https://cognito-identity.amazonaws.com/identity-pool-arn"] == (
        f"arn:aws:cognito-identity:us-east-1:123456789012:identitypool/{pool_id}"
    )


def test_amr_of_a_user_pool(api):
    """The amr claim names a user pool's login with CognitoSignIn and the subject."""
    pool_id = api.emulator.create_pool(
        CognitoIdentityProviders=[{"ProviderName": USER_POOL, "ClientId": "app"}]
    )
    identity_id = get_id(api, pool_id, api.login("ann", USER_POOL))

    token = api.public.get_open_id_token(IdentityId=identity_id, Logins=api.login("ann", USER_POOL))["Token"]

    assert json.loads(token_parts(token)[1])["amr"] == [
        "authenticated",
        USER_POOL,
        f"{USER_POOL}:CognitoSignIn:ann",
    ]


def test_token_verifies_with_the_served_keys(api):
    """A JOSE library verifies the token with the keys that discovery leads to."""
    identity_id = get_id(api, api.emulator.create_pool())
    token = api.public.get_open_id_token(IdentityId=identity_id)["Token"]

    document = api.raw("GET", "/.well-known/openid-configuration").json
    keys = api.raw("GET", document["jwks_uri"].removeprefix(api.emulator.url)).json

    key = jwt.PyJWKSet.from_dict(keys)["us-east-1-7"]
    claims = jwt.decode(token, key, ["RS512"], options={"verify_aud": False})
    assert claims["sub"] == identity_id
    assert document["issuer"] == claims["iss"]


def test_issuer_of_ones_own(api):
    """
    With token_issuer, a program that looks up the token's issuer reaches the emulator and verifies the token.
    """
    issuer = f"{api.emulator.url}/local"
    api.control("PUT", "settings", {"token_issuer": issuer})
    pool_id = api.oidc_pool(DeveloperProviderName="dev.app")
    identity_id = get_id(api, pool_id)

    guest = api.public.get_open_id_token(IdentityId=identity_id)["Token"]
    developer = api.developer.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool_id, Logins={"dev.app": "ann"}
    )
    document = api.raw("GET", "/local/.well-known/openid-configuration").json
    keys = jwt.PyJWKSet.from_dict(api.raw("GET", document["jwks_uri"].removeprefix(api.emulator.url)).json)

    assert document["issuer"] == issuer
    assert document["jwks_uri"].startswith(issuer)
    for token in (guest, developer["Token"]):
        jwt.decode(token, keys["us-east-1-7"], ["RS512"], issuer=issuer, audience=pool_id)
    api.control("PUT", "settings", {"token_issuer": None})
    answer = api.client("sts").assume_role_with_web_identity(
        RoleArn=ROLE + "unauthenticated", RoleSessionName="session", WebIdentityToken=guest
    )
    assert answer["Provider"] == "cognito-identity.amazonaws.com"
    logins = {"cognito-identity.amazonaws.com": developer["Token"]}
    assert api.public.get_credentials_for_identity(IdentityId=developer["IdentityId"], Logins=logins)
    assert token_parts(api.public.get_open_id_token(IdentityId=identity_id)["Token"])[1].count("/local") == 0


@pytest.mark.parametrize(
    ("settings", "mappings", "text"),
    [
        (
            {"AllowClassicFlow": False},
            {},
            "Basic (classic) flow is not enabled, please use enhanced flow.",
        ),
        (
            {"AllowClassicFlow": True},
            {GOOGLE: rules(("sub", "Equals", "a", "r"))},
            "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.",
        ),
    ],
    ids=["forbidden", "mapped"],
)
def test_basic_flow_refused(api, refused, settings, mappings, text):
    """A pool that forbids the basic flow, or has role mappings, refuses even guests."""
    pool_id = api.oidc_pool(role_mappings=mappings, **settings)

    assert refused(api.public.get_open_id_token, IdentityId=get_id(api, pool_id)) == (
        "InvalidParameterException",
        text,
        400,
    )


def test_mapping_of_a_removed_provider(api):
    """A role mapping of a removed provider stays stored, and has no effect."""
    mapping = rules(("sub", "Equals", "ann", "ruled"))
    arn = f"arn:aws:iam::123456789012:oidc-provider/{GOOGLE}"
    pool_id = api.oidc_pool(role_mappings={GOOGLE: mapping})
    api.developer.update_identity_pool(
        IdentityPoolId=pool_id,
        IdentityPoolName="p",
        AllowUnauthenticatedIdentities=True,
        OpenIdConnectProviderARNs=[arn],
    )
    logins = api.login("ann", GOOGLE)
    identity_id = get_id(api, pool_id, logins)

    assert api.public.get_open_id_token(IdentityId=get_id(api, pool_id))["Token"]
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]
    assert "/authenticated/" in api.client("sts", keys).get_caller_identity()["Arn"]
    stored = api.developer.get_identity_pool_roles(IdentityPoolId=pool_id)
    assert stored["RoleMappings"] == {GOOGLE: mapping}


def test_basic_flow_when_never_forbidden(api):
    """A pool made without AllowClassicFlow allows it, and does not show the member."""
    pool = api.developer.create_identity_pool(IdentityPoolName="p", AllowUnauthenticatedIdentities=True)

    assert "AllowClassicFlow" not in pool
    identity_id = get_id(api, pool["IdentityPoolId"])
    assert api.public.get_open_id_token(IdentityId=identity_id)["Token"]


def test_enhanced_flow(api):
    """A guest's credentials work at STS for one hour. The session has the service's session name."""
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)

    answer = api.public.get_credentials_for_identity(IdentityId=identity_id)

    keys = answer["Credentials"]
    caller = api.client("sts", keys).get_caller_identity()
    assert answer["IdentityId"] == identity_id
    assert keys["AccessKeyId"].startswith("ASIA")
    assert len(keys["AccessKeyId"]) == 20
    assert len(keys["SecretKey"]) == 40
    assert 900 < len(keys["SessionToken"]) < 1200
    assert abs(keys["Expiration"].timestamp() - time.time() - 3600) < 5
    assert caller["Account"] == "123456789012"
    assert caller["Arn"] == (
        "arn:aws:sts::123456789012:assumed-role/unauthenticated/CognitoIdentityCredentials"
    )
    assert caller["UserId"].startswith("AROA")
    assert caller["UserId"].endswith(":CognitoIdentityCredentials")


def test_expiration_is_a_whole_float(api):
    """The expiration on the wire is whole seconds written as a float."""
    identity_id = get_id(api, api.emulator.create_pool())

    body = api.post("GetCredentialsForIdentity", {"IdentityId": identity_id}).body

    assert body.rstrip(b"}").endswith(b".0")


def test_enhanced_flow_ignores_allow_classic_flow(api):
    """The enhanced flow works in a pool that forbids the basic flow."""
    pool_id = api.emulator.create_pool(AllowClassicFlow=False)

    assert api.public.get_credentials_for_identity(IdentityId=get_id(api, pool_id))


@pytest.mark.parametrize("state", ["authenticated", "unauthenticated"])
def test_missing_role(api, refused, state):
    """A pool without a role for guests or for users is misconfigured."""
    pool_id = api.oidc_pool(roles={state: ROLE + "r"})
    logins = api.login() if state == "unauthenticated" else {}
    identity_id = get_id(api, pool_id, logins)

    assert refused(api.public.get_credentials_for_identity, IdentityId=identity_id, Logins=logins) == IPC


def test_guests_switched_off_later(api, refused):
    """A guest of a pool that no longer has guests is refused with the pool's text."""
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)
    api.emulator.service.state.execute(
        "UPDATE pools SET settings = json_set(settings, '$.AllowUnauthenticatedIdentities', json('false'))"
    )

    assert refused(api.public.get_credentials_for_identity, IdentityId=identity_id)[:2] == (
        "NotAuthorizedException",
        "Unauthenticated access is not supported for this identity pool.",
    )


def test_own_token_as_login(api, refused):
    """A service token proves only the identity that it names, until it expires."""
    pool_id = api.oidc_pool()
    identity_id = get_id(api, pool_id, api.login("ann"))
    other_id = get_id(api, pool_id, api.login("bob"))
    token = api.public.get_open_id_token(IdentityId=identity_id, Logins=api.login("ann"))["Token"]
    logins = {"cognito-identity.amazonaws.com": token}
    call = api.public.get_credentials_for_identity

    answer = call(IdentityId=identity_id, Logins=logins)
    foreign = refused(call, IdentityId=other_id, Logins=logins)
    forged = refused(
        call,
        IdentityId=identity_id,
        Logins=api.login(identity_id, "cognito-identity.amazonaws.com"),
    )
    api.emulator.move_clock(601)
    expired = refused(call, IdentityId=identity_id, Logins=logins)

    assert answer["IdentityId"] == identity_id
    assert foreign[1].startswith("Logins don't match.")
    assert forged[1] == "Invalid login token. Not a Cognito token."
    assert expired[1].startswith("Invalid login token. Token expired: ")


def test_token_mapping(api, role_of, refused):
    """Type Token: the preferred role, the only role, a permitted CustomRoleArn, or denied."""
    pool_id = api.emulator.create_pool(
        CognitoIdentityProviders=[{"ProviderName": USER_POOL, "ClientId": "app"}],
        role_mappings={f"{USER_POOL}:app": MAPPING},
    )
    both = [ROLE + "one", ROLE + "two"]

    def role(claims, **arguments):
        return role_of(pool_id, claims, USER_POOL, **arguments)

    assert role({"cognito:roles": both, "cognito:preferred_role": ROLE + "two"}) == "two"
    assert role({"cognito:roles": both[:1]}) == "one"
    assert role({"cognito:roles": both}, CustomRoleArn=ROLE + "one") == "one"
    assert role({"cognito:roles": ",".join(both)}, CustomRoleArn=ROLE + "two") == "two"
    assert refused(lambda: role({"cognito:roles": both}))[:2] == (
        "NotAuthorizedException",
        f"The ambiguous role mapping rules for: {USER_POOL} denied this request.",
    )
    assert (
        refused(lambda: role({"cognito:roles": both}, CustomRoleArn=ROLE + "three"))[0]
        == "NotAuthorizedException"
    )


@pytest.mark.parametrize(
    ("claims", "ambiguous"),
    [
        ({}, True),
        ({"cognito:roles": []}, True),
        ({"cognito:roles": ""}, True),
        ({"cognito:roles": [""], "cognito:preferred_role": ""}, True),
        ({"cognito:roles": [5, ROLE + "one"]}, False),
        ({"cognito:roles": f"{ROLE}one, "}, False),
        ({"cognito:preferred_role": ROLE + "one"}, False),
    ],
)
def test_token_mapping_without_roles(api, role_of, refused, claims, ambiguous):
    """Type Token: a token that names no role, or an empty one, is ambiguous."""
    pool_id = api.emulator.create_pool(
        CognitoIdentityProviders=[{"ProviderName": USER_POOL, "ClientId": "app"}],
        role_mappings={f"{USER_POOL}:app": MAPPING},
    )

    if ambiguous:
        assert refused(lambda: role_of(pool_id, claims, USER_POOL))[1].startswith(
            "The ambiguous role mapping"
        )
    else:
        assert role_of(pool_id, claims, USER_POOL) == "one"


@pytest.mark.parametrize(
    ("match", "value", "claim", "matches"),
    [
        ("Equals", "x", "x", True),
        ("Equals", "x", "X", False),
        ("Equals", "true", True, True),
        ("Equals", "42", 42, True),
        ("Equals", "a", ["a"], True),
        ("Equals", "a", ["a", "b"], False),
        ("NotEqual", "x", "y", True),
        ("NotEqual", "x", "x", False),
        ("NotEqual", "x", None, False),
        ("StartsWith", "ab", "abc", True),
        ("StartsWith", "b", "abc", False),
        ("StartsWith", "b", ["abc", "bc"], True),
        ("Contains", "b", "abc", True),
        ("Contains", "b", ["abc"], False),
        ("Contains", "b", ["a", "b"], True),
    ],
)
def test_one_rule(api, role_of, refused, match, value, claim, matches):
    """Type Rules: a claim matches by the rule's match type. A missing claim never matches."""
    mapping = rules(("c", match, value, "ruled"))
    pool_id = api.oidc_pool(role_mappings={OIDC_ARN: mapping})

    if matches:
        assert role_of(pool_id, {"c": claim}) == "ruled"
    else:
        assert refused(lambda: role_of(pool_id, {"c": claim}))[1] == (
            f"The ambiguous role mapping rules for: {OIDC} denied this request."
        )


@pytest.mark.parametrize("provider", ["graph.facebook.com", "www.amazon.com"])
def test_rules_of_opaque_tokens(api, provider):
    """For Facebook and Amazon, rules see only the claims iss, aud and sub."""
    pool_id = api.emulator.create_pool(
        SupportedLoginProviders={provider: "1234"},
        role_mappings={
            provider: rules(
                ("team", "Equals", "ops", "ruled"),
                ("sub", "Equals", "bob", "bobs"),
                ambiguous="AuthenticatedRole",
            )
        },
    )

    def role(subject):
        api.emulator.set_user(provider, subject, token=subject, app_id="1234", claims={"team": "ops"})
        logins = {provider: subject}
        keys = api.public.get_credentials_for_identity(
            IdentityId=get_id(api, pool_id, logins), Logins=logins
        )["Credentials"]
        return api.client("sts", keys).get_caller_identity()["Arn"].split("/")[1]

    assert role("ann") == "authenticated"
    assert role("bob") == "bobs"


def test_rules_in_order(api, role_of, refused):
    """
    The first rule that matches decides, unless CustomRoleArn names the role of another one that matches.
    """
    mapping = rules(
        ("c", "Equals", "no", "never"),
        ("c", "Equals", "x", "first"),
        ("c", "Contains", "x", "second"),
    )
    pool_id = api.oidc_pool(role_mappings={OIDC_ARN: mapping})

    assert role_of(pool_id, {"c": "x"}) == "first"
    assert role_of(pool_id, {"c": "x"}, CustomRoleArn=ROLE + "second") == "second"
    assert refused(lambda: role_of(pool_id, {"c": "x"}, CustomRoleArn=ROLE + "never"))[:2] == (
        "NotAuthorizedException",
        f"Access to Role '{ROLE}never' is forbidden.",
    )


def test_ambiguous_role_can_be_the_authenticated_one(api, role_of):
    """Without a match AmbiguousRoleResolution AuthenticatedRole gives the pool's role."""
    mapping = rules(("c", "Equals", "x", "ruled"), ambiguous="AuthenticatedRole")
    pool_id = api.oidc_pool(role_mappings={OIDC_ARN: mapping})

    assert role_of(pool_id, {}) == "authenticated"


def test_custom_role_without_mapping(api, refused):
    """CustomRoleArn needs a role mapping of the login. Guests have none."""
    identity_id = get_id(api, api.emulator.create_pool())

    code, _, _ = refused(
        api.public.get_credentials_for_identity,
        IdentityId=identity_id,
        CustomRoleArn=ROLE + "custom",
    )

    assert code == "InvalidParameterException"


def test_amr_of_twitter(api):
    """The pool has Twitter's key and secret, and tokens name the key alone."""
    pool_id = api.emulator.create_pool(SupportedLoginProviders={"api.twitter.com": "key;secret"})
    api.emulator.set_user("api.twitter.com", "tw", token="a-token;its-secret", app_id="key;secret")
    logins = {"api.twitter.com": "a-token;its-secret"}

    token = api.public.get_open_id_token(IdentityId=get_id(api, pool_id, logins), Logins=logins)["Token"]

    assert json.loads(token_parts(token)[1])["amr"] == [
        *("authenticated", "api.twitter.com", "api.twitter.com:key:tw"),
    ]


def test_default_tags_of_amazon(api):
    """The default tags of Amazon are the app id and the user_id."""
    pool_id = api.emulator.create_pool(SupportedLoginProviders={"www.amazon.com": "app"})
    api.developer.set_principal_tag_attribute_map(
        IdentityPoolId=pool_id, IdentityProviderName="www.amazon.com", UseDefaults=True
    )
    api.emulator.set_user("www.amazon.com", "amzn1.account.A", token="opaque")
    logins = {"www.amazon.com": "opaque"}

    token = api.public.get_open_id_token(IdentityId=get_id(api, pool_id, logins), Logins=logins)["Token"]

    tags = json.loads(token_parts(token)[1])["https://aws.amazon.com/tags"]["principal_tags"]
    assert tags == {"client": ["app"], "username": ["amzn1.account.A"]}
