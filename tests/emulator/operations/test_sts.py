"""The two STS operations: AssumeRoleWithWebIdentity and GetCallerIdentity."""

from __future__ import annotations

import json
import re
import urllib.parse
from xml.etree import ElementTree as ET

import pytest

from cognito_credentials.emulator.logins.keys import TEST_ISSUER
from cognito_credentials.emulator.logins.tokens import sign_jwt
from cognito_credentials.emulator.model.shapes import load_service_model
from cognito_credentials.emulator.stored.roles import Role, save_role

from ..conftest import OIDC, ROLE, get_id

NAMESPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
NO_KEYS = (
    "Couldn't retrieve verification key from your identity provider,  please reference "
    "AssumeRoleWithWebIdentity documentation for requirements"
)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": "POOL"},
                "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
            },
        }
    ],
}

NUMBERS = [  # the second is newer than the oldest botocore, whose model the emulator takes
    name
    for name in load_service_model("sts").operations["AssumeRoleWithWebIdentity"].members
    if name in ("DurationSeconds", "MinimumSessionTokenSize")
]


def guest_token(api, pool_id):
    return api.public.get_open_id_token(IdentityId=get_id(api, pool_id))["Token"]


@pytest.fixture
def assume(api):
    """AssumeRoleWithWebIdentity, unsigned; by default for the pool's guest role."""
    sts = api.client("sts")

    def call(token, role="unauthenticated", **arguments):
        return sts.assume_role_with_web_identity(
            **{
                "RoleArn": ROLE + role,
                "RoleSessionName": "session",
                "WebIdentityToken": token,
                **arguments,
            }
        )

    return call


def seed_role(api, name, trust, seconds=3600):
    save_role(api.emulator.service.state, Role(ROLE + name, json.dumps(trust), seconds))


def trust_for(pool_id):
    return json.loads(json.dumps(TRUST).replace("POOL", pool_id))


def test_basic_flow(api, assume):
    """The basic flow's credentials have the role, the session name and the duration asked for."""
    pool_id = api.emulator.create_pool()
    identity_id = get_id(api, pool_id)
    token = api.public.get_open_id_token(IdentityId=identity_id)["Token"]

    answer = assume(token, DurationSeconds=900, Policy='{"Version":"2012-10-17","Statement":[]}')

    keys = answer["Credentials"]
    lifetime = keys["Expiration"].timestamp() - api.emulator.service.clock.now()
    assert answer["Audience"] == pool_id
    assert answer["Provider"] == "cognito-identity.amazonaws.com"
    assert answer["SubjectFromWebIdentityToken"] == identity_id
    assert answer["AssumedRoleUser"]["Arn"] == (
        "arn:aws:sts::123456789012:assumed-role/unauthenticated/session"
    )
    assert re.fullmatch("AROA[A-Z2-7]{17}:session", answer["AssumedRoleUser"]["AssumedRoleId"])
    assert 890 < lifetime <= 900
    caller = api.client("sts", keys).get_caller_identity()
    assert caller["Arn"] == answer["AssumedRoleUser"]["Arn"]


def test_path_of_a_role(api, assume):
    """The ARN of a session has the role's name without its path."""
    token = guest_token(api, api.emulator.create_pool())

    answer = assume(token, role="service/app/guest")

    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/guest/session")


def test_get_with_a_query_string(api):
    """STS accepts a GET with a query string. Errors are XML with a type and a request id."""
    query = urllib.parse.urlencode(
        {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ROLE + "unauthenticated",
            "RoleSessionName": "session",
            "WebIdentityToken": guest_token(api, api.emulator.create_pool()),
        }
    )

    good = api.raw("GET", f"/?{query}")
    bad = api.raw("GET", f"/?{query}x")

    assert good.status == 200
    assert good.headers["content-type"] == "text/xml"
    root = ET.fromstring(good.body)
    assert root.tag == f"{NAMESPACE}AssumeRoleWithWebIdentityResponse"
    assert root.findtext(f".//{NAMESPACE}Expiration")[-1] == "Z"
    error = ET.fromstring(bad.body)
    assert bad.status == 400
    assert error.findtext(f".//{NAMESPACE}Type") == "Sender"
    assert error.findtext(f".//{NAMESPACE}Code") == "InvalidIdentityToken"
    assert error.findtext(f".//{NAMESPACE}RequestId") == bad.headers["x-amzn-requestid"]


