"""Which calls each flow makes, in which order, and how their answers are judged."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import botocore.session
import pytest

from cognito_credentials.clock import Clock
from cognito_credentials.errors import ClockSkewError, ServiceError
from cognito_credentials.exchange.actions import Action, Failure
from cognito_credentials.exchange.deadline import with_deadline
from cognito_credentials.exchange.flows import Exchanged, Flows
from tests.conftest import ManualClock

from .conftest import GOOGLE, Bench, EmulatorBench, SlowClock

GUEST_ROLE = "arn:aws:iam::123456789012:role/unauthenticated"
USER_ROLE = "arn:aws:iam::123456789012:role/authenticated"
MINE = "arn:aws:iam::123456789012:role/mine"
OTHER = "arn:aws:iam::123456789012:role/other"
YEAR = 365 * 86_400
USER_POOL = "cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC"


class CountingClock(Clock):
    """A clock that records sleeps instead of sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)


def run(
    bench: EmulatorBench, pool: str, identity_id: str | None = None, tokens: Any = None, **settings: Any
) -> Exchanged:
    client = bench.client(pool, **settings)
    return Flows(client, bench.settings(pool, **settings)).credentials(
        identity_id, tokens or {}, lambda _: None
    )


def who(bench: EmulatorBench, exchanged: Exchanged) -> str:
    """The ARN that GetCallerIdentity returns for these credentials."""
    credentials = exchanged.credentials
    client = botocore.session.Session().create_client(
        "sts",
        region_name="us-east-1",
        endpoint_url=bench.url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key.reveal(),
        aws_session_token=credentials.session_token.reveal(),
    )
    return str(client.get_caller_identity()["Arn"])


def test_enhanced_flow(bench: EmulatorBench) -> None:
    """The enhanced flow makes two requests for a new guest and one for a known guest."""
    pool = bench.pool()
    first = run(bench, pool)
    again = run(bench, pool, first.identity_id)

    assert again.identity_id == first.identity_id
    assert bench.emulator.requests() == {"GetId": 1, "GetCredentialsForIdentity": 2}
    assert who(bench, again).endswith(":assumed-role/unauthenticated/CognitoIdentityCredentials")
    assert 3500 < again.credentials.expires_at - time.time() < 3700
    assert again.credentials.account_id is None


def test_enhanced_flow_with_logins(bench: EmulatorBench) -> None:
    """A login is sent to both calls, and the role is the signed-in users'."""
    exchanged = run(bench, bench.pool(), tokens=bench.login(), account_id="123456789012")

    assert ":assumed-role/authenticated/" in who(bench, exchanged)
    assert exchanged.credentials.account_id == "123456789012"


def test_custom_role_arn_is_sent(bench: EmulatorBench) -> None:
    """The custom role is the role of the credentials, and gives their account id."""
    pool = bench.pool(
        CognitoIdentityProviders=[{"ProviderName": USER_POOL, "ClientId": "app"}],
        role_mappings={f"{USER_POOL}:app": {"Type": "Token", "AmbiguousRoleResolution": "Deny"}},
    )
    roles = {"cognito:roles": [MINE, OTHER], "cognito:preferred_role": OTHER, "token_use": "id"}
    tokens = bench.login(USER_POOL, claims=roles)

    preferred = run(bench, pool, tokens=tokens)
    custom = run(bench, pool, tokens=tokens, custom_role_arn=MINE)

    assert ":assumed-role/other/" in who(bench, preferred)
    assert ":assumed-role/mine/" in who(bench, custom)
    assert preferred.credentials.account_id is None
    assert custom.credentials.account_id == "123456789012"


def test_basic_flow(bench: EmulatorBench) -> None:
    """The basic flow makes three requests, and sends role, session name, duration and policy."""
    exchanged = run(
        bench,
        bench.pool(),
        flow="basic",
        role_arn=GUEST_ROLE,
        role_session_name="lab-7",
        duration_seconds=900,
        policy='{"Version": "2012-10-17", "Statement": []}',
    )

    assert bench.emulator.requests() == {"GetId": 1, "GetOpenIdToken": 1, "AssumeRoleWithWebIdentity": 1}
    assert who(bench, exchanged).endswith(":assumed-role/unauthenticated/lab-7")
    assert 850 < exchanged.credentials.expires_at - time.time() < 950
    assert exchanged.credentials.account_id == "123456789012"


