"""Identities: listed page by page, shown, and deleted in batches, through the command and real botocore."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from cognito_credentials import administer
from cognito_credentials.errors import ConfigurationError, IdentityNotFoundError, RefusedError
from tests.administer.conftest import KEYS, Done
from tests.cli.conftest import Cli, python
from tests.cli.login.terminal import Screen

Call = Callable[..., Done]
_MEASURE = """
import gc, sys, tracemalloc
from cognito_credentials import administer
from cognito_credentials.administer import client
client._Pace.wait = lambda *_, **__: None
found = administer.list_identities(sys.argv[1])
tracemalloc.start()
sizes = []
for count in (300, 1800):
    for _ in range(count):
        next(found)
    gc.collect()
    sizes.append(tracemalloc.get_traced_memory()[0])
print(sizes[1] - sizes[0])
"""
NOWHERE = "us-east-1:00000000-0000-4000-8000-000000000000"


@pytest.fixture
def pool(emulator: Any, signed: Cli) -> str:
    """A pool with guests and developer users."""
    made: str = emulator.create_pool(DeveloperProviderName="dev.app")
    return made


def guests(emulator: Any, pool_id: str, count: int, session: Any = None) -> list[str]:
    """Make identities of guests, and return their ids in order."""
    region = pool_id.partition(":")[0]
    client = (session or boto3.Session()).client("cognito-identity", region_name=region)
    made = [client.get_id(IdentityPoolId=pool_id)["IdentityId"] for _ in range(count)]
    client.close()
    return made


def still_there(client: Any, pool_id: str) -> set[str]:
    """Return the ids of a pool's identities, by botocore's own client."""
    found = client.list_identities(IdentityPoolId=pool_id, MaxResults=60)["Identities"]
    return {each["IdentityId"] for each in found}


def unprocessed(*ids: str, code: str = "AccessDenied") -> dict[str, Any]:
    """Return a fault: an answer of DeleteIdentities that leaves *ids* out."""
    left = [{"IdentityId": each, "ErrorCode": code} for each in ids]
    body = json.dumps({"UnprocessedIdentityIds": left})
    return {"operation": "DeleteIdentities", "status": 200, "body": body}


def test_list_pages(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """Every identity is listed once, in pages of 60, with its date and its logins; guests have none."""
    made = guests(emulator, pool, 125, session)
    ann = administer.developer_token(pool, "ann", session).identity_id

    done = call("identities", "list", pool)

    heads, *rows = done.out.splitlines()
    assert heads.split() == ["id", "created", "logins"]
    assert [row.split()[0] for row in rows] == [*made, ann]
    assert {row.split()[2] for row in rows[:-1]} == {"-"}
    assert rows[-1].split()[2] == "dev.app"
    assert heads.index("created") == rows[0].index("20")
    assert (done.code, done.err) == (0, "")
    assert emulator.requests()["ListIdentities"] == 3


@pytest.mark.quick
def test_list_json(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """With --json each line is an object in AWS's words, with times as AWS writes them."""
    ann = administer.developer_token(pool, "ann", session).identity_id
    guests(emulator, pool, 1, session)

    first, second = map(json.loads, call("identities", "list", pool, "--json").out.splitlines())

    assert set(first) == {"IdentityId", "Logins", "CreationDate", "LastModifiedDate"}
    assert (first["IdentityId"], first["Logins"], second["Logins"]) == (ann, ["dev.app"], [])
    assert first["CreationDate"].endswith("Z")
    assert len(first["CreationDate"]) == len("2026-11-30T09:00:00Z")


