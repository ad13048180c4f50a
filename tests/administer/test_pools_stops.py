"""Applying a file to a service that is busy, refuses or goes away, and to pools that others change."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from cognito_credentials import administer
from cognito_credentials.administer.client import Clients
from cognito_credentials.administer.pools import file, planning
from cognito_credentials.errors import ServiceError
from tests.administer.conftest import Done, role
from tests.administer.test_pools import GOOGLE, HEAD, WHOLE, everything, the_id
from tests.cli.conftest import Cli

Call = Callable[..., Done]
Write = Callable[[str], str]
CHANGED = (
    WHOLE.replace("AllowClassicFlow = false", "AllowClassicFlow = true")
    .replace('team = "red"', 'cost = "7"')
    .replace("Deny", "AuthenticatedRole")
    .replace("UseDefaults = true", 'user = "sub"')
)
"""Differs from `WHOLE` in what each of the operations writes."""
WRITES = (
    *("CreateIdentityPool", "UpdateIdentityPool", "SetIdentityPoolRoles", "SetPrincipalTagAttributeMap"),
    *("TagResource", "UntagResource"),
)
READS = ("ListIdentityPools", "DescribeIdentityPool", "GetIdentityPoolRoles", "GetPrincipalTagAttributeMap")


def a_plan(
    path: str, session: Any, sleep: Callable[[float], None], *, delete: bool = False
) -> administer.Plan:
    """Plan with a wait that the test looks at."""
    return planning.planned(file.load(path), Clients(session, sleep=sleep), None, delete=delete)


def quick(client: Any, name: str = "app") -> int:
    """Count the pools of a name."""
    pools = client.list_identity_pools(MaxResults=60)["IdentityPools"]
    return sum(pool["IdentityPoolName"] == name for pool in pools)


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize(
    "fault", [{"code": "AccessDeniedException"}, {"drop": True, "times": 9}, {"drop": "after", "times": 9}]
)
@pytest.mark.usefixtures("no_waits")
def test_a_run_that_stopped_half_way_is_ended_by_the_next(
    signed: Cli, call: Call, write: Write, client: Any, emulator: Any, operation: str, fault: dict[str, Any]
) -> None:
    """Whichever step fails, refused or with its answer lost, the next run ends it, and there is one pool."""
    if operation != "CreateIdentityPool":
        assert call("pool", "apply", write(WHOLE), "--yes").code == 0
    path = write(CHANGED)
    emulator.plan_faults({"operation": operation, **fault})
    stopped = call("pool", "apply", path, "--yes", "--delete")
    emulator.plan_faults()
    ended = call("pool", "apply", path, "--yes", "--delete")
    left = call("pool", "plan", path, "--delete")

    assert stopped.code == (5 if "code" in fault else 6)
    assert (ended.code, left.code) == (0, 0)
    assert quick(client) == 1
    is_refused_first = "code" in fault and operation in ("CreateIdentityPool", "UpdateIdentityPool")
    assert ("stopped half-way" in stopped.err) is not is_refused_first
    if "code" in fault:
        assert f"cognito-identity:{operation} is denied" in stopped.err
    if operation == "CreateIdentityPool":
        assert emulator.requests()["CreateIdentityPool"] == (1 if fault.get("drop") == "after" else 2)


@pytest.mark.parametrize("operation", READS)
def test_a_read_that_is_denied_names_its_action_and_nothing_is_changed(
    signed: Cli, call: Call, write: Write, emulator: Any, operation: str
) -> None:
    """An error is never taken for absence: no pool is made because the list of pools was refused."""
    assert call("pool", "apply", write(WHOLE), "--yes").code == 0
    emulator.plan_faults({"operation": operation, "code": "AccessDeniedException", "times": 4})
    before = emulator.requests()
    done = call("pool", "apply", write(CHANGED), "--yes")
    asked = {name for name, n in emulator.requests().items() if n > before.get(name, 0)}

    assert (done.code, done.out) == (5, "")
    assert f"cognito-identity:{operation} is denied" in done.line
    assert f"Allow cognito-identity:{operation}" in done.line
    assert not asked & {*WRITES}


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("code", ["TooManyRequestsException", "InternalErrorException"])
def test_a_busy_service_is_asked_again(
    signed: Cli, call: Call, write: Write, emulator: Any, code: str
) -> None:
    """Throttling and failures of the service cost time, and nothing else."""
    path = write(WHOLE)
    for operation in (*READS, *WRITES):
        if (operation, code) != ("CreateIdentityPool", "InternalErrorException"):
            emulator.plan_faults({"operation": operation, "code": code, "times": 2})
        done = call("pool", "apply", path, "--yes")
        assert done.code == 0, (operation, done.err)
    for operation in WRITES[1:]:
        emulator.plan_faults({"operation": operation, "code": code, "times": 2})
        assert call("pool", "apply", write(CHANGED), "--yes", "--delete").code == 0
        assert call("pool", "apply", write(WHOLE), "--yes", "--delete").code == 0


def test_a_pool_is_asked_for_once_more_only_when_the_service_was_too_busy(
    session: Any, write: Write, client: Any, emulator: Any
) -> None:
    """A throttled CreateIdentityPool is repeated; one that failed otherwise may be done, and is not."""
    waits: list[float] = []
    emulator.plan_faults({"operation": "CreateIdentityPool", "code": "TooManyRequestsException", "times": 3})
    administer.apply(a_plan(write(HEAD), session, waits.append))
    emulator.plan_faults({"operation": "CreateIdentityPool", "status": 500})
    with pytest.raises(ServiceError, match="CreateIdentityPool: the service failed"):
        administer.apply(a_plan(write(HEAD.replace('"app"', '"new"')), session, waits.append))

    assert waits == [0.5, 1.0, 2.0]
    assert quick(client) == 1


def test_what_others_change_meanwhile_is_kept(session: Any, write: Write, client: Any, emulator: Any) -> None:
    """When the service says that somebody else is changing the pool, it is read again and compared anew."""
    administer.apply(write(WHOLE), session)
    pool_id = the_id(client)

    def by_hand(_: float) -> None:
        now = client.describe_identity_pool(IdentityPoolId=pool_id)
        del now["ResponseMetadata"], now["IdentityPoolTags"]
        client.update_identity_pool(
            **{**now, "SupportedLoginProviders": {GOOGLE: "app", "www.amazon.com": "a"}}
        )

    plan = a_plan(write(CHANGED), session, by_hand)
    emulator.plan_faults(
        {"operation": "UpdateIdentityPool", "code": "ConcurrentModificationException"},
        {"operation": "SetIdentityPoolRoles", "code": "ConcurrentModificationException", "times": 2},
    )
    administer.apply(plan)
    made = everything(client, pool_id)

    assert made["pool"]["SupportedLoginProviders"] == {GOOGLE: "app", "www.amazon.com": "a"}
    assert made["pool"]["AllowClassicFlow"] is True
    assert made[GOOGLE]["PrincipalTags"] == {"domain": "hd"}
    assert not administer.plan(write(CHANGED), session).has_changes


def test_what_was_changed_between_plan_and_apply_is_kept(session: Any, write: Write, client: Any) -> None:
    """A pool is read again before it is written: the plan may have been shown for an hour."""
    administer.apply(write(WHOLE), session)
    pool_id = the_id(client)
    plan = administer.plan(write(CHANGED), session)
    now = client.describe_identity_pool(IdentityPoolId=pool_id)
    del now["ResponseMetadata"], now["IdentityPoolTags"]
    client.update_identity_pool(**{**now, "SupportedLoginProviders": {GOOGLE: "app", "www.amazon.com": "a"}})
    administer.apply(plan)

    assert client.describe_identity_pool(IdentityPoolId=pool_id)["SupportedLoginProviders"] == {
        GOOGLE: "app",
        "www.amazon.com": "a",
    }


def test_a_pool_that_somebody_made_after_the_plan_is_taken(
    session: Any, write: Write, client: Any, emulator: Any
) -> None:
    """Two people with one file make one pool, if one begins when the other has ended."""
    first, second = administer.plan(write(WHOLE), session), administer.plan(write(WHOLE), session)
    administer.apply(first)
    done = administer.apply(second)

    assert done.pools[0].pool_id == the_id(client)
    assert emulator.requests()["CreateIdentityPool"] == 1


def test_somebody_who_goes_on_changing_a_pool_is_an_error(session: Any, write: Write, emulator: Any) -> None:
    """After six attempts it is given up, with waits that double."""
    waits: list[float] = []
    administer.apply(write(WHOLE), session)
    plan = a_plan(write(CHANGED), session, waits.append)
    emulator.plan_faults(
        {"operation": "UpdateIdentityPool", "code": "ConcurrentModificationException", "times": -1}
    )
    with pytest.raises(ServiceError, match="somebody else goes on changing it"):
        administer.apply(plan)

    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_tags_that_a_description_leaves_out_are_asked_for(
    session: Any, write: Write, client: Any, emulator: Any
) -> None:
    """Older answers have no IdentityPoolTags, which says nothing about tags; their own operation tells."""
    administer.apply(write(WHOLE), session)
    pool_id = the_id(client)
    answer = client.describe_identity_pool(IdentityPoolId=pool_id)
    del answer["ResponseMetadata"], answer["IdentityPoolTags"]
    emulator.plan_faults(
        {"operation": "DescribeIdentityPool", "status": 200, "body": _json(answer), "times": 1}
    )

    assert not administer.plan(write(WHOLE), session, delete=True).has_changes
    assert emulator.requests()["ListTagsForResource"] == 1


def test_tags_are_written_within_the_published_quota(session: Any, write: Write) -> None:
    """TagResource has 5 requests a second: the sixth of a second waits its turn."""
    names = [f"pool {n}" for n in range(8)]
    text = "".join(HEAD.replace('"app"', f'"{name}"') for name in names)
    administer.apply(write(text), session)
    waits: list[float] = []
    clock = iter([0.0] * 100)
    clients = Clients(session, sleep=waits.append, monotonic=lambda: next(clock))
    tagged = text.replace("= false\n", '= false\nIdentityPoolTags = { team = "red" }\n')
    administer.apply(planning.planned(file.load(write(tagged)), clients, None, delete=False))

    assert waits == pytest.approx([0.2, 0.4, 0.6])


def test_ctrl_c_says_what_was_done_and_the_next_run_ends_it(
    signed: Cli, call: Call, write: Write, client: Any, emulator: Any
) -> None:
    """Ctrl-C exits with 130 and one line that names the last step; the pool is made once."""
    path = write(WHOLE)
    emulator.plan_faults({"operation": "SetIdentityPoolRoles", "delay": 30, "times": 1})
    started = signed.start("pool", "apply", path, "--yes", stdout=subprocess.PIPE)
    assert started.stdout is not None
    for line in started.stdout:
        if "made as" in line:
            break
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    emulator.plan_faults()
    ended = call("pool", "apply", path, "--yes")

    assert started.returncode == 130
    assert f"stopped half-way: 1 step is done, the last: pool 'app': made as {the_id(client)}. " in said
    assert "Traceback" not in said
    assert ended.code == 0
    assert call("pool", "plan", path, "--delete").code == 0
    assert quick(client) == 1


def test_roles_that_may_not_be_passed_are_named(signed: Cli, call: Call, write: Write, emulator: Any) -> None:
    """The service's text for a missing iam:PassRole names the role alone; ours names the action."""
    emulator.plan_faults(
        {
            "operation": "SetIdentityPoolRoles",
            "status": 400,
            "body": '{"__type": "NotAuthorizedException", "message": "Access to Role '
            f"'{role('user')}' is forbidden.\"}}",
        }
    )
    done = call("pool", "apply", write(WHOLE), "--yes")

    assert done.code == 5
    assert f"'{role('user')}'" in done.err
    assert "iam:PassRole is denied" in done.err


