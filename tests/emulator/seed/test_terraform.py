"""Terraform's states and plans as seeds, and every mistake in them in one line."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from cognito_credentials.emulator import Emulator, Seed
from cognito_credentials.emulator.seed.file import SeedError

from ..conftest import Api, get_id

FILES = Path(__file__).with_name("files")
STATE, PLAN = FILES / "terraform.tfstate", FILES / "plan.json"
POOL_ID = "eu-west-1:7d1c0a4e-5b7f-4c3e-9a55-0d3f5a6b7c8d"
PROVIDER = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Kz3Ab9Qx1"


@pytest.fixture
def load(tmp_path):
    """A function that loads a value, which is written as JSON, or a text."""

    def call(value, **options):
        file = tmp_path / "file.json"
        file.write_text(value if isinstance(value, str) else json.dumps(value))
        return Seed.load(file, **options)

    return call


def shown(state):
    """A state as ``terraform show -json`` prints it."""
    modules = {"": []}
    for resource in state["resources"]:
        for instance in resource["instances"]:
            if "deposed" not in instance:
                entry = {name: resource[name] for name in ("mode", "type", "name")}
                index = {"index": instance["index_key"]} if "index_key" in instance else {}
                modules.setdefault(resource.get("module", ""), []).append(
                    {**entry, **index, "values": instance["attributes"]}
                )
    root = {"resources": modules.pop("")}
    root["child_modules"] = [{"address": name, "resources": found} for name, found in modules.items()]
    outputs = {name: {"sensitive": False, **output} for name, output in state["outputs"].items()}
    return {
        "format_version": "1.0",
        "terraform_version": "1.9.8",
        "values": {"outputs": outputs, "root_module": root},
    }


@pytest.fixture(params=["state", "show"])
def state(request, load):
    """The seed of a state, and of the same state by terraform show -json."""
    content = json.loads(STATE.read_text())
    return load(content if request.param == "state" else shown(content))


def test_state(state, boto_session, emulator_keys):
    """A state makes the pools with the ids and in the account that AWS gave them, with roles and users."""
    with Emulator(seed=state, keys=emulator_keys) as emulator:
        api = Api(emulator, None, None, boto_session)
        api.public = api.client("cognito-identity", region_name="eu-west-1")
        guest = api.public.get_id(IdentityPoolId=POOL_ID, AccountId="111122223333")["IdentityId"]
        keys = api.public.get_credentials_for_identity(IdentityId=guest)["Credentials"]
        caller = api.client("sts", keys).get_caller_identity()
        client = "3n4b5urk1ft4fl3mg5e62d9ado"
        logins = {PROVIDER: emulator.login_token(PROVIDER, audience=client, subject="ann")}
        user = get_id(api, POOL_ID, logins)
        keys = api.public.get_credentials_for_identity(IdentityId=user, Logins=logins)["Credentials"]
        staff = api.client("sts", keys).get_caller_identity()["Arn"]
        api.close()

    assert caller["Arn"] == "arn:aws:sts::111122223333:assumed-role/guest/CognitoIdentityCredentials"
    assert staff == "arn:aws:sts::111122223333:assumed-role/staff/CognitoIdentityCredentials"
    assert state.ids["aws_cognito_identity_pool.main[0]"] == POOL_ID
    assert state.ids['module.auth.aws_cognito_user_pool_client.app["web"]'] == client
    assert state.outputs == {"identity_pool_id": POOL_ID, "clients": [client]}


def test_users_of_a_state(state):
    """Users have their passwords and subjects, and clients their secrets and limits."""
    (users,) = state.content["user_pools"]
    (ann,) = users["users"]
    web, server = users["clients"]

    assert (ann["name"], ann["password"], ann["groups"]) == ("ann", "Correct-horse-1", ["staff"])
    assert ann["sub"] == "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
    assert web["flows"] == ["REFRESH_TOKEN_AUTH", "USER_SRP_AUTH"]
    assert (web["hides_users"], "secret" in web, server["secret"]) == (True, False, "1example2secret")
    assert (users["access_token_minutes"], users["id_token_minutes"], users["session_minutes"]) == (15, 60, 5)
    assert (users["mfa"], users["sign_up"], users["shortest_password"]) == ("optional", False, 12)
    assert users["password_needs"] == ["lowercase", "numbers"]


def test_what_a_state_leaves_out(state):
    """Other resources and sensitive outputs are named; no line has a secret."""
    assert set(state.left_out) == {
        "aws_s3_bucket.photos is left out: the emulator has no such resources",
        "output server_secret is left out: it is sensitive",
    }
    assert not any(
        word in json.dumps([state.about(), *state.ids_said(), *state.left_out_said()])
        for word in ("1example2secret", "Correct")
    )


def test_plan(boto_session, emulator_keys):
    """A plan, in which no id is known yet, makes the pools that apply would make."""
    seed = Seed.load(PLAN)
    pool_id, client = seed.outputs["identity_pool_id"], seed.outputs["client_id"]
    provider = f"cognito-idp.eu-central-1.amazonaws.com/{seed.ids['module.auth.aws_cognito_user_pool.users']}"
    role = seed.ids["aws_iam_role.users[0]"]

    with Emulator(seed=seed, keys=emulator_keys) as emulator:
        api = Api(emulator, None, None, boto_session)
        api.public = api.client("cognito-identity", region_name="eu-central-1")
        guest = get_id(api, pool_id)
        keys = api.public.get_credentials_for_identity(IdentityId=guest)["Credentials"]
        arn = api.client("sts", keys).get_caller_identity()["Arn"]
        assert get_id(api, pool_id, {provider: emulator.login_token(provider, audience=client)})
        api.close()

    (pool,) = seed.content["pools"]
    (users,) = seed.content["user_pools"]
    assert arn == "arn:aws:sts::123456789012:assumed-role/guest/CognitoIdentityCredentials"
    assert pool["Roles"] == {"authenticated": role, "unauthenticated": "arn:aws:iam::123456789012:role/guest"}
    assert list(pool["RoleMappings"]) == [f"{provider}:{client}"]
    assert list(pool["PrincipalTags"]) == [provider]
    assert pool["OpenIdConnectProviderARNs"] == ["arn:aws:iam::123456789012:oidc-provider/login.example.com"]
    assert users["groups"] == [{"name": "staff", "role": role}]
    assert [one.get("callback_urls") for one in users["clients"]] == [None, ["http://localhost:3000/"]]
    assert client == seed.ids['module.auth.aws_cognito_user_pool_client.app["web"]']
    assert seed.outputs["stage"] == "test"
    assert Seed.load(PLAN, region="us-west-2").outputs["identity_pool_id"].startswith("us-west-2:")


@pytest.mark.parametrize(
    ("unknown", "names", "expected"),
    [
        (
            {"authenticated": True, "unauthenticated": True},
            ["user", "guest"],
            {"authenticated": "user", "unauthenticated": "guest"},
        ),
        (
            {"authenticated": True, "unauthenticated": True},
            ["unauth", "auth"],
            {"authenticated": "auth", "unauthenticated": "unauth"},
        ),
        (
            {"authenticated": True, "unauthenticated": True},
            ["one", "two"],
            {"authenticated": "one", "unauthenticated": "two"},
        ),
        ({"unauthenticated": True}, ["one"], {"unauthenticated": "one"}),
        (True, ["one"], {"authenticated": "one"}),
    ],
)
def test_roles_of_a_plan(load, unknown, names, expected):
    """A plan has the roles of a pool without their keys: the guests' role is the one whose name says so."""
    plan = json.loads(PLAN.read_text())
    resources = plan["planned_values"]["root_module"]["resources"]
    roles = [
        {"mode": "managed", "type": "aws_iam_role", "name": name, "values": {"name": name, "path": "/"}}
        for name in names
    ]
    plan["planned_values"]["root_module"]["resources"] = [*resources, *roles]
    plan["resource_changes"][0]["change"]["after_unknown"]["roles"] = unknown
    code = plan["configuration"]["root_module"]["resources"]
    (attachment,) = (one for one in code if one["type"].endswith("roles_attachment"))
    attachment["expressions"]["roles"] = {"references": [f"aws_iam_role.{name}.arn" for name in names]}

    found = load(plan).content["pools"][0]["Roles"]

    assert {key: arn.rpartition("/")[2] for key, arn in found.items()} == expected


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (
            {"version": 3, "terraform_version": "0.11.0", "modules": []},
            "version: expected 4, which Terraform writes",
        ),
        ({"version": 4, "lineage": "", "resources": {}}, "resources: expected a list"),
        ({"version": 4, "lineage": "", "resources": [5]}, "resources[1]: expected a table"),
        (
            {"version": 4, "lineage": "", "resources": [{"type": 5, "instances": [{}]}]},
            "resources[1].type: expected a text",
        ),
        ({"format_version": "2.0"}, "format_version: '2.0' is not known; expected 1.x"),
        ({"format_version": "1.0", "values": []}, "values: expected a table"),
        (
            {"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "x"},
            "the state is encrypted: give the output",
        ),
        (
            '{"@level":"info"}\n{"@level":"info"}\n',
            "it is the log of a plan: save the plan by -out, and give",
        ),
        (
            'resource "aws_cognito_identity_pool" "main" {\n}\n',
            "it is Terraform's code: give its state, or a plan",
        ),
        ("PK\x03\x04", "it is an archive, such as a plan: give the output of terraform show -json FILE"),
    ],
)
def test_mistakes(load, tmp_path, content, error):
    """A file that is none of Terraform's, or is damaged, is one line that says what to give instead."""
    with pytest.raises(SeedError) as caught:
        load(content)

    assert str(caught.value).startswith(f"seed file {tmp_path / 'file.json'}: {error}")


