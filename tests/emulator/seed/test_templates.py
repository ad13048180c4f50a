"""CloudFormation templates as seeds: of CDK, and in YAML with short forms; every mistake is one line."""

from __future__ import annotations

import base64
import hmac
import io
import json
import sys
import threading
from pathlib import Path

import pytest

from cognito_credentials.emulator import Emulator, Seed
from cognito_credentials.emulator.command import serve
from cognito_credentials.emulator.seed.file import SeedError

from ..conftest import Api, command, credentials_id, get_id

FILES = Path(__file__).with_name("files")
CDK, YAML = FILES / "app.template.json", FILES / "pool.yaml"
POOL = {"Type": "AWS::Cognito::IdentityPool", "Properties": {"AllowUnauthenticatedIdentities": True}}


@pytest.fixture
def load(tmp_path):
    """A function that loads a template: a text, bytes, or a value that is written as JSON."""

    def call(template, name="template", **options):
        file = tmp_path / name
        content = template if isinstance(template, str | bytes) else json.dumps(template)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return Seed.load(file, **options)

    return call


@pytest.fixture
def mistake(load, tmp_path, emulator_keys):
    """A function from a template to the error that it causes, without the file's name."""

    def call(template, **options):
        with pytest.raises(SeedError) as caught:
            Emulator(seed=load(template, **options), keys=emulator_keys).start()
        line, prefix = str(caught.value), f"seed file {tmp_path / 'template'}: "
        assert line.isprintable()
        assert line.startswith(prefix), line
        return line.removeprefix(prefix)

    return call


def output(value, **resources):
    """A template whose only output is *value*."""
    return {"Resources": resources, "Outputs": {"Found": {"Value": value}}}


@pytest.fixture
def found(load):
    """A function from a value to what it is resolved to, in a template with the given sections."""

    def call(value, **sections):
        return load({**output(value), **sections}).outputs["Found"]

    return call


def secret_hash(seed, username):
    """The SECRET_HASH of the template's client that has a secret."""
    (users,) = seed.content["user_pools"]
    (client,) = (one for one in users["clients"] if "secret" in one)
    made = hmac.digest(client["secret"].encode(), f"{username}{client['id']}".encode(), "sha256")
    return base64.b64encode(made).decode()


