"""What a plan warns of, and the trust policies that roles need."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, quote

import pytest

from cognito_credentials import administer
from cognito_credentials.administer.pools.trust import trust_mistake, trust_policies
from tests.administer.conftest import Done, role
from tests.administer.test_pools import GOOGLE, HEAD, the_id
from tests.cli.conftest import Cli

Call = Callable[..., Done]
Write = Callable[[str], str]
AWS = "cognito-identity.amazonaws.com"
POOL = "us-east-1:0b8d4f1c-0000-4000-8000-000000000001"
BOTH = f'Roles = {{ authenticated = "{role("user")}", unauthenticated = "{role("guest")}" }}\n'
OTHER = "us-east-1:0b8d4f1c-0000-4000-8000-000000000002"


def policy(*, host: str = AWS, **condition: Any) -> dict[str, Any]:
    """Return a trust policy; `StringEquals={"aud": …}` is about the key of the host."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": host},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    operator: {f"{host}:{key}": value for key, value in tests.items()}
                    for operator, tests in condition.items()
                },
            }
        ],
    }


@pytest.mark.parametrize(
    ("guests", "classic", "warned"),
    [(True, "true", True), (True, None, True), (True, "false", False), (False, "true", False)],
)
def test_guests_with_the_basic_flow(
    session: Any, write: Write, *, guests: bool, classic: str | None, warned: bool
) -> None:
    """Guests may use the basic flow unless it is forbidden: not to mention it allows it."""
    text = HEAD.replace("= false", f"= {str(guests).lower()}")
    text += f"AllowClassicFlow = {classic}\n" if classic else ""
    (pool,) = administer.plan(write(text), session).pools

    assert any("basic flow" in warning for warning in pool.warnings) is warned


@pytest.mark.parametrize(
    ("claim", "match", "warned"),
    [
        ("sub", "NotEqual", True),
        ("aud", "Equals", True),
        ("iss", "StartsWith", True),
        ("nickname", "Equals", True),
        ("custom:role", "Equals", True),
        ("email", "Contains", True),
        ("email", "Equals", False),
        ("sub", "Equals", False),
        ("cognito:groups", "Contains", False),
        ("hd", "Equals", False),
    ],
)
def test_a_rule_that_anybody_can_satisfy(
    session: Any, write: Write, claim: str, match: str, *, warned: bool
) -> None:
    """A rule must take somebody in particular; one about groups, a subject or a whole address does."""
    text = f"""{HEAD}SupportedLoginProviders = {{ "{GOOGLE}" = "app" }}
[pools.RoleMappings."{GOOGLE}"]
Type = "Rules"
AmbiguousRoleResolution = "Deny"
RulesConfiguration.Rules = [
    {{ Claim = "{claim}", MatchType = "{match}", Value = "x", RoleARN = "{role("r")}" }},
]
"""
    (pool,) = administer.plan(write(text), session).pools

    assert any("can be satisfied by anybody" in warning for warning in pool.warnings) is warned


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        (policy(StringEquals={"aud": POOL}), None),
        (policy(StringEquals={"aud": [OTHER, POOL]}), None),
        (policy(StringLike={"aud": "us-east-1:*"}), None),
        (policy(StringEquals={"sub": "us-east-1:1"}), None),
        (policy(), "without a condition"),
        (policy(StringLike={"aud": "*"}), "without a condition"),
        (policy(StringNotEquals={"aud": OTHER}), "without a condition"),
        (policy(**{"ForAnyValue:StringLike": {"amr": "authenticated"}}), "without a condition"),
        (policy(**{"ForAllValues:StringEquals": {"aud": POOL}}), "without a condition"),
        (policy(StringEqualsIfExists={"aud": POOL}), "without a condition"),
        (policy(StringEquals={"aud": OTHER}), "does not trust this pool"),
        (policy(host="accounts.google.com", StringEquals={"aud": "app"}), f"does not trust {AWS}"),
        (
            {"Statement": [*policy(StringEquals={"aud": POOL})["Statement"], *policy()["Statement"]]},
            "without",
        ),
        ({"Statement": {**policy()["Statement"][0], "Action": "sts:*", "Principal": "*"}}, "without"),
        ({"Statement": {**policy()["Statement"][0], "Effect": "Deny"}}, f"does not trust {AWS}"),
        ({}, f"does not trust {AWS}"),
    ],
)
def test_a_trust_policy_is_read_as_iam_reads_it(trust: dict[str, Any], said: str | None) -> None:
    """Each statement that lets Cognito in has to limit the pool."""
    found = trust_mistake(trust, "us-east-1", POOL)

    assert (found is None) if said is None else (said in str(found))


