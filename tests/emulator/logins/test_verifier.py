"""The checks of a login token, with their codes and texts."""

from __future__ import annotations

import pytest

from cognito_credentials.emulator.logins.keys import TEST_ISSUER, TEST_ISSUER_KEY_ID
from cognito_credentials.emulator.logins.tokens import sign_jwt

from ..conftest import GOOGLE, OIDC, OIDC_ARN, ROLE, get_id

USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abcDEF123"
NOT_SUPPORTED = "Token is not from a supported provider of this identity pool."


@pytest.fixture
def refusal(api, refused):
    """The code and the text of a GetId that is refused."""

    def call(pool_id, logins):
        return refused(api.public.get_id, IdentityPoolId=pool_id, Logins=logins)[:2]

    return call


def user_pool(**entry):
    return {"CognitoIdentityProviders": [{"ProviderName": USER_POOL, "ClientId": "app", **entry}]}


UPDATED = f"issuer-{USER_POOL}"


@pytest.mark.parametrize("issuer", [USER_POOL, UPDATED])
@pytest.mark.parametrize("key", [USER_POOL, UPDATED])
@pytest.mark.parametrize("listed", [USER_POOL, UPDATED])
def test_both_issuers_of_a_user_pool(api, listed, key, issuer):
    """A user pool has two issuers: either is accepted as ProviderName, as key of Logins, and in the token."""
    pool_id = api.emulator.create_pool(**user_pool(ProviderName=listed))
    token = api.emulator.login_token(issuer, subject="ann")

    identity_id = get_id(api, pool_id, {key: token})

    shown = api.developer.describe_identity(IdentityId=identity_id)["Logins"]
    assert shown == [listed]
    assert get_id(api, pool_id, api.login("ann", listed)) == identity_id


def test_both_names_of_a_user_pool_are_one_user(api, refusal):
    """Both names in one call are one login of one user, or two users of one provider, which conflict."""
    pool_id = api.emulator.create_pool(**user_pool())
    ann = {USER_POOL: api.login("ann", USER_POOL)[USER_POOL], UPDATED: api.login("ann", UPDATED)[UPDATED]}

    identity_id = get_id(api, pool_id, ann)
    api.public.unlink_identity(IdentityId=identity_id, Logins=ann, LoginsToRemove=[UPDATED])

    assert "Logins" not in api.developer.describe_identity(IdentityId=identity_id)
    two = {**ann, UPDATED: api.login("bob", UPDATED)[UPDATED]}
    assert refusal(pool_id, two)[0] == "ResourceConflictException"


@pytest.mark.parametrize("listed", [USER_POOL, UPDATED])
@pytest.mark.parametrize("named", [USER_POOL, UPDATED])
def test_signed_out_by_either_name(api, refusal, listed, named):
    """A user of a user pool is signed out by either name of it, whichever the pool lists."""
    pool_id = api.emulator.create_pool(**user_pool(ProviderName=listed, ServerSideTokenCheck=True))
    api.emulator.set_user(named, "ann", signed_out=True)

    assert refusal(pool_id, api.login("ann", USER_POOL))[1] == "Token is inactive"
    assert refusal(pool_id, api.login("ann", UPDATED))[1] == "Token is inactive"


def test_mapping_of_a_user_pool_with_its_other_name(api):
    """A role mapping is found by the name that the pool lists, whichever name the login has."""
    rule = {"Claim": "sub", "MatchType": "Equals", "Value": "ann", "RoleARN": f"{ROLE}ann"}
    mapping = {"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": {"Rules": [rule]}}
    pool_id = api.emulator.create_pool(**user_pool(), role_mappings={f"{USER_POOL}:app": mapping})
    logins = api.login("ann", UPDATED)

    keys = api.public.get_credentials_for_identity(IdentityId=get_id(api, pool_id, logins), Logins=logins)

    arn = api.client("sts", keys["Credentials"]).get_caller_identity()["Arn"]
    assert ":assumed-role/ann/" in arn


