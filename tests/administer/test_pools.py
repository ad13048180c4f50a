"""Pools from a file: what a plan shows, what is made of it, and what it costs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from cognito_credentials import administer
from cognito_credentials.errors import ConfigurationError
from tests.administer.conftest import Done, role
from tests.cli.conftest import Cli, python

Call = Callable[..., Done]
Write = Callable[[str], str]
GOOGLE = "accounts.google.com"
OIDC = "arn:aws:iam::123456789012:oidc-provider/login.example.com"
USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
HEAD = """
[[pools]]
IdentityPoolName = "app"
AllowUnauthenticatedIdentities = false
"""
WHOLE = f"""{HEAD}
AllowClassicFlow = false
DeveloperProviderName = "dev.app"
SupportedLoginProviders = {{ "{GOOGLE}" = "app" }}
OpenIdConnectProviderARNs = ["{OIDC}"]
IdentityPoolTags = {{ team = "red", "a b" = "" }}
CognitoIdentityProviders = [{{ ProviderName = "{USER_POOL}", ClientId = "c" }}]
Roles = {{ authenticated = "{role("user")}" }}

[pools.RoleMappings."{GOOGLE}"]
Type = "Rules"
AmbiguousRoleResolution = "Deny"
RulesConfiguration.Rules = [
    {{ Claim = "hd", MatchType = "Equals", Value = "example.com", RoleARN = "{role("staff")}" }},
]

[pools.RoleMappings."{USER_POOL}:c"]
Type = "Token"
AmbiguousRoleResolution = "AuthenticatedRole"

[pools.PrincipalTags."{GOOGLE}"]
domain = "hd"

[pools.PrincipalTags."{OIDC}"]
UseDefaults = true
"""


def the_id(client: Any, name: str = "app") -> str:
    """Return the id of the only pool of a name."""
    pools = client.list_identity_pools(MaxResults=60)["IdentityPools"]
    (found,) = (pool["IdentityPoolId"] for pool in pools if pool["IdentityPoolName"] == name)
    return str(found)


def everything(client: Any, pool_id: str) -> dict[str, Any]:
    """Return all that the service has of a pool."""
    tags = {
        provider: client.get_principal_tag_attribute_map(
            IdentityPoolId=pool_id, IdentityProviderName=provider
        )
        for provider in (GOOGLE, OIDC)
    }
    answers = {
        "pool": client.describe_identity_pool(IdentityPoolId=pool_id),
        "roles": client.get_identity_pool_roles(IdentityPoolId=pool_id),
        **tags,
    }
    return {
        name: {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        for name, answer in answers.items()
    }


def test_a_pool_is_made_with_all_that_the_file_says(
    signed: Cli, call: Call, write: Write, client: Any
) -> None:
    """Settings, providers, roles, mappings, principal tags and tags are the service's own after `apply`."""
    path = write(WHOLE)
    done = call("pool", "apply", path, "--yes")
    pool_id = the_id(client)
    made = everything(client, pool_id)

    assert done.code == 0
    assert f"pool 'app': made as {pool_id}.\n" in done.out
    assert made["pool"]["IdentityPoolTags"] == {"team": "red", "a b": ""}
    assert made["pool"]["DeveloperProviderName"] == "dev.app"
    assert made["pool"]["AllowClassicFlow"] is False
    assert made["pool"]["OpenIdConnectProviderARNs"] == [OIDC]
    assert made["roles"]["Roles"] == {"authenticated": role("user")}
    assert made["roles"]["RoleMappings"][GOOGLE]["RulesConfiguration"]["Rules"][0]["Claim"] == "hd"
    assert made["roles"]["RoleMappings"].keys() == {
        GOOGLE,
        f"{USER_POOL}:c",
    }
    assert made[GOOGLE]["PrincipalTags"] == {"domain": "hd"}
    assert made[OIDC]["UseDefaults"] is True


