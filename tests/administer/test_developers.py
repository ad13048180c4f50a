"""Developer users: a token, lookup both ways, merge and unlink, through the command and real botocore."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cognito_credentials import administer
from cognito_credentials.errors import (
    ConfigurationError,
    PoolMisconfiguredError,
    RefusedError,
    ServiceError,
)
from tests.administer.conftest import KEYS, Done
from tests.cli.conftest import Cli, python
from tests.cli.login.terminal import Screen

Call = Callable[..., Done]
NOWHERE = "us-east-1:00000000-0000-4000-8000-000000000000"
GOOGLE = "accounts.google.com"


@pytest.fixture
def pool(emulator: Any, signed: Cli) -> str:
    """A pool with developer users and Google users."""
    made: str = emulator.create_pool(DeveloperProviderName="dev.app", SupportedLoginProviders={GOOGLE: "app"})
    return made


def user(pool_id: str, name: str, session: Any) -> str:
    """Make a developer user, and return the id of the identity."""
    return administer.developer_token(pool_id, name, session, provider="dev.app").identity_id


@pytest.mark.quick
def test_token(emulator: Any, pool: str, call: Call, client: Any) -> None:
    """The token is the only thing on stdout, it works, and people are told that it is a secret."""
    done = call("developer", "token", pool, "--user", "ann")

    identity_id = client.lookup_developer_identity(IdentityPoolId=pool, DeveloperUserIdentifier="ann")[
        "IdentityId"
    ]
    login = {"cognito-identity.amazonaws.com": done.out.strip()}
    credentials = client.get_credentials_for_identity(IdentityId=identity_id, Logins=login)
    assert credentials["IdentityId"] == identity_id
    assert (done.code, done.out.count("\n")) == (0, 1)
    assert "secret" in done.line
    assert identity_id in done.line
    assert "15 min" in done.line
    assert done.out.strip() not in done.err
    assert emulator.requests()["DescribeIdentityPool"] == 1


def test_token_json(emulator: Any, pool: str, call: Call) -> None:
    """With --json, identity and token are one object, for `DeveloperLogin`; --provider saves a request."""
    done = call("developer", "token", pool, "--user", "ann", "--provider", "dev.app", "--json", "--quiet")

    assert set(json.loads(done.out)) == {"IdentityId", "Token"}
    assert done.err == ""
    assert "DescribeIdentityPool" not in emulator.requests()


@pytest.mark.parametrize("duration", ["1", "86400"])
def test_duration(pool: str, call: Call, duration: str) -> None:
    """A token works as long as --duration says, from a second to a day."""
    import base64

    token = call("developer", "token", pool, "--user", "ann", "--duration", duration).out
    middle = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))

    assert claims["exp"] - claims["iat"] == int(duration)


@pytest.mark.parametrize("duration", ["0", "86401", "-1", "15m", "", "1e3", "9" * 400, "\u0661"])
def test_bad_duration(emulator: Any, pool: str, call: Call, duration: str) -> None:
    """A duration that is none is refused before any request, and the limits are named."""
    done = call("developer", "token", pool, "--user", "ann", f"--duration={duration}")

    assert done.code == 4
    assert "--duration" in done.line
    assert "1 to 86400" in done.line
    assert not {"GetOpenIdTokenForDeveloperIdentity", "DescribeIdentityPool"} & set(emulator.requests())


@pytest.mark.quick
def test_lookup(pool: str, call: Call, session: Any) -> None:
    """A user leads to the identity, and the identity to all of its users."""
    ann, _ = user(pool, "ann", session), user(pool, "bob", session)
    administer.merge_developers(pool, "bob", "ann", session)

    by_user = call("developer", "lookup", pool, "--user", "bob")
    by_identity = call("developer", "lookup", pool, "--identity", ann)

    assert by_user.out == by_identity.out
    assert [line.split() for line in by_user.out.splitlines()] == [
        ["identity", ann],
        ["user", "ann"],
        ["user", "bob"],
    ]
    assert json.loads(call("developer", "lookup", pool, "--user", "ann", "--json").out) == {
        "IdentityId": ann,
        "DeveloperUserIdentifierList": ["ann", "bob"],
    }


def test_lookup_pages(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """A lookup goes on until the service has no further page."""
    ann = user(pool, "ann", session)
    page = {"IdentityId": ann, "DeveloperUserIdentifierList": ["zoe"], "NextToken": "more"}
    emulator.plan_faults({"operation": "LookupDeveloperIdentity", "status": 200, "body": json.dumps(page)})
    emulator.plan_faults(
        [
            {"operation": "LookupDeveloperIdentity", "status": 200, "body": json.dumps(page)},
            {
                "operation": "LookupDeveloperIdentity",
                "status": 200,
                "body": json.dumps({"IdentityId": ann, "DeveloperUserIdentifierList": ["ann"]}),
            },
        ]
    )

    done = call("developer", "lookup", pool, "--identity", ann, "--json")

    assert json.loads(done.out)["DeveloperUserIdentifierList"] == ["zoe", "ann"]


def test_lookup_nobody(emulator: Any, pool: str, call: Call, client: Any) -> None:
    """An identity without a developer user is no error; people are told."""
    guest = client.get_id(IdentityPoolId=pool)["IdentityId"]

    done = call("developer", "lookup", pool, "--identity", guest)

    assert (done.code, done.out.split()) == (0, ["identity", guest])
    assert done.line == "The identity has no developer user."


def test_merge(emulator: Any, pool: str, call: Call, client: Any, session: Any) -> None:
    """A merge shows first who survives and who ends; then users and logins of both have the one identity."""
    ann, bob = user(pool, "ann", session), user(pool, "bob", session)

    done = call("developer", "merge", pool, "--from", "bob", "--into", "ann", "--yes")

    assert done.code == 0
    assert done.out == f"Merged 'bob' into 'ann', identity {ann}.\n"
    survives, ends = done.err.splitlines()
    assert survives == f"survives: {ann} of 'ann', logins: dev.app"
    assert ends == f"ends:     {bob} of 'bob', logins: dev.app"
    assert administer.lookup_developer(pool, session, user="bob").identity_id == ann
    assert "Logins" not in client.describe_identity(IdentityId=bob)


def test_merge_again(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """Where both users have one identity already, nothing is asked or done, and it is no error."""
    ann, bob = user(pool, "ann", session), user(pool, "bob", session)
    first = call("developer", "merge", pool, "--from", "bob", "--into", "ann", "--yes", "--json")
    again = call("developer", "merge", pool, "--from", "bob", "--into", "ann", "--json")

    assert json.loads(first.out) == {"IdentityId": ann, "DisabledIdentityId": bob}
    assert json.loads(again.out) == {"IdentityId": ann, "DisabledIdentityId": None}
    assert "Nothing to do" in again.line
    assert emulator.requests()["MergeDeveloperIdentities"] == 1


def test_merge_conflict(emulator: Any, pool: str, call: Call, client: Any, session: Any) -> None:
    """Two users with a login of one provider: it is said before, and the refusal is the last line."""
    for name in ("ann", "bob"):
        logins = {"dev.app": name, GOOGLE: emulator.login_token(GOOGLE, audience="app", subject=name)}
        client.get_open_id_token_for_developer_identity(IdentityPoolId=pool, Logins=logins)

    done = call("developer", "merge", pool, "--from", "bob", "--into", "ann", "--yes")

    assert done.code == 5
    assert f"Both have a login of {GOOGLE}" in done.err
    assert done.err.splitlines()[-1].startswith("cognito-credentials: MergeDeveloperIdentities: ")


def test_merge_needs_yes(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """Without a terminal and --yes nothing is merged; what would be done is shown all the same."""
    user(pool, "ann", session)
    bob = user(pool, "bob", session)

    done = call("developer", "merge", pool, "--from", "bob", "--into", "ann")

    assert done.code == 2
    assert f"ends:     {bob}" in done.err
    assert "--yes" in done.err.splitlines()[-1]
    assert "MergeDeveloperIdentities" not in emulator.requests()


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 130)])
def test_merge_asks(emulator: Any, pool: str, signed: Cli, session: Any, answer: str, code: int) -> None:
    """On a terminal a merge shows both identities, and is done only after a yes."""
    ann, bob = user(pool, "ann", session), user(pool, "bob", session)

    screen = Screen(python("developer", "merge", pool, "--from", "bob", "--into", "ann"), signed.environ)
    screen.wait_for("Merge 'bob' into 'ann'? (y/n)")
    assert f"survives: {ann}" in screen.shown
    screen.type(answer)

    assert screen.end()[0] == code
    found = administer.lookup_developer(pool, session, user="bob").identity_id
    assert found == (ann if answer == "y" else bob)


def test_unlink(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """A user who was taken off gets another identity next time; the others keep theirs."""
    ann, _ = user(pool, "ann", session), user(pool, "bob", session)
    administer.merge_developers(pool, "bob", "ann", session)

    done = call("developer", "unlink", pool, "--identity", ann, "--user", "bob", "--yes")

    assert (done.code, done.err) == (0, "")
    assert done.out == f"Took the user 'bob' off the identity {ann}.\n"
    assert user(pool, "ann", session) == ann
    assert user(pool, "bob", session) != ann


def test_unlink_json(pool: str, call: Call, session: Any) -> None:
    """With --json it says what was unlinked, in AWS's words."""
    ann = user(pool, "ann", session)

    done = call("developer", "unlink", pool, "--identity", ann, "--user", "ann", "--yes", "--json")

    assert json.loads(done.out) == {
        "IdentityId": ann,
        "DeveloperProviderName": "dev.app",
        "DeveloperUserIdentifier": "ann",
    }