def test_the_files_own_trust_policies_are_looked_at(signed: Cli, call: Call, write: Write) -> None:
    """A seed for the emulator describes the roles too: nobody needs IAM to see what is wrong."""
    text = f"""{HEAD}Roles = {{ authenticated = "{role("user")}" }}
[[roles]]
arn = "{role("user")}"
trust_policy = '''{json.dumps(policy())}'''
"""
    done = call("pool", "plan", write(text))

    assert (
        f"warning: pool 'app': the role {role('user')} is trusted without a condition on {AWS}:aud"
        in done.line
    )


@pytest.fixture
def iam(session: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """IAM with some roles: name to trust policy, or to the code of an error; and what it was asked."""
    roles: dict[str, Any] = {"asked": []}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            name = asked["RoleName"][0]
            roles["asked"].append(name)
            found = roles.get(name, "NoSuchEntity")
            if isinstance(found, str):
                answer = (
                    f"<ErrorResponse><Error><Code>{found}</Code><Message>m</Message></Error></ErrorResponse>"
                )
            else:
                answer = (
                    "<GetRoleResponse><GetRoleResult><Role>"
                    f"<RoleName>{name}</RoleName><Arn>{role(name)}</Arn>"
                    f"<AssumeRolePolicyDocument>{quote(json.dumps(found))}</AssumeRolePolicyDocument>"
                    "</Role></GetRoleResult></GetRoleResponse>"
                )
            self.send_response(400 if isinstance(found, str) else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", f"http://127.0.0.1:{server.server_port}")
    yield roles
    server.shutdown()
    thread.join()
    server.server_close()


def test_iam_tells_who_is_trusted(iam: dict[str, Any], write: Write, client: Any) -> None:
    """The policy that IAM has is judged for each pool; a role that is right is no warning."""
    path = write(
        f'{HEAD}Roles = {{ authenticated = "{role("user")}", unauthenticated = "{role("guest")}" }}\n'
    )
    administer.apply(path)
    iam["user"], iam["guest"] = policy(), policy(StringEquals={"aud": the_id(client)})
    found = administer.plan(path)

    assert not found.notes
    assert len(found.pools[0].warnings) == 1
    assert f"the role {role('user')} is trusted without a condition" in found.pools[0].warnings[0]
    assert iam["asked"][-2:] == ["guest", "user"] or iam["asked"][-2:] == ["user", "guest"]


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity"])
def test_where_iam_does_not_tell_it_is_said_and_nothing_is_claimed(
    iam: dict[str, Any], write: Write, code: str
) -> None:
    """Without the right to ask, the first refusal is the last question; a note says what was not seen."""
    iam["user"] = iam["guest"] = code
    path = write(
        f'{HEAD}Roles = {{ authenticated = "{role("user")}", unauthenticated = "{role("guest")}" }}\n'
    )
    found = administer.plan(path)

    assert found.pools[0].warnings == ()
    said = "nothing tells who trusts 2 roles" if code == "AccessDenied" else "2 roles do not exist yet: arn:"
    assert found.notes[0].startswith(said)
    assert len(iam["asked"]) == (1 if code == "AccessDenied" else 2)


def test_roles_are_printed_as_json_alone(signed: Cli, call: Call, write: Write, client: Any) -> None:
    """With --roles stdout is one JSON object; a pool that is not made has no id for them."""
    text = f"""{HEAD.replace("= false", "= true")}SupportedLoginProviders = {{ "{GOOGLE}" = "app" }}
Roles = {{ authenticated = "{role("user")}", unauthenticated = "{role("guest")}" }}
PrincipalTags = {{ "{GOOGLE}" = {{ domain = "hd" }} }}
"""
    path = write(text)
    before, made, after = (
        call("pool", "plan", path, "--roles"),
        call("pool", "apply", path, "--yes", "--roles"),
        call("pool", "plan", path, "--roles"),
    )
    pool_id = the_id(client)
    found = json.loads(made.out)

    assert json.loads(before.out) == {}
    assert "need the ids of the pools" in before.err
    assert made.out == after.out
    assert found.keys() == {role("user"), role("guest")}
    assert found[role("guest")]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": AWS},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{AWS}:aud": pool_id},
                "ForAnyValue:StringLike": {f"{AWS}:amr": "unauthenticated"},
            },
        }
    ]
    # Claims become tags of the session, which the policy has to allow.
    assert found[role("user")]["Statement"][0]["Action"] == [
        "sts:AssumeRoleWithWebIdentity",
        "sts:TagSession",
    ]