def test_a_plan_changes_nothing_and_exits_with_8(
    signed: Cli, call: Call, write: Write, emulator: Any
) -> None:
    """A plan with changes names each member, and only reads from the service."""
    done = call("pool", "plan", write(WHOLE))

    assert done.code == 8
    assert done.out.startswith("pool 'app': to be made in us-east-1\n")
    assert f'  + Roles.authenticated: "{role("user")}"\n' in done.out
    assert f'  + RoleMappings.{GOOGLE}.Rules: hd Equals "example.com": "{role("staff")}"\n' in done.out
    assert done.out.endswith("1 to make, 0 to change, 0 as the file says.\n")
    assert set(emulator.requests()) == {"GetCallerIdentity", "ListIdentityPools", "GetRole"}


def test_a_second_run_changes_nothing(signed: Cli, call: Call, write: Write, emulator: Any) -> None:
    """`apply` twice makes one pool, and the second run writes nothing and asks nobody."""
    path = write(WHOLE)
    call("pool", "apply", path, "--yes")
    before = emulator.requests()
    plan, again = call("pool", "plan", path), call("pool", "apply", path)
    written = {name for name, n in emulator.requests().items() if n != before.get(name, 0)}

    assert (plan.code, again.code) == (0, 0)
    assert again.out.endswith("0 to make, 0 to change, 1 as the file says.\n")
    assert written == {
        *("GetCallerIdentity", "ListIdentityPools", "DescribeIdentityPool", "GetIdentityPoolRoles"),
        *("GetPrincipalTagAttributeMap", "GetRole"),
    }


@pytest.mark.quick
def test_export_then_plan_shows_nothing(signed: Cli, call: Call, write: Write, client: Any) -> None:
    """What `export` prints describes the pool whole: even with --delete there is nothing to do."""
    call("pool", "apply", write(WHOLE), "--yes")
    printed = call("pool", "export", the_id(client))
    path = write(printed.out)

    assert printed.code == 0
    assert printed.out.startswith(f'[[pools]]\nIdentityPoolId = "{the_id(client)}"\n')
    assert (call("pool", "plan", path).code, call("pool", "plan", path, "--delete").code) == (0, 0)


@pytest.mark.quick
def test_a_change_is_shown_member_by_member_and_made(
    signed: Cli, call: Call, write: Write, client: Any
) -> None:
    """The plan has a line for what is added, changed and removed; what the file does not touch stays."""
    call("pool", "apply", write(WHOLE), "--yes")
    before = everything(client, the_id(client))
    changed = WHOLE.replace('team = "red"', 'team = "blue", cost = "7"').replace(
        "AllowClassicFlow = false", "AllowClassicFlow = true"
    )
    shown = call("pool", "plan", write(changed))
    call("pool", "apply", write(changed), "--yes")
    after = everything(client, the_id(client))

    assert shown.out.splitlines()[1:-1] == [
        "  ~ AllowClassicFlow: false -> true",
        '  ~ IdentityPoolTags.team: "red" -> "blue"',
        '  + IdentityPoolTags.cost: "7"',
    ]
    assert after["pool"].pop("IdentityPoolTags") == {"team": "blue", "cost": "7", "a b": ""}
    assert after["pool"].pop("AllowClassicFlow") is True
    del before["pool"]["IdentityPoolTags"], before["pool"]["AllowClassicFlow"]
    assert after == before


def test_what_the_file_does_not_name_stays_unless_delete_is_given(
    signed: Cli, call: Call, write: Write, client: Any
) -> None:
    """Without --delete nothing is dropped, and a line names what is left alone; with it, the file is all."""
    call("pool", "apply", write(WHOLE), "--yes")
    before = everything(client, the_id(client))
    less = write(HEAD)
    left, kept = call("pool", "plan", less), everything(client, the_id(client))
    dropped = call("pool", "apply", less, "--delete", "--yes")
    after = everything(client, the_id(client))

    assert left.code == 0
    for member in ("IdentityPoolTags.team", f"SupportedLoginProviders.{GOOGLE}", "Roles.authenticated"):
        assert member in left.err
    assert "--delete drops it" in left.err
    assert kept == before
    assert f'  - SupportedLoginProviders.{GOOGLE}: "app"\n' in dropped.out
    # The name of a developer provider can never be removed.
    assert after["pool"].pop("DeveloperProviderName") == "dev.app"
    assert after["pool"] == {
        "IdentityPoolId": the_id(client),
        "IdentityPoolName": "app",
        "AllowUnauthenticatedIdentities": False,
        "IdentityPoolTags": {},
    }
    assert after["roles"].keys() == {"IdentityPoolId"}
    assert (after[GOOGLE]["PrincipalTags"], after[OIDC]["UseDefaults"]) == ({}, False)
    assert call("pool", "plan", less, "--delete").code == 0