@pytest.mark.parametrize(
    ("others", "said"),
    [((), "no other login: it is disabled for ever"), (("bob",), "The identity keeps bob")],
)
def test_unlink_asks(
    emulator: Any, pool: str, signed: Cli, session: Any, others: tuple[str, ...], said: str
) -> None:
    """On a terminal it is said what becomes of the identity; after a no, nothing has changed."""
    ann = user(pool, "ann", session)
    for other in others:
        user(pool, other, session)
        administer.merge_developers(pool, other, "ann", session)

    argv = ("developer", "unlink", pool, "--identity", ann, "--user", "ann")
    screen = Screen(python(*argv), signed.environ)
    screen.wait_for("(y/n)")
    assert said in screen.shown
    screen.type("n")

    assert screen.end()[0] == 130
    assert user(pool, "ann", session) == ann


def test_unlink_needs_yes(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """Without a terminal and --yes nobody is taken off."""
    ann = user(pool, "ann", session)

    done = call("developer", "unlink", pool, "--identity", ann, "--user", "ann")

    assert done.code == 2
    assert "--yes" in done.line
    assert "UnlinkDeveloperIdentity" not in emulator.requests()


@pytest.mark.parametrize(
    "argv",
    [
        ["token", "--user", "ann"],
        ["merge", "--from", "bob", "--into", "ann", "--yes"],
        ["unlink", "--identity", NOWHERE, "--user", "ann", "--yes"],
    ],
)
def test_no_provider(emulator: Any, signed: Cli, call: Call, argv: list[str]) -> None:
    """A pool without a developer provider name has no developer users: one line says so."""
    pool_id = emulator.create_pool()

    done = call("developer", argv[0], pool_id, *argv[1:])

    assert done.code == 5
    assert f"{pool_id} has no developer provider name" in done.line


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["token", "app", "--user", "ann"], 4, "the pool id: 'app' is not REGION:GUID"),
        (["token", "POOL", "--user", "ann", "--region", "eu-west-1"], 4, "Leave --region out"),
        (["token", "POOL"], 2, "--user"),
        (["token", "POOL", "--user", "ann", "--provider", "other"], 5, "developer provider"),
        (["token", "POOL", "--user", ""], 4, "the name of the user is empty"),
        (["lookup", "POOL", "--user", ""], 4, "the name of the user is empty"),
        (
            ["unlink", "POOL", "--identity", NOWHERE, "--user", "", "--yes"],
            4,
            "the name of the user is empty",
        ),
        (["token", NOWHERE, "--user", "ann"], 5, "DescribeIdentityPool"),
        (["lookup", "POOL"], 2, "--user --identity is required"),
        (["lookup", "POOL", "--user", "a", "--identity", NOWHERE], 2, "not allowed with"),
        (["lookup", "POOL", "--user", "zoe"], 5, "LookupDeveloperIdentity"),
        (["lookup", "POOL", "--identity", "x"], 4, "the identity id: 'x' is not REGION:GUID"),
        (["lookup", "POOL", "--identity", NOWHERE.replace("us", "eu")], 4, "the identity is of eu-east-1"),
        (["merge", "POOL", "--from", "zoe", "--into", "ann", "--yes"], 5, "LookupDeveloperIdentity"),
        (["merge", "POOL", "--from", "ann", "--yes"], 2, "--into"),
        (["unlink", "POOL", "--identity", NOWHERE, "--user", "ann", "--yes"], 5, "not found"),
        (["look"], 2, "Did you mean 'developer lookup'?"),
    ],
)
def test_bad_input(pool: str, call: Call, session: Any, argv: list[str], code: int, said: str) -> None:
    """What is wrong with a command line, an id or a user is one line with its documented exit code."""
    user(pool, "ann", session)

    done = call("developer", *(pool if each == "POOL" else each for each in argv))

    assert (done.code, done.out) == (code, "")
    assert said in done.line