def test_template_of_cdk(boto_session, emulator_keys):
    """An app's own CDK template makes its pools with users, roles and providers; outputs name the ids."""
    seed = Seed.load(CDK)
    pool_id, client_id = seed.outputs["IdentityPoolId"], seed.outputs["WebClientId"]

    with Emulator(seed=seed, keys=emulator_keys, strict_roles=True) as emulator:
        api = Api(emulator, None, None, boto_session)
        api.public = api.client("cognito-identity")
        guest = get_id(api, pool_id)
        keys = api.public.get_credentials_for_identity(IdentityId=guest)["Credentials"]
        arn = api.client("sts", keys).get_caller_identity()["Arn"]
        users = emulator.user_pool(seed.outputs["UserPoolId"], client_id)
        logins = dict(users.logins("ann@example.com"))  # of the group staff
        answer = api.client("cognito-idp").initiate_auth(
            ClientId=seed.ids["UsersServer0F1E2D3C"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={
                "USERNAME": "ann@example.com",
                "PASSWORD": "Temporary-1!",
                "SECRET_HASH": secret_hash(seed, "ann@example.com"),
            },
        )
        keys = api.public.get_credentials_for_identity(IdentityId=get_id(api, pool_id, logins), Logins=logins)
        staff = api.client("sts", keys["Credentials"]).get_caller_identity()["Arn"]
        about = api.control("GET", "seed").json
        api.close()

    assert answer["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert ":assumed-role/guest/" in arn
    assert ":assumed-role/emulator-StaffRole4B5A6978/" in staff
    assert about == {"ids": dict(seed.ids), "outputs": dict(seed.outputs), "left_out": list(seed.left_out)}
    (users,) = seed.content["user_pools"]
    assert users["users"] == [
        {
            "name": "ann@example.com",
            "attributes": {"email": "ann@example.com"},
            "groups": ["staff"],
            "password": "Temporary-1!",
            "status": "FORCE_CHANGE_PASSWORD",
        }
    ]
    assert users["groups"][0]["role"] == seed.ids["StaffRole4B5A6978"]
    assert (users["mfa"], users["devices"], users["id_token_minutes"], users["refresh_token_days"]) == (
        "optional",
        "ask",
        30,
        7,
    )


def test_what_is_left_out_is_said():
    """Each resource, property and output that the emulator does not have is named, with the reason."""
    web = "Resources.UsersWeb5E6F7A8B.Properties"
    providers = "Resources.Identities.Properties.CognitoIdentityProviders"
    domain, function = "AWS::Cognito::UserPoolDomain", "CustomAWSCDKOpenIdConnectProviderHandlerF2C543E0"

    assert list(Seed.load(CDK).left_out) == [
        f"{web}.CallbackURLs[2] is left out: Site9C8D.DomainName is known to AWS alone",
        "Ann has the temporary password Temporary-1!: the file has none",
        f"{providers}[3].ProviderName is left out: Fn::ImportValue is resolved by AWS alone",
        f"UsersDomain12AB34CD ({domain}) is left out: the sign-in pages are at the emulator's own address",
        f"{function} (AWS::Lambda::Function) is left out: the emulator has no such resources",
        "Site9C8D (AWS::CloudFront::Distribution) is left out: the emulator has no such resources",
        "CDKMetadata (AWS::CDK::Metadata) is left out: the emulator has no use for it",
        "Outputs.SiteUrl is left out: Site9C8D.DomainName is known to AWS alone",
    ]


def test_template_in_yaml(boto_session, emulator_keys):
    """A YAML template may use short forms, anchors and unquoted dates."""
    seed = Seed.load(YAML)
    (pool,) = seed.content["pools"]

    with Emulator(seed=seed, keys=emulator_keys, strict_roles=True) as emulator:
        api = Api(emulator, None, None, boto_session)
        api.public = api.client("cognito-identity")
        assert credentials_id(api, get_id(api, seed.outputs["PoolId"]))
        api.close()

    assert pool["IdentityPoolName"] == "emulator dev"
    assert pool["AllowUnauthenticatedIdentities"] is True
    assert "DeveloperProviderName" not in pool
    assert pool["SupportedLoginProviders"] == {
        "accounts.google.com": "app-id",
        "graph.facebook.com": "1234567890123456",
    }
    assert seed.outputs["Provider"] == "cognito-idp.us-east-1.amazonaws.com"
    (users,) = seed.content["user_pools"]
    assert users["clients"][0]["callback_urls"] == ["https://app.example.com/callback"]
    assert "secret" not in users["clients"][0]
    assert users["rotate_refresh_tokens"] is True
    assert list(seed.left_out) == ["Queue (AWS::SQS::Queue) is left out: the emulator has no such resources"]


def test_ids_are_the_same_each_time(load):
    """A test may name the ids of a template: they follow from its logical ids and the region alone."""
    first = load({"Resources": {"Pool": POOL}}, "first.json")
    other = load({"Resources": {"Other": POOL, "Pool": POOL}}, "second.json")

    assert first.ids["Pool"] == other.ids["Pool"] == "us-east-1:02d3797e-fc85-5e57-961c-ae3935c8fbee"
    assert (
        load({"Resources": {"Pool": POOL}}, region="eu-west-1").ids["Pool"].startswith("eu-west-1:02d3797e-")
    )


def test_the_command_says_what_is_what(tmp_path):
    """The command writes each output, id and part that is left out to stderr, a line each."""
    with command(f"seed={YAML}") as process:
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(process.stderr))
        reader.start()
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        process.terminate()
        process.wait()
        reader.join()

    pool, nothing = "us-east-1:02d3797e-fc85-5e57-961c-ae3935c8fbee", "the emulator has no such resources"
    assert f"seed {YAML}: output PoolId is {pool}\n" in lines
    assert f"seed {YAML}: Pool is {pool}\n" in lines
    assert f"cognito-credentials: seed {YAML}: Queue (AWS::SQS::Queue) is left out: {nothing}\n" in lines


def test_the_command_says_the_ids_that_it_gave(tmp_path):
    """A pool of a TOML file that has no id there gets one, and the command writes it to stderr."""
    path = tmp_path / "pools.toml"
    path.write_text('[[pools]]\nIdentityPoolName = "app"\nAllowUnauthenticatedIdentities = true\n')
    with command(f"seed={path}") as process:
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        line = process.stderr.readline()
        process.terminate()
        process.wait()

    assert line.startswith(f"seed {path}: pool app is us-east-1:")


def test_the_command_says_the_ids_of_all_pools_in_the_order_of_the_file(tmp_path):
    """Also of more pools than a page of the list has."""
    path, names = tmp_path / "pools.toml", [f"app {number}" for number in range(60)]
    pool = '[[pools]]\nIdentityPoolName = "{}"\nAllowUnauthenticatedIdentities = true\n'
    path.write_text("".join(map(pool.format, names)))
    with command(f"seed={path}") as process:
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        process.terminate()
        lines = process.communicate(timeout=60)[1].splitlines()

    assert [line.partition(" is us-east-1:")[0] for line in lines] == [
        f"seed {path}: pool {name}" for name in names
    ]


def test_secrets_of_outputs_are_shown_where_they_are_asked_for(load):
    """An app client's secret is in the outputs only if the template puts it there."""
    client = {
        "Type": "AWS::Cognito::UserPoolClient",
        "Properties": {"UserPoolId": {"Ref": "Users"}, "GenerateSecret": True},
    }
    template = {"Resources": {"Users": {"Type": "AWS::Cognito::UserPool"}, "Web": client}}
    secret = load(template).content["user_pools"][0]["clients"][0]["secret"]

    assert secret not in json.dumps(load(template).about())
    named = {**template, "Outputs": {"Secret": {"Value": {"Fn::GetAtt": ["Web", "ClientSecret"]}}}}
    assert load(named).outputs == {"Secret": secret}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::AccountId"}, "123456789012"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
        ({"Ref": "Text"}, "text"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Ref": "Number"}, 7),
        ({"Fn::Sub": "x-${Text}-${!Text}-${AWS::Region}"}, "x-text-${Text}-us-east-1"),
        ({"Fn::Sub": ["${A}${Text}", {"A": {"Ref": "Number"}}]}, "7text"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Text"}, 1, True]]}, "a-text-1-true"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::Split": ["|", "a|b|"]}, ["a", "b", ""]),
        ({"Fn::FindInMap": ["Map", {"Ref": "Text"}, "key"]}, "found"),
        ({"Fn::FindInMap": ["Map", "none", "key", {"DefaultValue": "usual"}]}, "usual"),
        ({"Fn::If": ["IsText", "yes", {"Ref": "Nothing"}]}, "yes"),
        ({"Fn::If": ["IsOther", {"Ref": "Nothing"}, "no"]}, "no"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ([{"Fn::If": ["IsOther", "left", {"Ref": "AWS::NoValue"}]}, "kept"], ["kept"]),
        ({"key": {"Ref": "AWS::NoValue"}, "other": {"Fn::GetAtt": "Nothing.X"}}, None),
    ],
)
def test_functions(found, mistake, value, expected):
    """The intrinsic functions have the values that CloudFormation gives them."""
    sections = {
        "Parameters": {
            "Text": {"Type": "String", "Default": "text"},
            "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
            "Number": {"Type": "Number", "Default": 7},
        },
        "Mappings": {"Map": {"text": {"key": "found"}}},
        "Conditions": {
            "IsText": {"Fn::Equals": [{"Ref": "Text"}, "text"]},
            "IsOther": {"Fn::Not": [{"Condition": "IsText"}]},
            "Both": {"Fn::And": [{"Condition": "IsText"}, {"Condition": "IsOther"}]},
            "Either": {"Fn::Or": [{"Condition": "IsText"}, {"Condition": "IsOther"}]},
        },
    }
    if expected is None:
        assert "the template has no 'Nothing'" in mistake({**output(value), **sections})
    else:
        assert found(value, **sections) == expected


