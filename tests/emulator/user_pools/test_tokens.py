"""The tokens of a user pool: claims, refreshing, rotation, revocation; and identity pools that take them."""

from __future__ import annotations

import json
import urllib.request

import jwt
import pytest

from cognito_credentials.emulator.user_pools.sign_in import begin_with_password, client_of
from cognito_credentials.emulator.user_pools.tokens import issue_tokens

from ..conftest import NEEDS_ROTATION
from .conftest import CLIENT, PASSWORD, POOL, claims

PROVIDER = f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
ROLE = "arn:aws:iam::123456789012:role/"


def test_claims_of_an_id_token(users):
    """An ID token has the claims of real ones in their order, groups, roles and attributes among them."""
    groups = [
        {"name": "staff", "role": f"{ROLE}staff", "precedence": 2},
        {"name": "admin", "role": f"{ROLE}admin", "precedence": 1},
    ]
    attributes = {"email": "ann@example.com", "phone_number": "+1555", "custom:team": "red"}
    users.describe(groups=groups, ann={"groups": ["staff", "admin"], "attributes": attributes})
    read = claims(users.srp()["AuthenticationResult"]["IdToken"])
    read.pop("marker")

    assert list(read) == [
        *(
            "sub",
            "cognito:groups",
            "email_verified",
            "phone_number_verified",
            "cognito:preferred_role",
            "iss",
        ),
        *("cognito:username", "origin_jti", "cognito:roles", "aud", "event_id", "token_use", "auth_time"),
        *("exp", "iat", "jti", "email", "phone_number", "custom:team"),
    ]
    assert read["iss"] == f"https://{PROVIDER}"
    assert (read["cognito:groups"], read["cognito:preferred_role"]) == (["staff", "admin"], f"{ROLE}admin")
    assert read["cognito:roles"] == [f"{ROLE}staff", f"{ROLE}admin"]
    assert (read["aud"], read["token_use"], read["cognito:username"]) == (CLIENT, "id", "ann")
    assert read["email_verified"] is True
    assert read["exp"] - 3600 == read["iat"] == read["auth_time"]


def test_claims_of_an_access_token(users):
    """An access token has the claims of real ones in their order, and the sign-in of the ID token."""
    tokens = users.tokens()
    read = claims(tokens["AccessToken"])
    read.pop("marker")

    assert list(read) == [
        *("sub", "iss", "client_id", "origin_jti", "event_id", "token_use", "scope", "auth_time", "exp"),
        *("iat", "jti", "username"),
    ]
    assert (read["token_use"], read["scope"]) == ("access", "aws.cognito.signin.user.admin")
    assert (read["client_id"], read["username"]) == (CLIENT, "ann")
    of_id = claims(tokens["IdToken"])
    assert {name: of_id[name] for name in ("sub", "origin_jti", "event_id")} == {
        name: read[name] for name in ("sub", "origin_jti", "event_id")
    }


def test_groups_of_the_same_precedence(users):
    """Of two groups with the lowest precedence none is preferred."""
    groups = [{"name": name, "role": f"{ROLE}{name}", "precedence": 1} for name in ("a", "b")]
    users.describe(groups=groups, ann={"groups": ["a", "b"]})

    assert "cognito:preferred_role" not in claims(users.tokens()["IdToken"])


@pytest.mark.parametrize("issuer", ["original", "updated"])
def test_both_issuers(users, issuer):
    """The tokens name the issuer that the pool has, its documents too, and its keys verify the tokens."""
    users.describe(issuer=issuer)
    tokens = users.tokens()
    url = f"{users.api.emulator.url}/{POOL}/.well-known"
    with urllib.request.urlopen(f"{url}/openid-configuration") as answer:
        document = json.load(answer)
    prefix = "issuer-" if issuer == "updated" else ""
    assert document["issuer"] == f"https://{prefix}{PROVIDER}"

    key = jwt.PyJWKClient(f"{url}/jwks.json").get_signing_key_from_jwt(tokens["IdToken"])
    read = jwt.decode(tokens["IdToken"], key, ["RS256"], audience=CLIENT, issuer=document["issuer"])
    assert read["cognito:username"] == "ann"
    assert jwt.decode(tokens["AccessToken"], key, ["RS256"], issuer=document["issuer"])


def test_lifetimes(users, refused):
    """The tokens live as long as the pool says, by the emulator's clock."""
    users.describe(id_token_minutes=10, access_token_minutes=5, refresh_token_days=1)
    tokens = users.tokens()
    read = claims(tokens["IdToken"])
    assert (read["exp"] - read["iat"], tokens["ExpiresIn"]) == (600, 300)
    assert users.idp.get_user(AccessToken=tokens["AccessToken"])["Username"] == "ann"

    users.api.emulator.move_clock(301)
    late = refused(users.idp.get_user, AccessToken=tokens["AccessToken"])
    assert late == ("NotAuthorizedException", "Access Token has expired", 400)
    refresh = {"flow": "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN": tokens["RefreshToken"]}
    users.api.emulator.move_clock(24 * 3600)
    assert refused(users.begin, **refresh) == ("NotAuthorizedException", "Refresh Token has expired", 400)