@pytest.mark.parametrize(
    ("argv", "action"),
    [
        (["token", "--user", "ann"], "DescribeIdentityPool"),
        (["token", "--user", "ann", "--provider", "dev.app"], "GetOpenIdTokenForDeveloperIdentity"),
        (["lookup", "--user", "ann"], "LookupDeveloperIdentity"),
        (["merge", "--from", "bob", "--into", "ann", "--yes", "--provider", "p"], "LookupDeveloperIdentity"),
        (
            ["unlink", "--identity", NOWHERE, "--user", "ann", "--yes", "--provider", "p"],
            "UnlinkDeveloperIdentity",
        ),
    ],
)
def test_denied(
    pool: str, call: Call, client: Any, monkeypatch: pytest.MonkeyPatch, argv: list[str], action: str
) -> None:
    """Credentials that may not: one line names the action that is denied, and the exit code is 5."""
    guest = client.get_id(IdentityPoolId=pool)["IdentityId"]
    keys = client.get_credentials_for_identity(IdentityId=guest)["Credentials"]
    names = ("AccessKeyId", "SecretKey", "SessionToken")
    for name, key in zip((*KEYS, "AWS_SESSION_TOKEN"), names, strict=True):
        monkeypatch.setenv(name, keys[key])

    done = call("developer", argv[0], pool, *argv[1:])

    assert done.code == 5
    assert f"cognito-identity:{action} is denied to arn:aws:sts::" in done.line