def test_unknown_action(api):
    """An action that STS does not have is an InvalidAction."""
    answer = api.raw(body="Action=AssumeRoot&Version=2011-06-15")

    assert answer.status == 400
    assert b"<Code>InvalidAction</Code>" in answer.body


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"RoleSessionName": "a b"}, "roleSessionName"),
        ({"DurationSeconds": 43_201}, "durationSeconds"),
        ({"WebIdentityToken": "x" * 20_001}, "webIdentityToken"),
        ({"RoleArn": "a" * 2049}, "roleArn"),
    ],
)
def test_parameters(assume, refused, arguments, place):
    """A parameter that the model forbids is a ValidationError, which names it and shows no token."""
    code, message, status = refused(assume, token="CANARYtoken", **arguments)

    assert (code, status) == ("ValidationError", 400)
    assert message.startswith("1 validation error detected: Value")
    assert f"at '{place}' failed" in message
    assert "xxx" not in message


def test_not_a_jwt(assume, refused):
    """A token that is not a JWT is refused with the exact text."""
    assert refused(assume, token="opaque") == (
        "InvalidIdentityToken",
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        400,
    )


def test_unknown_issuer(api, assume, refused):
    """The error names an issuer that is not an OIDC provider of the account."""
    assert refused(assume, token=api.login()[OIDC]) == (
        "InvalidIdentityToken",
        f"No OpenIDConnect provider found in your account for https://{OIDC}",
        400,
    )


def test_known_issuer(api, assume, refused):
    """A registered OIDC provider's token is accepted for its client ids. Provider is its ARN."""
    api.emulator.service.state.execute("INSERT INTO issuers VALUES (?, '[\"app\"]', NULL, NULL)", OIDC)

    answer = assume(api.login("ann")[OIDC])

    assert answer["Provider"] == f"arn:aws:iam::123456789012:oidc-provider/{OIDC}"
    assert answer["SubjectFromWebIdentityToken"] == "ann"
    assert refused(assume, token=api.login(audience="other")[OIDC])[:2] == (
        "InvalidIdentityToken",
        "Incorrect token audience",
    )
    assert refused(assume, token=api.login(claims={"aud": None})[OIDC])[:2] == (
        "InvalidIdentityToken",
        "Missing a required claim: aud",
    )
    old = api.login(claims={"iat": int(api.emulator.service.clock.now()) - 441398})[OIDC]
    code, text = refused(assume, token=old)[:2]
    assert code == "ExpiredTokenException"
    assert text in ("Token too old: 441398", "Token too old: 441399"), "a second may pass under way"


@pytest.mark.parametrize(("known", "issuer"), [("", "/"), ("/", "/")])
def test_issuer_with_a_slash(api, assume, known, issuer):
    """An issuer that ends with a slash is the provider of IAM with the slash, or without it."""
    provider = OIDC + known
    api.emulator.service.state.execute("INSERT INTO issuers VALUES (?, '[]', NULL, NULL)", provider)

    answer = assume(api.login("ann", claims={"iss": f"https://{OIDC}{issuer}"})[OIDC])

    assert answer["Provider"].endswith(f":oidc-provider/{provider}")


def test_unreachable_issuer(api, assume, refused):
    """The text for keys that cannot be fetched has two spaces after the comma."""
    import jwt
    from cryptography.hazmat.primitives.asymmetric import rsa

    provider = "unreachable.example.com"
    api.emulator.service.state.execute(
        "INSERT INTO issuers VALUES (?, '[]', NULL, 'http://127.0.0.1:1/keys')", provider
    )
    claims = {"iss": f"https://{provider}", "sub": "a", "aud": "app", "exp": 4_000_000_000}
    token = jwt.encode(claims, rsa.generate_private_key(65537, 2048), "RS256")

    assert refused(assume, token=token)[:2] == (
        "InvalidIdentityToken",
        NO_KEYS,
    )


def test_forged_cognito_token(api, assume, refused):
    """A token with the service's issuer and another signature is refused."""
    forged = api.login("x", "cognito-identity.amazonaws.com")["cognito-identity.amazonaws.com"]

    assert refused(assume, token=forged)[0] == "InvalidIdentityToken"


def test_expired_token(api, assume, refused):
    """The error for an expired token has both times."""
    token = guest_token(api, api.emulator.create_pool())
    api.emulator.move_clock(600)

    code, message, status = refused(assume, token=token)

    assert (code, status) == ("ExpiredTokenException", 400)
    assert re.fullmatch(
        r"Token expired: current date/time \d{10} must be before the expiration date/time \d{10}",
        message,
    )


def test_role_of_the_other_state(api, assume, refused):
    """A guest cannot assume the pool's role for users."""
    token = guest_token(api, api.emulator.create_pool())

    assert refused(assume, token=token, role="authenticated") == (
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        403,
    )


