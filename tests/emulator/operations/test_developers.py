"""Developer authenticated identities, and principal tags in tokens and sessions."""

from __future__ import annotations

import json
import random
import string

import jwt
import pytest

from ..conftest import OIDC, OIDC_ARN, ROLE, credentials_id, get_id
from .test_identities import MISMATCH, forbidden

DEVELOPER = "login.my.app"
OWN = "cognito-identity.amazonaws.com"


@pytest.fixture
def pool_id(api):
    """A pool with a developer provider and an OIDC provider."""
    return api.oidc_pool(DeveloperProviderName=DEVELOPER)


@pytest.fixture
def token_for(api, pool_id):
    """GetOpenIdTokenForDeveloperIdentity for a user."""

    def call(user, logins=None, **arguments):
        return api.developer.get_open_id_token_for_developer_identity(
            IdentityPoolId=pool_id, Logins={DEVELOPER: user, **(logins or {})}, **arguments
        )

    return call


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_one_user_is_one_identity(token_for):
    """A developer user gets the same identity each time, and another user another identity."""
    first = token_for("ann")["IdentityId"]

    assert token_for("ann")["IdentityId"] == first
    assert token_for("bob")["IdentityId"] != first


def test_token(pool_id, token_for):
    """The token names the developer provider and user. It lasts 15 minutes, or TokenDuration."""
    answer = token_for("ann")

    content = claims(answer["Token"])
    assert content["sub"] == answer["IdentityId"]
    assert content["amr"] == ["authenticated", DEVELOPER, f"{DEVELOPER}:{pool_id}:ann"]
    assert content["exp"] - content["iat"] == 900
    longer = claims(token_for("ann", TokenDuration=86_400)["Token"])
    assert longer["exp"] - longer["iat"] == 86_400


def test_length_of_a_developer_user(token_for, refused):
    """A developer user has at most 1,024 characters."""
    assert token_for("u" * 1024)["IdentityId"]
    assert refused(token_for, user="u" * 1025)[::2] == ("InvalidParameterException", 400)


def test_token_duration_limit(token_for, refused):
    """A token lasts a day at most."""
    assert refused(token_for, user="ann", TokenDuration=86_401)[0] == "ValidationException"


def test_developer_enhanced_flow(api, token_for):
    """The client gives the back end's token to GetCredentialsForIdentity, under the service's name."""
    answer = token_for("ann")

    keys = api.public.get_credentials_for_identity(
        IdentityId=answer["IdentityId"], Logins={OWN: answer["Token"]}
    )["Credentials"]

    arn = api.client("sts", keys).get_caller_identity()["Arn"]
    assert arn.endswith(":assumed-role/authenticated/CognitoIdentityCredentials")


def test_own_token_under_the_wrong_name(api, token_for, refused):
    """A service token is not one of another provider, nor one of the developer provider."""
    answer = token_for("ann")
    call = api.public.get_credentials_for_identity

    wrong_key = refused(call, IdentityId=answer["IdentityId"], Logins={OIDC: answer["Token"]})
    wrong_name = refused(call, IdentityId=answer["IdentityId"], Logins={"login": answer["Token"]})

    assert wrong_key[1] == wrong_name[1] == "Invalid login token. Issuer doesn't match providerName"


def test_wrong_developer_provider(api, pool_id, refused):
    """A pool supports only its own developer provider."""
    assert refused(
        api.developer.get_open_id_token_for_developer_identity,
        IdentityPoolId=pool_id,
        Logins={"other.app": "ann"},
    )[:2] == (
        "InvalidParameterException",
        "This identity pool does not support the specified developer provider",
    )


def test_guest_becomes_a_developer_user(api, pool_id, token_for, refused):
    """An unknown user gets the guest identity that the call names."""
    guest = get_id(api, pool_id)

    assert token_for("ann", IdentityId=guest)["IdentityId"] == guest
    assert token_for("ann")["IdentityId"] == guest
    assert refused(api.public.get_open_id_token, IdentityId=guest) == forbidden(guest)


def test_user_of_another_identity(api, pool_id, token_for, refused):
    """A user of another identity is already registered."""
    token_for("ann")
    guest = get_id(api, pool_id)

    code, _, _ = refused(token_for, user="ann", IdentityId=guest)

    assert code == "DeveloperUserAlreadyRegisteredException"


def test_unknown_user_with_a_signed_in_identity(token_for, refused):
    """An unknown user gets no access to an identity without one of its logins."""
    ann = token_for("ann")["IdentityId"]

    assert refused(token_for, user="bob", IdentityId=ann) == (
        "NotAuthorizedException",
        MISMATCH,
        400,
    )


