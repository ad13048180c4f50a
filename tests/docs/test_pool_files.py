"""start/pool/: four ways to make one pool. Each works as far as it can be run here, and all make the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from cognito_credentials import IdentityPool, Session, administer
from cognito_credentials.emulator import Emulator, Seed
from tests import real_parts
from tests.docs.pages import ROOT, blocks
from tests.docs.test_code_blocks import Yaml

FILES = ROOT / ".github" / "docs" / "start" / "pool"
PAGE = FILES.parent / "make-a-pool.md"
BUCKET = "amzn-s3-demo-bucket"
ROLE = "arn:aws:iam::123456789012:role/first-pool-guest"
MEMBERS = ("IdentityPoolName", "AllowUnauthenticatedIdentities", "AllowClassicFlow")
EXPECTED: Mapping[str, Any] = {
    "pool": {
        "IdentityPoolName": "first-pool",
        "AllowUnauthenticatedIdentities": True,
        "AllowClassicFlow": False,
    },
    "roles": {"unauthenticated": ROLE},
    "trust": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": "cognito-identity.amazonaws.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": "THE POOL"},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"},
                },
            }
        ],
    },
    "policy": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}],
    },
}
"""What each way makes."""


@pytest.fixture
def emulator(emulator_keys: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An empty emulator in place of AWS, to which boto3, the AWS CLI and our commands lead."""
    with Emulator(keys=emulator_keys, marker=True, strict_roles=True) as running:
        _lead_to(running, monkeypatch)
        yield running


def _lead_to(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }.items():
        monkeypatch.setenv(name, value)


def _made() -> dict[str, Any]:
    """Return what the account has now, in the form of `EXPECTED`."""
    cognito, iam = boto3.client("cognito-identity"), boto3.client("iam")
    (pool,) = cognito.list_identity_pools(MaxResults=60)["IdentityPools"]
    described = cognito.describe_identity_pool(IdentityPoolId=pool["IdentityPoolId"])
    trust = iam.get_role(RoleName="first-pool-guest")["Role"]["AssumeRolePolicyDocument"]
    try:
        policy = iam.get_role_policy(RoleName="first-pool-guest", PolicyName="read-bucket")["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        policy = None
    return {
        "pool": {name: described[name] for name in MEMBERS},
        "roles": cognito.get_identity_pool_roles(IdentityPoolId=pool["IdentityPoolId"])["Roles"],
        "trust": json.loads(json.dumps(trust).replace(pool["IdentityPoolId"], "THE POOL")),
        "policy": policy,
    }


def _is_a_guest(pool_id: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Be a guest of the pool, as the reader then is."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    arn = Session(identity_pool_id=pool_id).client("sts").get_caller_identity()["Arn"]
    return arn.endswith(":assumed-role/first-pool-guest/CognitoIdentityCredentials")


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*argv], capture_output=True, text=True, cwd=FILES, stdin=subprocess.DEVNULL)