def test_list_streams(emulator: Any, pool: str, signed: Cli, session: Any) -> None:
    """The first line is there before the second page is asked for."""
    guests(emulator, pool, 61, session)
    emulator.plan_faults(
        {"operation": "ListIdentities", "delay": 0.0, "times": 1},
        {"operation": "ListIdentities", "delay": 30.0, "times": -1},
    )

    process = signed.start("identities", "list", pool)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("id ")
        assert process.stdout.readline().startswith("us-east-1:")
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_list_hides_disabled(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """--hide-disabled leaves out the identity that a merge has ended."""
    for user in ("ann", "bob"):
        administer.developer_token(pool, user, session)
    survivor = administer.merge_developers(pool, "bob", "ann", session)

    assert len(call("identities", "list", pool).out.splitlines()) == 3
    (line,) = call("identities", "list", pool, "--hide-disabled", "--json").out.splitlines()
    assert json.loads(line)["IdentityId"] == survivor


def test_list_is_flat(emulator: Any, pool: str, signed: Cli, session: Any) -> None:
    """A list of any length holds one page: the tenth page costs no more memory than the second."""
    guests(emulator, pool, 30, session)
    page = boto3.Session().client("cognito-identity", region_name="us-east-1")
    known = page.list_identities(IdentityPoolId=pool, MaxResults=30)["Identities"]
    page.close()
    entries = [{**each, "CreationDate": 1.8e9, "LastModifiedDate": 1.8e9, "Logins": []} for each in known * 2]
    body = json.dumps({"IdentityPoolId": pool, "Identities": entries, "NextToken": "more"})
    emulator.plan_faults({"operation": "ListIdentities", "status": 200, "body": body, "times": 40})

    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, pool], env=signed.environ, capture_output=True, encoding="utf-8"
    )

    assert done.stderr == ""
    assert int(done.stdout) < 200_000  # 1,800 identities would be some 1,000,000


def test_progress(emulator: Any, pool: str, signed: Cli, session: Any) -> None:
    """Where a list takes longer than a second, the number of identities so far is shown and removed."""
    guests(emulator, pool, 61, session)
    emulator.plan_faults({"operation": "ListIdentities", "delay": 2.5, "times": 2})

    screen = Screen(python("identities", "list", pool), {**signed.environ, "CI": "", "TERM": "xterm"})
    screen.wait_for("listing identities: 60 so far")
    code, out, shown = screen.end()

    assert code == 0
    assert len(out.splitlines()) == 62
    assert shown.endswith("\x1b[K")


def test_empty(pool: str, call: Call) -> None:
    """A pool without identities lists nothing, says so to people, and is no error."""
    done = call("identities", "list", pool)
    assert (done.code, done.out, done.line) == (0, "", "There are no identities in this pool.")
    assert call("identities", "list", pool, "--json").out == ""


