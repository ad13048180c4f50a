"""Identity pools and their roles."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from ..conftest import GOOGLE, OIDC_ARN, ROLE, SIGNED
from .test_flows import rules

USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abcDEF123"


def test_minimal_pool(api):
    """The answer lacks members that were not given, but has an empty map of tags."""
    pool = api.developer.create_identity_pool(
        IdentityPoolName="My pool, 1", AllowUnauthenticatedIdentities=False
    )
    pool_id = pool["IdentityPoolId"]
    described = api.developer.describe_identity_pool(IdentityPoolId=pool_id)

    for answer in (pool, described):
        answer.pop("ResponseMetadata")
        assert answer == {
            "IdentityPoolId": pool_id,
            "IdentityPoolName": "My pool, 1",
            "AllowUnauthenticatedIdentities": False,
            "IdentityPoolTags": {},
        }


def test_full_pool(api):
    """The answer has all members that were given, and a default for ServerSideTokenCheck."""
    settings = {
        "IdentityPoolName": "full",
        "AllowUnauthenticatedIdentities": True,
        "AllowClassicFlow": False,
        "SupportedLoginProviders": {GOOGLE: "app"},
        "DeveloperProviderName": "dev.app",
        "OpenIdConnectProviderARNs": [OIDC_ARN],
        "SamlProviderARNs": ["arn:aws:iam::123456789012:saml-provider/corp"],
        "IdentityPoolTags": {"team": "a"},
    }

    pool = api.developer.create_identity_pool(
        **settings, CognitoIdentityProviders=[{"ProviderName": USER_POOL, "ClientId": "app"}]
    )

    assert {name: pool[name] for name in settings} == settings
    assert pool["CognitoIdentityProviders"] == [
        {"ProviderName": USER_POOL, "ClientId": "app", "ServerSideTokenCheck": False}
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"ClientId": "app"},
        {"ProviderName": "us-east-1_abc", "ClientId": "app"},
        {"ProviderName": "cognito-idp.eu-west-1.amazonaws.com/us-east-1_abc", "ClientId": "app"},
    ],
)
def test_invalid_user_pool(api, refused, entry):
    """A malformed user pool provider is refused with the exact text."""
    assert refused(
        api.developer.create_identity_pool,
        IdentityPoolName="p",
        AllowUnauthenticatedIdentities=True,
        CognitoIdentityProviders=[entry],
    ) == ("InvalidParameterException", "Invalid Cognito Identity Provider", 400)


def test_pool_is_in_the_region_of_the_signature(api, refused):
    """A pool's id begins with the region that its creation was signed for. It is found only there."""
    keys = {"AccessKeyId": "AKID", "SecretAccessKey": "CANARY"}
    ireland = api.client("cognito-identity", keys, region_name="eu-west-1")

    pool_id = ireland.create_identity_pool(IdentityPoolName="p", AllowUnauthenticatedIdentities=True)[
        "IdentityPoolId"
    ]

    assert pool_id.startswith("eu-west-1:")
    assert ireland.describe_identity_pool(IdentityPoolId=pool_id)["IdentityPoolName"] == "p"
    assert (
        refused(api.developer.describe_identity_pool, IdentityPoolId=pool_id)[0]
        == "ResourceNotFoundException"
    )