def test_role_of_another_pool(api, assume, refused):
    """A guest cannot assume a role that only another pool uses."""
    api.emulator.create_pool(roles={"unauthenticated": ROLE + "theirs"})
    token = guest_token(api, api.emulator.create_pool())

    assert refused(assume, token=token, role="theirs")[0] == "AccessDenied"


def test_role_of_a_deleted_pool(api, assume, refused):
    """A deleted pool no longer uses its role, so the role trusts every pool."""
    theirs = api.emulator.create_pool(roles={"unauthenticated": ROLE + "theirs"})
    token = guest_token(api, api.emulator.create_pool())
    assert refused(assume, token=token, role="theirs")[0] == "AccessDenied"

    api.developer.delete_identity_pool(IdentityPoolId=theirs)

    assert assume(token, role="theirs")["Credentials"]


def test_duration_over_the_role(api, assume, refused):
    """A session is at most as long as its role allows: one hour, unless the seed has another limit."""
    pool_id = api.emulator.create_pool()
    token = guest_token(api, pool_id)
    seed_role(api, "long", {"Statement": {**TRUST["Statement"][0], "Condition": {}}}, 7200)

    assert assume(token, role="long", DurationSeconds=7200)
    assert refused(assume, token=token, DurationSeconds=7200) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        400,
    )


def test_trust_policy_in_both_flows(api, assume, refused):
    """A trust policy that denies is a configuration error in the enhanced flow, a 403 in the basic one."""
    roles = {"authenticated": ROLE + "app", "unauthenticated": ROLE + "app"}
    pool_id = api.oidc_pool(roles=roles)
    seed_role(api, "app", trust_for(pool_id))
    guest = get_id(api, pool_id)
    logins = api.login()
    user = get_id(api, pool_id, logins)

    code, _, _ = refused(api.public.get_credentials_for_identity, IdentityId=guest)
    basic = refused(assume, token=guest_token(api, pool_id), role="app")

    assert api.public.get_credentials_for_identity(IdentityId=user, Logins=logins)
    assert code == "InvalidIdentityPoolConfigurationException"
    assert basic[0] == "AccessDenied"
    assert basic[2] == 403


def test_strict_roles(boto_session, emulator_keys, refused):
    """With strict roles, a role that the seed does not describe cannot be assumed."""
    from cognito_credentials.emulator import Emulator

    from ..conftest import Api

    with Emulator(keys=emulator_keys, strict_roles=True) as strict:
        api = Api(strict, None, None, boto_session)
        api.public = api.client("cognito-identity")
        identity_id = get_id(api, strict.create_pool())

        code, _, _ = refused(api.public.get_credentials_for_identity, IdentityId=identity_id)
        api.close()

    assert code == "InvalidIdentityPoolConfigurationException"


def test_token_too_old(api, assume, refused):
    """A token issued more than a day ago is refused with its age in seconds, even if it has not expired."""
    api.emulator.service.state.execute("INSERT INTO issuers VALUES (?, '[]', NULL, NULL)", OIDC)
    issued_at = int(api.emulator.service.clock.now()) - 90_000
    token = api.emulator.login_token(OIDC, claims={"iat": issued_at})

    code, message, status = refused(assume, token=token)

    assert (code, status) == ("ExpiredTokenException", 400)
    assert message.startswith("Token too old: 900")


def test_provider_id(api, assume, refused):
    """ProviderId is for OAuth 2.0 providers. It is refused with a token of Cognito or of an OIDC provider."""
    token = guest_token(api, api.emulator.create_pool())

    for each in (token, api.login()[OIDC]):
        code, _, status = refused(assume, token=each, ProviderId="cognito-identity.amazonaws.com")
        assert (code, status) == ("ValidationError", 400)


def with_number(api, token, **numbers):
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleSessionName": "session",
        "RoleArn": f"{ROLE}unauthenticated",
        "WebIdentityToken": token,
        **numbers,
    }
    answer = api.raw(body=urllib.parse.urlencode(form))
    root = ET.fromstring(answer.body)
    return answer.status, root.findtext(f".//{NAMESPACE}Code"), root.findtext(f".//{NAMESPACE}Message")


@pytest.mark.parametrize("text", ["abc", "", "900.0", "9e2", "٩٠٠", "2147483648", "99999999999", "-", " 900"])
@pytest.mark.parametrize("member", NUMBERS)
def test_number_that_is_not_an_integer(api, member, text):
    """A number that is not an integer is a MalformedInput, which shows it as it came."""
    status, code, message = with_number(api, "CANARY", **{member: text})

    assert (status, code, message) == (400, "MalformedInput", f"'{text}' is not an integer.")