@pytest.mark.parametrize(
    ("environ", "code", "said"),
    [
        (
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            4,
            "there are no AWS credentials to sign with",
        ),
        ({"AWS_PROFILE": "nope"}, 4, "The config profile (nope) could not be found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 6, "the service cannot be reached"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 6, "Start the emulator"),
        ({"AWS_DEFAULT_REGION": None}, 4, "no region is given"),
    ],
)
@pytest.mark.usefixtures("no_waits")
def test_what_keeps_a_request_from_being_sent_is_one_line(
    signed: Cli,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str | None],
    code: int,
    said: str,
) -> None:
    """No keys, no such profile, no network and no region are told apart, and say what to do."""
    for name, value in environ.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    done = call("pool", "list")

    assert (done.code, done.out) == (code, "")
    assert said in done.line


def test_keys_of_a_guest_may_not_and_the_action_is_named(
    signed: Cli, call: Call, write: Write, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real credentials without the right: the service's own refusal names action and caller."""
    del write
    import boto3

    pool = emulator.create_pool()
    public = boto3.client("cognito-identity", region_name="us-east-1")
    guest = public.get_id(IdentityPoolId=pool)["IdentityId"]
    keys = public.get_credentials_for_identity(IdentityId=guest)["Credentials"]
    public.close()
    for name, value in {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }.items():
        monkeypatch.setenv(name, value)
    done = call("pool", "export", pool)

    assert done.code in (0, 5)
    assert not done.err or "cognito-identity:DescribeIdentityPool is denied" in done.line


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore and us wait no time between attempts."""
    from botocore.retries.standard import ExponentialBackoff

    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
    monkeypatch.setattr("cognito_credentials.administer.client.time.sleep", lambda _: None)


def _json(answer: Any) -> str:
    import json

    return json.dumps(answer)