def test_smoke_of_botocore(api, refused):
    """The pool that botocore's smoke test asks for is not found, with a message."""
    code, message, _ = refused(
        api.developer.describe_identity_pool,
        IdentityPoolId="us-east-1:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    )

    assert code == "ResourceNotFoundException"
    assert message == "IdentityPool 'us-east-1:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee' not found."


@pytest.mark.thorough
def test_pool_limit(api, refused, monkeypatch):
    """A region has at most as many pools as the quota allows."""
    monkeypatch.setattr("cognito_credentials.emulator.assumed.POOL_LIMIT", 1)
    api.emulator.create_pool()

    assert (
        refused(
            api.developer.create_identity_pool,
            IdentityPoolName="p",
            AllowUnauthenticatedIdentities=True,
        )[0]
        == "LimitExceededException"
    )


@pytest.mark.thorough
def test_user_pool_limit(api, refused):
    """An identity pool has at most fifty user pools, each with any number of clients."""
    pools = [{"ProviderName": f"{USER_POOL}{number}", "ClientId": "app"} for number in range(51)]
    settings = {"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": True}

    clients = {"ProviderName": pools[0]["ProviderName"], "ClientId": "another"}
    made = api.developer.create_identity_pool(**settings, CognitoIdentityProviders=[*pools[:50], clients])

    settings["CognitoIdentityProviders"] = pools
    assert len(made["CognitoIdentityProviders"]) == 51
    assert refused(api.developer.create_identity_pool, **settings)[0] == "LimitExceededException"
    update = {"IdentityPoolId": made["IdentityPoolId"], **settings}
    assert refused(api.developer.update_identity_pool, **update)[0] == "LimitExceededException"


@pytest.mark.parametrize(
    "role",
    [
        "arn:aws:iam::999999999999:role/other",
        "arn:aws-cn:iam::123456789012:role/other",
        "arn:aws-other:iam::123456789012:role/other",
        "arn:aws:iam::123456789012:role/" + "r" * 65,
        "arn:aws:iam::123456789012:user/other",
        "a-name-that-is-long-enough",
    ],
)
def test_role_that_cannot_be_passed(api, refused, role):
    """A role that is not an ARN, or is in another account or partition, is forbidden with the exact text."""
    pool_id = api.emulator.create_pool()

    assert refused(
        api.developer.set_identity_pool_roles,
        IdentityPoolId=pool_id,
        Roles={"authenticated": role},
    ) == ("NotAuthorizedException", f"Access to Role '{role}' is forbidden.", 400)


def test_roles_of_a_real_account(api, refused):
    """A new pool is of the account of its first roles, and its sessions are; then it takes no others."""
    pool_id = api.developer.create_identity_pool(IdentityPoolName="p", AllowUnauthenticatedIdentities=True)[
        "IdentityPoolId"
    ]
    roles = {"unauthenticated": "arn:aws:iam::111122223333:role/guest"}
    mixed = {**roles, "authenticated": "arn:aws:iam::999999999999:role/user"}

    code, *_ = refused(api.developer.set_identity_pool_roles, IdentityPoolId=pool_id, Roles=mixed)
    assert code == "NotAuthorizedException"
    api.developer.set_identity_pool_roles(IdentityPoolId=pool_id, Roles=roles)
    guest = api.public.get_id(IdentityPoolId=pool_id, AccountId="111122223333")["IdentityId"]
    keys = api.public.get_credentials_for_identity(IdentityId=guest)["Credentials"]

    caller = api.client("sts", keys).get_caller_identity()
    assert caller["Account"] == "111122223333"
    assert caller["Arn"].startswith("arn:aws:sts::111122223333:assumed-role/guest/")
    for own in ("arn:aws:iam::123456789012:role/guest", "arn:aws:iam::999999999999:role/user"):
        roles = {"unauthenticated": own}
        found = refused(api.developer.set_identity_pool_roles, IdentityPoolId=pool_id, Roles=roles)
        assert found[1] == f"Access to Role '{own}' is forbidden."


def test_mapping_of_an_unconfigured_provider(api, refused):
    """A role mapping needs a provider of the pool; the text has the key in parentheses."""
    pool_id = api.emulator.create_pool()

    assert refused(
        api.developer.set_identity_pool_roles,
        IdentityPoolId=pool_id,
        Roles={},
        RoleMappings={USER_POOL: rules(("sub", "Equals", "a", "r"))},
    ) == (
        "InvalidParameterException",
        f"({USER_POOL}) is not a valid RoleMapping ProviderName or is not a configured provider.",
        400,
    )


@pytest.mark.parametrize(
    "mapping",
    [
        {"Type": "Token", "AmbiguousRoleResolution": "Deny"},
        {"Type": "Rules", "AmbiguousRoleResolution": "Deny"},
        {"Type": "Rules", "RulesConfiguration": rules(("a", "Equals", "a", "r"))["RulesConfiguration"]},
        rules(*[("a", "Equals", "a", "r")] * 26),
    ],
)
def test_incomplete_mapping(api, refused, mapping):
    """A mapping without the members that its type needs, or with too many rules, is an invalid parameter."""
    pool_id = api.oidc_pool()

    code, _, _ = refused(
        api.developer.set_identity_pool_roles,
        IdentityPoolId=pool_id,
        Roles={},
        RoleMappings={GOOGLE: mapping},
    )

    assert code == "InvalidParameterException"


def test_set_roles_replaces(api, refused):
    """SetIdentityPoolRoles replaces roles and mappings, and answers with an empty body."""
    pool_id = api.oidc_pool(role_mappings={GOOGLE: rules(("a", "Equals", "a", "r"))})
    identity_id = api.public.get_id(IdentityPoolId=pool_id)["IdentityId"]

    api.developer.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"unauthenticated": f"{ROLE}new"})

    keys = api.public.get_credentials_for_identity(IdentityId=identity_id)["Credentials"]
    assert "/new/" in api.client("sts", keys).get_caller_identity()["Arn"]
    assert api.public.get_open_id_token(IdentityId=identity_id)["Token"]
    logins = api.login()
    user_id = api.public.get_id(IdentityPoolId=pool_id, Logins=logins)["IdentityId"]
    code, _, _ = refused(api.public.get_credentials_for_identity, IdentityId=user_id, Logins=logins)
    assert code == "InvalidIdentityPoolConfigurationException"


