"""What each request leaves: what it asked for, what was checked and decided, in order, and how it ended."""

from __future__ import annotations

import json

import pytest

from cognito_credentials.emulator.trail import begin, checked
from cognito_credentials.emulator.wire.history import MOST_RECORDS

from ..conftest import GOOGLE, NEEDS_ROTATION, OIDC, ROLE, SIGNED, credentials_id, get_id

TRUST = '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}'
USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abcDEF123"


def last(api, name):
    """The newest record of an operation."""
    return next(record for record in reversed(api.control("GET", "history").json) if record["name"] == name)


def facts(record):
    return [(fact["kind"], fact["fact"]) for fact in record["facts"]]


@pytest.mark.parametrize(
    ("call", "content", "sentence"),
    [
        (
            "faults",
            [{"operation": "GetId", "code": "X", "times": 2}, {"operation": "*", "times": -1, "delay": 0.5}],
            (
                "a fault is planned for GetId, 2 times: code X; "
                "a fault is planned for any operation, each time: delay 0.5"
            ),
        ),
        ("faults", [], "no faults are planned"),
        (
            "settings",
            {"time_passed": 60, "throttle": {"GetId": 2}},
            'time_passed is 60 now, throttle is {"GetId": 2} now',
        ),
        ("users", [{"provider": USER_POOL, "subject": "ann"}], f"described in users: {USER_POOL} ann"),
        ("roles", [{"arn": f"{ROLE}red", "trust_policy": TRUST}], f"described in roles: {ROLE}red"),
        ("user-pools", [{"id": "us-east-1_abcDEF123"}], "described in user_pools: us-east-1_abcDEF123"),
    ],
)
def test_what_a_control_call_changed(api, call, content, sentence):
    """A control call that changes something says in its record what it changed."""
    assert api.control("PUT", call, content).status == 200

    assert facts(last(api, f"PUT /_emulator/{call}"))[-1] == ("decided", sentence)


def test_what_a_control_call_answered(api):
    """A control call that issues or looks up says so in its record, without the token."""
    identity_id = get_id(api, api.emulator.create_pool())
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    key = {"access_key_id": keys["AccessKeyId"]}
    assert api.control("POST", "allowed", {**key, "action": "ssm:GetParameter"}).status == 200
    assert api.control("POST", "whose-key", key).status == 200
    assert api.control("POST", "login-token", {"provider": GOOGLE}).status == 200

    sentences = [
        facts(last(api, f"POST /_emulator/{n}"))[-1] for n in ("allowed", "whose-key", "login-token")
    ]
    assert sentences[0] == ("decided", "ssm:GetParameter is not allowed")
    assert sentences[1][1].startswith("the key is of arn:aws:sts::123456789012:assumed-role/")
    assert sentences[2] == ("issued", f"a login token of {GOOGLE}")
    api.control("POST", "reset")
    assert facts(last(api, "POST /_emulator/reset")) == [("decided", "everything is as it was at the start")]


def test_the_way_of_a_user_to_a_key(api):
    """Each check of a login is recorded in its order, then linking, the role and its rule, and the key."""
    rules = [
        {"Claim": "team", "MatchType": "Equals", "Value": "red", "RoleARN": f"{ROLE}red"},
        {"Claim": "team", "MatchType": "Contains", "Value": "blu", "RoleARN": f"{ROLE}blue"},
    ]
    mapping = {"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": rules}}
    pool_id = api.oidc_pool(role_mappings={GOOGLE: mapping})
    logins = api.login("ann", GOOGLE, claims={"team": "blue"})
    identity_id = get_id(api, pool_id, logins)

    key = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]

    assert facts(last(api, "GetId"))[-2:] == [
        ("decided", f"no identity has these logins: {identity_id} is made"),
        ("decided", f"{GOOGLE} user ann is linked to {identity_id}"),
    ]
    record = last(api, "GetCredentialsForIdentity")
    assert (record["status"], record["code"], record["message"]) == (200, "", "")
    assert record["request"] == {"IdentityId": identity_id, "Logins": [GOOGLE]}
    kinds, sentences = zip(*facts(record), strict=True)
    expected = [
        ("holds", f"the token is an ID token: iss https://{GOOGLE}, aud app, sub ann"),
        ("holds", f"the pool lists the provider {GOOGLE}"),
        ("holds", "the token has not expired: 3"),
        ("holds", f"a key of {GOOGLE} signed the token"),
        ("holds", "the pool accepts tokens for the audience app"),
        ("holds", f"{GOOGLE} user ann is linked to {identity_id}"),
        ("holds", f"the pool has role mappings of type Rules for {GOOGLE}"),
        ("fails", f"rule 1 of 2, for {ROLE}red: team Equals red"),
        ("holds", f"rule 2 of 2, for {ROLE}blue: team Contains blu"),
        ("decided", f"the role is {ROLE}blue: the first rule that matches"),
    ]
    start = [fact for fact in facts(record) if fact[1].startswith(tuple(text for _, text in expected))]
    assert [kind for kind, _ in start] == [kind for kind, _ in expected]
    assert all(fact.startswith(text) for (_, fact), (_, text) in zip(start, expected, strict=True))
    assert kinds[-1] == "issued"
    assert sentences[-1].startswith(f"the access key {key['AccessKeyId']} for ")