def test_parameters(load, mistake):
    """A parameter takes the value that Python code gives, or its default; one without either is named."""
    template = {**output({"Ref": "Stage"}), "Parameters": {"Stage": {"Type": "String"}}}

    assert load(template, parameters={"Stage": "test"}).outputs == {"Found": "test"}
    assert mistake(template).startswith(
        "Parameters.Stage: it has no Default; give it one, or in Python: Seed.load"
    )
    assert mistake(template, parameters={"Stag": "x"}) == "Parameters: there is no parameter 'Stag'"


@pytest.mark.parametrize(
    ("template", "error"),
    [
        ({"Resources": []}, "Resources: expected a table"),
        ({"Resources": {"A": 5}}, "Resources.A: expected a table"),
        ({"Resources": {"A": {}}}, "Resources.A: Type is missing; it is a text"),
        ({"Resources": {"A": {**POOL, "Properties": []}}}, "Resources.A.Properties: expected a table"),
        (
            {"Resources": {"A": {**POOL, "Condition": "No"}}},
            "Resources.A.Condition: the template has no condition 'No'",
        ),
        (
            {"Resources": {"A": {**POOL, "Properties": {"AllowUnauthenticatedIdentities": "maybe"}}}},
            "Resources.A.Properties.AllowUnauthenticatedIdentities: expected true or false",
        ),
        (
            {"Resources": {"A": {**POOL, "Properties": {"IdentityPoolName": {"Ref": "B"}}}}},
            "Resources.A.Properties.IdentityPoolName.Ref: the template has no 'B'",
        ),
        (
            {
                "Resources": {
                    "A": {
                        **POOL,
                        "Properties": {"IdentityPoolName": "?", "AllowUnauthenticatedIdentities": True},
                    }
                }
            },
            "A.IdentityPoolName: 1 validation error detected: Value '?' at 'identityPoolName' failed",
        ),
        (
            {"Resources": {"A": {**POOL, "Properties": {}}}},
            "A: AllowUnauthenticatedIdentities is missing; it is true or",
        ),
        (
            {
                "Resources": {
                    "A": {**POOL, "Properties": {"IdentityPoolName": {"Ref": "B"}}},
                    "B": {**POOL, "Properties": {"IdentityPoolName": {"Fn::Sub": "x${A}"}}},
                }
            },
            "Resources.A: circular reference: A -> B -> A",
        ),
        (
            {
                "Resources": {
                    "R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::GetAtt": "R.Arn"}}}
                }
            },
            "Resources.R.Properties.RoleName: circular reference: R.RoleName -> R.RoleName",
        ),
        (
            {
                **output("x"),
                "Conditions": {"A": {"Condition": "B"}, "B": {"Condition": "A"}},
                "Resources": {"P": {**POOL, "Condition": "A"}},
            },
            "Conditions.A: circular reference: condition A -> condition B -> condition A",
        ),
        (
            output({"Fn::Join": ["-", "text"]}),
            "Outputs.Found.Value.Fn::Join: expected a delimiter and a list",
        ),
        (
            output({"Fn::Select": [3, ["a"]]}),
            "Outputs.Found.Value.Fn::Select: expected an index and a list that has it",
        ),
        (
            output({"Fn::FindInMap": ["M", "a", "b"]}),
            "Outputs.Found.Value.Fn::FindInMap: Mappings has no M.a.b",
        ),
        (output({"Fn::If": ["No", 1, 2]}), "Outputs.Found.Value.Fn::If: the template has no condition 'No'"),
        ('{"Resources": {}, "Resources": {}}', "'Resources' is given twice"),
        ('{"Resources": {"A": NaN}}', "NaN is not a JSON value"),
        ('{"Resources": ', "not JSON: Expecting value: line 1 column 15 (char 14)"),
        ('{"Resources": {"\\ud800": {}}}', "a text in it is not Unicode: it has half of a surrogate pair"),
        ("{}", "expected a seed in TOML, a CloudFormation template (with Resources), terraform.tfstate,"),
        (
            '{"artifacts": {}, "version": "36.0.0"}',
            "it is a manifest of CDK: give the template beside it, cdk.out/",
        ),
        ("AWSTemplateFormatVersion: '2010-09-09'\n", "the template has no Resources"),
        ("Resources:\n  A: {Type: x\n", "line 3: did not find expected ',' or '}'"),
        ("Resources:\n  A: &a [*a]\n", "line 2: *a names an anchor that is not closed before it"),
        ("Resources:\n  A: {b: 1, b: 2}\n", "line 2: 'b' is given twice"),
        (
            "Resources:\n  A: {<<: {b: 1}}\n",
            "line 2: merge keys (<<) are not accepted, as CloudFormation does not",
        ),
        (
            "Resources:\n  A: !!python/object:os.system x\n",
            "line 2: the tag tag:yaml.org,2002:python/object:os.system",
        ),
        ("Resources: {}\n---\nResources: {}\n", "line 2: it has a second document"),
        ("Resources:\n  A: " + "[" * 100_000, "line 2: exceeded maximum nesting depth"),
        ("Resources:\n  A: " + "[" * 100 + "]" * 100, "line 2: nested too deeply"),
        ('{"Resources": ' + "[" * 100_000, "nested too deeply"),
        (
            "Description: " + "x" * 1_000_000,
            "the template is larger than 1000000 characters; CloudFormation takes 1 MB",
        ),
        ("Resources: \x00\n", "unacceptable character #x0000"),
        ("- Resources:\n", "not TOML: Expected '=' after a key in a key/value pair"),
    ],
)
def test_mistakes(mistake, template, error):
    """A mistake is one line that names the file and the place."""
    found = mistake(template)
    assert found.startswith(error) or (found.startswith("line ") and error[8:20] in found), found