@pytest.mark.parametrize("text", ["-5", "0", "899", "43201", "2147483647"])
def test_duration_out_of_its_range(api, text):
    """A duration that is too short or too long is shown as it came."""
    status, code, message = with_number(api, "CANARY", DurationSeconds=text)

    assert (status, code) == (400, "ValidationError")
    assert message.startswith(f"1 validation error detected: Value '{text}' at 'durationSeconds' failed")


def test_order_of_the_checks_of_a_token(api, assume, refused):
    """The first failure is reported, in the order issuer, signature, audience, expiry, age, role, policy."""
    state, now = api.emulator.service.state, int(api.emulator.service.clock.now())
    claims = {"aud": None, "sub": None, "exp": now - 1, "iat": now - 90_000}
    rest = {"role": "missing/", "Policy": "{"}

    def refusal(**mended):
        token = api.emulator.login_token(OIDC, claims={**claims, **mended})
        forged = token[:-8] + "AAAAAAAA" if mended.pop("forged", False) else token
        return refused(assume, token=forged, **rest)[1]

    assert refusal(forged=True).startswith("No OpenIDConnect provider found")
    state.execute("INSERT INTO issuers VALUES (?, '[\"app\"]', NULL, NULL)", OIDC)
    assert refusal(forged=True) == "Couldn't verify signed token."
    assert refusal() == "Missing a required claim: aud"
    assert refusal(aud=[]) == "Missing a required claim: aud"
    assert refusal(aud="app") == "Missing a required claim: sub"
    assert refusal(aud="x", sub="a") == "Incorrect token audience"
    assert refusal(aud="app", sub="a").startswith("Token expired: ")
    assert refusal(aud="app", sub="a", exp=None) == "Missing a required claim: exp"
    assert refusal(aud="app", sub="a", exp=now + 60).startswith("Token too old: ")
    good = {"aud": "app", "sub": "a", "exp": now + 60, "iat": now}
    assert refusal(**good) == "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    rest["role"] = "unauthenticated"
    assert refusal(**good) == "The policy is not in the valid JSON format."


def test_issuer_that_is_not_an_address(api, assume, refused):
    """A token needs an issuer, and the issuer is an address."""
    state = api.emulator.service.state
    state.execute("INSERT INTO issuers VALUES (?, '[]', NULL, NULL)", OIDC)

    for issuer in (5, OIDC, f"http://{OIDC}", [f"https://{OIDC}"]):
        text = refused(assume, token=api.login(claims={"iss": issuer})[OIDC])[1]
        assert text == f"No OpenIDConnect provider found in your account for {issuer}"
    assert refused(assume, token=api.login(claims={"iss": None})[OIDC])[1] == "Missing a required claim: iss"


def test_issuer_on_this_machine(api, assume):
    """STS accepts an issuer with plain http on this machine, as GetId does."""
    provider = "127.0.0.1:8080"
    api.emulator.service.state.execute("INSERT INTO issuers VALUES (?, '[]', NULL, NULL)", provider)
    token = api.emulator.login_token(provider, claims={"iss": f"http://{provider}"})

    assert assume(token)["Provider"].endswith(f":oidc-provider/{provider}")


def test_null_azp(api, assume):
    """An azp of null is ignored: the audience is the aud."""
    api.emulator.service.state.execute("INSERT INTO issuers VALUES (?, '[\"app\"]', NULL, NULL)", OIDC)
    content = {"iss": f"https://{OIDC}", "sub": "a", "aud": "app", "azp": None, "exp": 4_000_000_000}
    header = {"kid": "cognito-emulator-test-issuer", "alg": "RS256"}

    assert assume(sign_jwt(api.emulator.service.keys, TEST_ISSUER, header, content))["Audience"] == "app"


def test_policy_arns(api):
    """At most ten policy ARNs are accepted. They keep their order."""
    token = guest_token(api, api.emulator.create_pool())
    arns = {f"PolicyArns.member.{n}.arn": f"arn:aws:iam::aws:policy/Policy{n}" for n in range(1, 12)}

    status, code, message = with_number(api, token, **arns)
    arns.popitem()
    fine = with_number(api, token, **arns)

    assert (status, code) == (400, "ValidationError")
    assert message.endswith("at 'policyArns' failed to satisfy constraint: Member must have length less than "
                            "or equal to 10")  # fmt: skip
    assert fine[0] == 200
    key = re.search("ASIA.{16}", str(api.emulator.service.mint._recent.keys()))[0]
    assert api.emulator.service.mint.recent(key).policy_arns == list(arns.values())