def test_a_refusal_shows_what_held_before_it(api, refused):
    """The record of an error has the checks that were passed, and the code and text of the error."""
    pool_id = api.oidc_pool()

    code, message, status = refused(
        api.public.get_id, IdentityPoolId=pool_id, Logins=api.login(audience="app", expires_in=-1000)
    )

    record = last(api, "GetId")
    assert (record["status"], record["code"], record["message"]) == (status, code, message)
    assert [fact for _, fact in facts(record)][1:] == [f"the pool lists the provider {OIDC}"]


def test_a_merge_is_recorded(api):
    """Where two logins had identities of their own, the record says which one is left."""
    pool_id = api.oidc_pool()
    first, second = (get_id(api, pool_id, api.login(provider=provider)) for provider in (OIDC, GOOGLE))

    survivor = credentials_id(api, first, {**api.login(), **api.login(provider=GOOGLE)})

    assert survivor == first
    assert ("decided", f"{second} is merged into {first}, and disabled") in facts(
        last(api, "GetCredentialsForIdentity")
    )


def test_no_secret_is_kept(api):
    """Attack: a reader of the history finds no token, password or secret key in it, wherever it was sent."""
    pool_id = api.oidc_pool(DeveloperProviderName="login.app")
    logins = api.login()
    identity_id = get_id(api, pool_id, logins)
    keys = api.public.get_credentials_for_identity(IdentityId=identity_id, Logins=logins)["Credentials"]
    token = api.public.get_open_id_token(IdentityId=identity_id, Logins=logins)["Token"]
    sts = api.client("sts", keys)
    sts.get_caller_identity()
    api.client("sts").assume_role_with_web_identity(
        RoleArn=f"{ROLE}authenticated", RoleSessionName="session", WebIdentityToken=token
    )
    for wrong in ({"Logins": token}, {"Logins": [token]}, {"IdentityId": {"Token": token}}, [token], token):
        api.post("GetCredentialsForIdentity", wrong)
    api.post("GetId", {token: "x", "IdentityPoolId": [token], "Unknown": token})
    api.raw("GET", f"/somewhere?code={token}")
    api.raw(body=f"Action=GetCallerIdentity&WebIdentityToken={token}")
    api.raw(body="{}", headers={"X-Amz-Target": "AWSCognitoIdentityService.GetId", "Authorization": token})
    developer = {"AccessKeyId": "AKIDEVELOPER", "SecretAccessKey": "x"}
    api.client("sts", developer).get_session_token(
        SerialNumber="arn:aws:iam::123456789012:mfa/me", TokenCode="918273"
    )

    kept = api.control("GET", "history").body.decode()

    secrets = [*api.emulator.minted_secrets(), token, keys["SecretKey"], keys["SessionToken"]]
    assert not [secret for secret in secrets if secret in kept]
    assert not [part for secret in secrets for part in secret.split(".") if len(part) > 20 and part in kept]
    assert "918273" not in last(api, "GetSessionToken")["request"].values()
    assert keys["AccessKeyId"] in kept