@pytest.mark.parametrize(
    ("listed", "issuer", "good"), [("", "", True), ("", "/", True), ("/", "/", True), ("/", "", False)]
)
def test_slash_of_a_key(api, listed, issuer, good):
    """A key that the pool lists with a slash stays as written: it is for an issuer with the slash."""
    pool_id = api.emulator.create_pool(OpenIdConnectProviderARNs=[OIDC_ARN + listed])
    token = api.emulator.login_token(OIDC, claims={"iss": f"https://{OIDC}{issuer}"})

    answer = api.post("GetId", {"IdentityPoolId": pool_id, "Logins": {OIDC + listed: token}})

    assert (answer.status == 200) == good


def test_provider_that_the_pool_does_not_have(api, refusal):
    """A provider that the pool does not list is not supported."""
    assert refusal(api.oidc_pool(), {"www.amazon.com": "x"}) == (
        "NotAuthorizedException",
        NOT_SUPPORTED,
    )


def test_service_token_in_get_id(api, refusal):
    """GetId does not take the service's own tokens."""
    pool_id = api.oidc_pool()

    assert refusal(pool_id, {"cognito-identity.amazonaws.com": "x"}) == (
        "NotAuthorizedException",
        "Invalid login token. Can't pass in a Cognito token.",
    )


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "e30.W10.e30", "ä.ö.ü", "...."])
def test_not_a_jwt(api, refusal, token):
    """A token that is not a JSON Web Token is refused."""
    assert refusal(api.oidc_pool(), {OIDC: token}) == (
        "NotAuthorizedException",
        "Invalid login token. Not a valid OpenId Connect identity token.",
    )


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp"])
def test_missing_claim(api, refusal, claim):
    """The error names a required claim that is missing, such as the aud of an access token."""
    assert refusal(api.oidc_pool(), api.login(claims={claim: None})) == (
        "NotAuthorizedException",
        f"Invalid login token. Missing a required claim: {claim}",
    )


def test_issuer_is_not_the_provider(api, refusal):
    """The issuer must be https:// and the provider name."""
    logins = {GOOGLE: api.emulator.login_token(OIDC)}

    assert refusal(api.oidc_pool(), logins) == (
        "NotAuthorizedException",
        "Invalid login token. Issuer doesn't match providerName",
    )


def test_google_issuer_without_scheme(api):
    """Google's issuer is accepted with and without the scheme."""
    logins = api.login(provider=GOOGLE, claims={"iss": GOOGLE})

    assert api.public.get_id(IdentityPoolId=api.oidc_pool(), Logins=logins)["IdentityId"]


def test_expired(api, refusal):
    """An expired token is refused with both times, once the grace is over."""
    pool_id = api.oidc_pool()
    logins = api.login(expires_in=0)

    assert api.public.get_id(IdentityPoolId=pool_id, Logins=logins)
    api.emulator.move_clock(301)
    code, text = refusal(pool_id, logins)

    assert code == "NotAuthorizedException"
    prefix, _, times = text.partition("Token expired: ")
    now, _, expiry = times.partition(" >= ")
    assert prefix == "Invalid login token. "
    assert int(now) >= int(expiry) + 300


def test_wrong_signature(api, refusal):
    """A token whose signature does not verify is refused."""
    token = api.login()[OIDC]
    head, body, signature = token.split(".")
    forged = f"{head}.{body}.{signature[:-8]}AAAAAAAA"

    assert refusal(api.oidc_pool(), {OIDC: forged}) == (
        "NotAuthorizedException",
        "Invalid login token. Couldn't verify signed token.",
    )


def test_unsigned_token(api, refusal):
    """A token with the algorithm none is refused."""
    import jwt

    claims = {"iss": f"https://{OIDC}", "sub": "a", "aud": "app", "exp": 4_000_000_000}
    token = jwt.encode(claims, key=None, algorithm="none", headers={"kid": "cognito-emulator-test-issuer"})

    assert refusal(api.oidc_pool(), {OIDC: token})[1] == (
        "Invalid login token. Couldn't verify signed token."
    )