def test_anchors_that_repeat_anchors(mistake):
    """A few lines of anchors that stand for billions of values are refused."""
    lines = ["Metadata:", "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]" for number in range(1, 12)]

    assert "its anchors repeat more than 100000 values" in mistake("\n".join([*lines, "Resources: {}"]))


def test_names_that_double_each_other(load):
    """Names that are made of names cost no more than they are long."""
    roles = {
        f"R{number}": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": {"Fn::Sub": f"${{R{number + 1}}}${{R{number + 1}}}"}},
        }
        for number in range(60)
    }
    roles["R60"] = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "ab"}}

    with pytest.raises(SeedError, match="the text is longer than 1000000 characters"):
        load({"Resources": roles})


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Sub": "${A}" * 200_000},
        {"Fn::Join": ["x" * 900_000, ["a"] * 100_000]},
        {"Fn::Join": ["x" * 9000, {"Fn::Split": ["a", "a" * 900_000]}]},
    ],
    ids=["Sub", "Join", "Split"],
)
def test_texts_that_repeat_texts(load, value):
    """A text of many gigabytes is refused before it is made."""
    tracemalloc = pytest.importorskip("tracemalloc")  # PyPy has none
    parameters = {"A": {"Type": "String", "Default": "x" * 900_000}}

    tracemalloc.start()
    try:
        with pytest.raises(SeedError, match="the text is longer than 1000000 characters"):
            load({**output(value), "Parameters": parameters})
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 200_000_000


