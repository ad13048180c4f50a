"""The guide's table of operations: all that the service has, each called by the command beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import cognito_credentials
from cognito_credentials import administer
from cognito_credentials.cli.commands import COMMANDS
from tests.administer.conftest import Done, role

Call = Callable[..., Done]
Write = Callable[[str], str]
GUIDE = Path(__file__).parents[2] / ".github" / "docs" / "guides" / "operating.md"
GOOGLE = "accounts.google.com"
LOGIN = "login.example.com"
POOL = f"""
[[pools]]
IdentityPoolName = "app"
AllowUnauthenticatedIdentities = true
AllowClassicFlow = true
DeveloperProviderName = "dev.app"
SupportedLoginProviders = {{ "{GOOGLE}" = "app" }}
OpenIdConnectProviderARNs = ["arn:aws:iam::123456789012:oidc-provider/{LOGIN}"]
Roles = {{ authenticated = "{role("user")}", unauthenticated = "{role("guest")}" }}
"""
TAGS = '[pools.PrincipalTags."accounts.google.com"]\ndomain = "hd"\n'


def table() -> dict[str, tuple[str, str]]:
    """Return the table: operation to command and Python name."""
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| `([^`]+)` \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len({row[0] for row in rows})
    return {operation: (command, name) for operation, command, name in rows}


def test_every_operation() -> None:
    """The table has each operation of botocore's service model once, and nothing else."""
    client = boto3.Session().client("cognito-identity", region_name="us-east-1")
    operations = set(client.meta.service_model.operation_names)
    client.close()
    assert set(table()) == operations


def test_commands_exist() -> None:
    """Each command of the table is one of the parser's, with its action and options."""
    entries = {entry.name: entry.load() for entry in COMMANDS}
    for command, _ in table().values():
        name, *rest = command.split()
        actions = {action.name for action in entries[name].actions}
        assert not actions or rest[0] in actions, command


def test_names_exist() -> None:
    """Each Python name of the table is public, and has a docstring."""
    for _, name in table().values():
        owner, _, member = name.removesuffix("()").rpartition(".")
        found = administer if owner == "administer" else getattr(cognito_credentials, owner)
        assert owner != "administer" or member in administer.__all__, name
        assert getattr(found, member).__doc__, name


@pytest.mark.thorough
def test_each_is_called(
    emulator: Any, call: Call, write: Write, client: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each operation of the table is called by the command beside it: the emulator counts one more."""
    left = table()
    for operation, argv in scenario(emulator, write, client, session, monkeypatch):
        command, _ = left.pop(operation)
        assert command.split()[0] == argv[0]
        assert all(word in argv for word in command.split()), (command, argv)
        before = emulator.requests().get(operation, 0)
        done = call(*argv)
        assert done.code == 0, (operation, done.err)
        assert emulator.requests().get(operation, 0) > before, operation
    assert left == {}


def scenario(
    emulator: Any, write: Write, client: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each operation with the command line that calls it, each on what those before have left."""
    yield "CreateIdentityPool", ("pool", "apply", write(POOL), "--yes")
    pool = client.list_identity_pools(MaxResults=1)["IdentityPools"][0]["IdentityPoolId"]
    yield "SetPrincipalTagAttributeMap", ("pool", "apply", write(POOL + TAGS), "--yes")
    changed = POOL.replace('role/user"', 'role/staff"')
    yield "SetIdentityPoolRoles", ("pool", "apply", write(changed), "--yes")
    changed = changed.replace("ClassicFlow = true", "ClassicFlow = false")
    yield "UpdateIdentityPool", ("pool", "apply", write(changed), "--yes")
    tagged = changed.replace(
        "DeveloperProviderName", 'IdentityPoolTags = { team = "red" }\nDeveloperProviderName'
    )
    yield "TagResource", ("pool", "apply", write(tagged), "--yes")
    yield "UntagResource", ("pool", "apply", write(changed), "--yes", "--delete")
    yield "ListIdentityPools", ("pool", "list")
    yield "DescribeIdentityPool", ("pool", "export", pool)
    yield "GetIdentityPoolRoles", ("pool", "export", pool)
    yield "GetPrincipalTagAttributeMap", ("pool", "export", pool)
    answer = client.describe_identity_pool(IdentityPoolId=pool)
    old = {
        name: value for name, value in answer.items() if name not in ("IdentityPoolTags", "ResponseMetadata")
    }
    emulator.plan_faults({"operation": "DescribeIdentityPool", "status": 200, "body": json.dumps(old)})
    yield "ListTagsForResource", ("pool", "export", pool)  # an older answer, which leaves tags out

    guest = ("--identity-pool-id", pool)
    yield "GetId", ("export", *guest)
    yield "GetCredentialsForIdentity", ("refresh", *guest)
    basic = emulator.create_pool()
    yield (
        "GetOpenIdToken",
        (
            *("export", "--identity-pool-id", basic),
            *("--flow", "basic", "--role-arn", role("unauthenticated")),
        ),
    )
    for name, provider in (("ONE", GOOGLE), ("TWO", LOGIN)):
        monkeypatch.setenv(name, emulator.login_token(provider, audience="app", subject="ann"))
    logins = ("--login", f"{GOOGLE}=env:ONE", "--login", f"{LOGIN}=env:TWO", "--user", "ann")
    yield "UnlinkIdentity", ("unlink", GOOGLE, "--yes", *guest, *logins)

    yield "GetOpenIdTokenForDeveloperIdentity", ("developer", "token", pool, "--user", "ann")
    administer.developer_token(pool, "bob", session)
    yield "LookupDeveloperIdentity", ("developer", "lookup", pool, "--user", "ann")
    yield "MergeDeveloperIdentities", ("developer", "merge", pool, "--from", "bob", "--into", "ann", "--yes")
    ann = administer.lookup_developer(pool, session, user="ann").identity_id
    yield (
        "UnlinkDeveloperIdentity",
        (*("developer", "unlink", pool, "--identity", ann, "--user", "bob", "--yes"),),
    )
    yield "ListIdentities", ("identities", "list", pool)
    yield "DescribeIdentity", ("identities", "show", ann)
    yield "DeleteIdentities", ("identities", "delete", ann, "--yes")
    yield "DeleteIdentityPool", ("pool", "delete", pool, "--yes")