def test_basic_flow_with_logins(bench: EmulatorBench) -> None:
    """In the basic flow a signed-in user gets the role of the settings, by default for an hour."""
    exchanged = run(bench, bench.pool(), tokens=bench.login(), flow="basic", role_arn=USER_ROLE)

    assert who(bench, exchanged).endswith(":assumed-role/authenticated/cognito-credentials")
    assert 3500 < exchanged.credentials.expires_at - time.time() < 3700


@pytest.mark.parametrize("flow", ["enhanced", "basic"])
def test_the_identity_in_the_answer_counts(bench: EmulatorBench, flow: str) -> None:
    """If the answer names another identity than the request, that identity counts and is announced."""
    pool = bench.pool()
    role = {"role_arn": USER_ROLE} if flow == "basic" else {}
    known = run(bench, pool, tokens=bench.login()).identity_id
    guest = run(bench, pool).identity_id

    signed_in = run(bench, pool, guest, bench.login(), flow=flow, **role)

    assert signed_in.identity_id == known != guest


def test_a_pinned_identity_skips_get_id(bench: EmulatorBench) -> None:
    """With identity_id in the settings the pool is not asked for one."""
    pool = bench.pool()
    known = run(bench, pool).identity_id
    bench.emulator.requests()

    assert run(bench, pool, identity_id=known).identity_id == known
    assert bench.emulator.requests()["GetId"] == 1


def test_a_new_identity_is_announced_before_anything_can_fail(bench: EmulatorBench) -> None:
    """The caller gets a new identity id before the next request: an id that is lost leaves an orphan."""
    pool = bench.pool()
    told: list[str] = []
    bench.fault(operation="GetCredentialsForIdentity", status=500)

    with pytest.raises(Failure):
        Flows(bench.client(pool), bench.settings(pool)).credentials(None, {}, told.append)

    assert len(told) == 1
    assert run(bench, pool, told[0]).identity_id == told[0]


def test_open_id_token(bench: EmulatorBench) -> None:
    """An OpenID token takes GetId and GetOpenIdToken, no role, and no request to STS."""
    pool = bench.pool(roles={})
    told: list[str] = []

    token = Flows(bench.client(pool), bench.settings(pool)).open_id_token(None, {}, told.append)

    identity_id, *again = told
    assert again == [identity_id]
    assert token.reveal().count(".") == 2
    assert bench.emulator.requests() == {"GetId": 1, "GetOpenIdToken": 1}


def test_get_identity(bench: EmulatorBench) -> None:
    """A login has one identity, which each request for it returns."""
    pool = bench.pool()
    settings, told = bench.settings(pool), list[str]()

    flows = Flows(bench.client(pool), settings)
    first = flows.identity(None, bench.login(), told.append)

    assert flows.identity(None, bench.login(), told.append) == first
    assert set(told) == {first}


def test_unlink_identity(bench: EmulatorBench) -> None:
    """After a login is unlinked, it gets a new identity."""
    client = bench.client(bench.pool())
    identity_id = client.get_id(bench.login())

    client.unlink_identity(identity_id, bench.login(), [GOOGLE])

    assert client.get_id(bench.login()) != identity_id


@pytest.mark.parametrize("code", ["ResourceConflictException", "ExternalServiceException"])
def test_a_conflict_is_repeated_once(bench: EmulatorBench, code: str) -> None:
    """A conflict, or a login provider that did not answer, gets one more try after one to two seconds."""
    clock = CountingClock()
    bench.clock = clock
    pool = bench.pool()
    bench.fault(code=code, times=1)
    assert run(bench, pool)
    assert [1 <= pause <= 2 for pause in clock.sleeps] == [True]

    bench.fault(code=code, times=2)
    with pytest.raises(Failure) as caught:
        run(bench, pool)
    assert caught.value.action is Action.WAIT
    assert len(clock.sleeps) == 2


def test_a_conflict_is_not_repeated_without_time(bench: EmulatorBench) -> None:
    """With less than four seconds to the deadline a conflict is not repeated."""
    clock = CountingClock()
    bench.clock = clock
    client = bench.client(bench.pool())
    bench.fault(code="ResourceConflictException")

    with pytest.raises(Failure):
        with_deadline(lambda: client.get_id({}), 3)

    assert clock.sleeps == []


@pytest.mark.parametrize(
    "code",
    ["NotAuthorizedException", "InvalidParameterException", "InvalidIdentityPoolConfigurationException"],
)
def test_a_refusal_is_not_repeated(bench: EmulatorBench, code: str) -> None:
    """A refusal that only a person can mend is not repeated."""
    pool = bench.pool()
    bench.fault(code=code, times=9)

    with pytest.raises(Failure):
        bench.client(pool, attempts=3).get_id({})

    assert bench.emulator.requests()["GetId"] == 1