def test_wrong_audience(api, refusal):
    """A token for another client id is refused. An azp counts, not the aud beside it."""
    pool_id = api.oidc_pool()

    for options in ({"audience": "other"}, {"audience": "app", "claims": {"azp": "other"}}):
        assert refusal(pool_id, api.login(provider=GOOGLE, **options)) == (
            "NotAuthorizedException",
            "Invalid login token. Incorrect token audience",
        )
    good = api.login(provider=GOOGLE, audience="other", claims={"azp": "app"})
    assert api.public.get_id(IdentityPoolId=pool_id, Logins=good)


def test_user_pool_login(api, refusal):
    """A user pool's token is accepted for the client ids that the pool lists."""
    pool_id = api.emulator.create_pool(**user_pool())

    assert api.public.get_id(IdentityPoolId=pool_id, Logins=api.login(provider=USER_POOL))
    assert refusal(pool_id, api.login(provider=USER_POOL, audience="other")) == (
        "NotAuthorizedException",
        NOT_SUPPORTED,
    )


@pytest.mark.parametrize("audience", ["None", ["None", "app"]])
def test_user_pool_without_client(api, refusal, audience):
    """A user pool that is listed without a client id has no token that is accepted."""
    pool = api.developer.create_identity_pool(
        IdentityPoolName="p",
        AllowUnauthenticatedIdentities=True,
        CognitoIdentityProviders=[{"ProviderName": USER_POOL}],
    )
    logins = api.login(provider=USER_POOL, audience=audience)

    assert refusal(pool["IdentityPoolId"], logins) == ("NotAuthorizedException", NOT_SUPPORTED)


def test_server_side_token_check(api, refusal):
    """With ServerSideTokenCheck a user who has signed out everywhere is refused."""
    checked = api.emulator.create_pool(**user_pool(ServerSideTokenCheck=True))
    unchecked = api.emulator.create_pool(**user_pool())
    logins = api.login("ann", USER_POOL)
    api.emulator.service.state.execute(
        "INSERT INTO users (provider, subject, signed_out) VALUES (?, 'ann', 1)", USER_POOL
    )

    both = api.emulator.create_pool(
        CognitoIdentityProviders=[
            {"ProviderName": USER_POOL, "ClientId": "app"},
            {"ProviderName": USER_POOL, "ClientId": "web", "ServerSideTokenCheck": True},
        ]
    )

    assert refusal(checked, logins) == ("NotAuthorizedException", "Token is inactive")
    assert api.public.get_id(IdentityPoolId=both, Logins=logins)
    web = api.login("ann", USER_POOL, audience="web")
    assert refusal(both, web) == ("NotAuthorizedException", "Token is inactive")
    assert api.public.get_id(IdentityPoolId=unchecked, Logins=logins)


def test_unreachable_issuer(api, refusal):
    """If the keys of the issuer cannot be fetched, the answer is an ExternalServiceException."""
    import jwt
    from cryptography.hazmat.primitives.asymmetric import rsa

    provider = "127.0.0.1:1/issuer"
    arn = f"arn:aws:iam::123456789012:oidc-provider/{provider}"
    pool_id = api.emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    claims = {"iss": f"https://{provider}", "sub": "a", "aud": "app", "exp": 4_000_000_000}
    token = jwt.encode(claims, rsa.generate_private_key(65537, 2048), "RS256")

    assert refusal(pool_id, {provider: token})[0] == "ExternalServiceException"


@pytest.mark.parametrize("discovered", [True, False])
def test_keys_are_fetched_from_the_issuer(api, emulator_keys, discovered):
    """A token verifies with the keys at the address in the discovery document, or in the seed."""
    from cognito_credentials.emulator import Emulator
    from cognito_credentials.emulator.logins.keys import SERVICE
    from cognito_credentials.emulator.logins.tokens import sign_jwt

    with Emulator(keys=emulator_keys) as issuer:
        provider = issuer.url.removeprefix("http://") if discovered else "issuer.example.com"
        arn = f"arn:aws:iam::123456789012:oidc-provider/{provider}"
        keys = None if discovered else f"{issuer.url}/.well-known/jwks_uri"
        api.emulator.service.state.execute(
            "INSERT INTO issuers VALUES (?, '[\"app\"]', NULL, ?)", provider, keys
        )
        pool_id = api.emulator.create_pool(OpenIdConnectProviderARNs=[arn])
        scheme = "http" if discovered else "https"
        claims = {"iss": f"{scheme}://{provider}", "sub": "a", "aud": "app", "exp": 4_000_000_000}
        header = {"kid": "us-east-1-7", "alg": "RS512"}
        token = sign_jwt(emulator_keys, SERVICE, header, claims)

        assert api.public.get_id(IdentityPoolId=pool_id, Logins={provider: token})["IdentityId"]