def test_without_pyyaml(load, mistake, monkeypatch):
    """Without PyYAML, a YAML template is one line that says what to install; JSON needs nothing."""
    monkeypatch.setitem(sys.modules, "yaml", None)

    assert mistake("Resources: {}\n").startswith("a YAML template needs PyYAML; run: ")
    assert load({"Resources": {}}).content == {}


def test_the_command_ends_with_one_line(tmp_path):
    """The command reports a template that names nothing in one line, with exit code 4."""
    file = tmp_path / "template.yaml"
    file.write_text(
        "Resources:\n  Pool:\n    Type: AWS::Cognito::IdentityPool\n"
        "    Properties: {IdentityPoolName: !Ref Nothing}\n"
    )
    out, err = io.StringIO(), io.StringIO()

    assert serve(seed=str(file), out=out, err=err) == 4
    assert out.getvalue() == ""
    assert err.getvalue() == (
        f"cognito-credentials: seed file {file}: Resources.Pool.Properties.IdentityPoolName.Fn::Ref: "
        "the template has no 'Nothing'. Correct it there, then start again.\n"
    ).replace("Fn::Ref", "Ref")


def test_a_role_that_is_not_evaluated(load):
    """A role whose trust policy the emulator does not evaluate is left out, and the reason is said."""
    policy = {
        "Statement": {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        }
    }
    seed = load(
        {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}}}}
    )

    assert seed.content == {}
    (line,) = seed.left_out
    assert line.startswith("R is left out: its trust policy: Statement 1: it trusts every identity pool;")


def test_parts_of_other_stacks(load):
    """What belongs to a pool that the template does not describe is left out, and said."""
    resources = {
        "Web": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": "eu-west-1_abc"}},
        "Roles": {
            "Type": "AWS::Cognito::IdentityPoolRoleAttachment",
            "Properties": {"IdentityPoolId": {"Fn::ImportValue": "pool"}, "Roles": {}},
        },
        "Fn::ForEach::Pools": ["Name", ["a"], {}],
    }
    seed = load({"Resources": resources})

    assert seed.content == {}
    assert seed.left_out == [
        "Resources.Fn::ForEach::Pools is left out: macros are not expanded; give the processed template",
        "Web is left out: the file has no user pool eu-west-1_abc",
        "Resources.Roles.Properties.IdentityPoolId is left out: Fn::ImportValue is resolved by AWS alone",
        "Roles is left out: the file does not say which identity pool",
    ]


def test_saml_provider(load, emulator_keys, whole_seed_metadata):
    """The metadata of a SAML provider stands in the template."""
    provider = {
        "Type": "AWS::IAM::SAMLProvider",
        "Properties": {"Name": "corp", "SamlMetadataDocument": whole_seed_metadata},
    }
    pool = {**POOL, "Properties": {**POOL["Properties"], "SamlProviderARNs": [{"Ref": "Corp"}]}}

    with Emulator(seed=load({"Resources": {"Corp": provider, "Pool": pool}}), keys=emulator_keys) as emulator:
        row = emulator.service.state.row(
            "SELECT entity_id FROM saml_providers WHERE arn = ?", emulator.seed.ids["Corp"]
        )

    assert row["entity_id"] == "https://idp.example.com"


@pytest.fixture
def whole_seed_metadata(tmp_path, emulator_keys):
    pytest.importorskip("signxml")
    from .seeds import whole_seed

    whole_seed(emulator_keys, tmp_path)
    return (tmp_path / "metadata.xml").read_text()
