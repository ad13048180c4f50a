"""What a pool has and a file leaves open, cannot name or did not show: none of it is lost unseen."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.session import Session

from cognito_credentials import administer
from cognito_credentials.administer.pools.members import SETTINGS
from cognito_credentials.administer.pools.written import toml
from cognito_credentials.cli.terminal import Terminal
from cognito_credentials.errors import ServiceError
from tests.administer.conftest import Done, role
from tests.administer.test_pools import GOOGLE, HEAD, USER_POOL, WHOLE, the_id
from tests.cli.conftest import Cli

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Call = Callable[..., Done]
Write = Callable[[str], str]


def test_every_member_that_an_update_replaces_is_written_back() -> None:
    """UpdateIdentityPool takes away what it is not given: a new member of it must be known here."""
    model = Session().get_service_model("cognito-identity")
    members = {*model.operation_model("UpdateIdentityPool").input_shape.members}

    assert members == {*SETTINGS, "IdentityPoolId", "IdentityPoolTags"}


def test_a_mapping_of_a_removed_provider_is_no_obstacle(
    signed: Cli, call: Call, write: Write, client: Any
) -> None:
    """The service keeps such a mapping and does not take it again: export, plan and apply go on without."""
    call("pool", "apply", write(WHOLE), "--yes")
    pool_id = the_id(client)
    now = client.describe_identity_pool(IdentityPoolId=pool_id)
    for name in ("ResponseMetadata", "IdentityPoolTags", "SupportedLoginProviders"):
        del now[name]
    client.update_identity_pool(**now)
    path = write(call("pool", "export", pool_id).out)
    assert call("pool", "plan", path).code == 0

    more = write(f'{HEAD}Roles = {{ unauthenticated = "{role("guest")}" }}\n')
    assert call("pool", "apply", more, "--yes").code == 0
    assert call("pool", "plan", more).code == 0
    roles = client.get_identity_pool_roles(IdentityPoolId=pool_id)
    assert roles["Roles"] == {"authenticated": role("user"), "unauthenticated": role("guest")}
    assert roles["RoleMappings"].keys() == {f"{USER_POOL}:c"}


@pytest.mark.parametrize(("said", "then"), [("", True), (", ServerSideTokenCheck = false", False)])
def test_the_check_of_tokens_stays_on_where_the_file_does_not_name_it(
    signed: Cli, call: Call, write: Write, client: Any, said: str, then: bool
) -> None:
    """A client of a user pool in the file says nothing about ServerSideTokenCheck unless it is there."""
    file = f'{HEAD}CognitoIdentityProviders = [{{ ProviderName = "{USER_POOL}", ClientId = "c"%s }}]\n'
    call("pool", "apply", write(file % ", ServerSideTokenCheck = true"), "--yes")
    plan = call("pool", "plan", write(file % said))
    call("pool", "apply", write(file % said), "--yes")
    (provider,) = client.describe_identity_pool(IdentityPoolId=the_id(client))["CognitoIdentityProviders"]

    assert plan.code == (0 if then else 8)
    assert provider["ServerSideTokenCheck"] is then


def test_tags_of_aws_itself_are_left_alone(session: Any, write: Write, client: Any) -> None:
    """CloudFormation tags its pools with `aws:…`, which nobody else may write, remove, or put in a file."""
    administer.apply(write(WHOLE), session)

    def add_tag(parsed: dict[str, Any], **_: object) -> None:
        parsed.setdefault("IdentityPoolTags", {})["aws:cloudformation:stack-name"] = "app"

    for operation in ("DescribeIdentityPool", "UpdateIdentityPool"):
        session.events.register(f"after-call.cognito-identity.{operation}", add_tag)
    exported = administer.export(the_id(client), session)
    changed = WHOLE.replace("AllowClassicFlow = false", "AllowClassicFlow = true")
    administer.apply(write(changed), session, delete=True)

    assert "aws:cloudformation" not in exported
    assert not administer.plan(write(changed), session, delete=True).has_changes


def test_an_exported_file_is_ascii_and_says_the_same() -> None:
    """A shell that writes it in another encoding changes nothing: letters, signs and quotes come back."""
    hostile = "é\u202e\U0001f600\x7f\x01\"\\\n]\t\u2028'''"
    pool = {
        "IdentityPoolName": "app",
        "AllowUnauthenticatedIdentities": False,
        "IdentityPoolTags": {hostile: hostile, "": "", "a.b": "#"},
    }
    text = toml(pool)

    assert text.isascii()
    assert tomllib.loads(text) == {"pools": [pool]}


def test_what_was_added_after_the_plan_is_not_dropped(session: Any, write: Write, client: Any) -> None:
    """With `delete`, apply drops what the plan has shown, and stops where there is more to drop."""
    administer.apply(write(WHOLE), session)
    pool_id = the_id(client)
    plan = administer.plan(write(HEAD), session, delete=True)
    now = client.describe_identity_pool(IdentityPoolId=pool_id)
    del now["ResponseMetadata"], now["IdentityPoolTags"]
    client.update_identity_pool(**{**now, "SupportedLoginProviders": {GOOGLE: "app", "www.amazon.com": "a"}})

    with pytest.raises(ServiceError, match=r"SupportedLoginProviders.www.amazon.com was added after"):
        administer.apply(plan)
    kept = client.describe_identity_pool(IdentityPoolId=pool_id)
    assert kept["SupportedLoginProviders"] == {GOOGLE: "app", "www.amazon.com": "a"}


def test_a_provider_too_long_for_principal_tags_is_exported(session: Any, client: Any) -> None:
    """The ARN of an OIDC provider may be longer than the name that the service takes for tags."""
    arn = f"arn:aws:iam::123456789012:oidc-provider/login.example.com/{'a' * 100}"
    pool_id = client.create_identity_pool(
        IdentityPoolName="app", AllowUnauthenticatedIdentities=False, OpenIdConnectProviderARNs=[arn]
    )["IdentityPoolId"]
    exported = tomllib.loads(administer.export(pool_id, session))

    assert exported["pools"][0]["OpenIdConnectProviderARNs"] == [arn]
    assert not administer.plan(exported, session, delete=True).has_changes


@pytest.mark.parametrize(("answer", "code"), [("", 130), ("n", 130), ("y", 0)])
def test_the_question_is_asked_beside_the_plan_and_names_the_account(
    signed: Cli, call: Call, write: Write, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    """Where stdout leads to a file, the plan is on the screen as well; Enter means no."""
    monkeypatch.setattr(Terminal, "can_ask", True)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
    done = call("pool", "apply", write(HEAD))

    assert done.code == code
    assert "pool 'app': to be made in us-east-1\n" in done.out
    assert done.err.startswith("pool 'app': to be made in us-east-1\n")
    assert "Change the pools in the account 123456789012 as shown? (y/n)" in done.err


def test_a_name_cannot_write_lines_into_the_plan(signed: Cli, call: Call, write: Write) -> None:
    """A pool's name may have line ends: what it says must not look like a pool or change of its own."""
    plan = call("pool", "plan", write(HEAD.replace('"app"', '"app\\n  + AllowClassicFlow"')))

    assert plan.code == 8
    assert not any(line.startswith("  + AllowClassicFlow") for line in plan.out.splitlines())