def test_the_history_is_bounded(api):
    """Only the last requests are kept, and long texts of strangers are cut."""
    for _ in range(3):
        answer = api.raw("GET", f"/{'x' * 5000}")
        api.post("GetId", {"IdentityPoolId": "y" * 100_000})
    assert answer.status == 404

    records = api.control("GET", "history").json

    assert max(len(json.dumps(record)) for record in records) < 4000
    history = api.emulator._started.application.control.history
    for _ in range(MOST_RECORDS + 10):
        history.add(0.0, "GetId", None, 0.0, begin())
    assert len(api.control("GET", "history?last=999999999").json) == MOST_RECORDS
    assert len(api.control("GET", "history?last=3").json) == 3


def test_facts_are_bounded():
    """A request with any number of facts, each of any length, takes up a few kilobytes."""
    tracemalloc = pytest.importorskip("tracemalloc")  # PyPy has none
    trail = begin()
    tracemalloc.start()

    for _ in range(10_000):
        checked("x" * 10_000)

    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(trail.facts) == 60
    assert kept < 60_000


def test_own_reading_is_left_out(api):
    """What the page reads is not in the history. Changes are, and what the issuer answers."""
    for path in ("requests", "history", "settings", "faults", "nothing"):
        api.control("GET", path)
    api.control("PUT", "settings", {})
    api.raw("GET", headers={"Accept": "text/html"})
    api.raw("GET", "/_emulator/console/console.js")
    api.raw("GET", "/_emulator/.well-known/openid-configuration")

    assert [record["name"] for record in api.control("GET", "history").json] == [
        "PUT /_emulator/settings",
        "GET /_emulator/.well-known/openid-configuration",
    ]


def test_a_planned_fault_is_named(api):
    """A request that got a fault says so, also where no answer was sent."""
    api.control(
        "PUT", "faults", [{"operation": "GetId", "code": "TooManyRequestsException", "message": "no"}]
    )
    api.post("GetId", {})
    record = last(api, "GetId")
    assert (record["status"], record["code"]) == (400, "TooManyRequestsException")
    assert facts(record) == [
        ("decided", "this request has a planned fault: code TooManyRequestsException, message no")
    ]

    api.control("PUT", "faults", [{"operation": "GetId", "drop": True}])
    with pytest.raises(OSError, match=r"closed|reset"):
        api.post("GetId", {})
    assert last(api, "GetId")["status"] is None


def test_a_reset_clears_it(api):
    """After a reset the numbers begin again with the reset itself."""
    api.post("GetId", {})

    api.control("POST", "reset")

    assert [(record["number"], record["name"]) for record in api.control("GET", "history").json] == [
        (1, "POST /_emulator/reset")
    ]


def test_who_signed(api):
    """Of a signed operation the record names the caller."""
    api.post("ListIdentityPools", {"MaxResults": 1}, **SIGNED)

    assert ("holds", "the caller is arn:aws:iam::123456789012:user/developer") in facts(
        last(api, "ListIdentityPools")
    )


@pytest.mark.parametrize("query", ["last=-1", "last=x", "last=1e3", "last=%C2%B2", "first=1"])
def test_a_wrong_number(api, query):
    """A query that the call does not take is refused with one line."""
    answer = api.control("GET", f"history?{query}")

    assert answer.status == 400
    assert "last" in answer.json["error"]


def test_each_statement_of_a_trust_policy(api):
    """Of a role that was described, the record says which statement fits, and why another does not."""
    pool_id = api.oidc_pool()
    host = "cognito-identity.amazonaws.com"
    trust = {"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": host}, "Effect": "Allow"}
    another = "us-east-1:00000000-0000-4000-8000-000000000001"
    only = {"StringEquals": {f"{host}:aud": another}}
    these = {
        "StringEquals": {f"{host}:aud": pool_id},
        "ForAnyValue:StringLike": {f"{host}:amr": "unauthenticated"},
    }
    policy = {"Statement": [{**trust, "Condition": only}, {**trust, "Condition": these}]}
    role = {"arn": f"{ROLE}unauthenticated", "trust_policy": policy}
    assert api.control("PUT", "roles", [role]).status == 200

    api.public.get_credentials_for_identity(IdentityId=get_id(api, pool_id))

    found = facts(last(api, "GetCredentialsForIdentity"))
    misfit = f"StringEquals {host}:aud wants {another}, and the request has {pool_id}"
    at = found.index(("fails", f"statement 1 of 2 of the trust policy (Allow) does not fit: {misfit}"))
    assert found[at - 1][0] == "decided"
    assert found[at + 1] == ("holds", "statement 2 of 2 of the trust policy (Allow) fits")
    assert ("decided", "the session policies of guests limit the session") in found


