"""The real AWS CLI calls every operation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cognito_credentials.emulator import Emulator

from .conftest import OIDC, OIDC_ARN, ROLE, Api

POOL_ARN = "arn:aws:cognito-identity:us-east-1:123456789012:identitypool/"


@pytest.fixture
def api(boto_session, emulator_keys):
    """
    An emulator without markers. The AWS CLI logs its arguments at DEBUG, and the leak guard would find them.
    """
    with Emulator(keys=emulator_keys) as emulator:
        yield Api(emulator, None, None, boto_session)


@pytest.fixture
def aws(api, monkeypatch, capfd):
    """A function that runs ``aws cognito-identity`` and returns its JSON."""
    clidriver = pytest.importorskip("awscli.clidriver")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDDEVELOPER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_PAGER", "")
    monkeypatch.setenv("AWS_ENDPOINT_URL", api.emulator.url)
    used = set()

    def call(subcommand, **options):
        arguments = ["cognito-identity", subcommand]
        for name, value in options.items():
            if isinstance(value, bool):
                arguments.append(f"--{'' if value else 'no-'}{name.replace('_', '-')}")
                continue
            arguments.append(f"--{name.replace('_', '-')}")
            arguments.append(value if isinstance(value, str) else json.dumps(value))
        used.add(subcommand)
        code = clidriver.create_clidriver().main(arguments)
        out, err = capfd.readouterr()
        assert code == 0, err
        return json.loads(out) if out.strip() else None

    call.used = used
    return call


def test_every_subcommand(api, aws):
    """All 23 subcommands of ``aws cognito-identity`` work, each with its own answer."""
    pool_id = aws(
        "create-identity-pool",
        identity_pool_name="cli",
        allow_unauthenticated_identities=True,
        developer_provider_name="dev.app",
        open_id_connect_provider_arns=[OIDC_ARN],
    )["IdentityPoolId"]
    pool = {"identity_pool_id": pool_id}
    arn = POOL_ARN + pool_id
    tag_map = {**pool, "identity_provider_name": OIDC_ARN}
    aws("set-identity-pool-roles", **pool, roles={"unauthenticated": ROLE + "guest"})
    assert aws("get-identity-pool-roles", **pool)["Roles"] == {"unauthenticated": ROLE + "guest"}
    aws("set-principal-tag-attribute-map", **tag_map, principal_tags={"team": "team"})
    assert aws("get-principal-tag-attribute-map", **tag_map)["PrincipalTags"] == {"team": "team"}
    aws("tag-resource", resource_arn=arn, tags={"a": "b", "c": "d"})
    aws("untag-resource", resource_arn=arn, tag_keys=["a"])
    assert aws("list-tags-for-resource", resource_arn=arn) == {"Tags": {"c": "d"}}
    assert aws("describe-identity-pool", **pool)["IdentityPoolTags"] == {"c": "d"}
    assert len(aws("list-identity-pools", max_results="10")["IdentityPools"]) == 1

    guest = aws("get-id", **pool)["IdentityId"]
    keys = aws("get-credentials-for-identity", identity_id=guest)["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA")
    assert aws("get-open-id-token", identity_id=guest)["IdentityId"] == guest
    user = aws("get-id", **pool, logins=api.login())["IdentityId"]
    assert aws("describe-identity", identity_id=user)["Logins"] == [OIDC]
    assert len(aws("list-identities", **pool, max_results="10")["Identities"]) == 2

    developers(aws, pool)
    aws("unlink-identity", identity_id=user, logins=api.login(), logins_to_remove=[OIDC])
    deleted = aws("delete-identities", identity_ids_to_delete=[guest, user])
    assert deleted == {"UnprocessedIdentityIds": []}
    updated = {"identity_pool_name": "new", "allow_unauthenticated_identities": False}
    assert aws("update-identity-pool", **pool, **updated)["IdentityPoolName"] == "new"
    aws("delete-identity-pool", **pool)

    assert len(aws.used) == 23


def developers(aws, pool):
    """The four operations on developer users."""
    for user in ("ann", "bob"):
        answer = aws("get-open-id-token-for-developer-identity", **pool, logins={"dev.app": user})
    bob = answer["IdentityId"]
    provider = {"developer_provider_name": "dev.app"}
    users = {"source_user_identifier": "ann", "destination_user_identifier": "bob"}
    assert aws("merge-developer-identities", **pool, **provider, **users)["IdentityId"] == bob
    user = {"developer_user_identifier": "ann"}
    assert aws("lookup-developer-identity", **pool, **user)["IdentityId"] == bob
    aws("unlink-developer-identity", **pool, **provider, **user, identity_id=bob)


ROLE_OF_ANOTHER = "arn:aws:iam::111122223333:role/reader"


@pytest.mark.writes_secrets
def test_profile_with_a_role(api, tmp_path):
    """A profile assumes a role of another account with the keys that our credential_process gives a user."""
    pool_id = api.oidc_pool()
    condition = {"StringEquals": {"sts:ExternalId": "xyz"}}
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE + "authenticated"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    api.emulator.set_role(ROLE_OF_ANOTHER, {"Statement": [statement]})
    token = tmp_path / "token"
    token.write_text(api.login("ann")[OIDC])
    programs = Path(sys.executable).parent
    source = f"{programs}/cognito-credentials credential-process --identity-pool-id {pool_id}"
    role = f"role_arn = {ROLE_OF_ANOTHER}\nsource_profile = user\nrole_session_name = me\n"
    (tmp_path / "config").write_text(
        f"[profile user]\ncredential_process = {source} --login {OIDC}=file:{token}\n"
        f"[profile reader]\n{role}external_id = xyz\n[profile stranger]\n{role}external_id = xy\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_ENDPOINT_URL": api.emulator.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "HOME": str(tmp_path),
    }

    def caller(profile):
        command = [programs / "aws", "sts", "get-caller-identity", "--profile", profile]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    reader, stranger = caller("reader"), caller("stranger")

    assert json.loads(reader.stdout)["Arn"] == "arn:aws:sts::111122223333:assumed-role/reader/me", (
        reader.stderr
    )
    assert stranger.returncode != 0
    assert f"is not authorized to perform: sts:AssumeRole on resource: {ROLE_OF_ANOTHER}" in stranger.stderr