@pytest.mark.parametrize("second", ["update_identity_pool", "set_identity_pool_roles"])
def test_two_updates_at_once(api, refused, second):
    """Of two updates of one pool at the same time, the later is refused. One of another pool is not."""
    pool_id, other = api.emulator.create_pool(), api.emulator.create_pool()
    api.emulator.plan_faults({"operation": "UpdateIdentityPool", "delay": 600})
    waiting = http.client.HTTPConnection(api.emulator.url.removeprefix("http://"), timeout=10)
    body = {"IdentityPoolId": pool_id, "IdentityPoolName": "a", "AllowUnauthenticatedIdentities": True}
    target = "AWSCognitoIdentityService.UpdateIdentityPool"
    waiting.request("POST", "/", json.dumps(body), {"X-Amz-Target": target})
    while not api.emulator.requests():
        pass
    arguments = {"Roles": {}}
    if second == "update_identity_pool":
        arguments = {"IdentityPoolName": "b", "AllowUnauthenticatedIdentities": True}

    code, _, status = refused(getattr(api.developer, second), IdentityPoolId=pool_id, **arguments)

    assert (code, status) == ("ConcurrentModificationException", 400)
    getattr(api.developer, second)(IdentityPoolId=other, **arguments)
    waiting.close()


def test_updates_one_after_the_other(api):
    """An update that has failed or ended does not block another one."""
    pool_id = api.emulator.create_pool()
    for name in ("a", "", "b"):
        with contextlib.suppress(ClientError, ParamValidationError):
            api.developer.update_identity_pool(
                IdentityPoolId=pool_id, IdentityPoolName=name, AllowUnauthenticatedIdentities=True
            )

    assert api.developer.describe_identity_pool(IdentityPoolId=pool_id)["IdentityPoolName"] == "b"


def test_two_clients_update_at_once(api):
    """Of two clients that update one pool at once, one succeeds and the other gets an error."""
    pool_id = api.emulator.create_pool()
    api.control("PUT", "settings", {"delay": 0.3})
    together = threading.Barrier(2)

    def update(name):
        body = {"IdentityPoolId": pool_id, "IdentityPoolName": name, "AllowUnauthenticatedIdentities": True}
        together.wait()
        return api.post("UpdateIdentityPool", body, **SIGNED)

    with ThreadPoolExecutor(2) as clients:
        answers = dict(zip("ab", clients.map(update, "ab"), strict=True))
    api.control("PUT", "settings", {"delay": 0})

    codes = sorted(answer.json.get("__type", "") for answer in answers.values())
    assert codes == ["", "ConcurrentModificationException"]
    winner = next(name for name, answer in answers.items() if answer.status == 200)
    assert api.developer.describe_identity_pool(IdentityPoolId=pool_id)["IdentityPoolName"] == winner
    assert update_alone(api, pool_id).status == 200


def update_alone(api, pool_id):
    body = {"IdentityPoolId": pool_id, "IdentityPoolName": "c", "AllowUnauthenticatedIdentities": True}
    return api.post("UpdateIdentityPool", body, **SIGNED)


def test_many_clients_update_at_once(api):
    """Clients that update one pool succeed or get ConcurrentModification. The pool is always consistent."""
    pool_id = api.emulator.create_pool()

    def update(number):
        name, made = f"n{number}", []
        for _ in range(20):
            body = {
                "IdentityPoolId": pool_id,
                "IdentityPoolName": name,
                "AllowUnauthenticatedIdentities": True,
                "DeveloperProviderName": "dev.app",
                "IdentityPoolTags": {"name": name},
            }
            answer = api.post("UpdateIdentityPool", body, **SIGNED)
            made.append(answer.json.get("__type", "ok"))
            roles = {"IdentityPoolId": pool_id, "Roles": {"authenticated": ROLE + name}}
            role_answer = api.post("SetIdentityPoolRoles", roles, **SIGNED)
            made.append(role_answer.json["__type"] if role_answer.body else "ok")
        return made

    with ThreadPoolExecutor(4) as clients:
        outcomes = [outcome for made in clients.map(update, range(4)) for outcome in made]

    assert set(outcomes) <= {"ok", "ConcurrentModificationException"}
    pool = api.developer.describe_identity_pool(IdentityPoolId=pool_id)
    assert pool["IdentityPoolTags"] == {"name": pool["IdentityPoolName"]}