def test_the_basic_flow(api):
    """Each check of STS is recorded, then the trust policy, the policies of the caller and the key."""
    pool_id = api.oidc_pool()
    token = api.public.get_open_id_token(IdentityId=get_id(api, pool_id))["Token"]

    api.client("sts").assume_role_with_web_identity(
        RoleArn=f"{ROLE}unauthenticated",
        RoleSessionName="session",
        WebIdentityToken=token,
        Policy='{"Version": "2012-10-17", "Statement": []}',
    )

    record = last(api, "AssumeRoleWithWebIdentity")
    assert record["request"]["WebIdentityToken"] == "***"
    assert [fact.partition(":")[0] for _, fact in facts(record)] == [
        "the token is one of Cognito Identity, and its signature holds",
        f"the token is for {pool_id}".partition(":")[0],
        "the token has not expired",
        "arn",
        "the caller's session policies limit the session",
        facts(record)[-1][1].partition(":")[0],
    ]
    assert facts(record)[-1][0] == "issued"


@NEEDS_ROTATION
def test_a_sign_in_to_a_user_pool(api):
    """Attack: of a sign-in, its challenges and its tokens the history has each step, and no secret."""
    password, secret = "CANARY-Passw0rd", "CANARYsecretOfTheClient1234"
    pool = {
        "id": "us-east-1_Ab1Cd2Ef3",
        "clients": [{"id": "4ab1cd2ef3"}, {"id": "5ab1cd2ef3", "secret": secret}],
        "users": [{"name": "ann", "password": password, "status": "FORCE_CHANGE_PASSWORD"}],
    }
    assert api.control("PUT", "user-pools", [pool]).status == 200
    idp = api.client("cognito-idp")
    given = {"USERNAME": "ann", "PASSWORD": password}
    asked = idp.initiate_auth(ClientId="4ab1cd2ef3", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    tokens = idp.respond_to_auth_challenge(
        ClientId="4ab1cd2ef3",
        ChallengeName=asked["ChallengeName"],
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": "ann", "NEW_PASSWORD": f"{password}2"},
    )["AuthenticationResult"]
    refresh = {"ClientId": "4ab1cd2ef3", "RefreshToken": tokens["RefreshToken"]}
    idp.get_tokens_from_refresh_token(**refresh, ClientSecret=secret)
    idp.change_password(
        PreviousPassword=f"{password}2", ProposedPassword=f"{password}3", AccessToken=tokens["AccessToken"]
    )
    idp.revoke_token(ClientId="4ab1cd2ef3", Token=tokens["RefreshToken"])

    assert facts(last(api, "InitiateAuth")) == [
        ("holds", "the password is right"),
        ("decided", "ann is asked for NEW_PASSWORD_REQUIRED"),
    ]
    assert last(api, "InitiateAuth")["request"] == {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": ["USERNAME", "PASSWORD"],
        "ClientId": "4ab1cd2ef3",
    }
    assert facts(last(api, "RespondToAuthChallenge"))[-2:] == [
        ("decided", "ann has signed in"),
        ("issued", "an ID token and an access token of ann for client 4ab1cd2ef3"),
    ]
    assert facts(last(api, "GetTokensFromRefreshToken"))[0][1].startswith(
        "the refresh token is this client's"
    )
    kept = api.control("GET", "history").body.decode()
    secrets = [*api.emulator.minted_secrets(), password, secret, asked["Session"], tokens["RefreshToken"]]
    assert not [text for text in secrets if text in kept]