@pytest.mark.parametrize("fault", [{"code": "TooManyRequestsException"}, {"status": 500}, {"status": 503}])
def test_a_passing_failure_is_repeated(bench: EmulatorBench, fault: dict[str, Any]) -> None:
    """botocore repeats a request that was throttled (HTTP 400 at this service) or met a server error."""
    pool = bench.pool()
    bench.fault(times=1, **fault)

    assert bench.client(pool, attempts=3).get_id({})
    assert bench.emulator.requests()["GetId"] == 2


FAULTS = [
    {"code": "TooManyRequestsException"},
    {"status": 503},
    {"code": "InternalErrorException"},
    {"drop": True},
    {"code": "NotAuthorizedException"},
]


@pytest.mark.thorough
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_sparing_client_asks_once_and_gives_the_true_cause(
    bench: EmulatorBench, fault: dict[str, Any]
) -> None:
    """Within `sparing()` a client of three tries sends one request, and fails like a client of one try."""
    pool = bench.pool()
    client = bench.client(pool, attempts=3)
    bench.fault(times=-1, **fault)

    with client.sparing(), pytest.raises(Failure) as spared:
        with_deadline(lambda: client.get_id(bench.login()), 10)
    assert bench.emulator.requests()["GetId"] == 1
    with pytest.raises(Failure) as single:
        bench.client(pool, attempts=1).get_id(bench.login())

    for name in ("action", "again", "operation"):
        assert getattr(spared.value, name) == getattr(single.value, name)
    for name in ("message", "hint", "code", "throttled"):
        assert getattr(spared.value.error, name) == getattr(single.value.error, name)


def test_sparing_ends_with_its_block_and_hinders_no_success(bench: EmulatorBench) -> None:
    """A request within `sparing()` can succeed, and after it the client repeats requests again."""
    pool = bench.pool()
    client = bench.client(pool, attempts=3)
    with client.sparing():
        assert client.get_id({})
    bench.fault(times=1, code="TooManyRequestsException")

    assert client.get_id({})
    assert bench.emulator.requests()["GetId"] == 3


def body(expiration: object) -> str:
    import json

    credentials = {
        "AccessKeyId": "ASIA" + "A" * 16,
        "SecretKey": "CANARY" * 7,
        "SessionToken": "CANARY",
        "Expiration": expiration,
    }
    return json.dumps({"IdentityId": "us-east-1:00", "Credentials": credentials})


@pytest.mark.thorough
@pytest.mark.parametrize("lifetime", [-1, 0, 50, 43_520, -1_800_000_000, 10**12, None, 0.0, 1e300, "soon"])
def test_an_impossible_lifetime_is_refused(bench: EmulatorBench, lifetime: Any) -> None:
    """Credentials that have expired, expire at once, or expire in years are refused as a failed answer."""
    expiration = time.time() + lifetime if isinstance(lifetime, int) else lifetime
    bench.fault(operation="GetCredentialsForIdentity", status=200, body=body(expiration))

    with pytest.raises(Failure) as caught:
        run(bench, bench.pool())

    assert caught.value.action is Action.WAIT
    assert type(caught.value.error) is ServiceError


@pytest.mark.parametrize("lifetime", [70, 900, 3600, 43_490])
def test_a_possible_lifetime_is_taken_as_it_is(bench: EmulatorBench, lifetime: int) -> None:
    """A lifetime from one minute to twelve hours and five minutes is taken from the answer unchanged."""
    expiration = int(time.time()) + lifetime
    bench.fault(operation="GetCredentialsForIdentity", status=200, body=body(float(expiration)))

    assert run(bench, bench.pool()).credentials.expires_at == expiration


def test_a_lifetime_is_judged_by_the_services_clock(bench: EmulatorBench) -> None:
    """An hour counts as an hour on a machine whose clock is a day ahead or behind."""
    pool = bench.pool()
    for offset in (86_400, -172_800):
        bench.emulator.move_clock(offset)
        exchanged = run(bench, pool)
        left = exchanged.credentials.expires_at - (exchanged.seen.wall + exchanged.seen.offset)
        assert 3590 <= left <= 3610


@pytest.mark.parametrize("moved", [-172_800, 86_400])
def test_a_slow_link_and_a_wrong_clock_get_credentials(bench: EmulatorBench, moved: int) -> None:
    """Credentials count as valid where every answer is slow and this clock is days off."""
    pool = bench.pool()
    bench.emulator.move_clock(moved)
    bench.clock = SlowClock(8.0)

    exchanged = run(bench, pool)

    left = exchanged.credentials.expires_at - (exchanged.seen.wall + exchanged.seen.offset)
    assert 3580 <= left <= 3600