def test_public_login_opens_the_identity(api, pool_id, token_for):
    """With a valid login of the identity an unknown developer user is linked to it."""
    user_id = get_id(api, pool_id, api.login())

    answer = token_for("ann", api.login(), IdentityId=user_id)

    assert answer["IdentityId"] == user_id
    assert token_for("ann")["IdentityId"] == user_id
    assert api.developer.describe_identity(IdentityId=user_id)["Logins"] == [OIDC, DEVELOPER]


def test_implicit_merge(api, pool_id, token_for, refused):
    """A known user and a known public login merge into the developer's identity."""
    public = get_id(api, pool_id, api.login())
    developer = token_for("ann")["IdentityId"]

    assert token_for("ann", api.login())["IdentityId"] == developer
    assert get_id(api, pool_id, api.login()) == developer
    assert refused(api.public.get_open_id_token, IdentityId=public) == forbidden(public)


def test_identity_of_another_pool(api, token_for, refused):
    """An identity of another pool is not found."""
    other = get_id(api, api.oidc_pool())

    assert refused(token_for, user="ann", IdentityId=other)[:2] == (
        "ResourceNotFoundException",
        f"Identity '{other}' not found.",
    )


def test_lookup(api, pool_id, token_for, refused):
    """Lookup finds the identity of a user, and users of an identity in pages. A mismatch is a conflict."""
    ann = token_for("ann")["IdentityId"]
    bob = token_for("bob")["IdentityId"]
    api.developer.merge_developer_identities(
        IdentityPoolId=pool_id,
        DeveloperProviderName=DEVELOPER,
        SourceUserIdentifier="bob",
        DestinationUserIdentifier="ann",
    )
    token_for("eve")

    def lookup(**arguments):
        return api.developer.lookup_developer_identity(IdentityPoolId=pool_id, **arguments)

    by_user = lookup(DeveloperUserIdentifier="bob")
    first = lookup(IdentityId=ann, MaxResults=1)
    second = lookup(IdentityId=ann, MaxResults=1, NextToken=first["NextToken"])

    assert by_user["IdentityId"] == ann
    assert by_user["DeveloperUserIdentifierList"] == ["ann", "bob"]
    pages = first["DeveloperUserIdentifierList"] + second["DeveloperUserIdentifierList"]
    assert pages == ["ann", "bob"]
    assert "NextToken" not in second
    both = lookup(IdentityId=ann, DeveloperUserIdentifier="bob", MaxResults=1)
    assert (both["IdentityId"], both["DeveloperUserIdentifierList"]) == (ann, ["bob"])
    assert "NextToken" not in both
    mismatch = refused(lookup, IdentityId=ann, DeveloperUserIdentifier="eve")
    assert mismatch[0] == "ResourceConflictException"
    assert refused(lookup)[0] == "InvalidParameterException"
    assert refused(lookup, DeveloperUserIdentifier="none")[0] == "ResourceNotFoundException"
    assert lookup(IdentityId=bob)["DeveloperUserIdentifierList"] == []


def test_merge(api, pool_id, token_for, refused):
    """A merge keeps the destination's id and disables the source. A second merge changes nothing."""
    source = token_for("old")["IdentityId"]
    destination = token_for("new")["IdentityId"]
    merge = {
        "IdentityPoolId": pool_id,
        "DeveloperProviderName": DEVELOPER,
        "SourceUserIdentifier": "old",
        "DestinationUserIdentifier": "new",
    }

    for _ in range(2):
        answer = api.developer.merge_developer_identities(**merge)
        assert answer["IdentityId"] == destination
    assert token_for("old")["IdentityId"] == destination
    assert refused(api.public.get_open_id_token, IdentityId=source) == forbidden(source)
    wrong = refused(api.developer.merge_developer_identities, **{**merge, "DeveloperProviderName": "other"})
    assert wrong[0] == "InvalidParameterException"
    unknown = refused(api.developer.merge_developer_identities, **{**merge, "SourceUserIdentifier": "none"})
    assert unknown[0] == "ResourceNotFoundException"


def test_merge_with_two_users_of_one_provider(api, pool_id, token_for, refused):
    """Two identities with different users of one public provider cannot be merged."""
    first = token_for("one", api.login("ann"))["IdentityId"]
    second = token_for("two", api.login("bob"))["IdentityId"]

    code, _, _ = refused(
        api.developer.merge_developer_identities,
        IdentityPoolId=pool_id,
        DeveloperProviderName=DEVELOPER,
        SourceUserIdentifier="one",
        DestinationUserIdentifier="two",
    )

    assert code == "ResourceConflictException"
    assert token_for("one")["IdentityId"] == first
    assert token_for("two")["IdentityId"] == second