def test_rules_of_the_file_come_first_and_others_stay(
    signed: Cli, call: Call, write: Write, client: Any
) -> None:
    """A rule that somebody added by hand stays behind the file's; with --delete it goes."""
    path = write(WHOLE)
    call("pool", "apply", path, "--yes")
    roles = client.get_identity_pool_roles(IdentityPoolId=the_id(client))
    by_hand = {"Claim": "sub", "MatchType": "Equals", "Value": "1", "RoleARN": role("other")}
    rules = roles["RoleMappings"][GOOGLE]["RulesConfiguration"]["Rules"]
    rules.insert(0, by_hand)
    client.set_identity_pool_roles(
        IdentityPoolId=the_id(client), Roles=roles["Roles"], RoleMappings=roles["RoleMappings"]
    )
    shown = call("pool", "apply", path, "--yes")
    now = client.get_identity_pool_roles(IdentityPoolId=the_id(client))["RoleMappings"][GOOGLE]

    assert "order of the rules" in shown.out
    assert [rule["Claim"] for rule in now["RulesConfiguration"]["Rules"]] == ["hd", "sub"]
    assert call("pool", "plan", path).code == 0

    call("pool", "apply", path, "--yes", "--delete")
    now = client.get_identity_pool_roles(IdentityPoolId=the_id(client))["RoleMappings"][GOOGLE]

    assert [rule["Claim"] for rule in now["RulesConfiguration"]["Rules"]] == ["hd"]


def test_a_table_is_the_pool_of_its_id_else_of_its_name(
    signed: Cli, call: Call, write: Write, client: Any
) -> None:
    """An id finds a pool whatever it is called; a name finds the one of that name; none is made beside it."""
    call("pool", "apply", write(HEAD), "--yes")
    pool_id = the_id(client)
    renamed = HEAD.replace('"app"', '"new"') + f'IdentityPoolId = "{pool_id}"\n'
    shown = call("pool", "apply", write(renamed), "--yes")

    assert '  ~ IdentityPoolName: "app" -> "new"\n' in shown.out
    assert the_id(client, "new") == pool_id
    assert call("pool", "apply", write(HEAD.replace('"app"', '"new"')), "--yes").code == 0
    assert the_id(client, "new") == pool_id


def test_two_pools_of_one_name_are_an_error_and_no_third_is_made(
    signed: Cli, call: Call, write: Write, client: Any, emulator: Any
) -> None:
    """The error names both ids, and says how to tell them apart."""
    ids = [
        client.create_identity_pool(IdentityPoolName="app", AllowUnauthenticatedIdentities=False)[
            "IdentityPoolId"
        ]
        for _ in range(2)
    ]
    done = call("pool", "apply", write(HEAD), "--yes")

    assert (done.code, done.out) == (4, "")
    assert all(pool_id in done.line for pool_id in ids)
    assert "IdentityPoolId" in done.line
    assert emulator.requests()["CreateIdentityPool"] == 2


def test_an_id_that_does_not_exist_is_an_error_and_no_pool_is_made(
    signed: Cli, call: Call, write: Write, emulator: Any
) -> None:
    """A pool that is gone is not made again under another id."""
    gone = "us-east-1:0b8d4f1c-0000-4000-8000-000000000009"
    done = call("pool", "apply", write(f'{HEAD}IdentityPoolId = "{gone}"\n'), "--yes")

    assert (done.code, done.out) == (5, "")
    assert f"there is no identity pool '{gone}'" in done.line
    assert "CreateIdentityPool" not in emulator.requests()


def test_one_pool_in_two_tables_is_an_error(signed: Cli, call: Call, write: Write, client: Any) -> None:
    """A pool by its id and once more by its name is found out after the names are."""
    call("pool", "apply", write(HEAD), "--yes")
    pool_id = the_id(client)
    done = call(
        "pool", "plan", write(HEAD + HEAD.replace('"app"', '"x"') + f'IdentityPoolId = "{pool_id}"\n')
    )

    assert done.code == 4
    assert "pools[2]" in done.line
    assert "pools[1]" in done.line