def timeless(serve: Any, lifetime: int) -> tuple[Bench, int]:
    """A bench whose service sends no `Date`, and the expiration of the credentials that it issues."""
    expiration = int(time.time()) + lifetime
    content = body(float(expiration)).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    return serve(lambda connection, _: connection.sendall(head + content))[1], expiration


@pytest.mark.parametrize(
    ("lifetime", "taken_for"), [(3600, 3600), (30, 900), (172_800, 900), (9 * YEAR, 900)]
)
def test_without_the_services_time_a_clock_that_does_not_fit_is_not_believed(
    serve: Any, lifetime: int, taken_for: int
) -> None:
    """Without `Date`, an expiration that does not fit this clock counts as 15 minutes away."""
    bench, expiration = timeless(serve, lifetime)
    exchanged = Flows(bench.client(), bench.settings()).credentials("us-east-1:00", {}, lambda _: None)

    left = exchanged.credentials.expires_at - (exchanged.seen.wall + exchanged.seen.offset)
    assert exchanged.credentials.expires_at == expiration
    assert left == pytest.approx(taken_for, abs=5)


def test_without_the_services_time_a_clock_that_was_never_set_gets_credentials(serve: Any) -> None:
    """Without `Date`, the same on a device whose clock begins at 1970 with each start."""
    bench, expiration = timeless(serve, 3600)
    bench.clock = ManualClock(wall=1000.0)

    exchanged = Flows(bench.client(), bench.settings()).credentials("us-east-1:00", {}, lambda _: None)

    assert exchanged.seen.wall + exchanged.seen.offset == expiration - 900


TODAY, NEVER_SET = None, 1000.0
NO_DATE, AS_LATE = "", "Date: Fri, 31 Dec 9999 23:00:00 GMT\r\n"


@pytest.mark.parametrize(
    ("end", "date", "wall"),
    [
        ("9999-12-31T23:59:59", NO_DATE, TODAY),
        ("9999-12-31T23:59:59", NO_DATE, NEVER_SET),
        ("9999-12-31T23:59:59", AS_LATE, TODAY),
        ("2106-02-07T06:28:15", NO_DATE, NEVER_SET),
        ("2038-01-19T03:14:07", NO_DATE, TODAY),
        ("2038-01-19T03:14:07", AS_LATE, NEVER_SET),
    ],
)
def test_what_never_ends_is_refused(serve: Any, end: str, date: str, wall: float | None) -> None:
    """An end that means "never" is refused: whoever reads it would keep the credentials for ever."""
    content = body(datetime.fromisoformat(f"{end}+00:00").timestamp()).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n{date}\r\n".encode()
    bench = serve(lambda connection, _: connection.sendall(head + content))[1]
    bench.clock = Clock() if wall is None else ManualClock(wall=wall)
    noted: list[str] = []

    with pytest.raises(Failure) as caught:
        Flows(bench.client(), bench.settings()).credentials("us-east-1:00", {}, noted.append)

    assert caught.value.action is Action.WAIT
    assert type(caught.value.error) is ServiceError
    assert noted == []


@pytest.mark.parametrize("operation", ["GetId", "GetCredentialsForIdentity"])
def test_an_identity_of_another_region_is_refused(bench: EmulatorBench, operation: str) -> None:
    """An identity of another region cannot be the pool's: it is no answer, and is not kept."""
    noted: list[str] = []
    flows = Flows(bench.client(pool := bench.pool()), bench.settings(pool))
    known = None if operation == "GetId" else bench.client(pool).get_id({})
    answer = body(time.time() + 3600).replace("us-east-1:00", "eu-west-1:00")
    bench.fault(operation=operation, status=200, body=answer)

    with pytest.raises(Failure) as caught:
        flows.credentials(known, {}, noted.append)

    assert "another region" in str(caught.value.error)
    assert caught.value.action is Action.WAIT
    assert noted == []


@pytest.mark.parametrize("lifetime", [0, -86_400])
def test_without_the_services_time_expired_credentials_mean_a_wrong_clock(serve: Any, lifetime: int) -> None:
    """Without `Date`, credentials that this clock calls expired are refused, with a hint to set the clock."""
    bench, _ = timeless(serve, lifetime)
    with pytest.raises(Failure) as caught:
        Flows(bench.client(), bench.settings()).credentials("us-east-1:00", {}, lambda _: None)

    assert caught.value.action is Action.STOP
    assert type(caught.value.error) is ClockSkewError
    assert "Set this machine's clock" in caught.value.error.hint