def test_printed_policies_work(emulator_keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest gets credentials of a role with the printed trust policy, and of one for another pool not."""
    import boto3
    from botocore.exceptions import ClientError

    from cognito_credentials.emulator import Emulator, Seed

    members = {"Roles": {"unauthenticated": role("guest"), "authenticated": role("guest")}}
    for pools, works in (([(POOL, members)], True), ([(OTHER, members)], False)):
        made = trust_policies(pools)
        seed = {
            "pools": [
                {
                    "IdentityPoolId": POOL,
                    "IdentityPoolName": "app",
                    "AllowUnauthenticatedIdentities": True,
                    **members,
                }
            ],
            "roles": [{"arn": arn, "trust_policy": json.dumps(one)} for arn, one in made.items()],
        }
        with Emulator(keys=emulator_keys, seed=Seed("", seed), strict_roles=True) as emulator:
            client = boto3.client("cognito-identity", region_name="us-east-1", endpoint_url=emulator.url)
            guest = client.get_id(IdentityPoolId=POOL)["IdentityId"]
            try:
                assert client.get_credentials_for_identity(IdentityId=guest)["Credentials"]
            except ClientError:
                assert not works
            else:
                assert works
            client.close()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", AWS),
        ("cn-north-1", "cognito-identity.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "cognito-identity-us-gov.amazonaws.com"),
        ("us-gov-east-1", "cognito-identity.us-gov-east-1.amazonaws.com"),
    ],
)
def test_policies_name_the_partitions_own_principal(region: str, host: str) -> None:
    """Principal and condition keys are those of the pool's partition."""
    pool = f"{region}:0b8d4f1c-0000-4000-8000-000000000001"
    (made,) = trust_policies([(pool, {"Roles": {"authenticated": "arn:x"}})]).values()
    (statement,) = made["Statement"]

    assert statement["Principal"] == {"Federated": host}
    assert statement["Condition"]["StringEquals"] == {f"{host}:aud": pool}
    assert trust_mistake(made, region, pool) is None


def test_a_role_of_several_pools_trusts_each_of_them() -> None:
    """Pools that use a role alike share a statement."""
    guest = {"Roles": {"unauthenticated": role("r")}}
    user = {"Roles": {"authenticated": role("r")}}
    (made,) = trust_policies([(OTHER, guest), (POOL, guest), (POOL[:-1] + "3", user)]).values()
    conditions = [each["Condition"] for each in made["Statement"]]

    assert [each["StringEquals"][f"{AWS}:aud"] for each in conditions] == [POOL[:-1] + "3", [POOL, OTHER]]