@pytest.mark.quick
def test_python(emulator: Any, pool: str, session: Any) -> None:
    """In Python the same with a session of the caller's, typed, with this package's errors."""
    token = administer.developer_token(pool, "ann", session, duration_seconds=60)
    bob = administer.developers.developer_token(pool, "bob", session._session)
    assert "eyJ" not in repr(token)
    assert administer.developer_provider(pool, session) == "dev.app"

    merge = administer.plan_merge(pool, "bob", "ann", session)
    assert (merge.survives.identity_id, merge.ends.identity_id) == (token.identity_id, bob.identity_id)
    assert (merge.is_done, merge.surviving_users, merge.ending_users) == (False, ("ann",), ("bob",))
    assert administer.merge_developers(pool, "bob", "ann", session) == token.identity_id
    assert administer.plan_merge(pool, "bob", "ann", session).is_done
    administer.unlink_developer(pool, token.identity_id, "bob", session)
    assert administer.lookup_developer(pool, session, identity_id=token.identity_id).users == ("ann",)

    with pytest.raises(ConfigurationError, match="a user or an identity"):
        administer.lookup_developer(pool, session)
    with pytest.raises(ConfigurationError, match="1 to 86400"):
        administer.developer_token(pool, "ann", session, duration_seconds=0)
    with pytest.raises(PoolMisconfiguredError):
        administer.developer_provider(emulator.create_pool(), session)
    emulator.plan_faults({"operation": "LookupDeveloperIdentity", "code": "AccessDenied", "status": 403})
    with pytest.raises(RefusedError, match="cognito-identity:LookupDeveloperIdentity is denied"):
        administer.lookup_developer(pool, session, user="ann")


@pytest.mark.parametrize("body", ["{}", "[]", '{"IdentityId": "a", "Token": 1}', "no JSON"])
def test_unreadable_token(emulator: Any, pool: str, session: Any, body: str) -> None:
    """An answer that is no token is an error of the service, without the answer in it."""
    emulator.plan_faults(
        {"operation": "GetOpenIdTokenForDeveloperIdentity", "status": 200, "body": body, "times": -1}
    )

    with pytest.raises(ServiceError) as caught:
        administer.developer_token(pool, "ann", session, provider="dev.app")
    assert caught.value.__context__ is None