def test_at_most_twenty_logins(token_for, refused, api, pool_id):
    """An identity has no more than 20 logins."""
    identity_id = token_for("user0")["IdentityId"]
    for number in range(1, 20):
        token_for(f"user{number}")
        api.developer.merge_developer_identities(
            IdentityPoolId=pool_id,
            DeveloperProviderName=DEVELOPER,
            SourceUserIdentifier=f"user{number}",
            DestinationUserIdentifier="user0",
        )

    code, _, _ = refused(token_for, user="user0", logins=api.login())

    assert code == "ResourceConflictException"
    assert token_for("user19")["IdentityId"] == identity_id


def test_unlink_developer_identity(api, pool_id, token_for, refused):
    """An unlinked user gets a new identity. An identity that loses its last login is disabled."""
    ann = token_for("ann")["IdentityId"]
    bob = token_for("bob")["IdentityId"]
    unlink = {
        "IdentityPoolId": pool_id,
        "IdentityId": ann,
        "DeveloperProviderName": DEVELOPER,
        "DeveloperUserIdentifier": "ann",
    }
    call = api.developer.unlink_developer_identity

    assert refused(call, **{**unlink, "IdentityId": bob})[0] == "ResourceConflictException"
    assert refused(call, **{**unlink, "DeveloperUserIdentifier": "x"})[0] == ("ResourceNotFoundException")
    assert refused(call, **{**unlink, "DeveloperProviderName": "x"})[0] == ("InvalidParameterException")
    call(**unlink)

    assert token_for("ann")["IdentityId"] != ann
    assert refused(api.public.get_open_id_token, IdentityId=ann) == forbidden(ann)


def test_own_token_may_unlink(api, pool_id, token_for, refused):
    """A service token proves to UnlinkIdentity only the identity that it names."""
    ann = token_for("ann", api.login())
    bob = token_for("bob", api.login("bob"))
    unlink = {"IdentityId": ann["IdentityId"], "LoginsToRemove": [OIDC]}

    foreign = refused(api.public.unlink_identity, **unlink, Logins={OWN: bob["Token"]})
    api.public.unlink_identity(**unlink, Logins={OWN: ann["Token"]})

    assert foreign[1] == MISMATCH
    assert get_id(api, pool_id, api.login()) != ann["IdentityId"]
    assert token_for("ann")["IdentityId"] == ann["IdentityId"]


def trust(*actions):
    return {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": OWN},
            "Action": list(actions),
        }
    }


def tagged_pool(api, actions):
    """A pool that maps the OIDC claim ``team`` to a tag, and whose role trusts *actions*."""
    pool_id = api.oidc_pool()
    api.developer.set_principal_tag_attribute_map(
        IdentityPoolId=pool_id,
        IdentityProviderName=OIDC_ARN,
        PrincipalTags={"team": "team", "user": "sub", "gone": "missing"},
    )
    api.emulator.service.state.execute(
        "INSERT INTO roles (arn, trust_policy, max_session_seconds) VALUES (?, ?, 3600)",
        ROLE + "authenticated",
        json.dumps(trust(*actions)),
    )
    return pool_id


def test_principal_tags_in_the_token(api):
    """The token has mapped claims between amr and iss. A missing claim makes no tag."""
    pool_id = tagged_pool(api, ["sts:AssumeRoleWithWebIdentity"])
    logins = api.login("ann", claims={"team": "red"})
    identity_id = get_id(api, pool_id, logins)

    token = api.public.get_open_id_token(IdentityId=identity_id, Logins=logins)["Token"]

    content = claims(token)
    assert list(content)[2:5] == ["amr", "https://aws.amazon.com/tags", "iss"]
    assert content["https://aws.amazon.com/tags"] == {"principal_tags": {"team": ["red"], "user": ["ann"]}}


@pytest.mark.parametrize("value", ["red", "red;blue", "x" * 500])
@pytest.mark.parametrize("may_tag", [True, False])
def test_principal_tags_in_the_enhanced_flow(api, refused, may_tag, value):
    """
    Without sts:TagSession in the trust policy, or with tags that STS refuses, the pool is misconfigured.
    """
    actions = ["sts:AssumeRoleWithWebIdentity"] + ["sts:TagSession"] * may_tag
    pool_id = tagged_pool(api, actions)
    logins = api.login("ann", claims={"team": value})
    identity_id = get_id(api, pool_id, logins)

    if may_tag and value == "red":
        assert credentials_id(api, identity_id, logins) == identity_id
    else:
        assert (
            refused(api.public.get_credentials_for_identity, IdentityId=identity_id, Logins=logins)[0]
            == "InvalidIdentityPoolConfigurationException"
        )