def test_the_aws_cli_makes_the_pool(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """make.sh, word for word, makes the pool by the real AWS CLI, and prints its id; a guest can use it."""
    done = _run("sh", "make.sh", BUCKET)

    assert done.returncode == 0, done.stderr
    assert _made() == EXPECTED
    assert _is_a_guest(done.stdout.strip(), monkeypatch)


def test_the_variables_of_the_page_lead_to_the_emulator(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing but the exports of "Try it with the emulator", make.sh makes pool and role there."""
    for name in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (exports,) = (block.code for block in blocks(PAGE, "sh") if "AWS_ENDPOINT_URL_IAM" in block.code)
    done = _run("sh", "-c", exports.replace("http://127.0.0.1:8000", emulator.url) + f"sh make.sh {BUCKET}")

    assert done.returncode == 0, done.stderr
    assert emulator.requests()["CreateRole"] == 1


def test_the_template_is_the_same_pool(emulator_keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """template.yaml makes the same pool and role, its output is the pool, and its bucket is a parameter."""
    seed = Seed.load(FILES / "template.yaml")
    with Emulator(keys=emulator_keys, seed=seed, marker=True, strict_roles=True) as emulator:
        _lead_to(emulator, monkeypatch)
        without_policy = {**EXPECTED, "policy": None}  # the emulator's seed leaves policies out: it has no S3

        assert {**_made(), "policy": None} == without_policy
        assert _is_a_guest(seed.outputs["PoolId"], monkeypatch)
    assert seed.left_out == []
    properties = _template()["Resources"]["Guest"]["Properties"]
    (policy,) = (each["PolicyDocument"] for each in properties["Policies"])
    (statement,) = policy["Statement"]
    statement["Resource"] = statement["Resource"].replace("!Sub arn:${AWS::Partition}", "arn:aws")

    assert _template()["Parameters"]["Bucket"]["Default"] == BUCKET
    assert json.loads(json.dumps(policy).replace("${Bucket}", BUCKET)) == EXPECTED["policy"]


def _template() -> Any:
    return yaml.load((FILES / "template.yaml").read_text("utf-8"), Yaml)


def test_pool_apply_makes_the_pool(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of the page make the same pool and role with `pool apply`; a second run has nothing to do."""
    for name in ("pool.toml", "read-bucket.json"):
        (tmp_path / name).write_text((FILES / name).read_text())
    apply, roles, *_ = (block.code for block in blocks(PAGE, "console") if "pool.toml" in block.code)
    lines = [line.removeprefix("$ ") for line in (apply + roles).splitlines()]
    assert [line.partition(" ")[0] for line in lines] == [
        *("cognito-credentials", "cognito-credentials", "jq", "aws", "aws")
    ]
    jq = f"import json; json.dump(json.load(open('roles.json'))['{ROLE}'], open('trust.json', 'w'))"
    for line in lines:
        command = f"{line} --yes" if " apply " in line else line
        argv = [sys.executable, "-c", jq] if line.startswith("jq ") else ["sh", "-c", command]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (line, done.stderr)
    again = _run("cognito-credentials", "pool", "plan", str(tmp_path / "pool.toml"), "--region", "us-east-1")

    assert again.returncode == 0, again.stdout
    assert _made() == EXPECTED
    (pool,) = administer.list_pools(boto3.Session())
    assert _is_a_guest(pool.pool_id, monkeypatch)


def test_pool_toml_is_a_seed(emulator_keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator makes of pool.toml what `pool apply` makes of it."""
    with Emulator(keys=emulator_keys, seed=Seed.load(FILES / "pool.toml"), marker=True) as emulator:
        _lead_to(emulator, monkeypatch)

        assert not administer.plan(FILES / "pool.toml", boto3.Session()).has_changes


def test_terraforms_values_are_the_same() -> None:
    """main.tf is HCL that a parser reads, and describes the same pool, role and policies."""
    made = _of_terraform()

    assert made == EXPECTED


def test_terraforms_plan_is_a_seed(
    emulator_keys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan of main.tf, made by hand in the form of `terraform show -json`, is a seed with the same pool."""
    (tmp_path / "plan.json").write_text(json.dumps(_plan()))
    seed = Seed.load(tmp_path / "plan.json")
    with Emulator(keys=emulator_keys, seed=seed, marker=True) as emulator:
        _lead_to(emulator, monkeypatch)
        made = boto3.client("cognito-identity")
        pool_id = seed.ids["aws_cognito_identity_pool.pool"]
        described = made.describe_identity_pool(IdentityPoolId=pool_id)

        assert {name: described[name] for name in MEMBERS} == EXPECTED["pool"]
        assert made.get_identity_pool_roles(IdentityPoolId=pool_id)["Roles"] == EXPECTED["roles"]
        assert _is_a_guest(pool_id, monkeypatch)


def test_the_page_has_the_policy_of_the_role() -> None:
    """read-bucket.json, which the way with `pool apply` uses, is the policy of the other three."""
    assert json.loads((FILES / "read-bucket.json").read_text()) == EXPECTED["policy"]


def test_a_guest_can_read_the_bucket_by_awss_limits(emulator: Emulator) -> None:
    """What the guest role allows is among the services that AWS leaves to guests of the enhanced flow."""
    pool_id = _run("sh", "make.sh", BUCKET).stdout.strip()
    keys = IdentityPool(pool_id).credentials()
    (statement,) = EXPECTED["policy"]["Statement"]

    assert emulator.allowed(keys.access_key_id, statement["Action"]).allowed


def _of_terraform() -> dict[str, Any]:
    """Return what main.tf says, in the form of `EXPECTED`."""
    hcl2 = real_parts.package("hcl2", "test")
    with (FILES / "main.tf").open() as file:
        parsed = hcl2.load(file)
    found = {}
    for resource in parsed["resource"]:
        ((kind, named),) = resource.items()
        ((name, body),) = named.items()
        found[f"{kind}.{name}".replace('"', "")] = body
    (bucket,) = (variable['"bucket"'] for variable in parsed["variable"])
    values = {
        "aws_cognito_identity_pool.pool.id": "THE POOL",
        "aws_iam_role.guest.arn": ROLE.rpartition("/")[0] + "/" + _text(found["aws_iam_role.guest"]["name"]),
        "var.bucket": _text(bucket["default"]),
    }
    pool = found["aws_cognito_identity_pool.pool"]
    attached = found["aws_cognito_identity_pool_roles_attachment.roles"]
    policy = found["aws_iam_role_policy.read_bucket"]
    assert attached["identity_pool_id"] == "${aws_cognito_identity_pool.pool.id}"
    assert policy["role"] == "${aws_iam_role.guest.id}"
    assert _text(policy["name"]) == "read-bucket"
    return {
        "pool": {
            "IdentityPoolName": _text(pool["identity_pool_name"]),
            "AllowUnauthenticatedIdentities": pool["allow_unauthenticated_identities"],
            "AllowClassicFlow": pool["allow_classic_flow"],
        },
        "roles": {
            name.replace('"', ""): values[role.strip("${}")] for name, role in attached["roles"].items()
        },
        "trust": _encoded(found["aws_iam_role.guest"]["assume_role_policy"], values),
        "policy": _encoded(policy["policy"], values),
    }


def _text(literal: str) -> str:
    return str(json.loads(literal))


def _encoded(call: str, values: Mapping[str, str]) -> Any:
    """Return what ``${jsonencode({…})}`` encodes; python-hcl2 writes it on one line."""
    inner = call.removeprefix("${jsonencode(").removesuffix(")}")
    for name, value in values.items():
        inner = inner.replace("${" + name + "}", value)
        inner = re.sub(rf"= {re.escape(name)}\b", f"= {json.dumps(value)}", inner)
    return json.loads(re.sub(r'("[^"]+"|\w+) = ', lambda key: json.dumps(key[1].strip('"')) + ": ", inner))


def _plan() -> dict[str, Any]:
    """Return what `terraform show -json plan` prints of main.tf, as far as a seed is read from it."""
    resources = [
        ("aws_cognito_identity_pool", "pool", _pool_values(), {}),
        (
            "aws_iam_role",
            "guest",
            {"name": "first-pool-guest"},
            {
                "name": {"constant_value": "first-pool-guest"},
                "assume_role_policy": {"references": ["aws_cognito_identity_pool.pool.id"]},
            },
        ),
        (
            "aws_cognito_identity_pool_roles_attachment",
            "roles",
            {},
            {
                "identity_pool_id": {"references": ["aws_cognito_identity_pool.pool.id"]},
                "roles": {"references": ["aws_iam_role.guest.arn", "aws_iam_role.guest"]},
            },
        ),
    ]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {
            "root_module": {
                "resources": [
                    {
                        "address": f"{kind}.{name}",
                        "mode": "managed",
                        "type": kind,
                        "name": name,
                        "provider_name": "registry.terraform.io/hashicorp/aws",
                        "values": values,
                    }
                    for kind, name, values, _ in resources
                ]
            }
        },
        "configuration": {
            "root_module": {
                "resources": [
                    {
                        "address": f"{kind}.{name}",
                        "mode": "managed",
                        "type": kind,
                        "name": name,
                        "expressions": expressions,
                    }
                    for kind, name, _, expressions in resources
                ]
            }
        },
    }


def _pool_values() -> dict[str, Any]:
    return {
        "identity_pool_name": "first-pool",
        "allow_unauthenticated_identities": True,
        "allow_classic_flow": False,
    }