@pytest.mark.parametrize("is_new", [False, pytest.param(True, marks=NEEDS_ROTATION)])
def test_refresh(users, is_new):
    """New tokens are of the same sign-in, and the refresh token stays: both operations answer so."""
    tokens = users.tokens()
    users.api.emulator.move_clock(100)
    if is_new:
        answer = users.idp.get_tokens_from_refresh_token(RefreshToken=tokens["RefreshToken"], ClientId=CLIENT)
    else:
        answer = users.begin("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])

    result = answer["AuthenticationResult"]
    before, after = claims(tokens["IdToken"]), claims(result["IdToken"])
    assert "RefreshToken" not in result
    assert after["iat"] - before["iat"] in (100, 101)
    assert [after[name] for name in ("auth_time", "origin_jti")] == [
        before[name] for name in ("auth_time", "origin_jti")
    ]
    assert after["jti"] != before["jti"]


def test_refresh_shows_what_has_changed(users):
    """Refreshed tokens have the groups of now."""
    tokens = users.tokens()
    users.describe(ann={"groups": ["staff"]})

    answer = users.begin("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=tokens["RefreshToken"])

    assert claims(answer["AuthenticationResult"]["IdToken"])["cognito:groups"] == ["staff"]


def test_wrong_refresh_tokens(users, refused):
    """A text that is no refresh token, one of another client, and one that was revoked are told apart."""
    token = users.tokens()["RefreshToken"]
    other = {"id": "us-east-1_Other", "clients": [{"id": "other"}]}
    users.api.emulator.create_user_pool(**other)
    call = {"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": CLIENT}
    invalid = ("NotAuthorizedException", "Invalid Refresh Token.", 400)

    def refresh(text, **changes):
        return refused(
            users.idp.initiate_auth, **{**call, **changes, "AuthParameters": {"REFRESH_TOKEN": text}}
        )

    assert refresh("x") == invalid
    assert refresh(token, ClientId="other") == invalid
    users.idp.revoke_token(Token=token, ClientId="other")  # changes nothing: it is not that client's
    assert users.begin("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)
    users.idp.revoke_token(Token=token, ClientId=CLIENT)
    assert refresh(token) == ("NotAuthorizedException", "Refresh Token has been revoked", 400)


@pytest.mark.quick
@NEEDS_ROTATION
def test_rotation(users, refused):
    """A pool that rotates gives another refresh token each time. One that comes again is refused."""
    users.describe(rotate_refresh_tokens=True)
    first = users.tokens()["RefreshToken"]
    old_way = refused(users.begin, flow="REFRESH_TOKEN_AUTH", REFRESH_TOKEN=first)
    assert old_way == (
        "InvalidParameterException",
        "REFRESH_TOKEN_AUTH is not enabled for the client.",
        400,
    )

    def refresh(token):
        return users.idp.get_tokens_from_refresh_token(RefreshToken=token, ClientId=CLIENT)

    second = refresh(first)["AuthenticationResult"]["RefreshToken"]
    assert second != first
    assert refused(refresh, token=first)[0] == "RefreshTokenReuseException"
    assert refresh(second)["AuthenticationResult"]["RefreshToken"]


@NEEDS_ROTATION
def test_grace_of_rotation(users, refused):
    """Where the pool grants it, the refresh token before is still taken for some seconds."""
    users.describe(rotate_refresh_tokens=True, rotation_grace_seconds=30)
    first = users.tokens()["RefreshToken"]

    def refresh(token):
        return users.idp.get_tokens_from_refresh_token(RefreshToken=token, ClientId=CLIENT)

    refresh(first)
    assert refresh(first)["AuthenticationResult"]["RefreshToken"]
    users.api.emulator.move_clock(31)
    assert refused(refresh, token=first)[0] == "RefreshTokenReuseException"


def test_revocation(users, refused):
    """A revoked refresh token takes the access tokens of its sign-in with it, and no others."""
    revoked, other = users.tokens(), users.tokens()
    users.idp.revoke_token(Token=revoked["RefreshToken"], ClientId=CLIENT)

    wrong = refused(users.idp.get_user, AccessToken=revoked["AccessToken"])
    assert wrong == ("NotAuthorizedException", "Access Token has been revoked", 400)
    assert users.idp.get_user(AccessToken=other["AccessToken"])
    wrong = refused(users.idp.revoke_token, Token=other["AccessToken"], ClientId=CLIENT)
    assert wrong[0] == "UnsupportedTokenTypeException"
    wrong = refused(users.idp.revoke_token, Token=other["RefreshToken"], ClientId="nobody")
    assert wrong[0] == "UnauthorizedException"


def test_sign_out_everywhere(users, refused):
    """GlobalSignOut revokes every sign-in of the user."""
    first, second = users.tokens(), users.tokens()
    users.idp.global_sign_out(AccessToken=first["AccessToken"])

    refresh = refused(users.begin, flow="REFRESH_TOKEN_AUTH", REFRESH_TOKEN=second["RefreshToken"])
    assert refresh == ("NotAuthorizedException", "Refresh Token has been revoked", 400)
    assert refused(users.idp.get_user, AccessToken=second["AccessToken"])[1].endswith("has been revoked")
    assert users.tokens()


@pytest.mark.parametrize("wrong", ["text", "id token", "other signature", "none"])
def test_wrong_access_tokens(users, refused, wrong):
    """Only an access token that the pool signed is one."""
    tokens = users.tokens()
    head, body, _ = tokens["AccessToken"].split(".")
    unsigned = jwt.encode(claims(tokens["AccessToken"]), "", "none")
    texts = {
        "text": "x",
        "id token": tokens["IdToken"],
        "other signature": f"{head}.{body}.{tokens['IdToken'].split('.')[2]}",
        "none": unsigned,
    }

    answer = refused(users.idp.get_user, AccessToken=texts[wrong])

    assert answer == ("NotAuthorizedException", "Invalid Access Token", 400)


def test_scopes(users, refused):
    """An access token without the API's scope, such as one of the sign-in pages, is none for the API."""
    service = users.api.emulator.service
    client = client_of(service, CLIENT)
    signed_in = begin_with_password(service, client, "ann", PASSWORD)
    tokens = issue_tokens(service, signed_in, scopes=("openid",), claims={"nonce": "n"})

    wrong = refused(users.idp.get_user, AccessToken=tokens.access_token)

    assert wrong == ("NotAuthorizedException", "Access Token does not have required scopes", 400)
    assert claims(tokens.access_token)["version"] == 2
    assert claims(tokens.id_token)["nonce"] == "n"


@pytest.mark.quick
def test_identity_pool_takes_the_tokens(users):
    """An identity pool of the same emulator takes the ID token: the role is that of the user's group."""
    groups = [{"name": "staff", "role": f"{ROLE}staff", "precedence": 1}]
    users.describe(groups=groups, ann={"groups": ["staff"]})
    mapping = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
    pool = users.api.emulator.create_pool(
        CognitoIdentityProviders=[{"ProviderName": PROVIDER, "ClientId": CLIENT}],
        role_mappings={f"{PROVIDER}:{CLIENT}": mapping},
    )
    logins = {PROVIDER: users.srp()["AuthenticationResult"]["IdToken"]}
    identity = users.api.public.get_id(IdentityPoolId=pool, Logins=logins)["IdentityId"]

    answer = users.api.public.get_credentials_for_identity(IdentityId=identity, Logins=logins)

    sts = users.api.client("sts", answer["Credentials"])
    assert sts.get_caller_identity()["Arn"].split("/")[1] == "staff"


@pytest.mark.parametrize("way", ["revoked", "signed out", "disabled", "deleted"])
def test_server_side_token_check(users, refused, way):
    """An identity pool with ServerSideTokenCheck refuses the tokens of a sign-in that has ended."""
    pool = users.api.emulator.create_pool(
        CognitoIdentityProviders=[
            {"ProviderName": PROVIDER, "ClientId": CLIENT, "ServerSideTokenCheck": True}
        ]
    )
    tokens = users.tokens()
    call = {"IdentityPoolId": pool, "Logins": {PROVIDER: tokens["IdToken"]}}
    assert users.api.public.get_id(**call)
    if way == "revoked":
        users.idp.revoke_token(Token=tokens["RefreshToken"], ClientId=CLIENT)
    elif way == "signed out":
        users.idp.global_sign_out(AccessToken=tokens["AccessToken"])
    elif way == "disabled":
        users.describe(ann={"enabled": False})
    else:
        users.api.emulator.create_user_pool(**{**users.described, "users": []})

    assert refused(users.api.public.get_id, **call) == (
        "NotAuthorizedException",
        "Token is inactive",
        400,
    )


def test_tokens_over_a_restart(tmp_path, emulator_keys, boto_session):
    """With a data file, refresh tokens and their sign-ins are there after a restart."""
    from cognito_credentials.emulator import Emulator

    from ..conftest import Api
    from .conftest import Users

    refresh = ""
    for _ in range(2):
        with Emulator(data=tmp_path / "state.db", keys=emulator_keys) as emulator:
            api = Api(emulator, None, None, boto_session)
            users = Users(api, api.client("cognito-idp"), {})
            if refresh:
                assert users.begin("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=refresh)["AuthenticationResult"]
            else:
                users.describe()
                refresh = users.tokens()["RefreshToken"]
            api.close()