def test_opaque_tokens(api, refusal):
    """An opaque token must belong to a user of the seed. Otherwise the provider is taken not to answer."""
    provider = "graph.facebook.com"
    pool_id = api.emulator.create_pool(SupportedLoginProviders={provider: "1234"})
    api.emulator.service.state.execute(
        "INSERT INTO users (provider, subject, opaque_token, app_id) VALUES (?, 'ann', 'tok', '1234')",
        provider,
    )

    first = api.public.get_id(IdentityPoolId=pool_id, Logins={provider: "tok"})["IdentityId"]

    assert api.public.get_id(IdentityPoolId=pool_id, Logins={provider: "tok"})["IdentityId"] == first
    assert refusal(pool_id, {provider: "other"})[0] == "ExternalServiceException"


def test_more_than_ten_logins(api, refusal):
    """A call has at most ten logins."""
    eleven = {f"p{number}.example.com": "x" for number in range(11)}

    assert refusal(api.oidc_pool(), eleven)[0] == "ValidationException"


def _signed(api, claims):
    """A login with a token that the emulator's own calls cannot make."""
    now = int(api.emulator.service.clock.now())
    usual = {"iss": f"https://{OIDC}", "sub": "ann", "aud": "app", "iat": now, "exp": now + 600}
    header = {"kid": TEST_ISSUER_KEY_ID, "typ": "JWT", "alg": "RS256"}
    return {OIDC: sign_jwt(api.emulator.service.keys, TEST_ISSUER, header, {**usual, **claims})}


@pytest.mark.parametrize("claims", [{"dep": "\ud800"}, {"a": [{"\udfff": 1}]}, {"a": float("nan")}])
def test_claims_that_are_no_json(api, refusal, claims):
    """A token with half a surrogate pair, or with a number that JSON does not have, is refused."""
    assert refusal(api.oidc_pool(), _signed(api, claims)) == (
        "NotAuthorizedException",
        "Invalid login token. Not a valid OpenId Connect identity token.",
    )


@pytest.mark.parametrize("subject", ["", 7, ["ann"], "\ud800"])
def test_subject_that_is_no_text(api, refusal, subject):
    """The subject must be a text, not empty, of valid Unicode."""
    assert refusal(api.oidc_pool(), _signed(api, {"sub": subject})) == (
        "NotAuthorizedException",
        "Invalid login token. Not a valid OpenId Connect identity token.",
    )


def test_opaque_provider_listed_as_an_oidc_provider(api, refusal):
    """Login with Amazon needs an app id in the pool, even if the pool lists it as an OIDC provider."""
    arn = "arn:aws:iam::123456789012:oidc-provider/www.amazon.com"
    pool_id = api.emulator.create_pool(OpenIdConnectProviderARNs=[arn])

    assert refusal(pool_id, {"www.amazon.com": "token"}) == ("NotAuthorizedException", NOT_SUPPORTED)


def test_provider_that_is_no_host(api, refusal):
    """A provider name that cannot be a host is answered like any other."""
    provider = "[a.example.com"
    arn = f"arn:aws:iam::123456789012:oidc-provider/{provider}"
    pool_id = api.emulator.create_pool(OpenIdConnectProviderARNs=[arn])
    token = api.emulator.login_token(OIDC, subject="ann")

    assert refusal(pool_id, {provider: token})[1] == "Invalid login token. Issuer doesn't match providerName"