def test_show(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """An identity is shown with its logins and dates; of a guest it is said that there are none."""
    ann = administer.developer_token(pool, "ann", session).identity_id
    (guest,) = guests(emulator, pool, 1, session)

    shown = dict(line.split(maxsplit=1) for line in call("identities", "show", ann).out.splitlines())
    assert shown["identity"] == ann
    assert shown["logins"] == "dev.app"
    assert shown["created"].endswith("Z")
    assert "none: a guest" in call("identities", "show", guest).out
    assert json.loads(call("identities", "show", ann, "--json").out)["Logins"] == ["dev.app"]


def test_delete_batches(emulator: Any, pool: str, call: Call, client: Any, session: Any) -> None:
    """Identities are deleted 60 a request, each id once, and the others of the pool stay."""
    first, *rest = guests(emulator, pool, 122, session)

    done = call("identities", "delete", *rest, rest[0], "--yes")

    assert (done.code, done.out, done.err) == (0, "Deleted 121 identities.\n", "")
    assert emulator.requests()["DeleteIdentities"] == 3
    assert still_there(client, pool) == {first}


def test_delete_regions(emulator: Any, pool: str, call: Call, client: Any, session: Any) -> None:
    """Ids of two regions go to the service of their region, in one command."""
    europe = session.client("cognito-identity", region_name="eu-west-1")
    there = europe.create_identity_pool(IdentityPoolName="there", AllowUnauthenticatedIdentities=True)
    mixed = [*guests(emulator, pool, 2, session), *guests(emulator, there["IdentityPoolId"], 2, session)]

    done = call("identities", "delete", *mixed, "--yes", "--json")

    assert {json.loads(line)["IdentityId"] for line in done.out.splitlines()} == set(mixed)
    assert still_there(client, pool) == still_there(europe, there["IdentityPoolId"]) == set()
    europe.close()


@pytest.mark.parametrize(("code", "exit_code"), [("AccessDenied", 5), ("InternalServerError", 6)])
def test_unprocessed(emulator: Any, pool: str, call: Call, session: Any, code: str, exit_code: int) -> None:
    """Each identity that is not deleted is named with its reason; the exit code tells who has to act."""
    ids = guests(emulator, pool, 3, session)
    emulator.plan_faults(unprocessed(ids[1], code=code))

    done = call("identities", "delete", *ids, "--yes")

    assert (done.code, done.out) == (exit_code, "Deleted 2 identities.\n")
    named, summary = done.err.splitlines()
    assert named == f"cognito-credentials: not deleted: {ids[1]} ({code})."
    assert "1 of 3 identities were not deleted" in summary
    assert ("cognito-identity:DeleteIdentities" in summary) == (code == "AccessDenied")


def test_unprocessed_json(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """With --json there is an object for each identity, deleted or not."""
    ids = guests(emulator, pool, 2, session)
    emulator.plan_faults(unprocessed(ids[0]))

    lines = map(json.loads, call("identities", "delete", *ids, "--yes", "--json").out.splitlines())

    assert {each["IdentityId"]: each.get("ErrorCode") for each in lines} == {
        ids[0]: "AccessDenied",
        ids[1]: None,
    }


def test_delete_needs_yes(emulator: Any, pool: str, call: Call, client: Any, session: Any) -> None:
    """Without a terminal and --yes nothing is deleted, and the error says what is missing."""
    ids = guests(emulator, pool, 2, session)

    done = call("identities", "delete", *ids)

    assert done.code == 2
    assert "--yes" in done.line
    assert "delete 2 identities" in done.line
    assert still_there(client, pool) == set(ids)


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, 0), ("n", 130, 1)])
def test_delete_asks(
    emulator: Any, pool: str, signed: Cli, client: Any, session: Any, answer: str, code: int, left: int
) -> None:
    """On a terminal the command asks, and deletes only after a yes."""
    (guest,) = guests(emulator, pool, 1, session)

    screen = Screen(python("identities", "delete", guest), signed.environ)
    screen.wait_for("(y/n)")
    assert "Nothing brings an identity back" in screen.shown
    screen.type(answer)
    done, _, _ = screen.end()

    assert done == code
    assert len(still_there(client, pool)) == left


def test_interrupted(emulator: Any, pool: str, signed: Cli, client: Any, session: Any) -> None:
    """After Ctrl-C it is said how many were deleted, and that the command can be repeated."""
    ids = guests(emulator, pool, 61, session)
    emulator.plan_faults(
        {"operation": "DeleteIdentities", "delay": 0.0},
        {"operation": "DeleteIdentities", "delay": 30.0, "code": "InternalErrorException"},
    )

    process = signed.start("identities", "delete", *ids, "--yes", "--json")
    assert process.stdout is not None
    for _ in range(60):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "stopped half-way: 60 of 61 identities are deleted" in err
    assert "Run the command again" in err
    assert "Traceback" not in err
    assert still_there(client, pool) == {ids[60]}


def test_failure_half_way(emulator: Any, pool: str, call: Call, session: Any) -> None:
    """Where the second batch is refused, the first is still counted, and the refusal is the last line."""
    ids = guests(emulator, pool, 61, session)
    emulator.plan_faults(
        {"operation": "DeleteIdentities", "delay": 0.0},
        {"operation": "DeleteIdentities", "code": "AccessDeniedException", "status": 400},
    )

    done = call("identities", "delete", *ids, "--yes")

    assert done.code == 5
    stopped, refused = done.err.splitlines()
    assert "60 of 61 identities are deleted" in stopped
    assert "cognito-identity:DeleteIdentities is denied" in refused


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["list", "app"], 4, "the pool id: 'app' is not REGION:GUID"),
        (["list", NOWHERE.replace("us-east-1", "us-est-1")], 4, "Did you mean"),
        (["list", NOWHERE], 5, "ListIdentities"),
        (["list", NOWHERE, "--region", "eu-west-1"], 4, "Leave --region out"),
        (["delete", NOWHERE, "--yes", "--region", "eu-west-1"], 4, "Leave --region out"),
        (["show", "7c0d5b1e"], 4, "the identity id: '7c0d5b1e' is not REGION:GUID"),
        (["show", NOWHERE], 5, f"Identity '{NOWHERE}' not found"),
        (["delete", NOWHERE, "7c0d5b1e", "--yes"], 4, "'7c0d5b1e' is not REGION:GUID"),
        (["delete", "--yes"], 2, "ID"),
        (["lst"], 2, "Did you mean 'identities list'?"),
        ([], 2, "list, show, delete"),
    ],
)
def test_bad_input(emulator: Any, pool: str, call: Call, argv: list[str], code: int, said: str) -> None:
    """What is wrong with a command line or an id is one line; no part of a half-right list is deleted."""
    done = call("identities", *argv)

    assert done.code == code
    assert said in done.line
    assert "DeleteIdentities" not in emulator.requests()