def test_default_tags_of_facebook(api):
    """The default tags of Facebook are the app id and the user id."""
    provider = "graph.facebook.com"
    pool_id = api.emulator.create_pool(SupportedLoginProviders={provider: "app.1234"})
    api.developer.set_principal_tag_attribute_map(
        IdentityPoolId=pool_id, IdentityProviderName=provider, UseDefaults=True
    )
    api.emulator.set_user(provider, "ann", token="CANARY", app_id="app.1234")
    logins = {provider: "CANARY"}

    token = api.public.get_open_id_token(IdentityId=get_id(api, pool_id, logins), Logins=logins)["Token"]

    tags = claims(token)["https://aws.amazon.com/tags"]["principal_tags"]
    assert tags == {"client": ["app.1234"], "username": ["ann"]}


def test_size_of_mapped_tags(api, refused):
    """Mapped tags and their keys have at most 460 bytes in total."""
    pool_id = tagged_pool(api, ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"])
    api.developer.set_principal_tag_attribute_map(
        IdentityPoolId=pool_id, IdentityProviderName=OIDC_ARN, PrincipalTags={"one": "one", "two": "two"}
    )

    for size, fits in ((454, True), (455, False)):
        values = {"one": "x" * 250, "two": "ü" + "x" * (size - 252)}
        logins = api.login("ann", claims=values)
        identity_id = get_id(api, pool_id, logins)
        if fits:
            assert credentials_id(api, identity_id, logins) == identity_id
        else:
            code = refused(api.public.get_credentials_for_identity, IdentityId=identity_id, Logins=logins)[0]
            assert code == "InvalidIdentityPoolConfigurationException"


def test_developer_principal_tags(token_for):
    """A back end gives the tags of one token."""
    content = claims(token_for("ann", PrincipalTags={"team": "red"})["Token"])

    assert content["https://aws.amazon.com/tags"] == {"principal_tags": {"team": ["red"]}}


def test_guests_token_proves_nothing(api, refused):
    """A guest's token gives no access to the identity and unlinks nothing, before and after a sign-in."""
    pool_id = api.oidc_pool(AllowUnauthenticatedIdentities=True)
    identity_id = api.public.get_id(IdentityPoolId=pool_id)["IdentityId"]
    stale = {OWN: api.public.get_open_id_token(IdentityId=identity_id)["Token"]}
    credentials = api.public.get_credentials_for_identity

    early = refused(credentials, IdentityId=identity_id, Logins=stale)
    credentials(IdentityId=identity_id, Logins=api.login())
    late = refused(credentials, IdentityId=identity_id, Logins=stale)
    unlink = refused(
        api.public.unlink_identity, IdentityId=identity_id, Logins=stale, LoginsToRemove=["login.example.com"]
    )

    for code, text, _ in (early, late, unlink):
        assert code == "NotAuthorizedException"
        assert text.startswith("Logins don't match.")


def test_own_token_under_the_name_of_another_partition(api, token_for, refused):
    """The key of a service token in Logins is the service's name in the pool's partition."""
    ann = token_for("ann", api.login())
    logins = {"cognito-identity.cn-north-1.amazonaws.com.cn": ann["Token"]}
    call = api.public.get_credentials_for_identity

    assert refused(call, IdentityId=ann["IdentityId"], Logins=logins)[0] == "NotAuthorizedException"


def test_own_token_of_another_pool(api, token_for, refused):
    """A token of another pool's identity gives no access, unlinks nothing and proves nothing."""
    ann = token_for("ann", api.login())
    other_id = get_id(api, api.oidc_pool(DeveloperProviderName=DEVELOPER), api.login())
    own = {"IdentityId": other_id, "Logins": {OWN: ann["Token"]}}

    for call, more in (
        (api.public.get_credentials_for_identity, {}),
        (api.public.get_open_id_token, {}),
        (api.public.unlink_identity, {"LoginsToRemove": [OIDC]}),
    ):
        assert refused(call, **own, **more)[:2] == ("NotAuthorizedException", MISMATCH)


def test_login_beside_an_own_token(api, token_for, refused):
    """A call with a service token and another login fails if that login fails."""
    ann = token_for("ann", api.login())
    call = api.public.get_credentials_for_identity
    own = {OWN: ann["Token"]}

    good = call(IdentityId=ann["IdentityId"], Logins={**own, **api.login()})
    bad = refused(call, IdentityId=ann["IdentityId"], Logins={**own, OIDC: "CANARY"})

    assert good["IdentityId"] == ann["IdentityId"]
    assert bad[1] == "Invalid login token. Not a valid OpenId Connect identity token."


def test_unknown_login_beside_an_own_token(api, pool_id, token_for):
    """A new login is linked to the identity that the service token beside it proves."""
    ann = token_for("ann")

    got = credentials_id(api, ann["IdentityId"], {OWN: ann["Token"], **api.login("new")})

    assert got == ann["IdentityId"]
    assert get_id(api, pool_id, api.login("new")) == ann["IdentityId"]


def test_known_login_beside_an_own_token(api, pool_id, token_for, refused):
    """A login of another identity merges that identity into the one that the service token proves."""
    other = get_id(api, pool_id, api.login("bob"))
    ann = token_for("ann")

    got = credentials_id(api, ann["IdentityId"], {OWN: ann["Token"], **api.login("bob")})

    assert got == ann["IdentityId"]
    assert get_id(api, pool_id, api.login("bob")) == got
    assert refused(api.public.get_credentials_for_identity, IdentityId=other) == forbidden(other)


def test_conflicting_login_beside_an_own_token(api, token_for, refused):
    """A second user of a provider that the identity has a login of is a conflict."""
    ann = token_for("ann", api.login("ann"))
    call = api.public.get_credentials_for_identity

    code = refused(call, IdentityId=ann["IdentityId"], Logins={OWN: ann["Token"], **api.login("bob")})[0]

    assert code == "ResourceConflictException"


def test_own_token_of_a_disabled_identity(api, pool_id, token_for, refused):
    """
    The token of a merged identity gives no access. A login beside it leads to the identity that remains.
    """
    ann, bob = token_for("ann"), token_for("bob", api.login("bob"))
    api.developer.merge_developer_identities(
        IdentityPoolId=pool_id,
        SourceUserIdentifier="ann",
        DestinationUserIdentifier="bob",
        DeveloperProviderName=DEVELOPER,
    )
    own = {OWN: ann["Token"]}

    alone = refused(api.public.get_credentials_for_identity, IdentityId=ann["IdentityId"], Logins=own)

    assert alone == forbidden(ann["IdentityId"])
    assert credentials_id(api, ann["IdentityId"], {**own, **api.login("bob")}) == bob["IdentityId"]


def test_amr_of_logins_beside_an_own_token(api, pool_id, token_for):
    """A new token names the logins of the old token and those beside it."""
    ann = token_for("ann")

    token = api.public.get_open_id_token(
        IdentityId=ann["IdentityId"], Logins={OWN: ann["Token"], **api.login("ann")}
    )["Token"]

    assert claims(token)["amr"] == [
        *("authenticated", DEVELOPER, f"{DEVELOPER}:{pool_id}:ann"),
        *(OIDC, f"{OIDC_ARN}:OIDC:ann"),
    ]


@pytest.mark.parametrize("logins", [{"other.app": "ann"}, {DEVELOPER: "ann", OIDC: "no token"}])
def test_unknown_identity_comes_first(api, pool_id, refused, logins):
    """An identity of another pool is not found. Providers and tokens are checked later."""
    call = api.developer.get_open_id_token_for_developer_identity
    elsewhere = get_id(api, api.oidc_pool())

    for identity_id in ("us-east-1:0000", elsewhere):
        assert refused(call, IdentityPoolId=pool_id, IdentityId=identity_id, Logins=logins) == (
            "ResourceNotFoundException",
            f"Identity '{identity_id}' not found.",
            400,
        )


def test_tags_of_a_back_end(api, token_for, refused):
    """A back end's tags may be longer than mapped tags, but must fit into STS's packed size."""
    noise = random.Random(1)
    packed = {f"k{n}": "".join(noise.choices(string.ascii_letters, k=250)) for n in range(10)}

    for tags, fits in (({"k": "v" * 250, "l": "w" * 250}, True), (packed, False)):
        answer = token_for("ann", PrincipalTags=tags)
        arguments = {"IdentityId": answer["IdentityId"], "Logins": {OWN: answer["Token"]}}
        if fits:
            assert api.public.get_credentials_for_identity(**arguments)
        else:
            code = refused(api.public.get_credentials_for_identity, **arguments)[0]
            assert code == "InvalidIdentityPoolConfigurationException"