def test_a_developer_providers_name_is_refused_before_anything_is_changed(
    signed: Cli, call: Call, write: Write, client: Any, emulator: Any
) -> None:
    """One pool that cannot be as the file says stops all of them before the first is changed."""
    call("pool", "apply", write(WHOLE), "--yes")
    two = HEAD.replace('"app"', '"other"') + WHOLE.replace("dev.app", "dev.new")
    done = call("pool", "apply", write(two), "--yes")

    assert (done.code, done.out) == (4, "")
    assert "pools[2].DeveloperProviderName: it is 'dev.app', and can never be" in done.line
    assert emulator.requests()["CreateIdentityPool"] == 1


def test_an_empty_developer_provider_can_be_set_later(
    signed: Cli, call: Call, write: Write, client: Any
) -> None:
    """A pool without a developer provider gets one."""
    call("pool", "apply", write(HEAD), "--yes")
    call("pool", "apply", write(f'{HEAD}DeveloperProviderName = "dev.app"\n'), "--yes")

    assert client.describe_identity_pool(IdentityPoolId=the_id(client))["DeveloperProviderName"] == "dev.app"


def test_apply_needs_yes_where_nobody_can_be_asked(
    signed: Cli, call: Call, write: Write, emulator: Any
) -> None:
    """Without a terminal and --yes the plan is shown, and nothing is changed."""
    done = call("pool", "apply", write(HEAD))

    assert done.code == 2
    assert "to be made" in done.out
    assert "nothing was changed" in done.line
    assert "CreateIdentityPool" not in emulator.requests()


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 130), (b"\x04", 130)])
def test_on_a_terminal_it_shows_the_plan_and_asks(
    signed: Cli, write: Write, emulator: Any, answer: bytes, code: int
) -> None:
    """Only yes changes the pools; no and the end of input do not."""
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        python("pool", "apply", write(HEAD)),
        env=signed.environ,
        stdin=terminal,
        stderr=terminal,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    os.close(terminal)
    shown = b""
    while b"(y/n)" not in shown:
        shown += os.read(controller, 1024)
    os.write(controller, answer)
    out = process.communicate(timeout=60)[0]
    os.close(controller)

    assert process.returncode == code
    assert "pool 'app': to be made in us-east-1\n" in out
    assert ("CreateIdentityPool" in emulator.requests()) is (code == 0)


def test_other_tables_are_left_alone(signed: Cli, call: Call, write: Write) -> None:
    """What else a seed of the emulator has says nothing about pools, even where it is wrong."""
    others = '[[users]]\nprovider = 5\n\n[other]\nx = 1\n[[roles]]\narn = 5\n[[roles]]\ntrust_policy = "{"\n'

    assert call("pool", "plan", write(HEAD + others)).code == 8


def test_pools_of_several_regions_are_asked_where_they_are(
    signed: Cli, call: Call, write: Write, session: Any
) -> None:
    """An id leads to its own region, whatever the session's is; another --region is an error."""
    there = session.client("cognito-identity", region_name="eu-west-1")
    made = there.create_identity_pool(IdentityPoolName="app", AllowUnauthenticatedIdentities=False)
    path = write(HEAD + f'IdentityPoolId = "{made["IdentityPoolId"]}"\n' + HEAD.replace('"app"', '"here"'))
    shown, wrong = call("pool", "plan", path), call("pool", "plan", path, "--region", "us-east-1")

    assert f"pool 'app' ({made['IdentityPoolId']}): as the file says\n" in shown.out
    assert "pool 'here': to be made in us-east-1\n" in shown.out
    assert wrong.code == 4
    assert "pools[1]" in wrong.line
    assert "a pool of another region than us-east-1" in wrong.line