@pytest.mark.parametrize(
    ("argv", "action"),
    [
        (["list", "POOL"], "ListIdentities"),
        (["show", "ID"], "DescribeIdentity"),
        (["delete", "ID", "--yes"], "DeleteIdentities"),
    ],
)
def test_denied(
    emulator: Any,
    pool: str,
    call: Call,
    session: Any,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    action: str,
) -> None:
    """Credentials that may not: one line names the action that is denied, and the exit code is 5."""
    (guest,) = guests(emulator, pool, 1, session)
    restricted(emulator, guest, session, monkeypatch)

    done = call("identities", *({"POOL": pool, "ID": guest}.get(each, each) for each in argv))

    assert done.code == 5
    assert f"cognito-identity:{action} is denied to arn:aws:sts::" in done.line


def restricted(emulator: Any, guest: str, session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a guest's keys sign, which may operate nothing."""
    client = session.client("cognito-identity", region_name="us-east-1")
    keys = client.get_credentials_for_identity(IdentityId=guest)["Credentials"]
    client.close()
    for name, key in zip(
        (*KEYS, "AWS_SESSION_TOKEN"), ("AccessKeyId", "SecretKey", "SessionToken"), strict=True
    ):
        monkeypatch.setenv(name, keys[key])


def test_no_credentials(pool: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials that sign, the one line says how to choose some."""
    for name in KEYS:
        monkeypatch.delenv(name)

    done = call("identities", "list", pool)

    assert done.code == 4
    assert "no AWS credentials to sign with" in done.line
    assert "--profile" in done.line


def test_profile_signs(
    emulator: Any, pool: str, call: Call, config: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """--profile names whose credentials sign, and one that does not exist is an error."""
    for name in KEYS:
        monkeypatch.delenv(name)
    config("[profile ops]\naws_access_key_id = AKIAOPSOPSOPSOPSOPS0\naws_secret_access_key = ops\n")

    assert call("identities", "list", pool, "--profile", "ops").code == 0
    refused = call("identities", "list", pool, "--profile", "opz")
    assert refused.code == 4
    assert "opz" in refused.line


@pytest.mark.quick
def test_python(emulator: Any, pool: str, session: Any) -> None:
    """In Python: a typed identity with aware dates, a deletion that reports, and this package's errors."""
    guest, other = guests(emulator, pool, 2, session)
    listed = list(administer.list_identities(pool, session._session))
    assert [each.identity_id for each in listed] == [guest, other]
    assert listed[0] == administer.describe_identity(guest, session)
    assert listed[0].created.tzinfo is not None

    seen: list[Any] = []
    emulator.plan_faults(unprocessed(other))
    left = administer.identities.delete_identities(
        iter([guest, other]), session, deleting=lambda done, kept: seen.append((list(done), list(kept)))
    )
    assert left == [administer.Unprocessed(other, "AccessDenied")]
    assert seen == [([guest], left)]
    with pytest.raises(IdentityNotFoundError):
        administer.describe_identity(NOWHERE, session)
    with pytest.raises(ConfigurationError):
        administer.list_identities("app", session)  # not only when it is read
    emulator.plan_faults({"operation": "ListIdentities", "code": "AccessDeniedException", "status": 400})
    with pytest.raises(RefusedError, match="cognito-identity:ListIdentities is denied"):
        list(administer.list_identities(pool, session))


def test_output_ends(emulator: Any, pool: str, signed: Cli, session: Any) -> None:
    """A reader who has seen enough, as `head`, ends the listing without a word."""
    guests(emulator, pool, 61, session)
    process = signed.start("identities", "list", pool, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) in (0, 141)