def test_parameters_are_for_templates(load):
    """Parameters of CloudFormation have no meaning for Terraform."""
    with pytest.raises(SeedError, match="parameters are for templates of CloudFormation"):
        load({"format_version": "1.0"}, parameters={"Stage": "x"})


def test_modules_that_pass_a_value_in_a_circle(load):
    """References that lead in a circle, which Terraform never writes, end with a value that is not known."""
    plan = copy.deepcopy(json.loads(PLAN.read_text()))
    outputs = plan["configuration"]["root_module"]["module_calls"]["auth"]["module"]["outputs"]
    outputs["endpoint"] = {"expression": {"references": ["var.staff_role_arn"]}}
    expressions = plan["configuration"]["root_module"]["module_calls"]["auth"]["expressions"]
    expressions["staff_role_arn"] = {"references": ["module.auth.endpoint", "module.auth.endpoint"]}

    seed = load(plan)

    assert seed.content["pools"][0]["CognitoIdentityProviders"] == []
    assert any("its provider or client is not known before apply" in line for line in seed.left_out)


@pytest.mark.parametrize(
    ("arns", "expression"),
    [(None, {"constant_value": ["arn"]}), ([None, {"a": "arn"}], {"constant_value": "arn"})],
)
def test_providers_of_the_wrong_type(load, arns, expression):
    """Tables and lists in place of ARNs, which Terraform never writes, do not end in a traceback."""
    plan = json.loads(PLAN.read_text())
    resources = plan["planned_values"]["root_module"]["resources"]
    code = plan["configuration"]["root_module"]["resources"]
    (pool,) = (one for one in resources if one["type"] == "aws_cognito_identity_pool")
    (written,) = (one for one in code if one["type"] == "aws_cognito_identity_pool")
    pool["values"]["openid_connect_provider_arns"] = arns
    written["expressions"]["openid_connect_provider_arns"] = expression

    try:
        load(plan)
    except SeedError as error:
        assert "openid_connect_provider_arns" in str(error)  # noqa: PT017 - either is right