@pytest.mark.quick
def test_pools_are_listed_as_a_table_and_as_lines_of_json(
    signed: Cli, call: Call, client: Any, emulator: Any
) -> None:
    """`pool list` reads all pages."""
    ids = {
        f"pool {n}": client.create_identity_pool(
            IdentityPoolName=f"pool {n}", AllowUnauthenticatedIdentities=False
        )["IdentityPoolId"]
        for n in range(61)
    }
    table, lines, empty = (
        call("pool", "list"),
        call("pool", "list", "--json"),
        call("pool", "list", "--region", "eu-west-1"),
    )

    assert len(table.out.splitlines()) == 62
    assert f"{ids['pool 60']}  pool 60\n" in table.out
    read = [json.loads(line) for line in lines.out.splitlines()]
    assert {each["IdentityPoolName"]: each["IdentityPoolId"] for each in read} == ids
    assert emulator.requests()["ListIdentityPools"] == 5
    assert (empty.code, empty.out) == (0, "")


def test_a_pool_is_deleted_with_its_name_shown(signed: Cli, call: Call, write: Write, client: Any) -> None:
    """The question names the pool, --yes answers it, and a second time there is no such pool."""
    call("pool", "apply", write(HEAD), "--yes")
    pool_id = the_id(client)
    asked = call("pool", "delete", pool_id)
    still = the_id(client)
    done, again = call("pool", "delete", pool_id, "--yes"), call("pool", "delete", pool_id, "--yes")

    assert (asked.code, done.code, again.code) == (2, 0, 5)
    assert f"delete the identity pool 'app' ({pool_id})" in asked.line
    assert still == pool_id
    assert done.out == f"Deleted pool 'app' ({pool_id}).\n"
    assert "not found" in again.line


def test_a_plan_of_60_pools_costs_at_most_3_requests_a_pool(
    signed: Cli, call: Call, write: Write, emulator: Any
) -> None:
    """The list of names is asked for once, and each pool costs two requests, or three with principal tags."""
    path = write(
        "\n".join(
            f"""[[pools]]
IdentityPoolName = "pool {n}"
AllowUnauthenticatedIdentities = false
SupportedLoginProviders = {{ "{GOOGLE}" = "app" }}
PrincipalTags = {{ "{GOOGLE}" = {{ domain = "hd" }} }}
"""
            for n in range(60)
        )
    )
    assert call("pool", "apply", path, "--yes").code == 0
    before = emulator.requests()
    done = call("pool", "plan", path)
    cost = {name: n - before.get(name, 0) for name, n in emulator.requests().items()}

    assert (done.code, done.out[-44:]) == (0, "0 to make, 0 to change, 60 as the file says.\n"[-44:])
    assert cost["DescribeIdentityPool"] == cost["GetIdentityPoolRoles"] == 60
    assert cost["GetPrincipalTagAttributeMap"] == 60
    assert cost["ListIdentityPools"] <= 2
    assert sum(cost.values()) <= 3 * 60 + 2


def test_python_does_the_same(session: Any, write: Write, client: Any) -> None:
    """`administer` plans, applies and exports with the caller's session; the plan knows its changes."""
    path = write(WHOLE)
    plan = administer.plan(path, session)
    (pool,) = plan.pools
    steps: list[str] = []
    done = administer.apply(plan, progress=steps.append)
    again = administer.apply(path, session)

    assert (pool.action, pool.pool_id, pool.region) == ("create", None, "us-east-1")
    assert administer.Change("AllowClassicFlow", "added", None, False) in pool.changes
    assert str(plan).startswith("pool 'app': to be made in us-east-1\n")
    assert done.pools[0].pool_id == the_id(client)
    assert steps[0] == f"pool 'app': made as {the_id(client)}"
    assert not again.has_changes
    assert not administer.plan(_parsed(administer.export(the_id(client), session)), session).has_changes
    assert list(administer.list_pools(session)) == [administer.PoolSummary(the_id(client), "app")]
    administer.delete_pool(the_id(client), session)
    assert list(administer.list_pools(session)) == []


def test_python_takes_botocores_session(signed: Cli, write: Write) -> None:
    """A botocore session signs as well, and its region is that of pools without an id."""
    import botocore.session

    session = botocore.session.Session()
    session.set_config_variable("region", "eu-west-1")

    assert administer.plan(write(HEAD), session).pools[0].region == "eu-west-1"


def test_no_region_is_an_error(session: Any, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool without an id needs a region, and the error says where to give it."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(ConfigurationError, match="no region is given"):
        administer.plan(write(HEAD))


def _parsed(text: str) -> dict[str, Any]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return dict(tomllib.loads(text))
